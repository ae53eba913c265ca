// SPDX-License-Identifier: Apache-2.0
/// How devices are joined by links, and the ways between them. No SystemC in here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace forerun::ip::link {

enum class Topology : unsigned char {
  ring,             ///< device i beside i + 1 and i - 1
  fully_connected,  ///< a link from each device to each other one
  switched,         ///< all at one switch
  torus             ///< rows of `columns` devices, rings along both dimensions
};

/// One direction of a link. Places below `devices` are devices, the next one is the switch.
struct Edge {
  unsigned from = 0, to = 0;
};

/// Edges and routes. Every topology looks the same from each device: shifting all devices (relative()) turns
/// edges into edges and routes into routes.
class Graph {
 public:
  /// `columns` is of a torus. Throws std::invalid_argument for fewer than two devices and for a torus that is
  /// no rectangle of at least 2 x 2.
  Graph(Topology topology, unsigned devices, unsigned columns);

  unsigned devices() const { return devices_; }
  const std::vector<Edge>& edges() const { return edges_; }
  /// "0->1", "2->switch".
  std::string edge_name(std::uint32_t edge) const;
  /// Where `other` is as seen from `self`: 0 is itself, 1 the next one. In a torus the steps to the right
  /// plus `columns` times the steps down; otherwise other - self, modulo the devices.
  unsigned relative(unsigned other, unsigned self) const;
  /// Edges that turn into one another when devices are shifted have the same class.
  std::uint32_t edge_class(std::uint32_t edge) const { return classes_[edge]; }
  std::uint32_t classes() const { return class_count_; }
  /// The shortest ways as lists of edges; several where a ring is as far in both directions. A torus goes
  /// along its row first.
  const std::vector<std::vector<std::uint32_t>>& routes(unsigned from, unsigned to) const {
    return routes_[from * devices_ + to];
  }

 private:
  std::uint32_t edge(unsigned from, unsigned to);
  using Path = std::vector<unsigned>;  // places
  std::vector<Path> paths(unsigned from, unsigned to) const;
  /// Ways along one dimension, as steps modulo `size`.
  static std::vector<std::vector<unsigned>> along(unsigned from, unsigned to, unsigned size);

  Topology topology_;
  unsigned devices_, columns_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> classes_;
  std::uint32_t class_count_ = 0;
  std::vector<std::vector<std::vector<std::uint32_t>>> routes_;
};

}  // namespace forerun::ip::link
