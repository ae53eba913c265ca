// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/due_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

using namespace forerun::ip::hbm;

namespace {

/// Against a sorted list: first by cycle, then by rank. Also far apart.
TEST(HbmDueWheel, GivesBackByCycleThenByRank) {
  for (const std::int64_t spread : {1, 40, 5000}) {
    std::mt19937_64 random(static_cast<std::uint64_t>(spread));
    DueWheel wheel;
    std::map<std::pair<std::int64_t, std::uint64_t>, std::uint32_t> sorted;
    std::int64_t now = 100;
    for (std::uint32_t number = 0; number < 3000; ++number) {
      const auto cycle = now + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread));
      const auto rank = random() / 4096 * 4096 + number;  // no two are equal
      wheel.push(cycle, rank, number);
      sorted[{cycle, rank}] = number;
      for (auto pops = random() % 3; pops > 0 && !sorted.empty(); --pops) {
        ASSERT_EQ(wheel.first(), sorted.begin()->first.first);
        ASSERT_EQ(wheel.pop(), sorted.begin()->second);
        sorted.erase(sorted.begin());
      }
      now += static_cast<std::int64_t>(random() % 3);
    }
    for (const auto& [key, number] : sorted) {
      ASSERT_EQ(wheel.first(), key.first);
      ASSERT_EQ(wheel.pop(), number);
    }
    EXPECT_TRUE(wheel.empty());
  }
}

}  // namespace
