// SPDX-License-Identifier: Apache-2.0
/// Chip-to-chip links: what one device writes into or reads from another one's addresses crosses them.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <systemc>
#include <unordered_map>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"
#include "ip/link/link_graph.hpp"

namespace forerun::ip {

struct LinkParameters {
  unsigned devices = 2;
  link::Topology topology = link::Topology::ring;
  unsigned columns = 0;           ///< of a torus
  Bandwidth bandwidth{50e9};      ///< of a link, each way
  Time latency{500'000};          ///< along a link, with the circuits at both of its ends
  Time hop{100'000};              ///< through a device on the way, or the switch
  Bytes overhead{24};             ///< bytes on the wire beside the payload of each packet
  Bytes payload{256};             ///< largest payload of a packet, 1 or more
  std::uint64_t window_base = 0;  ///< addresses of device 0, as the others see them
  std::uint64_t window_stride = std::uint64_t{1} << 52;  ///< from one device's addresses to the next one's
  Timing timing = Timing::approximate;
  /// Only device 0 is there; the others do what it does, at the same time. It is sent what it sends: a
  /// transaction to the device that lies r devices further stands for the one that the device r devices
  /// before it sends to it. Links are loaded as by all devices.
  bool symmetric = false;
};

/// A socket pair for each device: `in` takes its transactions to others (addresses window_base + device *
/// window_stride + address there), `out` carries out in it those of others. A transaction is a request
/// message (with its write data) and a response message (with its read data); a message of B bytes is one
/// packet for each started `payload`, one at least, and takes (B + packets * overhead) / bandwidth of each
/// link on its way. Messages are cut through: without others
///
///     links * latency + (links - 1) * hop + (B + packets * overhead) / bandwidth
///
/// pass until a message has arrived. A link carries one message at a time, in the order in which their heads
/// reach it; of two at the same moment the one that has come further goes first. Where two ways are as long,
/// messages between two devices take them in turn. Buffers at both ends are not limited: what is under way is
/// bounded by the devices' own limits. Errors of the far device come back; an address of no other device gets
/// TLM_ADDRESS_ERROR_RESPONSE.
///
/// approximate: nb_transport. loose: b_transport, which adds the times above without contention.
class LinkNetwork : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument (link::Graph).
  LinkNetwork(const sc_core::sc_module_name& name, const LinkParameters& parameters);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<LinkNetwork>> in;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<LinkNetwork>> out;

  CounterGroup counters;
  Counter messages{counters, "messages", "message", "requests and responses delivered"};
  Counter bytes{counters, "bytes", "byte", "payload of the messages delivered"};
  Counter latency_sum{counters, "latency_sum", "ps",
                      "sum over messages of the time from sending to delivery"};

  /// One direction of a link; when only one of several symmetric devices is simulated, one of each kind.
  struct LinkReport {
    std::string name;  ///< "0->1", "2->switch"
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  ///< on the wire
    std::uint64_t busy_ps = 0;
    std::uint64_t waited_ps = 0;  ///< of messages, for others before them
  };
  const std::vector<LinkReport>& links() const { return reports_; }
  const link::Graph& graph() const { return graph_; }
  /// Without other traffic, until a message with this much data has arrived.
  std::int64_t unloaded_ps(unsigned from, unsigned to, std::uint32_t data) const;

 private:
  struct Message {
    tlm::tlm_generic_payload* original = nullptr;  // of the sender
    tlm::tlm_generic_payload* far = nullptr;       // in the other device
    unsigned char* far_data = nullptr;             // its own buffer
    unsigned source = 0, destination = 0;
    bool response = false;
    std::uint32_t data = 0;
    const std::vector<std::uint32_t>* route = nullptr;
    std::size_t hop = 0;
    std::uint64_t way = 0, sequence = 0;
    std::int64_t born_ps = 0;
  };
  /// Something that happens to a message: its head reaches a link, or its tail the destination. The order
  /// among those at one moment does not change when all devices are shifted.
  struct Arrival {
    std::int64_t when;
    std::int64_t minus_hop;
    std::uint64_t way, sequence;
    std::uint32_t message;
    auto operator<=>(const Arrival&) const = default;
  };

  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);

  /// The device that an address belongs to, or `devices` for none but the sender's own.
  unsigned device_of(std::uint64_t address, unsigned sender) const;
  std::uint64_t address_there(std::uint64_t address, unsigned device) const;
  std::size_t socket_of(unsigned device) const { return parameters_.symmetric ? 0 : device; }
  std::int64_t wire_bytes(std::uint32_t data) const;
  std::int64_t serial_ps(std::uint32_t data) const;
  void send(std::uint32_t message, std::int64_t when);
  void schedule(std::uint32_t message, std::int64_t when);
  void run();
  void advance(std::uint32_t message, std::int64_t when);
  void deliver(std::uint32_t message);
  void pump(std::size_t socket);
  void answer(std::uint32_t message, std::int64_t delay_ps);

  LinkParameters parameters_;
  link::Graph graph_;
  PayloadPool pool_{4096};
  std::vector<Message> messages_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<const tlm::tlm_generic_payload*, std::uint32_t> by_far_;
  std::vector<std::uint64_t> sent_;      // by source and destination
  std::vector<std::uint64_t> order_;     // by source
  std::vector<std::int64_t> free_at_;    // by resource
  std::vector<LinkReport> reports_;      // by resource
  std::vector<std::uint32_t> resource_;  // by edge
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> agenda_;
  std::vector<std::deque<std::uint32_t>> waiting_;     // requests for a device, by socket
  std::vector<tlm::tlm_generic_payload*> requesting_;  // without END_REQ so far, by socket
  unsigned deltas_ = 0;
  sc_core::sc_event run_event_;
};

}  // namespace forerun::ip
