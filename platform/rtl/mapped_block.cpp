// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/mapped_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace forerun::rtl {
namespace {

using ip::cosim::AxiPins;

/// Bytes in which a model keeps so many bits.
unsigned storage_bytes(unsigned bits) {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : (bits + 31) / 32 * 4;
}

}  // namespace

MappedBlock::MappedBlock(std::shared_ptr<const ip::cosim::SharedModel> model)
    : instance_(model), map_(PinMap::parse(model->functions().pins, model->file())) {
  clock_ = instance_.port(map_.clock, true, 1);
  reset_ = instance_.port(map_.reset, true, 1);
  if (!map_.idle.empty()) idle_ = instance_.port(map_.idle, false, 1);
  if (!map_.interrupt.empty()) interrupt_ = instance_.port(map_.interrupt, false, 1);
  if (map_.interfaces.empty()) refuse("its pin map has no interfaces");
  for (const auto& face : map_.interfaces) {
    interfaces_.push_back(std::make_unique<MappedInterface>());
    interfaces_.back()->map = face;
    bind(*interfaces_.back());
  }
  if (map_.dma && !map_.dma->ports.empty()) bind_descriptor();
  for (const auto& [name, value] : map_.constants) {
    auto* port = instance_.port(name, true);
    const auto bits_of_port = model->ports()[static_cast<unsigned>(model->find(name))].bits;
    if (bits_of_port < 64 && value >> bits_of_port != 0)
      refuse(fmt::format("constant {} does not fit in {} bits", name, bits_of_port));
    std::memcpy(port, &value, std::min(8u, storage_bytes(bits_of_port)));
  }
}

void MappedBlock::refuse(const std::string& text) const {
  throw std::runtime_error(
      fmt::format("{}: module {}: {}", instance_.model().file(), instance_.model().functions().top, text));
}

int MappedBlock::find(const MappedInterface& face, const char* pin) const {
  const auto own = face.map.ports.find(pin);
  const auto name = own != face.map.ports.end() ? own->second : face.map.prefix + pin;
  const int found = instance_.model().find(name);
  if (own != face.map.ports.end() && found < 0)
    refuse(fmt::format("interface {}: no port '{}', which its map names for {}", face.map.name, name, pin));
  return found;
}

unsigned MappedBlock::bits(const MappedInterface& face, const char* pin) const {
  const int found = find(face, pin);
  return found < 0 ? 0 : instance_.model().ports()[static_cast<unsigned>(found)].bits;
}

/// A port that the module does not have is left out.
void MappedBlock::add(const MappedInterface& face, const char* pin, bool input, void* field,
                      unsigned field_bytes) {
  const int found = find(face, pin);
  if (found < 0) return;
  const auto number = static_cast<unsigned>(found);
  const auto& port = instance_.model().ports()[number];
  if (port.input != input)
    refuse(fmt::format("interface {}: port {} is an {}, but {} of a {} is an {}", face.map.name, port.name,
                       port.input ? "input" : "output", pin,
                       face.map.role == Role::subordinate ? "subordinate"
                       : face.map.role == Role::manager   ? "manager"
                       : face.map.role == Role::receiver  ? "receiver"
                                                          : "transmitter",
                       input ? "input" : "output"));
  auto& list = input ? inputs_ : outputs_;
  list.push_back({instance_.storage(number), static_cast<unsigned char*>(field),
                  std::min(field_bytes, storage_bytes(port.bits)), field_bytes});
}

unsigned MappedBlock::port_bits(const std::string& name) const {
  const int found = instance_.model().find(name);
  return found < 0 ? 0 : instance_.model().ports()[static_cast<unsigned>(found)].bits;
}

void MappedBlock::bind_descriptor() {
  auto& d = descriptor;
  const auto bind = [&](const char* pin, bool input, auto& field) {
    const auto named = map_.dma->ports.find(pin);
    if (named == map_.dma->ports.end()) return;
    auto* const port = instance_.port(named->second, input, sizeof field == 1 ? 1 : 0);
    const auto bytes = storage_bytes(port_bits(named->second));
    if (bytes > sizeof(std::uint64_t))
      refuse(fmt::format("dma: port {} has more than 64 bits", named->second));
    auto& list = input ? inputs_ : outputs_;
    list.push_back({port, reinterpret_cast<unsigned char*>(&field),
                    std::min(bytes, static_cast<unsigned>(sizeof field)),
                    static_cast<unsigned>(sizeof field)});
  };
  bind("start", true, d.start), bind("ready", false, d.ready), bind("done", false, d.done);
  bind("source", true, d.source), bind("destination", true, d.destination), bind("bytes", true, d.bytes);
  bind("rows", true, d.rows), bind("source_stride", true, d.source_stride);
  bind("destination_stride", true, d.destination_stride), bind("error", false, d.error);
}

void MappedBlock::bind(MappedInterface& face) {
  if (face.map.protocol == Protocol::axi4_stream)
    bind_stream(face);
  else
    bind_axi(face);
}

void MappedBlock::bind_axi(MappedInterface& face) {
  const unsigned write = bits(face, "wdata"), read = bits(face, "rdata");
  if (bits(face, "awvalid") == 0 && bits(face, "arvalid") == 0)
    refuse(fmt::format("interface {}: neither a port {}awvalid nor {}arvalid", face.map.name, face.map.prefix,
                       face.map.prefix));
  const unsigned data = std::max(write, read);
  if (!std::has_single_bit(data) || data < 8 || data > 1024 || (write != 0 && read != 0 && write != read))
    refuse(
        fmt::format("interface {}: {} bits of write data and {} of read data, expected the same power of two "
                    "from 8 to 1024",
                    face.map.name, write, read));
  face.axi.data_bytes = data / 8;
  face.axi.lite = face.map.protocol == Protocol::axi4_lite;
  face.axi.address_bits = std::max(bits(face, "awaddr"), bits(face, "araddr"));
  face.axi.id_bits = std::max(bits(face, "awid"), bits(face, "arid"));
  if (face.axi.address_bits == 0 || face.axi.address_bits > 64 || face.axi.id_bits > 32)
    refuse(fmt::format("interface {}: {} bits of address and {} of ID, expected 1 to 64 and at most 32",
                       face.map.name, face.axi.address_bits, face.axi.id_bits));
  if (!face.axi.lite && bits(face, "awlen") == 0 && bits(face, "arlen") == 0)
    refuse(fmt::format("interface {}: no port {}awlen or {}arlen; is it axi4-lite?", face.map.name,
                       face.map.prefix, face.map.prefix));
  face.axi.check();
  face.axi_pins = AxiPins(face.axi);
  auto& p = face.axi_pins;
  const bool subordinate = face.map.role == Role::subordinate;
  const auto asks = [&](const char* pin, auto& field) { add(face, pin, subordinate, &field, sizeof field); };
  const auto answers = [&](const char* pin, auto& field) {
    add(face, pin, !subordinate, &field, sizeof field);
  };
  const auto address = [&](const std::string& c, ip::cosim::AddressChannel& a) {
    asks((c + "valid").c_str(), a.valid), asks((c + "id").c_str(), a.id),
        asks((c + "addr").c_str(), a.address);
    asks((c + "len").c_str(), a.len), asks((c + "size").c_str(), a.size),
        asks((c + "burst").c_str(), a.burst);
    asks((c + "lock").c_str(), a.lock), asks((c + "cache").c_str(), a.cache),
        asks((c + "prot").c_str(), a.prot);
    asks((c + "qos").c_str(), a.qos), asks((c + "region").c_str(), a.region);
    answers((c + "ready").c_str(), a.ready);
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
  if (!std::has_single_bit(data) || data < 8 || data > 1024 || bits(face, "tvalid") == 0)
    refuse(fmt::format(
        "interface {}: expected a port {}tvalid and {}tdata of a power of two from 8 to 1024 bits",
        face.map.name, face.map.prefix, face.map.prefix));
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
  *clock_ = 0;
  *reset_ = reset == map_.reset_high ? 1 : 0;
  for (const auto& copy : inputs_) std::memcpy(copy.port, copy.field, copy.bytes);
  instance_.eval();
  for (const auto& copy : outputs_) {
    if (copy.bytes < copy.field_bytes && copy.field_bytes <= 8) std::memset(copy.field, 0, copy.field_bytes);
    std::memcpy(copy.field, copy.port, copy.bytes);
  }
  for (auto* pins : without_strobes_) pins->strobes = pins->keep;
  dump(now_ps - period_ps / 2);
}

void MappedBlock::dump(std::int64_t picoseconds) {
  if (waves_.format != Waves::none && !silent && waves_.covers(picoseconds))
    instance_.dump_waves(static_cast<std::uint64_t>(picoseconds));
}

void MappedBlock::edge() {
  *clock_ = 1;
  instance_.eval();
  ++cycles;
  dump(now_ps);
}

}  // namespace forerun::rtl
