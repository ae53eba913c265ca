// SPDX-License-Identifier: Apache-2.0
/// The other end of the streams of a block: bytes to and from what uses it in the simulator.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <systemc>
#include <vector>

#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// Binds all streams of the block, at most one of each direction.
class StreamPort : public sc_core::sc_module {
 public:
  StreamPort(const sc_core::sc_module_name& name, Device& device);

  bool has_receiver() const { return to_block_ != nullptr; }
  bool has_transmitter() const { return from_block_ != nullptr; }
  /// What the block has sent, a packet or beat a call.
  std::function<void(std::span<const std::uint8_t>)> on_bytes;
  /// A packet to the block, after those before it.
  void send(std::vector<std::uint8_t> bytes);
  std::size_t waiting() const { return packets_.size(); }  ///< packets that it has not taken

 private:
  void run();
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  std::unique_ptr<tlm_utils::simple_initiator_socket<StreamPort>> to_block_;
  std::unique_ptr<tlm_utils::simple_target_socket<StreamPort>> from_block_;
  std::deque<std::vector<std::uint8_t>> packets_;
  sc_core::sc_event sent_;
};

}  // namespace forerun::rtl
