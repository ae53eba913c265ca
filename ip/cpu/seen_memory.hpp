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

/// A byte that a hart loads must be what it has stored there, until the bus has written that, and then what
/// the bus last read: caches and store buffers change nothing of this. Of loads in a pipeline the next may
/// read the same place before the first retires, so the last few reads count as well. What the bus writes
/// must be what an instruction has stored, or stores when it retires.
class SeenMemory {
 public:
  /// A transaction of the hart's bus has been answered.
  /// @param enables one for each byte (0: not read or written), or empty
  void passed(bool write, std::uint64_t address, std::span<const unsigned char> data,
              std::span<const unsigned char> enables, bool good);
  /// An instruction that stores has retired. A byte for which the bus has already written something else, or
  /// nothing though it has written others.
  struct Byte {
    std::uint64_t address = 0;
    std::optional<unsigned char> written{};
    std::uint64_t at = 0;  ///< `instructions` then
  };
  std::optional<Byte> stored(std::uint64_t address, std::uint64_t value, unsigned bytes);
  /// A byte that the bus wrote long ago, and no instruction has stored.
  std::optional<Byte> unexplained() const;
  std::uint64_t instructions = 0;  ///< that have retired, for the two above

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
  struct Range {
    std::uint64_t address = 0, bytes = 0;
  };
  /// What the bus has lately refused to write of these bytes; forgets it.
  std::optional<Range> take_failed_write(std::uint64_t address, unsigned count);
  void clear();

 private:
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr std::size_t reads_kept = 16, writes_kept = 16, stores_kept = 32;
  static constexpr std::uint64_t most_ahead = 64;  ///< instructions
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
  bool stored_before(std::uint64_t address, unsigned char byte) const;
  bool read_before(std::uint64_t address, const unsigned char* bytes, unsigned count) const;

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  mutable std::uint64_t last_number_ = ~std::uint64_t{0};
  mutable Page* last_ = nullptr;
  std::deque<Read> reads_;  ///< good ones, the last of them at the end
  std::deque<Range> failed_writes_;
  struct Store {
    std::uint64_t address, value;
    unsigned bytes;
  };
  std::deque<Store> stores_;  ///< the last ones
  std::deque<Byte> early_;    ///< that no instruction has stored yet
};

}  // namespace forerun::ip::riscv
