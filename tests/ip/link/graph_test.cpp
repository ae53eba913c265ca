// SPDX-License-Identifier: Apache-2.0
#include "ip/link/link_graph.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

using namespace forerun::ip::link;

namespace {

struct Shape {
  Topology topology;
  unsigned devices, columns;
};
const Shape shapes[] = {{Topology::ring, 2, 0},     {Topology::ring, 5, 0},
                        {Topology::ring, 8, 0},     {Topology::fully_connected, 4, 0},
                        {Topology::switched, 6, 0}, {Topology::torus, 4, 2},
                        {Topology::torus, 8, 4},    {Topology::torus, 8, 2}};

TEST(LinkGraph, RoutesLeadFromLinkToLink) {
  for (const auto& shape : shapes) {
    const Graph graph(shape.topology, shape.devices, shape.columns);
    for (unsigned from = 0; from < shape.devices; ++from)
      for (unsigned to = 0; to < shape.devices; ++to) {
        EXPECT_EQ(graph.routes(from, to).empty(), from == to);
        for (const auto& route : graph.routes(from, to)) {
          EXPECT_EQ(route.size(), graph.routes(from, to).front().size()) << "all as short";
          auto at = from;
          for (const auto edge : route) {
            EXPECT_EQ(graph.edges()[edge].from, at);
            at = graph.edges()[edge].to;
          }
          EXPECT_EQ(at, to);
        }
      }
  }
}

TEST(LinkGraph, LinksAndTheirLengthsAreThoseOfTheTopology) {
  const auto links = [](const Graph& graph, unsigned from, unsigned to) {
    return graph.routes(from, to).front().size();
  };
  const Graph ring(Topology::ring, 6, 0), full(Topology::fully_connected, 4, 0),
      star(Topology::switched, 5, 0), torus(Topology::torus, 8, 4), pair(Topology::ring, 2, 0);
  EXPECT_EQ(ring.edges().size(), 12u);
  EXPECT_EQ(links(ring, 0, 2), 2u);
  EXPECT_EQ(links(ring, 0, 5), 1u);
  EXPECT_EQ(ring.routes(0, 3).size(), 2u) << "as far in both directions";
  EXPECT_EQ(full.edges().size(), 12u);
  EXPECT_EQ(links(full, 1, 3), 1u);
  EXPECT_EQ(star.edges().size(), 10u);
  EXPECT_EQ(links(star, 4, 1), 2u);
  EXPECT_EQ(star.edge_name(star.routes(4, 1).front().front()), "4->switch");
  EXPECT_EQ(torus.edges().size(), 8u * 2 + 8) << "rows of two need no second link";
  EXPECT_EQ(links(torus, 0, 6), 3u) << "two right, one down";
  EXPECT_EQ(pair.edges().size(), 2u);
}

/// What one device stands for all by: every device sees the same.
TEST(LinkGraph, LooksTheSameFromEveryDevice) {
  for (const auto& shape : shapes) {
    const Graph graph(shape.topology, shape.devices, shape.columns);
    for (unsigned self = 0; self < shape.devices; ++self) {
      std::set<unsigned> seen;
      for (unsigned other = 0; other < shape.devices; ++other) {
        const auto r = graph.relative(other, self);
        seen.insert(r);
        const auto &own = graph.routes(self, other), &first = graph.routes(0, r);
        ASSERT_EQ(own.size(), first.size());
        for (std::size_t i = 0; i < own.size(); ++i)
          for (std::size_t hop = 0; hop < own[i].size(); ++hop)
            EXPECT_EQ(graph.edge_class(own[i][hop]), graph.edge_class(first[i][hop]));
      }
      EXPECT_EQ(seen.size(), shape.devices);
      EXPECT_EQ(*seen.rbegin(), shape.devices - 1);
    }
  }
}

TEST(LinkGraph, RefusesWhatIsNoTorus) {
  EXPECT_THROW(Graph(Topology::torus, 6, 4), std::invalid_argument);
  EXPECT_THROW(Graph(Topology::torus, 4, 4), std::invalid_argument);
  EXPECT_THROW(Graph(Topology::torus, 4, 1), std::invalid_argument);
  EXPECT_THROW(Graph(Topology::ring, 1, 0), std::invalid_argument);
}

}  // namespace
