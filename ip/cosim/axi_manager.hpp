// SPDX-License-Identifier: Apache-2.0
/// The manager's side of an AXI4 or AXI4-Lite interface: bursts in, pins out.
#pragma once

#include <cstdint>
#include <vector>

#include "ip/cosim/axi_burst.hpp"
#include "ip/cosim/ring.hpp"
#include "ip/cosim/stall.hpp"

namespace forerun::ip::cosim {

struct AxiManagerParameters {
  unsigned most_reads = 16, most_writes = 16;  ///< bursts with an address sent and no last answer
  StallParameters stall{};                     ///< of AWVALID, WVALID, ARVALID, BREADY and RREADY
  bool data_may_lead = false;                  ///< write data may go before their address, as AXI4 allows
};

/// Sends bursts in the order of issue() (reads and writes apart) and takes answers of any IDs in any order,
/// read data interleaved or not; those of one ID belong to its bursts in the order of issue. VALID never
/// waits for READY, and is low in reset and at the first edge after it.
///
/// Errors: a burst that reset interrupts ends with SLVERR, one not yet begun waits for the end of reset. An
/// answer that no burst waits for is dropped and counted. RLAST too early ends a burst with SLVERR.
class AxiManager {
 public:
  explicit AxiManager(const AxiShape& shape, const AxiManagerParameters& parameters = {});

  /// The burst must live until take_done() has returned it.
  void issue(AxiBurst& burst);
  /// A burst that is over, or null.
  AxiBurst* take_done() { return done_.empty() ? nullptr : done_.pop(); }

  void drive(AxiPins& pins, std::uint64_t cycle);  ///< writes the manager's wires
  void edge(const AxiPins& pins);                  ///< the clock rises

  /// Nothing to send and nothing to wait for.
  bool idle() const {
    return reads_.empty() && writes_.empty() && read_queue_.empty() && address_queue_.empty() &&
           data_queue_.empty();
  }
  std::uint64_t unexpected() const { return unexpected_; }  ///< answers that no burst waited for
  const AxiShape& shape() const { return shape_; }

 private:
  void present(AddressChannel& channel, const AxiBurst& burst) const;
  void present(WriteChannel& channel, const AxiBurst& burst) const;
  void take(const ReadChannel& channel);
  void take(const AnswerChannel& channel);
  void finish(std::vector<AxiBurst*>& list, std::size_t index);
  void abort();

  AxiShape shape_;
  AxiManagerParameters parameters_;
  Stall stall_aw_, stall_w_, stall_b_, stall_ar_, stall_r_;
  Ring<AxiBurst*> read_queue_, address_queue_, data_queue_,
      done_;                               // the front of a queue may be on the wires
  std::vector<AxiBurst*> reads_, writes_;  // whose address is or was on the wires, oldest first
  std::uint64_t addresses_ = 0, data_ = 0, answers_ = 0;  // writes begun, whose data are begun, over
  bool released_ = false, aw_valid_ = false, w_valid_ = false, ar_valid_ = false, data_begun_ = false;
  std::uint64_t unexpected_ = 0;
};

}  // namespace forerun::ip::cosim
