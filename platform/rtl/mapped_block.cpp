// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/mapped_block.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

#include "platform/rtl/interface_pins.hpp"

namespace forerun::rtl {
namespace {

using ip::cosim::AxiPins;

const char* role_name(Role role) {
  constexpr const char* names[] = {"subordinate", "manager", "receiver", "transmitter"};
  return names[static_cast<unsigned>(role)];
}

Role opposite(Role role) {
  constexpr Role roles[] = {Role::manager, Role::subordinate, Role::transmitter, Role::receiver};
  return roles[static_cast<unsigned>(role)];
}

}  // namespace

MappedBlock::MappedBlock(std::shared_ptr<const ip::cosim::SharedModel> model, PinMap map)
    : instance_(model),
      ports_(instance_.model(), map.places),
      map_(std::move(map)),
      model_(std::move(model)) {
  for (std::size_t i = 0; i < map_.clocks.size(); ++i)
    clocks_.push_back(instance_.storage(ports_.use_wire(map_.clocks[i], "clock", i)));
  for (std::size_t i = 0; i < map_.resets.size(); ++i)
    resets_.push_back(instance_.storage(ports_.use_wire(map_.resets[i], "reset", i)));
  if (!map_.idle.empty()) link(ports_.get(map_.idle, false, 1, "idle"), "idle", &idle_, 1);
  if (!map_.interrupt.empty())
    link(ports_.get(map_.interrupt, false, 1, "interrupt"), "interrupt", &interrupt_, 1);
  if (map_.interfaces.empty()) ports_.refuse("interfaces", "its pin map has no interfaces");
  for (const auto& face : map_.interfaces) {
    interfaces_.push_back(std::make_unique<MappedInterface>());
    interfaces_.back()->map = face;
    interfaces_.back()->pins = interface_pins(ports_, face);
    bind(*interfaces_.back());
  }
  if (map_.dma && !map_.dma->ports.empty()) bind_descriptor();
  if (map_.dma) check_registers();
  bind_signals();
  if (map_.rvfi) rvfi_.emplace(instance_, ports_, *map_.rvfi);
  for (const auto& [name, value] : map_.constants) ports_.hold(instance_, name, value);
}

void MappedBlock::refuse(const MappedInterface& face, const std::string& text, const std::string& pin) const {
  ports_.refuse(pin.empty() ? face.map.place : face.map.place_of(pin),
                fmt::format("interface {}: {}", face.map.name, text));
}

unsigned MappedBlock::bits(const MappedInterface& face, const std::string& pin) {
  const auto found = face.pins.find(pin);
  return found == face.pins.end() ? 0 : found->second.bits;
}

void MappedBlock::link(const Pin& pin, std::string_view at, void* field, unsigned field_bytes) {
  ports_.use(pin, at);
  (pin.input ? inputs_ : outputs_).emplace_back(instance_, pin, field, field_bytes);
}

/// A pin that the module does not have is left out.
void MappedBlock::add(const MappedInterface& face, const std::string& pin, bool input, void* field,
                      unsigned field_bytes) {
  const auto found = face.pins.find(pin);
  if (found == face.pins.end()) return;
  const auto& [name, port] = *found;
  if (port.input != input) {
    auto text = fmt::format("interface {}: port {} is an {}, but {} of a {} is an {}", face.map.name,
                            port.name, port.input ? "input" : "output", pin, role_name(face.map.role),
                            input ? "input" : "output");
    const bool role = pin.ends_with("valid") && !face.map.ports.contains(pin);
    if (role) text += fmt::format("; expected role: {}", role_name(opposite(face.map.role)));
    ports_.refuse(role ? face.map.place + "/role" : face.map.place_of(pin), text);
  }
  link(port, face.map.place_of(pin), field, field_bytes);
}

unsigned MappedBlock::port_bits(const std::string& name) const { return ports_.width(name, ""); }

void MappedBlock::bind_descriptor() {
  auto& d = descriptor;
  const auto bind = [&](const char* pin, bool input, auto& field) {
    const auto named = map_.dma->ports.find(pin);
    if (named == map_.dma->ports.end()) return;
    const auto at = fmt::format("dma/ports/{}", pin);
    const auto port = ports_.get(named->second, input, sizeof field == 1 ? 1 : 0, at);
    if (port.bits > 64) ports_.refuse(at, fmt::format("dma: port {} has more than 64 bits", named->second));
    link(port, at, &field, sizeof field);
  };
  bind("start", true, d.start), bind("ready", false, d.ready), bind("done", false, d.done);
  bind("source", true, d.source), bind("destination", true, d.destination), bind("bytes", true, d.bytes);
  bind("rows", true, d.rows), bind("source_stride", true, d.source_stride);
  bind("destination_stride", true, d.destination_stride), bind("error", false, d.error);
}

/// The registers of a DMA engine are in reach of its subordinate.
void MappedBlock::check_registers() const {
  for (const auto& face : interfaces_) {
    if (face->map.role != Role::subordinate || face->axi.address_bits >= 64) continue;
    const auto check = [&](std::uint64_t at, const std::string& place) {
      if (at >> face->axi.address_bits != 0)
        ports_.refuse(
            place, fmt::format("dma: there is no register at {:#x}: interface {} has {} bits of address", at,
                               face->map.name, face->axi.address_bits));
    };
    const auto check_all = [&](const std::vector<DmaWrite>& writes, const char* key) {
      for (std::size_t i = 0; i < writes.size(); ++i) check(writes[i].at, fmt::format("dma/{}/{}", key, i));
    };
    check_all(map_.dma->setup, "setup"), check_all(map_.dma->start, "start"), check_all(map_.dma->end, "end");
    if (map_.dma->status) check(map_.dma->status->at, "dma/status");
  }
}

void MappedBlock::bind_signals() {
  for (const auto& [name, port] : map_.signals) {
    const auto& kind = *find_signal(name);
    const auto at = "signals/" + name;
    const auto pin = ports_.get(port, kind.input, kind.most_bits == 1 ? 1 : 0, at);
    if (pin.bits > kind.most_bits)
      ports_.refuse(at, fmt::format("signal {}: {} has {} bits, expected at most {}", name, port, pin.bits,
                                    kind.most_bits));
    auto& signal = signals_[name];
    signal = {kind.input, pin.bits, SignalValue((pin.bits + 63) / 64)};
    link(pin, at, signal.value.data(), static_cast<unsigned>(signal.value.size() * 8));
  }
}

void MappedBlock::bind(MappedInterface& face) {
  if (face.map.protocol == Protocol::axi4_stream)
    bind_stream(face);
  else
    bind_axi(face);
}

void MappedBlock::bind_axi(MappedInterface& face) {
  const unsigned write = bits(face, "wdata"), read = bits(face, "rdata");
  const auto prefix = fmt::format("{}", fmt::join(face.map.prefixes, "|"));
  const auto suffix = fmt::format("{}", fmt::join(face.map.suffixes, "|"));
  const bool subordinate = face.map.role == Role::subordinate;
  if (bits(face, "awvalid") == 0 && bits(face, "arvalid") == 0)
    refuse(face,
           fmt::format("neither a port {}awvalid{} nor {}arvalid{}{}", prefix, suffix, prefix, suffix,
                       near_or_all(prefix + "awvalid" + suffix, ports_.names())),
           "awvalid");
  const unsigned data = std::max(write, read);
  if (!std::has_single_bit(data) || data < 8 || data > 1024 || (write != 0 && read != 0 && write != read))
    refuse(face,
           fmt::format(
               "{} bits of write data and {} of read data, expected the same power of two from 8 to 1024",
               write, read),
           face.map.ports.contains("rdata") ? "rdata" : "wdata");
  if (face.map.protocol == Protocol::axi4_lite)
    for (const auto* pin : {"awlen", "awsize", "awburst", "wlast", "arlen", "arsize", "arburst", "rlast"})
      if (bits(face, pin) != 0)
        ports_.refuse(
            face.map.place + "/protocol",
            fmt::format("interface {}: it has {}, which AXI4-Lite does not; expected protocol: axi4",
                        face.map.name, face.pins.at(pin).name));
  // What a subordinate is given must fit both ways.
  const auto both = [&](const char* a, const char* b) {
    const bool writes = bits(face, "awvalid") != 0, reads = bits(face, "arvalid") != 0;
    if (!subordinate || !writes || !reads) return std::max(bits(face, a), bits(face, b));
    return std::min(bits(face, a), bits(face, b));
  };
  face.axi.data_bytes = data / 8;
  face.axi.lite = face.map.protocol == Protocol::axi4_lite;
  face.axi.address_bits = both("awaddr", "araddr");
  face.axi.id_bits = both("awid", "arid");
  if (face.axi.address_bits == 0 || face.axi.address_bits > 64 || face.axi.id_bits > 32)
    refuse(face,
           fmt::format("{} bits of address and {} of ID, expected 1 to 64 and at most 32",
                       face.axi.address_bits, face.axi.id_bits),
           face.axi.id_bits > 32 ? "awid" : "awaddr");
  if (!face.axi.lite && bits(face, "awlen") == 0 && bits(face, "arlen") == 0)
    ports_.refuse(face.map.place + "/protocol",
                  fmt::format("interface {}: no port {}awlen{} or {}arlen{}; is it axi4-lite?", face.map.name,
                              prefix, suffix, prefix, suffix));
  for (const auto* const pin : {"awlen", "arlen"})
    if (const auto width = bits(face, pin); subordinate && !face.axi.lite && width != 0 && width < 8)
      refuse(face,
             fmt::format("{} has {} bits, as in AXI3, expected the 8 of AXI4", face.pins.at(pin).name, width),
             pin);
  const auto need = [&](const char* asked, std::initializer_list<const char*> pins) {
    for (const auto* const pin : pins)
      if (bits(face, asked) != 0 && bits(face, pin) == 0)
        refuse(face,
               fmt::format("there is {}, but nothing for {}; expected a port {}{}{}, or its name in ports{}",
                           face.pins.at(asked).name, pin, prefix, pin, suffix,
                           near_miss(prefix + pin + suffix, ports_.names())),
               pin);
  };
  need("awvalid", {"awready", "awaddr", "wvalid", "wready", "wdata", "bvalid", "bready"});
  need("arvalid", {"arready", "araddr", "rvalid", "rready", "rdata"});
  if (!face.axi.lite && subordinate) need("arlen", {"rlast"});
  if (!face.axi.lite && !subordinate) need("awlen", {"wlast"});
  face.axi.check();
  face.axi_pins = AxiPins(face.axi);
  auto& p = face.axi_pins;
  const auto asks = [&](const std::string& pin, auto& field) {
    add(face, pin, subordinate, &field, sizeof field);
  };
  const auto answers = [&](const std::string& pin, auto& field) {
    add(face, pin, !subordinate, &field, sizeof field);
  };
  const auto address = [&](const std::string& c, ip::cosim::AddressChannel& a) {
    asks(c + "valid", a.valid), asks(c + "id", a.id), asks(c + "addr", a.address);
    asks(c + "len", a.len), asks(c + "size", a.size), asks(c + "burst", a.burst);
    asks(c + "lock", a.lock), asks(c + "cache", a.cache), asks(c + "prot", a.prot);
    asks(c + "qos", a.qos), asks(c + "region", a.region);
    answers(c + "ready", a.ready);
  };
  address("aw", p.aw);
  address("ar", p.ar);
  asks("wvalid", p.w.valid), asks("wdata", p.w.data), asks("wstrb", p.w.strobes), asks("wlast", p.w.last);
  asks("bready", p.b.ready), asks("rready", p.r.ready);
  answers("wready", p.w.ready), answers("bvalid", p.b.valid), answers("bid", p.b.id),
      answers("bresp", p.b.response);
  answers("rvalid", p.r.valid), answers("rid", p.r.id), answers("rdata", p.r.data),
      answers("rresp", p.r.response);
  answers("rlast", p.r.last);
  // A manager without strobes writes whole beats.
  if (!subordinate && bits(face, "wstrb") == 0) p.w.strobes = ip::cosim::Strobes::run(0, face.axi.data_bytes);
}

void MappedBlock::bind_stream(MappedInterface& face) {
  const unsigned data = bits(face, "tdata");
  const auto prefix = fmt::format("{}", fmt::join(face.map.prefixes, "|"));
  const auto suffix = fmt::format("{}", fmt::join(face.map.suffixes, "|"));
  for (const auto* const pin : {"tvalid", "tdata"})
    if (bits(face, pin) == 0)
      refuse(face,
             fmt::format("nothing for {}; expected a port {}{}{}, or its name in ports{}", pin, prefix, pin,
                         suffix, near_or_all(prefix + pin + suffix, ports_.names())),
             pin);
  if (!std::has_single_bit(data) || data < 8 || data > 1024)
    refuse(face,
           fmt::format("port {} has {} bits, expected a power of two from 8 to 1024",
                       face.pins.at("tdata").name, data),
           "tdata");
  face.stream.data_bytes = data / 8;
  face.stream.check();
  face.stream_pins = ip::cosim::StreamPins(face.stream);
  auto& p = face.stream_pins;
  const bool receiver = face.map.role == Role::receiver;
  const auto beat = [&](const char* pin, auto& field) { add(face, pin, receiver, &field, sizeof field); };
  beat("tvalid", p.valid), beat("tdata", p.data), beat("tkeep", p.keep), beat("tstrb", p.strobes),
      beat("tlast", p.last);
  beat("tid", p.id), beat("tdest", p.dest);
  add(face, "tready", !receiver, &p.ready, sizeof p.ready);
  if (!receiver && bits(face, "tstrb") == 0) without_strobes_.push_back(&p);
}

void MappedBlock::open_waves(const WaveOptions& waves, const std::string& name) {
  if (waves.format == Waves::none) return;
  instance_.open_waves(waves.file(name));
  waves_ = waves;
}

void MappedBlock::settle() {
  if (!stem_.empty() && !silent) roll(now_ps);
  for (auto* const clock : clocks_) *clock = 0;
  for (auto* const wire : resets_) *wire = reset == map_.reset_high ? 1 : 0;
  for (const auto& copy : inputs_) copy.to_port();
  if (log_) log_->note(now_ps);
  instance_.eval();
  for (const auto& copy : outputs_) copy.from_port();
  for (auto* pins : without_strobes_) pins->strobes = pins->keep;
  dump(now_ps - period_ps / 2);
}

void MappedBlock::roll_waves(const std::string& stem) {
  const std::string format = instance_.model().functions().format;
  instance_.open_waves(fmt::format("{}.1.{}", stem, format));
  instance_.close_waves();
  stem_ = stem;
}

void MappedBlock::replay_waves(const std::string& stem) {
  const std::string format = instance_.model().functions().format;
  instance_.open_waves(fmt::format("{}.{}", stem, format));
  instance_.close_waves();
  std::vector<unsigned> clocks;
  for (const auto& clock : map_.clocks) clocks.push_back(ports_.get(clock, true, 1, "clock").port);
  log_ = std::make_unique<InputLog>(instance_, std::move(clocks), rolled_cycles);
  log_file_ = fmt::format("{}.{}", stem, format);
}

/// Before each cycle of a rolling wave.
void MappedBlock::roll(std::int64_t picoseconds) {
  if (roll_left_-- > 0) return;
  if (rolls_ > 0) instance_.close_waves();
  instance_.open_waves(fmt::format("{}.{}.{}", stem_, rolls_ % 2, instance_.model().functions().format));
  roll_begins_[rolls_++ % 2] = picoseconds;
  roll_left_ = rolled_cycles - 1;
}

std::string MappedBlock::rolled_waves() {
  if (log_) return log_->write(model_, log_file_, period_ps);
  if (rolls_ == 0) return "none";
  instance_.close_waves();
  const auto format = instance_.model().functions().format;
  const auto text =
      fmt::format("{} to {} ps in {}{}.{}.{}", roll_begins_[rolls_ == 1 ? 0 : rolls_ % 2], roll_end_,
                  rolls_ > 1 ? fmt::format("{}.{}.{} and ", stem_, rolls_ % 2, format) : "", stem_,
                  (rolls_ + 1) % 2, format);
  stem_.clear();
  rolls_ = 0;
  return text;
}

void MappedBlock::dump(std::int64_t picoseconds) {
  if (!stem_.empty() && !silent) {
    instance_.dump_waves(static_cast<std::uint64_t>(picoseconds));
    roll_end_ = picoseconds;
    return;
  }
  if (waves_.format != Waves::none && !silent && waves_.covers(picoseconds))
    instance_.dump_waves(static_cast<std::uint64_t>(picoseconds));
}

void MappedBlock::edge() {
  for (auto* const clock : clocks_) *clock = 1;
  instance_.eval();
  ++cycles;
  dump(now_ps);
}

}  // namespace forerun::rtl
