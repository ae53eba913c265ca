// SPDX-License-Identifier: Apache-2.0
/// Who may cross the switches: requests of input ports for output ports, and one iteration of iSLIP (N.
/// McKeown, "The iSLIP scheduling algorithm for input-queued switches", 1999) over them. Each output grants
/// the first request at or after its pointer, each input accepts the first grant at or after its own;
/// pointers move past what was accepted. An input that got two grants leaves an output idle: this is what
/// keeps a network below its links' capacity. A request of a higher QoS class wins over those of lower
/// classes at both. The channels of an input port that ask for the same output take turns.
///
/// Two classes with the same functions: ByteMatching for routers of up to 8 ports and 8 channels, all ports
/// at once in a word, and WordMatching for all others. Arguments everywhere: router, class, input port, its
/// virtual channel, output port; `now` is a cycle of the network. What is decided here can hardly be
/// predicted, so ByteMatching computes where it could branch.
#pragma once

#include <bit>
#include <cstdint>

namespace forerun::ip::noc {

/// The first set bit of `bits`, not 0, at or after `from` (below 64), or else the first of all.
inline unsigned first_from(std::uint64_t bits, unsigned from) {
  const auto after = bits & (~std::uint64_t{0} << from);
  return static_cast<unsigned>(std::countr_zero(after | (bits & -std::uint64_t{after == 0})));
}

/// Calls `visit` for the number of each set bit, in ascending order.
template <class Visit>
[[gnu::always_inline]] inline void each(std::uint64_t bits, Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

/// An input port that may send to an output port, for a request of a class.
struct Match {
  std::uint32_t in, out, cls;
};
/// No match, one, or (2) as yet unknown ones.
struct Only {
  unsigned count;
  Match match;
};

}  // namespace forerun::ip::noc
