// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of DMA engines and of memory.
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
  ran.report = report_of("--prompt We " + arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  return ran;
}

constexpr const char* folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/";

void expect_same_tokens(const std::string& chip, const std::string& rtl, const std::string& name,
                        unsigned instances) {
  const auto model = run(chip), with = run(chip + rtl);
  EXPECT_EQ(with.ids, model.ids);
  ASSERT_EQ(with.report["rtl"].size(), 1u);
  const auto& use = with.report["rtl"][0];
  EXPECT_EQ(use["name"], name);
  EXPECT_EQ(use["instances"], instances);
  EXPECT_GT(use["commands"], 50);
  EXPECT_GT(use["cycles"], 10'000);
  EXPECT_EQ(use["broken_axi_rules"], 0);
  EXPECT_TRUE(use["left_to_the_model"].empty());
}

}  // namespace

TEST(DmaRtl, GivesTokensOfTheModel) {
  expect_same_tokens("--chip edge --steps 2", " --set clusters.dma.model=rtl", "dma", 2);
}

TEST(DmaRtl, GivesTokensOfTheModelOnManyClustersAndInterleavedMemory) {
  expect_same_tokens("--chip reference --set clusters.count=2 --set hbm.ports=2 --steps 1",
                     " --set clusters.dma.model=rtl", "dma", 4);
}

TEST(DmaRtl, AnEngineOfAnotherStyleSaysWhatItLeavesToTheModel) {
  const Scratch scratch;
  const auto made = launch("rtl --top plain_dma --pins " + std::string(folder) + "plain_dma.yaml -o " +
                           scratch.file("dma.so") + " " + folder + "plain_dma.v");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("DMA engine: told by ports, a row at a time, aligned to 8 bytes"));
  const auto model = run("--chip edge --steps 1");
  const auto with =
      run("--chip edge --steps 1 --set clusters.dma.model=rtl --set rtl.dma=" + scratch.file("dma.so"));
  EXPECT_EQ(with.ids, model.ids);
  const auto& use = with.report["rtl"][0];
  EXPECT_GT(use["commands"], 100);
  EXPECT_EQ(use["broken_axi_rules"], 0);
}

TEST(DmaRtl, IsRefusedWhereItCannotBe) {
  const auto refused = [](const std::string& arguments) {
    const auto result = launch("run --chip edge " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(refused("--set clusters.dma.model=rtl --data none"),
              HasSubstr("clusters.dma.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set rtl.dma=x.so"), HasSubstr("rtl.dma is"));
  EXPECT_THAT(refused("--set clusters.dma.model=rtl --set rtl.dma=nowhere.so"),
              HasSubstr("nowhere.so: cannot be loaded"));
}

namespace {

/// The chip with an HBM of 16 MiB, and Verilog-2001 memory of so many address bits behind each port.
void expect_memory_holds_a_run(const std::string& chip, unsigned address_bits, unsigned ports) {
  const Scratch scratch;
  const auto made =
      launch("rtl --top axi_memory_2001 --pins " + std::string(folder) +
             "memory.yaml --parameter ADDRESS_BITS=" + std::to_string(address_bits) + " -o " +
             scratch.file("memory.so") + " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  const auto model = run(chip), with = run(chip + " --set rtl.hbm=" + scratch.file("memory.so"));
  EXPECT_EQ(with.ids, model.ids);
  ASSERT_EQ(with.report["rtl"].size(), ports);
  for (unsigned i = 0; i < ports; ++i) {
    const auto& use = with.report["rtl"][i];
    EXPECT_EQ(use["name"], "hbm0.port" + std::to_string(i));
    EXPECT_GT(use["commands"], 500);
    EXPECT_EQ(use["broken_axi_rules"], 0);
  }
  const auto bytes = [](const Ran& ran) { return ran.report["phases"][0]["hbm_bytes_read"].get<double>(); };
  EXPECT_NEAR(bytes(with), bytes(model), 0.01 * bytes(model));
}

}  // namespace

TEST(HbmRtl, AMemoryBehindTheOnePortGivesTokensOfTheModel) {
  expect_memory_holds_a_run("--chip edge --set hbm.rows=128 --steps 1", 24, 1);
}

TEST(HbmRtl, MemoriesBehindInterleavedPortsGiveTokensOfTheModel) {
  expect_memory_holds_a_run("--chip edge --set hbm.rows=128 --set hbm.ports=2 --steps 1", 23, 2);
}

TEST(HbmRtl, IsRefusedWhereItCannotBe) {
  const Scratch scratch;
  const auto made =
      launch("rtl --top axi_memory_2001 --pins " + std::string(folder) + "memory.yaml -o " +
             scratch.file("memory.so") + " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  const auto refused = [&](const std::string& arguments) {
    const auto result =
        launch("run --chip edge --set rtl.hbm=" + scratch.file("memory.so") + " " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(refused(""),
              HasSubstr("its address bus of 20 bits reaches 1048576 bytes, but each port has 8589934592"));
  EXPECT_THAT(refused("--data none"), HasSubstr("which needs data: real"));
  EXPECT_THAT(refused("--set timing=loose"), HasSubstr("which needs timing: approximate"));
}
