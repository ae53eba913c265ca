// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/mapped_pins.hpp"

#include <utility>

namespace forerun::rtl {

MappedPins::MappedPins(std::shared_ptr<const ip::cosim::SharedModel> model)
    : instance(std::move(model)), ports_(instance.model()) {}

unsigned MappedPins::width(const std::string& name) const {
  const auto found = ports_.find(name);
  return found ? found->bits : 0;
}

unsigned char* MappedPins::pin(const std::string& name, bool input, unsigned bits) {
  const auto found = ports_.get(name, input, bits);
  if (found.bits == found.word_bits && found.element == 0) return instance.storage(found.port);
  auto& field = fields_.emplace_back((bits + 63) / 64);
  (input ? inputs_ : outputs_)
      .emplace_back(instance, found, field.data(), static_cast<unsigned>(field.size() * 8));
  return reinterpret_cast<unsigned char*>(field.data());
}

void MappedPins::hold(const std::map<std::string, std::uint64_t>& constants) {
  for (const auto& [name, value] : constants) {
    auto held = value;
    PinCopy(instance, ports_.get(name, true), &held, sizeof held).to_port();
  }
}

void MappedPins::evaluate() {
  for (const auto& copy : inputs_) copy.to_port();
  instance.eval();
  for (const auto& copy : outputs_) copy.from_port();
}

}  // namespace forerun::rtl
