// SPDX-License-Identifier: Apache-2.0
// Command streams on the clusters of a whole chip: started over the bus, fed from HBM, ended by interrupts.
#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <set>

#include "firmware/abi/registers.h"
#include "models/compiler/stream.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using models::StreamBuilder;
using testing::HasSubstr;

constexpr unsigned elements = 3000;  // not a multiple of any burst or piece
constexpr std::uint32_t bytes = elements * sizeof(float);
/// What cluster i works on: parameters, stream, input and output, 64 KiB for each cluster.
constexpr std::uint64_t stride = 0x1'0000, stream_offset = 0x1000, in_offset = 0x2040, out_offset = 0x8100;

std::uint64_t area(unsigned cluster, std::uint64_t base = map::hbm) { return base + cluster * stride; }

fr_copy copy(std::uint64_t global, std::uint32_t local) {
  fr_copy c{};
  c.global = global;
  c.local = local;
  c.bytes = bytes;
  c.size1 = c.size2 = c.size3 = 1;
  return c;
}

/// out = in * factor + 1
StreamBuilder scale_stream(std::uint64_t in, std::uint64_t out, float factor) {
  StreamBuilder s;
  s.add(FR_OP_LOAD, copy(in, 0), {{}, {{0, 1}}});
  fr_vector v{};
  v.op = FR_VECTOR_AFFINE;
  v.rows = 1, v.cols = elements;
  v.d = 0x4000;
  v.arg0 = std::bit_cast<std::uint32_t>(factor);
  v.arg1 = std::bit_cast<std::uint32_t>(1.0F);
  s.add(FR_OP_VECTOR, v, {{{0, 1}}, {{1, 1}}});
  s.add(FR_OP_STORE, copy(out, 0x4000), {{{1, 1}}, {}});
  s.add(FR_OP_END);
  return s;
}

std::vector<std::uint8_t> as_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> result(values.size() * sizeof(float));
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}

std::vector<float> input(unsigned cluster) {
  std::vector<float> values(elements);
  for (unsigned i = 0; i < elements; ++i) values[i] = static_cast<float>((i * 7 + cluster * 13) % 1000);
  return values;
}

std::vector<float> output(Soc& soc, std::uint64_t at) {
  std::vector<std::uint8_t> raw(bytes);
  soc.read(at + out_offset, raw);
  std::vector<float> values(elements);
  std::memcpy(values.data(), raw.data(), bytes);
  return values;
}

void expect_scaled(Soc& soc, unsigned cluster, std::uint64_t at) {
  auto expected = input(cluster);
  for (auto& v : expected) v = v * static_cast<float>(cluster + 2) + 1;
  EXPECT_EQ(output(soc, at), expected) << "cluster " << cluster;
}

/// Puts a cluster's stream and input into memory.
void load_work(Soc& soc, unsigned cluster, std::uint64_t at) {
  const auto stream = scale_stream(at + in_offset, at + out_offset, static_cast<float>(cluster + 2)).bytes();
  soc.write(at + stream_offset, stream);
  soc.write(at + in_offset, as_bytes(input(cluster)));
}

void start(Bench& b, unsigned cluster, std::uint64_t at) {
  const auto registers = map::cluster_registers(cluster);
  const auto length = scale_stream(0, 0, 0).bytes().size();
  b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM, at + stream_offset);
  b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM_BYTES, length);
  b.put<std::uint64_t>(registers + FR_CLUSTER_PARAMETERS, at);
  b.put(registers + FR_CLUSTER_INTERRUPT_ENABLE, FR_CLUSTER_INTERRUPT_DONE | FR_CLUSTER_INTERRUPT_ERROR);
  b.put(registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START);
}

/// Starts every cluster, then serves their interrupts until each has come once.
void run_all_clusters(Bench& b) {
  constexpr std::uint64_t claim = map::plic + 0x20'0004;
  const auto count = static_cast<unsigned>(b.soc.clusters.size());
  for (unsigned i = 0; i < count; ++i) {
    const auto source = map::cluster_interrupt(i);
    b.put(map::plic + 4 * source, 1);
    const auto word = map::plic + 0x2000 + source / 32 * 4;
    b.put(word, b.get(word) | 1u << source % 32);
  }
  for (unsigned i = 0; i < count; ++i) start(b, i, area(i));
  std::set<unsigned> done;
  while (done.size() < count) {
    while (!b.soc.plic.machine.level()) sc_core::wait(50, sc_core::SC_NS);
    const auto source = b.get(claim);
    ASSERT_GE(source, map::first_cluster_interrupt);
    const auto cluster = source - map::first_cluster_interrupt;
    const auto registers = map::cluster_registers(cluster);
    EXPECT_TRUE(done.insert(cluster).second) << "cluster " << cluster << " interrupted twice";
    EXPECT_EQ(b.get(registers + FR_CLUSTER_STATUS), FR_CLUSTER_STATUS_DONE) << "cluster " << cluster;
    b.put(registers + FR_CLUSTER_INTERRUPT_STATUS, FR_CLUSTER_INTERRUPT_DONE);
    b.put(claim, source);
  }
  EXPECT_FALSE(b.soc.plic.machine.level());
}

void expect_all_done(Bench& bench) {
  ASSERT_TRUE(bench.finished) << bench.name() << "\n" << bench.soc.describe_stall();
  for (unsigned i = 0; i < bench.soc.clusters.size(); ++i) expect_scaled(bench.soc, i, area(i));
  EXPECT_EQ(bench.soc.describe_stall(), "");
}

void load_all(Bench& bench) {
  for (unsigned i = 0; i < bench.soc.clusters.size(); ++i) load_work(bench.soc, i, area(i));
}

struct Shape {
  const char* name;
  unsigned clusters, stacks, ports;
  std::uint64_t interleave, burst;
  chip::Timing timing;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class SocStreams : public testing::TestWithParam<Shape> {};

TEST_P(SocStreams, EveryClusterTransformsItsOwnPieceOfHbm) {
  const auto& shape = GetParam();
  auto chip = small_chip(shape.clusters);
  chip.timing = shape.timing;
  chip.hbm.stacks = shape.stacks;
  chip.hbm.ports = shape.ports;
  chip.hbm.interleave = {shape.interleave};
  chip.hbm.row_bytes = {std::max<std::uint64_t>(1024, shape.interleave)};
  chip.clusters.dma.burst = {shape.burst};
  Bench bench("bench", chip, run_all_clusters);
  load_all(bench);
  sc_core::sc_start(1, sc_core::SC_MS);
  expect_all_done(bench);
  std::uint64_t read = 0;
  for (const auto& stack : bench.soc.hbm) {
    EXPECT_GT(stack->bytes_read.value(), 0u) << stack->name();
    EXPECT_GT(stack->bytes_written.value(), 0u) << stack->name();
    read += stack->bytes_read.value();
  }
  EXPECT_GE(read, std::uint64_t{shape.clusters} * bytes);
}

constexpr auto approximate = chip::Timing::approximate, loose = chip::Timing::loose;
INSTANTIATE_TEST_SUITE_P(Shapes, SocStreams,
                         testing::Values(Shape{"edge", 1, 1, 1, 256, 256, approximate},
                                         Shape{"small", 4, 1, 4, 256, 256, approximate},
                                         Shape{"two_stacks", 4, 2, 4, 256, 128, approximate},
                                         Shape{"three_stacks", 4, 3, 2, 512, 256, approximate},
                                         Shape{"coarse", 4, 2, 4, 4096, 1024, approximate},
                                         Shape{"sixteen", 16, 2, 8, 256, 256, approximate},
                                         Shape{"loose_edge", 1, 1, 1, 256, 256, loose},
                                         Shape{"loose_coarse", 4, 2, 4, 1024, 256, loose}),
                         [](const auto& shape) { return std::string(shape.param.name); });

TEST(SocModes, TimeDoesNotDependOnTheDataMode) {
  auto chip = small_chip(4);
  Bench real("real", chip, run_all_clusters);
  chip.data = chip::Data::none;
  Bench none("none", chip, run_all_clusters);
  load_all(real);
  load_all(none);
  sc_core::sc_start(1, sc_core::SC_MS);
  expect_all_done(real);
  ASSERT_TRUE(none.finished);
  EXPECT_EQ(output(none.soc, area(0)), std::vector<float>(elements)) << "no result is computed without data";
  // Each number that tells of time or traffic, in every block.
  const auto& a = real.soc.statistics();
  const auto& b = none.soc.statistics();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].value(), b[i].value()) << a[i].name;
  for (unsigned i = 0; i < 4; ++i) {
    const auto cycles = [&](Soc& soc) {
      std::vector<std::uint8_t> raw(8);
      soc.read(map::cluster_registers(i) + FR_CLUSTER_CYCLES, raw);
      return raw;
    };
    EXPECT_EQ(cycles(real.soc), cycles(none.soc));
    EXPECT_NE(cycles(real.soc), std::vector<std::uint8_t>(8));
  }
}

TEST(SocModes, ContentionIsModelledInApproximateTiming) {
  // Sixteen clusters on one port of HBM take longer each than one cluster alone.
  const auto cycles = [](Bench& bench) {
    std::vector<std::uint8_t> raw(8);
    bench.soc.read(map::cluster_registers(0) + FR_CLUSTER_CYCLES, raw);
    std::uint64_t value = 0;
    std::memcpy(&value, raw.data(), 8);
    return value;
  };
  auto few = small_chip(1), many = small_chip(16);
  few.hbm.ports = many.hbm.ports = 1;
  few.noc.columns = many.noc.columns = 5;
  few.noc.rows = many.noc.rows = 5;
  Bench one("one", few, run_all_clusters), sixteen("sixteen", many, run_all_clusters);
  load_all(one);
  load_all(sixteen);
  sc_core::sc_start(1, sc_core::SC_MS);
  expect_all_done(one);
  expect_all_done(sixteen);
  EXPECT_GT(cycles(sixteen), cycles(one));
}

void sram_works_for_clusters(chip::Timing timing) {
  auto chip = small_chip(2);
  chip.timing = timing;
  const auto at = map::sram + 0x2'0000;
  Bench bench("bench", chip, [at](Bench& b) {
    start(b, 0, at);
    start(b, 1, at + stride);
    while (b.soc.clusters[0]->running() || b.soc.clusters[1]->running()) {
      b.put(map::sram, 5);  // the bus master goes on using it
      EXPECT_EQ(b.get(map::sram), 5u);
      sc_core::wait(20, sc_core::SC_NS);
    }
  });
  load_work(bench.soc, 0, at);
  load_work(bench.soc, 1, at + stride);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_TRUE(bench.finished);
  expect_scaled(bench.soc, 0, at);
  expect_scaled(bench.soc, 1, at + stride);
}

TEST(SocStreamsInSram, AreFetchedAndFedOverTheNoc) { sram_works_for_clusters(approximate); }
TEST(SocStreamsInSram, AreFetchedAndFedInLooseTiming) { sram_works_for_clusters(loose); }

TEST(SocErrors, AClusterThatReachesNowhereSaysWhere) {
  Bench bench("bench", small_chip(1), [](Bench& b) {
    const auto registers = map::cluster_registers(0);
    start(b, 0, area(0));
    while (!b.soc.clusters[0]->interrupt.level()) sc_core::wait(50, sc_core::SC_NS);
    EXPECT_EQ(b.get(registers + FR_CLUSTER_STATUS), FR_CLUSTER_STATUS_ERROR);
    EXPECT_EQ(b.get(registers + FR_CLUSTER_ERROR), FR_ERROR_BUS);
    EXPECT_EQ(b.get<std::uint64_t>(registers + FR_CLUSTER_ERROR_ADDRESS), map::uart)
        << "devices are not for clusters";
  });
  bench.soc.write(area(0) + stream_offset, scale_stream(map::uart, area(0), 1).bytes());
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
}

TEST(SocReset, AbandonsWorkUnderWayAndLetsItStartAgain) {
  Bench bench("bench", small_chip(2), [](Bench& b) {
    start(b, 0, area(0));
    start(b, 1, area(1));
    sc_core::wait(300, sc_core::SC_NS);
    EXPECT_TRUE(b.soc.clusters[0]->running());
    EXPECT_NE(b.soc.describe_stall(), "");
    b.put(map::sysctl + FR_SYSCTL_RESET, 1);
    EXPECT_FALSE(b.soc.clusters[0]->running());
    EXPECT_FALSE(b.soc.clusters[1]->running());
    EXPECT_EQ(b.soc.describe_stall().find("next command"), std::string::npos)
        << "packets may still be on their way";
    run_all_clusters(b);
    // One cluster held by its own reset line stays silent while the other works.
    b.put<std::uint64_t>(map::sysctl + FR_SYSCTL_CLUSTER_RESET, 1);
    start(b, 0, area(0));
    start(b, 1, area(1));
    EXPECT_FALSE(b.soc.clusters[0]->running());
    EXPECT_TRUE(b.soc.clusters[1]->running());
  });
  load_all(bench);
  sc_core::sc_start(1, sc_core::SC_MS);
  expect_all_done(bench);
}

TEST(SocStall, NamesTheClusterAndWhatItWaitsFor) {
  StreamBuilder s;
  s.add(FR_OP_TENSOR_NOP, {{{9, 3}}, {}});
  s.add(FR_OP_END);
  Bench bench("bench", small_chip(3), [&s](Bench& b) {
    const auto registers = map::cluster_registers(2);
    b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM, map::hbm);
    b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM_BYTES, s.bytes().size());
    b.put<std::uint64_t>(registers + FR_CLUSTER_PARAMETERS, map::hbm + 0x1000);
    b.put(registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START);
  });
  bench.soc.write(map::hbm, s.bytes());
  sc_core::sc_start(100, sc_core::SC_US);
  EXPECT_TRUE(bench.finished);
  EXPECT_THAT(bench.soc.describe_stall(), HasSubstr("cluster2"));
  EXPECT_THAT(bench.soc.describe_stall(), HasSubstr("tensor waits for semaphore 9 (holds 0, wants 3)"));
}

TEST(SocStreamsOnRtl, CommandProcessorsDoTheSame) {
  ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
  auto chip = small_chip(3);
  chip.clusters.command.model = chip::CommandModel::rtl;
  Bench bench("bench", chip, run_all_clusters);
  load_all(bench);
  sc_core::sc_start(1, sc_core::SC_MS);
  expect_all_done(bench);
}

TEST(SocStreamsOnRtl, AnErrorOfTheStreamIsReported) {
  ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
  auto chip = small_chip(1);
  chip.clusters.command.model = chip::CommandModel::rtl;
  Bench bench("bench", chip, [](Bench& b) {
    const auto registers = map::cluster_registers(0);
    for (int run = 0; run < 2; ++run) {  // the second one after a reset
      start(b, 0, area(0));
      sc_core::wait(5, sc_core::SC_US);
      EXPECT_EQ(b.get(registers + FR_CLUSTER_STATUS), FR_CLUSTER_STATUS_ERROR);
      EXPECT_EQ(b.get(registers + FR_CLUSTER_ERROR), FR_ERROR_OPCODE);
      EXPECT_EQ(b.get<std::uint64_t>(registers + FR_CLUSTER_ERROR_ADDRESS), 0x77u);
      b.put(registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_RESET);
    }
  });
  load_work(bench.soc, 0, area(0));
  const std::uint8_t bad[] = {0x77};
  bench.soc.write(area(0) + stream_offset, bad);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
}

}  // namespace
}  // namespace forerun::soc
