// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/groups.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "ip/base/numbers.hpp"

namespace forerun::ip::noc {
namespace {

template <typename Bits, typename Add>
void add_all(unsigned char* into, const unsigned char* from, std::uint32_t bytes, Add add) {
  for (std::uint32_t i = 0; i + sizeof(Bits) <= bytes; i += sizeof(Bits)) {
    Bits a, b;
    std::memcpy(&a, into + i, sizeof a);
    std::memcpy(&b, from + i, sizeof b);
    a = add(a, b);
    std::memcpy(into + i, &a, sizeof a);
  }
}

/// A router on a way, and the link by which the way goes on, away from the root.
struct Step {
  std::uint32_t router, link;
};

class Builder {
 public:
  explicit Builder(std::vector<std::vector<Step>> ways) : ways_(std::move(ways)) {
    tree_.node_of_member.assign(ways_.size(), none);
    tree_.branch_of_member.assign(ways_.size(), 0);
  }
  GroupTree build() {
    std::vector<std::uint32_t> all(ways_.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    follow(all, 0, none, 0);
    return std::move(tree_);
  }

 private:
  /// The ways of some members agree before step `depth`; they join a branch of a node (or the root).
  GroupTree::Branch follow(const std::vector<std::uint32_t>& members, std::size_t depth, std::uint32_t parent,
                           std::uint32_t branch_of_parent) {
    if (members.size() == 1) {
      tree_.node_of_member[members[0]] = parent;
      tree_.branch_of_member[members[0]] = branch_of_parent;
      return {none, members[0]};
    }
    for (;; ++depth) {
      std::map<std::uint32_t, std::vector<std::uint32_t>> parts;
      for (const auto m : members) parts[ways_[m][depth].link].push_back(m);
      if (parts.size() == 1) continue;
      const auto id = static_cast<std::uint32_t>(tree_.nodes.size());
      tree_.nodes.push_back({ways_[members[0]][depth].router, parent, branch_of_parent, {}});
      std::uint32_t branch = 0;
      std::vector<GroupTree::Branch> branches;
      for (const auto& [link, part] : parts) branches.push_back(follow(part, depth + 1, id, branch++));
      tree_.nodes[id].branches = std::move(branches);
      return {id, none};
    }
  }

  std::vector<std::vector<Step>> ways_;
  GroupTree tree_;
};

/// Links of the way from one endpoint to another, inject and eject links included.
std::vector<std::uint32_t> way(const Graph& graph, const RouteFunction& routes, std::uint32_t from,
                               std::uint32_t to) {
  std::vector<std::uint32_t> links{graph.endpoints()[from].inject};
  for (auto router = graph.endpoints()[from].router; router != none;
       router = graph.links()[links.back()].to) {
    Candidates candidates;
    routes.route(router, from, to, 0, 0, candidates);
    links.push_back(candidates[0].link);
  }
  return links;
}

}  // namespace

std::uint32_t bytes_of(Element element) { return element == Element::f32 || element == Element::i32 ? 4 : 2; }

void add_elements(Element element, unsigned char* into, const unsigned char* from, std::uint32_t bytes) {
  switch (element) {
    case Element::f32:
      add_all<float>(into, from, bytes, [](float a, float b) { return a + b; });
      break;
    case Element::bf16:
      add_all<std::uint16_t>(into, from, bytes, [](std::uint16_t a, std::uint16_t b) {
        return to_bfloat(from_bfloat(a) + from_bfloat(b));
      });
      break;
    case Element::f16:
      add_all<std::uint16_t>(into, from, bytes, [](std::uint16_t a, std::uint16_t b) {
        return to_half(from_half(a) + from_half(b));
      });
      break;
    case Element::i32:
      add_all<std::uint32_t>(into, from, bytes, [](std::uint32_t a, std::uint32_t b) { return a + b; });
      break;
  }
}

std::vector<unsigned char> sum_over(const GroupTree& tree, Element element,
                                    const std::vector<std::vector<unsigned char>>& of_member) {
  const auto sum_at = [&](const auto& self, std::uint32_t node) -> std::vector<unsigned char> {
    std::vector<unsigned char> sum;
    for (const auto& branch : tree.nodes[node].branches) {
      auto part = branch.node == none ? of_member[branch.member] : self(self, branch.node);
      if (sum.empty())
        sum = std::move(part);
      else
        add_elements(element, sum.data(), part.data(), static_cast<std::uint32_t>(sum.size()));
    }
    return sum;
  };
  return tree.nodes.empty() ? of_member.front() : sum_at(sum_at, 0);
}

std::uint32_t Group::find(std::uint32_t endpoint) const {
  const auto at = std::find_if(members.begin(), members.end(),
                               [&](const GroupMember& m) { return m.endpoint == endpoint; });
  return at == members.end() ? none : static_cast<std::uint32_t>(at - members.begin());
}

GroupTree make_tree(const Graph& graph, const RouteFunction& routes, std::uint32_t root,
                    const std::vector<GroupMember>& members, bool to_root) {
  std::vector<std::vector<Step>> ways;
  for (const auto& member : members) {
    auto& steps = ways.emplace_back();
    auto links =
        to_root ? way(graph, routes, member.endpoint, root) : way(graph, routes, root, member.endpoint);
    if (to_root) std::reverse(links.begin(), links.end());
    for (std::size_t i = 1; i < links.size(); ++i) {
      const auto& before = graph.links()[links[i - 1]];
      steps.push_back({to_root ? before.from : before.to, links[i]});
    }
  }
  return Builder(std::move(ways)).build();
}

}  // namespace forerun::ip::noc
