// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/tlm_to_axi.hpp"

#include <algorithm>

namespace forerun::ip::cosim {
namespace {
std::uint32_t ids_of(const TlmToAxiParameters& parameters) {
  const auto all = std::uint64_t{1} << (parameters.shape.lite ? 0 : parameters.shape.id_bits);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(all, parameters.ids == 0 ? 16 : parameters.ids));
}
}  // namespace

TlmToAxi::TlmToAxi(const sc_core::sc_module_name& name, PinClock& clock, AxiPins& pins,
                   const TlmToAxiParameters& parameters)
    : TargetBridge(name, clock, parameters.most_transactions),
      own_(std::make_unique<PinRequester>(pins, parameters.shape, parameters.manager)),
      bus_(*own_),
      parameters_(parameters),
      ids_(ids_of(parameters)) {}

TlmToAxi::TlmToAxi(const sc_core::sc_module_name& name, PinClock& clock, AxiRequester& bus,
                   const TlmToAxiParameters& parameters)
    : TargetBridge(name, clock, parameters.most_transactions),
      bus_(bus),
      parameters_(parameters),
      ids_(ids_of(parameters)) {}

tlm::tlm_response_status TlmToAxi::check(const tlm::tlm_generic_payload& payload) const {
  const std::uint64_t first = address_of(payload), length = payload.get_data_length();
  const auto width = payload.get_streaming_width();
  if (length == 0 || payload.get_data_ptr() == nullptr) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0)
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  const auto last = first + (width == 0 ? length : std::min<std::uint64_t>(width, length)) - 1;
  const auto bits = parameters_.shape.address_bits;
  if (last < first || (bits < 64 && last >> bits != 0)) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void TlmToAxi::start(Job& job) {
  auto& payload = *job.payload;
  job.bursts.clear();
  split({.write = payload.is_write(),
         .address = address_of(payload),
         .data = payload.get_data_ptr(),
         .length = payload.get_data_length(),
         .streaming_width = payload.get_streaming_width(),
         .enables = payload.get_byte_enable_ptr(),
         .enables_period = payload.get_byte_enable_length()},
        parameters_.shape, parameters_.split, job.bursts);
  job.left = static_cast<unsigned>(job.bursts.size());
  for (auto& burst : job.bursts) {
    burst.id = next_id_;
    burst.prot = parameters_.prot;
    burst.cache = parameters_.cache;
    burst.owner = &job;
    bus_.issue(burst);
  }
  if (++next_id_ == ids_) next_id_ = 0;
}

void TlmToAxi::edge_bus() {
  bus_.edge();
  while (auto* burst = bus_.take_done()) piece_done(*static_cast<Job*>(burst->owner), burst->response);
}

}  // namespace forerun::ip::cosim
