// SPDX-License-Identifier: Apache-2.0
#include "ip/dma/collective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ip/base/local_range.hpp"

namespace forerun::ip {

Collective::Collective(const sc_core::sc_module_name& name, const DmaParameters& parameters,
                       std::uint64_t local_bytes)
    : Engine(name, parameters.queue_depth),
      global("global"),
      local("local"),
      parameters_(parameters),
      clock_(parameters.clock),
      local_bytes_(local_bytes),
      pool_(static_cast<std::uint32_t>(parameters.burst.count)),
      local_pool_(static_cast<std::uint32_t>(parameters.burst.count)),
      flights_(parameters.outstanding) {
  global.register_nb_transport_bw(this, &Collective::nb_transport_bw);
}

void Collective::add_turns(Turns& turns) {
  turns.add(issue_, *this, [this] { issue(); });
  turns.add(look_, *this, [this] { look(); });
  semaphores().watch([this] {
    if (phase_ == Phase::wait) look_.now();
  });
}

// Members

unsigned Collective::relative(unsigned other) const {
  const auto columns = c_.columns, rows = c_.members / columns;
  return (other % columns + columns - c_.own % columns) % columns +
         columns * ((other / columns + rows - c_.own / columns) % rows);
}

unsigned Collective::further(unsigned distance) const {
  const auto columns = c_.columns, rows = c_.members / columns;
  return (c_.own % columns + distance % columns) % columns +
         columns * ((c_.own / columns + distance / columns) % rows);
}

std::uint64_t Collective::there(unsigned member, std::uint64_t address) const {
  return member == c_.own ? address : c_.window + member * c_.window_stride + address;
}

// Steps

std::optional<LocalFault> Collective::prepare() {
  if (c_.members == 0 || c_.members > FR_MEMBERS) return LocalFault{FR_ERROR_COMMAND, c_.members};
  if (c_.columns == 0 || c_.members % c_.columns != 0) return LocalFault{FR_ERROR_COMMAND, c_.columns};
  if (c_.own >= c_.members) return LocalFault{FR_ERROR_COMMAND, c_.own};
  if (c_.slots != 0 && c_.slots != c_.members) return LocalFault{FR_ERROR_COMMAND, c_.slots};
  if (c_.wait > 0xffff) return LocalFault{FR_ERROR_COMMAND, c_.wait};
  if (c_.semaphore >= FR_SEMAPHORES) return LocalFault{FR_ERROR_SEMAPHORE, c_.semaphore};
  if (reduces() && c_.slot_bytes % 4 != 0) return LocalFault{FR_ERROR_COMMAND, c_.slot_bytes};
  if (c_.rows == 0) return std::nullopt;
  const bool scatters = current().header().opcode == FR_OP_REDUCE_SCATTER;
  if (const auto sent = std::uint64_t{c_.bytes} * (scatters ? c_.members : 1); sent > 0)
    if (const auto fault = check_rows(c_.source, c_.rows, sent, c_.source_stride, local_bytes_)) return fault;
  if (const auto got = std::uint64_t{c_.slot_bytes} * (reduces() ? 1 : std::max(1u, c_.slots)); got > 0)
    return check_rows(c_.result, c_.rows, got, c_.result_stride, local_bytes_);
  return std::nullopt;
}

void Collective::start(const Command& command) {
  busy_until_ = now_picoseconds();
  fault_.reset();
  if (command.header().opcode == FR_OP_COLLECTIVE_NOP) {
    c_ = {};
    phase_ = Phase::read;
    exhausted_ = true;
    return look_.after(clock_.cycles(1));
  }
  c_ = command.as<fr_collective>();
  fault_ = prepare();
  if (fault_) {
    phase_ = Phase::send;
    return look_.after(clock_.cycles(1));
  }
  begin(Phase::send);
  issue_.after(clock_.cycles(parameters_.overhead));
}

void Collective::begin(Phase phase) {
  phase_ = phase;
  turn_ = 0;
  exhausted_ = false;
  cursors_.clear();
  switch (phase) {
    case Phase::send:
      exhausted_ = c_.rows == 0 || c_.bytes == 0;
      for (unsigned i = 0; i < c_.members; ++i) {  // this one is slot (-i) of the member that lies i further
        const auto member = further((i + 1) % c_.members);
        const auto back = relative(member);
        const auto columns = c_.columns, rows = c_.members / columns;
        const auto slot = (columns - back % columns) % columns + columns * ((rows - back / columns) % rows);
        cursors_.push_back({there(member, c_.global) + slot * static_cast<std::uint64_t>(c_.slot_stride)});
      }
      break;
    case Phase::post:
      exhausted_ = c_.post_count == 0;
      break;
    case Phase::read:
      exhausted_ = c_.rows == 0 || c_.slot_bytes == 0;
      for (unsigned i = 0; i < std::max(1u, c_.slots); ++i)
        cursors_.push_back({c_.read + i * static_cast<std::uint64_t>(c_.slot_stride)});
      break;
    default:
      waiting_since_ = now_picoseconds();
      break;
  }
}

/// After the last answer of a step.
void Collective::next_phase() {
  switch (phase_) {
    case Phase::send:
      begin(Phase::post);
      return parameters_.post_overhead.picoseconds > 0 ? issue_.after(to_sc_time(parameters_.post_overhead)) : issue_.now();
    case Phase::post:
      begin(Phase::wait);
      return look();
    case Phase::wait:
      begin(Phase::read);
      return issue_.now();
    default:
      phase_ = Phase::idle;
      return finish();
  }
}

void Collective::look() {
  if (phase_ == Phase::idle || in_flight_ > 0) return;
  if (fault_) {
    phase_ = Phase::idle;
    return fail(*fault_);
  }
  if (phase_ == Phase::wait) {
    if (!semaphores().try_take(c_.semaphore, c_.wait)) return;
    post_time += static_cast<std::uint64_t>(now_picoseconds() - waiting_since_);
    return next_phase();
  }
  if (!exhausted_) return;
  if (busy_until_ > now_picoseconds())
    return look_.after(to_sc_time({busy_until_ - now_picoseconds()}));
  next_phase();
}

// Transactions

std::uint32_t Collective::burst(std::uint64_t address, std::uint32_t left) const {
  const auto size = parameters_.burst.count;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, size - address % size));
}

void Collective::issue() {
  while (phase_ != Phase::idle && phase_ != Phase::wait && requesting_ == nullptr && !fault_ &&
         in_flight_ < flights_.size()) {
    const bool more = !exhausted_ && (phase_ == Phase::send   ? issue_write()
                                      : phase_ == Phase::post ? issue_post()
                                                              : issue_read());
    if (!more) break;
    if (parameters_.timing == Timing::loose) return;  // the next one starts a cycle later
  }
  if (in_flight_ == 0) look_.now();
}

bool Collective::issue_write() {
  auto& cursor = cursors_[turn_];
  const auto member = further(static_cast<unsigned>(turn_ + 1) % c_.members);
  const auto address = cursor.base + static_cast<std::uint64_t>(cursor.row * c_.row_stride) + cursor.at;
  const auto length = burst(address, c_.bytes - cursor.at);
  const bool scatters = current().header().opcode == FR_OP_REDUCE_SCATTER;
  const auto from = c_.source + static_cast<std::uint64_t>(std::int64_t{cursor.row} * c_.source_stride) +
                    cursor.at + (scatters ? std::uint64_t{member} * c_.bytes : 0);
  cursor.at += length;
  if (cursor.at == c_.bytes) cursor.at = 0, ++cursor.row;
  for (std::size_t tried = 0; tried < cursors_.size(); ++tried) {
    turn_ = (turn_ + 1) % cursors_.size();
    if (cursors_[turn_].row < c_.rows) break;
  }
  exhausted_ = cursors_[turn_].row >= c_.rows;
  send(tlm::TLM_WRITE_COMMAND, address, from, length);
  return true;
}

bool Collective::issue_post() {
  const auto member = further(static_cast<unsigned>(turn_ / c_.post_count + 1) % c_.members);
  const auto address = there(member, c_.post + turn_ % c_.post_count * c_.post_stride);
  exhausted_ = ++turn_ == std::size_t{c_.members} * c_.post_count;
  send(tlm::TLM_WRITE_COMMAND, address, 0, 4);
  return true;
}

/// A burst of each piece in turn where they are added up, else piece by piece.
bool Collective::issue_read() {
  auto& cursor = cursors_[turn_];
  const auto offset = static_cast<std::uint64_t>(cursor.row * c_.row_stride) + cursor.at;
  auto left = c_.slot_bytes - cursor.at;
  std::uint64_t to =
      c_.result + static_cast<std::uint64_t>(std::int64_t{cursor.row} * c_.result_stride) + cursor.at;
  const auto slot = static_cast<unsigned>(turn_);
  std::uint32_t group = 0;
  if (reduces()) {
    for (const auto& c : cursors_) left = std::min(left, burst(c.base + offset, left));
    if (turn_ == 0) {
      if (free_groups_.empty()) {
        free_groups_.push_back(static_cast<std::uint32_t>(groups_.size()));
        groups_.emplace_back();
      }
      filling_ = free_groups_.back();
      free_groups_.pop_back();
      auto& g = groups_[filling_];
      g.local = to, g.length = left, g.missing = static_cast<std::uint32_t>(cursors_.size());
      g.values.assign(cursors_.size() * left / 4, 0);
    }
    group = filling_;
  } else if (c_.slots != 0) {
    to += std::uint64_t{further(slot)} * c_.slot_bytes;
  }
  const auto length = reduces() ? left : burst(cursor.base + offset, left);
  const auto address = cursor.base + offset;
  cursor.at += length;
  if (cursor.at == c_.slot_bytes) cursor.at = 0, ++cursor.row;
  const bool over = cursor.row == c_.rows;
  if (reduces())
    turn_ = (turn_ + 1) % cursors_.size();
  else if (over)
    ++turn_;
  exhausted_ = over && (slot + 1 == cursors_.size());
  send(tlm::TLM_READ_COMMAND, address, to, length, group, c_.slots == 0 ? 0 : further(slot));
  return true;
}

void Collective::send(tlm::tlm_command direction, std::uint64_t address, std::uint64_t local_address,
                      std::uint32_t length, std::uint32_t group, std::uint32_t member) {
  auto& payload = pool_.acquire(direction, address, length, phase_ != Phase::post && !parameters_.data);
  auto& flight =
      *std::find_if(flights_.begin(), flights_.end(), [](const Flight& f) { return f.payload == nullptr; });
  flight = {&payload, local_address, group, member};
  ++in_flight_;
  ++transactions;
  if (phase_ == Phase::post) {
    const std::uint32_t value = c_.semaphore | 1u << 16;
    std::memcpy(payload.get_data_ptr(), &value, 4);
  } else if (phase_ == Phase::send) {
    std::int64_t delay = 0;
    move_local(tlm::TLM_READ_COMMAND, local_address, payload.get_data_ptr(), length, delay);
  }
  auto delay = sc_core::SC_ZERO_TIME;
  if (parameters_.timing == Timing::loose) {
    global->b_transport(payload, delay);
    complete(payload, to_picoseconds(delay));
    if (!fault_) issue_.after(clock_.cycles(1));
    return;
  }
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  requesting_ = &payload;
  const auto answer = global->nb_transport_fw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) return;
  requesting_ = nullptr;
  if (answer == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP) complete(payload, to_picoseconds(delay));
}

tlm::tlm_sync_enum Collective::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  if (requesting_ == &payload) {
    requesting_ = nullptr;
    issue_.now();
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  complete(payload, to_picoseconds(delay));
  return tlm::TLM_COMPLETED;
}

void Collective::move_local(tlm::tlm_command direction, std::uint64_t address, unsigned char* data,
                            std::uint32_t length, std::int64_t& delay_ps) {
  auto& payload = local_pool_.acquire(direction, address, length, !parameters_.data);
  auto* const own = payload.get_data_ptr();
  payload.set_data_ptr(data);
  auto delay = to_sc_time({delay_ps});
  local->b_transport(payload, delay);
  delay_ps = to_picoseconds(delay);
  payload.set_data_ptr(own);
  payload.release();
}

/// Read data has arrived: into the scratchpad, or into the sum.
void Collective::take(const Flight& flight, std::int64_t& delay_ps) {
  auto* const data = flight.payload->get_data_ptr();
  const auto length = flight.payload->get_data_length();
  bytes_read += length;
  if (!reduces()) return move_local(tlm::TLM_WRITE_COMMAND, flight.local, data, length, delay_ps);
  auto& group = groups_[flight.group];
  const auto count = group.length / 4;
  std::memcpy(group.values.data() + flight.member * count, data, length);
  if (--group.missing > 0) return;
  for (std::size_t m = 1; m < group.values.size() / count && parameters_.data; ++m)
    for (std::size_t i = 0; i < count; ++i) group.values[i] += group.values[m * count + i];
  move_local(tlm::TLM_WRITE_COMMAND, group.local, reinterpret_cast<unsigned char*>(group.values.data()),
             group.length, delay_ps);
  free_groups_.push_back(flight.group);
}

void Collective::complete(tlm::tlm_generic_payload& payload, std::int64_t delay_ps) {
  auto& flight =
      *std::find_if(flights_.begin(), flights_.end(), [&](const Flight& f) { return f.payload == &payload; });
  --in_flight_;
  if (!abandoned_) {
    if (payload.get_response_status() <= tlm::TLM_INCOMPLETE_RESPONSE) {
      if (!fault_) fault_ = LocalFault{FR_ERROR_BUS, payload.get_address()};
    } else if (phase_ == Phase::read) {
      take(flight, delay_ps);
    } else if (phase_ == Phase::send) {
      bytes_sent += payload.get_data_length();
    }
    busy_until_ = std::max(busy_until_, now_picoseconds() + delay_ps);
    if (parameters_.timing == Timing::approximate) issue_.now();
  }
  flight.payload = nullptr;
  payload.release();
  if (in_flight_ > 0) return;
  if (abandoned_) {
    abandoned_ = false;
    wake();
  } else {
    look_.now();
  }
}

void Collective::abandon() {
  phase_ = Phase::idle;
  abandoned_ = in_flight_ > 0;
  requesting_ = nullptr;
  groups_.clear();
  free_groups_.clear();
  issue_.cancel();
  look_.cancel();
}

std::string Collective::describe_block() const {
  if (phase_ != Phase::wait) return Engine::describe_block();
  return fmt::format("waits for {} of {} posts to semaphore {}, command at byte {:#x}, tag {}",
                     c_.wait - semaphores().count(c_.semaphore), c_.wait, c_.semaphore, current().offset,
                     current().header().tag);
}

}  // namespace forerun::ip
