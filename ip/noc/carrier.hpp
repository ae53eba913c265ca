// SPDX-License-Identifier: Apache-2.0
/// What carries transactions between the endpoints of a Noc in the place of its own model: RTL.
#pragma once

#include <cstdint>
#include <string>
#include <tlm>

namespace forerun::ip::noc {

/// Initiators and targets by their numbers, in the order in which they were added to the Noc, which decodes
/// addresses and refuses wrong ones before. All by the base protocol.
class Carrier {
 public:
  Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  virtual ~Carrier() = default;

  /// From an initiator: BEGIN_REQ of a transaction for `local` at a target; its response goes to
  /// Noc::respond().
  virtual tlm::tlm_sync_enum request(unsigned initiator, unsigned target, std::uint64_t local,
                                     tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) = 0;
  /// From an initiator: END_RESP.
  virtual tlm::tlm_sync_enum end_response(unsigned initiator, tlm::tlm_generic_payload& payload,
                                          tlm::tlm_phase& phase, sc_core::sc_time& delay) = 0;
  virtual void b_transport(unsigned initiator, unsigned target, std::uint64_t local,
                           tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) = 0;
  /// From a target, on a transaction that was given to it by Noc::deliver().
  virtual tlm::tlm_sync_enum from_target(unsigned target, tlm::tlm_generic_payload& payload,
                                         tlm::tlm_phase& phase, sc_core::sc_time& delay) = 0;
  /// What is on its way, a line each.
  virtual std::string describe_stall() const = 0;
};

}  // namespace forerun::ip::noc
