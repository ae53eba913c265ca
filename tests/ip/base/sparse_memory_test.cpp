// SPDX-License-Identifier: Apache-2.0
#include "ip/base/sparse_memory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(SparseMemory, CostsOnlyWhatIsWritten) {
  forerun::ip::SparseMemory memory(std::uint64_t{512} << 30);
  EXPECT_EQ(memory.resident_bytes(), 0u);
  const std::string text = "across a page boundary";
  const auto address = (std::uint64_t{500} << 30) - 5;
  memory.write(address, text.data(), text.size());
  std::string back(text.size(), '?');
  memory.read(address, back.data(), back.size());
  EXPECT_EQ(back, text);
  EXPECT_EQ(memory.resident_bytes(), 2 * forerun::ip::SparseMemory::page_bytes);
}

TEST(SparseMemory, UnwrittenBytesAreZero) {
  forerun::ip::SparseMemory memory(1 << 20);
  unsigned char byte = 1;
  memory.read(12345, &byte, 1);
  EXPECT_EQ(byte, 0);
  EXPECT_EQ(memory.resident_bytes(), 0u);
}

}  // namespace
