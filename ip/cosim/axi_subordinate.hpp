// SPDX-License-Identifier: Apache-2.0
/// The subordinate's side of an AXI4 or AXI4-Lite interface: pins in, bursts out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ip/cosim/axi_burst.hpp"
#include "ip/cosim/ring.hpp"
#include "ip/cosim/stall.hpp"

namespace forerun::ip::cosim {

struct AxiSubordinateParameters {
  unsigned most_reads = 16, most_writes = 16;  ///< bursts taken and not answered; more wait with READY low
  StallParameters stall{};                     ///< of AWREADY, WREADY, ARREADY, BVALID and RVALID
  bool interleave = false;  ///< read data of several IDs mix, beat by beat (to try managers)
};

/// Hands out reads when their address is there and writes when all their data are, in the order of arrival;
/// takes answers in any order and sends them so that those of one ID stay in the order of their requests.
/// Write data may come before their address.
///
/// Errors: a burst that AXI forbids is handed out as well as it can be understood (a checker on the same pins
/// names the rule). What reset interrupts is forgotten; an answer to it is dropped.
class AxiSubordinate {
 public:
  explicit AxiSubordinate(const AxiShape& shape, const AxiSubordinateParameters& parameters = {});

  /// The next burst to be carried out, or null. Its buffers belong to the subordinate and are good until
  /// complete().
  AxiBurst* take() { return requests_.empty() ? nullptr : requests_.pop(); }
  /// The burst's `response`, and the data of a read, are there. EXOKAY must not be answered to a burst
  /// without `lock`.
  void complete(AxiBurst& burst);

  void drive(AxiPins& pins, std::uint64_t cycle);  ///< writes the subordinate's wires
  void edge(const AxiPins& pins);                  ///< the clock rises

  /// Nothing is under way.
  bool idle() const { return reads_.empty() && writes_.empty() && ahead_.empty(); }
  const AxiShape& shape() const { return shape_; }

 private:
  struct Slot {
    AxiBurst burst;
    std::vector<unsigned char> data, enables;
    bool forgotten = false;
  };
  struct Beat {  // of data that came before their address
    Strobes strobes;
    Lanes data;
  };
  AxiBurst& open(const AddressChannel& channel, bool write);
  void fill(const Strobes& strobes, const Lanes& data);
  AxiBurst* choose(std::uint64_t cycle);
  void close(std::vector<AxiBurst*>& list, const AxiBurst* burst);
  void forget();

  AxiShape shape_;
  AxiSubordinateParameters parameters_;
  Stall stall_aw_, stall_w_, stall_b_, stall_ar_, stall_r_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<AxiBurst*> free_;
  std::vector<AxiBurst*> reads_, writes_;  // under way, oldest first
  Ring<AxiBurst*> requests_, filling_;
  Ring<Beat> ahead_;
  AxiBurst* reading_ = nullptr;    // whose beat is on the wires, or whose beats are to follow each other
  AxiBurst* answering_ = nullptr;  // on B
  bool released_ = false, r_valid_ = false;
};

}  // namespace forerun::ip::cosim
