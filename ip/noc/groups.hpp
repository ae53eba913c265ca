// SPDX-License-Identifier: Apache-2.0
/// Groups of endpoints that share operands: windows that multicast or sum, and the trees of routes that they
/// use.
#pragma once

#include <cstdint>
#include <vector>

#include "ip/noc/routing.hpp"
#include "ip/noc/topology.hpp"

namespace forerun::ip::noc {

/// What a reduction window sums: IEEE binary32, bfloat16, IEEE binary16, or integers that wrap around.
enum class Element : std::uint8_t { f32, bf16, f16, i32 };
std::uint32_t bytes_of(Element element);
/// into[i] += from[i], rounded to the element's type (nearest, ties to even), over `bytes` bytes.
void add_elements(Element element, unsigned char* into, const unsigned char* from, std::uint32_t bytes);

struct GroupMember {
  std::uint32_t endpoint = none;
  std::uint64_t offset = 0;
};

struct Group {
  bool reduces = false;
  std::uint64_t base = 0, size = 0;
  std::vector<GroupMember> members;  ///< targets of a multicast; initiators of a reduction
  Element element = Element::f32;
  // Of a reduction: pieces of `granule` bytes (0: all) go round the targets; `offset` is what they see first.
  std::vector<std::uint32_t> targets;
  std::uint64_t offset = 0, granule = 0;

  std::uint64_t local(std::uint64_t address) const { return offset + address - base; }
  std::uint32_t target(std::uint64_t address) const {
    return targets[granule == 0 ? 0 : local(address) / granule % targets.size()];
  }
  /// Whether a write stays within a piece.
  bool holds(std::uint64_t address, std::uint64_t bytes) const {
    return granule == 0 || targets.size() == 1 || bytes == 0 ||
           local(address) / granule == local(address + bytes - 1) / granule;
  }
  /// Position of an endpoint among the members, or none.
  std::uint32_t find(std::uint32_t endpoint) const;
};

/// The routers at which routes between one endpoint (the root) and the members part. Node 0 is the nearest to
/// the root; without nodes the only member is met directly.
struct GroupTree {
  struct Branch {
    std::uint32_t node = none;    ///< the next node, or none:
    std::uint32_t member = none;  ///< the member itself
  };
  struct Node {
    std::uint32_t router = none;
    std::uint32_t parent = none, branch_of_parent = 0;
    std::vector<Branch> branches;
  };
  std::vector<Node> nodes;
  std::vector<std::uint32_t> node_of_member, branch_of_member;  ///< where each member joins
};

/// The sum of what the members wrote, which is given by their positions: added in the order in which the
/// units of the tree add.
std::vector<unsigned char> sum_over(const GroupTree& tree, Element element,
                                    const std::vector<std::vector<unsigned char>>& of_member);

/// Routes are those of a packet whose drawn bits are zero; from the root to the members, or the other way for
/// a reduction.
GroupTree make_tree(const Graph& graph, const RouteFunction& routes, std::uint32_t root,
                    const std::vector<GroupMember>& members, bool to_root);

}  // namespace forerun::ip::noc
