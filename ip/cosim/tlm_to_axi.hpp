// SPDX-License-Identifier: Apache-2.0
/// From a TLM-2.0 target socket to the pins of an AXI4 or AXI4-Lite subordinate.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ip/cosim/axi_ports.hpp"
#include "ip/cosim/target_bridge.hpp"

namespace forerun::ip::cosim {

struct TlmToAxiParameters {
  AxiShape shape{};
  AxiManagerParameters manager{};
  SplitParameters split{};
  unsigned ids = 0;  ///< used, from 0 on, one a transaction in turn; 0: all of id_bits, 16 at most
  unsigned most_transactions = 16;  ///< under way
  /// The bus's address of a transaction's; empty: the same.
  std::function<std::uint64_t(std::uint64_t)> translate{};
  std::uint8_t prot = 0, cache = 0b0011;  ///< AxPROT, AxCACHE of all bursts (normal non-cacheable bufferable)
};

/// A manager on the pins. Any transaction is carried: split at 4 KiB and 256 beats, byte enables as WSTRB, a
/// streaming width as FIXED bursts; all its bursts are under way at once. Different transactions have
/// different IDs and may end in any order.
///
/// Errors in the response: TLM_ADDRESS_ERROR_RESPONSE for DECERR or an address beyond address_bits,
/// TLM_GENERIC_ERROR_RESPONSE for SLVERR or a reset in between, TLM_BURST_ERROR_RESPONSE without data,
/// TLM_BYTE_ENABLE_ERROR_RESPONSE for enables without a length.
class TlmToAxi : public TargetBridge {
 public:
  TlmToAxi(const sc_core::sc_module_name& name, PinClock& clock, AxiPins& pins,
           const TlmToAxiParameters& parameters = {});
  /// On a bus model of somebody else's, which must outlive this; `parameters.manager` is not used.
  TlmToAxi(const sc_core::sc_module_name& name, PinClock& clock, AxiRequester& bus,
           const TlmToAxiParameters& parameters = {});

 private:
  std::uint64_t address_of(const tlm::tlm_generic_payload& payload) const {
    return parameters_.translate ? parameters_.translate(payload.get_address()) : payload.get_address();
  }
  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const override;
  void start(Job& job) override;
  void drive_bus(std::uint64_t cycle) override { bus_.drive(cycle); }
  void edge_bus() override;
  bool bus_idle() const override { return bus_.idle(); }

  std::unique_ptr<AxiRequester> own_;
  AxiRequester& bus_;
  TlmToAxiParameters parameters_;
  std::uint32_t next_id_ = 0, ids_;
};

}  // namespace forerun::ip::cosim
