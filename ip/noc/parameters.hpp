// SPDX-License-Identifier: Apache-2.0
/// The numbers of a network on chip. Plain data; both network models and the sockets' shell read the same.
#pragma once

#include <cstdint>

#include "ip/base/time.hpp"

namespace forerun::ip {
namespace noc {

enum class Topology : std::uint8_t {
  mesh,               ///< a router at each place, links to the four neighbours
  torus,              ///< a mesh whose rows and columns close to rings
  ring,               ///< one ring through all places: row by row, every second row backwards
  concentrated_mesh,  ///< a mesh whose routers serve concentration_x by concentration_y places each
  fat_tree,           ///< k-ary n-tree: k places at each leaf, as many links up as down at every level
  crossbar,           ///< one router for all
};
enum class Routing : std::uint8_t {
  dimension_order,  ///< X, then Y; in rings the shorter way round, ties drawn. Fat tree: up a drawn way, then
                    ///< down
  o1turn,      ///< X first or Y first, drawn for each packet; half of the virtual channels each. Meshes only
  west_first,  ///< west before all else, then minimal adaptive by free credits. Meshes only
};
enum class Switching : std::uint8_t {
  wormhole,            ///< a flit moves on when there is room for it
  virtual_cut_through  ///< a packet moves on when there is room for all of it (or an empty buffer, when it is
                       ///< larger)
};
enum class Model : std::uint8_t {
  packet,  ///< event-driven, resources busy until a time
  flit     ///< routers cycle by cycle
};

/// How an endpoint joins the network. Clock crossings cost `synchroniser_stages` cycles of the receiving
/// clock after waiting for its edge; they exist where `clock` differs from the network's.
struct EndpointParameters {
  Frequency clock{0};                ///< of the endpoint; 0: that of the network, no crossing
  unsigned synchroniser_stages = 2;  ///< 0 .. 8
  unsigned priority = 0;             ///< QoS class of what it sends, and of the responses; 0 the lowest
};

}  // namespace noc

struct NocParameters {
  Timing timing = Timing::approximate;
  noc::Model model = noc::Model::packet;
  Frequency clock{1.25e9};

  noc::Topology topology = noc::Topology::mesh;
  unsigned columns = 6, rows = 4;                     ///< places for endpoints, 1 .. 64 each
  unsigned concentration_x = 2, concentration_y = 2;  ///< concentrated mesh: places of a router, 1 .. 64
  unsigned fat_tree_radix = 4;  ///< fat tree: places of a leaf, links up of a router; 2 .. 64
  noc::Routing routing = noc::Routing::dimension_order;
  std::uint32_t seed = 1;  ///< of drawn ways (O1TURN, ties in rings, fat tree)

  Bytes link_width{64};           ///< a flit, what a link between routers carries a cycle, 4 .. 1024
  Bytes endpoint_width{0};        ///< what a link to or from an endpoint carries a cycle of the
                                  ///< slower of both clocks; 0: link_width
  unsigned virtual_networks = 2;  ///< 2: requests and responses apart. 1: together (they may deadlock)
  unsigned virtual_channels = 1;  ///< of each virtual network, 1 .. 16; torus, ring, O1TURN: 2 or more
  unsigned priorities = 1;        ///< QoS classes, 1 .. 8; higher ones go first wherever two compete
  unsigned buffer_flits = 16;     ///< input buffer of each virtual channel, 1 or more
  noc::Switching switching = noc::Switching::wormhole;
  Bytes unit_buffer{65536};   ///< data that the units of a router hold of multicasts, 4096 or more
  unsigned credit_delay = 1;  ///< cycles a router needs to note a credit, 1 or more

  // Router pipeline, in cycles, as BookSim counts it.
  unsigned routing_delay = 0;   ///< 0: looked up one router ahead
  unsigned vc_alloc_delay = 1;  ///< 1 or more
  unsigned sw_alloc_delay = 1;  ///< 1 or more
  unsigned switch_delay = 1;    ///< through the crossbar, 1 or more
  bool speculative = false;     ///< switch allocation tried along with that of the virtual channel
  unsigned link_latency = 1;    ///< between routers, 1 or more
  unsigned inject_latency = 1, eject_latency = 1;  ///< from and to an endpoint, 1 or more

  /// Cycles from a head at the input to the head at the output, without contention. A speculative switch
  /// allocation succeeds when the virtual channel is allocated before it ends (or in the same, single cycle);
  /// otherwise it is tried again.
  unsigned router_latency() const {
    auto allocation = vc_alloc_delay + sw_alloc_delay;
    if (speculative) {
      allocation = sw_alloc_delay;
      if (vc_alloc_delay > 1 || sw_alloc_delay > 1)
        while (allocation <= vc_alloc_delay) allocation += sw_alloc_delay;
    }
    return routing_delay + allocation + switch_delay;
  }
  unsigned total_vcs() const { return virtual_networks * virtual_channels; }
  /// Throws std::invalid_argument, naming the parameter.
  void check() const;
};

}  // namespace forerun::ip
