// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/blank_model.hpp"

#include <algorithm>

#include "platform/rtl/port_type.hpp"

namespace forerun::rtl {

BlankModel::BlankModel(std::vector<Port> ports, const VerilateRequest& request)
    : ports_(std::move(ports)), top_(request.top), pins_(request.pins) {
  std::size_t largest = 0;
  for (const auto& port : ports_) {
    table_.push_back({port.name.c_str(), port.input, port.bits, port.type.c_str()});
    largest = std::max(largest, std::size_t{elements(PortType::parse(port.type))} * storage_bytes(port.bits));
  }
  functions_.version = ip::cosim::ModelFunctions::current;
  functions_.top = top_.c_str();
  functions_.format = "";
  functions_.pins = pins_.c_str();
  functions_.port_count = static_cast<unsigned>(table_.size());
  functions_.ports = table_.data();
  model_ = std::make_shared<ip::cosim::SharedModel>(request.pins_file, functions_, largest);
}

}  // namespace forerun::rtl
