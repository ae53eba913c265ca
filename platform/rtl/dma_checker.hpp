// SPDX-License-Identifier: Apache-2.0
/// What a copy must do, beside an engine of RTL that does it: each byte, and about how long it takes. Plain
/// C++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ip/dma/copier.hpp"

namespace forerun::rtl {

/// The chip's model of the engine (ip/dma/dma.hpp) as far as its time goes.
struct DmaTimeModel {
  std::uint64_t burst = 256;  ///< bytes
  unsigned outstanding = 32;
  unsigned overhead = 8;  ///< cycles
  unsigned beat = 64;     ///< bytes a cycle
};

/// The model writes each byte of the destination once, with the byte of the source that was read for it, and
/// no other. Its time is that of bursts of `burst` bytes, `outstanding` under way, a beat a cycle, of which
/// each takes as long as the engine's own transaction with the same byte took.
class DmaChecker {
 public:
  explicit DmaChecker(const DmaTimeModel& model) : model_(model) {}

  void begin(const ip::DmaCopy& copy);
  /// Bytes that a read has brought. Addresses are those of DmaCopy; `local` is the scratchpad.
  void read(bool local, std::uint64_t address, const unsigned char* data, std::uint64_t length);
  /// Bytes about to be written, those that `enables` selects (a byte each, 0: not; null: all). What is wrong
  /// with them, or nothing.
  std::optional<std::string> write(bool local, std::uint64_t address, const unsigned char* data,
                                   std::uint64_t length, const unsigned char* enables,
                                   std::uint64_t enables_length);
  /// How long a transaction into memory took, in cycles.
  void took(std::uint64_t address, std::uint64_t length, std::uint64_t cycles);
  /// The first byte that was not written, or nothing.
  std::optional<std::string> missing() const;
  /// The model's time of the copy, in cycles, by what was told to took().
  std::uint64_t model_cycles() const;

 private:
  struct Rows {
    std::uint64_t first;
    std::int64_t stride;
    std::uint64_t address(std::uint64_t row) const {
      return first + row * static_cast<std::uint64_t>(stride);
    }
  };
  struct Took {
    std::uint64_t address, length, cycles;
  };
  Rows source() const {
    return copy_.load ? Rows{copy_.global, copy_.global_stride} : Rows{copy_.local, copy_.local_stride};
  }
  Rows destination() const {
    return copy_.load ? Rows{copy_.local, copy_.local_stride} : Rows{copy_.global, copy_.global_stride};
  }
  template <typename Visit>
  void rows_with(const Rows& rows, std::uint64_t address, std::uint64_t length, Visit visit) const;
  std::uint64_t latency(std::uint64_t address, std::uint64_t length) const;

  DmaTimeModel model_;
  ip::DmaCopy copy_{};
  std::vector<unsigned char> values_;     ///< of the source, row by row
  std::vector<bool> was_read_, written_;  ///< by byte of the copy
  std::vector<Took> took_;
};

}  // namespace forerun::rtl
