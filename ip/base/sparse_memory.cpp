// SPDX-License-Identifier: Apache-2.0
#include "ip/base/sparse_memory.hpp"

#include <algorithm>
#include <cstring>

namespace forerun::ip {

SparseMemory::SparseMemory(std::uint64_t size)
    : size_(size), root_((size + page_bytes * fan_out - 1) / (page_bytes * fan_out)) {}

const unsigned char* SparseMemory::find(std::uint64_t address) const {
  const auto number = address / page_bytes;
  const auto& leaf = root_[number / fan_out];
  return leaf ? leaf[number % fan_out].get() : nullptr;
}

unsigned char* SparseMemory::page(std::uint64_t address) {
  const auto number = address / page_bytes;
  auto& leaf = root_[number / fan_out];
  if (!leaf) leaf = std::make_unique<Page[]>(fan_out);
  auto& page = leaf[number % fan_out];
  if (!page) {
    page = std::make_unique<unsigned char[]>(page_bytes);
    ++pages_;
  }
  return page.get();
}

void SparseMemory::read(std::uint64_t address, void* data, std::uint64_t length) const {
  auto* to = static_cast<unsigned char*>(data);
  while (length > 0) {
    const auto offset = address % page_bytes;
    const auto n = std::min(length, page_bytes - offset);
    if (const auto* from = find(address))
      std::memcpy(to, from + offset, n);
    else
      std::memset(to, 0, n);
    to += n, address += n, length -= n;
  }
}

void SparseMemory::write(std::uint64_t address, const void* data, std::uint64_t length) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (length > 0) {
    const auto offset = address % page_bytes;
    const auto n = std::min(length, page_bytes - offset);
    std::memcpy(page(address) + offset, from, n);
    from += n, address += n, length -= n;
  }
}

void SparseMemory::clear() {
  for (auto& leaf : root_) leaf.reset();
  pages_ = 0;
}

}  // namespace forerun::ip
