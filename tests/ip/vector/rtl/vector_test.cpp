// SPDX-License-Identifier: Apache-2.0
// The vector engine of ip/vector/rtl against the models, bit for bit and cycle for cycle.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "ip/vector/lockstep_lanes.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/pins_of.hpp"
#include "platform/rtl/vector.hpp"
#include "platform/rtl/verilate.hpp"
#include "tests/ip/vector/rtl/bench.hpp"

using namespace forerun;
using namespace forerun::ip;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

std::unique_ptr<RtlEngine> engine_of(const std::string& file) {
  const auto model = std::make_shared<const cosim::SharedModel>(file);
  return rtl::load_vector_engine(model, rtl::pin_map_of(*model));
}
RtlLanes make(const VectorShape& shape) {
  return RtlLanes(engine_of(rtl::verilated(rtl::vector_request(shape, rtl::Waves::none)).string()),
                  Frequency{1e9});
}
std::vector<unsigned> operations(const RtlLanes& lanes) {
  std::vector<unsigned> list;
  for (unsigned op = 0; op < 256; ++op)
    if (lanes.pins().operations[op]) list.push_back(op);
  return list;
}

/// Random commands of every operation; `stalled`: operands and results wait now and then.
void expect_equal(RtlLanes& lanes, const VectorShape& shape, unsigned commands_an_operation, bool stalled) {
  const auto cycles_before = lanes.statistics().cycles;
  Stimulus stimulus(shape.lanes + (stalled ? 1000 : 0));
  unsigned weight = 0;
  lanes.stalls = nullptr;
  if (stalled)
    lanes.stalls = [&] {
      unsigned held = 0;
      for (unsigned i = 0; i < 4; ++i) held |= stimulus.below(8) < weight ? 1u << i : 0;
      return held;
    };
  unsigned executed = 0;
  for (const auto op : operations(lanes))
    for (unsigned n = 0; n < commands_an_operation; ++n) {
      std::vector<unsigned char> memory(memory_bytes);
      const auto command = stimulus.command(op, shape.lanes, memory);
      ASSERT_FALSE(check_vector(command, memory.size()));
      auto model = memory;
      vector_operation(command, model);
      weight = stimulus.below(7);
      const auto cycles = lanes.begin(command, memory, 0);
      if (!cycles) {
        ASSERT_GT(command.cols, lanes.pins().most_columns) << lanes.why_not(command);
        continue;
      }
      ++executed;
      lanes.end(memory);
      const auto [m, r] = std::mismatch(model.begin(), model.end(), memory.begin());
      ASSERT_TRUE(m == model.end()) << lanes.describe() << ": byte " << std::hex << m - model.begin()
                                    << " is " << +*r << ", by the model " << +*m << ", command " << n;
      const auto cost = vector_cost(command);
      if (stalled) {
        ASSERT_GE(*cycles, vector_cycles(shape, cost));
        continue;
      }
      ASSERT_EQ(*cycles, vector_cycles(shape, cost)) << lanes.describe();
      ASSERT_EQ(lanes.result_cycles(), vector_result_cycles(shape, cost, vector_reduces(op)))
          << lanes.describe();
    }
  lanes.stalls = nullptr;
  EXPECT_GT(executed, operations(lanes).size() * commands_an_operation / 2);
  const std::string kind = stalled ? "stalled" : "free";
  testing::Test::RecordProperty("commands_" + kind, static_cast<int>(executed));
  testing::Test::RecordProperty("cycles_" + kind,
                                static_cast<int>(lanes.statistics().cycles - cycles_before));
}

constexpr VectorShape four{4, 12, 4, 16}, five{5, 2, 3, 9}, eight{8, 1, 1, 64}, many{70, 3, 64, 8};

void expect_equal(const VectorShape& shape, unsigned commands_an_operation) {
  auto lanes = make(shape);
  expect_equal(lanes, shape, commands_an_operation, false);
  expect_equal(lanes, shape, commands_an_operation / 2, true);
}

TEST(VectorRtl, FiveLanesInOddSizes) { expect_equal(five, 100); }
TEST(VectorRtl, EightLanesWithAUnitEach) { expect_equal(eight, 100); }
TEST(VectorRtl, MoreLanesThanPartialSums) { expect_equal(many, 20); }

/// Each pattern of 16 bits through operations of one source, and into each type.
void expect_equal_for_sixteen_bits(RtlLanes& lanes) {
  for (const unsigned type : {FR_TYPE_F16, FR_TYPE_BF16})
    for (const unsigned op :
         {FR_VECTOR_COPY, FR_VECTOR_EXP, FR_VECTOR_SQRT, FR_VECTOR_RSQRT, FR_VECTOR_RECIPROCAL,
          FR_VECTOR_SIGMOID, FR_VECTOR_SILU, FR_VECTOR_GELU_TANH, FR_VECTOR_RELU})
      for (const unsigned to :
           {FR_TYPE_F32, FR_TYPE_F16, FR_TYPE_BF16, FR_TYPE_I8, FR_TYPE_I32, FR_TYPE_U32}) {
        if (op != FR_VECTOR_COPY && to != FR_TYPE_F32) continue;
        std::vector<unsigned char> memory(0x60000);
        for (std::uint32_t i = 0; i < 0x10000; ++i) {
          const auto bits = static_cast<std::uint16_t>(i);
          std::memcpy(memory.data() + 2 * i, &bits, 2);
        }
        fr_vector c{};
        c.op = static_cast<std::uint8_t>(op), c.a_type = static_cast<std::uint8_t>(type);
        c.d_type = static_cast<std::uint8_t>(to), c.rows = 1, c.cols = 0x10000, c.d = 0x20000;
        auto model = memory;
        vector_operation(c, model);
        ASSERT_TRUE(lanes.begin(c, memory, 0));
        lanes.end(memory);
        ASSERT_TRUE(model == memory) << lanes.describe();
      }
}

void expect_reasons(RtlLanes& lanes) {
  std::vector<unsigned char> memory(memory_bytes);
  Stimulus stimulus(1);
  auto c = stimulus.command(FR_VECTOR_RMSNORM, 4, memory);
  c.cols = 4 * 16 + 1, c.a_type = FR_TYPE_F16;
  EXPECT_EQ(lanes.why_not(c), "rows of more than 64 columns in several passes");
  c.cols = 3, c.a_type = FR_TYPE_I4;
  EXPECT_EQ(lanes.why_not(c), "operands of type I4");
  c.op = FR_VECTOR_ERF;
  EXPECT_EQ(lanes.why_not(c), "ERF, which the RTL does not have");
  c = stimulus.command(FR_VECTOR_QUANTIZE, 4, memory);
  c.cols = 8, c.arg0 = 4;
  EXPECT_EQ(lanes.why_not(c), "QUANTIZE by groups of columns");
  c = stimulus.command(FR_VECTOR_COPY, 4, memory);
  c.rows = 2, c.d_type = c.a_type, c.d_stride = c.a_stride,
  c.d = c.a + static_cast<std::uint32_t>(c.a_stride);
  EXPECT_EQ(lanes.why_not(c), "results over operands of later rows");
  EXPECT_FALSE(lanes.begin(c, memory, 0));
  EXPECT_EQ(lanes.statistics().fall_backs.at("results over operands of later rows"), 1u);
}

// In one test, since each runs in a process of its own, and would make the model again beside the others.
TEST(VectorRtl, FourLanes) {
  auto lanes = make(four);
  expect_equal(lanes, four, 100, false);
  expect_equal(lanes, four, 50, true);
  expect_equal_for_sixteen_bits(lanes);
  expect_reasons(lanes);
}

/// Lockstep on an engine into one of whose sources a fault was planted.
LockstepDifference difference_with(const std::string& file, const std::string& sound,
                                   const std::string& faulty, unsigned op) {
  constexpr VectorShape two{2, 3, 2, 8};
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("forerun-planted-{}", ::getpid());
  std::filesystem::create_directories(folder);
  auto request = rtl::vector_request(two, rtl::Waves::fst);
  for (auto& source : request.sources)
    if (source.filename() == file) {
      auto text = rtl::read_text(source);
      const auto at = text.find(sound);
      EXPECT_NE(at, std::string::npos) << file << " no longer contains '" << sound << "'";
      text.replace(at, sound.size(), faulty);
      source = folder / file;
      rtl::write_text(source, text);
    }
  const auto model = rtl::verilated(request).string();
  const auto waving = [&](const std::string& wave) {
    const auto shared = std::make_shared<const cosim::SharedModel>(model);
    auto engine = rtl::load_vector_engine(shared, rtl::pin_map_of(*shared), wave);
    return engine;
  };
  LockstepLanes lockstep(engine_of(model), two, Frequency{1e9}, waving, (folder / "wave").string());
  unsigned called = 0;
  lockstep.on_difference = [&](const LockstepDifference&) { ++called; };
  Stimulus stimulus(7);
  for (unsigned n = 0; n < 500 && !lockstep.difference(); ++n) {
    std::vector<unsigned char> memory(memory_bytes);
    auto command = stimulus.command(op, 2, memory);
    command.header.tag = n;
    auto model_memory = memory;
    vector_operation(command, model_memory);
    if (!lockstep.begin(command, memory, 1000)) continue;
    lockstep.end(memory);
    EXPECT_EQ(memory, model_memory) << "the chip goes on with the models' results";
  }
  EXPECT_EQ(called, 1u);
  EXPECT_TRUE(std::filesystem::exists(folder / "wave.fst"));
  std::filesystem::remove_all(folder);
  return lockstep.difference().value_or(LockstepDifference{});
}

TEST(VectorLockstep, FindsAPlantedRounding) {
  const auto found =
      difference_with("vector_float.sv", "v[38] & (v[39] | below | v[37:0] != 0)", "v[38]", FR_VECTOR_ADD);
  EXPECT_THAT(found.command, HasSubstr("ADD "));
  EXPECT_THAT(found.what,
              testing::MatchesRegex("d\\[[0-9]+\\]\\[[0-9]+\\] is [0-9a-f]+, by the model [0-9a-f]+"));
  EXPECT_EQ(found.picoseconds, 1000 + static_cast<std::int64_t>(found.cycle) * 1000);
  EXPECT_THAT(found.waves, HasSubstr("wave.fst"));
}

TEST(VectorLockstep, FindsAPassThatBeginsLate) {
  const auto found = difference_with("vector_engine.sv", "pause <= 16'(LATENCY);",
                                     "pause <= 16'(LATENCY + 1);", FR_VECTOR_RMSNORM);
  EXPECT_THAT(found.what, HasSubstr("d[0][0] is there in cycle"));
}

}  // namespace
