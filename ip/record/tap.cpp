// SPDX-License-Identifier: Apache-2.0
#include "ip/record/tap.hpp"

#include <algorithm>

#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip::record {

Tap::Tap(const sc_core::sc_module_name& name) : sc_module(name), in("in"), out("out") {
  in.register_b_transport(this, &Tap::b_transport);
  in.register_nb_transport_fw(this, &Tap::nb_transport_fw);
  in.register_transport_dbg(this, &Tap::transport_dbg);
  out.register_nb_transport_bw(this, &Tap::nb_transport_bw);
}

void Tap::begin(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  auto& t = entries_.emplace_back(Entry{&payload, {}}).transaction;
  t.begin_ps = static_cast<std::uint64_t>(now_picoseconds() + to_picoseconds(delay));
  t.address = payload.get_address();
  t.length = payload.get_data_length();
  t.streaming_width = payload.get_streaming_width();
  t.write = payload.is_write() ? 1 : 0;
  if (is_timing_only(payload))
    t.flags = 0;
  else if (payload.is_write())
    t.data.assign(payload.get_data_ptr(), payload.get_data_ptr() + t.length);
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() > 0) {
    t.flags |= Transaction::has_enables;
    t.enables.assign(t.length, 0);
    for_enabled_bytes(payload, [&](unsigned offset, unsigned count) {
      std::fill_n(t.enables.begin() + offset, count, std::uint8_t{1});
    });
  }
}

void Tap::end(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  const auto place = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& entry) { return entry.payload == &payload; });
  if (place == entries_.end()) return;
  auto& t = place->transaction;
  place->payload = nullptr;
  // A target may answer a request before the time that was annotated to it.
  t.end_ps = std::max(t.begin_ps, static_cast<std::uint64_t>(now_picoseconds() + to_picoseconds(delay)));
  const auto status = payload.get_response_status();
  t.response = status == tlm::TLM_OK_RESPONSE              ? Transaction::okay
               : status == tlm::TLM_ADDRESS_ERROR_RESPONSE ? Transaction::decode_error
                                                           : Transaction::slave_error;
  if (!payload.is_write() && (t.flags & Transaction::has_data) != 0)
    t.data.assign(payload.get_data_ptr(), payload.get_data_ptr() + t.length);
  for (; !entries_.empty() && entries_.front().payload == nullptr; entries_.pop_front())
    if (on_transaction) on_transaction(entries_.front().transaction);
}

std::size_t Tap::flush() {
  std::size_t open = 0;
  for (const auto& entry : entries_) {
    if (entry.payload != nullptr)
      ++open;
    else if (on_transaction)
      on_transaction(entry.transaction);
  }
  entries_.clear();
  return open;
}

void Tap::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  begin(payload, delay);
  out->b_transport(payload, delay);
  end(payload, delay);
}

tlm::tlm_sync_enum Tap::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  if (phase == tlm::BEGIN_REQ) begin(payload, delay);
  const auto sync = out->nb_transport_fw(payload, phase, delay);
  if (sync == tlm::TLM_COMPLETED || (sync == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP))
    end(payload, delay);
  return sync;
}

tlm::tlm_sync_enum Tap::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  if (phase == tlm::BEGIN_RESP) end(payload, delay);
  return in->nb_transport_bw(payload, phase, delay);
}

}  // namespace forerun::ip::record
