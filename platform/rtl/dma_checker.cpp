// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/dma_checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace forerun::rtl {

void DmaChecker::begin(const ip::DmaCopy& copy) {
  copy_ = copy;
  values_.assign(copy.rows * copy.bytes, 0);
  was_read_.assign(values_.size(), false);
  written_.assign(values_.size(), false);
  took_.clear();
}

/// Calls `visit(row)` for each row that has bytes of the range.
template <typename Visit>
void DmaChecker::rows_with(const Rows& rows, std::uint64_t address, std::uint64_t length, Visit visit) const {
  std::uint64_t first = 0, last = copy_.rows - 1;
  if (rows.stride != 0) {
    // Rows begin behind address - bytes and before address + length.
    const auto offset = static_cast<std::int64_t>(address - rows.first);
    const auto low = offset - static_cast<std::int64_t>(copy_.bytes) + 1;
    const auto high = offset + static_cast<std::int64_t>(length) - 1;
    const auto step = rows.stride < 0 ? -rows.stride : rows.stride;
    const auto from = rows.stride > 0 ? low : -high, to = rows.stride > 0 ? high : -low;
    if (to < 0) return;
    first = from <= 0 ? 0 : static_cast<std::uint64_t>((from + step - 1) / step);
    last = std::min(last, static_cast<std::uint64_t>(to / step));
  }
  for (auto row = first; row <= last && row < copy_.rows; ++row) visit(row);
}

void DmaChecker::read(bool local, std::uint64_t address, const unsigned char* data, std::uint64_t length) {
  if (local == copy_.load) return;  // an engine may read what it writes
  const auto from = source();
  rows_with(from, address, length, [&](std::uint64_t row) {
    const auto begin = from.address(row);
    for (auto at = std::max(begin, address); at < std::min(begin + copy_.bytes, address + length); ++at) {
      const auto byte = row * copy_.bytes + (at - begin);
      values_[byte] = data[at - address];
      was_read_[byte] = true;
    }
  });
}

std::optional<std::string> DmaChecker::write(bool local, std::uint64_t address, const unsigned char* data,
                                             std::uint64_t length, const unsigned char* enables,
                                             std::uint64_t enables_length) {
  const auto to = destination();
  for (std::uint64_t i = 0; i < length; ++i) {
    if (enables != nullptr && enables_length != 0 && enables[i % enables_length] == 0) continue;
    const auto at = address + i;
    bool inside = false, right = false, read = false;
    unsigned want = 0;
    if (local == copy_.load)
      rows_with(to, at, 1, [&](std::uint64_t row) {
        const auto byte = row * copy_.bytes + (at - to.address(row));
        inside = true, read = read || was_read_[byte], want = values_[byte];
        right = right || (was_read_[byte] && values_[byte] == data[i]);
        written_[byte] = true;
      });
    const auto where = fmt::format("byte {} ({:#x}) is {:02x}", i, at, data[i]);
    if (!inside) return fmt::format("{}, by the model it is not written: it is outside of the copy", where);
    if (!read) return fmt::format("{}, but what is to be there has not been read", where);
    if (!right) return fmt::format("{}, by the model {:02x}", where, want);
  }
  return std::nullopt;
}

void DmaChecker::took(std::uint64_t address, std::uint64_t length, std::uint64_t cycles) {
  took_.push_back({address, length, cycles});
}

std::optional<std::string> DmaChecker::missing() const {
  const auto found = std::find(written_.begin(), written_.end(), false);
  if (found == written_.end()) return std::nullopt;
  const auto byte = static_cast<std::uint64_t>(found - written_.begin());
  const auto count = std::count(written_.begin(), written_.end(), false);
  const auto at = destination().address(byte / copy_.bytes) + byte % copy_.bytes;
  return fmt::format("byte {} of row {} ({:#x}) is not written, by the model {}; {} byte{} missing",
                     byte % copy_.bytes, byte / copy_.bytes, at,
                     was_read_[byte] ? fmt::format("{:02x}", values_[byte]) : "it is", count,
                     count == 1 ? " is" : "s are");
}

/// Of the engine's own transactions with bytes of this burst; the longest counts.
std::uint64_t DmaChecker::latency(std::uint64_t address, std::uint64_t length) const {
  std::uint64_t longest = 0;
  for (const auto& t : took_)
    if (t.address < address + length && t.address + t.length > address) longest = std::max(longest, t.cycles);
  return longest;
}

std::uint64_t DmaChecker::model_cycles() const {
  const bool whole = copy_.rows > 1 && copy_.global_stride == copy_.local_stride &&
                     copy_.global_stride == static_cast<std::int64_t>(copy_.bytes);
  const auto rows = whole ? 1 : copy_.rows, bytes = whole ? copy_.rows * copy_.bytes : copy_.bytes;
  std::deque<std::uint64_t> under_way;
  std::uint64_t free_at = model_.overhead, back_at = 0;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const auto begin = copy_.global + row * static_cast<std::uint64_t>(copy_.global_stride);
    for (auto at = begin; at < begin + bytes;) {
      const auto end = std::min(begin + bytes, (at / model_.burst + 1) * model_.burst);
      const auto beats = (end - at + model_.beat - 1) / model_.beat;
      if (under_way.size() >= model_.outstanding) {
        free_at = std::max(free_at, under_way.front());
        under_way.pop_front();
      }
      const auto sent = free_at;
      free_at = sent + (copy_.load ? 1 : beats);
      back_at = std::max(sent + latency(at, end - at), back_at + (copy_.load ? beats : 1));
      under_way.push_back(back_at);
      at = end;
    }
  }
  return back_at;
}

}  // namespace forerun::rtl
