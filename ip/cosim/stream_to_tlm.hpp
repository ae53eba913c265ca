// SPDX-License-Identifier: Apache-2.0
/// From the pins of an AXI4-Stream transmitter to a TLM-2.0 initiator socket.
#pragma once

#include "ip/cosim/initiator_bridge.hpp"
#include "ip/cosim/stream_models.hpp"
#include "ip/cosim/tlm_to_stream.hpp"

namespace forerun::ip::cosim {

struct StreamToTlmParameters {
  StreamShape shape{};
  StreamReceiverParameters receiver{};
  StreamAddress address{};
};

/// Each packet is a write (a longer one than `receiver.most_bytes` several) to the address of its TDEST;
/// position bytes are disabled by byte enables, null bytes left out. A stream has no answers: an error is
/// counted in `errors`. TREADY is low while `receiver.most_packets` writes are under way.
class StreamToTlm : public InitiatorBridge {
 public:
  StreamToTlm(const sc_core::sc_module_name& name, PinClock& clock, StreamPins& pins,
              const StreamToTlmParameters& parameters = {});

 private:
  void drive_bus(std::uint64_t cycle) override { receiver_.drive(pins_, cycle); }
  void edge_bus() override;
  void answered(Job& job) override { receiver_.release(*static_cast<StreamPacket*>(job.piece)); }
  bool bus_idle() const override { return receiver_.idle(); }

  StreamPins& pins_;
  StreamToTlmParameters parameters_;
  StreamReceiver receiver_;
};

}  // namespace forerun::ip::cosim
