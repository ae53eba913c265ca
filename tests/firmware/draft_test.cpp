// SPDX-License-Identifier: Apache-2.0
// Speculative decoding by firmware: a second program drafts what the first then verifies.
#include <gmock/gmock.h>

#include <numeric>

#include "tests/firmware/bench.hpp"

using namespace forerun;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr std::uint64_t behind = 0x10000;
/// The draft's ids are off by this part, and so rounded right below 50 only.
constexpr float off = 1.01F;

std::vector<std::uint64_t> column(const std::vector<ip::Message>& messages, unsigned word) {
  std::vector<std::uint64_t> values;
  for (const auto& message : messages) values.push_back(message[word]);
  return values;
}

std::vector<std::uint32_t> from(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

class DraftOfFirmware : public testing::Test {
 protected:
  Bench bench{"bench"};
  TestProgram model, draft{behind, off};

  void SetUp() override {
    ASSERT_EQ(bench.receive()[0], FR_MESSAGE_READY);
    model.load(bench.soc);
  }
};

TEST_F(DraftOfFirmware, AllIsKept) {
  draft.load(bench.soc);
  const auto done = bench.run_with_draft({10, 20, 30}, 10, behind, 3);
  ASSERT_EQ(done[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(done[1], 4u) << "the prompt, two rounds of three and the one behind them, one token";
  EXPECT_THAT(column(bench.steps, 1), ElementsAre(0, 3, 4, 5, 6, 7, 8, 9, 10, 11)) << "positions";
  EXPECT_THAT(column(bench.steps, 2), ElementsAre(3, 1, 1, 1, 1, 1, 1, 1, 1, 1)) << "tokens";
  EXPECT_THAT(column(bench.steps, 7), ElementsAre(0, 3, 2, 1, 0, 3, 2, 1, 0, 0)) << "to be told yet";
  EXPECT_EQ(bench.read_ids(TestProgram::token_ids + 2 * 4, 11), from(30, 11));
  // The draft reads the prompt with the first token behind it; later what it drafted last, and what followed.
  EXPECT_THAT(column(bench.drafts, 1), ElementsAre(0, 4, 5, 6, 8, 9));
  EXPECT_THAT(column(bench.drafts, 2), ElementsAre(4, 1, 1, 2, 1, 1));
  EXPECT_THAT(column(bench.drafts, 3), ElementsAre(32, 33, 34, 36, 37, 38));
  EXPECT_THAT(column(bench.drafts, 6), testing::Each(1));
  EXPECT_THAT(bench.log, HasSubstr("draft: increment on 2 clusters, 3 tokens before each step\r\n"));
}

TEST_F(DraftOfFirmware, WhatIsWrongIsNotKept) {
  draft.load(bench.soc);
  const auto done = bench.run_with_draft({46}, 9, behind, 3);
  ASSERT_EQ(done[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(bench.read_ids(TestProgram::token_ids, 10), from(46, 10));
  // After 46: 47 to 49 and 50. After 50 the draft says 52 (50 * 1.01 + 1 = 51.5), 51 is right; and so on.
  EXPECT_EQ(done[1], 6u);
  EXPECT_THAT(column(bench.steps, 1), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(column(bench.steps, 7), ElementsAre(3, 2, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(column(bench.drafts, 1), ElementsAre(0, 1, 2, 3, 5, 6, 5, 6, 7, 6, 7, 7)) << "positions";
  EXPECT_THAT(column(bench.drafts, 2), ElementsAre(1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1));
}

TEST_F(DraftOfFirmware, ReadsALongPromptInStepsOfItsOwn) {
  draft.header.max_tokens = 2;
  draft.load(bench.soc);
  ASSERT_EQ(bench.run_with_draft({1, 2, 3, 4, 5, 6, 7}, 3, behind, 2)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_THAT(column(bench.drafts, 1), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(column(bench.drafts, 2), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(column(bench.drafts, 6), ElementsAre(0, 0, 0, 1)) << "the last one's id is a draft";
  EXPECT_EQ(bench.read_ids(TestProgram::token_ids + 6 * 4, 4), from(7, 4));
}

TEST_F(DraftOfFirmware, IsForOneRunOnly) {
  draft.load(bench.soc);
  ASSERT_EQ(bench.run_with_draft({10}, 4, behind, 3)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(bench.drafts.size(), 3u);
  ASSERT_EQ(bench.run({10}, 4)[0], FR_MESSAGE_DONE);
  EXPECT_TRUE(bench.drafts.empty());
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(11, 12, 13, 14));
}

TEST_F(DraftOfFirmware, FillsTheWholeContext) {
  draft.load(bench.soc);
  ASSERT_EQ(bench.run_with_draft({1}, 63, behind, 3)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(bench.read_ids(TestProgram::token_ids, 64), from(1, 64));
}

/// Each program has pages and a table of its own.
TEST_F(DraftOfFirmware, GivesBothProgramsPages) {
  const std::vector<std::uint64_t> none(16, 99);
  const auto page = [&](TestProgram& program, std::uint64_t offset, std::uint32_t positions,
                        std::uint32_t pages) {
    program.header.page_positions = positions, program.header.pages = pages;
    program.header.page_table = TestProgram::page_table + offset;
    program.load(bench.soc);
    bench.soc.write(program.header.page_table,
                    {reinterpret_cast<const std::uint8_t*>(none.data()), none.size() * 8});
  };
  const auto table = [&](const TestProgram& program) {
    std::vector<std::uint64_t> pages(4);
    bench.soc.read(program.header.page_table, {reinterpret_cast<std::uint8_t*>(pages.data()), 4 * 8});
    return pages;
  };
  page(model, 0, 8, 2), page(draft, behind, 4, 3);
  ASSERT_EQ(bench.run_with_draft({46}, 9, behind, 3)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(bench.read_ids(TestProgram::token_ids, 10), from(46, 10));
  EXPECT_THAT(table(model), ElementsAre(0, 1, 99, 99)) << "positions 0 to 8";
  EXPECT_THAT(table(draft), ElementsAre(0, 1, 99, 99)) << "positions 0 to 7";
  page(draft, behind, 4, 2);
  EXPECT_EQ(bench.run_with_draft({46}, 9, behind, 3)[1], FR_FAILURE_PAGES) << "it might need three";
  page(model, 0, 8, 1), page(draft, behind, 4, 3);
  EXPECT_EQ(bench.run_with_draft({46}, 9, behind, 3)[1], FR_FAILURE_PAGES);
}

TEST_F(DraftOfFirmware, IsRefusedIfItDoesNotGoWithTheProgram) {
  const auto refused = [&](const std::function<void(TestProgram&, TestProgram&)>& change,
                           std::uint64_t tokens, std::uint64_t flags, std::uint64_t failure) {
    TestProgram own, other(behind, off);
    change(own, other);
    own.load(bench.soc), other.load(bench.soc);
    const auto failed = bench.run_with_draft({10, 11}, 5, behind, tokens, flags);
    EXPECT_EQ(failed[0], FR_MESSAGE_FAILED);
    EXPECT_EQ(failed[1], failure);
  };
  const auto as_it_is = [](auto&, auto&) {};
  refused(as_it_is, 0, 0, FR_FAILURE_REQUEST);
  refused(as_it_is, 4, 0,
          FR_FAILURE_REQUEST);  // the program chooses 4 tokens in a step, of which 3 are drafts
  refused(as_it_is, 3, FR_RUN_TEACHER, FR_FAILURE_REQUEST);
  refused([](auto& own, auto&) { own.header.choices = 0; }, 1, 0, FR_FAILURE_REQUEST);
  refused([](auto&, auto& other) { other.header.vocabulary = 99; }, 3, 0, FR_FAILURE_REQUEST);
  refused([](auto&, auto& other) { other.header.context = 5; }, 3, 0, FR_FAILURE_REQUEST);
  refused([](auto&, auto& other) { other.header.max_tokens = 0; }, 3, 0, FR_FAILURE_REQUEST);
  refused([](auto&, auto& other) { other.header.version += 1; }, 3, 0, FR_FAILURE_PROGRAM_VERSION);
  model.load(bench.soc), draft.load(bench.soc);
  EXPECT_EQ(bench.run_with_draft({10, 11}, 5, behind, 3)[0], FR_MESSAGE_DONE) << "firmware goes on";
}

TEST_F(DraftOfFirmware, AFailureSaysWhoseItIs) {
  draft.commands[1] = {};
  draft.commands[1].add(0xee);
  draft.load(bench.soc);
  const auto failed = bench.run_with_draft({10}, 4, behind, 3);
  ASSERT_EQ(failed[0], FR_MESSAGE_FAILED) << bench.log;
  EXPECT_EQ(failed[1], FR_FAILURE_CLUSTER);
  EXPECT_EQ(failed[2], 1u);
  EXPECT_EQ(failed[7], draft.header.load_address);
  ASSERT_EQ(bench.run({10}, 4)[0], FR_MESSAGE_DONE) << "without the draft it goes on";
}

}  // namespace
