// SPDX-License-Identifier: Apache-2.0
#include "ip/scratchpad/scratchpad.hpp"

#include <algorithm>
#include <new>

#include "ip/base/payload.hpp"

namespace forerun::ip {

Scratchpad::Scratchpad(const sc_core::sc_module_name& name, const ScratchpadParameters& parameters,
                       unsigned ports)
    : sc_module(name),
      port("port", ports),
      parameters_(parameters),
      clock_(parameters.clock),
      memory_(static_cast<unsigned char*>(std::calloc(parameters.size.count, 1))) {
  if (!memory_) throw std::bad_alloc();
  for (unsigned i = 0; i < ports; ++i) {
    const int id = static_cast<int>(i);
    port[i].register_b_transport(this, &Scratchpad::b_transport, id);
    port[i].register_transport_dbg(this, &Scratchpad::transport_dbg, id);
    port[i].register_get_direct_mem_ptr(this, &Scratchpad::get_direct_mem_ptr, id);
  }
}

double Scratchpad::peak_bandwidth() const {
  return parameters_.banks * static_cast<double>(parameters_.bank_width.count) * 1e12 /
         static_cast<double>(clock_.period_ps());
}

void Scratchpad::clear() { std::fill_n(memory_.get(), size(), static_cast<unsigned char>(0)); }

bool Scratchpad::in_range(const tlm::tlm_generic_payload& payload) const {
  return payload.get_address() <= size() && payload.get_data_length() <= size() - payload.get_address();
}

void Scratchpad::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!in_range(payload)) return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (payload.get_streaming_width() < payload.get_data_length())
    return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  const std::uint64_t length = payload.get_data_length();
  const std::uint64_t row = parameters_.banks * parameters_.bank_width.count;
  const auto occupied = clock_.cycles_to_ps(static_cast<std::int64_t>((length + row - 1) / row));
  const auto now = now_picoseconds() + to_picoseconds(delay);
  if (store_ && store_->timed()) {
    const auto until = is_timing_only(payload) ? now : by_store(payload, now);
    (payload.is_read() ? bytes_read : bytes_written) += length;
    busy_time += static_cast<std::uint64_t>(until - now);
    delay += to_sc_time({until - now});
    return payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  const auto start = parameters_.timing == Timing::approximate ? std::max(now, busy_until_) : now;
  busy_until_ = start + occupied;
  busy_time += static_cast<std::uint64_t>(occupied);
  wait_time += static_cast<std::uint64_t>(start - now);
  (payload.is_read() ? bytes_read : bytes_written) += length;
  delay += to_sc_time({start - now + occupied + clock_.cycles_to_ps(parameters_.latency)});
  payload.set_dmi_allowed(store_ == nullptr);
  if (is_timing_only(payload)) return payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (store_)
    by_store(payload, now);
  else
    copy(payload);
}

/// Returns when it is over.
std::int64_t Scratchpad::by_store(tlm::tlm_generic_payload& payload, std::int64_t now) {
  if (payload.is_write()) copy(payload);
  const auto until =
      store_->transfer(payload.is_write(), payload.get_address(), payload.get_data_length(), now);
  if (payload.is_read()) copy(payload);
  return until;
}

void Scratchpad::copy(tlm::tlm_generic_payload& payload) {
  copy_data(payload, memory_.get() + payload.get_address());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned Scratchpad::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  if (!in_range(payload)) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  copy(payload);
  if (store_ && payload.is_write())
    store_->transfer(true, payload.get_address(), payload.get_data_length(), now_picoseconds());
  return payload.get_data_length();
}

bool Scratchpad::get_direct_mem_ptr(int, tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  dmi.set_dmi_ptr(memory_.get());
  dmi.set_start_address(0);
  dmi.set_end_address(size() - 1);
  dmi.allow_read_write();
  dmi.set_read_latency(clock_.cycles(parameters_.latency));
  dmi.set_write_latency(clock_.cycles(parameters_.latency));
  return true;
}

}  // namespace forerun::ip
