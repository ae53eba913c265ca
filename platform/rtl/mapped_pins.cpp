// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/mapped_pins.hpp"

#include <fmt/format.h>

#include <utility>

namespace forerun::rtl {

MappedPins::MappedPins(std::shared_ptr<const ip::cosim::SharedModel> model, const PinMap& map)
    : instance(std::move(model)), map_(map), ports_(instance.model(), map.places) {}

unsigned MappedPins::width(const std::string& pin) const {
  return ports_.width(map_.name_of(pin), "ports/" + pin);
}

unsigned char* MappedPins::pin(const std::string& pin, bool input, unsigned bits) {
  if (!map_.ports.contains(pin) && width(pin) == 0)
    ports_.refuse("ports", fmt::format("no port '{}', and ports does not say which one it is{}", pin,
                                       near_or_all(pin, ports_.names())));
  return port(map_.name_of(pin), input, bits, "ports/" + pin);
}

unsigned char* MappedPins::port(const std::string& name, bool input, unsigned bits, const std::string& at) {
  const auto found = ports_.get(name, input, bits, at);
  ports_.use(found, at);
  if (found.bits == found.word_bits && found.element == 0) return instance.storage(found.port);
  auto& field = fields_.emplace_back((bits + 63) / 64);
  (input ? inputs_ : outputs_)
      .emplace_back(instance, found, field.data(), static_cast<unsigned>(field.size() * 8));
  return reinterpret_cast<unsigned char*>(field.data());
}

unsigned char* MappedPins::wire(const std::string& key, const std::vector<std::string>& names) {
  if (names.size() == 1) return instance.storage(ports_.use_wire(names[0], key, 0));
  auto* const level = reinterpret_cast<unsigned char*>(fields_.emplace_back(1).data());
  for (std::size_t i = 0; i < names.size(); ++i)
    wires_.emplace_back(level, instance.storage(ports_.use_wire(names[i], key, i)));
  return level;
}

void MappedPins::hold_constants() {
  for (const auto& [name, value] : map_.constants) ports_.hold(instance, name, value);
}

void MappedPins::evaluate() {
  for (const auto& copy : inputs_) copy.to_port();
  for (const auto& [level, wire] : wires_) *wire = *level;
  instance.eval();
  for (const auto& copy : outputs_) copy.from_port();
}

}  // namespace forerun::rtl
