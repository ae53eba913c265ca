// SPDX-License-Identifier: Apache-2.0
/// The network flit by flit: input-queued routers with virtual channels, credits and iSLIP allocators, cycle
/// by cycle while anything moves and nothing else.
///
/// The rules are those of BookSim 2 (N. Jiang et al., "A detailed and flexible cycle-accurate network-on-chip
/// simulator", ISPASS 2013), whose results the model is compared with:
/// - A flit that a router sends at cycle t (end of its switch traversal) is at the far end of a link of
/// latency l at t + l + 1.
///   A head takes part in the allocation of a virtual channel in the cycle of its arrival (after
///   `routing_delay`), in that of the switch in the cycle after it has got one (at once when speculative);
///   body flits in the cycle of their arrival.
/// - Both allocators are one iteration of iSLIP: each output grants the next requester after the last one
/// accepted, each input
///   accepts the next grant. Requests for the switch are one for each pair of ports; the virtual channel is
///   chosen round robin. A virtual channel is free again in the cycle after its tail has won the switch.
/// - A credit leaves when a flit wins the switch, and counts l + 1 + credit_delay cycles later (l + 1 at an
/// endpoint).
/// - An endpoint sends a flit a cycle, virtual networks in turn, and gives a packet the next free virtual
/// channel that has
///   credits. It takes flits as they arrive, unless it holds back packets (Network::release).
/// - Higher QoS classes win every arbitration, first come the round-robin pointers within a class.
#pragma once

#include <bit>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

#include "ip/noc/network.hpp"
#include "ip/noc/routing.hpp"

namespace forerun::ip::noc {

class FlitNetwork final : public Network {
 public:
  explicit FlitNetwork(const Graph& graph);

  void inject(Packet& packet) override;
  std::int64_t advance(std::int64_t now, std::vector<NetworkEvent>& events) override;
  std::int64_t release(Packet& packet, std::int64_t now) override;
  std::uint64_t packets_inside() const override { return inside_; }
  const LinkCounters& counters(std::uint32_t link) const override;
  void reset_counters() override;
  void record(std::int64_t bin_cycles) override;
  std::vector<LinkBin> bins(std::uint32_t link) const override;
  std::vector<Blame> blames() const override;
  std::vector<Wait> waits() const override;

 private:
  enum class State : std::uint8_t { idle, routing, allocating, active };
  /// A virtual channel at the far end of a link: number link * V + channel. The same number names its near
  /// end.
  struct Channel {
    std::uint32_t front = none;                                     // packet whose flits come next
    std::uint32_t sent = 0;                                         // of it
    std::uint32_t occupancy = 0;                                    // flits in the buffer
    std::uint32_t out = none;                                       // channel that it has got
    std::uint32_t out_link = none, other_link = none, allowed = 0;  // where it may go
    std::uint32_t first = none, last = none;                        // packets behind the front (nodes)
    State state = State::idle;
    bool blocked = false, won = false;
    std::uint8_t priority = 0;
    std::uint32_t accept_pointer = 0, blocked_on = none, behind = none;  // links
    std::int64_t since = 0, blocked_since = 0, tried = 0;
  };
  /// The near end of a virtual channel.
  struct Outgoing {
    std::uint32_t credits = 0, owner = none, grant_pointer = 0;
    std::uint32_t granted = none;
    std::uint64_t key = 0, stamp = 0;
  };
  /// A link as the switch allocators see it: output port of one router, input port of the next.
  struct Port {
    std::uint32_t router = none, to_port = 0, from_port = 0, latency = 1;
    std::uint32_t allocating = 0, switching = 0;  // bits of the channels that take part at the far end
    std::uint32_t free = 0;                       // bits of the channels without an owner at the near end
    std::uint32_t channel_pointer = 0, accept_pointer = 0, grant_pointer = 0;
    std::uint32_t granted = none;   // channel granted at the near end
    std::uint32_t accepted = none;  // link accepted at the far end
    std::uint32_t blocked = 0;      // packets that wait for credits or channels of it
    bool slow = false, eject = false, inject = false;
    std::uint64_t grant_stamp = 0, accept_stamp = 0, request_stamp = 0, grant_key = 0, accept_key = 0;
    std::int64_t blocked_since = 0;
  };
  struct Pending {
    std::int64_t time;
    std::uint32_t channel, result;
  };
  struct Router {
    std::uint32_t inputs, outputs;               // how many
    std::uint32_t first_input;                   // in input_links_
    std::uint32_t words, first_word;             // of bits for its input ports
    std::vector<Pending> allocations, switches;  // allocations of more than a cycle
    std::vector<std::uint32_t> sleepers;         // channels that wait until an output has a free channel
  };
  struct Info {
    Packet* packet = nullptr;
    std::uint32_t flits = 0, source = 0, destination = 0, drawn = 0, withheld = 0;
    std::uint32_t channel = none;  // by which it is ejected
    std::uint8_t network = 0, priority = 0;
    bool arrived = false, released = false;
  };
  struct Node {
    std::uint32_t packet, next;
  };
  struct Arrival {
    std::uint32_t channel, packet;  // with head and tail in the upper bits
  };
  struct Source {
    std::uint32_t first = none, last = none;  // nodes
    std::uint32_t sent = 0, channel = none, last_channel = none;
    std::uint32_t packets = 0;
  };
  struct Bucket {
    std::vector<Arrival> arrivals;
    std::vector<std::uint32_t> credits, routed;
    bool empty() const { return arrivals.empty() && credits.empty() && routed.empty(); }
  };

  std::int64_t next_cycle() const;
  void cycle(std::int64_t now, std::vector<NetworkEvent>& events);
  void arrive(const Arrival& arrival);
  void eject(std::uint32_t channel, std::uint32_t packet, bool tail);
  void forget(std::uint32_t packet);
  void credit(std::uint32_t channel);
  void come_to_front(std::uint32_t channel, std::uint32_t packet, std::int64_t from);
  void start_allocating(std::uint32_t channel);
  void send_from(std::uint32_t endpoint, std::vector<NetworkEvent>& events);
  bool send_from(std::uint32_t endpoint, std::uint32_t source, std::vector<NetworkEvent>& events);

  void step(std::uint32_t router);
  void allocate_channels(Router& router);
  bool request_channels(std::uint32_t index, Channel& channel, const Router& router, std::uint32_t port);
  void allocate_switch(Router& router);
  void request_switch(const Router& router, Port& input, std::uint32_t link);
  void request_output(std::uint32_t index, const Channel& channel, const Router& router, const Port& input,
                      std::uint32_t out_link);
  void take_channel(std::uint32_t index, std::uint32_t out);
  void send(std::uint32_t index);
  bool has_work(const Router& router) const;
  void sleep(Router& router, std::uint32_t index);
  void wake_sleepers(Router& router, std::int64_t from);
  void postpone(std::vector<Pending>& pending, std::int64_t time, std::uint32_t index);

  bool room(std::uint32_t out, const Channel& channel) const;
  std::uint32_t open_channels(std::uint32_t link, const Channel& channel) const;
  std::uint32_t best_link(const Channel& channel) const;
  void set_allocating(std::uint32_t index);
  void set_switching(std::uint32_t index);
  void block(Channel& channel, std::uint32_t link, std::uint32_t out);
  void unblock(Channel& channel);
  Bucket& at(std::int64_t when) { return ++scheduled_, wheel_[static_cast<std::size_t>(when) & wheel_mask_]; }
  void activate_router(std::uint32_t router) {
    active_routers_[router >> 6] |= std::uint64_t{1} << (router & 63);
  }
  void activate_endpoint(std::uint32_t endpoint) {
    active_endpoints_[endpoint >> 6] |= std::uint64_t{1} << (endpoint & 63);
  }
  void append(std::uint32_t& first, std::uint32_t& last, std::uint32_t packet);
  std::uint32_t take_first(std::uint32_t& first, std::uint32_t& last);
  LinkBin& bin(std::uint32_t link, std::int64_t cycle);
  void count_waiting(std::uint32_t link, std::int64_t from, std::int64_t to);

  const Graph& graph_;
  const NocParameters parameters_;
  RouteFunction routes_;
  std::uint32_t channels_;  // virtual channels of a link
  std::uint32_t shortest_;  // cycles of an allocation without contention
  std::uint32_t sources_of_endpoint_;
  std::int64_t last_ = -1;  // cycle done
  std::uint64_t stamp_ = 0, switch_stamp_ = 0;
  std::uint64_t inside_ = 0;

  std::vector<Channel> channel_;
  std::vector<Outgoing> outgoing_;
  mutable std::vector<Port> ports_;  // by link
  std::vector<Router> routers_;
  std::vector<std::uint32_t> input_links_;
  std::vector<std::uint64_t> allocating_, switching_;  // input ports of routers that have such channels
  std::vector<std::uint64_t> active_routers_, active_endpoints_;
  std::vector<FlitPace> paces_;         // by link; used where slow
  std::vector<Source> sources_;         // (endpoint, network, priority)
  std::vector<std::uint32_t> drawn_;    // packets injected, by endpoint
  std::vector<std::uint32_t> turn_;     // by endpoint: network that sends next
  std::vector<std::uint32_t> waiting_;  // by endpoint: packets in its sources
  std::vector<std::uint32_t> held_;     // by (endpoint, network): flits delivered and not released
  std::vector<std::uint32_t> partial_;  // by channel of an eject link: packet that arrives
  std::vector<Info> packets_;
  std::vector<std::uint32_t> free_packets_;
  std::vector<Node> nodes_;
  std::uint32_t free_nodes_ = none;
  std::vector<Bucket> wheel_;
  std::size_t wheel_mask_ = 0, scheduled_ = 0;
  using Wake = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::vector<NetworkEvent>* events_ = nullptr;  // of the cycle in hand
  // Of the router in hand.
  std::vector<std::uint32_t> touched_, touched_inputs_;
  std::uint32_t deferred_ = 0;                                // bits of channels that a slow link makes wait
  std::vector<std::pair<std::uint32_t, std::uint32_t>> got_;  // channel, channel that it gets
  std::vector<std::uint32_t> going_, fresh_;  // channels whose flit goes; channels new to the switch

  mutable std::vector<LinkCounters> counters_;
  std::int64_t bin_cycles_ = 0, recorded_from_ = 0;
  std::vector<std::vector<LinkBin>> bins_;
  std::unordered_map<std::uint64_t, std::uint64_t> blames_;
};

}  // namespace forerun::ip::noc
