// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace forerun::rtl {

struct Port {
  std::string name, member;  ///< as in Verilog, and in Verilator's class
  bool input = false;
  unsigned bits = 1;
};

/// The ports that Verilator's header of a top module declares. Throws std::runtime_error for those that have
/// no place among plain bits: inout, and arrays of more than one word (unpacked).
std::vector<Port> read_ports(const std::string& header, const std::string& top);

}  // namespace forerun::rtl
