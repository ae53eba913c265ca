// SPDX-License-Identifier: Apache-2.0
// DMA engines of RTL in lockstep: no difference without a fault, and each planted fault at its first
// transaction.
#include <filesystem>
#include <optional>

#include "tests/platform/rtl/dma_bench.hpp"

namespace forerun::rtl {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

const DmaTimeModel time_model{.burst = 128, .outstanding = 2, .overhead = 8, .beat = 8};
constexpr const char* tolerance = "tolerance: {cycles: 120, percent: 60}\n";

/// Of the engine of ip/dma/rtl with another text in the place of one in dma_write.sv.
std::string planted(const std::string& text, const std::string& other) {
  const fs::path from = FORERUN_SOURCE_DIR "/ip/dma/rtl";
  const auto to = fs::temp_directory_path() / ("forerun_planted." + std::to_string(::getpid()));
  fs::create_directories(to);
  for (const auto& file : fs::directory_iterator(from))
    if (file.path().extension() == ".sv")
      fs::copy_file(file.path(), to / file.path().filename(), fs::copy_options::overwrite_existing);
  auto source = read_text(to / "dma_write.sv");
  const auto at = source.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at != std::string::npos) source.replace(at, text.size(), other);
  write_text(to / "dma_write.sv", source);
  const auto model =
      own_engine(read_text(from / "dma_engine.yaml") + tolerance, to.string() + "/", Waves::fst);
  fs::remove_all(to);
  return model;
}

std::optional<Difference> run(const std::string& file, unsigned grain, std::string* waves = nullptr) {
  Bench bench("bench", file);
  std::optional<Difference> first;
  for (auto* engine : bench.engines) {
    if (waves != nullptr)
      engine->device().roll_waves(
          (fs::temp_directory_path() / ("forerun_" + std::to_string(::getpid()))).string() + "." +
          engine->device().label());
    engine->compare(time_model, [&, engine](const Difference& difference) {
      if (first) return;
      first = difference;
      if (waves != nullptr) *waves = engine->device().rolled_waves();
    });
  }
  add_random(bench, 40, grain);
  bench.run();
  if (!first) bench.expect_equal();
  return first;
}

TEST(DmaLockstep, FindsNothingInEnginesThatAreRight) {
  const auto first =
      run(own_engine(read_text(FORERUN_SOURCE_DIR "/ip/dma/rtl/dma_engine.yaml") + tolerance), 1);
  EXPECT_FALSE(first) << first->transaction << ": " << first->what;
}
TEST(DmaLockstep, FindsNothingInAnEngineOfAnotherStyleAndTime) {
  const auto first = run(plain(), 8);
  EXPECT_FALSE(first) << first->transaction << ": " << first->what;
}

TEST(DmaLockstep, FindsAWrongStrobeOnAnUnalignedTail) {
  std::string waves;
  const auto first = run(planted("~({B{1'b1}} << pop_count) << pop_lane",
                                 "wlast ? {B{1'b1}} << pop_lane : ~({B{1'b1}} << pop_count) << pop_lane"),
                         1, &waves);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->block, "store");
  EXPECT_THAT(first->transaction, HasSubstr("write of 23 bytes at 0x1007fffc219"));
  EXPECT_THAT(first->what, HasSubstr("by the model it is not written: it is outside of the copy"));
  EXPECT_GT(first->cycle, 0u);
  EXPECT_THAT(waves, HasSubstr(".store.0.fst"));
  const auto file = waves.substr(waves.rfind(" ") + 1);
  EXPECT_GT(fs::file_size(file), 1000u) << waves;
  for (const auto* label : {"load", "store"})
    for (const auto* number : {"0", "1"})
      fs::remove(fs::temp_directory_path() /
                 ("forerun_" + std::to_string(::getpid()) + "." + label + "." + number + ".fst"));
}

TEST(DmaLockstep, FindsALostByte) {
  const auto first =
      run(planted("~({B{1'b1}} << pop_count) << pop_lane",
                  "~({B{1'b1}} << (wlast && pop_count > 1 ? pop_count - 1 : pop_count)) << pop_lane"),
          1);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->transaction, HasSubstr("the whole (begun at"));
  EXPECT_THAT(first->what, HasSubstr("is not written, by the model"));
}

TEST(DmaLockstep, FindsBytesAtAnotherPlace) {
  const auto first = run(planted("awaddr <= piece_address;", "awaddr <= piece_address ^ 64'd8;"), 1);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->what, HasSubstr("by the model"));
}

TEST(DmaLockstep, FindsAnEngineThatIsTooSlow) {
  const auto first = run(
      planted("assign piece_take = piece_valid &&",
              "logic [8:0] lazy;\n  always_ff @(posedge clk) lazy <= piece_take ? '0 : lazy + 9'(!(&lazy));\n"
              "  assign piece_take = &lazy && piece_valid &&"),
      1);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->what, HasSubstr("cycles, by the model"));
  EXPECT_THAT(first->what, HasSubstr("and the tolerance is"));
}

TEST(DmaChecker, KnowsRowsOfBothSignsAndWhatIsLeft) {
  DmaChecker checker({.burst = 64, .outstanding = 2, .overhead = 8, .beat = 16});
  // Three rows of 4 bytes, upside down at the source.
  checker.begin({.load = true,
                 .global = 100,
                 .local = 8,
                 .bytes = 4,
                 .rows = 3,
                 .global_stride = -10,
                 .local_stride = 4});
  const unsigned char source[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
  checker.read(false, 80, source, 24);
  const unsigned char right[] = {20, 21, 22, 23, 10, 11, 12, 13};
  EXPECT_FALSE(checker.write(true, 8, right, 8, nullptr, 0));
  EXPECT_THAT(*checker.missing(),
              HasSubstr("byte 0 of row 2 (0x10) is not written, by the model 00; 4 bytes are missing"));
  const unsigned char wrong[] = {0, 9};
  EXPECT_THAT(*checker.write(true, 16, wrong, 2, nullptr, 0),
              HasSubstr("byte 1 (0x11) is 09, by the model 01"));
  const unsigned char enables[] = {0, 0xff};
  EXPECT_THAT(*checker.write(true, 19, right, 2, enables, 2),
              HasSubstr("byte 1 (0x14) is 15, by the model it is not written"));
  EXPECT_FALSE(checker.write(true, 16, source, 4, nullptr, 0));
  EXPECT_FALSE(checker.missing());
}

TEST(DmaChecker, CountsTheModelsCyclesOnTheEnginesOwnLatencies) {
  DmaChecker checker({.burst = 64, .outstanding = 2, .overhead = 8, .beat = 16});
  checker.begin({.load = true, .global = 0, .local = 0, .bytes = 256, .rows = 1});
  checker.took(0, 256, 100);
  // Two under way: sent in cycles 8 and 9, back in 108 and 112; then 108 and 112, back in 208 and 212.
  EXPECT_EQ(checker.model_cycles(), 212u);
  checker.begin({.load = false,
                 .global = 32,
                 .local = 0,
                 .bytes = 64,
                 .rows = 2,
                 .global_stride = 64,
                 .local_stride = 64});
  checker.took(32, 64, 10);
  checker.took(96, 64, 20);
  // One run of 32 + 64 + 32 bytes: sent in 8, 10 and, when the first is back, 18; the last is back after 20.
  EXPECT_EQ(checker.model_cycles(), 38u);
}

}  // namespace
}  // namespace forerun::rtl
