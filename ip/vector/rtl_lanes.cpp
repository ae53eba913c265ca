// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/rtl_lanes.hpp"

#include <fmt/format.h>

#include <cstring>

#include "ip/vector/operations.hpp"

namespace forerun::ip {
namespace {

void put(unsigned char* pin, std::uint32_t value, std::size_t bytes) {
  if (pin != nullptr) std::memcpy(pin, &value, bytes);
}

}  // namespace

RtlLanes::RtlLanes(std::unique_ptr<RtlEngine> engine, Frequency clock)
    : engine_(std::move(engine)), period_ps_(period(clock).picoseconds) {
  reset();
}

std::string RtlLanes::why_not(const fr_vector& c) const {
  const auto& p = engine_->pins;
  const auto name = vector_operation_name(c.op);
  if (!p.operations[c.op]) return name + ", which the RTL does not have";
  for (const auto& source : vector_sources(c))
    if (!p.types[source.type]) return fmt::format("operands of type {}", element_type_name(source.type));
  if (!p.types[c.d_type]) return fmt::format("results of type {}", element_type_name(c.d_type));
  if (c.op == FR_VECTOR_QUANTIZE && c.d_type != FR_TYPE_I8)
    return fmt::format("QUANTIZE to {}", element_type_name(c.d_type));
  if (c.op == FR_VECTOR_QUANTIZE && c.arg0 != 0 && c.arg0 < c.cols) return "QUANTIZE by groups of columns";
  if (vector_cost(c).passes > 1 && c.cols > p.most_columns)
    return fmt::format("rows of more than {} columns in several passes", p.most_columns);
  if (overwrites_operands(c)) return "results over operands of later rows";
  return {};
}

std::optional<std::uint64_t> RtlLanes::begin(const fr_vector& command, std::span<const unsigned char> memory,
                                             std::int64_t start_ps) {
  if (auto reason = why_not(command); !reason.empty()) {
    ++statistics_.fall_backs[reason];
    return std::nullopt;
  }
  return run(command, operand_beats(command, memory, engine_->pins.lanes), start_ps);
}

void RtlLanes::reset() {
  auto& p = engine_->pins;
  put(p.cmd_valid, 0, 1);
  for (auto& operand : p.operands) put(operand.valid, 0, 1);
  put(p.d_ready, 1, 1);
  for (const bool active : {true, true, false}) {
    *p.reset = active == p.reset_level ? 1 : 0;
    *p.clock = 0;
    p.evaluate(p.model);
    if (!active) break;
    *p.clock = 1;
    p.evaluate(p.model);
  }
}

void RtlLanes::offer_command() {
  auto& p = engine_->pins;
  const auto& c = command_;
  put(p.cmd_op, c.op, 1), put(p.cmd_flags, c.flags, 1);
  put(p.cmd_a_type, c.a_type, 1), put(p.cmd_b_type, c.b_type, 1), put(p.cmd_c_type, c.c_type, 1);
  put(p.cmd_d_type, c.d_type, 1);
  put(p.cmd_rows, c.rows, 4), put(p.cmd_cols, c.cols, 4);
  put(p.cmd_arg0, c.arg0, 4), put(p.cmd_arg1, c.arg1, 4), put(p.cmd_arg2, c.arg2, 4),
      put(p.cmd_arg3, c.arg3, 4);
  put(p.cmd_valid, 1, 1);
}

void RtlLanes::offer_operands(unsigned held) {
  for (unsigned i = 0; i < 3; ++i) {
    auto& operand = engine_->pins.operands[i];
    const bool there = next_[i] * beats_.lanes < beats_.operand[i].size();
    // What was offered and not taken stays.
    offered_[i] = there && (offered_[i] || (held >> i & 1) == 0);
    put(operand.valid, offered_[i] ? 1 : 0, 1);
    if (there && operand.data != nullptr)
      std::memcpy(operand.data, &beats_.operand[i][next_[i] * beats_.lanes], std::size_t{beats_.lanes} * 4);
  }
}

void RtlLanes::stuck(const std::string& what) const {
  throw LaneError(fmt::format("{}: cycle {}: {}", describe(), cycle_, what));
}

void RtlLanes::dump(std::int64_t after_the_cycles_start) {
  if (engine_->pins.dump && cycle_ >= dump_first_ && cycle_ <= dump_last_)
    engine_->pins.dump(start_ps_ + static_cast<std::int64_t>(cycle_) * period_ps_ + after_the_cycles_start);
}

void RtlLanes::settle() {
  auto& p = engine_->pins;
  *p.clock = 0;
  p.evaluate(p.model);
  dump(0);
}

void RtlLanes::edge() {
  auto& p = engine_->pins;
  *p.clock = 1;
  p.evaluate(p.model);
  dump(period_ps_ / 2);
  ++cycle_;
  ++statistics_.cycles;
}

void RtlLanes::take_result() {
  const auto& p = engine_->pins;
  const auto at = result_cycles_.size();
  if (at == beats_.results) stuck("a beat of results more than the command has");
  if (p.d_last != nullptr && (*p.d_last != 0) != (at + 1 == beats_.results))
    stuck(*p.d_last != 0 ? "d_last before the last beat of results"
                         : "d_last is low with the last beat of results");
  std::memcpy(&results_[at * beats_.lanes], p.d_data, std::size_t{beats_.lanes} * 4);
  if (p.d_scale != nullptr) std::memcpy(&scales_[at * command_.rows / beats_.results], p.d_scale, 4);
  result_cycles_.push_back(cycle_);
}

std::uint64_t RtlLanes::run(const fr_vector& command, OperandBeats beats, std::int64_t start_ps) {
  const Stopwatch watch(statistics_.host_seconds);
  if (!clean_) reset();
  clean_ = false;
  command_ = command;
  beats_ = std::move(beats);
  start_ps_ = start_ps;
  cycle_ = 0;
  results_.resize(beats_.results * beats_.lanes);
  scales_.assign(command.rows, 0);
  result_cycles_.clear();
  for (unsigned i = 0; i < 3; ++i) next_[i] = 0, offered_[i] = false;
  const auto& p = engine_->pins;
  ++statistics_.commands;
  offer_command();
  bool told = false;
  for (unsigned still = 0; result_cycles_.size() < beats_.results || !told; ++still) {
    if (still > 100'000)
      stuck(fmt::format("nothing has moved for {} cycles; {} of {} beats of results are there", still - 1,
                        result_cycles_.size(), beats_.results));
    const auto held = stalls ? stalls() : 0;
    offer_operands(held);
    put(p.d_ready, (held >> 3 & 1) != 0 ? 0 : 1, 1);
    put(p.cmd_valid, told ? 0 : 1, 1);
    settle();
    if (*p.d_valid != 0 && (held >> 3 & 1) == 0) take_result(), still = 0;
    if (!told && *p.cmd_ready != 0) told = true;
    bool taken[3];
    for (unsigned i = 0; i < 3; ++i) taken[i] = offered_[i] && *p.operands[i].ready != 0;
    edge();
    for (unsigned i = 0; i < 3; ++i)
      if (taken[i]) ++next_[i], offered_[i] = false, still = 0;
  }
  put(p.cmd_valid, 0, 1);
  for (unsigned i = 0; i < 3; ++i) {
    put(p.operands[i].valid, 0, 1);
    if (next_[i] * beats_.lanes != beats_.operand[i].size())
      stuck(fmt::format("{} of {} beats of operand {} were taken", next_[i],
                        beats_.operand[i].size() / beats_.lanes, "abc"[i]));
  }
  clean_ = true;
  return cycle_;
}

void RtlLanes::end(std::span<unsigned char> memory) {
  store_results(command_, beats_.lanes, results_, scales_, memory);
}

std::string RtlLanes::describe() const {
  return fmt::format("{} {}x{}, {} to {}, on {} lanes", vector_operation_name(command_.op), command_.rows,
                     command_.cols, element_type_name(command_.a_type), element_type_name(command_.d_type),
                     engine_->pins.lanes);
}

}  // namespace forerun::ip
