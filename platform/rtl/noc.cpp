// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/noc.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <stdexcept>

#include "platform/rtl/command.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace fs = std::filesystem;
namespace {

const char* const crossbar = "ip/noc/rtl/axi_crossbar.sv";
constexpr unsigned port_bit = 48, id_bits = 4;

}  // namespace

std::string noc_model(const chip::Chip& chip, std::size_t initiators, std::size_t targets, Waves waves) {
  if (!chip.rtl.noc.text.empty()) return chip.rtl.noc.text;
  const auto data = static_cast<unsigned>(std::min<std::uint64_t>(chip.noc.link_width.count, 128) * 8);
  const auto folder = (fs::path(FORERUN_INCLUDE_DIR) / crossbar).parent_path();
  VerilateRequest request;
  request.top = "axi_crossbar";
  for (const auto* file : {"stage", "queue", "arbiter", "choice", "orders", "refusal", "crossbar"})
    request.sources.push_back(folder / fmt::format("axi_{}.sv", file));
  request.parameters = {{"S", std::to_string(initiators)},
                        {"M", std::to_string(targets)},
                        {"DATA", std::to_string(data)},
                        {"ID", std::to_string(id_bits)},
                        {"TARGET", std::to_string(port_bit)}};
  request.waves = waves;
  request.pins = fmt::format(
      "idle: idle\nnoc: {{addresses: ports, port_bit: {}}}\ninterfaces:\n"
      "  s: {{protocol: axi4, role: subordinate, count: {}, prefix: s_, suffix: \"[{{n}}]\"}}\n"
      "  m: {{protocol: axi4, role: manager, count: {}, prefix: m_, suffix: \"[{{n}}]\"}}\n",
      port_bit, initiators, targets);
  return verilated(request).string();
}

std::string describe_noc(const chip::Chip& chip) {
  return chip.rtl.noc.text.empty() ? crossbar : chip.rtl.noc.text;
}

RtlNoc::RtlNoc(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place,
               ip::Noc& noc)
    : sc_module(name),
      noc_(noc),
      device_("rtl", file, place),
      initiators_(noc.initiator_names()),
      targets_(noc.target_names()),
      out_("out", device_.targets.size()),
      in_("in", device_.initiators.size()),
      under_way_(initiators_.size()) {
  map_ = device_.block().map().noc.value_or(NocMap{});
  const auto refuse = [&](const std::string& text) {
    throw std::runtime_error(fmt::format("rtl.noc: {}: {}", file, text));
  };
  if (out_.size() < initiators_.size() || in_.size() < targets_.size())
    refuse(fmt::format(
        "{} subordinate and {} manager ports, but the chip has {} initiators ({}) and {} targets ({})",
        out_.size(), in_.size(), initiators_.size(), fmt::join(initiators_, ", "), targets_.size(),
        fmt::join(targets_, ", ")));
  for (std::size_t i = 0; i < out_.size(); ++i) {
    const auto& target = device_.targets[i];
    if (target.face->map.protocol != Protocol::axi4) refuse("its interfaces are AXI4");
    const auto needed =
        map_.chip_addresses ? 1u : map_.port_bit + static_cast<unsigned>(std::bit_width(targets_.size() - 1));
    if (target.face->axi.address_bits < needed)
      refuse(
          fmt::format("interface {} has {} bits of address, expected {} for the target's number above bit {}",
                      target.face->map.name, target.face->axi.address_bits, needed, map_.port_bit));
    out_[i].register_nb_transport_bw(this, &RtlNoc::nb_transport_bw, static_cast<int>(i));
    out_[i].bind(target.bridge->socket);
  }
  for (std::size_t i = 0; i < in_.size(); ++i) {
    in_[i].register_nb_transport_fw(this, &RtlNoc::nb_transport_fw, static_cast<int>(i));
    device_.initiators[i].bridge->socket.bind(in_[i]);
  }
}

std::uint64_t RtlNoc::at_pins(unsigned target, std::uint64_t local, std::uint64_t address) const {
  if (map_.chip_addresses) return address;
  if (local >> map_.port_bit != 0)
    throw std::runtime_error(
        fmt::format("noc: address {:#x} of {} does not fit below bit {}, where the target's number is", local,
                    targets_[target], map_.port_bit));
  return std::uint64_t{target} << map_.port_bit | local;
}

tlm::tlm_sync_enum RtlNoc::request(unsigned initiator, unsigned target, std::uint64_t local,
                                   tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                   sc_core::sc_time& delay) {
  under_way_[initiator].push_back({&payload, payload.get_address(), target});
  payload.set_address(at_pins(target, local, payload.get_address()));
  return out_[initiator]->nb_transport_fw(payload, phase, delay);
}

tlm::tlm_sync_enum RtlNoc::end_response(unsigned initiator, tlm::tlm_generic_payload& payload,
                                        tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  return out_[initiator]->nb_transport_fw(payload, phase, delay);
}

/// The initiator sees its own address again.
void RtlNoc::arrived(unsigned initiator, tlm::tlm_generic_payload& payload) {
  auto& list = under_way_[initiator];
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const OnItsWay& o) { return o.payload == &payload; });
  payload.set_address(at->address);
  list.erase(at);
}

void RtlNoc::b_transport(unsigned initiator, unsigned target, std::uint64_t local,
                         tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  under_way_[initiator].push_back({&payload, payload.get_address(), target});
  payload.set_address(at_pins(target, local, payload.get_address()));
  out_[initiator]->b_transport(payload, delay);
  arrived(initiator, payload);
}

tlm::tlm_sync_enum RtlNoc::nb_transport_bw(int initiator, tlm::tlm_generic_payload& payload,
                                           tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const auto number = static_cast<unsigned>(initiator);
  if (phase == tlm::BEGIN_RESP) arrived(number, payload);
  return noc_.respond(number, payload, phase, delay);
}

tlm::tlm_sync_enum RtlNoc::nb_transport_fw(int target, tlm::tlm_generic_payload& payload,
                                           tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const auto number = static_cast<unsigned>(target);
  if (phase != tlm::BEGIN_REQ) return noc_.deliver(number, payload, phase, delay);
  const auto address = payload.get_address();
  auto local = address;
  std::uint64_t wanted = number;
  if (map_.chip_addresses) {
    const auto place = noc_.place(address);
    wanted = place ? place->target : targets_.size();
    local = place ? place->local : 0;
  } else {
    wanted = address >> map_.port_bit;
    local = address & ((std::uint64_t{1} << map_.port_bit) - 1);
  }
  if (wanted != number || number >= targets_.size())
    throw std::runtime_error(
        fmt::format("noc: address {:#x} came out at manager port {}, expected {}", address, number,
                    wanted < targets_.size() ? fmt::format("{} ({})", wanted, targets_[wanted])
                                             : "a DECERR, since nothing maps it"));
  payload.set_address(local);
  return noc_.deliver(number, payload, phase, delay);
}

tlm::tlm_sync_enum RtlNoc::from_target(unsigned target, tlm::tlm_generic_payload& payload,
                                       tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  return in_[target]->nb_transport_bw(payload, phase, delay);
}

std::string RtlNoc::describe_stall() const {
  std::string text;
  for (std::size_t i = 0; i < under_way_.size(); ++i)
    for (const auto& o : under_way_[i])
      text += fmt::format("noc: a {} of {} bytes at {:#x} from {} to {} has not come back\n",
                          o.payload->is_write() ? "write" : "read", o.payload->get_data_length(), o.address,
                          initiators_[i], targets_[o.target]);
  return text;
}

}  // namespace forerun::rtl
