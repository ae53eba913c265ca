// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/rvfi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "platform/rtl/interface_pins.hpp"

namespace forerun::rtl {
namespace {

/// In the order of the table below.
enum RvfiPin : unsigned {
  valid,
  order,
  insn,
  trap,
  intr,
  rd_addr,
  rd_wdata,
  pc_rdata,
  pc_wdata,
  mem_addr,
  mem_rmask,
  mem_wmask,
  mem_rdata,
  mem_wdata
};
struct PinKind {
  const char* name;
  unsigned bits;  ///< for each instruction
  bool needed;
};
constexpr std::array<PinKind, RvfiPins::pins> kinds{{{"valid", 1, true},
                                                     {"order", 64, false},
                                                     {"insn", 32, true},
                                                     {"trap", 1, true},
                                                     {"intr", 1, false},
                                                     {"rd_addr", 5, true},
                                                     {"rd_wdata", 64, true},
                                                     {"pc_rdata", 64, true},
                                                     {"pc_wdata", 64, false},
                                                     {"mem_addr", 64, true},
                                                     {"mem_rmask", 8, true},
                                                     {"mem_wmask", 8, true},
                                                     {"mem_rdata", 64, true},
                                                     {"mem_wdata", 64, true}}};

std::string plain(std::string name) {
  std::erase(name, '_');
  return name;
}

/// Of the interpreter, whatever the letters are.
constexpr std::array<std::string_view, 3> always_there{"zicsr", "zifencei", "zicntr"};

/// "rv64imac", "rv64gc_zicsr_zifencei".
bool read_isa(const std::string& text, ip::riscv::Extensions& e) {
  auto rest = text;
  const auto part = [&rest] {
    const auto end = std::min(rest.find('_'), rest.size());
    const auto name = rest.substr(0, end);
    rest.erase(0, end + 1);
    return name;
  };
  const auto base = part();
  while (!rest.empty())
    if (const auto name = part();
        std::find(always_there.begin(), always_there.end(), name) == always_there.end())
      return false;
  if (!base.starts_with("rv64") || base.size() < 5 || (base[4] != 'i' && base[4] != 'g')) return false;
  e.m = e.a = e.f = e.d = e.c = false;
  for (const char letter : base.substr(4)) switch (letter) {
      case 'i':
        break;
      case 'g':
        e.m = e.a = e.f = e.d = true;
        break;
      case 'm':
        e.m = true;
        break;
      case 'a':
        e.a = true;
        break;
      case 'f':
        e.f = true;
        break;
      case 'd':
        e.f = e.d = true;
        break;
      case 'c':
        e.c = true;
        break;
      default:
        return false;
    }
  return true;
}

}  // namespace

std::vector<std::string> rvfi_pin_names(bool without_underscores) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.push_back(without_underscores ? plain(kind.name) : kind.name);
  return names;
}

RvfiMap read_rvfi(MapReader& reader, const chip::YamlNode& node) {
  RvfiMap map;
  map.pins.name = map.pins.place = "rvfi";
  map.pins.protocol = Protocol::rvfi;
  map.pins.role = Role::transmitter;
  reader.map(node, {{"prefix", [&](const chip::YamlNode& n) { reader.texts(n, map.pins.prefixes); }},
                    {"suffix", [&](const chip::YamlNode& n) { reader.texts(n, map.pins.suffixes); }},
                    {"ports",
                     [&](const chip::YamlNode& n) {
                       std::map<std::string, std::string> ports;
                       reader.names(n, ports, rvfi_pin_names(false));
                       for (const auto& [name, port] : ports) map.pins.ports[plain(name)] = port;
                     }},
                    {"isa",
                     [&](const chip::YamlNode& n) {
                       if (!read_isa(n.text, map.extensions))
                         reader.wrong(n,
                                      "rv64i with letters of m, a, f, d and c, or rv64g, and behind them "
                                      "_zicsr, _zifencei and _zicntr, such "
                                      "as rv64imac");
                     }},
                    {"modes", [&](const chip::YamlNode& n) {
                       const auto chosen = reader.choice(n, {"m", "mu", "msu"});
                       map.extensions.user = chosen >= 1;
                       map.extensions.supervisor = chosen == 2;
                     }}});
  if (map.pins.prefixes.empty() && map.pins.ports.empty())
    reader.problem(node, "rvfi: expected the prefix of its pins, such as {prefix: rvfi_}, or ports");
  return map;
}

RvfiPins::RvfiPins(ip::cosim::ModelInstance& instance, PinsOf& ports, const RvfiMap& map) {
  const auto found = interface_pins(ports, map.pins);
  const auto prefix = map.pins.prefixes.empty() ? std::string() : map.pins.prefixes[0];
  for (unsigned i = 0; i < pins; ++i) {
    const auto& kind = kinds[i];
    const auto pin = found.find(plain(kind.name));
    const auto at = map.pins.place_of(plain(kind.name));
    if (pin == found.end()) {
      if (kind.needed)
        ports.refuse(
            at, fmt::format("rvfi: nothing for {}; expected a port {}{}, or its name in ports{}", kind.name,
                            prefix, kind.name, near_miss(prefix + kind.name, ports.names())));
      continue;
    }
    const auto& [name, port] = *pin;
    if (port.input) ports.refuse(at, fmt::format("rvfi: port {} is an input, expected an output", port.name));
    if (i == valid) channels_ = port.bits;
    if (channels_ > most_channels || port.bits != kind.bits * channels_)
      ports.refuse(at, fmt::format("rvfi: port {} has {} bits, expected {}", port.name, port.bits,
                                   i == valid ? "1 to 4, one for each instruction that retires in a cycle"
                                   : channels_ == 1 ? std::to_string(kind.bits)
                                                    : fmt::format("{} for each of {} instructions", kind.bits,
                                                                  channels_)));
    ports.use(port, at);
    copies_[i].emplace(instance, port, words_[i].data(), static_cast<unsigned>(sizeof words_[i]));
  }
}

std::uint64_t RvfiPins::value(unsigned pin, unsigned channel) const {
  const auto bits = kinds[pin].bits, low = bits * channel;
  const auto word = words_[pin][low / 64] >> low % 64;
  return bits == 64 ? word : word & ((std::uint64_t{1} << bits) - 1);
}

void RvfiPins::sample(std::vector<ip::riscv::Retired>& to) {
  copies_[valid]->from_port();
  if (words_[valid][0] == 0) return;
  for (auto& copy : copies_)
    if (copy) copy->from_port();
  const auto begin = to.size();
  for (unsigned i = 0; i < channels_; ++i) {
    if (value(valid, i) == 0) continue;
    auto& r = to.emplace_back();
    r.insn = static_cast<std::uint32_t>(value(insn, i));
    r.trap = value(trap, i) != 0;
    r.intr = value(intr, i) != 0;
    r.rd = static_cast<unsigned>(value(rd_addr, i));
    r.rd_value = value(rd_wdata, i);
    r.pc = value(pc_rdata, i);
    if (copies_[pc_wdata]) r.next_pc = value(pc_wdata, i);
    if (copies_[order]) r.order = value(order, i);
    r.address = value(mem_addr, i);
    r.reads = static_cast<unsigned char>(value(mem_rmask, i));
    r.writes = static_cast<unsigned char>(value(mem_wmask, i));
    r.read_data = value(mem_rdata, i);
    r.write_data = value(mem_wdata, i);
  }
  if (copies_[order])
    std::stable_sort(to.begin() + static_cast<std::ptrdiff_t>(begin), to.end(),
                     [](const auto& a, const auto& b) { return *a.order < *b.order; });
}

}  // namespace forerun::rtl
