// SPDX-License-Identifier: Apache-2.0
#include "ip/dma/dma.hpp"

#include <algorithm>

#include "ip/base/local_range.hpp"

namespace forerun::ip {

Dma::Dma(const sc_core::sc_module_name& name, const DmaParameters& parameters, std::uint64_t local_bytes)
    : Engine(name, parameters.queue_depth),
      global("global"),
      local("local"),
      parameters_(parameters),
      clock_(parameters.clock),
      local_bytes_(local_bytes),
      pool_(static_cast<std::uint32_t>(parameters.burst.count)),
      local_pool_(static_cast<std::uint32_t>(parameters.burst.count)),
      flights_(parameters.outstanding) {
  global.register_nb_transport_bw(this, &Dma::nb_transport_bw);
}

void Dma::add_turns(Turns& turns) {
  turns.add(issue_, *this, [this] { issue(); });
  turns.add(end_, *this, [this] { end_if_done(); });
}

std::optional<LocalFault> Dma::prepare(const Command& command) {
  at_ = {};
  position_ = 0;
  exhausted_ = false;
  runs_ = {};
  switch (command.header().opcode) {
    case FR_OP_LOAD:
    case FR_OP_STORE: {
      copy_ = command.as<fr_copy>();
      direction_ = command.header().opcode == FR_OP_LOAD ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND;
      phase_ = Phase::copy;
      size_ = {copy_.bytes, copy_.size1, copy_.size2, copy_.size3};
      global_stride_ = {0, copy_.global_stride1, copy_.global_stride2, copy_.global_stride3};
      local_stride_ = {0, copy_.local_stride1, copy_.local_stride2, copy_.local_stride3};
      if (std::find(size_.begin(), size_.end(), 0u) != size_.end()) {
        exhausted_ = true;
        return std::nullopt;
      }
      auto low = static_cast<std::int64_t>(copy_.local), high = low;
      for (std::size_t d = 1; d < 4; ++d) {
        const auto reach = static_cast<std::int64_t>(size_[d] - 1) * local_stride_[d];
        (reach < 0 ? low : high) += reach;
      }
      high += static_cast<std::int64_t>(size_[0]);
      if (low < 0 || high > static_cast<std::int64_t>(local_bytes_))
        return LocalFault{FR_ERROR_LOCAL_RANGE, static_cast<std::uint64_t>(low < 0 ? low : high - 1)};
      merge_dimensions();
      return std::nullopt;
    }
    case FR_OP_GATHER:
      gather_ = command.as<fr_gather>();
      direction_ = tlm::TLM_READ_COMMAND;
      phase_ = Phase::indices;
      size_ = {gather_.bytes, gather_.count, 1, 1};
      global_stride_ = {0, static_cast<std::int64_t>(gather_.table_stride), 0, 0};
      local_stride_ = {0, gather_.local_stride, 0, 0};
      copy_.global = gather_.table;
      copy_.local = gather_.local;
      exhausted_ = gather_.count == 0 || gather_.bytes == 0;
      if (exhausted_) return std::nullopt;
      if (gather_.count > local_bytes_ / 4) return LocalFault{FR_ERROR_COMMAND, gather_.count};
      if (gather_.limit == 0) return LocalFault{FR_ERROR_COMMAND, gather_.limit};
      indices_.resize(gather_.count);
      return check_rows(gather_.local, gather_.count, gather_.bytes, gather_.local_stride, local_bytes_);
    case FR_OP_POST:
      post_ = command.as<fr_post>();
      phase_ = Phase::post;
      exhausted_ = post_.count == 0;
      if (post_.semaphore >= FR_SEMAPHORES) return LocalFault{FR_ERROR_SEMAPHORE, post_.semaphore};
      if (post_.amount == 0 || post_.amount > 0xffff) return LocalFault{FR_ERROR_COMMAND, post_.amount};
      return std::nullopt;
    default:  // LOAD_NOP, STORE_NOP
      phase_ = Phase::copy;
      exhausted_ = true;
      return std::nullopt;
  }
}

void Dma::merge_dimensions() {
  for (bool merged = true; merged;) {
    merged = false;
    for (std::size_t d = 1; d < 4; ++d)
      if (size_[d] == 1 && d < 3) {  // an inner dimension of one run: pull the outer ones in
        for (std::size_t e = d; e < 3; ++e)
          size_[e] = size_[e + 1], global_stride_[e] = global_stride_[e + 1], local_stride_[e] = local_stride_[e + 1];
        size_[3] = 1;
        if (std::any_of(size_.begin() + static_cast<std::ptrdiff_t>(d), size_.end(), [](auto n) { return n != 1; })) merged = true;
      }
    const auto run = static_cast<std::int64_t>(size_[0]);
    if (size_[1] > 1 && global_stride_[1] == run && local_stride_[1] == run) {
      size_[0] *= size_[1];
      size_[1] = 1;
      merged = true;
    }
  }
  // In one piece in the global address space alone.
  if (size_[1] > 1 && !copier_ && global_stride_[1] == static_cast<std::int64_t>(size_[0])) {
    runs_ = {size_[0], local_stride_[1], 0};
    size_[0] *= size_[1];
    for (std::size_t d = 1; d < 3; ++d) size_[d] = size_[d + 1], global_stride_[d] = global_stride_[d + 1], local_stride_[d] = local_stride_[d + 1];
    size_[3] = 1;
  }
}

template <typename Move>
void Dma::for_each_piece(const Flight& flight, std::uint32_t length, const Move& move) const {
  const auto& runs = flight.runs;
  if (runs.bytes == 0) return move(flight.local, 0, length);
  auto address = flight.local;
  auto left = static_cast<std::uint32_t>(runs.bytes - runs.done);
  for (std::uint32_t at = 0; at < length; left = static_cast<std::uint32_t>(runs.bytes)) {
    const auto piece = std::min(left, length - at);
    move(address, at, piece);
    at += piece;
    address += static_cast<std::uint64_t>(static_cast<std::int64_t>(piece) + runs.stride - static_cast<std::int64_t>(runs.bytes));
  }
}

namespace {
bool is_copy(unsigned opcode) { return opcode == FR_OP_LOAD || opcode == FR_OP_STORE; }
}  // namespace

bool Dma::accepts(const Command& next) const {
  return parameters_.timing == Timing::approximate && !copier_ && exhausted_ && !fault_ && is_copy(current().header().opcode) &&
         is_copy(next.header().opcode);
}

void Dma::start(const Command& command) {
  const auto fault = prepare(command);
  open_.push_back({0, now_picoseconds()});
  if (fault) note(*fault, first_open_ + open_.size() - 1);
  if (fault || exhausted_) {
    exhausted_ = true;
    open_.back().busy_until += clock_.cycles_to_ps(1);
    return end_.after(clock_.cycles(1));
  }
  const bool copies = copier_ && phase_ != Phase::post;
  by_copier_ = copies && copier_takes();
  left_to_model_ += copies && !by_copier_;
  auto setup = clock_.cycles_to_ps(parameters_.overhead);
  if (phase_ == Phase::post) setup += parameters_.post_overhead.picoseconds;
  issue_from_ = now_picoseconds() + setup;
  issue_.after(to_sc_time({setup}));
}

/// The first command that met an error is the one that fails.
void Dma::note(LocalFault fault, std::uint64_t owner) {
  if (fault_ && fault_of_ <= owner) return;
  fault_ = fault;
  fault_of_ = owner;
}

bool Dma::next_burst(std::uint64_t& global_address, std::uint64_t& local_address, std::uint32_t& length) {
  if (exhausted_) return false;
  const auto offset = [this](const std::array<std::int64_t, 4>& stride) {
    std::int64_t sum = static_cast<std::int64_t>(at_[0]);
    for (std::size_t d = 1; d < 4; ++d) sum += static_cast<std::int64_t>(at_[d]) * stride[d];
    return static_cast<std::uint64_t>(sum);
  };
  global_address = copy_.global + offset(global_stride_);
  if (phase_ == Phase::copy && gathering())
    global_address = gather_.table + (parameters_.rows_in_place ? indices_[at_[1]] : at_[1] % gather_.limit) * gather_.table_stride + at_[0];
  local_address = copy_.local + offset(local_stride_);
  if (runs_.bytes != 0) {
    runs_.done = at_[0] % runs_.bytes;
    local_address += at_[0] / runs_.bytes * static_cast<std::uint64_t>(runs_.stride - static_cast<std::int64_t>(runs_.bytes));
  }
  const auto burst = parameters_.burst.count;
  length = static_cast<std::uint32_t>(std::min(size_[0] - at_[0], burst - global_address % burst));
  at_[0] += length;
  for (std::size_t d = 0; d < 4 && at_[d] == size_[d]; ++d) {
    at_[d] = 0;
    if (d == 3)
      exhausted_ = true;
    else
      ++at_[d + 1];
  }
  return true;
}

void Dma::issue() {
  if (const auto now = now_picoseconds(); now < issue_from_) return issue_.after(to_sc_time({issue_from_ - now}));
  while (phase_ != Phase::idle && requesting_ == nullptr && !fault_ && in_flight_ < flights_.size()) {
    std::uint64_t global_address = 0, local_address = 0;
    std::uint32_t length = 0;
    if (phase_ == Phase::indices) {
      const std::uint64_t total = std::uint64_t{gather_.count} * 4;
      if (position_ == total) break;  // the last of them come back first
      global_address = gather_.indices + position_;
      length = static_cast<std::uint32_t>(
          std::min(total - position_, parameters_.burst.count - global_address % parameters_.burst.count));
      local_address = position_;
      position_ += length;
      send(tlm::TLM_READ_COMMAND, global_address, local_address, length, false);
    } else if (phase_ == Phase::copy && by_copier_) {
      if (exhausted_ || copying_) break;
      return start_copy();
    } else if (phase_ == Phase::copy) {
      const auto row = at_[1], skip = at_[0];
      if (!next_burst(global_address, local_address, length)) break;
      send(direction_, global_address, local_address, length, (gathering() && !parameters_.rows_in_place) || !parameters_.data, row << 32 | skip);
      if (exhausted_) wake();
    } else {
      if (exhausted_) break;
      const auto target = position_++;
      exhausted_ = position_ == post_.count;
      if (target == post_.skip) continue;
      send(tlm::TLM_WRITE_COMMAND, post_.address + target * post_.stride, 0, 4, false);
    }
    if (parameters_.timing == Timing::loose) return;  // the next one starts a cycle later
  }
  if (in_flight_ == 0) end_.now();
}

void Dma::send(tlm::tlm_command direction, std::uint64_t address, std::uint64_t local_address, std::uint32_t length,
               bool timing_only, std::uint64_t source) {
  auto& payload = pool_.acquire(direction, address, length, timing_only);
  auto& flight = *std::find_if(flights_.begin(), flights_.end(), [](const Flight& f) { return f.payload == nullptr; });
  flight = {&payload, local_address, source, now_picoseconds(), first_open_ + open_.size() - 1, runs_};
  ++open_.back().in_flight;
  ++in_flight_;
  ++transactions;
  if (phase_ == Phase::post) {
    const std::uint32_t value = post_.semaphore | post_.amount << 16;
    std::memcpy(payload.get_data_ptr(), &value, 4);
  } else if (direction == tlm::TLM_WRITE_COMMAND) {
    std::int64_t delay = 0;
    for_each_piece(flight, length, [&](std::uint64_t place, std::uint32_t at, std::uint32_t piece) {
      move_local(tlm::TLM_READ_COMMAND, place, payload.get_data_ptr() + at, piece, delay);
    });
  }
  if (parameters_.timing == Timing::loose) {
    auto delay = sc_core::SC_ZERO_TIME;
    global->b_transport(payload, delay);
    complete(payload, to_picoseconds(delay));
    if (!fault_) issue_.after(clock_.cycles(1));
    return;
  }
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  auto delay = sc_core::SC_ZERO_TIME;
  requesting_ = &payload;
  switch (global->nb_transport_fw(payload, phase, delay)) {
    case tlm::TLM_COMPLETED:
      requesting_ = nullptr;
      complete(payload, to_picoseconds(delay));
      break;
    case tlm::TLM_UPDATED:
      requesting_ = nullptr;
      if (phase == tlm::BEGIN_RESP) complete(payload, to_picoseconds(delay));
      break;
    case tlm::TLM_ACCEPTED:
      break;
  }
}

tlm::tlm_sync_enum Dma::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const auto flight =
      std::find_if(copier_flights_.begin(), copier_flights_.end(), [&](const Flight& f) { return f.payload == &payload; });
  if (flight != copier_flights_.end()) {
    if (phase == tlm::BEGIN_RESP) {
      latency_sum += static_cast<std::uint64_t>(now_picoseconds() + to_picoseconds(delay) - flight->sent);
      copier_flights_.erase(flight);
    }
    return copier_->from_global(payload, phase, delay);
  }
  if (requesting_ == &payload) {
    requesting_ = nullptr;
    issue_.now();
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  complete(payload, to_picoseconds(delay));
  return tlm::TLM_COMPLETED;
}

void Dma::move_local(tlm::tlm_command direction, std::uint64_t address, unsigned char* data, std::uint32_t length,
                     std::int64_t& delay_ps) {
  auto& payload = local_pool_.acquire(direction, address, length, !parameters_.data);
  auto* const own = payload.get_data_ptr();
  payload.set_data_ptr(data);
  auto delay = to_sc_time({delay_ps});
  local->b_transport(payload, delay);
  delay_ps = to_picoseconds(delay);
  payload.set_data_ptr(own);
  payload.release();
}

void Dma::read_gather_row(std::uint64_t row, std::uint64_t skip, unsigned char* data, std::uint32_t length) {
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_address(gather_.table + indices_[row] * gather_.table_stride + skip);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  payload.set_streaming_width(length);
  if (global->transport_dbg(payload) != length) note({FR_ERROR_BUS, payload.get_address()}, first_open_);
}

void Dma::complete(tlm::tlm_generic_payload& payload, std::int64_t delay_ps) {
  auto& flight =
      *std::find_if(flights_.begin(), flights_.end(), [&](const Flight& f) { return f.payload == &payload; });
  --in_flight_;
  latency_sum += static_cast<std::uint64_t>(now_picoseconds() + delay_ps - flight.sent);
  if (!abandoned_) {
    auto& command = open_[flight.owner - first_open_];
    --command.in_flight;
    const auto length = payload.get_data_length();
    if (payload.get_response_status() <= tlm::TLM_INCOMPLETE_RESPONSE) {
      note({FR_ERROR_BUS, payload.get_address()}, flight.owner);
    } else if (phase_ == Phase::indices) {
      std::memcpy(reinterpret_cast<unsigned char*>(indices_.data()) + flight.local, payload.get_data_ptr(), length);
    } else if (phase_ == Phase::copy) {
      bytes_moved += length;
      if (payload.is_read()) {
        if (parameters_.data && gathering() && !parameters_.rows_in_place)
          read_gather_row(flight.source >> 32, flight.source & 0xffffffff, payload.get_data_ptr(), length);
        for_each_piece(flight, length, [&](std::uint64_t place, std::uint32_t at, std::uint32_t piece) {
          move_local(tlm::TLM_WRITE_COMMAND, place, payload.get_data_ptr() + at, piece, delay_ps);
        });
      }
    }
    command.busy_until = std::max(command.busy_until, now_picoseconds() + delay_ps);
    if (in_flight_ == 0 && phase_ == Phase::indices && !fault_ && position_ == std::uint64_t{gather_.count} * 4) {
      const auto bad = std::find_if(indices_.begin(), indices_.end(), [&](auto index) { return index >= gather_.limit; });
      if (bad != indices_.end())
        note({FR_ERROR_INDEX, *bad}, flight.owner);
      else
        phase_ = Phase::copy;
    }
    if (command.in_flight == 0) end_.now();
    if (parameters_.timing == Timing::approximate) issue_.now();
  }
  flight.payload = nullptr;
  payload.release();
  if (in_flight_ == 0) landed();
}

void Dma::landed() {
  if (abandoned_) {
    abandoned_ = false;
    wake();
  }
}

void Dma::end_if_done() {
  while (!open_.empty() && open_.front().in_flight == 0) {
    const bool youngest = open_.size() == 1, failed = fault_ && fault_of_ == first_open_;
    if (youngest && !exhausted_ && !failed) return;
    if (failed && in_flight_ > 0) return;
    if (const auto until = open_.front().busy_until; !failed && until > now_picoseconds())
      return end_.after(to_sc_time({until - now_picoseconds()}));
    if (youngest || failed) phase_ = Phase::idle;
    if (failed) {
      const auto fault = *fault_;
      forget();
      return fail(fault);
    }
    open_.erase(open_.begin());
    ++first_open_;
    finish();
  }
}

void Dma::forget() {
  first_open_ += open_.size();
  open_.clear();
  fault_.reset();
}

void Dma::abandon() {
  phase_ = Phase::idle;
  forget();
  abandoned_ = in_flight_ > 0;
  if (copying_) copier_->abandon();
  requesting_ = nullptr;
  issue_.cancel();
  end_.cancel();
}

void Dma::use(std::unique_ptr<DmaCopier> copier) {
  copier_ = std::move(copier);
  copier_->connect(*this);
}

bool Dma::copier_takes() const {
  auto bits = copy_.global | copy_.local | size_[0];
  for (std::size_t d = 1; d < 4; ++d)
    if (size_[d] > 1) bits |= static_cast<std::uint64_t>(global_stride_[d]) | static_cast<std::uint64_t>(local_stride_[d]);
  return bits % copier_->alignment() == 0;
}

DmaCopy Dma::next_copy() {
  DmaCopy copy;
  copy.load = direction_ == tlm::TLM_READ_COMMAND;
  copy.bytes = size_[0];
  copy.global = copy_.global;
  copy.local = copy_.local;
  for (std::size_t d = 1; d < 4; ++d) {
    copy.global += at_[d] * static_cast<std::uint64_t>(global_stride_[d]);
    copy.local += at_[d] * static_cast<std::uint64_t>(local_stride_[d]);
  }
  if (gathering()) {
    copy.global = gather_.table + indices_[at_[1]] * gather_.table_stride;
    exhausted_ = ++at_[1] == size_[1];
    return copy;
  }
  copy.rows = size_[1];
  copy.global_stride = global_stride_[1];
  copy.local_stride = local_stride_[1];
  exhausted_ = ++at_[2] == size_[2] && ++at_[3] == size_[3];
  if (at_[2] == size_[2]) at_[2] = 0;
  return copy;
}

void Dma::start_copy() {
  copying_ = true;
  ++in_flight_;
  ++open_.back().in_flight;
  const auto copy = next_copy();
  bytes_moved += copy.bytes * copy.rows;
  copier_->start(copy);
}

void Dma::copied(std::optional<LocalFault> fault) {
  copying_ = false;
  --in_flight_;
  if (!abandoned_) {
    --open_.back().in_flight;
    if (fault) note(*fault, first_open_);
    open_.back().busy_until = now_picoseconds();
    end_.now();
    issue_.now();
  }
  if (in_flight_ == 0) landed();
}

tlm::tlm_sync_enum Dma::to_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return global->nb_transport_fw(payload, phase, delay);
  ++transactions;
  if (parameters_.timing == Timing::loose) {
    global->b_transport(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  copier_flights_.push_back({&payload, 0, 0, now_picoseconds(), 0, {}});
  const auto answer = global->nb_transport_fw(payload, phase, delay);
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) {
    latency_sum += static_cast<std::uint64_t>(to_picoseconds(delay));
    std::erase_if(copier_flights_, [&](const Flight& f) { return f.payload == &payload; });
  }
  return answer;
}

void Dma::to_local(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) { local->b_transport(payload, delay); }

}  // namespace forerun::ip
