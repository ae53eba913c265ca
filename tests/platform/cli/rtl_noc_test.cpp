// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

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
              HasSubstr("nowhere.so: cannot be loaded"));
}
