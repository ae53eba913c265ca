// SPDX-License-Identifier: Apache-2.0
/// How elements narrower than a byte lie in memory: as a little-endian string of bits. Element i of `bits`
/// bits takes the bits `bits`*i to `bits`*i + `bits` - 1, bit 0 being the lowest of the first byte:
///
///     4 bits: byte 0 = [element 1 | element 0], the even element in the low half
///     6 bits: 4 elements in 3 bytes: byte 0 = [e1 bits 1..0 | e0], byte 1 = [e2 bits 3..0 | e1 bits 5..2],
///             byte 2 = [e3 | e2 bits 5..4]
///
/// A row begins at a byte; the unused high bits of its last byte are written as 0 and ignored when read.
#pragma once

#include <cstdint>

namespace forerun::ip {

/// Bytes of `count` elements of `bits` bits.
constexpr std::uint64_t packed_bytes(unsigned bits, std::uint64_t count) { return (count * bits + 7) / 8; }

/// Element `index` of a row; `bits` is 4, 6 or 8.
inline unsigned unpack(unsigned bits, const unsigned char* from, std::uint64_t index) {
  const std::uint64_t first = index * bits;
  const unsigned at = static_cast<unsigned>(first % 8);
  unsigned value = from[first / 8];
  if (at + bits > 8) value |= static_cast<unsigned>(from[first / 8 + 1]) << 8;
  return value >> at & ((1u << bits) - 1);
}

/// Appends elements to a row of bytes, which is complete after finish().
class Packer {
 public:
  Packer(unsigned bits, unsigned char* to) : bits_(bits), to_(to) {}
  void put(unsigned code) {
    held_ |= code << count_;
    for (count_ += bits_; count_ >= 8; count_ -= 8, held_ >>= 8) *to_++ = static_cast<unsigned char>(held_);
  }
  void finish() {
    if (count_ > 0) *to_ = static_cast<unsigned char>(held_);
  }

 private:
  unsigned bits_;
  unsigned char* to_;
  unsigned held_ = 0, count_ = 0;
};

}  // namespace forerun::ip
