// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

struct Ran {
  nlohmann::json report;
  std::vector<std::uint32_t> ids;
};

Ran run(const std::string& arguments) {
  const Scratch scratch;
  Ran ran;
  ran.report = report_of("--prompt We --steps 1 " + arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  return ran;
}

void expect_same_tokens(const std::string& chip, unsigned transactions) {
  const auto model = run(chip), rtl = run(chip + " --set noc.model=rtl");
  EXPECT_EQ(rtl.ids, model.ids);
  ASSERT_EQ(rtl.report["rtl"].size(), 1u);
  const auto& use = rtl.report["rtl"][0];
  EXPECT_EQ(use["name"], "noc");
  EXPECT_EQ(use["model"], "ip/noc/rtl/axi_crossbar.sv");
  EXPECT_GT(use["commands"], transactions);
  EXPECT_GT(use["cycles"], 10'000);
  EXPECT_EQ(use["broken_axi_rules"], 0);
  const auto bytes = [](const Ran& ran) { return ran.report["phases"][0]["hbm_bytes_read"].get<double>(); };
  EXPECT_NEAR(bytes(rtl), bytes(model), 0.01 * bytes(model)) << "what clusters read goes through it";
}

std::string refused(const std::string& arguments) {
  const auto result = launch("run --chip edge " + arguments);
  EXPECT_NE(result.code, 0) << arguments;
  return result.err;
}

}  // namespace

TEST(NocRtl, CarriesARunOfOneCluster) { expect_same_tokens("--chip edge", 1000); }

TEST(NocRtl, CarriesARunOfSeveralClustersAndInterleavedMemory) {
  expect_same_tokens(
      "--chip reference --set clusters.count=3 --set hbm.ports=2 --set \"noc.link_width=16 B\"", 2000);
}

TEST(NocRtl, AnInterconnectMayDecodeTheChipsAddressesItself) {
  const Scratch scratch;
  const std::string rtl = FORERUN_SOURCE_DIR "/ip/noc/rtl/";
  // The crossbar with the address map of a chip of one cluster and one memory port inside, and packed arrays
  // as ports.
  std::string text;
  std::getline(std::ifstream(rtl + "axi_crossbar.sv"), text, '\0');
  for (const std::string channel : {"aw", "ar"}) {
    const auto address = "s_" + channel + "addr[s]", by_number = address + "[ADDRESS-1:TARGET]";
    ASSERT_NE(text.find(by_number), std::string::npos);
    text.replace(text.find(by_number), by_number.size(),
                 address + " >= 64'h100_0000_0000 ? 16'd2 : " + address + " >= 64'h8000_0000 && " + address +
                     " < 64'h1_0000_0000 ? 16'd0 : 16'd1");
  }
  std::ofstream(scratch.file("mapped.sv")) << text;
  std::ofstream(scratch.file("pins.yaml"))
      << "idle: idle\nnoc: {addresses: chip}\nparameters: {S: 2, M: 3, DATA: 128}\ninterfaces:\n"
         "  s: {protocol: axi4, role: subordinate, count: 2, prefix: s_, suffix: \"[{n}]\"}\n"
         "  m: {protocol: axi4, role: manager, count: 3, prefix: m_, suffix: \"[{n}]\"}\n";
  std::string sources;
  for (const std::string file : {"stage", "queue", "arbiter", "choice", "orders", "refusal"})
    sources += " " + rtl + "axi_" + file + ".sv";
  const auto made = launch("rtl --top axi_crossbar --pins " + scratch.file("pins.yaml") + " -o " +
                           scratch.file("noc.so") + sources + " " + scratch.file("mapped.sv"));
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("m2: AXI4 manager, 128 bits of data, 64 of address, 5 of ID"));
  const auto model = run("--chip edge"),
             with = run("--chip edge --set noc.model=rtl --set rtl.noc=" + scratch.file("noc.so"));
  EXPECT_EQ(with.ids, model.ids);
  EXPECT_EQ(with.report["rtl"][0]["broken_axi_rules"], 0);
  // With a wrong map inside, what comes out is noticed.
  text.replace(text.find("16'd2 :"), 7, "16'd1 :");
  std::ofstream(scratch.file("mapped.sv")) << text;
  ASSERT_EQ(launch("rtl --top axi_crossbar --pins " + scratch.file("pins.yaml") + " -o " +
                   scratch.file("noc.so") + sources + " " + scratch.file("mapped.sv"))
                .code,
            0);
  EXPECT_THAT(refused("--prompt We --steps 1 --set noc.model=rtl --set rtl.noc=" + scratch.file("noc.so")),
              HasSubstr("came out at manager port 1, expected 2 (hbm0.port0)"));
}

TEST(NocRtl, AModuleWithoutThePortsIsRefused) {
  const Scratch scratch;
  const auto made = launch(
      "rtl --top axi_memory_2001 --pins " FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/memory.yaml -o " +
      scratch.file("memory.so") + " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(refused("--set noc.model=rtl --set rtl.noc=" + scratch.file("memory.so")),
              HasSubstr("1 subordinate and 0 manager ports, but the chip has 2 initiators (control, "
                        "cluster0) and 3 targets "
                        "(sram, cluster0, hbm0.port0)"));
}

TEST(NocRtl, IsRefusedWhereItCannotBe) {
  EXPECT_THAT(refused("--set noc.model=rtl --data none"),
              HasSubstr("noc.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set noc.model=rtl --set timing=loose"),
              HasSubstr("noc.model is rtl, which needs timing: approximate"));
  EXPECT_THAT(refused("--set rtl.noc=x.so"), HasSubstr("noc.model is packet, expected rtl"));
  EXPECT_THAT(refused("--set noc.model=rtl --set rtl.noc=nowhere.so"),
              HasSubstr("rtl.noc is nowhere.so, which is no file"));
}
