// SPDX-License-Identifier: Apache-2.0
/// What both network models have in common: packets in, packets out, in cycles of the network's clock. No
/// SystemC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ip/noc/topology.hpp"

namespace forerun::ip::noc {

/// A packet on its way; the caller owns it until it is released. The model's own state is kept in its tables
/// under `slot`, or in the packet itself by `drawn`.
struct Packet {
  std::uint32_t source = 0, destination = 0;  ///< endpoints
  std::uint32_t flits = 1;                    ///< 1 or more
  std::uint8_t network = 0;                   ///< virtual network: 0 request, 1 response
  std::uint8_t priority = 0;                  ///< QoS class, 0 the lowest
  std::int64_t born = 0;                      ///< cycle at which it joins its source queue
  void* user = nullptr;                       ///< the caller's
  bool drawn_way = true;                      ///< where ways are drawn; otherwise always the same
  // Of the model:
  std::uint32_t drawn = 0;  ///< bits for the route function
  std::uint32_t slot = none;
};

/// What has happened to a packet.
struct NetworkEvent {
  enum class What : std::uint8_t {
    injected,  ///< its tail has left the source queue: the next packet may follow
    delivered  ///< its tail arrives at the destination: announced Network::notice cycles ahead or more
               ///< (advance(event.cycle - notice) at the latest reports it), so that the caller can act in
               ///< that cycle
  };
  std::int64_t cycle;  ///< when; never before the present, may lie in the future (known in advance)
  What what;
  Packet* packet;
};

/// Counters of a link since the last reset. Cycles are of the network.
struct LinkCounters {
  std::uint64_t flits = 0, packets = 0;
  std::uint64_t blocked_cycles = 0;  ///< cycles in which a packet wanted the link and its far buffer had no
                                     ///< room (or no free virtual channel), and no other packet used it
  std::uint64_t waited_cycles =
      0;  ///< sum over packets of the cycles that they waited for this link beyond the pipeline
};

/// One bin of the record of a link over time.
struct LinkBin {
  std::uint32_t flits = 0;
  std::uint32_t waiting = 0;  ///< sum over packets of cycles waited for the link in this bin
};

/// A link that could not take packets because the buffer at its far end was full of packets that waited for
/// another link.
struct Blame {
  std::uint32_t link,
      behind;  ///< `behind`: the link that those packets waited for; none: the endpoint did not take packets
  std::uint64_t cycles;
};

/// A packet that cannot move.
struct Wait {
  const Packet* packet;
  std::uint32_t at;     ///< link in whose far buffer (or source queue) its head is
  std::uint32_t wants;  ///< link that it wants next, or none: its endpoint has not taken it
  const Packet*
      holder;  ///< packet that holds what it waits for, or nullptr: only an arbiter or a credit on its way
};

/// The model of a network. It never ticks by itself: the caller asks it to advance to the cycle that it
/// named.
class Network {
 public:
  static constexpr std::int64_t never = std::int64_t{1} << 62;
  static constexpr std::int64_t notice = 3;  ///< cycles: through the switch, over the last link, and taken
  virtual ~Network() = default;

  /// Joins the (unbounded) source queue of its endpoint, virtual network and class at cycle `packet.born`,
  /// which is not before the last cycle advanced to; packets of one queue come in order of `born`. A packet
  /// that joins at a cycle not yet advanced to can enter the network in that cycle. Afterwards the caller
  /// must advance by `packet.born` at the latest.
  virtual void inject(Packet& packet) = 0;
  /// Does all that is due up to and including cycle `now`; appends to `events`, in no order. Returns
  /// the cycle at which to call again at the latest, or `never`: nothing moves until somebody injects or
  /// releases. `now` never goes back.
  virtual std::int64_t advance(std::int64_t now, std::vector<NetworkEvent>& events) = 0;
  /// The destination has taken a delivered packet: its flits free the ejection buffer (buffer_flits for each
  /// virtual channel). While no delivered packet waits at an endpoint, flits are taken as they arrive. Every
  /// delivered packet must be released, at or after the cycle of its event, before or after advancing to
  /// `now`. Returns the cycle at which to advance at the latest, as `advance` does.
  virtual std::int64_t release(Packet& packet, std::int64_t now) = 0;

  virtual std::uint64_t packets_inside() const = 0;  ///< injected and not released
  virtual const LinkCounters& counters(std::uint32_t link) const = 0;
  virtual void reset_counters() = 0;
  /// Records every link in bins of so many cycles from now on; 0: off, the default, which costs nothing.
  virtual void record(std::int64_t bin_cycles) = 0;
  /// Bins of a link since the recording began. Empty when off.
  virtual std::vector<LinkBin> bins(std::uint32_t link) const = 0;
  /// Who blocked whom, summed since the last reset, the most cycles first. Kept while recording.
  virtual std::vector<Blame> blames() const = 0;
  /// Packets that wait right now.
  virtual std::vector<Wait> waits() const = 0;
};

/// The cycles of a packet of L flits over H routers without contention, from its source queue to its tail
/// delivered; exact for both models where buffers cover the time that a credit takes to come back: (1 +
/// inject latency) + H router_latency + (H - 1) link_latency + eject latency, and (L - 1) times the cycles
/// between two flits of a packet: that is 6 + 4 (H - 1) + L - 1 for a router of three cycles and links of
/// one.
std::int64_t zero_load_cycles(const Graph& graph, std::uint32_t source, std::uint32_t destination,
                              std::uint32_t flits);

/// The models of a graph whose endpoints are complete; it must outlive the model.
std::unique_ptr<Network> make_flit_network(const Graph& graph);
std::unique_ptr<Network> make_packet_network(const Graph& graph);

/// A sentence for each packet that waits, then the cycles of packets that wait for one another, if there are
/// any. At most `limit` lines.
std::string describe_waits(const Graph& graph, const std::vector<Wait>& waits, std::size_t limit);

}  // namespace forerun::ip::noc
