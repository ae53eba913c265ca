// SPDX-License-Identifier: Apache-2.0
/// From the pins of an AXI4 or AXI4-Lite manager to a TLM-2.0 initiator socket.
#pragma once

#include <memory>
#include <vector>

#include "ip/cosim/axi_ports.hpp"
#include "ip/cosim/initiator_bridge.hpp"

namespace forerun::ip::cosim {

struct AxiToTlmParameters {
  AxiShape shape{};
  AxiSubordinateParameters subordinate{};
  std::uint64_t boundary = 0;  ///< bytes; no transaction crosses a multiple of it, but for FIXED; 0: any may
};

/// A subordinate on the pins. Each burst is one transaction, or several where it crosses the boundary of the
/// parameters: INCR as it is, WRAP as its whole container in ascending order, FIXED with a streaming width of
/// its beat. Bytes with WSTRB low at both ends are left out, others in between become byte enables.
/// Answers of different IDs leave in any order, those of one ID in order.
///
/// Exclusive access is refused as AXI asks: an exclusive read is an ordinary read with OKAY in the place of
/// EXOKAY; an exclusive write, which its manager must take as failed, changes nothing and gets OKAY. Errors:
/// TLM_ADDRESS_ERROR_RESPONSE gives DECERR, every other error SLVERR.
class AxiToTlm : public InitiatorBridge {
 public:
  AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiPins& pins,
           const AxiToTlmParameters& parameters = {});
  /// On a bus model of somebody else's, which must outlive this.
  AxiToTlm(const sc_core::sc_module_name& name, PinClock& clock, AxiServer& bus, std::uint64_t boundary = 0);
  Counter refused{counters, "refused_exclusive", "burst", "exclusive bursts answered with OKAY"};

 private:
  void drive_bus(std::uint64_t cycle) override { bus_.drive(cycle); }
  void edge_bus() override;
  void answered(Job& job) override;
  bool bus_idle() const override { return bus_.idle(); }
  /// A burst whose transactions are under way.
  struct Group {
    AxiBurst* burst = nullptr;
    unsigned left = 0;  ///< transactions without an answer
    Response response = Response::exokay;
    std::vector<unsigned char> data, enables;  ///< of WRAP, turned into ascending order
  };
  void begin(AxiBurst& burst);

  std::unique_ptr<AxiServer> own_;
  AxiServer& bus_;
  std::uint64_t boundary_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<Group*> free_groups_;
};

}  // namespace forerun::ip::cosim
