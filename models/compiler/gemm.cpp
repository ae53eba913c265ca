// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/gemm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ip/base/numbers.hpp"
#include "models/compiler/bump.hpp"
#include "models/compiler/split.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t largest = 1 << 20, granule = 16;

std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

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

Gemm::Gemm(const GemmShape& shape, const chip::Chip& chip, chip::Format format, bool gathers)
    : SingleOperator(shape.name(), chip, chip.devices),
      shape_(shape),
      numerics_(numerics_for(format)),
      integer_(numerics_.sum() == FR_TYPE_I32),
      gathers_(gathers),
      columns_(chip.link.topology == chip::LinkTopology::torus ? chip.link.columns : chip.devices) {
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
  const auto shares = shape.count > 1 ? shape.count : divide_up(shape.n, granule);
  if (shares < devices())
    throw CompileError(fmt::format("{} cannot be shared between {} devices: a device takes {} at least",
                                   name(), devices(), shape.count > 1 ? "one product" : "16 columns"));
  clusters_ = u32(std::min<std::uint64_t>(chip.clusters.count, divide_up(shares, devices())));
  const auto clusters = devices() * clusters_;
  for (std::uint32_t c = 0; c < clusters; ++c) {
    widest_ = std::max(widest_, columns(c).size());
    most_ = std::max(most_, products(c).size());
  }
  const auto lanes = make_lanes(chip, clusters_);
  lanes_.assign(clusters_, lanes.first);
  plan_ = plan_blocks(chip.clusters);
  const bool one_block = plan_.rows == shape.m && plan_.columns == widest_;
  const auto resident = plan_resident(chip.clusters);
  if (resident && (most_ > 1 || !one_block || resident->swapped)) plan_ = *resident;
  if (plan_.rows == 0)
    throw CompileError(fmt::format("{} needs more than the {} bytes of a cluster's scratchpad", name(),
                                   chip.clusters.scratchpad.size.count));
  everyone_ = window_of_all(chip, clusters_);
  plan_.shared = gains_by_sharing(chip);

  // Everything lies in the same place in all devices.
  std::uint64_t most_products = 0, most_results = 0;
  for (std::uint32_t d = 0; d < devices(); ++d) {
    most_products = std::max(most_products, products_of(d).size());
    most_results = std::max(most_results, products_in(d).size() * columns_in(d).size());
  }
  a_ = take(most_products * shape.m * shape.k * element_);
  align(lanes.first.stride);
  std::vector<std::uint64_t> used(lanes.groups);
  for (std::uint32_t c = 0; c < clusters_; ++c) {
    auto& in_lane = used[lanes.group_of[c]];
    lanes_[c] = lanes.lane(lanes.group_of[c], end() + in_lane);
    std::uint64_t most = 0;
    for (auto i = c; i < clusters; i += clusters_)
      most = std::max(most, b_offset(i, products(i).size(), columns(i).begin, 0));
    in_lane += most;
    b_bytes_ = std::max(b_bytes_, in_lane);
  }
  b_ = take(b_bytes_);
  take_result(most_results * shape.m * out_bytes_);
  check_memory(end());
}

/// The blocks of C that move the fewest bytes, beside three slots at least.
GemmPlan Gemm::plan_blocks(const chip::Clusters& chip) const {
  constexpr std::uint64_t deepest = 512, fewest_slots = 3, most_slots = 8,
                          borders = 64 * (2 * most_slots + 2);
  constexpr std::uint64_t run_overhead = 256;  // what a run of its own costs beside its bytes, about
  const auto scratch = chip.scratchpad.size.count;
  const auto across =
      std::max<std::uint64_t>(granule, std::uint64_t{chip.tensor.columns} * chip.tensor.arrays);
  const bool converts = out_type_ != sum_type_;
  GemmPlan p;
  auto least = std::numeric_limits<double>::max();
  const auto consider = [&](std::uint64_t n, std::uint64_t k) {
    const auto rows_that_fit = [&](std::uint64_t sums) {
      const auto of_b = fewest_slots * b_room(k, n) + borders;
      const auto of_row = n * (4 * sums + (converts ? out_bytes_ : 0)) + fewest_slots * k * element_;
      return of_b < scratch ? (scratch - of_b) / of_row : 0;
    };
    const bool whole = n == widest_ && rows_that_fit(1) >= shape_.m;
    const auto most = whole ? shape_.m : std::min(shape_.m, rows_that_fit(2));
    if (most == 0) return;
    const auto blocks = divide_up(shape_.m, most), parts = divide_up(widest_, n);
    const double run = static_cast<double>(k * element_);
    const double bytes = static_cast<double>(parts * shape_.m) * (1 + run_overhead / run) +
                         static_cast<double>(blocks * widest_);  // of a column of A or a row of B
    if (bytes >= least) return;
    least = bytes;
    p.rows = u32(divide_up(shape_.m, blocks)), p.columns = u32(n), p.slice = u32(k);
    p.sums = whole ? 1 : 2, p.outs = converts ? 1 : 0;
  };
  for (auto k = std::min(shape_.k, deepest);; k = divide_up(k, 2)) {
    consider(widest_, k);
    for (auto n = widest_ / across * across; n > 0; n -= across) consider(n, k);
    if (widest_ > granule) consider(granule, k);
    if (k == 1) break;
  }
  if (p.rows == 0) return p;
  Bump bump(0, 64);
  const auto block = std::uint64_t{p.rows} * p.columns;
  p.sum_at = u32(bump.take(block * 4 * p.sums));
  p.out_at = u32(bump.take(block * out_bytes_ * p.outs));
  p.slot_bytes = u32(round_up(std::uint64_t{p.rows} * p.slice * element_, 64) + b_room(p.slice, p.columns));
  p.slots = u32(std::min(most_slots, (scratch - bump.mark()) / p.slot_bytes));
  p.slot_at = u32(bump.take(std::uint64_t{p.slots} * p.slot_bytes));
  p.end = u32(bump.mark());
  return p;
}

/// Nothing if a B takes too much of the scratchpad for rows of A that keep arrays busy.
std::optional<GemmPlan> Gemm::plan_resident(const chip::Clusters& chip) const {
  constexpr std::uint64_t fewest = 64, slots = 3, sums = 2;
  const auto scratch = chip.scratchpad.size.count;
  const auto width = std::uint64_t{chip.tensor.columns} * chip.tensor.arrays;
  const auto b_bytes = b_room(shape_.k, widest_), copies = std::min<std::uint64_t>(2, most_);
  constexpr std::uint64_t borders = 64 * (slots + 3);
  if (b_bytes * copies + borders > scratch / 2) return std::nullopt;

  GemmPlan p;
  p.resident = true;
  // Waves of an array take as many cycles as rows come by.
  const auto waves = shape_.m * divide_up(widest_, width);
  const auto other_waves = divide_up(shape_.m, width) * std::max<std::uint64_t>(widest_, chip.tensor.rows);
  p.swapped = !integer_ && 4 * other_waves < 3 * waves;
  p.outs = out_type_ != sum_type_ || p.swapped ? 2 : 0;
  const auto row_bytes = slots * shape_.k * element_ + widest_ * (4 * sums + out_bytes_ * p.outs);
  auto m = std::min(shape_.m, (scratch - b_bytes * copies - borders) / row_bytes);
  if (m < std::min(shape_.m, p.swapped ? width : fewest)) return std::nullopt;
  m = std::min(m, std::max(fewest, divide_up(shape_.m, most_ == 1 ? 8 : 2)));
  if (p.swapped)
    m = std::min(shape_.m, std::max<std::uint64_t>(1, m / width) * width);
  else
    m = divide_up(shape_.m, divide_up(shape_.m, m));
  p.rows = u32(m), p.columns = u32(widest_), p.slice = u32(shape_.k);
  p.slots = slots, p.sums = sums;
  p.slot_bytes = u32(round_up(m * shape_.k * element_, 64));
  p.b_bytes = u32(b_bytes);
  Bump bump(0, 64);
  p.b_at = u32(bump.take(b_bytes * copies));
  p.sum_at = u32(bump.take(m * widest_ * 4 * sums));
  p.out_at = u32(bump.take(m * widest_ * out_bytes_ * p.outs));
  p.slot_at = u32(bump.take(std::uint64_t{p.slots} * p.slot_bytes));
  p.end = u32(bump.mark());
  return p;
}

Range Gemm::columns(std::uint32_t cluster) const {
  return shape_.count > 1 ? Range{0, shape_.n} : share(shape_.n, granule, devices() * clusters_, cluster);
}
Range Gemm::products(std::uint32_t cluster) const {
  return shape_.count > 1 ? share(shape_.count, 1, devices() * clusters_, cluster) : Range{0, 1};
}
Range Gemm::columns_of(std::uint32_t device) const {
  return {columns(device * clusters_).begin, columns((device + 1) * clusters_ - 1).end};
}
Range Gemm::products_of(std::uint32_t device) const {
  return {products(device * clusters_).begin, products((device + 1) * clusters_ - 1).end};
}
Range Gemm::columns_in(std::uint32_t device) const {
  return gathers_ ? Range{0, shape_.n} : columns_of(device);
}
Range Gemm::products_in(std::uint32_t device) const {
  return gathers_ ? Range{0, shape_.count} : products_of(device);
}
std::uint32_t Gemm::contributors() const {
  std::uint32_t count = 0;
  for (std::uint32_t c = 0; c < devices() * clusters_; ++c)
    count += columns(c).empty() || products(c).empty() ? 0 : 1;
  return count;
}
float Gemm::a(std::uint64_t m, std::uint64_t k) const { return small(m, k, 1) * (integer_ ? 1.0F : 0.125F); }
float Gemm::b(std::uint64_t k, std::uint64_t n) const { return small(k, n, 2) * (integer_ ? 1.0F : 0.25F); }

Program Gemm::program(bool data, std::uint32_t device) const {
  Program p;
  const auto first = device * clusters_;
  for (std::uint32_t c = 0; c < clusters_; ++c) p.streams.push_back(stream(first + c));
  p.tags = {"load", "multiply", "convert", gathers_ ? "gather" : "store"};
  if (plan_.shared) p.tags.push_back("share");
  p.segments.push_back({"A", a_, products_of(device).size() * shape_.m * shape_.k * element_, {}});
  p.segments.push_back({"B", b_, b_bytes_, {}});
  // One device stands for all where none sends anything and all have as much to do.
  p.symmetric = !gathers_;
  for (std::uint32_t c = 0; c < devices() * clusters_; ++c)
    p.symmetric = p.symmetric && columns(c).size() == columns(c % clusters_).size() &&
                  products(c).size() == products(c % clusters_).size();
  if (data) {
    for (auto& segment : p.segments) segment.bytes.resize(segment.memory_bytes);
    fill_a(device, p.segments[0].bytes);
    for (std::uint32_t c = 0; c < clusters_; ++c) fill_b(first + c, p.segments[1].bytes);
  }
  finish(p, plan_.end);
  return p;
}

void Gemm::fill_a(std::uint32_t device, std::vector<unsigned char>& bytes) const {
  std::vector<float> line(shape_.k);
  const auto row = shape_.k * element_, first = products_of(device).begin * shape_.m;
  for (std::uint64_t m = 0; m < bytes.size() / row; ++m) {
    for (std::uint64_t k = 0; k < shape_.k; ++k) line[k] = a(first + m, k);
    ip::write_row(numerics_.weight, line.data(), bytes.data() + m * row, line.size());
  }
}

std::uint64_t Gemm::b_room(std::uint64_t k, std::uint64_t n) const {
  const auto& lane = lanes_.front();
  const auto bytes = k * n * element_;
  return lane.parts(bytes) * lane.part_bytes(bytes);
}

std::uint64_t Gemm::b_offset(std::uint32_t cluster, std::uint64_t product, std::uint64_t n,
                             std::uint64_t k) const {
  const auto own = columns(cluster).size(), before = n - columns(cluster).begin;
  const auto slices = [&](std::uint64_t depth, std::uint64_t width) {
    const auto advance = [&](std::uint64_t rows) {
      return rows * width == 0 ? 0 : lane(cluster).advance(rows * width * element_);
    };
    return depth / plan_.slice * advance(plan_.slice) + advance(depth % plan_.slice);
  };
  const auto whole = slices(shape_.k, plan_.columns);
  return product * (own / plan_.columns * whole + slices(shape_.k, own % plan_.columns)) +
         before / plan_.columns * whole + slices(k, std::min<std::uint64_t>(plan_.columns, own - before));
}

void Gemm::fill_b(std::uint32_t cluster, std::vector<unsigned char>& bytes) const {
  const auto own = columns(cluster), mine = products(cluster);
  const auto& lane = this->lane(cluster);
  std::vector<unsigned char> block;
  std::vector<float> line;
  for (auto product = mine.begin; product < mine.end; ++product)
    for (auto n = own.begin; n < own.end; n += plan_.columns)
      for (std::uint64_t k = 0; k < shape_.k; k += plan_.slice) {
        const auto width = std::min<std::uint64_t>(plan_.columns, own.end - n),
                   depth = std::min<std::uint64_t>(plan_.slice, shape_.k - k),
                   rows = plan_.swapped ? width : depth;
        line.resize(plan_.swapped ? depth : width);
        block.resize(depth * width * element_);
        for (std::uint64_t row = 0; row < rows; ++row) {
          for (std::uint64_t i = 0; i < line.size(); ++i)
            line[i] = plan_.swapped ? b(product * shape_.k + k + i, n + row)
                                    : b(product * shape_.k + k + row, n + i);
          ip::write_row(numerics_.weight, line.data(), block.data() + row * line.size() * element_,
                        line.size());
        }
        auto* const to = bytes.data() + (lane.base + b_offset(cluster, product - mine.begin, n, k) - b_);
        const auto part = lane.part_bytes(block.size());
        for (std::uint64_t i = 0; i * part < block.size(); ++i)
          std::memcpy(to + lane.part_offset(i), block.data() + i * part,
                      std::min(part, block.size() - i * part));
      }
}

SingleOperator::Verdict Gemm::verify(std::span<const std::uint8_t> result, std::uint32_t device) const {
  std::uint64_t wrong = 0;
  std::vector<float> column(shape_.k);
  const auto columns = columns_in(device), products = products_in(device);
  const auto* to = result.data();
  for (std::uint64_t at = 0; at < products.size() * columns.size(); ++at) {
    const auto product = products.begin + at / columns.size(), n = columns.begin + at % columns.size();
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
      const auto row = m - products.begin * shape_.m;
      to = result.data() + (row * columns.size() + n - columns.begin) * out_bytes_;
      wrong += std::memcmp(golden, to, out_bytes_) != 0 ? 1 : 0;
    }
  }
  const auto all = products.size() * shape_.m * columns.size();
  const bool part = all < shape_.count * shape_.m * shape_.n;
  const auto what = !part ? std::string("C is")
                    : shape_.count == 1
                        ? fmt::format("columns {} to {} of C are", columns.begin, columns.end - 1)
                        : fmt::format("products {} to {} are", products.begin, products.end - 1);
  if (wrong == 0)
    return {true, fmt::format("{} {}, bit for bit", what,
                              part && shape_.count > 1 ? "golden products" : "the golden product")};
  return {false, fmt::format("{} of the {} elements of C are not those of the golden product", wrong, all)};
}

}  // namespace forerun::models
