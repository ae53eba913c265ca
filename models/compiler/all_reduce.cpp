// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/all_reduce.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "firmware/abi/registers.h"
#include "models/compiler/bump.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

/// Chunks that are under way at once, each with a buffer of either kind and semaphores of its own: a device
/// sends chunk i + 3 when it has gathered chunk i, for which all others had added up chunk i and so used what
/// they got of it; and sums of chunk i + 3 are sent only when all have sent that chunk, and so gathered i.
constexpr unsigned under_way = 3;
constexpr unsigned buffers = 2;                // of what is loaded and stored
constexpr std::uint64_t shortest = 32 * 1024;  // chunk, bytes

enum Semaphore : std::uint8_t {
  source_free,
  source_full,
  result_free,
  result_full,
  scattered,
  gathered = scattered + under_way
};
enum Tag : std::uint32_t { loading, reducing, gathering, storing };

std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

}  // namespace

AllReduce::AllReduce(std::uint64_t bytes, const chip::Chip& chip)
    : SingleOperator(fmt::format("all-reduce of {} bytes", bytes), chip, chip.devices),
      columns_(chip.link.topology == chip::LinkTopology::torus ? chip.link.columns : chip.devices),
      granule_(std::uint64_t{64} * chip.devices),
      padded_(round_up(bytes, granule_)) {
  if (devices() < 2) throw CompileError("an all-reduce is between several devices, but devices is 1");
  if (bytes == 0 || bytes % 4 != 0)
    throw CompileError(
        fmt::format("an all-reduce is of binary32: expected a multiple of 4 bytes, not {}", bytes));
  clusters_ = u32(std::min<std::uint64_t>(chip.clusters.count, padded_ / granule_));
  const auto scratch = chip.clusters.scratchpad.size.count;
  const auto needed = [this](std::uint64_t chunk) {
    return chunk * (2 * buffers + 2 * under_way) + chunk / devices();
  };
  const auto fit = scratch / needed(granule_) * granule_;
  if (fit == 0)
    throw CompileError(fmt::format("{} needs {} bytes, more than the {} of a cluster's scratchpad", name(),
                                   needed(granule_), scratch));
  // Several chunks overlap; short ones would be all latency.
  const auto wanted = std::max<std::uint64_t>(shortest, divide_up(run(0).size(), 8));
  chunk_ = u32(std::min(fit, round_up(wanted, granule_)));
  Bump bump(0, 64);
  source_at_ = u32(bump.take(std::uint64_t{buffers} * chunk_));
  scattered_at_ = u32(bump.take(std::uint64_t{under_way} * chunk_));
  reduced_at_ = u32(bump.take(chunk_ / devices()));
  gathered_at_ = u32(bump.take(std::uint64_t{under_way} * chunk_));
  result_at_ = u32(bump.take(std::uint64_t{buffers} * chunk_));
  scratch_end_ = u32(bump.mark());
  input_ = take(padded_);
  take_result(bytes);
  if (padded_ > bytes) take(padded_ - bytes);
  check_memory(end());
}

Range AllReduce::run(std::uint32_t cluster) const { return share(padded_, granule_, clusters_, cluster); }

float AllReduce::element(std::uint32_t device, std::uint64_t index) {
  return small(index, device, 6) * 0.1F;  // not whole, so that sums depend on their order
}

class AllReduce::Emitter {
 public:
  Emitter(const AllReduce& plan, std::uint32_t device, std::uint32_t cluster)
      : plan_(plan), device_(device), cluster_(cluster), run_(plan.run(cluster)) {}

  std::vector<unsigned char> stream() {
    const Sync free{{}, {{source_free, buffers}, {result_free, buffers}}};
    out_.add(FR_OP_LOAD_NOP, free);
    const auto chunks = divide_up(run_.size(), plan_.chunk_);
    for (std::uint64_t i = 0; i < chunks + 2; ++i) {
      if (i < chunks) scatter(i);
      if (i >= 1 && i - 1 < chunks) reduce(i - 1);
      if (i >= 2) gather(i - 2);
    }
    // Semaphores outlive a run: they end as they began.
    out_.add(FR_OP_SYNC);
    out_.add(FR_OP_LOAD_NOP, {free.signal, {}});
    out_.add(FR_OP_END);
    return out_.bytes();
  }

 private:
  std::uint64_t bytes(std::uint64_t chunk) const {
    return std::min<std::uint64_t>(plan_.chunk_, run_.size() - chunk * plan_.chunk_);
  }
  std::uint64_t piece(std::uint64_t chunk) const { return bytes(chunk) / plan_.devices(); }
  std::uint32_t buffer(std::uint32_t first, std::uint64_t chunk, unsigned count) const {
    return first + u32(chunk % count * plan_.chunk_);
  }
  fr_copy copy(std::uint64_t chunk, std::uint64_t global, std::uint32_t local) const {
    fr_copy c{};
    c.size1 = c.size2 = c.size3 = 1;
    c.global = global + run_.begin + chunk * plan_.chunk_;
    c.local = local;
    c.bytes = u32(bytes(chunk));
    return c;
  }
  /// With the clusters of the same number; their buffers begin at `first` in the scratchpad.
  fr_collective exchange(std::uint64_t chunk, std::uint32_t first, unsigned semaphores) const {
    fr_collective c{};
    c.global = c.read = chip::address_map::scratchpad(cluster_) + buffer(first, chunk, under_way);
    c.window = chip::address_map::devices;
    c.window_stride = chip::address_map::device_stride;
    c.slot_stride = static_cast<std::int64_t>(piece(chunk));
    c.post = chip::address_map::cluster_registers(cluster_) + FR_CLUSTER_POST;
    c.semaphore = semaphores + u32(chunk % under_way);
    c.members = plan_.devices();
    c.columns = plan_.columns_;
    c.own = device_;
    c.rows = 1;
    return c;
  }
  fr_collective sent(fr_collective c, std::uint64_t chunk, std::uint32_t source) const {
    c.post_count = 1;
    c.bytes = u32(piece(chunk));
    c.source = source;
    return c;
  }
  fr_collective received(fr_collective c, std::uint64_t chunk, std::uint32_t result) const {
    c.wait = c.slots = c.members;
    c.slot_bytes = u32(piece(chunk));
    c.result = result;
    return c;
  }

  /// Every device's pieces of the chunk to those whose they are.
  void scatter(std::uint64_t chunk) {
    const auto source = buffer(plan_.source_at_, chunk, buffers);
    out_.set_tag(loading);
    out_.add(FR_OP_LOAD, copy(chunk, plan_.input_, source), {{{source_free, 1}}, {{source_full, 1}}});
    out_.set_tag(reducing);
    out_.add(FR_OP_REDUCE_SCATTER, sent(exchange(chunk, plan_.scattered_at_, scattered), chunk, source),
             {{{source_full, 1}}, {{source_free, 1}}});
  }
  /// The sum of the own piece, and to all.
  void reduce(std::uint64_t chunk) {
    out_.set_tag(reducing);
    out_.add(FR_OP_REDUCE_SCATTER,
             received(exchange(chunk, plan_.scattered_at_, scattered), chunk, plan_.reduced_at_));
    out_.set_tag(gathering);
    out_.add(FR_OP_ALL_GATHER, sent(exchange(chunk, plan_.gathered_at_, gathered), chunk, plan_.reduced_at_));
  }
  void gather(std::uint64_t chunk) {
    const auto result = buffer(plan_.result_at_, chunk, buffers);
    out_.set_tag(gathering);
    out_.add(FR_OP_ALL_GATHER, received(exchange(chunk, plan_.gathered_at_, gathered), chunk, result),
             {{{result_free, 1}}, {{result_full, 1}}});
    out_.set_tag(storing);
    out_.add(FR_OP_STORE, copy(chunk, plan_.result(), result), {{{result_full, 1}}, {{result_free, 1}}});
  }

  const AllReduce& plan_;
  const std::uint32_t device_, cluster_;
  const Range run_;
  StreamBuilder out_;
};

Program AllReduce::program(bool data, std::uint32_t device) const {
  Program p;
  p.symmetric = true;
  for (std::uint32_t c = 0; c < clusters_; ++c) p.streams.push_back(Emitter(*this, device, c).stream());
  p.tags = {"load", "reduce", "gather", "store"};
  p.segments.push_back({"input", input_, padded_, {}});
  if (data) {
    auto& bytes = p.segments.front().bytes;
    bytes.resize(padded_);
    for (std::uint64_t i = 0; i < result_bytes() / 4; ++i) {
      const auto value = element(device, i);
      std::memcpy(bytes.data() + i * 4, &value, 4);
    }
  }
  finish(p, scratch_end_);
  return p;
}

SingleOperator::Verdict AllReduce::verify(std::span<const std::uint8_t> result, std::uint32_t) const {
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < result_bytes() / 4; ++i) {
    float sum = 0;
    for (std::uint32_t d = 0; d < devices(); ++d) sum += element(d, i);
    wrong += std::memcmp(&sum, result.data() + i * 4, 4) != 0 ? 1 : 0;
  }
  if (wrong > 0)
    return {false, fmt::format("{} of the {} sums are not those in the order of the devices", wrong,
                               result_bytes() / 4)};
  return {true,
          fmt::format("all {} sums are those in the order of the devices, bit for bit", result_bytes() / 4)};
}

}  // namespace forerun::models
