// SPDX-License-Identifier: Apache-2.0
// Steps that choose an id after each of several rows, against steps of one row; and programs side by side.
#include <gmock/gmock.h>

#include <set>

#include "tests/models/compiler/bench.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";
const std::vector<std::uint32_t> text{0, 53, 73, 70, 540, 269, 261, 512, 446, 13, 285, 261};
constexpr std::uint32_t choices = 5, prompt = 4;

struct Case {
  const char* name;
  unsigned clusters;
  CompileOptions options{};
  bool sample = false;
};

class Choices : public testing::TestWithParam<Case> {};

/// One token at a time, then the same positions in steps of five, and of fewer.
TEST_P(Choices, AreThoseOfStepsOfOneToken) {
  const auto& c = GetParam();
  auto options = c.options;
  options.context = 64;
  options.choices = choices;
  Bench bench("bench", chip_with(c.clusters), compile(load_model(bundled), chip_with(c.clusters), options));
  const auto& h = bench.program.header;
  EXPECT_EQ(h.choices, choices);
  bench.put(h.token_ids, text);
  const auto chosen = [&](std::uint64_t count) {
    return bench.peek<std::uint32_t>(h.next_ids + prompt * 4, count);
  };
  std::vector<std::uint32_t> one_by_one, together, two;
  bench.script = [&] {
    const auto step = [&](std::uint64_t position, std::uint64_t tokens, std::uint64_t rows) {
      bench.step(position, tokens, rows, c.sample, 0.9F, 7);
    };
    step(0, prompt, 1);
    for (std::uint64_t p = prompt; p < prompt + choices; ++p) step(p, 1, 1);
    one_by_one = chosen(choices);
    bench.put(h.next_ids + prompt * 4, std::vector<std::uint32_t>(choices, ~0u));
    step(prompt, choices, choices);
    together = chosen(choices);
    bench.put(h.next_ids + prompt * 4, std::vector<std::uint32_t>(choices, ~0u));
    step(prompt, choices, 2);
    two = chosen(choices);
  };
  sc_core::sc_start();
  EXPECT_EQ(together, one_by_one);
  EXPECT_GT(std::set<std::uint32_t>(one_by_one.begin(), one_by_one.end()).size(), 2u) << "different ones";
  EXPECT_EQ(two, (std::vector<std::uint32_t>{~0u, ~0u, ~0u, one_by_one[3], one_by_one[4]}));
}

const CompileOptions kept{.format = chip::Format::f16};
const CompileOptions not_kept{.format = chip::Format::f16, .keep_logits = false};
const CompileOptions many_tokens{.format = chip::Format::f16, .keep_logits = false, .row_groups = 2};
INSTANTIATE_TEST_SUITE_P(All, Choices,
                         testing::Values(Case{"Alone", 1, not_kept}, Case{"AloneLogitsKept", 1, kept},
                                         Case{"AloneSampled", 1, not_kept, true}, Case{"Four", 4, not_kept},
                                         Case{"FourLogitsKept", 4, kept},
                                         Case{"FourSampled", 4, not_kept, true},
                                         Case{"FourWithStepsOfManyTokens", 4, many_tokens, true}),
                         [](const auto& c) { return c.param.name; });

/// Of more rows with logits than are chosen after, the last; and the commands are those of other programs.
TEST(ChoicesOf, OneRowAddNoCommands) {
  const auto model = load_model(bundled);
  const auto chip = chip_with(4);
  const auto one = compile(model, chip, {.format = chip::Format::f16, .context = 64, .max_tokens = 8});
  const auto five =
      compile(model, chip, {.format = chip::Format::f16, .context = 64, .max_tokens = 8, .choices = 5});
  EXPECT_GT(five.streams[0].size(), one.streams[0].size());
  for (std::size_t c = 1; c < 4; ++c) EXPECT_EQ(five.streams[c], one.streams[c]) << "they choose nothing";
}

TEST(ChoicesOf, TooManyAreRefused) {
  const auto model = load_model(bundled);
  const auto refused = [&](CompileOptions options, const chip::Chip& chip, const char* why) {
    try {
      compile(model, chip, options);
      FAIL();
    } catch (const CompileError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(why));
    }
  };
  refused({.context = 8, .choices = 9}, chip_with(1), "expected 1 to 8, the context");
  refused({.context = 8, .choices = 0}, chip_with(1), "expected 1 to 8");
  refused({.context = 8, .sequences = 2, .choices = 2}, chip_with(1), "expected 1 of each sequence");
  auto small = chip_with(1);
  small.clusters.scratchpad.size = {128 << 10};
  refused({.context = 64, .choices = 60}, small, "too few to choose 60 in one");
}

TEST(Draft, LiesBehindTheProgramAndItsTagsFollow) {
  const auto model = load_model(bundled);
  const auto chip = chip_with(4);
  const auto target = compile(model, chip, {.format = chip::Format::f16, .context = 64, .choices = 5});
  const auto plain = compile(model, chip, {.format = chip::Format::f16, .context = 64});
  const auto draft =
      compile(model, chip, {.format = chip::Format::f16, .context = 64, .drafts_for = &target});
  std::uint64_t least = ~std::uint64_t{0};
  for (const auto& segment : draft.segments) least = std::min(least, segment.address);
  EXPECT_GE(std::min({least, draft.header.parameters, draft.header.token_ids, draft.header.next_ids}),
            target.header.memory_end);
  EXPECT_GT(draft.header.load_address, least);
  const auto own = target.tags.size();
  ASSERT_EQ(draft.tags.size(), 2 * own);
  for (std::size_t i = 0; i < own; ++i) {
    EXPECT_EQ(draft.tags[i], target.tags[i]);
    EXPECT_EQ(draft.tags[own + i], "draft." + target.tags[i]);
  }
  for (std::size_t c = 0; c < 4; ++c) {
    ASSERT_EQ(draft.streams[c].size(), plain.streams[c].size());
    for (std::size_t at = 0; at < draft.streams[c].size();) {
      fr_command_header command, before;
      std::memcpy(&command, &draft.streams[c][at], sizeof command);
      std::memcpy(&before, &plain.streams[c][at], sizeof before);
      ASSERT_EQ(command.opcode, before.opcode);
      ASSERT_EQ(command.tag, before.tag + own);
      at += command.words * 8u;
    }
  }
}

}  // namespace
