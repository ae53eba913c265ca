// SPDX-License-Identifier: Apache-2.0
/// The ports of a top module, with their types, as Verilator sees them.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace forerun::rtl {

struct Port {
  std::string name, member;  ///< as in Verilog, and in Verilator's class
  bool input = false;
  unsigned bits = 1;  ///< of the port, or of an element of an unpacked array
  std::string type;   ///< PortType::parse
};

/// A signal of a SystemVerilog interface.
struct Signal {
  std::string name, type;
  unsigned bits = 1;
  enum class Direction : unsigned char {
    none,
    input,
    output
  } direction = Direction::none;  ///< of the module
};

/// What `verilator --xml-only` says.
struct Design {
  std::vector<Port> ports;                                ///< plain ones, of the module asked for
  std::map<std::string, std::vector<Signal>> interfaces;  ///< by the port that is a SystemVerilog interface
};

/// Reads the XML file of a design. `module` is the top, or a module in it of which there is one. Throws
/// std::runtime_error for ports that have no place among bits: inout, real, string.
/// `modports`, by port, are those of ports that name an interface without one.
Design read_design(const std::string& xml_file, const std::string& module,
                   const std::map<std::string, std::string>& modports = {});

/// Throws std::runtime_error unless Verilator's header of the class declares each port with as many bits.
void check_header(const std::string& header, const std::vector<Port>& ports, const std::string& top);

}  // namespace forerun::rtl
