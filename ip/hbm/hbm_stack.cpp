// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/hbm_stack.hpp"

#include <algorithm>

#include "ip/base/method.hpp"
#include "ip/base/payload.hpp"

namespace forerun::ip {

HbmStack::HbmStack(const sc_core::sc_module_name& name, const hbm::Parameters& parameters, SparseMemory& store)
    : sc_module(name),
      port("port", parameters.ports),
      reset_line("reset", [this](bool level) { if (level) reset(); }),
      parameters_(parameters),
      map_(parameters),
      clock_(parameters.clock),
      store_(store),
      controllers_(std::size_t{parameters.channels} * parameters.pseudo_channels, hbm::Controller(parameters)),
      next_(controllers_.size(), -1),
      ports_(parameters.ports),
      port_limit_(parameters.queue_depth * std::max<std::uint64_t>(1, controllers_.size() / parameters.ports)) {
  for (unsigned i = 0; i < parameters.ports; ++i) {
    const int id = static_cast<int>(i);
    port[i].register_b_transport(this, &HbmStack::b_transport, id);
    port[i].register_nb_transport_fw(this, &HbmStack::nb_transport_fw, id);
    port[i].register_transport_dbg(this, &HbmStack::transport_dbg, id);
    port[i].register_get_direct_mem_ptr(this, &HbmStack::get_direct_mem_ptr, id);
  }
  add_method("run", {&run_event_}, [this] { run(); });
}

void HbmStack::reset() {
  counters.clear();
  for (auto& controller : controllers_) controller.clear_statistics();
}

void HbmStack::schedule(std::int64_t cycle) {
  const auto delay = clock_.cycles_to_ps(cycle) - now_picoseconds();
  run_event_.notify(to_sc_time({std::max<std::int64_t>(delay, 0)}));  // an earlier notification stays
}

bool HbmStack::acceptable(tlm::tlm_generic_payload& payload) const {
  const auto end = payload.get_address() + payload.get_data_length();
  if (end > store_.size() || end < payload.get_address())
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  else if (payload.get_streaming_width() < payload.get_data_length() || payload.get_data_length() == 0)
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  else
    return true;
  return false;
}

void HbmStack::move(tlm::tlm_generic_payload& payload) {
  if (!is_timing_only(payload)) transport_dbg(0, payload);
  (payload.is_read() ? bytes_read : bytes_written) += payload.get_data_length();
  ++requests;
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void HbmStack::enqueue(int id, tlm::tlm_generic_payload& payload, std::int64_t delay_ps, sc_core::sc_event* waiter) {
  if (free_.empty()) {
    free_.push_back(requests_.size());
    requests_.emplace_back();
  }
  const auto index = free_.back();
  free_.pop_back();
  auto& request = requests_[index];
  request = {&payload, id, 0, 0, waiter};
  if (payload.is_write()) move(payload);
  const auto burst = parameters_.burst_bytes.count;
  const auto start = map_.within_stack(payload.get_address());
  const auto first = start / burst, last = (start + payload.get_data_length() - 1) / burst;
  const auto arrival = clock_.ps_to_cycles(now_picoseconds() + delay_ps) + parameters_.front_end - 1;
  request.bursts_left = static_cast<unsigned>(last - first + 1);
  ports_[static_cast<std::size_t>(id)].pending += request.bursts_left;
  for (auto number = first; number <= last; ++number) {
    hbm::Burst piece{index, arrival, map_.locate(number * burst), payload.is_write(), false};
    const auto controller = piece.at.channel * parameters_.pseudo_channels + piece.at.pseudo_channel;
    piece.at.bank += piece.at.bank_group * parameters_.banks_per_group;
    auto& next = next_[controller];
    if (next < 0 || next > arrival) next = arrival;
    controllers_[controller].add(piece);
  }
  schedule(arrival);
}

void HbmStack::run() {
  const auto now = now_picoseconds() / clock_.period_ps();
  for (std::size_t c = 0; c < controllers_.size(); ++c) {
    if (next_[c] < 0 || next_[c] > now) continue;
    completions_.clear();
    next_[c] = controllers_[c].advance(now, completions_);
    for (const auto& completion : completions_) {
      auto& request = requests_[completion.owner];
      request.done = std::max(request.done, completion.done);
      if (--request.bursts_left > 0) continue;
      due_.push_back({request.done, order_++, completion.owner});
      std::push_heap(due_.begin(), due_.end(), std::greater<>());
    }
  }
  while (!due_.empty() && due_.front().cycle <= now) {
    const auto request = due_.front().request;
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    due_.pop_back();
    respond(request);
  }
  std::int64_t wanted = due_.empty() ? -1 : due_.front().cycle;
  for (const auto next : next_)
    if (next >= 0 && (wanted < 0 || next < wanted)) wanted = next;
  if (wanted >= 0) schedule(std::max(wanted, now + 1));
}

void HbmStack::respond(std::size_t index) {
  const auto request = requests_[index];
  const auto burst = parameters_.burst_bytes.count;
  const auto start = map_.within_stack(request.payload->get_address());
  auto& state = ports_[static_cast<std::size_t>(request.port)];
  state.pending -= (start + request.payload->get_data_length() - 1) / burst - start / burst + 1;
  free_.push_back(index);
  if (request.payload->is_read()) move(*request.payload);
  if (request.waiter != nullptr) {
    request.waiter->notify(sc_core::SC_ZERO_TIME);
  } else {
    send_response(request.port, *request.payload);
  }
  if (state.held != nullptr && state.pending < port_limit_) {
    auto& held = *state.held;
    state.held = nullptr;
    enqueue(request.port, held, 0, nullptr);
    tlm::tlm_phase phase = tlm::END_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    port[static_cast<std::size_t>(request.port)]->nb_transport_bw(held, phase, delay);
  }
}

void HbmStack::send_response(int id, tlm::tlm_generic_payload& payload) {
  auto& state = ports_[static_cast<std::size_t>(id)];
  if (state.responding) return state.responses.push_back(&payload);
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  auto delay = sc_core::SC_ZERO_TIME;
  state.responding = true;
  const auto answer = port[static_cast<std::size_t>(id)]->nb_transport_bw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) return;
  state.responding = false;
  payload.release();
}

tlm::tlm_sync_enum HbmStack::nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay) {
  auto& state = ports_[static_cast<std::size_t>(id)];
  if (phase == tlm::END_RESP) {
    state.responding = false;
    payload.release();
    if (!state.responses.empty()) {
      auto* next = state.responses.front();
      state.responses.pop_front();
      send_response(id, *next);
    }
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  if (!acceptable(payload)) {
    delay += clock_.cycles(1);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  if (state.pending >= port_limit_) {
    state.held = &payload;
    return tlm::TLM_ACCEPTED;
  }
  enqueue(id, payload, to_picoseconds(delay), nullptr);
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void HbmStack::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!acceptable(payload)) return;
  const auto& t = parameters_.timings;
  if (parameters_.timing == Timing::loose) {
    move(payload);
    const auto bursts = (payload.get_data_length() + parameters_.burst_bytes.count - 1) / parameters_.burst_bytes.count;
    delay += clock_.cycles(static_cast<std::int64_t>(parameters_.front_end + t.tRCDRD + t.RL + bursts * t.nBL));
    payload.set_dmi_allowed(true);
    return;
  }
  sc_core::sc_event done;
  enqueue(id, payload, to_picoseconds(delay), &done);
  delay = sc_core::SC_ZERO_TIME;
  wait(done);
}

unsigned HbmStack::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  if (address > store_.size() || length > store_.size() - address) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  auto* const data = payload.get_data_ptr();
  for_enabled_bytes(payload, [&](unsigned offset, unsigned bytes) {
    if (payload.is_read()) store_.read(address + offset, data + offset, bytes);
    if (payload.is_write()) store_.write(address + offset, data + offset, bytes);
  });
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return length;
}

bool HbmStack::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  if (parameters_.timing != Timing::loose || payload.get_address() >= store_.size()) return false;
  const auto start = payload.get_address() / SparseMemory::page_bytes * SparseMemory::page_bytes;
  dmi.set_dmi_ptr(store_.page(start));
  dmi.set_start_address(start);
  dmi.set_end_address(std::min<std::uint64_t>(start + SparseMemory::page_bytes, store_.size()) - 1);
  dmi.allow_read_write();
  const auto latency = clock_.cycles(parameters_.front_end + parameters_.timings.tRCDRD + parameters_.timings.RL);
  dmi.set_read_latency(latency);
  dmi.set_write_latency(latency);
  return true;
}

}  // namespace forerun::ip
