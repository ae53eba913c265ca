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

struct Signal {
  const char* name;
  bool request;  ///< driven by the manager
  const char* width;
};
/// Of the crossbar, in the names of AXI; widths in its parameters.
constexpr Signal signals[] = {
    {"awvalid", true, "1"},    {"awready", false, "1"}, {"awid", true, "ID"},     {"awaddr", true, "64"},
    {"awlen", true, "8"},      {"awsize", true, "3"},   {"awburst", true, "2"},   {"awcache", true, "4"},
    {"awprot", true, "3"},     {"wvalid", true, "1"},   {"wready", false, "1"},   {"wdata", true, "DATA"},
    {"wstrb", true, "DATA/8"}, {"wlast", true, "1"},    {"bvalid", false, "1"},   {"bready", true, "1"},
    {"bid", false, "ID"},      {"bresp", false, "2"},   {"arvalid", true, "1"},   {"arready", false, "1"},
    {"arid", true, "ID"},      {"araddr", true, "64"},  {"arlen", true, "8"},     {"arsize", true, "3"},
    {"arburst", true, "2"},    {"arcache", true, "4"},  {"arprot", true, "3"},    {"rvalid", false, "1"},
    {"rready", true, "1"},     {"rid", false, "ID"},    {"rdata", false, "DATA"}, {"rresp", false, "2"},
    {"rlast", false, "1"}};

/// The crossbar with ports of their own in the place of packed arrays.
std::string crossbar_ports(std::size_t initiators, std::size_t targets, unsigned data) {
  const auto port_bits = std::max(1, static_cast<int>(std::bit_width(initiators - 1)));
  std::string ports = "input logic clk, input logic rst_n, output logic idle", joined = ".clk, .rst_n, .idle";
  for (const bool subordinate : {true, false})
    for (const auto& signal : signals) {
      std::string width = signal.width, list;
      if (width == "ID" && !subordinate)
        width = fmt::format("{}", id_bits + static_cast<unsigned>(port_bits));
      if (width == "ID") width = std::to_string(id_bits);
      const char side = subordinate ? 's' : 'm';
      for (std::size_t n = 0; n < (subordinate ? initiators : targets); ++n) {
        ports += fmt::format(",\n  {} logic [{}-1:0] {}{}_{}",
                             signal.request == subordinate ? "input" : "output", width, side, n, signal.name);
        list = fmt::format("{}{}_{}{}{}", side, n, signal.name, list.empty() ? "" : ", ", list);
      }
      joined += fmt::format(",\n  .{}_{}({{{}}})", side, signal.name, list);
    }
  return fmt::format(
      "module axi_crossbar_ports #(parameter int DATA = {}) (\n  {});\n"
      "axi_crossbar #(.S({}), .M({}), .ADDRESS(64), .DATA(DATA), .ID({}), .TARGET({}), .DEPTH(8)) crossbar "
      "(\n  {});\n"
      "endmodule\n",
      data, ports, initiators, targets, id_bits, port_bit, joined);
}

}  // namespace

std::string noc_model(const chip::Chip& chip, std::size_t initiators, std::size_t targets, Waves waves) {
  if (!chip.rtl.noc.text.empty()) return chip.rtl.noc.text;
  const auto data = static_cast<unsigned>(std::min<std::uint64_t>(chip.noc.link_width.count, 128) * 8);
  const auto folder = (fs::path(FORERUN_INCLUDE_DIR) / crossbar).parent_path();
  VerilateRequest request;
  request.top = "axi_crossbar_ports";
  for (const auto* file : {"stage", "queue", "arbiter", "choice", "orders", "refusal", "crossbar"})
    request.sources.push_back(folder / fmt::format("axi_{}.sv", file));
  const auto ports = cache_folder() / fmt::format("axi_crossbar_{}x{}x{}.sv", initiators, targets, data);
  fs::create_directories(ports.parent_path());
  write_text(ports, crossbar_ports(initiators, targets, data));
  request.sources.push_back(ports);
  request.waves = waves;
  request.pins = fmt::format(
      "idle: idle\nnoc: {{addresses: ports, port_bit: {}}}\ninterfaces:\n"
      "  s: {{protocol: axi4, role: subordinate, count: {}, prefix: \"s{{n}}_\"}}\n"
      "  m: {{protocol: axi4, role: manager, count: {}, prefix: \"m{{n}}_\"}}\n",
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
