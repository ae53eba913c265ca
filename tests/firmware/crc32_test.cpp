// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/crc.hpp>
#include <random>
#include <vector>

extern "C" {
#include "firmware/runtime/crc32.h"
}

namespace {

TEST(Crc32, GivesTheCheckValue) { EXPECT_EQ(crc32_update(0, "123456789", 9), 0xcbf43926u); }

TEST(Crc32, AgreesWithBoostInPiecesAndWhole) {
  std::mt19937 random(7);
  for (const std::size_t size : {0, 1, 7, 8, 1000}) {
    std::vector<unsigned char> data(size);
    for (auto& byte : data) byte = static_cast<unsigned char>(random());
    boost::crc_32_type reference;
    reference.process_bytes(data.data(), size);
    const auto expected = reference.checksum();
    EXPECT_EQ(crc32_update(0, data.data(), size), expected);
    const auto half = size / 2;
    EXPECT_EQ(crc32_update(crc32_update(0, data.data(), half), data.data() + half, size - half), expected);
  }
}

}  // namespace
