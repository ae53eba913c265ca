// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/signals.hpp"

#include <algorithm>

namespace forerun::rtl {

const std::vector<SignalKind>& signal_kinds() {
  static const std::vector<SignalKind> kinds{{"transmit", false, 1},
                                             {"receive", true, 1},
                                             {"timebase", true, 1},
                                             {"software", false, 1},
                                             {"timer", false, 1},
                                             {"time", false, 64},
                                             {"sources", true, 1024},
                                             {"sources_from_1", true, 1023},
                                             {"machine", false, 1},
                                             {"supervisor", false, 1},
                                             {"exit", false, 1},
                                             {"exit_code", false, 8},
                                             {"reset_request", false, 1},
                                             {"cluster_reset", false, 64},
                                             {"boot_address", true, 64},
                                             {"device_tree", true, 64},
                                             {"clusters", true, 32},
                                             {"cpu_hz", true, 64},
                                             {"timebase_hz", true, 64},
                                             {"cluster_hz", true, 64},
                                             {"reset_vector", true, 64},
                                             {"mtime", true, 64},
                                             {"machine_external", true, 1},
                                             {"machine_timer", true, 1},
                                             {"machine_software", true, 1},
                                             {"supervisor_external", true, 1},
                                             {"retired", false, 1},
                                             {"retired_pc", false, 64},
                                             {"start", true, 1},
                                             {"stream", true, 64},
                                             {"stream_bytes", true, 64},
                                             {"parameters", true, 64},
                                             {"ended", true, 32},
                                             {"granted", true, 32},
                                             {"done", false, 1},
                                             {"fault", false, 1},
                                             {"fault_error", false, 32},
                                             {"fault_offset", false, 64},
                                             {"fault_value", false, 64},
                                             {"select", false, 32},
                                             {"count", true, 32},
                                             {"value", true, 64},
                                             {"name", true, 512}};
  return kinds;
}

const SignalKind* find_signal(std::string_view name) {
  const auto& kinds = signal_kinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const SignalKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace forerun::rtl
