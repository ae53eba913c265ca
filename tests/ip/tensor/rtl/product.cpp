// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/tensor/rtl/product.hpp"

#include <bit>
#include <cstring>

#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"

namespace forerun::rtl {
namespace {

constexpr unsigned types[] = {FR_TYPE_I8, FR_TYPE_BF16, FR_TYPE_F16};

std::uint32_t align(std::uint64_t bytes) { return static_cast<std::uint32_t>((bytes + 15) / 16 * 16); }

void put(std::vector<unsigned char>& memory, std::uint32_t at, const std::vector<std::uint16_t>& values,
         unsigned bytes) {
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&memory[at + i * bytes], &values[i], bytes);
}

}  // namespace

Product Product::random(std::mt19937& generator, unsigned format, std::uint32_t m, std::uint32_t n,
                        std::uint32_t k, bool accumulate, bool wild) {
  Product p{format, m, n, k, accumulate, {}, {}, {}};
  std::normal_distribution<float> normal;
  const auto element = [&] {
    if (format == 0) return static_cast<std::uint16_t>(generator() & 0xff);
    if (wild && generator() % 16 == 0) return static_cast<std::uint16_t>(generator());
    if (wild && generator() % 4 == 0)
      return static_cast<std::uint16_t>(generator() & 0x87ff);  // small or subnormal
    return format == 1 ? ip::to_bfloat(normal(generator)) : ip::to_half(normal(generator));
  };
  for (std::uint64_t i = 0; i < std::uint64_t{m} * k; ++i) p.a.push_back(element());
  for (std::uint64_t i = 0; i < std::uint64_t{k} * n; ++i) p.b.push_back(element());
  for (std::uint64_t i = 0; i < std::uint64_t{m} * n; ++i)
    p.c.push_back(format == 0 || (wild && generator() % 8 == 0)
                      ? static_cast<std::uint32_t>(generator())
                      : std::bit_cast<std::uint32_t>(normal(generator)));
  return p;
}

fr_matmul Product::command() const {
  const auto type = types[format], bytes = ip::element_bytes(type);
  fr_matmul command{};
  command.header = {FR_OP_MATMUL, sizeof command / 8, 0, 0, 0, {{255, 0}, {255, 0}}, {{255, 0}, {255, 0}}};
  command.b = align(std::uint64_t{m} * k * bytes);
  command.c = command.b + align(std::uint64_t{k} * n * bytes);
  command.a_stride = static_cast<std::int32_t>(k * bytes);
  command.b_stride = static_cast<std::int32_t>(n * bytes);
  command.c_stride = static_cast<std::int32_t>(n * 4);
  command.m = m, command.n = n, command.k = k;
  command.a_type = command.b_type = static_cast<std::uint8_t>(type);
  command.c_type = format == 0 ? FR_TYPE_I32 : FR_TYPE_F32;
  command.flags = accumulate ? FR_MATMUL_ACCUMULATE : 0;
  return command;
}

std::vector<unsigned char> Product::memory() const {
  const auto where = command();
  std::vector<unsigned char> bytes(where.c + c.size() * 4);
  put(bytes, where.a, a, ip::element_bytes(types[format]));
  put(bytes, where.b, b, ip::element_bytes(types[format]));
  std::memcpy(&bytes[where.c], c.data(), c.size() * 4);
  return bytes;
}

std::vector<std::uint32_t> Product::result_in(const std::vector<unsigned char>& bytes) const {
  std::vector<std::uint32_t> values(c.size());
  std::memcpy(values.data(), &bytes[command().c], values.size() * 4);
  return values;
}

std::vector<std::uint32_t> Product::expected() const {
  auto bytes = memory();
  ip::matmul(command(), bytes);
  return result_in(bytes);
}

Beats beats_of(const Product& p, unsigned rows, unsigned columns, std::mt19937& generator) {
  Beats beats;
  const auto rubbish = [&] { return static_cast<std::uint16_t>(generator()); };
  for (std::uint32_t column = 0; column < p.n; column += columns)
    for (std::uint32_t first = 0; first < p.k; first += rows) {
      const auto height = std::min(rows, p.k - first), width = std::min(columns, p.n - column);
      for (std::uint32_t r = 0; r < height; ++r) {
        WeightBeat beat{{}, r + 1 == height};
        for (std::uint32_t c = 0; c < columns; ++c)
          beat.lanes.push_back(c < width ? p.b[std::uint64_t{first + r} * p.n + column + c] : rubbish());
        beats.weights.push_back(beat);
      }
      for (std::uint32_t i = 0; i < p.m; ++i) {
        ActivationBeat beat{{},
                            {},
                            first > 0      ? 1u
                            : p.accumulate ? 2u
                                           : 0u,
                            first + rows >= p.k,
                            i + 1 == p.m};
        for (std::uint32_t r = 0; r < rows; ++r)
          beat.lanes.push_back(r < height ? p.a[std::uint64_t{i} * p.k + first + r] : rubbish());
        for (std::uint32_t c = 0; c < columns; ++c)
          beat.sums.push_back(c < width && beat.start == 2 ? p.c[std::uint64_t{i} * p.n + column + c]
                                                           : rubbish());
        beats.activations.push_back(beat);
      }
    }
  return beats;
}

Stalls Stalls::random(std::mt19937& generator, unsigned setting, std::size_t beats) {
  Stalls stalls;
  const auto list = [&](unsigned one_in, unsigned longest, bool bursts) {
    std::vector<std::uint32_t> values;
    bool burst = false;
    for (std::size_t i = 0; i < beats; ++i) {
      if (generator() % 8 == 0) burst = !burst;
      const bool here = generator() % one_in == 0 && (!bursts || burst);
      values.push_back(here ? static_cast<std::uint32_t>(1 + generator() % longest) : 0);
    }
    return values;
  };
  if (setting == 1 || setting == 3) {
    stalls.weights = list(setting == 1 ? 4 : 2, setting == 1 ? 3 : 12, setting == 3);
    stalls.activations = list(setting == 1 ? 4 : 2, setting == 1 ? 3 : 20, setting == 3);
  }
  if (setting >= 2) stalls.results = list(2, setting == 2 ? 9 : 4, setting == 3);
  return stalls;
}

}  // namespace forerun::rtl
