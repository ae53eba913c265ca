// SPDX-License-Identifier: Apache-2.0
/// From a TLM-2.0 target socket to the pins of an AXI4-Stream receiver.
#pragma once

#include "ip/cosim/stream_models.hpp"
#include "ip/cosim/target_bridge.hpp"

namespace forerun::ip::cosim {

/// How streams appear as addresses: stream `dest` is at `base + (dest << dest_shift)`.
struct StreamAddress {
  std::uint64_t base = 0;
  unsigned dest_shift = 12;  ///< 0 to 63
};

struct TlmToStreamParameters {
  StreamShape shape{};
  StallParameters stall{};  ///< of TVALID
  StreamAddress address{};
  std::uint32_t id = 0;             ///< TID
  unsigned most_transactions = 16;  ///< under way
};

/// Each write is a packet, answered when its last beat (TLAST) is taken. TDEST comes from the address; byte
/// enables become TSTRB. Reads get TLM_COMMAND_ERROR_RESPONSE, a reset in between TLM_GENERIC_ERROR_RESPONSE.
class TlmToStream : public TargetBridge {
 public:
  TlmToStream(const sc_core::sc_module_name& name, PinClock& clock, StreamPins& pins,
              const TlmToStreamParameters& parameters = {});

 private:
  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const override;
  void start(Job& job) override;
  void drive_bus(std::uint64_t cycle) override { transmitter_.drive(pins_, cycle); }
  void edge_bus() override;
  bool bus_idle() const override { return transmitter_.idle(); }

  StreamPins& pins_;
  TlmToStreamParameters parameters_;
  StreamTransmitter transmitter_;
};

}  // namespace forerun::ip::cosim
