// SPDX-License-Identifier: Apache-2.0
/// A memory, or other subordinate, of RTL beside the model of it, on the same transactions.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/payload.hpp"
#include "ip/base/units.hpp"
#include "platform/rtl/difference.hpp"

namespace forerun::rtl {

struct LockstepMemoryParameters {
  std::string label;                          ///< in differences
  Time period{1000};                          ///< of the clock that differences count in
  std::optional<Tolerance> tolerance{};       ///< of the time of an answer; none: times are not compared
  std::vector<std::uint64_t> not_compared{};  ///< addresses, of a register each, whose bytes depend on time
};

/// Gives every transaction to both. The next one comes when both have taken it, and the answer, with the
/// model's bytes and response, when both have given theirs. Bytes of reads are compared unless the initiator
/// said that they do not matter, and responses, and the time from request to answer if there is a tolerance.
/// Only the first difference is told. Debug access writes to both and reads from the model; there is no
/// direct memory access.
class LockstepMemory : public sc_core::sc_module {
 public:
  LockstepMemory(const sc_core::sc_module_name& name, LockstepMemoryParameters parameters);

  tlm_utils::simple_target_socket<LockstepMemory> in;
  tlm_utils::simple_initiator_socket<LockstepMemory> model, rtl;
  std::function<void(const Difference&)> on_difference;
  /// What is under way is not compared: RTL is being reset.
  void forgive();
  std::uint64_t compared() const { return compared_; }  ///< transactions

 private:
  struct Side {
    tlm::tlm_generic_payload* payload = nullptr;
    bool taken = false;
    std::int64_t answered_ps = -1;  ///< below 0: not yet
  };
  struct Job {
    Side model, rtl;
    std::int64_t begun_ps = 0;
    bool compare = true;
    bool told = false;  ///< END_REQ
  };
  Job& open(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  static void update(Side& side, tlm::tlm_sync_enum sync, tlm::tlm_phase phase,
                     const sc_core::sc_time& delay);
  void answered(Job& job);
  void respond();
  void release(Job& job);
  void compare(Job& job);
  void differ(const Job& job, std::string what);
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum from_model(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                sc_core::sc_time& delay);
  tlm::tlm_sync_enum from_rtl(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                              sc_core::sc_time& delay);
  tlm::tlm_sync_enum from(Side Job::*side, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                          const sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  LockstepMemoryParameters parameters_;
  ip::PayloadPool pool_;
  std::vector<std::unique_ptr<Job>> jobs_;  ///< under way, oldest first
  std::deque<Job*> responses_;              ///< both have answered
  Job* responding_ = nullptr;               ///< before END_RESP
  bool found_ = false;
  std::uint64_t compared_ = 0;
  sc_core::sc_event respond_;
};

}  // namespace forerun::rtl
