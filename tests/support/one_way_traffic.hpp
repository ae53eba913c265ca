// SPDX-License-Identifier: Apache-2.0
/// One-way traffic of ip/traffic's patterns on a network model by itself, without sockets.
#pragma once

#include <cstdint>

#include "ip/noc/network.hpp"
#include "ip/traffic/parameters.hpp"

namespace forerun::tests {

struct OneWayTraffic {
  ip::TrafficPattern pattern = ip::TrafficPattern::uniform;  ///< of endpoints; hotspot: half to node 0
  double flits = 0.1;             ///< offered, of each node in each cycle, above 0 and at most packet_flits
  unsigned packet_flits = 1;      ///< 1 or more
  std::int64_t warm_up = 6000;    ///< cycles before the measurement
  std::int64_t measure = 20000;   ///< cycles; packets born in them count
  std::int64_t patience = 50000;  ///< cycles after the measurement for its packets to arrive
  std::uint64_t seed = 1;
};

struct OneWayResult {
  std::uint64_t packets = 0;  ///< measured
  double latency = 0;         ///< mean cycles from birth to the tail's arrival
  double accepted = 0;        ///< flits that arrived at a node in a cycle of the measurement
};

/// Every node (an endpoint of the graph: one for each place, row by row) starts a packet in each cycle with
/// probability flits / packet_flits, into a source queue without end; load goes on until the measured packets
/// are home. The destination takes packets at once. Repeats exactly for equal seeds.
OneWayResult run_one_way(const ip::noc::Graph& graph, ip::noc::Network& network,
                         const OneWayTraffic& traffic);

}  // namespace forerun::tests
