// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/target_bridge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace forerun::ip::cosim {

tlm::tlm_response_status to_tlm(Response response) {
  switch (response) {
    case Response::slverr:
      return tlm::TLM_GENERIC_ERROR_RESPONSE;
    case Response::decerr:
      return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    default:
      return tlm::TLM_OK_RESPONSE;
  }
}

Response to_axi(tlm::tlm_response_status status) {
  switch (status) {
    case tlm::TLM_OK_RESPONSE:
      return Response::okay;
    case tlm::TLM_ADDRESS_ERROR_RESPONSE:
      return Response::decerr;
    default:
      return Response::slverr;
  }
}

TargetBridge::TargetBridge(const sc_core::sc_module_name& name, PinClock& clock, unsigned most_transactions)
    : sc_module(name), clock_(clock), most_(std::max(most_transactions, 1u)) {
  socket.register_b_transport(this, &TargetBridge::b_transport);
  socket.register_nb_transport_fw(this, &TargetBridge::nb_transport_fw);
  socket.register_transport_dbg(this, &TargetBridge::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &TargetBridge::get_direct_mem_ptr);
  clock.add(static_cast<PinUser&>(*this));
}

TargetBridge::Job& TargetBridge::open(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay,
                                      bool blocking) {
  if (free_.empty()) free_.push_back(jobs_.emplace_back(std::make_unique<Job>()).get());
  auto& job = *free_.back();
  free_.pop_back();
  job.payload = &payload;
  job.due_ps = now_picoseconds() + to_picoseconds(delay);
  job.blocking = blocking;
  job.response = Response::exokay;
  return job;
}

void TargetBridge::insert(Job& job) {
  const auto place = std::upper_bound(waiting_.begin(), waiting_.end(), job.due_ps,
                                      [](std::int64_t due, const Job* other) { return due < other->due_ps; });
  waiting_.insert(place, &job);
}

void TargetBridge::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto& job = open(payload, delay, true);
  insert(job);
  clock_.wake();
  sc_core::wait(job.done);
  delay = sc_core::SC_ZERO_TIME;
  free_.push_back(&job);
}

tlm::tlm_sync_enum TargetBridge::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                 sc_core::sc_time& delay) {
  if (phase == tlm::END_RESP) {
    responding_ = nullptr;
    payload.release();
    clock_.wake();
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;  // an ignorable phase
  payload.acquire();
  auto& job = open(payload, delay, false);
  clock_.wake();
  if (non_blocking_ == most_) {
    held_ = &job;
    return tlm::TLM_ACCEPTED;
  }
  ++non_blocking_;
  insert(job);
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

bool TargetBridge::overlaps(const Job& job) const {
  const auto end = [](const tlm::tlm_generic_payload& payload) {
    const auto width = payload.get_streaming_width();
    return payload.get_address() +
           (width == 0 ? payload.get_data_length() : std::min(width, payload.get_data_length()));
  };
  const auto& mine = *job.payload;
  return std::any_of(active_.begin(), active_.end(), [&](const Job* other) {
    const auto& theirs = *other->payload;
    return (mine.is_write() || theirs.is_write()) && mine.get_address() < end(theirs) &&
           theirs.get_address() < end(mine);
  });
}

void TargetBridge::drive(std::uint64_t cycle) {
  const auto visible = clock_.visible_ps();
  std::size_t begun = 0;
  if (active_.empty()) heard_ = cycle;  // the clock may have stood until now
  for (; begun < waiting_.size() && waiting_[begun]->due_ps <= visible && active_.size() < most_; ++begun) {
    auto& job = *waiting_[begun];
    if (overlaps(job)) break;
    active_.push_back(&job);
    const auto status =
        job.payload->get_command() == tlm::TLM_IGNORE_COMMAND ? tlm::TLM_OK_RESPONSE : check(*job.payload);
    if (status != tlm::TLM_OK_RESPONSE || job.payload->get_command() == tlm::TLM_IGNORE_COMMAND)
      finish(job, status);
    else
      start(job);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(begun));
  drive_bus(cycle);
}

void TargetBridge::silent() const {
  const auto& payload = *active_.front()->payload;
  throw std::runtime_error(
      fmt::format("{}: no answer for {} cycles, up to cycle {}; {} transactions are under way, the oldest a "
                  "{} of {} bytes at "
                  "{:#x}{}\n  in {}",
                  name(), most_silent_cycles, cycle_, active_.size(), payload.is_read() ? "read" : "write",
                  payload.get_data_length(), payload.get_address(), explain ? explain() : "", name()));
}

void TargetBridge::edge(std::uint64_t cycle) {
  cycle_ = cycle;
  if (cycle - heard_ > most_silent_cycles) silent();
  edge_bus();
  respond();
  if (held_ != nullptr && non_blocking_ < most_) {
    auto& job = *held_;
    held_ = nullptr;
    ++non_blocking_;
    job.due_ps = std::max(job.due_ps, now_picoseconds());
    insert(job);
    tlm::tlm_phase phase = tlm::END_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    socket->nb_transport_bw(*job.payload, phase, delay);
  }
}

void TargetBridge::piece_done(Job& job, Response response) {
  heard_ = cycle_;
  job.response = worse(job.response, response);
  if (--job.left == 0) finish(job, to_tlm(job.response));
}

void TargetBridge::finish(Job& job, tlm::tlm_response_status status) {
  active_.erase(std::find(active_.begin(), active_.end(), &job));
  job.payload->set_response_status(status);
  job.payload->set_dmi_allowed(false);
  ++transactions;
  (job.payload->is_read() ? bytes_read : bytes_written) += job.payload->get_data_length();
  if (status != tlm::TLM_OK_RESPONSE) ++errors;
  if (job.blocking) {
    job.done.notify(sc_core::SC_ZERO_TIME);
    return;
  }
  responses_.push(job.payload);
  free_.push_back(&job);
}

void TargetBridge::respond() {
  while (responding_ == nullptr && !responses_.empty()) {
    auto& payload = *responses_.pop();
    --non_blocking_;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    auto delay = sc_core::SC_ZERO_TIME;
    responding_ = &payload;
    const auto sync = socket->nb_transport_bw(payload, phase, delay);
    // END_RESP may also have come by a call from within.
    if (responding_ == &payload &&
        (sync == tlm::TLM_COMPLETED || (sync == tlm::TLM_UPDATED && phase == tlm::END_RESP))) {
      responding_ = nullptr;
      payload.release();
    }
  }
}

}  // namespace forerun::ip::cosim
