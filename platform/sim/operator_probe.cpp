// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/operator_probe.hpp"

#include <algorithm>

#include "ip/base/numbers.hpp"
#include "ip/base/time.hpp"
#include "ip/vector/operations.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::sim {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

void add_copy(OperatorWork& work, std::uint64_t global, std::uint64_t bytes, bool load) {
  work.scratchpad_bytes += bytes;
  (load ? work.bytes_in : work.bytes_out) += bytes;
  if (global >= chip::address_map::hbm && global < chip::address_map::devices) work.memory_bytes += bytes;
}

}  // namespace

OperatorProbe::OperatorProbe(soc::Soc& soc, std::size_t clusters, std::size_t tags,
                             std::function<bool()> anew)
    : soc_(soc), anew_(std::move(anew)), states_(clusters) {
  for (std::size_t c = 0; c < clusters; ++c) {
    states_[c].work.resize(tags);
    auto& cluster = *soc.clusters[c];
    cluster.on_start = [this, c, tags, before = cluster.on_start] {
      if (before) before();
      auto& state = states_[c];
      if (anew_())
        state.work.assign(tags, {});
      else if (state.since >= 0)
        close(state, state.last);
      state.at = 0;
      state.since = state.last = ip::now_picoseconds();
    };
    for (unsigned engine = 1; engine < FR_ENGINE_COUNT; ++engine) {
      auto& e = *cluster.engines()[engine];
      e.on_begin = [this, c, engine, before = e.on_begin](const ip::Command& command) {
        if (before) before(command);
        begins(c, engine, command);
      };
      e.on_end = [this, c] { states_[c].last = ip::now_picoseconds(); };
    }
  }
}

void OperatorProbe::close(State& state, std::int64_t until) {
  if (state.at < state.work.size()) state.work[state.at].elapsed_ps += until - state.since;
  state.since = until;
}

std::vector<std::vector<OperatorWork>> OperatorProbe::work() {
  std::vector<std::vector<OperatorWork>> all;
  for (auto& state : states_) {
    if (state.since >= 0) close(state, std::max(state.since, state.last));
    all.push_back(state.work);
  }
  return all;
}

void OperatorProbe::begins(std::size_t c, unsigned engine, const ip::Command& command) {
  auto& state = states_[c];
  const auto header = command.header();
  if (header.tag >= state.work.size()) return;
  if ((engine == FR_ENGINE_TENSOR || engine == FR_ENGINE_VECTOR) && header.tag != state.at) {
    // What is before the first operator's own commands is that operator's.
    close(state, ip::now_picoseconds());
    state.at = header.tag;
  }
  auto& work = state.work[header.tag];
  ++work.commands;
  const auto& tensor = soc_.chip().clusters.tensor;
  switch (header.opcode) {
    case FR_OP_LOAD:
    case FR_OP_STORE: {
      const auto copy = command.as<fr_copy>();
      const auto bytes = std::uint64_t{copy.bytes} * copy.size1 * copy.size2 * copy.size3;
      return add_copy(work, copy.global, bytes, header.opcode == FR_OP_LOAD);
    }
    case FR_OP_GATHER: {
      const auto gather = command.as<fr_gather>();
      return add_copy(work, gather.table, std::uint64_t{gather.bytes} * gather.count, true);
    }
    case FR_OP_ALL_GATHER:
    case FR_OP_REDUCE_SCATTER:
    case FR_OP_ALL_REDUCE: {
      const auto collective = command.as<fr_collective>();
      const auto sent = std::uint64_t{collective.rows} * collective.bytes,
                 read =
                     std::uint64_t{collective.rows} * collective.slot_bytes * std::max(1u, collective.slots);
      work.device_bytes += sent * (collective.members - 1);
      work.bytes_out += sent * collective.members;
      return add_copy(work, collective.read, read, true);
    }
    case FR_OP_MATMUL:
    case FR_OP_MATMUL_SCALED: {
      const auto m = command.as<fr_matmul>();
      work.macs += std::uint64_t{m.m} * m.n * m.k;
      if (m.m == 0 || m.n == 0 || m.k == 0) return;
      work.array_cycles += ip::TensorCore::ideal_cycles({.rows = tensor.rows,
                                                         .columns = tensor.columns,
                                                         .arrays = tensor.arrays,
                                                         .dot = tensor.dot,
                                                         .double_buffered = tensor.double_buffered},
                                                        m.m, m.n, m.k);
      const auto groups = divide_up(m.n, std::uint64_t{tensor.columns} * tensor.arrays);
      const bool adds = (m.flags & FR_MATMUL_ACCUMULATE) != 0;
      work.scratchpad_bytes += ip::row_bytes(m.a_type, std::uint64_t{m.m} * m.k) * groups +
                               ip::row_bytes(m.b_type, std::uint64_t{m.k} * m.n) +
                               ip::row_bytes(m.c_type, std::uint64_t{m.m} * m.n) * (adds ? 2 : 1);
      return;
    }
    case FR_OP_VECTOR: {
      const auto v = command.as<fr_vector>();
      const auto traffic = ip::vector_traffic(v);
      work.vector_cycles += soc_.clusters[c]->vector.ideal_cycles(v);
      work.scratchpad_bytes += traffic.read + traffic.written;
      return;
    }
    default:
      return;
  }
}

}  // namespace forerun::sim
