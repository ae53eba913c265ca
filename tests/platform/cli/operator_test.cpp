// SPDX-License-Identifier: Apache-2.0
// Single operators in the place of a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

constexpr const char* on_link = " --chip edge --set devices=3 --set link.topology=fully_connected ";

double seconds(const nlohmann::json& report) { return report["phases"][0]["seconds"]; }
std::uint64_t cycles(const nlohmann::json& report) { return report["phases"][0]["cluster_cycles"]; }

}  // namespace

TEST(Gemm, IsTheGoldenProduct) {
  // Blocks of C in both directions, ends of slices and blocks, clusters without work.
  for (const std::string work :
       {"--gemm 70x300x200 --dtype fp16 --chip edge --set 'clusters.scratchpad.size=64 KiB'",
        "--gemm 1x515x33 --dtype bf16", "--gemm 9x40x7 --dtype fp32 --chip edge",
        "--gemm 130x1000x520 --dtype int8 --chip four-arrays",
        "--gemm 5x70x30x40 --dtype fp16 --chip four-arrays --set 'clusters.scratchpad.size=64 KiB'",
        "--gemm 3x9x40x7 --dtype fp32 --chip edge"}) {
    const auto result = launch("run " + work);
    EXPECT_EQ(result.code, 0) << work << result.err;
    EXPECT_THAT(result.out, HasSubstr("C is the golden product, bit for bit")) << work;
  }
}

TEST(Gemm, IsTheGoldenProductWithBThatStays) {
  // Several products of a cluster and one, rows that do not divide, wide arrays that take B by columns, no
  // conversion.
  for (const std::string work :
       {"--gemm 7x200x48x90 --dtype fp16 --chip edge", "--gemm 9x200x90x60 --dtype int8",
        "--gemm 40x300x90x60 --dtype bf16", "--gemm 40x300x90x60 --dtype fp32",
        "--gemm 900x40x520 --dtype bf16 --chip edge --set 'clusters.scratchpad.size=256 KiB'"}) {
    const auto result = launch("run " + work);
    EXPECT_EQ(result.code, 0) << work << result.err;
    EXPECT_THAT(result.out, HasSubstr("C is the golden product, bit for bit")) << work;
  }
}

TEST(Gemm, IsTheGoldenProductWithASentToAllClustersAtOnce) {
  // Slices of one block; blocks of rows, with a rest; fewer rows than clusters; B that stays, and that is
  // turned around; a crossbar; routers flit by flit.
  const std::string window = " --set 'noc.multicast={everyone: all}'";
  for (const std::string& work :
       {"--gemm 150x600x520 --dtype bf16" + window,
        "--gemm 150x1000x520 --dtype fp16 --set 'clusters.scratchpad.size=64 KiB'" + window,
        "--gemm 7x3000x256 --dtype fp32" + window,
        "--gemm 300x500x480 --dtype fp16 --set 'clusters.scratchpad.size=128 KiB'" + window,
        "--gemm 600x256x256 --dtype bf16 --set 'clusters.scratchpad.size=192 KiB'" + window,
        "--gemm 150x600x520 --dtype fp32 --set noc.topology=crossbar" + window,
        "--gemm 70x300x256 --dtype bf16 --set noc.model=flit --set noc.multicast_buffer=4KiB" + window}) {
    const auto result = launch("run " + work);
    EXPECT_EQ(result.code, 0) << work << result.err;
    EXPECT_THAT(result.out, HasSubstr("C is the golden product, bit for bit")) << work;
    EXPECT_THAT(result.out, HasSubstr("\nshare ")) << work;
  }
}

TEST(Gemm, ReadsWhatItSendsToAllClustersOnce) {
  const std::string work =
      "--gemm 256x1024x2048 --dtype bf16 --data none --set 'noc.multicast={everyone: all}'";
  const auto report = report_of(work), alone = report_of("--gemm 256x1024x2048 --dtype bf16 --data none");
  const double a = 256 * 1024 * 2, b = 1024 * 2048 * 2;
  const auto& read = report["phases"][0]["hbm_bytes_read"];
  EXPECT_GE(read, a + b);
  EXPECT_LE(read, 1.1 * (a + b));
  EXPECT_GE(alone["phases"][0]["hbm_bytes_read"], 16 * a + b);
  EXPECT_LT(seconds(report), 0.8 * seconds(alone));
}

TEST(Gemm, MovesSmallProductsOnce) {
  const double operands = 64.0 * (512 * 64 + 64 * 512) * 2, results = 64.0 * 512 * 512 * 2;
  const auto report = report_of("--gemm 64x512x64x512 --dtype fp16 --data none");
  const auto& phase = report["phases"][0];
  EXPECT_NEAR(phase["hbm_bytes_written"], results, 1000);
  EXPECT_GE(phase["hbm_bytes_read"], operands);
  EXPECT_LE(phase["hbm_bytes_read"], 1.1 * operands);  // commands are read, too
}

TEST(Gemm, ReadsBFromPortsOfItsOwn) {
  const auto report = report_of("--gemm 32x4096x8192 --dtype bf16 --data none");
  EXPECT_GT(report["phases"][0]["hbm_fraction_of_peak"], 0.7);
}

TEST(Gemm, KeepsWideArraysBusyWithNarrowProducts) {
  // 32 columns for two arrays of 64 side by side: by rows three of four columns would stand idle.
  const auto report = report_of("--gemm 16x2048x512x32 --dtype bf16 --data none");
  const double at_peak = 2048.0 * 512 * 32 / (2 * 64 * 64) / 1.25e9;
  EXPECT_LT(report["operators"][1]["tensor_seconds"], 3 * at_peak);
}

TEST(Gemm, TakesTheSameTimeWithoutData) {
  const std::string work = "--gemm 64x512x1024 --dtype bf16 --chip four-arrays";
  auto with = report_of(work), without = report_of(work + " --data none");
  EXPECT_EQ(with["phase"], "operator");
  EXPECT_EQ(with["phases"][0]["operations"], 2.0 * 64 * 512 * 1024);
  with.erase("data"), without.erase("data");
  EXPECT_EQ(with, without);
}

TEST(Gemm, RefusesWhatIsNone) {
  for (const std::string shape :
       {"512x512", "0x1x1", "1x2x3x", "1x2x3000000", "axbxc", "-1x2x3", "1x2x3x4x5", "0x1x1x1"}) {
    const auto result = launch("run --chip edge --gemm=" + shape);
    EXPECT_EQ(result.code, 2) << shape;
    EXPECT_THAT(result.err, HasSubstr("expected MxKxN, three whole numbers")) << shape;
  }
  for (const std::string option :
       {"--prompt a", "--seed 3", "--model orator-2m", "--record cluster0=x", "--native", "--explain",
        "--step-timeout 5", "--page-positions 3", "--allow-broken-rules"}) {
    const auto together = launch("run --chip edge --gemm 2x2x2 " + option);
    EXPECT_EQ(together.code, 2) << option;
    EXPECT_THAT(together.err, HasSubstr("--gemm is a workload of its own, with which " +
                                        option.substr(0, option.find(' ')) + " does not go"));
  }
}

TEST(Gemm, IsSharedBetweenDevices) {
  // Equal and unequal parts, blocks in both directions, B that stays, clusters without work.
  for (const std::string work :
       {"--gemm 70x300x200 --dtype fp16 --set devices=2 --set 'clusters.scratchpad.size=64 KiB'",
        "--gemm 9x40x90 --dtype fp32 --set devices=4 --set clusters.count=2 --set link.topology=torus",
        "--gemm 130x100x520 --dtype int8 --set devices=3 --set clusters.count=4",
        "--gemm 7x20x48x90 --dtype fp16 --set devices=2 --set clusters.count=2",
        "--gemm 5x30x300x60 --dtype bf16 --set devices=3 --set link.topology=switched"}) {
    for (const std::string gather : {"", " --gather"}) {
      const auto result = launch("run --chip edge " + work + gather);
      EXPECT_EQ(result.code, 0) << work << gather << result.err;
      const bool several = work.find("--gemm 7x") == 0 || work.find("--gemm 5x") == 0;
      EXPECT_THAT(result.out, HasSubstr(!gather.empty() ? "device 1: C is the golden product, bit for bit"
                                        : several       ? "are golden products, bit for bit"
                                                        : " of C are the golden product, bit for bit"))
          << work << gather;
    }
  }
}

TEST(Gemm, OfSeveralDevicesMovesItsShare) {
  const std::string work = "--gemm 64x512x1024 --dtype fp16 --chip edge --data none ";
  const auto one = report_of(work), four = report_of(work + "--set devices=4"),
             gathered = report_of(work + "--set devices=4 --gather");
  EXPECT_LT(2 * cycles(four), cycles(one));
  EXPECT_EQ(four["phases"][0]["operations"], 2.0 * 64 * 512 * 256) << "of the first device";
  std::uint64_t bytes = 0;
  for (const auto& link : gathered["devices"]["links"]) bytes += link["bytes"].get<std::uint64_t>();
  EXPECT_GT(bytes, 3 * 64 * 1024 * 2u) << "each element of C to the three others";
  for (const auto& link : four["devices"]["links"]) EXPECT_EQ(link["messages"], 0);
  EXPECT_GT(gathered["phases"][0]["hbm_bytes_written"], four["phases"][0]["hbm_bytes_written"]);
}

TEST(Gemm, OfOneDeviceTakesAsLongAsThatOfAll) {
  const std::string work = "--gemm 64x512x1024 --chip edge --data none --set devices=4";
  EXPECT_EQ(cycles(report_of(work)), cycles(report_of(work + " --symmetric")));
}

TEST(Gemm, TakesTheSameTimeWithoutDataOnSeveralDevices) {
  const std::string work = "--gemm 64x100x200 --chip edge --set devices=3 --gather";
  auto with = report_of(work), without = report_of(work + " --data none");
  with.erase("data"), without.erase("data");
  EXPECT_EQ(with, without);
}

TEST(Gemm, RefusesDevicesThatItIsNotFor) {
  const auto problem = [](const std::string& arguments) {
    const auto result = launch("run --chip edge --data none " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(problem("--gemm 4x4x16 --set devices=2"), HasSubstr("a device takes 16 columns at least"));
  EXPECT_THAT(problem("--gemm 2x4x4x16 --set devices=3"), HasSubstr("a device takes one product at least"));
  EXPECT_THAT(problem("--gemm 4x4x64 --gather"), HasSubstr("--gather is between several devices"));
  EXPECT_THAT(problem("--gelu 4x4 --gather"), HasSubstr("--gather goes with --gemm"));
  EXPECT_THAT(problem("--gemm 4x4x64 --set devices=2 --gather --symmetric"),
              HasSubstr("none stands for all"));
  EXPECT_THAT(problem("--gemm 4x4x48 --set devices=2 --symmetric"), HasSubstr("in equal parts"));
}

TEST(RowOperator, IsThatOfDoublePrecision) {
  // Fewer rows than clusters, blocks and their ends, two rows at a time, all formats.
  for (const std::string work :
       {"--softmax 70x33 --chip edge", "--softmax 3x5000 --dtype bf16",
        "--softmax 9x9000 --dtype fp32 --chip edge --set 'clusters.scratchpad.size=128 KiB'",
        "--layernorm 100x515 --dtype bf16", "--layernorm 301x64 --dtype fp32 --chip edge",
        "--layernorm 17x1 --chip edge", "--gelu 77x99 --dtype fp32",
        "--gelu 1x300 --dtype fp16 --chip edge"}) {
    const auto result = launch("run " + work);
    EXPECT_EQ(result.code, 0) << work << result.err;
    EXPECT_THAT(result.out, HasSubstr("results are within rounding of double precision")) << work;
  }
}

TEST(RowOperator, OverlapsLoadsAndStores) {
  for (const std::string work : {"--softmax 4096x1024", "--layernorm 4096x1024", "--gelu 4096x1024"}) {
    const auto report = report_of(work + " --dtype fp16 --data none");
    const auto& phase = report["phases"][0];
    const double bytes = 2.0 * 4096 * 1024 * 2;
    EXPECT_NEAR(phase["hbm_bytes_read"].get<double>() + phase["hbm_bytes_written"].get<double>(), bytes,
                0.02 * bytes)
        << work;
    EXPECT_GT(report["engines"][0]["busy"].get<double>() + report["engines"][1]["busy"].get<double>(), 1.2)
        << work;
  }
}

TEST(RowOperator, TakesTheSameTimeWithoutData) {
  for (const std::string work : {"--softmax 300x200", "--layernorm 300x200", "--gelu 300x200"}) {
    auto with = report_of(work + " --chip edge"), without = report_of(work + " --chip edge --data none");
    with.erase("data"), without.erase("data");
    EXPECT_EQ(with, without) << work;
  }
}

TEST(RowOperator, RefusesWhatIsNone) {
  for (const std::string shape : {"512", "0x1", "1x2x3", "1x3000000", "axb", "-1x2"}) {
    const auto result = launch("run --chip edge --softmax='" + shape + "'");
    EXPECT_EQ(result.code, 2) << shape;
    EXPECT_THAT(result.err, HasSubstr("expected ROWSxCOLUMNS, two whole numbers")) << shape;
  }
  const auto format = launch("run --chip edge --gelu 4x4 --dtype int8");
  EXPECT_EQ(format.code, 1);
  EXPECT_THAT(format.err, HasSubstr("GELU is made in fp32, fp16 or bf16"));
  const auto wide = launch("run --chip edge --layernorm 2x300000 --data none");
  EXPECT_EQ(wide.code, 1);
  EXPECT_THAT(wide.err,
              HasSubstr("layernorm 2x300000 needs two rows of 600000 bytes beside weights and biases"));
  const auto both = launch("run --chip edge --gelu 4x4 --softmax 4x4");
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("--softmax and --gelu are a workload each"));
  const auto devices = launch("run --chip edge --gelu 4x4 --set devices=2");
  EXPECT_EQ(devices.code, 2);
  EXPECT_THAT(devices.err, HasSubstr("--gelu is for one device"));
}

TEST(SingleOperator, IsLaunchedWhereTheChipLaunches) {
  for (const std::string work : {"--gemm 32x64x64", "--gelu 32x64"}) {
    const auto without = report_of(work + " --chip edge --data none");
    const auto with = report_of(work + " --chip edge --data none --set 'clusters.command.launch=50 us'");
    EXPECT_NEAR(seconds(with) - seconds(without), 50e-6, 1e-6) << work;
  }
}

TEST(AllReduce, IsTheSumInTheOrderOfTheDevices) {
  // One chunk and many, ends that are no whole pieces, fewer pieces than clusters, all kinds of links.
  for (const std::string work :
       {"--all-reduce '200 KiB' --chip edge --set devices=4", "--all-reduce 4B --chip edge --set devices=2",
        "--all-reduce 1012B --chip edge --set devices=3 --set link.topology=switched",
        "--all-reduce '100 kB' --chip edge --set devices=4 --set link.topology=torus --set "
        "'clusters.scratchpad.size=64 KiB'",
        "--all-reduce '70 KiB' --chip edge --set devices=3 --set link.topology=fully_connected --set "
        "timing=loose"}) {
    const auto result = launch("run " + work);
    EXPECT_EQ(result.code, 0) << work << result.err;
    EXPECT_THAT(result.out, HasSubstr("sums are those in the order of the devices, bit for bit")) << work;
  }
}

TEST(AllReduce, TakesTheSameTimeWithoutData) {
  const std::string work = "--all-reduce '300 KiB'" + std::string(on_link);
  auto with = report_of(work), without = report_of(work + "--data none");
  with.erase("data"), without.erase("data");
  EXPECT_EQ(with, without);
}

TEST(AllReduce, OfOneDeviceTakesAsLongAsThatOfAll) {
  for (const std::string topology : {"ring", "switched", "fully_connected", "torus"}) {
    const auto work =
        "--all-reduce '300 KiB' --chip edge --data none --set devices=4 --set link.topology=" + topology;
    EXPECT_EQ(cycles(report_of(work)), cycles(report_of(work + " --symmetric"))) << topology;
  }
}

TEST(AllReduce, UsesTheLinks) {
  // Each device sends 2/3 of the vector twice over two links; a third of the links' time may go to latencies.
  const auto report =
      report_of("--all-reduce '2 MiB' --data none --set 'link.bandwidth=2 GB/s'" + std::string(on_link));
  EXPECT_LT(seconds(report), 1.5 * (2.0 / 3 * (2 << 20)) / 2e9);
}

TEST(AllReduce, RefusesWhatIsNone) {
  for (const std::string size : {"12", "0B", "6B", "1 GHz", "-4B"}) {
    const auto result = launch("run --all-reduce='" + size + "'" + on_link);
    EXPECT_EQ(result.code, 2) << size;
    EXPECT_THAT(result.err, HasSubstr("expected an amount of memory in whole binary32")) << size;
  }
  const auto alone = launch("run --all-reduce 64KiB --chip edge");
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.err, HasSubstr("--all-reduce is between several devices"));
  const auto format = launch("run --all-reduce 64KiB --dtype fp16" + std::string(on_link));
  EXPECT_EQ(format.code, 2);
  EXPECT_THAT(format.err, HasSubstr("--all-reduce adds binary32"));
  const auto symmetric = launch("run --all-reduce 64KiB --symmetric" + std::string(on_link));
  EXPECT_EQ(symmetric.code, 2);
  EXPECT_THAT(symmetric.err, HasSubstr("--symmetric needs --data none"));
}
