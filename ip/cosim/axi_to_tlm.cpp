// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_to_tlm.hpp"

#include <algorithm>

#include "ip/cosim/target_bridge.hpp"

namespace forerun::ip::cosim {

namespace {
/// Bytes between the start of a WRAP burst's container and its address.
std::ptrdiff_t rotation(const AxiBurst& burst) {
  return static_cast<std::ptrdiff_t>(burst.address - burst.lowest_address());
}
}  // namespace

AxiToTlm::AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiPins& pins,
                   const AxiToTlmParameters& parameters)
    : InitiatorBridge(name, clock),
      own_(std::make_unique<PinServer>(pins, parameters.shape, parameters.subordinate)),
      bus_(*own_) {}

AxiToTlm::AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiServer& bus)
    : InitiatorBridge(name, clock), bus_(bus) {}

void AxiToTlm::edge_bus() {
  bus_.edge();
  while (auto* burst = bus_.take()) begin(*burst);
}

void AxiToTlm::begin(AxiBurst& burst) {
  if (burst.lock) {
    ++refused;
    if (burst.write) {
      burst.response = Response::okay;
      return bus_.complete(burst);
    }
  }
  auto& job = open();
  job.piece = &burst;
  auto& payload = job.payload;
  payload.set_command(burst.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(burst.lowest_address());
  payload.set_data_length(burst.length);
  payload.set_streaming_width(burst.kind == BurstKind::fixed ? burst.length / burst.beats : burst.length);
  auto *data = burst.data, *enables = burst.enables;
  const auto turn = rotation(burst);
  if (turn != 0) {
    const auto rotate = [&](unsigned char*& from, std::vector<unsigned char>& to) {
      to.resize(std::max<std::size_t>(to.size(), burst.length));
      if (burst.write) std::rotate_copy(from, from + (burst.length - turn), from + burst.length, to.begin());
      from = to.data();
    };
    rotate(data, job.data);
    if (enables != nullptr) rotate(enables, job.enables);
  }
  payload.set_data_ptr(data);
  if (enables != nullptr) {
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(burst.length);
  }
  send(job);
}

void AxiToTlm::answered(Job& job) {
  auto& burst = *static_cast<AxiBurst*>(job.piece);
  if (!burst.write && rotation(burst) != 0)
    std::rotate_copy(job.data.begin(), job.data.begin() + rotation(burst), job.data.begin() + burst.length,
                     burst.data);
  burst.response = to_axi(job.payload.get_response_status());
  bus_.complete(burst);
}

}  // namespace forerun::ip::cosim
