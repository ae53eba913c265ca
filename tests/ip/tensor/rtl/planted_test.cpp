// SPDX-License-Identifier: Apache-2.0
// Faults planted in the tile: what the comparison is for must be found, and named.
#include <gmock/gmock.h>

#include "tests/ip/tensor/rtl/play.hpp"

using namespace forerun::rtl;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// The first difference over random products with all stall settings, or nothing.
std::string find(const std::string& name) {
  const auto tile = tiles().at(name)();
  std::mt19937 random(3);
  reset(*tile);
  for (unsigned number = 0; number < 40; ++number) {
    const auto product =
        Product::random(random, tile->format, static_cast<std::uint32_t>(1 + random() % 8),
                        static_cast<std::uint32_t>(1 + random() % 8),
                        static_cast<std::uint32_t>(1 + random() % 12), false, number % 2 == 0);
    for (unsigned setting = 0; setting < 4; ++setting) {
      const auto difference = first_difference(*tile, product, Stalls::random(random, setting, 200), random);
      if (!difference.empty()) return difference;
    }
  }
  return {};
}

TEST(PlantedFault, TheSoundTileHasNone) { EXPECT_EQ(find("bf16_4x4"), ""); }
// Ties are rounded away from zero: one in the last bit, now and then.
TEST(PlantedFault, RoundingIsFoundInTheBits) { EXPECT_THAT(find("planted_rounding"), StartsWith("C[")); }
// A result that is not taken no longer stops the tile, and is lost.
TEST(PlantedFault, ADroppedStallIsFoundInTheCycles) {
  EXPECT_THAT(find("planted_stall"), HasSubstr("by the model in cycle"));
}
// The shadows count as free one cycle late: all bits are right.
TEST(PlantedFault, ALateReadyIsFoundInTheCycles) {
  EXPECT_THAT(find("planted_ready"), StartsWith("weights"));
}
// A sum is continued before it has arrived.
TEST(PlantedFault, AMissingInterlockIsFoundInTheCycles) {
  EXPECT_THAT(find("planted_interlock"), StartsWith("activations"));
}

}  // namespace
