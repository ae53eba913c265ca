// SPDX-License-Identifier: Apache-2.0
/// What a hart can know of memory: what passed its bus, and what it has stored.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace forerun::ip::riscv {

/// A byte that a hart has loaded may be what its bus last read there, or what it has stored since: both are
/// right, as caches and store buffers decide which it gets. What it stored is forgotten when the bus has
/// written it and then reads the place again. Of loads in a pipeline the next may read the same place before
/// the first retires, so the last few reads count as well.
class SeenMemory {
 public:
  /// A transaction of the hart's bus has been answered.
  /// @param enables one for each byte (0: not read or written), or empty
  void passed(bool write, std::uint64_t address, std::span<const unsigned char> data,
              std::span<const unsigned char> enables, bool good);
  /// An instruction that stores has retired.
  void stored(std::uint64_t address, std::uint64_t value, unsigned bytes);

  enum class Verdict : unsigned char { right, wrong, failed, unread };
  struct Look {
    Verdict verdict = Verdict::right;
    unsigned offset = 0;         ///< of the first byte that is not right
    unsigned char expected = 0;  ///< where the verdict is wrong
  };
  /// Whether a hart may have got these bytes there.
  Look look(std::uint64_t address, const unsigned char* bytes, unsigned count) const;
  /// What a hart should get there; nothing if that is not known.
  std::optional<unsigned char> expected(std::uint64_t address) const;
  /// The first of these bytes of which the bus said last that it cannot be read.
  std::optional<std::uint64_t> failed_read(std::uint64_t address, unsigned count) const;
  /// Whether the bus has lately refused to write one of these bytes; forgets it.
  bool take_failed_write(std::uint64_t address, unsigned count);
  void clear();

 private:
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr std::size_t reads_kept = 16, writes_kept = 16;
  /// passed: the bus has read or written `bus` last; by_write: written it; drained: `own` has been written.
  enum Flag : unsigned char { passed_bus = 1, own_store = 2, failed = 4, by_write = 8, drained = 16 };
  struct Page {
    unsigned char bus[page_bytes] = {}, own[page_bytes] = {}, flags[page_bytes] = {};
  };
  struct Read {
    std::uint64_t address;
    std::vector<unsigned char> data;
  };
  const Page* find(std::uint64_t address) const;
  Page& page(std::uint64_t address);
  bool read_before(std::uint64_t address, const unsigned char* bytes, unsigned count) const;

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  mutable std::uint64_t last_number_ = ~std::uint64_t{0};
  mutable Page* last_ = nullptr;
  std::deque<Read> reads_;  ///< good ones, the last of them at the end
  struct Range {
    std::uint64_t address;
    std::uint64_t bytes;
  };
  std::deque<Range> failed_writes_;
};

}  // namespace forerun::ip::riscv
