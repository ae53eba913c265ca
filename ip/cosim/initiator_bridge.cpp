// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/initiator_bridge.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "ip/base/method.hpp"

namespace forerun::ip::cosim {

InitiatorBridge::InitiatorBridge(const sc_core::sc_module_name& name, PinClock& clock)
    : sc_module(name), clock_(clock) {
  socket.register_nb_transport_bw(this, &InitiatorBridge::nb_transport_bw);
  add_method("send", {&send_}, [this] { send_next(); });
  clock.add(static_cast<PinUser&>(*this));
}

InitiatorBridge::Job& InitiatorBridge::open() {
  if (free_.empty()) free_.push_back(jobs_.emplace_back(std::make_unique<Job>(*this)).get());
  auto& job = *free_.back();
  free_.pop_back();
  auto& payload = job.payload;
  payload.acquire();
  payload.set_byte_enable_ptr(nullptr);
  payload.set_byte_enable_length(0);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  return job;
}

InitiatorBridge::Job& InitiatorBridge::job_of(const tlm::tlm_generic_payload& payload) {
  for (const auto& job : jobs_)
    if (&job->payload == &payload) return *job;
  throw std::logic_error("a target answered with a payload that is not of this initiator");
}

void InitiatorBridge::send(Job& job) {
  ++under_way_;
  last_address_ = job.payload.get_address();
  to_send_.push(&job);
  send_next();
}

void InitiatorBridge::send_next() {
  while (requesting_ == nullptr && !to_send_.empty()) {
    const auto wait = send_from_ps_ - now_picoseconds();
    if (wait > 0) return send_.notify(to_sc_time({wait}));
    auto& job = *to_send_.pop();
    requesting_ = &job;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    switch (socket->nb_transport_fw(job.payload, phase, delay)) {
      case tlm::TLM_ACCEPTED:
        break;
      case tlm::TLM_COMPLETED:
        requesting_ = nullptr;
        due(job, delay);
        break;
      case tlm::TLM_UPDATED:
        requesting_ = nullptr;
        if (phase == tlm::END_REQ) {
          send_from_ps_ = now_picoseconds() + to_picoseconds(delay);
        } else {
          due(job, delay);
          phase = tlm::END_RESP;
          socket->nb_transport_fw(job.payload, phase, delay);
        }
    }
  }
}

tlm::tlm_sync_enum InitiatorBridge::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                    sc_core::sc_time& delay) {
  if (phase != tlm::END_REQ && phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;  // an ignorable phase
  if (requesting_ != nullptr && &payload == &requesting_->payload) {  // BEGIN_RESP without END_REQ means both
    requesting_ = nullptr;
    send_from_ps_ = now_picoseconds() + to_picoseconds(delay);
    if (!to_send_.empty()) send_.notify(delay);
  }
  if (phase == tlm::END_REQ) return tlm::TLM_ACCEPTED;
  due(job_of(payload), delay);
  return tlm::TLM_COMPLETED;
}

void InitiatorBridge::due(Job& job, const sc_core::sc_time& delay) {
  job.due_ps = now_picoseconds() + to_picoseconds(delay);
  due_.push_back(&job);
}

void InitiatorBridge::drive(std::uint64_t cycle) {
  std::size_t kept = 0;
  for (auto* job : due_) {
    if (job->due_ps > clock_.visible_ps()) {
      due_[kept++] = job;
      continue;
    }
    --under_way_;
    ++transactions;
    if (!job->payload.is_response_ok()) ++errors;
    if (on_answer) on_answer(job->payload);
    answered(*job);
    job->payload.release();
  }
  due_.resize(kept);
  drive_bus(cycle);
}

void InitiatorBridge::edge(std::uint64_t) { edge_bus(); }

std::int64_t InitiatorBridge::drives_from() const {
  auto first = std::numeric_limits<std::int64_t>::max();
  for (const auto* job : due_) first = std::min(first, job->due_ps);
  return first;
}

}  // namespace forerun::ip::cosim
