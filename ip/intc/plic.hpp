// SPDX-License-Identifier: Apache-2.0
/// Platform-level interrupt controller (RISC-V PLIC specification 1.0.0) for one hart: contexts M (0) and S (1).
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"

namespace forerun::ip {

struct PlicParameters {
  unsigned sources = 64;       ///< 1 .. 1023; source 0 does not exist
  unsigned max_priority = 7;   ///< 1 .. 2^31
};

/// Level-triggered sources: pending while the line is high and the source is not being served. Claiming returns the pending,
/// enabled source of the highest priority above the threshold, the lowest number first; completing lets it pend again.
/// Accesses of four aligned bytes; other sizes get TLM_BURST_ERROR_RESPONSE. Places without a register read 0.
class Plic : public sc_core::sc_module {
 public:
  Plic(const sc_core::sc_module_name& name, const PlicParameters& parameters);

  tlm_utils::simple_target_socket<Plic> socket;
  LevelOut machine{"machine"}, supervisor{"supervisor"};
  LevelIn reset_line;
  CounterGroup counters;
  Counter claims{counters, "claims", "interrupt", "interrupts claimed"};
  /// The line of a source, 1 .. sources.
  LevelIn& source(unsigned number) { return *lines_.at(number - 1); }

 private:
  struct Context {
    std::vector<std::uint32_t> enabled;
    std::uint32_t threshold = 0;
  };
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  std::uint32_t read(std::uint64_t offset, bool debug);
  void write(std::uint64_t offset, std::uint32_t value);
  unsigned best(const Context& context) const;
  bool pending(unsigned number) const { return lines_[number - 1]->level() && !serving_[number]; }
  void update();
  void reset();

  PlicParameters parameters_;
  std::vector<std::unique_ptr<LevelIn>> lines_;
  std::vector<std::uint32_t> priority_;
  std::vector<bool> serving_;
  Context contexts_[2];
};

}  // namespace forerun::ip
