// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/pins_of.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "platform/chip/keys.hpp"

namespace forerun::rtl {

std::string near_miss(const std::string& name, const std::vector<std::string>& names) {
  const auto plain = [](const std::string& text) {
    std::string to;
    for (const char c : text)
      if (c != '_') to += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return to;
  };
  std::vector<std::string> plains;
  for (const auto& candidate : names) plains.push_back(plain(candidate));
  const auto near = chip::nearest(plain(name), plains);
  if (near.empty()) return {};
  const auto which = std::find(plains.begin(), plains.end(), near) - plains.begin();
  return "; did you mean " + names[static_cast<std::size_t>(which)] + "?";
}

std::string near_or_all(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::size_t most = 12;
  if (auto near = near_miss(name, names); !near.empty()) return near;
  if (names.empty()) return {};
  const auto last = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), most));
  return fmt::format("; it has {}{}", fmt::join(names.begin(), last, ", "),
                     names.size() > most ? ", ..." : "");
}

PinMap pin_map_of(const ip::cosim::SharedModel& model) {
  return PinMap::parse(model.functions().pins,
                       model.blank() ? model.file() : model.file() + " (its pin map)");
}

PinsOf::PinsOf(const ip::cosim::SharedModel& model, MapPlaces places)
    : module_(model.functions().top), places_(std::move(places)) {
  for (const auto& port : model.ports())
    entries_.push_back({port.name, port.input, PortType::parse(port.type)});
}

PinsOf::PinsOf(const std::vector<Port>& ports, std::string module, MapPlaces places)
    : module_(std::move(module)), places_(std::move(places)) {
  for (const auto& port : ports) entries_.push_back({port.name, port.input, PortType::parse(port.type)});
}

void PinsOf::refuse(std::string_view at, const std::string& text) const {
  throw std::runtime_error(fmt::format("{}: module {}: {}", places_.at(at), module_, text));
}

/// The port with the longest name that the path begins with, and the rest of the path.
std::optional<std::pair<unsigned, std::string>> PinsOf::split(const std::string& name) const {
  for (auto end = name.size(); end != 0 && end != std::string::npos; end = name.find_last_of(".[", end - 1))
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].name == std::string_view(name).substr(0, end))
        return std::pair{static_cast<unsigned>(i), name.substr(end)};
  return std::nullopt;
}

std::optional<Pin> PinsOf::find(const std::string& name, std::string_view at) const {
  const auto parts = split(name);
  if (!parts) return std::nullopt;
  const auto& [number, path] = *parts;
  const auto& entry = entries_[number];
  try {
    const auto found = select(entry.type, entry.name, path);
    return Pin{name, number, entry.input, found.low, found.bits, entry.type.bits, found.element};
  } catch (const std::runtime_error& error) {
    refuse(at, error.what());
  }
}

unsigned PinsOf::use_wire(const std::string& name, const std::string& key, std::size_t i) {
  const auto at = fmt::format("{}/{}", key, i);
  const auto found = find(name, at);
  if (!found)
    refuse(at, fmt::format("no port '{}', which its pin map means by {} {}{}", name,
                           places_.has(key) ? "the key" : "leaving out the key", key,
                           near_or_all(name, wires(true))));
  const auto pin = get(name, true, 1, at);
  if (pin.word_bits != 1)
    refuse(at, fmt::format("{} is a part of a port, expected a port for a clock or a reset", name));
  use(pin, at);
  return pin.port;
}

unsigned PinsOf::width(const std::string& name, std::string_view at) const {
  const auto found = find(name, at);
  return found ? found->bits : 0;
}

Pin PinsOf::get(const std::string& name, bool input, unsigned bits, std::string_view at) const {
  const auto found = find(name, at);
  if (!found) refuse(at, fmt::format("no port '{}'{}", name, near_or_all(name, names())));
  if (found->input != input)
    refuse(at, fmt::format("port '{}' is an {}, expected an {}", name, found->input ? "input" : "output",
                           input ? "input" : "output"));
  if (bits != 0 && found->bits != bits)
    refuse(at, fmt::format("port '{}' has {} bit{}, expected {}", name, found->bits,
                           found->bits == 1 ? "" : "s", bits));
  return *found;
}

std::vector<std::string> PinsOf::beginning_with(const std::string& start, std::string_view at) const {
  std::vector<std::string> all;
  for (const auto& [name, input, type, used] : entries_) {
    if (!name.starts_with(start)) continue;
    all.push_back(name);
    for (const auto& field : fields(type)) all.push_back(name + field);
  }
  const auto dot = start.rfind('.');
  const auto parts = dot == std::string::npos ? std::nullopt : split(start.substr(0, dot));
  if (!parts) return all;
  const auto outer = start.substr(0, dot);
  const auto found = find(outer, at);  // says what is wrong with the path
  const auto* const type =
      select(entries_[parts->first].type, entries_[parts->first].name, parts->second).type;
  if (type == nullptr || type->kind != PortType::Kind::record)
    refuse(at, fmt::format("{} has no fields, so that no names begin with {}: it is {} bit{}", outer, start,
                           found->bits, found->bits == 1 ? "" : "s"));
  for (const auto& field : fields(*type))
    if (auto name = outer + field; name.starts_with(start)) all.push_back(std::move(name));
  return all;
}

std::vector<std::string> PinsOf::names() const {
  std::vector<std::string> all;
  for (const auto& entry : entries_) all.push_back(entry.name);
  return all;
}

std::vector<std::string> PinsOf::wires(bool inputs) const {
  std::vector<std::string> all;
  for (const auto& entry : entries_)
    if (entry.input == inputs && entry.type.bits == 1 && !entry.type.unpacked) all.push_back(entry.name);
  return all;
}

void PinsOf::hold(ip::cosim::ModelInstance& instance, const std::string& name, std::uint64_t value) {
  const auto at = "constants/" + name;
  const auto pin = get(name, true, 0, at);
  if (pin.bits < 64 && value >> pin.bits != 0)
    refuse(at, fmt::format("constant {} is {}, which does not fit in {} bit{}", name, value, pin.bits,
                           pin.bits == 1 ? "" : "s"));
  use(pin, at);
  PinCopy(instance, pin, &value, sizeof value).to_port();
}

void PinsOf::use(const Pin& pin, std::string_view at) {
  auto& entry = entries_[pin.port];
  entry.used.resize(std::size_t{elements(entry.type)} * pin.word_bits);
  const auto first = entry.used.begin() + static_cast<std::ptrdiff_t>(pin.element * pin.word_bits + pin.low);
  const auto end = first + pin.bits;
  if (pin.input && std::find(first, end, true) != end)
    refuse(at, fmt::format("input '{}' is driven by another key of the pin map already, at least in part",
                           pin.name));
  std::fill(first, end, true);
}

std::vector<std::string> PinsOf::unused(bool inputs) const {
  std::vector<std::string> all;
  for (const auto& entry : entries_) {
    if (entry.input != inputs) continue;
    auto used = entry.used;
    used.resize(std::size_t{elements(entry.type)} * entry.type.bits);
    for (auto& part : parts_without(entry.type, entry.name, used)) all.push_back(std::move(part));
  }
  return all;
}

std::string PinsOf::describe_unused() const {
  std::string text;
  if (const auto names = unused(true); !names.empty())
    text += fmt::format("  inputs not in the pin map, held at 0: {}\n", fmt::join(names, ", "));
  if (const auto names = unused(false); !names.empty())
    text += fmt::format("  outputs not in the pin map: {}\n", fmt::join(names, ", "));
  return text;
}

PinCopy::PinCopy(ip::cosim::ModelInstance& instance, const Pin& pin, void* field, unsigned field_bytes)
    : word_(instance.storage(pin.port) + std::size_t{pin.element} * storage_bytes(pin.word_bits)),
      field_(static_cast<unsigned char*>(field)),
      low_(pin.low),
      bits_(std::min(pin.bits, field_bytes * 8)),
      field_bytes_(field_bytes),
      whole_(pin.bits == pin.word_bits),
      copied_(whole_ ? std::min(field_bytes, storage_bytes(pin.word_bits)) : (bits_ + 7) / 8) {}

void PinCopy::insert() const {
  unsigned char* byte = word_ + low_ / 8;
  const unsigned shift = low_ % 8;
  for (unsigned at = 0; at < bits_; at += 8, ++byte) {
    const unsigned left = std::min(8u, bits_ - at), mask = ((1u << left) - 1) << shift;
    const unsigned value = (static_cast<unsigned>(field_[at / 8]) << shift) & mask;
    byte[0] = static_cast<unsigned char>((byte[0] & ~mask) | value);
    if (mask > 0xff) byte[1] = static_cast<unsigned char>((byte[1] & ~(mask >> 8)) | value >> 8);
  }
}

void PinCopy::extract() const {
  const unsigned char* byte = word_ + low_ / 8;
  const unsigned shift = low_ % 8;
  for (unsigned at = 0; at < bits_; at += 8, ++byte) {
    const unsigned left = std::min(8u, bits_ - at);
    unsigned value = static_cast<unsigned>(byte[0]) >> shift;
    if (shift + left > 8) value |= static_cast<unsigned>(byte[1]) << (8 - shift);
    field_[at / 8] = static_cast<unsigned char>(value & ((1u << left) - 1));
  }
}

}  // namespace forerun::rtl
