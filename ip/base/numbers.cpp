// SPDX-License-Identifier: Apache-2.0
#include "ip/base/numbers.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "firmware/abi/command.h"
#include "ip/base/numbers/microscaling.hpp"
#include "ip/base/numbers/packing.hpp"

namespace forerun::ip {
namespace {

constexpr std::uint32_t canonical_nan = 0x7fc00000;

template <typename T>
T load(const unsigned char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(unsigned char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <typename Integer>
Integer saturate(float value, double low = std::numeric_limits<Integer>::min(),
                 double high = std::numeric_limits<Integer>::max()) {
  if (std::isnan(value)) return 0;
  const double rounded = round_even(value);
  return static_cast<Integer>(rounded <= low ? low : rounded >= high ? high : rounded);
}

std::uint8_t to_int4(float value) {
  return static_cast<std::uint8_t>(saturate<std::int8_t>(value, -8, 7) & 0xf);
}
float from_int4(unsigned code) { return static_cast<float>(static_cast<int>(code ^ 8) - 8); }

}  // namespace

unsigned element_bits(unsigned type) {
  static constexpr unsigned bits[] = {
#define FR_X(NAME, NUMBER, BITS, DESCRIPTION) BITS,
      FR_TYPES(FR_X)
#undef FR_X
  };
  return type < FR_TYPE_COUNT ? bits[type] : 0;
}

unsigned element_bytes(unsigned type) {
  const unsigned bits = element_bits(type);
  return bits % 8 == 0 ? bits / 8 : 0;
}

std::uint64_t row_bytes(unsigned type, std::uint64_t count) {
  return packed_bytes(element_bits(type), count);
}

bool is_float_type(unsigned type) {
  return type == FR_TYPE_F32 || type == FR_TYPE_F16 || type == FR_TYPE_BF16;
}

const SmallFloat* small_float(unsigned type) {
  switch (type) {
    case FR_TYPE_F8E4M3:
      return &e4m3;
    case FR_TYPE_F8E5M2:
      return &e5m2;
    case FR_TYPE_F6E3M2:
      return &e3m2;
    case FR_TYPE_F6E2M3:
      return &e2m3;
    case FR_TYPE_F4E2M1:
      return &e2m1;
    default:
      return nullptr;
  }
}

float round_even(float value) {
  if (!(std::fabs(value) < 8388608.0F)) return value;  // already whole, or NaN
  const float magic = std::copysign(8388608.0F, value);
  const volatile float shifted = value + magic;
  return std::copysign(shifted - magic, value);
}

void read_row(unsigned type, const unsigned char* from, float* to, std::uint64_t count) {
  switch (type) {
    case FR_TYPE_F32:
      std::memcpy(to, from, count * 4);
      break;
    case FR_TYPE_F16:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_half(load<std::uint16_t>(from + 2 * i));
      break;
    case FR_TYPE_BF16:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_bfloat(load<std::uint16_t>(from + 2 * i));
      break;
    case FR_TYPE_I8:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(static_cast<std::int8_t>(from[i]));
      break;
    case FR_TYPE_I32:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(load<std::int32_t>(from + 4 * i));
      break;
    case FR_TYPE_U32:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(load<std::uint32_t>(from + 4 * i));
      break;
    case FR_TYPE_I4:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_int4(unpack(4, from, i));
      break;
    case FR_TYPE_MXI8:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_mx_int8(from[i]);
      break;
    case FR_TYPE_E8M0:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_e8m0(from[i]);
      break;
    default:
      if (const auto* format = small_float(type)) {
        const auto& values = small_values(*format);
        const unsigned bits = format->bits();
        for (std::uint64_t i = 0; i < count; ++i) to[i] = values[unpack(bits, from, i)];
      }
      break;
  }
}

void write_row(unsigned type, const float* from, unsigned char* to, std::uint64_t count, Overflow overflow) {
  switch (type) {
    case FR_TYPE_F32:
      for (std::uint64_t i = 0; i < count; ++i)
        store(to + 4 * i, std::isnan(from[i]) ? canonical_nan : std::bit_cast<std::uint32_t>(from[i]));
      break;
    case FR_TYPE_F16:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 2 * i, to_half(from[i]));
      break;
    case FR_TYPE_BF16:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 2 * i, to_bfloat(from[i]));
      break;
    case FR_TYPE_I8:
      for (std::uint64_t i = 0; i < count; ++i) store(to + i, saturate<std::int8_t>(from[i]));
      break;
    case FR_TYPE_I32:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 4 * i, saturate<std::int32_t>(from[i]));
      break;
    case FR_TYPE_U32:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 4 * i, saturate<std::uint32_t>(from[i]));
      break;
    case FR_TYPE_I4: {
      Packer packer(4, to);
      for (std::uint64_t i = 0; i < count; ++i) packer.put(to_int4(from[i]));
      packer.finish();
      break;
    }
    case FR_TYPE_MXI8:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = to_mx_int8(from[i]);
      break;
    case FR_TYPE_E8M0:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = to_e8m0(from[i]);
      break;
    default:
      if (const auto* format = small_float(type)) {
        Packer packer(format->bits(), to);
        for (std::uint64_t i = 0; i < count; ++i) packer.put(to_small(*format, from[i], overflow));
        packer.finish();
      }
      break;
  }
}

}  // namespace forerun::ip
