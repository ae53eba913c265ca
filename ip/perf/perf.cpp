// SPDX-License-Identifier: Apache-2.0
#include "ip/perf/perf.hpp"

#include <algorithm>
#include <stdexcept>

#include "firmware/abi/registers.h"

namespace forerun::ip {

PerformanceCounters::PerformanceCounters(const sc_core::sc_module_name& name)
    : sc_module(name), socket("socket"), reset_line("reset", [this](bool level) {
        if (level) registers_.reset();
      }) {
  socket.register_b_transport(this, &PerformanceCounters::b_transport);
  socket.register_transport_dbg(this, &PerformanceCounters::transport_dbg);
  FR_PERF_REGISTERS(FORERUN_ADD_REGISTER)
  registers_.on_read(FR_PERF_COUNT, [this](bool) { return std::uint64_t{entries_.size()}; });
  registers_.on_read(FR_PERF_VALUE, [this](bool) {
    const auto* entry = selected();
    return entry != nullptr ? entry->getter() : 0;
  });
  for (std::uint32_t word = 0; word < name_bytes / 8; ++word) {
    const auto offset = FR_PERF_NAME + 8 * word;
    if (word > 0) registers_.add("NAME" + std::to_string(word), offset, 64, Access::RO, 0);
    registers_.on_read(offset, [this, word](bool) {
      const auto* entry = selected();
      std::uint64_t bytes = 0;
      for (std::size_t i = 0; entry != nullptr && i < 8 && 8 * word + i < entry->name.size(); ++i)
        bytes |= std::uint64_t{static_cast<unsigned char>(entry->name[8 * word + i])} << (8 * i);
      return bytes;
    });
  }
}

void PerformanceCounters::add(const std::string& name, Getter getter) {
  if (sc_core::sc_get_status() >= sc_core::SC_START_OF_SIMULATION)
    throw std::logic_error("performance counters are added before the simulation begins");
  if (name.empty() || name.size() >= name_bytes ||
      std::any_of(name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }))
    throw std::invalid_argument(
        "a performance counter needs a name of 1 to 63 printable ASCII characters, not '" + name + "'");
  entries_.push_back({name, std::move(getter)});
}

void PerformanceCounters::add(const std::string& prefix, const CounterGroup& group) {
  for (const auto* counter : group.all())
    add(prefix.empty() ? counter->name() : prefix + "." + counter->name(),
        [counter] { return counter->value(); });
}

const PerformanceCounters::Entry* PerformanceCounters::selected() const {
  const auto index = registers_.get(FR_PERF_SELECT);
  return index < entries_.size() ? &entries_[index] : nullptr;
}

void PerformanceCounters::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.access(payload);
}

}  // namespace forerun::ip
