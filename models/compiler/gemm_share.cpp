// SPDX-License-Identifier: Apache-2.0
// A matrix product whose clusters give one another the rows of A through a multicast window.
#include "models/compiler/gemm_share.hpp"

#include <algorithm>

namespace forerun::models {

double Gemm::shortest(const chip::Chip& chip, bool shared) const {
  const auto& t = chip.clusters.tensor;
  const auto real = [](std::uint64_t value) { return static_cast<double>(value); };
  const auto times_a = plan_.resident ? 1 : divide_up(widest_, plan_.columns),
             times_b = plan_.resident ? 1 : divide_up(shape_.m, plan_.rows);
  // Of a cluster.
  const auto a = real(times_a * shape_.m * shape_.k * element_),
             b = real(times_b * shape_.k * widest_ * element_), c = real(shape_.m * widest_ * out_bytes_);
  const double all = clusters_;
  const auto memory =
      (a * (shared ? 1 : all) + (b + c) * all) / chip::peak_memory_bandwidth(chip).bytes_per_second;
  const auto width =
      chip.noc.endpoint_width.count == 0 ? chip.noc.link_width.count : chip.noc.endpoint_width.count;
  const auto link = real(width) * std::min(chip.noc.clock.hertz, chip.clusters.clock.hertz);
  const auto in = (a + b) / link, out = (c + (shared ? a / all : 0)) / link;
  const auto arrays = real(shape_.m * shape_.k) * real(widest_) /
                      (real(std::uint64_t{t.rows} * t.columns * t.arrays) * chip.clusters.clock.hertz);
  return std::max({memory, in, out, arrays});
}

bool Gemm::gains_by_sharing(const chip::Chip& chip) const {
  constexpr double waits = 1.1;        // for the slowest cluster, at each slot
  constexpr std::uint32_t most = 255;  // posts that a command waits for
  if (!everyone_ || devices() > 1 || shape_.count > 1 || clusters_ > most || plan_.slots < 2 ||
      plan_.slots > SharedEmitter::most_slots)
    return false;
  // All take the same steps.
  for (std::uint32_t c = 0; c < clusters_; ++c)
    if (divide_up(columns(c).size(), plan_.columns) != divide_up(widest_, plan_.columns)) return false;
  return shortest(chip, true) * waits < shortest(chip, false);
}

void Gemm::SharedEmitter::make_products() {
  for (const auto& block : blocks(0))
    for (std::uint64_t k = 0; k < shape_.k; k += plan_.slice)
      steps_.push_back({block, k, std::min<std::uint64_t>(plan_.slice, shape_.k - k)});
  // What is sent waits in the store engine, so it is there before the results of earlier steps.
  const std::uint64_t ahead = plan_.slots - 1;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(ahead, steps_.size()); ++i) fill(i);
  if (plan_.resident) {
    load_b(0);
    out_.set_tag(multiplying);
    out_.add(FR_OP_TENSOR_NOP, {{{b_full, 1}}, {}});
  }
  for (std::uint64_t i = 0; i < steps_.size(); ++i) {
    if (i + ahead < steps_.size()) fill(i + ahead);
    multiply(i);
    if (last(steps_[i])) finish(steps_[i].block);
  }
  if (plan_.resident) {
    out_.set_tag(multiplying);
    out_.add(FR_OP_TENSOR_NOP, {{}, {{b_free, 1}}});
  }
}

void Gemm::SharedEmitter::fill(std::uint64_t i) {
  const auto& [block, k, depth] = steps_[i];
  const auto at = slot(i);
  const auto own = share(block.rows, 1, gemm_.clusters_, cluster_);
  const auto own_at = at + u32(own.begin * depth * e());
  const bool again = i >= plan_.slots;
  if (again) {
    out_.set_tag(sharing);
    post(emptied(i), {{{multiplied, 1}}, {}});
  }
  out_.set_tag(loading);
  if (own.empty())
    out_.add(FR_OP_LOAD_NOP, {{{slot_free, 1}}, {}});
  else
    out_.add(FR_OP_LOAD, part_of_a(block, own.begin, own.size(), k, depth, own_at),
             {{{slot_free, 1}}, {{part_loaded, 1}}});
  if (!plan_.resident)
    out_.add(FR_OP_LOAD, block_of_b(block, k, depth * block.columns * e(), at + b_in_slot()),
             {{}, {{slot_full, 1}}});
  out_.set_tag(sharing);
  if (again) out_.add(FR_OP_STORE_NOP, {{{emptied(i), u8(gemm_.clusters_)}}, {}});
  if (own.empty()) return;
  // To this cluster too, where the same bytes are already.
  const auto bytes = own.size() * depth * e();
  out_.add(FR_OP_STORE, rows_of(gemm_.everyone_->scratchpads + own_at, own_at, 1, bytes, 0),
           {{{part_loaded, 1}}, {}});
  post(filled(i), {});
}

void Gemm::SharedEmitter::multiply(std::uint64_t i) {
  const auto& step = steps_[i];
  const auto senders = std::min<std::uint64_t>(gemm_.clusters_, step.block.rows);
  Sync sync{{{filled(i), u8(senders)}}, {{slot_free, 1}}};
  out_.set_tag(multiplying);
  if (step.k == 0) out_.add(FR_OP_TENSOR_NOP, {{{sum_free, 1}}, {}});
  if (!plan_.resident) sync.wait.push_back({slot_full, 1});
  if (i + plan_.slots < steps_.size()) sync.signal.push_back({multiplied, 1});
  out_.add(FR_OP_MATMUL,
           plan_.resident ? row_product(step.block, slot(i))
                          : slice_product(step.block, step.depth, step.k == 0, slot(i)),
           sync);
  if (last(step)) out_.add(FR_OP_TENSOR_NOP, {{}, {{sum_done, 1}}});
}

void Gemm::SharedEmitter::post(std::uint8_t semaphore, const Sync& sync) {
  out_.add(FR_OP_POST, post_to(*gemm_.everyone_, semaphore), sync);
}

}  // namespace forerun::models
