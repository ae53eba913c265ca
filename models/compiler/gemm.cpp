// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/gemm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ip/base/numbers.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t largest = 1 << 20, granule = 16, alignment = 4096;

enum Semaphore : std::uint8_t { slot_free, slot_full, sum_free, sum_done, out_free, out_done };

std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::int32_t i32(std::uint64_t value) { return static_cast<std::int32_t>(value); }

/// Small numbers without a pattern that a mistake in addressing could hide in.
float small(std::uint64_t i, std::uint64_t j, std::uint64_t salt) {
  std::uint64_t x = (i * 0x9e3779b97f4a7c15 + j) * 0xbf58476d1ce4e5b9 + salt;
  x = (x ^ (x >> 29)) * 0x94d049bb133111eb;
  return static_cast<float>((x >> 40) % 17) - 8;
}

}  // namespace

std::optional<GemmShape> GemmShape::parse(const std::string& text) {
  GemmShape s;
  int read = 0;
  if (text.find_first_not_of("0123456789x") != std::string::npos || text.size() > 40) return std::nullopt;
  const bool several = std::count(text.begin(), text.end(), 'x') == 3;
  const auto* const shape = text.c_str();
  const auto found = several ? std::sscanf(shape, "%lux%lux%lux%lu%n", &s.count, &s.m, &s.k, &s.n, &read) - 1
                             : std::sscanf(shape, "%lux%lux%lu%n", &s.m, &s.k, &s.n, &read);
  if (found != 3 || static_cast<std::size_t>(read) != text.size()) return std::nullopt;
  for (const auto size : {s.m, s.k, s.n, s.count})
    if (size == 0 || size > largest) return std::nullopt;
  return s;
}

std::string GemmShape::name() const {
  return fmt::format("GEMM {}{}x{}x{}", count == 1 ? "" : fmt::format("{}x", count), m, k, n);
}

Gemm::Gemm(const GemmShape& shape, const chip::Chip& chip, chip::Format format)
    : shape_(shape), numerics_(numerics_for(format)), integer_(numerics_.sum() == FR_TYPE_I32) {
  const auto& tensor = chip.clusters.tensor;
  if (std::find(tensor.formats.begin(), tensor.formats.end(), format) == tensor.formats.end())
    throw CompileError("the chip's tensor cores do not have this number format (clusters.tensor.formats)");
  const NumberFormat one{format};
  if (!one.is_float() && !one.is_fp8() && format != chip::Format::i8)
    throw CompileError("matrix products are made in fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8");
  element_ = ip::element_bytes(numerics_.weight);
  sum_type_ = numerics_.sum();
  out_type_ = integer_ ? sum_type_ : numerics_.activation;
  out_bytes_ = ip::element_bytes(out_type_);
  clusters_ = u32(std::min<std::uint64_t>(chip.clusters.count,
                                          shape.count > 1 ? shape.count : divide_up(shape.n, granule)));

  // Blocks of C take half the scratchpad at most, as square as the share of a cluster allows.
  const auto scratch = chip.clusters.scratchpad.size.count;
  std::uint64_t widest = 0;
  for (std::uint32_t c = 0; c < clusters_; ++c) widest = std::max(widest, columns(c).size());
  const std::uint64_t across =
      std::max<std::uint64_t>(granule, std::uint64_t{tensor.columns} * tensor.arrays);
  const bool converts = out_type_ != sum_type_;
  const auto block_bytes = [&](std::uint64_t m, std::uint64_t n, std::uint64_t sums) {
    return m * n * (4 * sums + (converts ? out_bytes_ : 0));
  };
  std::uint64_t m = shape.m, n = widest;
  const auto sums_for = [&] { return m < shape.m || n < widest ? 2u : 1u; };
  while (block_bytes(m, n, sums_for()) > scratch / 2 && (m > 1 || n > across)) {
    if (m >= n || n <= across)
      m = divide_up(m, 2);
    else
      n = std::max(across, round_up(divide_up(n, 2), across));
  }
  rows_ = u32(m), columns_ = u32(n), sums_ = sums_for();
  sum_at_ = 0;
  out_at_ = u32(round_up(m * n * 4 * sums_, 64));
  const auto slots_at = round_up(out_at_ + (converts ? m * n * out_bytes_ : 0), 64);
  const auto room = slots_at < scratch ? scratch - slots_at : 0;
  const auto slice_bytes = [&](std::uint64_t k) {
    return round_up(m * k * element_, 64) + round_up(k * n * element_, 64);
  };
  std::uint64_t k = std::min<std::uint64_t>(shape.k, 512);
  while (k > 1 && slice_bytes(k) * 4 > room) k = divide_up(k, 2);
  slice_ = u32(k);
  slot_bytes_ = u32(slice_bytes(k));
  slots_ = u32(std::min<std::uint64_t>(8, room / slot_bytes_));
  if (slots_ < 2)
    throw CompileError(
        fmt::format("{} needs more than the {} bytes of a cluster's scratchpad", shape.name(), scratch));
  scratch_end_ = u32(slots_at + std::uint64_t{slots_} * slot_bytes_);

  std::uint64_t at = chip::address_map::hbm;
  const auto take = [&at](std::uint64_t bytes) {
    const auto address = at;
    at = round_up(at + bytes, alignment);
    return address;
  };
  parameters_ = take(FR_PARAMETERS * 8);
  token_ids_ = take(8);
  next_ids_ = take(4);
  requests_ = take(sizeof(fr_sequence_request));
  a_ = take(shape.count * shape.m * shape.k * element_);
  for (std::uint32_t c = 0; c < clusters_; ++c)
    b_.push_back(take(products(c).size() * shape.k * columns(c).size() * element_));
  c_ = take(result_bytes());
  end_ = at;
  memory_bytes_ = chip::memory_size(chip).count;
  check_memory(end_);
}

Range Gemm::columns(std::uint32_t cluster) const {
  return shape_.count > 1 ? Range{0, shape_.n} : share(shape_.n, granule, clusters_, cluster);
}
Range Gemm::products(std::uint32_t cluster) const {
  return shape_.count > 1 ? share(shape_.count, 1, clusters_, cluster) : Range{0, 1};
}
float Gemm::a(std::uint64_t m, std::uint64_t k) const { return small(m, k, 1) * (integer_ ? 1.0F : 0.125F); }
float Gemm::b(std::uint64_t k, std::uint64_t n) const { return small(k, n, 2) * (integer_ ? 1.0F : 0.25F); }

std::vector<unsigned char> Gemm::stream(std::uint32_t cluster) const {
  StreamBuilder out;
  const auto own = columns(cluster), products = this->products(cluster);
  const bool converts = out_type_ != sum_type_;
  out.set_tag(0);
  out.add(
      FR_OP_LOAD_NOP,
      {{}, {{slot_free, static_cast<std::uint8_t>(slots_)}, {sum_free, static_cast<std::uint8_t>(sums_)}}});
  out.add(FR_OP_LOAD_NOP, {{}, {{out_free, 1}}});
  std::uint64_t slot = 0, sum = 0;
  for (auto product = products.begin; product < products.end; ++product)
    for (std::uint64_t m = 0; m < shape_.m; m += rows_)
      for (std::uint64_t n = own.begin; n < own.end; n += columns_) {
        const auto rows = std::min<std::uint64_t>(rows_, shape_.m - m),
                   cols = std::min<std::uint64_t>(columns_, own.end - n);
        const auto sums = sum_at_ + u32(sum++ % sums_ * rows_ * columns_ * 4);
        for (std::uint64_t k = 0; k < shape_.k; k += slice_) {
          const auto depth = std::min<std::uint64_t>(slice_, shape_.k - k);
          const bool first = k == 0, last = k + depth == shape_.k;
          const auto a_at = scratch_end_ - slots_ * slot_bytes_ + u32(slot++ % slots_) * slot_bytes_;
          const auto b_at = a_at + u32(round_up(std::uint64_t{rows_} * slice_ * element_, 64));
          fr_copy load{};
          load.size1 = u32(rows), load.size2 = load.size3 = 1;
          load.global = a_ + ((product * shape_.m + m) * shape_.k + k) * element_;
          load.local = a_at;
          load.bytes = u32(depth * element_);
          load.local_stride1 = i32(depth * element_);
          load.global_stride1 = static_cast<std::int64_t>(shape_.k * element_);
          out.set_tag(0);
          out.add(FR_OP_LOAD, load, {{{slot_free, 1}}, {{slot_full, 1}}});
          load = {};
          load.size1 = load.size2 = load.size3 = 1;
          load.global =
              b_[cluster] +
              (((product - products.begin) * own.size() + n - own.begin) * shape_.k + k * cols) * element_;
          load.local = b_at;
          load.bytes = u32(depth * cols * element_);
          out.add(FR_OP_LOAD, load, {{}, {{slot_full, 1}}});
          fr_matmul multiply{};
          multiply.a = a_at, multiply.a_stride = i32(depth * element_);
          multiply.b = b_at, multiply.b_stride = i32(cols * element_);
          multiply.c = sums, multiply.c_stride = i32(cols * 4);
          multiply.a_type = multiply.b_type = static_cast<std::uint8_t>(numerics_.weight);
          multiply.c_type = static_cast<std::uint8_t>(sum_type_);
          multiply.m = u32(rows), multiply.n = u32(cols), multiply.k = u32(depth);
          multiply.flags = first ? 0 : FR_MATMUL_ACCUMULATE;
          Sync sync{{{slot_full, 2}}, {{slot_free, 1}}};
          if (first) sync.wait.push_back({sum_free, 1});
          if (last) sync.signal.push_back({sum_done, 1});
          out.set_tag(1);
          out.add(FR_OP_MATMUL, multiply, sync);
        }
        if (converts) {
          fr_vector copy{};
          copy.op = FR_VECTOR_COPY;
          copy.rows = u32(rows), copy.cols = u32(cols);
          copy.a = sums, copy.a_stride = i32(cols * 4), copy.a_type = static_cast<std::uint8_t>(sum_type_);
          copy.d = out_at_, copy.d_stride = i32(cols * out_bytes_),
          copy.d_type = static_cast<std::uint8_t>(out_type_);
          out.set_tag(2);
          out.add(FR_OP_VECTOR, copy, {{{sum_done, 1}, {out_free, 1}}, {{sum_free, 1}, {out_done, 1}}});
        }
        fr_copy store{};
        store.size1 = u32(rows), store.size2 = store.size3 = 1;
        store.global = c_ + ((product * shape_.m + m) * shape_.n + n) * out_bytes_;
        store.local = converts ? out_at_ : sums;
        store.bytes = u32(cols * out_bytes_);
        store.local_stride1 = i32(cols * out_bytes_);
        store.global_stride1 = static_cast<std::int64_t>(shape_.n * out_bytes_);
        out.set_tag(3);
        if (converts)
          out.add(FR_OP_STORE, store, {{{out_done, 1}}, {{out_free, 1}}});
        else
          out.add(FR_OP_STORE, store, {{{sum_done, 1}}, {{sum_free, 1}}});
      }
  // Semaphores outlive a run: they end as they began.
  out.add(FR_OP_SYNC);
  out.add(
      FR_OP_LOAD_NOP,
      {{{slot_free, static_cast<std::uint8_t>(slots_)}, {sum_free, static_cast<std::uint8_t>(sums_)}}, {}});
  out.add(FR_OP_LOAD_NOP, {{{out_free, 1}}, {}});
  out.add(FR_OP_END);
  return out.bytes();
}

Program Gemm::program(bool data) const {
  Program p;
  for (std::uint32_t c = 0; c < clusters_; ++c) p.streams.push_back(stream(c));
  p.tags = {"load", "multiply", "convert", "store"};
  const auto all_rows = shape_.count * shape_.m;
  p.segments.push_back({"A", a_, all_rows * shape_.k * element_, {}});
  for (std::uint32_t c = 0; c < clusters_; ++c)
    p.segments.push_back({fmt::format("cluster{}.B", c),
                          b_[c],
                          products(c).size() * shape_.k * columns(c).size() * element_,
                          {}});
  if (data) {
    std::vector<float> line(shape_.k);
    p.segments[0].bytes.resize(p.segments[0].memory_bytes);
    for (std::uint64_t m = 0; m < all_rows; ++m) {
      for (std::uint64_t k = 0; k < shape_.k; ++k) line[k] = a(m, k);
      ip::write_row(numerics_.weight, line.data(), p.segments[0].bytes.data() + m * shape_.k * element_,
                    line.size());
    }
    for (std::uint32_t c = 0; c < clusters_; ++c) {
      auto& segment = p.segments[1 + c];
      segment.bytes.resize(segment.memory_bytes);
      auto* to = segment.bytes.data();
      const auto own = columns(c), mine = products(c);
      for (auto product = mine.begin; product < mine.end; ++product)
        for (std::uint64_t n = own.begin; n < own.end; n += columns_) {
          line.resize(std::min<std::uint64_t>(columns_, own.end - n));
          for (std::uint64_t k = 0; k < shape_.k; ++k, to += line.size() * element_) {
            for (std::uint64_t i = 0; i < line.size(); ++i) line[i] = b(product * shape_.k + k, n + i);
            ip::write_row(numerics_.weight, line.data(), to, line.size());
          }
        }
    }
  }
  auto& h = p.header;
  h.load_address = end_;
  h.max_tokens = h.context = h.vocabulary = h.sequences = h.layers = 1;
  h.parameters = parameters_;
  h.token_ids = token_ids_;
  h.next_ids = next_ids_;
  h.requests = requests_;
  h.memory_end = end_ + p.head_bytes();
  h.scratchpad_bytes = scratch_end_;
  const auto name = shape_.name();
  std::copy_n(name.begin(), std::min<std::size_t>(name.size(), FR_PROGRAM_NAME_BYTES - 1), h.name);
  check_memory(h.memory_end);
  return p;
}

void Gemm::check_memory(std::uint64_t end) const {
  if (const auto needed = end - chip::address_map::hbm; needed > memory_bytes_)
    throw OutOfMemory(fmt::format("{} needs {:.1f} MiB of memory, the chip has {:.1f} MiB", shape_.name(),
                                  static_cast<double>(needed) / 0x1p20,
                                  static_cast<double>(memory_bytes_) / 0x1p20));
}

std::uint64_t Gemm::differences(const std::vector<std::uint8_t>& result) const {
  std::uint64_t wrong = 0;
  std::vector<float> column(shape_.k);
  for (std::uint64_t at = 0; at < shape_.count * shape_.n; ++at) {
    const auto product = at / shape_.n, n = at % shape_.n;
    for (std::uint64_t k = 0; k < shape_.k; ++k) column[k] = b(product * shape_.k + k, n);
    for (auto m = product * shape_.m; m < (product + 1) * shape_.m; ++m) {
      std::uint8_t golden[4]{};
      if (integer_) {
        std::int32_t sum = 0;
        for (std::uint64_t k = 0; k < shape_.k; ++k)
          sum += static_cast<std::int32_t>(a(m, k)) * static_cast<std::int32_t>(column[k]);
        std::memcpy(golden, &sum, sizeof sum);
      } else {
        float sum = 0;
        for (std::uint64_t k = 0; k < shape_.k; ++k) sum = std::fma(a(m, k), column[k], sum);
        ip::write_row(out_type_, &sum, golden, 1);
      }
      wrong += std::memcmp(golden, result.data() + (m * shape_.n + n) * out_bytes_, out_bytes_) != 0 ? 1 : 0;
    }
  }
  return wrong;
}

}  // namespace forerun::models
