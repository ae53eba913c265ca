// SPDX-License-Identifier: Apache-2.0
// Damaged chip files either load or give an Error: nothing else is thrown, nothing crashes or hangs.
#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

std::string reference_text() {
  std::ifstream file(std::string(FORERUN_SOURCE_DIR) + "/platform/chips/reference.yaml");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  // The memory in the same text, so that its numbers are damaged too.
  std::ifstream memory(std::string(FORERUN_SOURCE_DIR) + "/platform/chips/memory/hbm3-6400-16gb-8hi.yaml");
  const std::string timings{std::istreambuf_iterator<char>(memory), {}};
  text.erase(text.find("extends:"), text.find('\n', text.find("extends:")) + 1 - text.find("extends:"));
  const auto hash = text.find("address_hash: {}");
  text.replace(hash, 16, "address_hash: {bank: [0x100000, 0x200000], pseudo_channel: [0x400000]}");
  text.replace(text.find("multicast: {}"), 13, "multicast: {everyone: all, left: [0-3, 8]}");
  text.replace(text.find("reduction: {}"), 13,
               "reduction: {total: {clusters: [0, 3-5], element: f32, target: cluster2, offset: 64 KiB}, "
               "more: {clusters: all, element: i32, target: memory, offset: 1 GiB, size: 1 MiB}}");
  return text + timings.substr(timings.find("  timings:"));
}

/// 1 if the text loads; a failure of the test if it ends in anything but an Error with a place and words.
int loads(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, "a.yaml", overrides);
    return 1;
  } catch (const Error& error) {
    EXPECT_FALSE(error.problems().empty());
    for (const auto& problem : error.problems())
      EXPECT_THAT(problem, testing::AnyOf(testing::StartsWith("a.yaml:"), testing::StartsWith("--set ")))
          << text;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << "\n" << text;
  }
  return 0;
}

TEST(Damaged, TruncatedAnywhere) {
  const auto text = reference_text();
  int good = 0;
  for (std::size_t length = 0; length < text.size(); length += 3) good += loads(text.substr(0, length));
  EXPECT_GT(good, 10);
}

TEST(Damaged, BytesChanged) {
  const auto text = reference_text();
  std::mt19937 random(1);
  const std::string interesting =
      "{}[]:,-&*!|>'\"%@`#?~\n\t 0919\x00\xff\xfe\x80"
      "e.";
  int good = 0;
  for (int round = 0; round < 1500; ++round) {
    auto damaged = text;
    for (auto n = random() % 4 + 1; n > 0; --n)
      damaged[random() % damaged.size()] = interesting[random() % interesting.size()];
    good += loads(damaged);
  }
  EXPECT_GT(good, 10);
}

TEST(Damaged, PiecesMovedAndRepeated) {
  const auto text = reference_text();
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    auto damaged = text;
    const auto from = random() % damaged.size(), length = random() % 400;
    const auto piece = damaged.substr(from, length);
    if (round % 2 == 0) damaged.erase(from, length);
    damaged.insert(random() % (damaged.size() + 1), piece);
    loads(damaged);
  }
}

TEST(Damaged, NumbersReplaced) {
  // Every number of the file becomes something extreme: ranges and combinations must hold it.
  const auto text = reference_text();
  for (const std::string value : {"0", "1", "64", "4096", "65536", "18446744073709551615", "1e9", "-1",
                                  "999999999999999999999999", "0.0001"})
    for (std::size_t at = 0; at < text.size(); ++at) {
      const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
      if (!digit(at) || at == 0 || text[at - 1] != ' ') continue;
      auto end = at;
      while (digit(end)) ++end;
      loads(text.substr(0, at) + value + text.substr(end));
    }
}

TEST(Damaged, Overrides) {
  std::mt19937 random(3);
  const std::vector<std::string> good = {
      "noc.tiles=[X C M, H C M]",
      "hbm={stacks: 2, timings: {tRP: 14 ns}}",
      "hbm.clock=2 GHz",
      "name=\"a b\"",
      "hbm.address_map=[burst, column:2, channel, pseudo_channel, bank_group, "
      "bank, column, row]",
      "hbm.address_hash={bank: [0x12000, 0x24000], row: [0x100000]}",
      "hbm={ranks: 2, energies: {read: 1.5 nJ, standby: 70 mW}}"};
  const std::string interesting = "{}[]:,=&*!'\"%#?~. 09\n";
  for (int round = 0; round < 2000; ++round) {
    auto setting = good[random() % good.size()];
    for (auto n = random() % 3 + 1; n > 0; --n)
      setting[random() % setting.size()] = interesting[random() % interesting.size()];
    loads("name: a\n", {setting});
  }
}

TEST(Damaged, Extends) {
  const std::string text =
      "extends: [reference, memory/lpddr5-6400-16gb, edge]\n"
      "hbm: {address_map: [burst, column:2, bank_group, channel, column, bank, row], address_hash: {row: "
      "[0x800]}}\n";
  std::mt19937 random(5);
  const std::string interesting = "{}[]:,-&*!|'\"#?~\n\t 0x9.";
  int good = loads(text);
  EXPECT_EQ(good, 1);
  for (int round = 0; round < 300; ++round) {
    auto damaged = text;
    for (auto n = random() % 3 + 1; n > 0; --n)
      damaged[random() % damaged.size()] = interesting[random() % interesting.size()];
    good += loads(damaged);
  }
  EXPECT_GT(good, 2);
}

TEST(Damaged, RandomBytes) {
  std::mt19937 random(4);
  for (int round = 0; round < 1000; ++round) {
    std::string text(random() % 200, ' ');
    for (auto& c : text) c = static_cast<char>(random());
    loads(text);
  }
}

}  // namespace
}  // namespace forerun::chip
