// SPDX-License-Identifier: Apache-2.0
/// Which ways a packet may take from a router, and on which virtual channels.
#pragma once

#include <array>
#include <cstdint>

#include "ip/noc/topology.hpp"

namespace forerun::ip::noc {

/// A way out of a router: the link, and the virtual channels of it that the packet may use (bit v: channel v,
/// all virtual networks counted through: channel = network * virtual_channels + i).
struct Candidate {
  std::uint32_t link = none;
  std::uint32_t vcs = 0;
};
using Candidates = std::array<Candidate, 2>;

/// A pure function of where a packet is, whence it came, whither it goes, and bits drawn once for each
/// packet. No cyclic wait can arise among packets of one virtual network: X before Y; in rings the way across
/// the link that closes the ring has channels of its own (of 2, the upper half); O1TURN has half of the
/// channels for each order; west first forbids turns to the west; trees go up, then down.
class RouteFunction {
 public:
  explicit RouteFunction(const Graph& graph);

  /// Bits for the `count`-th packet of a source: what its drawn choices are made of. Deterministic, whatever
  /// other sources do.
  std::uint32_t draw(std::uint32_t source, std::uint32_t count) const;
  /// The ways from `router`; returns how many (1, or 2 where the routing is adaptive: the caller takes the
  /// one with more free room, the first when equal). At the destination's router: its eject link, all
  /// channels of the virtual network.
  unsigned route(std::uint32_t router, std::uint32_t source, std::uint32_t destination, unsigned network,
                 std::uint32_t drawn, Candidates& candidates) const;
  /// Channels of an inject link that a packet may use: all of its virtual network.
  std::uint32_t inject_vcs(unsigned network) const { return network_mask_ << (network_shift_ * network); }
  /// Routers on the way between two endpoints, both ends included: H of the closed form. The same for all
  /// drawn ways.
  unsigned routers_between(std::uint32_t source, std::uint32_t destination) const;

 private:
  Candidate grid(std::uint32_t router, std::uint32_t from, std::uint32_t to, std::uint32_t vcs, bool y_first,
                 std::uint32_t drawn) const;
  Candidate tree(std::uint32_t router, std::uint32_t to, std::uint32_t vcs, std::uint32_t drawn) const;

  const Graph& graph_;
  Routing routing_;
  std::uint32_t network_mask_, network_shift_, lower_half_, seed_;
};

}  // namespace forerun::ip::noc
