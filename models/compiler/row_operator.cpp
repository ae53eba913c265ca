// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/row_operator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "ip/base/numbers.hpp"
#include "models/compiler/bump.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/stream.hpp"

namespace forerun::models {
namespace {

using Kind = RowShape::Kind;

constexpr float epsilon = 1e-5F;  // of LayerNorm

enum Semaphore : std::uint8_t { slot_free, slot_full, done, constants };
enum Tag : std::uint32_t { loading, computing, storing };
/// Registers of a stream.
enum Register : unsigned { block = FR_PARAMETERS, slot };
constexpr unsigned none = 255;

std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::int32_t i32(std::uint64_t value) { return static_cast<std::int32_t>(value); }

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::softmax:
      return "softmax";
    case Kind::layernorm:
      return "layernorm";
    default:
      return "GELU";
  }
}

}  // namespace

std::string RowShape::name() const { return fmt::format("{} {}x{}", name_of(kind), rows, columns); }

RowOperator::RowOperator(const RowShape& shape, const chip::Chip& chip, chip::Format format)
    : SingleOperator(shape.name(), chip, 1),
      shape_(shape),
      type_(numerics_for(format).activation),
      element_(ip::element_bytes(type_)) {
  if (!NumberFormat{format}.is_float())
    throw CompileError(fmt::format("{} is made in fp32, fp16 or bf16", name_of(shape.kind)));
  clusters_ = u32(std::min<std::uint64_t>(chip.clusters.count, shape.rows));
  const auto scratch = chip.clusters.scratchpad.size.count;
  Bump bump(0, 64);
  if (shape.kind == Kind::layernorm) {
    weight_at_ = u32(bump.take(row_bytes()));
    bias_at_ = u32(bump.take(row_bytes()));
  }
  slot_at_ = u32(bump.mark());
  const auto room = slot_at_ < scratch ? scratch - slot_at_ : 0;
  // Long blocks keep memory busy; several of them, so that the first and the last do not count for much.
  const auto most = divide_up(shape.rows, clusters_);
  const auto fit = [&](std::uint64_t slots) { return room / slots / row_bytes(); };
  slots_ = fit(4) > 0 ? 4 : 2;
  if (fit(slots_) == 0)
    throw CompileError(fmt::format(
        "{} needs two rows of {} bytes{}, more than the {} bytes of a cluster's scratchpad", name(),
        row_bytes(), shape.kind == Kind::layernorm ? " beside weights and biases" : "", scratch));
  block_ = u32(std::min(fit(slots_), divide_up(most, 8)));
  scratch_end_ = u32(slot_at_ + slots_ * block_ * row_bytes());

  input_ = take(shape.rows * row_bytes());
  weights_ = take(shape.kind == Kind::layernorm ? 2 * row_bytes() : 0);
  take_result(shape.rows * row_bytes());
  check_memory(end());
}

Range RowOperator::rows(std::uint32_t cluster) const { return share(shape_.rows, 1, clusters_, cluster); }
float RowOperator::element(std::uint64_t row, std::uint64_t column) const {
  return small(row, column, 3) * 0.5F;
}
float RowOperator::weight(std::uint64_t column) { return 1 + small(column, 0, 4) * 0.0625F; }
float RowOperator::bias(std::uint64_t column) { return small(column, 0, 5) * 0.125F; }

std::vector<unsigned char> RowOperator::stream(std::uint32_t cluster) const {
  StreamBuilder out;
  const auto own = rows(cluster);
  const auto block_bytes = block_ * row_bytes();
  const auto type = static_cast<std::uint8_t>(type_);
  out.set_tag(loading);
  launch(out, cluster);
  fr_copy bytes{};
  bytes.size1 = bytes.size2 = bytes.size3 = 1;
  if (shape_.kind == Kind::layernorm) {
    bytes.global = weights_, bytes.local = weight_at_, bytes.bytes = u32(row_bytes());
    out.add(FR_OP_LOAD, bytes);
    bytes.global += row_bytes(), bytes.local = bias_at_;
    out.add(FR_OP_LOAD, bytes, {{}, {{constants, 1}}});
    out.add(FR_OP_VECTOR_NOP, {{{constants, 1}}, {}});
  }
  const auto all_slots = fr_semaphore_use{slot_free, static_cast<std::uint8_t>(slots_)};
  out.add(FR_OP_LOAD_NOP, {{}, {all_slots}});

  // Block number `register` of so many rows.
  const auto work = [&](std::uint64_t rows) {
    const std::vector<Patch> place{FR_PATCH(fr_copy, local, slot, i32(block_bytes)),
                                   FR_PATCH(fr_copy, global, block, i32(block_bytes))};
    out.scalar(FR_SCALAR_MOD, slot, block, none, slots_);
    bytes.global = input_ + own.begin * row_bytes();
    bytes.local = slot_at_;
    bytes.bytes = u32(rows * row_bytes());
    out.set_tag(loading);
    out.add(FR_OP_LOAD, bytes, {{{slot_free, 1}}, {{slot_full, 1}}}, place);
    fr_vector v{};
    v.a_type = v.b_type = v.c_type = v.d_type = type;
    v.rows = u32(rows), v.cols = u32(shape_.columns);
    v.a = v.d = slot_at_, v.a_stride = v.d_stride = i32(row_bytes());
    switch (shape_.kind) {
      case Kind::softmax:
        v.op = FR_VECTOR_SOFTMAX;
        break;
      case Kind::layernorm:
        v.op = FR_VECTOR_LAYERNORM;
        v.b = weight_at_, v.c = bias_at_;
        v.arg0 = std::bit_cast<std::uint32_t>(epsilon);
        break;
      case Kind::gelu:
        v.op = FR_VECTOR_GELU;
        break;
    }
    out.set_tag(computing);
    out.add(FR_OP_VECTOR, v, {{{slot_full, 1}}, {{done, 1}}},
            {FR_PATCH(fr_vector, a, slot, i32(block_bytes)), FR_PATCH(fr_vector, d, slot, i32(block_bytes))});
    bytes.global = result() + own.begin * row_bytes();
    out.set_tag(storing);
    out.add(FR_OP_STORE, bytes, {{{done, 1}}, {{slot_free, 1}}}, place);
  };
  const auto whole = own.size() / block_, rest = own.size() % block_;
  out.begin_loop(block, static_cast<std::int64_t>(whole));
  work(block_);
  out.end_loop();
  if (rest > 0) {
    out.scalar(FR_SCALAR_ADD, block, none, none, static_cast<std::int64_t>(whole));
    work(rest);
  }
  // Semaphores outlive a run: they end as they began.
  out.add(FR_OP_SYNC);
  out.add(FR_OP_LOAD_NOP, {{all_slots}, {}});
  out.add(FR_OP_END);
  return out.bytes();
}

Program RowOperator::program(bool data, std::uint32_t) const {
  Program p;
  for (std::uint32_t c = 0; c < clusters_; ++c) p.streams.push_back(stream(c));
  p.tags = {"load", std::string(name_of(shape_.kind)), "store"};
  const auto add = [&](const char* label, std::uint64_t at, std::uint64_t rows, const auto& value) {
    auto& segment = p.segments.emplace_back(Segment{label, at, rows * row_bytes(), {}});
    if (!data) return;
    segment.bytes.resize(segment.memory_bytes);
    std::vector<float> line(shape_.columns);
    for (std::uint64_t row = 0; row < rows; ++row) {
      for (std::uint64_t column = 0; column < line.size(); ++column) line[column] = value(row, column);
      ip::write_row(type_, line.data(), segment.bytes.data() + row * row_bytes(), line.size());
    }
  };
  add("input", input_, shape_.rows, [this](auto row, auto column) { return element(row, column); });
  if (shape_.kind == Kind::layernorm)
    add("weights", weights_, 2,
        [](auto row, auto column) { return row == 0 ? weight(column) : bias(column); });
  finish(p, scratch_end_);
  return p;
}

void RowOperator::compute(std::vector<double>& row) const {
  const auto count = static_cast<double>(row.size());
  switch (shape_.kind) {
    case Kind::softmax: {
      const auto largest = *std::max_element(row.begin(), row.end());
      double sum = 0;
      for (auto& x : row) sum += x = std::exp(x - largest);
      for (auto& x : row) x /= sum;
      break;
    }
    case Kind::layernorm: {
      double mean = 0, variance = 0;
      for (const auto x : row) mean += x / count;
      for (const auto x : row) variance += (x - mean) * (x - mean) / count;
      for (std::size_t i = 0; i < row.size(); ++i)
        row[i] =
            (row[i] - mean) / std::sqrt(variance + double{epsilon}) * double{weight(i)} + double{bias(i)};
      break;
    }
    case Kind::gelu:
      for (auto& x : row) x *= 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
      break;
  }
}

SingleOperator::Verdict RowOperator::verify(std::span<const std::uint8_t> result, std::uint32_t) const {
  const double rounding = type_ == FR_TYPE_F32 ? 0 : type_ == FR_TYPE_F16 ? 0x1p-11 : 0x1p-8;
  const double absolute = shape_.kind == Kind::layernorm ? 4e-6 : 3e-7;
  std::uint64_t wrong = 0;
  double worst = 0;
  std::vector<float> line(shape_.columns);
  std::vector<double> right(shape_.columns);
  for (std::uint64_t row = 0; row < shape_.rows; ++row) {
    ip::read_row(type_, result.data() + row * row_bytes(), line.data(), line.size());
    for (std::uint64_t i = 0; i < line.size(); ++i) right[i] = double{element(row, i)};
    compute(right);
    for (std::uint64_t i = 0; i < line.size(); ++i) {
      const auto off = std::abs(double{line[i]} - right[i]);
      if (!(off <= std::abs(right[i]) * (rounding + 1e-5) + absolute)) ++wrong;
      worst = std::max(worst, off);
    }
  }
  const auto count = shape_.rows * shape_.columns;
  if (wrong > 0)
    return {false, fmt::format("{} of the {} results are not those of double precision, the worst {:.3g} off",
                               wrong, count, worst)};
  return {true, fmt::format("all {} results are within rounding of double precision, the worst {:.3g} off",
                            count, worst)};
}

}  // namespace forerun::models
