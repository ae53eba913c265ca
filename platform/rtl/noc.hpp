// SPDX-License-Identifier: Apache-2.0
/// RTL in the place of the network on chip: noc.model rtl.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "ip/noc/carrier.hpp"
#include "ip/noc/noc.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// The model that the chip names in rtl.noc, or ip/noc/rtl with so many ports, made when it is first needed.
/// Throws std::runtime_error if it cannot be made.
std::string noc_model(const chip::Chip& chip, std::size_t initiators, std::size_t targets, Waves waves);
std::string describe_noc(const chip::Chip& chip);

/// A module with an AXI4 subordinate for each initiator of the network and an AXI4 manager for each target,
/// in the order of the network. Its pin map says which addresses it sees (NocMap): the target's number above
/// the address there, or those of the chip. What comes out at a manager goes to its target; at a wrong one it
/// ends the run, by a std::runtime_error from a process.
class RtlNoc : public sc_core::sc_module, public ip::noc::Carrier {
 public:
  /// Throws std::runtime_error, naming the file, for a module with too few ports or too few address bits.
  RtlNoc(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place, ip::Noc& noc);

  tlm::tlm_sync_enum request(unsigned initiator, unsigned target, std::uint64_t local,
                             tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                             sc_core::sc_time& delay) override;
  tlm::tlm_sync_enum end_response(unsigned initiator, tlm::tlm_generic_payload& payload,
                                  tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void b_transport(unsigned initiator, unsigned target, std::uint64_t local,
                   tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  tlm::tlm_sync_enum from_target(unsigned target, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                 sc_core::sc_time& delay) override;
  std::string describe_stall() const override;

  RtlDevice& device() { return device_; }
  const RtlDevice& device() const { return device_; }

 private:
  struct OnItsWay {
    tlm::tlm_generic_payload* payload;
    std::uint64_t address;  ///< as the initiator gave it
    unsigned target;
  };
  std::uint64_t at_pins(unsigned target, std::uint64_t local, std::uint64_t address) const;
  tlm::tlm_sync_enum nb_transport_bw(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int target, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void arrived(unsigned initiator, tlm::tlm_generic_payload& payload);

  ip::Noc& noc_;
  RtlDevice device_;
  NocMap map_;
  std::vector<std::string> initiators_, targets_;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<RtlNoc>> out_;  ///< into its subordinates
  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<RtlNoc>> in_;      ///< from its managers
  std::vector<std::vector<OnItsWay>> under_way_;                               ///< by initiator
};

}  // namespace forerun::rtl
