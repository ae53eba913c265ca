// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/lockstep_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "ip/base/time.hpp"

namespace forerun::rtl {
namespace {

constexpr std::uint32_t most_bytes = 1 << 16;  // of a transaction

}  // namespace

LockstepMemory::LockstepMemory(const sc_core::sc_module_name& name, LockstepMemoryParameters parameters)
    : sc_module(name),
      in("in"),
      model("model"),
      rtl("rtl"),
      parameters_(std::move(parameters)),
      pool_(most_bytes) {
  in.register_b_transport(this, &LockstepMemory::b_transport);
  in.register_nb_transport_fw(this, &LockstepMemory::nb_transport_fw);
  in.register_transport_dbg(this, &LockstepMemory::transport_dbg);
  model.register_nb_transport_bw(this, &LockstepMemory::from_model);
  rtl.register_nb_transport_bw(this, &LockstepMemory::from_rtl);
  SC_HAS_PROCESS(LockstepMemory);
  SC_METHOD(respond);
  sensitive << respond_;
  dont_initialize();
}

void LockstepMemory::forgive() {
  for (auto& job : jobs_) job->compare = false;
}

/// The original goes to the model, a copy to the RTL.
LockstepMemory::Job& LockstepMemory::open(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  const auto length = payload.get_data_length();
  if (length > most_bytes)
    throw std::runtime_error(fmt::format("{}: a transaction of {} bytes, expected at most {}",
                                         parameters_.label, length, most_bytes));
  auto& copy = pool_.acquire(payload.get_command(), payload.get_address(), length);
  std::memcpy(copy.get_data_ptr(), payload.get_data_ptr(), length);
  copy.set_streaming_width(payload.get_streaming_width());
  copy.set_byte_enable_ptr(payload.get_byte_enable_ptr());
  copy.set_byte_enable_length(payload.get_byte_enable_length());
  auto& job = *jobs_.emplace_back(std::make_unique<Job>());
  job.model.payload = &payload;
  job.rtl.payload = &copy;
  job.begun_ps = ip::now_picoseconds() + ip::to_picoseconds(delay);
  return job;
}

void LockstepMemory::release(Job& job) {
  job.rtl.payload->set_byte_enable_ptr(nullptr);
  job.rtl.payload->set_byte_enable_length(0);
  job.rtl.payload->release();
  std::erase_if(jobs_, [&](const auto& other) { return other.get() == &job; });
}

void LockstepMemory::update(Side& side, tlm::tlm_sync_enum sync, tlm::tlm_phase phase,
                            const sc_core::sc_time& delay) {
  if (sync == tlm::TLM_ACCEPTED) return;
  side.taken = true;
  if (sync == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP)
    side.answered_ps = ip::now_picoseconds() + ip::to_picoseconds(delay);
}

tlm::tlm_sync_enum LockstepMemory::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                   sc_core::sc_time& delay) {
  if (phase == tlm::END_RESP) {
    if (responding_ != nullptr) release(*responding_);
    responding_ = nullptr;
    respond_.notify(sc_core::SC_ZERO_TIME);
    return tlm::TLM_COMPLETED;
  }
  auto& job = open(payload, delay);
  for (auto [socket, side] : {std::pair{&model, &job.model}, std::pair{&rtl, &job.rtl}}) {
    auto its_phase = phase;
    auto its_delay = delay;
    const auto sync = (*socket)->nb_transport_fw(*side->payload, its_phase, its_delay);
    update(*side, sync, its_phase, its_delay);
  }
  answered(job);
  if (!job.model.taken || !job.rtl.taken) return tlm::TLM_ACCEPTED;
  job.told = true;
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

tlm::tlm_sync_enum LockstepMemory::from_model(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                              sc_core::sc_time& delay) {
  return from(&Job::model, payload, phase, delay);
}

tlm::tlm_sync_enum LockstepMemory::from_rtl(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                            sc_core::sc_time& delay) {
  return from(&Job::rtl, payload, phase, delay);
}

tlm::tlm_sync_enum LockstepMemory::from(Side Job::*side, tlm::tlm_generic_payload& payload,
                                        tlm::tlm_phase& phase, const sc_core::sc_time& delay) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& job) {
    return ((*job).*side).payload == &payload && ((*job).*side).answered_ps < 0;
  });
  if (found == jobs_.end()) return tlm::TLM_COMPLETED;
  auto& job = **found;
  const bool answer = phase == tlm::BEGIN_RESP;
  update(job.*side, tlm::TLM_UPDATED, phase, delay);
  if (job.model.taken && job.rtl.taken && !job.told) {
    job.told = true;
    tlm::tlm_phase taken = tlm::END_REQ;
    auto none = sc_core::SC_ZERO_TIME;
    in->nb_transport_bw(*job.model.payload, taken, none);
  }
  answered(job);
  return answer ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
}

void LockstepMemory::answered(Job& job) {
  if (job.model.answered_ps < 0 || job.rtl.answered_ps < 0) return;
  compare(job);
  responses_.push_back(&job);
  respond_.notify(sc_core::SC_ZERO_TIME);
}

void LockstepMemory::respond() {
  while (responding_ == nullptr && !responses_.empty()) {
    auto& job = *responses_.front();
    const auto due = std::max(job.model.answered_ps, job.rtl.answered_ps), now = ip::now_picoseconds();
    if (due > now) {
      respond_.notify(ip::to_sc_time(Time{due - now}));
      return;
    }
    responses_.pop_front();
    responding_ = &job;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    auto delay = sc_core::SC_ZERO_TIME;
    const auto sync = in->nb_transport_bw(*job.model.payload, phase, delay);
    if (sync == tlm::TLM_ACCEPTED) return;
    if (responding_ != nullptr) release(job);
    responding_ = nullptr;
  }
}

void LockstepMemory::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  auto& job = open(payload, delay);
  auto its_delay = delay;
  auto began = ip::now_picoseconds();
  rtl->b_transport(*job.rtl.payload, its_delay);
  const auto rtl_took = ip::now_picoseconds() - began + ip::to_picoseconds(its_delay - delay);
  began = ip::now_picoseconds();
  const auto before = delay;
  model->b_transport(payload, delay);
  const auto model_took = ip::now_picoseconds() - began + ip::to_picoseconds(delay - before);
  job.rtl.answered_ps = job.begun_ps + rtl_took;
  job.model.answered_ps = job.begun_ps + model_took;
  compare(job);
  release(job);
}

void LockstepMemory::compare(Job& job) {
  if (found_ || !job.compare) return;
  ++compared_;
  auto& want = *job.model.payload;
  const auto& got = *job.rtl.payload;
  if (got.get_response_status() != want.get_response_status())
    return differ(job, fmt::format("it is answered with {}, by the model with {}", got.get_response_string(),
                                   want.get_response_string()));
  const auto& timed = parameters_.not_compared;
  const bool comparable = std::find(timed.begin(), timed.end(), want.get_address()) == timed.end();
  if (want.is_read() && want.is_response_ok() && !ip::is_timing_only(want) && comparable) {
    std::optional<unsigned> first;
    ip::for_enabled_bytes(want, [&](unsigned offset, unsigned count) {
      for (unsigned i = offset; i < offset + count && !first; ++i)
        if (got.get_data_ptr()[i] != want.get_data_ptr()[i]) first = i;
    });
    if (first)
      return differ(job, fmt::format("byte {} ({:#x}) is {:02x}, by the model {:02x}", *first,
                                     want.get_address() + *first, got.get_data_ptr()[*first],
                                     want.get_data_ptr()[*first]));
  }
  if (!parameters_.tolerance) return;
  const auto cycles = [&](const Side& side) {
    return static_cast<std::uint64_t>(side.answered_ps - job.begun_ps) /
           static_cast<std::uint64_t>(parameters_.period.picoseconds);
  };
  const auto by_rtl = cycles(job.rtl), by_model = cycles(job.model),
             most = parameters_.tolerance->of(by_model);
  if (by_rtl > by_model + most || by_rtl + most < by_model)
    differ(job, fmt::format("it takes {} cycles, by the model {}, and the tolerance is {}", by_rtl, by_model,
                            most));
}

void LockstepMemory::differ(const Job& job, std::string what) {
  found_ = true;
  const auto& payload = *job.model.payload;
  if (on_difference)
    on_difference(
        {parameters_.label,
         fmt::format("{} of {} byte{} at {:#x}, begun at {} ps", payload.is_read() ? "read" : "write",
                     payload.get_data_length(), payload.get_data_length() == 1 ? "" : "s",
                     payload.get_address(), job.begun_ps),
         static_cast<std::uint64_t>(ip::now_picoseconds() / parameters_.period.picoseconds),
         ip::now_picoseconds(), std::move(what)});
}

unsigned LockstepMemory::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (payload.is_read()) return model->transport_dbg(payload);
  tlm::tlm_generic_payload copy;
  copy.set_command(tlm::TLM_WRITE_COMMAND);
  copy.set_address(payload.get_address());
  copy.set_data_ptr(payload.get_data_ptr());
  copy.set_data_length(payload.get_data_length());
  copy.set_streaming_width(payload.get_streaming_width());
  const auto by_rtl = rtl->transport_dbg(copy);
  return std::min(by_rtl, model->transport_dbg(payload));
}

}  // namespace forerun::rtl
