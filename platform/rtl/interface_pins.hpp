// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/pins_of.hpp"

namespace forerun::rtl {

/// The pins of an interface that a module has, by their names in the specification in lower case: those that
/// the map names, and ports or fields whose name is that of a pin between the map's prefix and suffix. There
/// capitals, underscores and dots do not count: "m_axi_AWADDR", "axi_req_i.aw.addr". Throws
/// std::runtime_error, naming file and interface, for names that are not there or that fit a pin twice.
std::map<std::string, Pin> interface_pins(const PinsOf& ports, const InterfaceMap& face);

}  // namespace forerun::rtl
