// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/remote_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "platform/rtl/command.hpp"

namespace forerun::rtl {
namespace {

namespace cosim = ip::cosim;

PinMap read_map(const std::string& file) {
  auto map = PinMap::parse(read_text(file), file);
  if (map.remote.empty())
    throw std::runtime_error(file + ": no key 'remote', such as remote: unix:block.socket");
  const auto of = [&](Role role) {
    return std::count_if(map.interfaces.begin(), map.interfaces.end(),
                         [&](const InterfaceMap& face) { return face.role == role; });
  };
  if (of(Role::subordinate) != 1 || of(Role::manager) > 1 || of(Role::receiver) + of(Role::transmitter) > 0)
    throw std::runtime_error(file +
                             ": a block in another process has one interface with role subordinate, and at "
                             "most one with role manager");
  for (const auto& face : map.interfaces)
    if (face.data_bits == 0 || face.address_bits == 0)
      throw std::runtime_error(
          fmt::format("{}: interface {}: data_bits and address_bits are needed", file, face.name));
  return map;
}

MappedInterface interface_of(const PinMap& map, Role role) {
  MappedInterface face;
  for (const auto& described : map.interfaces)
    if (described.role == role) {
      face.map = described;
      face.axi = {.data_bytes = described.data_bits / 8,
                  .id_bits = described.id_bits,
                  .address_bits = described.address_bits,
                  .lite = described.protocol == Protocol::axi4_lite};
    }
  return face;
}

cosim::RemoteLinkParameters link_parameters(const PinMap& map, const std::string& label,
                                            const MappedInterface& subordinate,
                                            const MappedInterface& manager) {
  cosim::RemoteLinkParameters parameters;
  parameters.address = map.remote;
  if (const auto at = parameters.address.find("{label}"); at != std::string::npos)
    parameters.address.replace(at, 7, label);
  parameters.subordinate = subordinate.axi;
  if (!manager.map.name.empty()) parameters.manager = manager.axi;
  return parameters;
}

}  // namespace

RemoteDevice::RemoteDevice(const sc_core::sc_module_name& name, const std::string& file,
                           const RtlPlace& place)
    : Device(name, file, place.label),
      map_(read_map(file)),
      translate_(place.translate),
      subordinate_(interface_of(map_, Role::subordinate)),
      manager_(interface_of(map_, Role::manager)),
      frequency_(map_.frequency.hertz > 0 ? map_.frequency : place.frequency),
      clock_("clock", {.period = period(frequency_), .reset_cycles = 0}),
      link_("link", clock_, link_parameters(map_, place.label, subordinate_, manager_)) {
  auto bridge = std::make_unique<cosim::TlmToAxi>(
      subordinate_.map.name.c_str(), clock_, link_.subordinate(),
      cosim::TlmToAxiParameters{.shape = subordinate_.axi, .translate = translate_});
  bridge->debug = [this, &bridge = *bridge](tlm::tlm_generic_payload& payload) {
    return debug(bridge, payload);
  };
  targets.push_back({&subordinate_, std::move(bridge)});
  if (!manager_.map.name.empty())
    initiators.push_back({&manager_, std::make_unique<cosim::AxiToTlm>(manager_.map.name.c_str(), clock_,
                                                                       link_.manager(), place.boundary)});
  link_.on_interrupt = [this](bool level) { interrupt.set(level); };
  link_.on_loss = [this](const std::string& why) {
    const auto text = fmt::format("{}: the block at {} is lost: {}", label_, link_.address(), why);
    if (on_loss)
      on_loss(text);
    else
      fmt::print(stderr, "forerun: error: {}\n", text);
  };
}

std::vector<std::string> RemoteDevice::first_broken_rules(std::size_t most) const {
  std::vector<std::string> lines;
  for (const auto& text : link_.broken())
    if (lines.size() < most) lines.push_back(label_ + ": " + text);
  return lines;
}

void RemoteDevice::roll_waves(const std::string&) {
  throw std::runtime_error(fmt::format("{}: the other process writes its waves itself", file_));
}

unsigned RemoteDevice::debug(const cosim::TargetBridge& bridge, tlm::tlm_generic_payload& payload) {
  const auto length = payload.get_data_length();
  const auto first = translate_ ? translate_(payload.get_address()) : payload.get_address();
  const auto bits = subordinate_.axi.address_bits;
  if (length == 0 || !bridge.idle() || link_.lost() || (bits < 64 && (first + length - 1) >> bits != 0))
    return 0;
  std::vector<cosim::AxiBurst> bursts;
  cosim::split(
      {.write = payload.is_write(), .address = first, .data = payload.get_data_ptr(), .length = length},
      subordinate_.axi, {}, bursts);
  link_.carry_out(bursts);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  const bool good = std::all_of(bursts.begin(), bursts.end(), [](const cosim::AxiBurst& burst) {
    return burst.response == cosim::Response::okay;
  });
  return good ? length : 0;
}

}  // namespace forerun::rtl
