// SPDX-License-Identifier: Apache-2.0
// What models are made from: pin maps, tables of ports, the cache.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/pins_of.hpp"
#include "platform/rtl/port_type.hpp"
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
  EXPECT_EQ(map.clocks, std::vector<std::string>{"aclk"});
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
  EXPECT_EQ(PinMap::parse("", "pins.yaml").clocks, std::vector<std::string>{"clk"});
}

TEST(PinMap, NamesEveryProblemAndItsPlace) {
  EXPECT_EQ(
      problems("clock: {a: b}\nreset_active: up\n"),
      "pins.yaml:1:8: found a map of keys, expected the name of a port\npins.yaml:2:15: found 'up', expected "
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
  EXPECT_THAT(problems("clock: []\n"), HasSubstr("expected a name or a list of names"));
  EXPECT_THAT(problems("bundles: {s: {parameters: {W: 4}}}\n"), HasSubstr("interface is missing"));
  EXPECT_THAT(problems("- a\n"), HasSubstr("expected a map of keys"));
  EXPECT_THAT(problems("a: {\n"), HasSubstr("pins.yaml:"));
}

TEST(PortType, SelectsAsVerilogDoes) {
  const auto type =
      PortType::parse("(0:2)[1:4]{id[3:0];w{data[0:31];last;};alt<byte[7:0];half[4:1][0:0];>;}");
  EXPECT_EQ(type.bits, 4u * (4 + 33 + 8));
  const auto at = [&](const char* path) {
    const auto bits = select(type, "p", path);
    return std::array{bits.element, bits.low, bits.bits};
  };
  using Bits = std::array<unsigned, 3>;
  EXPECT_EQ(at("[0]"), (Bits{0, 0, 180}));
  EXPECT_EQ(at("[2][4].alt.byte"), (Bits{2, 0, 8}));
  EXPECT_EQ(at("[1][1].id"), (Bits{1, 135 + 41, 4})) << "the leftmost index has the highest bits";
  EXPECT_EQ(at("[1][2:3]"), (Bits{1, 45, 90}));
  EXPECT_EQ(at("[0][4].w.data[0:7]"), (Bits{0, 8 + 1 + 24, 8}));
  EXPECT_EQ(at("[0][4].w.data[31]"), (Bits{0, 9, 1}));
  EXPECT_EQ(at("[0][4].w[3:0]"), (Bits{0, 8, 4})) << "a record counts from 0";
  EXPECT_EQ(at("[0][4].alt.half[4]"), (Bits{0, 3, 1}));
  EXPECT_THROW(at(""), std::runtime_error);
  EXPECT_THROW(at("[0:1]"), std::runtime_error);
  EXPECT_THROW(at("[3]"), std::runtime_error);
  EXPECT_THROW(at("[0][4]id"), std::runtime_error);
  EXPECT_THROW(at("[0][4].id[1"), std::runtime_error);
  EXPECT_EQ(fields(type.element[0].element[0]),
            (std::vector<std::string>{".id", ".w", ".w.data", ".w.last", ".alt", ".alt.byte", ".alt.half"}));
  EXPECT_THROW(PortType::parse("{a[3:0]}"), std::runtime_error);
  EXPECT_THROW(PortType::parse("[3:0"), std::runtime_error);
}

std::vector<std::string> described(const std::string& text) {
  const auto folder = fs::temp_directory_path() / ("forerun_ports_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  write_text(folder / "m.sv", text);
  VerilateRequest request;
  request.top = "m";
  request.sources = {folder / "m.sv"};
  std::vector<std::string> lines;
  try {
    verilate(request, folder / "m.so");
    const ip::cosim::SharedModel model((folder / "m.so").string());
    for (const auto& port : model.ports())
      lines.push_back((port.input ? "in " : "out ") + std::string(port.name) + " " + port.type);
  } catch (const std::runtime_error& error) {
    lines.emplace_back(error.what());
  }
  fs::remove_all(folder);
  return lines;
}

TEST(Ports, HaveTheTypesOfTheSource) {
  EXPECT_THAT(
      described(
          "typedef enum logic [1:0] {A, B} e_t;\n"
          "module m(input a__b, \\x.y , input signed [3:-1] s, input e_t [1:0] e, output int q, input wire z "
          "[1:0][4:3],"
          " input [2:0][7:0] p, input struct packed {bit v; byte d;} r);\n  assign q = 3;\nendmodule\n"),
      testing::ElementsAre("in a__b ", "in x.y ", "in s [3:-1]", "in e [1:0][1:0]", "out q [31:0]",
                           "in z (1:0)(4:3)", "in p [2:0][7:0]", "in r {v;d[7:0];}"));
  EXPECT_THAT(
      described("`timescale 1ns/1ps\nmodule m(input clk, input [1:0] d, output [1:0] q, output reg r);\n"
                "  wire [1:0] a; assign a[0] = d[0]; assign a[1] = a[0] ^ d[1]; assign q = a;\n"
                "  always @(posedge clk) r <= #1 d[0];\n  initial begin #10; end\nendmodule\n"),
      testing::ElementsAre("in clk ", "in d [1:0]", "out q [1:0]", "out r "))
      << "delays, and loops through bits of one vector";
  EXPECT_THAT(described("module m(input clk, inout x); endmodule\n"),
              testing::ElementsAre("module m: port x is an inout, expected inputs and outputs"));
  EXPECT_THAT(described("module m(input real x); endmodule\n"),
              testing::ElementsAre("module m: port x is a real, expected bits"));
  EXPECT_THAT(described("module m(input struct {logic a; logic [4:0] b;} x); endmodule\n"),
              testing::ElementsAre(HasSubstr("port x is no vector, packed struct or array")));
  EXPECT_THAT(described("module m; endmodule\n"), testing::ElementsAre("module m: has no ports"));
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
    auto* clk = model.storage(0);
    const auto clock = [&] {
      for (const bool level : {false, true}) {
        *clk = level ? 1 : 0;
        model.eval();
      }
    };
    clock();
    EXPECT_EQ(*model.storage(1), 1);
    try {
      clock();
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("m: $finish in"));
      EXPECT_THAT(error.what(), HasSubstr("m.v:2"));
    }
    const PinsOf ports(model.model(), MapPlaces());
    EXPECT_THROW(ports.get("clk", false, 0, ""), std::runtime_error);
    EXPECT_THROW(ports.get("y", false, 8, ""), std::runtime_error);
    EXPECT_THROW(model.open_waves("w.fst"), std::runtime_error);
  }
  write_text(folder / "no.so", "no shared object");
  EXPECT_THROW(ip::cosim::SharedModel((folder / "no.so").string()), std::runtime_error);
  fs::remove_all(folder);
}

TEST(Pins, NameThePartsThatNobodyUses) {
  const auto req = "{aw{id[3:0];addr[7:0];user;};valid;}";  // 4 + 8 + 1 + 1 bits
  const PinsOf fresh({{"req", "", true, 14, req}, {"out", "", false, 1, ""}}, "m", MapPlaces());
  EXPECT_EQ(fresh.unused(true), std::vector<std::string>{"req"});
  EXPECT_EQ(fresh.unused(false), std::vector<std::string>{"out"});
  PinsOf pins({{"req", "", true, 14, req},
               {"masks", "", true, 4, "(0:2)[3:0]"},
               {"up", "", true, 4, "[0:3]"},
               {"rows", "", true, 6, "[2:1][2:0]"},
               {"either", "", true, 2, "<whole[1:0];parts{high;low;};>"}},
              "m", MapPlaces());
  for (const auto* name : {"req.aw.addr", "req.valid", "req.aw.id[2:1]", "masks[0]", "masks[1][2]", "up[1]",
                           "rows[1]", "either[0]"})
    pins.use(pins.get(name, true, 0, ""), "");
  EXPECT_THAT(pins.unused(true), testing::ElementsAre("req.aw.id[0]", "req.aw.id[3]", "req.aw.user",
                                                      "masks[1][1:0]", "masks[1][3]", "masks[2]", "up[2:3]",
                                                      "up[0]", "rows[2]", "either.whole[1]"));
  EXPECT_EQ(pins.describe_unused().find("  inputs not in the pin map, held at 0: req.aw.id[0], "), 0u);
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
