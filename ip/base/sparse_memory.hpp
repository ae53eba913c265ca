// SPDX-License-Identifier: Apache-2.0
/// Bytes of a large memory that cost only what is written.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace forerun::ip {

/// A sparse array of bytes, zero until written. Pages of 64 KiB are made at their first write, found through a
/// two-level table (a 512 GiB memory costs 64 KiB of table when empty).
class SparseMemory {
 public:
  static constexpr std::uint64_t page_bytes = 64 * 1024;

  /// @param size in bytes, up to 2^48
  explicit SparseMemory(std::uint64_t size);

  std::uint64_t size() const { return size_; }
  std::uint64_t resident_bytes() const { return pages_ * page_bytes; }
  /// Copies; `address + length` must lie within `size`.
  void read(std::uint64_t address, void* data, std::uint64_t length) const;
  void write(std::uint64_t address, const void* data, std::uint64_t length);
  /// The host memory of the page that holds an address, made if absent: for DMI.
  unsigned char* page(std::uint64_t address);
  void clear();

 private:
  static constexpr std::uint64_t fan_out = 1024;
  using Page = std::unique_ptr<unsigned char[]>;
  using Leaf = std::unique_ptr<Page[]>;
  const unsigned char* find(std::uint64_t address) const;
  std::uint64_t size_;
  std::uint64_t pages_ = 0;
  std::vector<Leaf> root_;
};

}  // namespace forerun::ip
