// SPDX-License-Identifier: Apache-2.0
/// Pins of a block beside its bus interfaces: what a peripheral drives, or must be told, in the chip.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace forerun::rtl {

struct SignalKind {
  std::string_view name;  ///< in the section `signals` of a pin map
  bool input = false;     ///< of the module
  unsigned most_bits = 1;
};

/// All that the chip knows.
const std::vector<SignalKind>& signal_kinds();
/// Null if there is none of this name.
const SignalKind* find_signal(std::string_view name);

/// 64 bits a word, the lowest first; more than one for wide ports.
using SignalValue = std::vector<std::uint64_t>;

}  // namespace forerun::rtl
