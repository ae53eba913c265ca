// SPDX-License-Identifier: Apache-2.0
/// Both sides of an AXI4-Stream interface: packets in, pins out, and back.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/ring.hpp"
#include "ip/cosim/stall.hpp"

namespace forerun::ip::cosim {

/// Bytes that belong together: up to TLAST, or what a receiver gathers before it hands on.
struct StreamPacket {
  unsigned char* data = nullptr;
  unsigned length = 0;  ///< bytes
  unsigned char* enables =
      nullptr;  ///< one byte for each, zero for a position byte (TKEEP high, TSTRB low); null: all are data
  unsigned enables_period = 1;
  std::uint32_t id = 0, dest = 0;
  bool last = true;       ///< TLAST ends it
  bool failed = false;    ///< set by the transmitter: reset came in between
  void* owner = nullptr;  ///< of whoever made the packet
  unsigned offset = 0;    ///< progress, kept by the model
};

/// Sends packets one after another, from lane 0 of the first beat; lanes beyond the end have TKEEP and TSTRB
/// low. A packet that reset interrupts ends with `failed`.
class StreamTransmitter {
 public:
  explicit StreamTransmitter(const StreamShape& shape, const StallParameters& stall = {});
  /// The packet must live until take_done() has returned it; it has 1 byte or more.
  void send(StreamPacket& packet) { queue_.push(&packet); }
  StreamPacket* take_done() { return done_.empty() ? nullptr : done_.pop(); }
  void drive(StreamPins& pins, std::uint64_t cycle);
  void edge(const StreamPins& pins);
  bool idle() const { return queue_.empty(); }

 private:
  StreamShape shape_;
  Stall stall_;
  Ring<StreamPacket*> queue_, done_;
  bool released_ = false, valid_ = false;
};

struct StreamReceiverParameters {
  unsigned most_bytes =
      4096;  ///< a packet is handed out at TLAST or before it would grow beyond this; at least a beat
  unsigned most_packets = 4;  ///< handed out and not given back; more wait with TREADY low
  StallParameters stall{};    ///< of TREADY
};

/// Gathers packets by TID and TDEST: beats of several streams may interleave (of more streams than
/// `most_packets`, the oldest packet is handed out unfinished). Null bytes (TKEEP low) are left out.
class StreamReceiver {
 public:
  StreamReceiver(const StreamShape& shape, const StreamReceiverParameters& parameters = {});
  /// A packet that is complete, or null. Give it back with release(). One in flight at reset is forgotten.
  StreamPacket* take() { return ready_.empty() ? nullptr : ready_.pop(); }
  void release(StreamPacket& packet) { free_.push_back(&packet); }
  void drive(StreamPins& pins, std::uint64_t cycle);
  void edge(const StreamPins& pins);
  bool idle() const { return ready_.empty(); }  ///< nothing waits to be taken
  /// Hands out what is gathered without waiting for TLAST.
  void flush();

 private:
  struct Slot {
    StreamPacket packet;
    std::vector<unsigned char> data, enables;
  };
  StreamPacket& open(std::uint32_t id, std::uint32_t dest);
  void hand_out(StreamPacket& packet);
  StreamShape shape_;
  StreamReceiverParameters parameters_;
  Stall stall_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<StreamPacket*> free_, open_;
  Ring<StreamPacket*> ready_;
  bool released_ = false;
};

}  // namespace forerun::ip::cosim
