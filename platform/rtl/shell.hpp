// SPDX-License-Identifier: Apache-2.0
/// The module around a module that Verilator cannot have as its top: one with SystemVerilog interfaces as
/// ports, or whose parameters are types or constants of a package. Its ports are plain vectors.
#pragma once

#include <map>
#include <string>

#include "platform/rtl/design.hpp"
#include "platform/rtl/pin_map.hpp"

namespace forerun::rtl {

inline constexpr const char* shell_module = "forerun_shell";
/// Behind a line of a shell: what of the pin map it comes from (MapPlaces::at).
inline constexpr const char* shell_mark = "  // pin map: ";

/// Whether Verilator takes a value on its command line: numbers and strings.
bool is_literal(const std::string& value);

struct ShellRequest {
  std::string top;
  std::map<std::string, std::string> parameters;
  std::map<std::string, Bundle> bundles;
};

/// A shell without ports, to learn from Verilator what those of the module are.
std::string empty_shell(const ShellRequest& request);

struct Shell {
  std::string text;
  std::vector<Port>
      ports;  ///< names and types of the module's, "bus.signal" of an interface's; members of the shell
};

/// Throws std::runtime_error for an interface whose own ports are not connected to inputs of the module.
Shell make_shell(const ShellRequest& request, const Design& design);

}  // namespace forerun::rtl
