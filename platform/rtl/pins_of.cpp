// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/pins_of.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "platform/chip/keys.hpp"

namespace forerun::rtl {

PinsOf::PinsOf(const ip::cosim::SharedModel& model)
    : where_(fmt::format("{}: module {}", model.file(), model.functions().top)) {
  for (const auto& port : model.ports())
    entries_.push_back({port.name, port.input, PortType::parse(port.type)});
}

PinsOf::PinsOf(const std::vector<Port>& ports, std::string where) : where_(std::move(where)) {
  for (const auto& port : ports) entries_.push_back({port.name, port.input, PortType::parse(port.type)});
}

void PinsOf::refuse(const std::string& text) const {
  throw std::runtime_error(fmt::format("{}: {}", where_, text));
}

/// The port with the longest name that the path begins with, and the rest of the path.
std::optional<std::pair<unsigned, std::string>> PinsOf::split(const std::string& name) const {
  for (auto end = name.size(); end != 0 && end != std::string::npos; end = name.find_last_of(".[", end - 1))
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].name == std::string_view(name).substr(0, end))
        return std::pair{static_cast<unsigned>(i), name.substr(end)};
  return std::nullopt;
}

std::optional<Pin> PinsOf::find(const std::string& name) const {
  const auto parts = split(name);
  if (!parts) return std::nullopt;
  const auto& [number, path] = *parts;
  const auto& entry = entries_[number];
  try {
    const auto found = select(entry.type, entry.name, path);
    return Pin{name, number, entry.input, found.low, found.bits, entry.type.bits, found.element};
  } catch (const std::runtime_error& error) {
    refuse(error.what());
  }
}

Pin PinsOf::get(const std::string& name, bool input, unsigned bits) const {
  const auto found = find(name);
  if (!found) {
    const auto known = names();
    const auto near = chip::nearest(name, known);
    refuse(near.empty() ? fmt::format("no port '{}'; it has {}", name, fmt::join(known, ", "))
                        : fmt::format("no port '{}'; did you mean {}?", name, near));
  }
  if (found->input != input)
    refuse(fmt::format("port '{}' is an {}, expected an {}", name, found->input ? "input" : "output",
                       input ? "input" : "output"));
  if (bits != 0 && found->bits != bits)
    refuse(fmt::format("port '{}' has {} bit{}, expected {}", name, found->bits, found->bits == 1 ? "" : "s",
                       bits));
  return *found;
}

std::vector<std::string> PinsOf::beginning_with(const std::string& start) const {
  std::vector<std::string> all;
  for (const auto& [name, input, type] : entries_) {
    if (!name.starts_with(start)) continue;
    all.push_back(name);
    for (const auto& field : fields(type)) all.push_back(name + field);
  }
  const auto dot = start.rfind('.');
  const auto parts = dot == std::string::npos ? std::nullopt : split(start.substr(0, dot));
  if (!parts) return all;
  const auto outer = start.substr(0, dot);
  const auto found = find(outer);  // says what is wrong with the path
  const auto* const type =
      select(entries_[parts->first].type, entries_[parts->first].name, parts->second).type;
  if (type == nullptr || type->kind != PortType::Kind::record)
    refuse(fmt::format("{} has no fields, so that no names begin with {}: it is {} bit{}", outer, start,
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
