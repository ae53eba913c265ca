// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/routing.hpp"

#include <algorithm>

namespace forerun::ip::noc {
namespace {
unsigned distance(unsigned from, unsigned to, unsigned size, bool wraps) {
  const auto straight = from < to ? to - from : from - to;
  return wraps ? std::min(straight, size - straight) : straight;
}
}  // namespace

RouteFunction::RouteFunction(const Graph& graph)
    : graph_(graph),
      routing_(graph.parameters().routing),
      network_mask_((std::uint32_t{1} << graph.parameters().virtual_channels) - 1),
      network_shift_(graph.parameters().virtual_channels),
      lower_half_((std::uint32_t{1} << ((graph.parameters().virtual_channels + 1) / 2)) - 1),
      seed_(graph.parameters().seed) {}

std::uint32_t RouteFunction::draw(std::uint32_t source, std::uint32_t count) const {
  // The mixing steps of SplitMix64 (S. Vigna, public domain).
  std::uint64_t z = ((std::uint64_t{source} << 32 | count) + 1) * 0x9e3779b97f4a7c15u + seed_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32);
}

unsigned RouteFunction::route(std::uint32_t router, std::uint32_t source, std::uint32_t destination,
                              unsigned network, std::uint32_t drawn, Candidates& candidates) const {
  const auto& to = graph_.endpoints()[destination];
  const auto vcs = network_mask_ << (network_shift_ * network);
  if (router == to.router) {
    candidates[0] = {to.eject, vcs};
    return 1;
  }
  if (graph_.levels() > 0) {
    candidates[0] = tree(router, to.router, vcs, drawn);
    return 1;
  }
  const auto from = graph_.endpoints()[source].router;
  if (routing_ == Routing::dimension_order) {
    candidates[0] = grid(router, from, to.router, vcs, false, drawn);
    return 1;
  }
  if (routing_ == Routing::o1turn) {
    const bool y_first = (drawn & 1) != 0;
    const auto lower = lower_half_ << (network_shift_ * network);
    candidates[0] = grid(router, from, to.router, y_first ? vcs & ~lower : lower, y_first, drawn);
    return 1;
  }
  const auto width = graph_.width();
  const auto x = router % width, y = router / width, to_x = to.router % width, to_y = to.router / width;
  if (to_x < x) {
    candidates[0] = {graph_.neighbour(router, 1), vcs};
    return 1;
  }
  unsigned count = 0;
  if (to_x > x) candidates[count++] = {graph_.neighbour(router, 0), vcs};
  if (to_y != y) candidates[count++] = {graph_.neighbour(router, to_y > y ? 2 : 3), vcs};
  return count;
}

Candidate RouteFunction::grid(std::uint32_t router, std::uint32_t from, std::uint32_t to, std::uint32_t vcs,
                              bool y_first, std::uint32_t drawn) const {
  const auto width = graph_.width(), height = graph_.height();
  const auto x = router % width, y = router / width, to_x = to % width, to_y = to / width;
  const bool along_x = x != to_x && (!y_first || y == to_y);
  const auto at = along_x ? x : y, goal = along_x ? to_x : to_y;
  bool back = goal < at;
  if (graph_.wraps()) {
    // Direction and channels follow from where the packet entered the ring: its source's coordinate.
    const auto size = along_x ? width : height, start = along_x ? from % width : from / width;
    const auto ahead = (goal + size - start) % size;
    back = 2 * ahead > size || (2 * ahead == size && (drawn >> (along_x ? 1 : 2) & 1) != 0);
    const bool across = back ? start < goal : start > goal;
    const auto lower = vcs & (vcs >> (network_shift_ / 2));  // of n channels, the lower n - n / 2
    vcs = across ? vcs & ~lower : lower;
  }
  return {graph_.neighbour(router, (along_x ? 0u : 2u) + (back ? 1u : 0u)), vcs};
}

Candidate RouteFunction::tree(std::uint32_t router, std::uint32_t to, std::uint32_t vcs,
                              std::uint32_t drawn) const {
  const auto k = graph_.parameters().fat_tree_radix, size = graph_.level_size();
  const auto level = router / size, position = router % size, to_level = to / size, to_position = to % size;
  unsigned digit = 1;
  for (unsigned i = 0; i < level; ++i) digit *= k;
  // Up at least to the destination's level (units are above the leaves, too) by its own digits. Above the
  // highest digit in which they differ all routers lead to it.
  if (level < to_level) return {graph_.neighbour(router, k + to_position / digit % k), vcs};
  if (position / digit != to_position / digit) return {graph_.neighbour(router, k + drawn / digit % k), vcs};
  return {graph_.neighbour(router, to_position / (digit / k) % k), vcs};
}

unsigned RouteFunction::routers_between(std::uint32_t source, std::uint32_t destination) const {
  auto a = graph_.endpoints()[source].router, b = graph_.endpoints()[destination].router;
  if (graph_.levels() > 0) {
    const auto k = graph_.parameters().fat_tree_radix, size = graph_.level_size();
    const auto from_level = a / size, to_level = b / size;
    a %= size, b %= size;
    unsigned peak = 0;
    for (; peak < std::max(from_level, to_level) || a != b; ++peak) a /= k, b /= k;
    return 2 * peak - from_level - to_level + 1;
  }
  const auto width = graph_.width(), height = graph_.height();
  return 1 + distance(a % width, b % width, width, graph_.wraps()) +
         distance(a / width, b / width, height, graph_.wraps());
}

}  // namespace forerun::ip::noc
