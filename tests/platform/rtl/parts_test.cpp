// SPDX-License-Identifier: Apache-2.0
// What models are made from: pin maps, tables of ports, the cache.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/port_table.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

std::string problems(const std::string& text) {
  try {
    PinMap::parse(text, "pins.yaml");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(PinMap, SaysWhatPortsAre) {
  const auto map = PinMap::parse(
      "clock: aclk\nclock_frequency: 1.2 GHz\nreset: areset\nreset_active: high\nreset_cycles: 7\nidle: "
      "quiet\n"
      "interrupt: irq\ninterrupt_active: low\nparameters: {N: 4}\nconstants: {scan: 0, mode: 0x3}\n"
      "interfaces:\n  a: {protocol: axi4, role: manager, prefix: m_, ports: {wdata: m_payload}}\n"
      "  b: {protocol: axi4-stream, role: receiver, prefix: s_, offset: 0x2000}\n",
      "pins.yaml");
  EXPECT_EQ(map.clock, "aclk");
  EXPECT_EQ(map.frequency.hertz, 1.2e9);
  EXPECT_TRUE(map.reset_high);
  EXPECT_EQ(map.reset_cycles, 7u);
  EXPECT_FALSE(map.interrupt_high);
  EXPECT_EQ(map.constants.at("mode"), 3u);
  ASSERT_EQ(map.interfaces.size(), 2u);
  EXPECT_EQ(map.interfaces[0].ports.at("wdata"), "m_payload");
  EXPECT_EQ(map.interfaces[1].role, Role::receiver);
  EXPECT_EQ(map.interfaces[1].offset, 0x2000u);
  EXPECT_FALSE(map.tile);
  EXPECT_EQ(PinMap::parse("", "pins.yaml").clock, "clk");
}

TEST(PinMap, NamesEveryProblemAndItsPlace) {
  EXPECT_EQ(problems("clock: [a]\nreset_active: up\n"),
            "pins.yaml:1:8: found a list, expected the name of a port\npins.yaml:2:15: found 'up', expected "
            "low or high");
  EXPECT_EQ(problems("interfaces: {a: {protocol: axi4, role: receiver}}\n"),
            "pins.yaml:1:17: a: role is receiver, but an interface of axi4 is subordinate or manager");
  EXPECT_EQ(problems("interfaces: {a: {role: manager}}\n"),
            "pins.yaml:1:17: a: protocol is missing, expected axi4 or axi4-lite or axi4-stream");
  EXPECT_THAT(problems("interfaces: {a: {protocol: axi4, role: manager, ports: {awvalud: x}}}\n"),
              HasSubstr("unknown pin 'awvalud'; did you mean awvalid?"));
  EXPECT_THAT(problems("clock_frequency: fast\n"), HasSubstr("expected a frequency"));
  EXPECT_THAT(problems("constants: {a: -1}\n"), HasSubstr("expected a whole number"));
  EXPECT_THAT(problems("tile: {depth: 3}\n"), HasSubstr("tile: format is missing"));
  EXPECT_THAT(problems("- a\n"), HasSubstr("expected a map of keys"));
  EXPECT_THAT(problems("a: {\n"), HasSubstr("pins.yaml:"));
}

TEST(PortTable, ReadsVerilatorsHeader) {
  const auto ports = read_ports(
      "VL_IN8(&clk,0,0);\n "
      "VL_OUT16(&a___05Fb,9,0);\nVL_IN(&c,31,0);\nVL_IN64(&d,40,0);\nVL_OUTW(&e,127,8,4);\n",
      "m");
  ASSERT_EQ(ports.size(), 5u);
  EXPECT_TRUE(ports[0].input);
  EXPECT_EQ(ports[1].name, "a__b");
  EXPECT_EQ(ports[1].member, "a___05Fb");
  EXPECT_EQ(ports[1].bits, 10u);
  EXPECT_EQ(ports[2].bits, 32u);
  EXPECT_EQ(ports[3].bits, 41u);
  EXPECT_FALSE(ports[4].input);
  EXPECT_EQ(ports[4].bits, 120u);
  EXPECT_THROW(read_ports("VL_IN8((&x)[4],7,0);", "m"), std::runtime_error);
  EXPECT_THROW(read_ports("VL_INOUT8(&x,7,0);", "m"), std::runtime_error);
  EXPECT_THROW(read_ports("", "m"), std::runtime_error);
}

TEST(Cache, MakesAModelOnceAndAgainWhenItsSourceChanges) {
  const auto folder = fs::temp_directory_path() / ("forerun_cache_test." + std::to_string(::getpid()));
  ::setenv("FORERUN_RTL_CACHE", (folder / "cache").c_str(), 1);
  fs::create_directories(folder);
  VerilateRequest request;
  request.top = "m";
  request.sources = {folder / "m.v"};
  write_text(folder / "m.v", "module m(input clk, output y); assign y = clk; endmodule\n");
  const auto first = verilated(request);
  const auto made = fs::last_write_time(first);
  EXPECT_EQ(verilated(request), first);
  EXPECT_EQ(fs::last_write_time(first), made);
  write_text(folder / "m.v", "module m(input clk, output y); assign y = !clk; endmodule\n");
  EXPECT_NE(verilated(request), first);
  request.parameters["P"] = "1";  // which the module does not have
  EXPECT_THROW(verilated(request), std::runtime_error);
  unsigned files = 0;
  for (const auto& entry : fs::directory_iterator(folder / "cache"))
    files += entry.path().extension() == ".so" ? 1 : 100;
  EXPECT_EQ(files, 2u) << "nothing else is left";
  fs::remove_all(folder);
}

TEST(Model, EndsWithThePlaceThatCalledFinish) {
  const auto folder = fs::temp_directory_path() / ("forerun_finish_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  write_text(folder / "m.v",
             "module m(input clk, output reg y);\n  always @(posedge clk) if (y) $finish; else y <= "
             "1;\nendmodule\n");
  VerilateRequest request;
  request.top = "m";
  request.sources = {folder / "m.v"};
  verilate(request, folder / "m.so");
  {
    ip::cosim::ModelInstance model(std::make_shared<ip::cosim::SharedModel>((folder / "m.so").string()));
    auto* clk = model.port("clk", true, 1);
    const auto clock = [&] {
      for (const bool level : {false, true}) {
        *clk = level ? 1 : 0;
        model.eval();
      }
    };
    clock();
    EXPECT_EQ(*model.port("y", false), 1);
    try {
      clock();
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("m: $finish in"));
      EXPECT_THAT(error.what(), HasSubstr("m.v:2"));
    }
    EXPECT_THROW(model.port("clk", false), std::runtime_error);
    EXPECT_THROW(model.port("y", false, 8), std::runtime_error);
    EXPECT_THROW(model.open_waves("w.fst"), std::runtime_error);
  }
  write_text(folder / "no.so", "no shared object");
  EXPECT_THROW(ip::cosim::SharedModel((folder / "no.so").string()), std::runtime_error);
  fs::remove_all(folder);
}

TEST(Cache, SaysWhenVerilatorIsMissing) {
  const auto folder = fs::temp_directory_path() / ("forerun_path_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  write_text(folder / "m.v", "module m(input clk); endmodule\n");
  ::setenv("PATH", folder.c_str(), 1);
  VerilateRequest request;
  request.top = "m";
  request.sources = {folder / "m.v"};
  try {
    verilated(request);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'verilator' cannot be run"));
    EXPECT_THAT(error.what(), HasSubstr("Debian: verilator, build-essential"));
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace forerun::rtl
