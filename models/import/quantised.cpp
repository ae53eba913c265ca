// SPDX-License-Identifier: Apache-2.0
// The block formats of ggml (llama.cpp), as its documentation and reference code lay them out: little-endian,
// scales in binary16. A block's arithmetic is binary32 in the order of ggml's own dequantisation.
#include <cstring>

#include "ip/base/numbers.hpp"
#include "models/import/tensor.hpp"

namespace forerun::models {
namespace {

unsigned u8(const std::byte* p) { return std::to_integer<unsigned>(*p); }
float signed8(const std::byte* p) { return static_cast<float>(static_cast<std::int8_t>(u8(p))); }
float half(const std::byte* p) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, p, 2);
  return ip::from_half(bits);
}

/// Blocks of 32: a scale, for the _1 formats a minimum, for the q5 formats 32 high bits, then two nibbles a
/// byte: elements i (low) and i + 16.
void nibbles(const std::byte* p, bool minimum, bool high_bits, float* to) {
  const float d = half(p);
  const float m = minimum ? half(p + 2) : 0;
  p += minimum ? 4 : 2;
  std::uint32_t high = 0;
  if (high_bits) std::memcpy(&high, p, 4), p += 4;
  const int offset = minimum ? 0 : high_bits ? 16 : 8;
  for (unsigned i = 0; i < 32; ++i) {
    const unsigned low = i < 16 ? u8(p + i) & 15 : u8(p + i - 16) >> 4;
    const auto q = static_cast<float>(static_cast<int>(low | (high >> i & 1) << 4) - offset);
    to[i] = minimum ? q * d + m : q * d;
  }
}

void eights(const std::byte* p, float* to) {
  const float d = half(p);
  for (unsigned i = 0; i < 32; ++i) to[i] = signed8(p + 2 + i) * d;
}

/// The 6-bit scale and minimum of sub-block j of 8, packed in 12 bytes.
void scale_and_minimum(unsigned j, const std::byte* q, float& scale, float& minimum) {
  unsigned s = 0, m = 0;
  if (j < 4) {
    s = u8(q + j) & 63;
    m = u8(q + j + 4) & 63;
  } else {
    s = (u8(q + j + 4) & 15) | (u8(q + j - 4) >> 6) << 4;
    m = u8(q + j + 4) >> 4 | (u8(q + j) >> 6) << 4;
  }
  scale = static_cast<float>(s), minimum = static_cast<float>(m);
}

/// Blocks of 256 in 8 sub-blocks: scale, scale of the minima, 12 bytes of both, for q5 32 bytes of high bits,
/// nibbles.
void k_nibbles(const std::byte* p, bool high_bits, float* to) {
  const float d = half(p), dmin = half(p + 2);
  const auto* scales = p + 4;
  const auto* high = p + 16;
  const auto* low = p + (high_bits ? 48 : 16);
  for (unsigned j = 0; j < 8; ++j) {
    float scale = 0, minimum = 0;
    scale_and_minimum(j, scales, scale, minimum);
    const float ds = d * scale, m = dmin * minimum;
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned pair = u8(low + j / 2 * 32 + l);
      unsigned q = j % 2 == 0 ? pair & 15 : pair >> 4;
      if (high_bits) q |= (u8(high + l) >> j & 1) << 4;
      to[j * 32 + l] = ds * static_cast<float>(q) - m;
    }
  }
}

/// Blocks of 256: 128 bytes of low nibbles, 64 bytes of high pairs, 16 signed scales, the scale of these.
void sixes(const std::byte* p, float* to) {
  const auto* low = p;
  const auto* high = p + 128;
  const auto* scales = p + 192;
  const float d = half(p + 208);
  for (unsigned i = 0; i < 256; ++i) {
    const unsigned part = i / 128, quarter = i % 128 / 32, l = i % 32;
    const unsigned nibble = u8(low + part * 64 + quarter % 2 * 32 + l) >> (quarter / 2 * 4) & 15;
    const unsigned top = u8(high + part * 32 + l) >> (2 * quarter) & 3;
    const auto q = static_cast<float>(static_cast<int>(nibble | top << 4) - 32);
    to[i] = d * signed8(scales + part * 8 + quarter * 2 + l / 16) * q;
  }
}

}  // namespace

void dequantise(TensorType type, const std::byte* from, std::uint64_t blocks, float* to) {
  const auto block = block_of(type);
  for (std::uint64_t b = 0; b < blocks; ++b, from += block.bytes, to += block.elements) {
    switch (type) {
      case TensorType::q4_0:
        nibbles(from, false, false, to);
        break;
      case TensorType::q4_1:
        nibbles(from, true, false, to);
        break;
      case TensorType::q5_0:
        nibbles(from, false, true, to);
        break;
      case TensorType::q5_1:
        nibbles(from, true, true, to);
        break;
      case TensorType::q8_0:
        eights(from, to);
        break;
      case TensorType::q4_k:
        k_nibbles(from, false, to);
        break;
      case TensorType::q5_k:
        k_nibbles(from, true, to);
        break;
      case TensorType::q6_k:
        sixes(from, to);
        break;
      default:
        break;  // plain formats have no blocks
    }
  }
}

}  // namespace forerun::models
