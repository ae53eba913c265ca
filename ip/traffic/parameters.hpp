// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ip/base/time.hpp"

namespace forerun::ip {

/// Where requests go. The first three walk through a range of memory; the others choose among endpoints, as
/// in Dally and Towles, Principles and Practices of Interconnection Networks, section 3.2.
enum class TrafficPattern : unsigned char {
  linear,          ///< one request after the other, `stride` apart, wrapping at the end of the range
  random,          ///< uniform over the range, aligned to `stride`
  blocks,          ///< random blocks, each walked through linearly
  uniform,         ///< any endpoint, itself too
  all_to_all,      ///< each other endpoint in turn
  neighbor,        ///< the next column and the next row
  tornado,         ///< just less than half way round in each dimension
  transpose,       ///< columns and rows exchanged; the grid must be square
  bit_complement,  ///< endpoint count - 1 - own number
  hotspot,         ///< a share of the requests to the endpoints of `hotspots`, the rest uniform
  trace,           ///< from a RequestSource of the user's
};

enum class TrafficArrivals : unsigned char {
  saturating,  ///< as fast as they are taken
  periodic,    ///< evenly spaced, on cycles of the clock
  bernoulli,   ///< in each cycle of the clock with the same probability, at most one
};

/// Which requests are reads.
enum class TrafficMix : unsigned char {
  random,    ///< each by itself with the given share
  periodic,  ///< evenly spread, as in read, read, write
};

struct TrafficParameters {
  TrafficPattern pattern = TrafficPattern::linear;
  TrafficArrivals arrivals = TrafficArrivals::saturating;
  TrafficMix mix = TrafficMix::random;
  Frequency clock{1e9};  ///< of the arrivals
  double rate = 1;       ///< requests a cycle, above 0 and at most 1; unused when saturating
  double reads = 1;      ///< share of reads, 0 .. 1
  unsigned gap = 0;  ///< cycles from the moment at which a request was taken to the next one at the earliest
  unsigned window = 0;             ///< requests under way at most; 0: no limit but the target's
  bool window_reads_only = false;  ///< writes do not count for the window
  Bytes request{32};        ///< bytes of a request, 1 .. 64 KiB; what a `signal` carries is not counted
  bool signal = false;      ///< requests without data (TLM_IGNORE_COMMAND): a packet of a header alone
  bool posted = false;      ///< see ip::Posted
  bool timing_only = true;  ///< see ip::TimingOnly
  std::uint64_t seed = 1;

  // linear, random, blocks
  std::uint64_t base = 0;  ///< of the range
  /// The range is one of `slices` that lie interleaved in memory, in pieces of this size: number `slice`. 0:
  /// it lies in one.
  Bytes piece{0};
  unsigned slices = 1, slice = 0;
  Bytes size{1 << 20};  ///< of the range; a multiple of stride (and block)
  Bytes stride{32};     ///< from request to request
  Bytes block{4096};    ///< of `blocks`: a multiple of stride

  // endpoints
  std::vector<std::uint64_t> targets;  ///< address of each endpoint's window, which holds a request
  unsigned self = 0;                   ///< own number among them
  unsigned columns = 1;                ///< endpoints of a row of the grid; targets.size() is a multiple
  std::vector<unsigned> hotspots;
  double hotspot_share = 0.5;  ///< 0 .. 1
};

}  // namespace forerun::ip
