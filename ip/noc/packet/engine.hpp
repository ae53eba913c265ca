// SPDX-License-Identifier: Apache-2.0
/// The packet model of a network: what moves is a packet, what it needs are resources: a virtual channel of
/// each link on its way (held from the grant to its head until its tail has left), places in the buffer
/// behind it (credits), and cycles of the switch's input and output ports. Buffers are counts, not queues of
/// flits. Nothing happens where nothing competes or arrives: a router is visited only in cycles in which one
/// of its packets can move; one that is blocked sleeps until a credit or a channel comes back; an idle
/// network has no events at all.
///
/// Flits of a packet move together: a packet that is alone at its input and its output port takes both for as
/// many cycles as it has flits and credits, up to `turns.alone`; packets that compete take turns of up to
/// `turns.contended` flits. A head that finds both ports idle and unwanted passes the router in one step.
/// Turns of one flit are the exact model. Longer ones let a packet finish before the one that arrived during
/// its turn, where flit by flit both would finish late. For packets of 5 flits on an 8x8 mesh, uniform, the
/// default is within 1.5 % of it in latency up to 90 % of saturation and 2 % high in saturation; contended
/// turns of 3 come out 2 % low in latency at 75 %, 4 % at 90 %, 3 % high in saturation. An endpoint sends as
/// a packet that is alone while only one of its source queues has packets.
///
/// The rules are those of an input-queued router with separable iSLIP allocators, one iteration, as in
/// BookSim 2: a head waits routing_delay, then bids for the free channels of its link, then its packet bids
/// for the switch in each cycle in which it has a flit and a credit.
///
/// Where its parts are: what it keeps in state.hpp; construction in setup.cpp; a cycle in engine.cpp, with
/// channels.hpp (arrival and channel allocation), crossing.hpp (through the switch) and ends.hpp (endpoints);
/// counters and records in statistics.cpp, who waits for whom in waits.cpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <queue>
#include <unordered_map>
#include <vector>

#include "ip/noc/network.hpp"
#include "ip/noc/packet/byte_matching.hpp"
#include "ip/noc/packet/state.hpp"
#include "ip/noc/packet/word_matching.hpp"
#include "ip/noc/routing.hpp"

namespace forerun::ip::noc {

/// Flits that a packet moves at a time. 1 .. 8.
struct PacketTurns {
  unsigned alone = 7, contended = 2;
};

/// As make_packet_network, with other turns than the default.
std::unique_ptr<Network> make_packet_network(const Graph& graph, PacketTurns turns);

/// `Matching` is chosen by the size of routers. `plain`: meshes in X-Y order with wormhole switching and
/// links that all take a flit a cycle, one class, one cycle for each allocation, no routing delay, nothing
/// speculative.
template <class Matching, bool plain>
class PacketEngine final : public Network {
 public:
  PacketEngine(const Graph& graph, PacketTurns turns);

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
  using Channels = typename Matching::Channels;
  using In = Input<Matching>;
  using Out = Output<Matching>;
  using Local = typename Matching::Local;
  using Bits = std::vector<std::uint64_t>;

  // Numbers of channels: state.hpp
  std::uint32_t router_of(std::uint32_t id) const { return id >> row_; }
  std::uint32_t local(std::uint32_t id) const { return id & ((1u << row_) - 1); }
  unsigned port_of(std::uint32_t id) const { return local(id) >> shift_; }
  unsigned channel_of(std::uint32_t id) const { return id & ((1u << shift_) - 1); }
  std::uint32_t out_of(std::uint32_t id, const In& in) const { return id - local(id) + in.out; }
  Port<Channels>& port(std::uint32_t id) { return ports_[id >> shift_]; }
  const Port<Channels>& port(std::uint32_t id) const { return ports_[id >> shift_]; }
  static Channels mask(unsigned channel) { return static_cast<Channels>(Channels{1} << channel); }

  /// What is due in a cycle, less than the length of the calendar ahead.
  Cycle& at(std::int64_t cycle) {
    auto& due = calendar_[static_cast<std::size_t>(cycle) & ring_];
    if (due == nullptr) [[unlikely]]
      due = new_cycle();
    return *due;
  }
  Cycle* new_cycle();
  static void set(Bits& bits, std::uint32_t i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }
  /// The cycle in which a front packet's head could leave at best: not 2^31 cycles before now.
  std::int64_t due(const In& in, std::int64_t now) const {
    return now - static_cast<std::int32_t>(static_cast<std::uint32_t>(now) - flights_[in.front].due);
  }
  std::int64_t next_cycle() const;
  std::int64_t run(std::int64_t now, std::vector<NetworkEvent>& events);
  void step(std::int64_t now, std::vector<NetworkEvent>& events);
  void take_credits(Cycle& cycle, std::int64_t now);
  void take_bodies(Cycle& cycle, std::int64_t now);
  void take_heads(Cycle& cycle, std::int64_t now);
  void take_landings(Cycle& cycle, std::int64_t now);
  void take_others(Cycle& cycle, std::int64_t now);
  void finish_all(Cycle& cycle, std::int64_t now);

  // Arrival and channel allocation
  void credited(std::uint32_t output, bool empty, std::int64_t now);
  void arrive(const Head& head, std::int64_t now);
  bool pass(std::uint32_t id, In& in, std::uint32_t out, const Head& head, const Flight& flight,
            std::int64_t now);
  bool follow(std::uint32_t id, In& in, std::uint32_t flits, std::int64_t now);
  std::uint32_t find_way(std::uint32_t router, const Flight& flight, Channels& wanted) const;
  void come_to_front(std::uint32_t id, In& in, std::int64_t now, bool after_tail);
  void bid(std::uint32_t id, In& in, std::uint32_t out, std::int64_t now);
  void bids_for(std::uint32_t out);
  void allocate_all(std::int64_t now);
  void allocate(std::uint32_t base, std::int64_t now);
  void find_winners(std::uint32_t base);
  unsigned accept(std::uint32_t base, std::uint32_t id, Channels granted);
  void note_stuck(std::uint32_t base, bool stuck, std::int64_t now);
  void settle_bid(const Bid& result);
  void take(std::uint32_t id, unsigned channel);
  bool cuts_through() const { return !plain && cut_through_; }
  bool paces(const Port<Channels>& out) const { return !plain && out.paced; }
  bool room_for(const Out& output, std::uint32_t flits) const {
    return !cuts_through() || output.credits >= std::min(flits, depth_);
  }

  // Through the switch
  unsigned class_of(std::uint32_t id) const { return plain ? 0 : bidders_[id].cls; }
  void ask(std::uint32_t id, const In& in, unsigned cls);
  void activate(std::uint32_t id, std::int64_t now);
  void starve(std::uint32_t output, std::int64_t from);
  void bid_ahead(std::int64_t now);
  void fall_back(std::uint32_t id, std::int64_t now);
  void switch_all(std::int64_t now);
  void grant(std::uint32_t router, const Match& match, std::int64_t now);
  void grant_all(std::uint32_t router, std::int64_t now);
  void move(std::uint32_t id, std::uint32_t most, bool asking, std::int64_t now);
  void send_on(std::uint32_t id, const In& in, std::uint32_t out, std::uint32_t flits, bool head,
               std::int64_t when);
  void pace(std::uint32_t out, std::int64_t when, unsigned ahead, std::int64_t now);
  void finish(std::uint32_t id, std::int64_t now);

  // Endpoints
  bool send(std::uint32_t endpoint, std::int64_t now);
  bool choose(Sender<Channels>& sender, Source& source, std::uint32_t network, const Out* outputs);
  void depart(const Departure& departure, std::int64_t now, std::vector<NetworkEvent>& events);
  void land(const Landing& landing, std::int64_t now);
  void deliver(const Landing& landing, std::int64_t now);
  void announce(std::uint32_t flight, std::int64_t cycle) {
    early_.push_back({cycle, NetworkEvent::What::delivered, flights_[flight].packet});
  }
  void free_flight(std::uint32_t flight) {
    flights_[flight].next = free_flight_;
    free_flight_ = flight;
  }

  // Statistics
  std::uint32_t link_of(std::uint32_t id) const { return links_[id >> shift_]; }
  const LinkTraffic& traffic(std::uint32_t link) const;
  bool stalls(const Stall& s) const { return s.heads || s.channels > 0; }
  void stall(std::uint32_t link, std::int64_t from, std::uint32_t output);
  void settle(std::uint32_t link, std::int64_t now) const;
  std::uint32_t wanted_behind(std::uint32_t output) const;
  LinkBin& bin_at(std::uint32_t link, std::int64_t cycle);
  void record_flits(std::uint32_t link, std::int64_t now, std::uint32_t flits);
  void record_wait(std::uint32_t link, std::int64_t from, std::int64_t to);
  const Packet* front_packet(std::uint32_t id) const;
  const Packet* in_the_way(std::uint32_t output, std::uint32_t network) const;
  void wait_in(std::uint32_t id, std::vector<Wait>& result) const;
  void wait_at_source(std::size_t source, std::vector<Wait>& result) const;

  const Graph& graph_;
  RouteFunction route_;
  // Shape
  std::uint32_t router_count_, endpoints_;
  Size<Matching::channel_bits> shift_;
  Size<Matching::row_bits> row_;
  std::uint32_t vcs_, classes_, networks_;
  Size<Matching::row_bits != 0 ? 1 : 0> words_, port_words_;  // of 64 input channels, of 64 ports
  std::uint32_t depth_, routing_delay_, vc_delay_, sw_delay_, ahead_;
  PacketTurns turns_;
  bool cut_through_, speculative_, by_table_ = false;
  bool passes_;                   // heads that meet nobody pass at once
  std::uint32_t inject_outputs_;  // the first output of links from endpoints
  Channels channels_of_[2] = {};  // of each virtual network
  // Routers
  Matching matching_;
  std::vector<In> inputs_;
  std::vector<Out> outputs_;
  std::vector<Behind> behind_;    // [input channel]
  std::vector<Bidding> bidders_;  // [input channel], if not plain
  std::vector<Port<Channels>> ports_;
  std::vector<std::uint32_t> links_;  // [port]: of its output
  Bits waiting_;                      // [port]: local input channels that bid for it
  Bits bidding_, stuck_;              // [router]: ports for which somebody bids; whose heads find no channel
  Bits active_, allocating_, sending_;  // routers to match, routers to allocate channels, endpoints
  std::vector<std::uint8_t> table_;     // [router][endpoint]: output port
  // Endpoints
  std::vector<Source> sources_;
  std::vector<Sender<Channels>> senders_;
  std::vector<Sink> sinks_;
  std::vector<std::uint32_t> network_of_;  // of virtual channels
  std::vector<std::uint32_t> untaken_;     // [endpoint][channel]: flits of packets not yet complete
  std::vector<FlitPace> paces_;            // of links
  // Pools and calendar
  std::vector<Flight> flights_;
  std::vector<Place> places_;
  std::uint32_t free_flight_ = none, free_place_ = none;
  std::vector<Cycle*> calendar_;  // nullptr: nothing is due
  std::vector<std::unique_ptr<Cycle>> cycles_;
  std::vector<Cycle*> spare_;  // the last one used is the next: it is in the cache
  std::size_t ring_ = 0;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::vector<NetworkEvent> early_;
  std::int64_t done_ = -1;
  std::uint64_t inside_ = 0;
  // Scratch of a cycle: input channels
  List<std::uint32_t> fresh_;
  std::vector<std::uint32_t> leading_;
  std::vector<Channels> granted_;
  std::vector<std::uint32_t> winners_;
  // Statistics, of links
  std::vector<std::uint64_t> waited_;  // as LinkCounters
  mutable std::vector<LinkCounters> counters_;
  mutable std::vector<Stall> stalls_;
  std::int64_t bin_ = 0, recorded_from_ = 0;
  std::vector<std::vector<LinkBin>> bins_;
  mutable std::unordered_map<std::uint64_t, std::uint64_t> blames_;
};

}  // namespace forerun::ip::noc
