// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of DMA engines.
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
