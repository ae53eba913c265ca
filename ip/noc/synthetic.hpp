// SPDX-License-Identifier: Apache-2.0
/// One-way synthetic traffic on a network model, without sockets: how network simulators are compared.
#pragma once

#include <cstdint>
#include <string>

#include "ip/noc/network.hpp"

namespace forerun::ip::noc {

/// Where the packets of node (x, y) of n nodes on a grid go. Node i is at x = i % columns, y = i / columns.
enum class Pattern : std::uint8_t {
  uniform,         ///< any node, itself too
  tornado,         ///< nearly half way round in each dimension: x + (columns + 1) / 2 - 1, y likewise
  transpose,       ///< (y, x); square grids
  bit_complement,  ///< n - 1 - i
  neighbour,       ///< (x + 1, y + 1)
  hotspot,         ///< half of the packets to node 0, the others to any
  all_to_all,      ///< all nodes in turn, each beginning behind itself
};

struct SyntheticTraffic {
  Pattern pattern = Pattern::uniform;
  double flits = 0.1;             ///< offered, of each node in each cycle, 0 .. 1
  unsigned packet_flits = 1;      ///< 1 or more
  std::int64_t warm_up = 6000;    ///< cycles before the measurement
  std::int64_t measure = 20000;   ///< cycles; packets born in them count
  std::int64_t patience = 50000;  ///< cycles after the measurement for its packets to arrive
  std::uint64_t seed = 1;
};

struct SyntheticResult {
  std::uint64_t packets = 0;  ///< measured
  double latency = 0;         ///< mean cycles from birth to the tail's arrival
  double network_latency =
      0;  ///< mean cycles from the head's leaving the source queue (tail's, less flits - 1)
  std::int64_t least = 0, most = 0;  ///< cycles
  double accepted = 0;               ///< flits that arrived at a node in a cycle of the measurement
  bool complete = true;     ///< all measured packets have arrived; if not, the means are of those that have
  std::int64_t cycles = 0;  ///< simulated
};

/// Every node (an endpoint of the graph: one for each place, row by row) starts a packet in each cycle with
/// probability flits / packet_flits, into a source queue without end; load goes on until the measured packets
/// are home. The destination takes packets at once. Repeats exactly for equal seeds.
SyntheticResult run_synthetic(const Graph& graph, Network& network, const SyntheticTraffic& traffic);

}  // namespace forerun::ip::noc
