// SPDX-License-Identifier: Apache-2.0
/// The performance counters of every block in one register space (FR_PERF_REGISTERS).
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"

namespace forerun::ip {

/// A table of counters by name. Software writes a number to SELECT and reads the counter's VALUE and NAME;
/// the table itself cannot be written. VALUE is what the counter holds at the moment of the access: two
/// halves read one after the other may belong to different values. Bus errors are those of RegisterFile.
class PerformanceCounters : public sc_core::sc_module {
 public:
  using Getter = std::function<std::uint64_t()>;
  static constexpr std::size_t name_bytes = 64;  ///< with the NUL at the end

  explicit PerformanceCounters(const sc_core::sc_module_name& name);

  tlm_utils::simple_target_socket<PerformanceCounters> socket;
  LevelIn reset_line;  ///< SELECT becomes 0; the counters belong to their blocks

  /// Adds one counter, before elaboration ends. Throws std::invalid_argument unless the name is of 1 to 63
  /// printable ASCII characters, std::logic_error once the simulation has begun.
  void add(const std::string& name, Getter getter);
  /// Adds every counter of a block as PREFIX.NAME, or NAME if the prefix is empty. The block must outlive
  /// this one's use.
  void add(const std::string& prefix, const CounterGroup& group);
  std::size_t count() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    Getter getter;
  };
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return registers_.debug_access(payload); }
  const Entry* selected() const;

  RegisterFile registers_;
  std::vector<Entry> entries_;
};

}  // namespace forerun::ip
