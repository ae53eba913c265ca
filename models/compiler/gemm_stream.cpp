// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "firmware/abi/registers.h"
#include "models/compiler/gemm_share.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {

std::vector<unsigned char> Gemm::stream(std::uint32_t cluster) const {
  return plan_.shared ? SharedEmitter(*this, cluster).stream() : Emitter(*this, cluster).stream();
}

std::vector<unsigned char> Gemm::Emitter::stream() {
  out_.set_tag(loading);
  gemm_.launch(out_, cluster_ % gemm_.clusters_);
  if (!own_.empty() && !products_.empty()) multiply();
  if (gemm_.gathers_ && cluster_ % gemm_.clusters_ == 0) await_all();
  out_.add(FR_OP_END);
  return out_.bytes();
}

void Gemm::Emitter::multiply() {
  give_all(true);
  make_products();
  // Semaphores outlive a run: they end as they began.
  out_.add(FR_OP_SYNC);
  give_all(false);
}

/// Every cluster of all devices has posted when its last block was there.
void Gemm::Emitter::await_all() {
  out_.set_tag(storing);
  for (auto left = gemm_.contributors(); left > 0;) {
    const auto count = std::min(left, 255u);
    out_.add(FR_OP_LOAD_NOP, {{{gathered, u8(count)}}, {}});
    left -= count;
  }
}

void Gemm::Emitter::give_all(bool give) {
  const auto all = [&](std::vector<fr_semaphore_use> uses) {
    out_.add(FR_OP_LOAD_NOP, give ? Sync{{}, std::move(uses)} : Sync{std::move(uses), {}});
  };
  out_.set_tag(loading);
  all({{slot_free, u8(plan_.slots)}, {sum_free, u8(plan_.sums)}});
  if (plan_.outs > 0) all({{out_free, u8(plan_.outs)}});
  if (plan_.resident) all({{b_free, u8(b_buffers())}});
}

void Gemm::Emitter::make_products() {
  for (auto product = products_.begin; product < products_.end; ++product) {
    if (plan_.resident && product == products_.begin) load_b(product);
    for (const auto& block : blocks(product)) {
      if (plan_.resident)
        multiply_rows(block);
      else
        multiply_slices(block);
      finish(block);
    }
  }
}

std::vector<Gemm::Block> Gemm::Emitter::blocks(std::uint64_t product) const {
  std::vector<Block> all;
  for (std::uint64_t m = 0; m < shape_.m; m += plan_.rows)
    for (auto n = own_.begin; n < own_.end; n += plan_.columns)
      all.push_back({product, m, n, std::min<std::uint64_t>(plan_.rows, shape_.m - m),
                     std::min<std::uint64_t>(plan_.columns, own_.end - n)});
  return all;
}

fr_copy Gemm::Emitter::rows_of(std::uint64_t global, std::uint32_t local, std::uint64_t rows,
                               std::uint64_t bytes, std::uint64_t global_stride) {
  fr_copy copy{};
  copy.size1 = u32(rows), copy.size2 = copy.size3 = 1;
  copy.global = global, copy.local = local;
  copy.bytes = u32(bytes);
  copy.local_stride1 = i32(bytes);
  copy.global_stride1 = static_cast<std::int64_t>(global_stride);
  return copy;
}

fr_matmul Gemm::Emitter::multiplication(std::uint64_t m, std::uint64_t n, std::uint64_t k) const {
  fr_matmul c{};
  c.a_type = c.b_type = u8(gemm_.numerics_.weight);
  c.c_type = u8(gemm_.sum_type_);
  c.m = u32(m), c.n = u32(n), c.k = u32(k);
  c.c = sums(), c.c_stride = i32(n * 4);
  return c;
}

fr_copy Gemm::Emitter::block_of_b(const Block& block, std::uint64_t k, std::uint64_t bytes,
                                  std::uint32_t local) const {
  const auto part = lane_.part_bytes(bytes), side_by_side = lane_.linear() ? 1 : lane_.width;
  auto c = rows_of(lane_.base + gemm_.b_offset(cluster_, block.product - products_.begin, block.n, k), local,
                   side_by_side, part, lane_.step);
  c.size2 = u32(lane_.rounds(bytes));
  c.local_stride2 = i32(part * side_by_side);
  c.global_stride2 = static_cast<std::int64_t>(lane_.stride);
  return c;
}

void Gemm::Emitter::load_b(std::uint64_t product) {
  out_.set_tag(loading);
  out_.add(FR_OP_LOAD,
           block_of_b({product, 0, own_.begin, 0, 0}, 0, own_.size() * shape_.k * e(), b_buffer(product)),
           {{{b_free, 1}}, {{b_full, 1}}});
}

fr_copy Gemm::Emitter::part_of_a(const Block& block, std::uint64_t row, std::uint64_t rows, std::uint64_t k,
                                 std::uint64_t depth, std::uint32_t local) const {
  const auto product = block.product - gemm_.products_of(device_).begin;
  return rows_of(gemm_.a_ + ((product * shape_.m + block.m + row) * shape_.k + k) * e(), local, rows,
                 depth * e(), shape_.k * e());
}

fr_matmul Gemm::Emitter::slice_product(const Block& block, std::uint64_t depth, bool first,
                                       std::uint32_t slot) const {
  auto c = multiplication(block.rows, block.columns, depth);
  c.a = slot, c.a_stride = i32(depth * e());
  c.b = slot + b_in_slot(), c.b_stride = i32(block.columns * e());
  c.flags = first ? 0 : FR_MATMUL_ACCUMULATE;
  return c;
}

fr_matmul Gemm::Emitter::row_product(const Block& block, std::uint32_t slot) const {
  const auto stride = i32(shape_.k * e());
  auto c = plan_.swapped ? multiplication(block.columns, block.rows, shape_.k)
                         : multiplication(block.rows, block.columns, shape_.k);
  c.a = plan_.swapped ? b_buffer(block.product) : slot, c.a_stride = stride;
  c.b = plan_.swapped ? slot : b_buffer(block.product);
  c.b_stride = plan_.swapped ? stride : i32(block.columns * e());
  c.flags = plan_.swapped ? FR_MATMUL_B_TRANSPOSED : 0;
  return c;
}

void Gemm::Emitter::multiply_slices(const Block& block) {
  for (std::uint64_t k = 0; k < shape_.k; k += plan_.slice) {
    const auto depth = std::min<std::uint64_t>(plan_.slice, shape_.k - k);
    const bool first = k == 0, last = k + depth == shape_.k;
    const auto at = slot(step_++);
    out_.set_tag(loading);
    out_.add(FR_OP_LOAD, part_of_a(block, 0, block.rows, k, depth, at), {{{slot_free, 1}}, {{slot_full, 1}}});
    out_.add(FR_OP_LOAD, block_of_b(block, k, depth * block.columns * e(), at + b_in_slot()),
             {{}, {{slot_full, 1}}});
    Sync sync{{{slot_full, 2}}, {{slot_free, 1}}};
    if (first) sync.wait.push_back({sum_free, 1});
    if (last) sync.signal.push_back({sum_done, 1});
    out_.set_tag(multiplying);
    out_.add(FR_OP_MATMUL, slice_product(block, depth, first, at), sync);
  }
}

void Gemm::Emitter::multiply_rows(const Block& block) {
  const auto at = slot(step_++);
  out_.set_tag(loading);
  out_.add(FR_OP_LOAD, part_of_a(block, 0, block.rows, 0, shape_.k, at),
           {{{slot_free, 1}}, {{slot_full, 1}}});
  // By now what was made of the product before is on its way, and its B no longer needed.
  const auto panel = block.m / plan_.rows, panels = divide_up(shape_.m, plan_.rows);
  if (panel == std::min<std::uint64_t>(plan_.slots, panels) - 1 && block.product + 1 < products_.end)
    load_b(block.product + 1);
  out_.set_tag(multiplying);
  if (block.m == 0) out_.add(FR_OP_TENSOR_NOP, {{{b_full, 1}}, {}});
  out_.add(FR_OP_MATMUL, row_product(block, at),
           {{{slot_full, 1}, {sum_free, 1}}, {{slot_free, 1}, {sum_done, 1}}});
  if (panel + 1 == panels) out_.add(FR_OP_TENSOR_NOP, {{}, {{b_free, 1}}});
}

void Gemm::Emitter::finish(const Block& block) {
  const auto converts = gemm_.converts();
  const auto bytes = block.columns * gemm_.out_bytes_;
  auto from = sums();
  if (converts) {
    from = plan_.out_at + u32(block_ % plan_.outs * plan_.rows * plan_.columns * gemm_.out_bytes_);
    fr_vector copy{};
    copy.op = plan_.swapped ? FR_VECTOR_TRANSPOSE : FR_VECTOR_COPY;
    copy.rows = u32(plan_.swapped ? block.columns : block.rows);
    copy.cols = u32(plan_.swapped ? block.rows : block.columns);
    copy.a = sums(), copy.a_stride = i32(copy.cols * std::uint64_t{4}), copy.a_type = u8(gemm_.sum_type_);
    copy.d = from, copy.d_stride = i32(bytes), copy.d_type = u8(gemm_.out_type_);
    out_.set_tag(converting);
    out_.add(FR_OP_VECTOR, copy, {{{sum_done, 1}, {out_free, 1}}, {{sum_free, 1}, {out_done, 1}}});
  }
  out_.set_tag(storing);
  const Sync sync{{{converts ? out_done : sum_done, 1}}, {{converts ? out_free : sum_free, 1}}};
  const auto row = (block.product - gemm_.products_in(device_).begin) * shape_.m + block.m;
  const auto to = gemm_.result() + (row * in_memory_.size() + block.n - in_memory_.begin) * gemm_.out_bytes_;
  const auto stride = in_memory_.size() * gemm_.out_bytes_;
  if (gemm_.gathers_)
    out_.add(FR_OP_ALL_GATHER, gather(block, from, bytes, to, stride), sync);
  else
    out_.add(FR_OP_STORE, rows_of(to, from, block.rows, bytes, stride), sync);
  ++block_;
}

fr_collective Gemm::Emitter::gather(const Block& block, std::uint32_t from, std::uint64_t bytes,
                                    std::uint64_t to, std::uint64_t stride) const {
  fr_collective c{};
  c.global = to;
  c.window = chip::address_map::devices;
  c.window_stride = chip::address_map::device_stride;
  c.row_stride = static_cast<std::int64_t>(stride);
  c.post = chip::address_map::cluster_registers(0) + FR_CLUSTER_POST;
  c.post_stride = chip::address_map::cluster_stride;
  const bool last = block.product + 1 == products_.end && block.m + block.rows == shape_.m &&
                    block.n + block.columns == own_.end;
  c.post_count = last ? 1 : 0;
  c.semaphore = gathered;
  c.members = gemm_.devices();
  c.columns = gemm_.columns_;
  c.own = device_;
  c.rows = u32(block.rows);
  c.bytes = u32(bytes);
  c.source = from, c.source_stride = i32(bytes);
  return c;
}

}  // namespace forerun::models
