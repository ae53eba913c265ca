// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_to_tlm.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "ip/cosim/target_bridge.hpp"

namespace forerun::ip::cosim {

namespace {
/// Bytes between the start of a WRAP burst's container and its address.
std::ptrdiff_t rotation(const AxiBurst& burst) {
  return static_cast<std::ptrdiff_t>(burst.address - burst.lowest_address());
}

/// Where the enabled bytes of a write begin and end, if they are one run; otherwise, and for FIXED, 0 and 0.
std::pair<unsigned, unsigned> enabled_run(const AxiBurst& burst, const unsigned char* enables) {
  if (enables == nullptr || burst.kind == BurstKind::fixed) return {0, 0};
  const auto* const end = enables + burst.length;
  const auto* const first = std::find_if(enables, end, [](auto e) { return e != 0; });
  const auto* const last = std::find(first, end, 0);
  if (first == end || std::find_if(last, end, [](auto e) { return e != 0; }) != end) return {0, 0};
  return {static_cast<unsigned>(first - enables), static_cast<unsigned>(last - enables)};
}
}  // namespace

AxiToTlm::AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiPins& pins,
                   const AxiToTlmParameters& parameters)
    : InitiatorBridge(name, clock),
      own_(std::make_unique<PinServer>(pins, parameters.shape, parameters.subordinate)),
      bus_(*own_),
      boundary_(parameters.boundary) {}

AxiToTlm::AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiServer& bus,
                   std::uint64_t boundary)
    : InitiatorBridge(name, clock), bus_(bus), boundary_(boundary) {}

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
  if (free_groups_.empty()) free_groups_.push_back(groups_.emplace_back(std::make_unique<Group>()).get());
  auto& group = *free_groups_.back();
  free_groups_.pop_back();
  group.burst = &burst;
  group.response = Response::exokay;
  auto *data = burst.data, *enables = burst.enables;
  if (const auto turn = rotation(burst); turn != 0) {
    const auto rotate = [&](unsigned char*& from, std::vector<unsigned char>& to) {
      to.resize(std::max<std::size_t>(to.size(), burst.length));
      if (burst.write) std::rotate_copy(from, from + (burst.length - turn), from + burst.length, to.begin());
      from = to.data();
    };
    rotate(data, group.data);
    if (enables != nullptr) rotate(enables, group.enables);
  }
  const auto first = burst.lowest_address();
  auto begins = 0u, ends = burst.length;
  if (const auto run = enabled_run(burst, enables); run.second != 0) {
    std::tie(begins, ends) = run;
    enables = nullptr;
  }
  const auto piece = [&](unsigned offset) {
    const auto rest = ends - offset;
    if (boundary_ == 0 || burst.kind == BurstKind::fixed) return rest;
    return static_cast<unsigned>(std::min<std::uint64_t>(rest, boundary_ - (first + offset) % boundary_));
  };
  group.left = 0;
  for (auto offset = begins; offset < ends; offset += piece(offset)) ++group.left;
  for (auto offset = begins; offset < ends; offset += piece(offset)) {
    auto& job = open();
    job.piece = &group;
    auto& payload = job.payload;
    const auto length = piece(offset);
    payload.set_command(burst.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(first + offset);
    payload.set_data_length(length);
    payload.set_streaming_width(burst.kind == BurstKind::fixed ? length / burst.beats : length);
    payload.set_data_ptr(data + offset);
    if (enables != nullptr) {
      payload.set_byte_enable_ptr(enables + offset);
      payload.set_byte_enable_length(length);
    }
    send(job);
  }
}

void AxiToTlm::answered(Job& job) {
  auto& group = *static_cast<Group*>(job.piece);
  group.response = worse(group.response, to_axi(job.payload.get_response_status()));
  if (--group.left > 0) return;
  auto& burst = *group.burst;
  if (!burst.write && rotation(burst) != 0)
    std::rotate_copy(group.data.begin(), group.data.begin() + rotation(burst),
                     group.data.begin() + burst.length, burst.data);
  burst.response = group.response;
  free_groups_.push_back(&group);
  bus_.complete(burst);
}

}  // namespace forerun::ip::cosim
