// SPDX-License-Identifier: Apache-2.0
#include "ip/link/link_graph.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace forerun::ip::link {

Graph::Graph(Topology topology, unsigned devices, unsigned columns)
    : topology_(topology), devices_(devices), columns_(topology == Topology::torus ? columns : devices) {
  if (devices < 2) throw std::invalid_argument("links join two devices at least");
  if (topology == Topology::torus && (columns < 2 || devices % columns != 0 || devices / columns < 2))
    throw std::invalid_argument("a torus is a rectangle of at least 2 x 2 devices: columns do not fit");
  routes_.resize(std::size_t{devices} * devices);
  for (unsigned from = 0; from < devices; ++from)
    for (unsigned to = 0; to < devices; ++to)
      for (const auto& path : paths(from, to)) {
        std::vector<std::uint32_t> route;
        for (std::size_t i = 0; i + 1 < path.size(); ++i) route.push_back(edge(path[i], path[i + 1]));
        routes_[from * devices + to].push_back(std::move(route));
      }
  std::map<std::pair<unsigned, unsigned>, std::uint32_t> known;
  for (const auto& e : edges_) {
    const auto key = e.from == devices_ ? std::pair(1u, 0u)
                     : e.to == devices_ ? std::pair(2u, 0u)
                                        : std::pair(0u, relative(e.to, e.from));
    classes_.push_back(known.emplace(key, static_cast<std::uint32_t>(known.size())).first->second);
  }
  class_count_ = static_cast<std::uint32_t>(known.size());
}

unsigned Graph::relative(unsigned other, unsigned self) const {
  const auto rows = devices_ / columns_;
  const auto x = (other % columns_ + columns_ - self % columns_) % columns_;
  const auto y = (other / columns_ + rows - self / columns_) % rows;
  return x + columns_ * y;
}

std::string Graph::edge_name(std::uint32_t index) const {
  const auto place = [this](unsigned p) { return p == devices_ ? std::string("switch") : std::to_string(p); };
  return place(edges_[index].from) + "->" + place(edges_[index].to);
}

std::uint32_t Graph::edge(unsigned from, unsigned to) {
  const auto found =
      std::find_if(edges_.begin(), edges_.end(), [&](const Edge& e) { return e.from == from && e.to == to; });
  if (found != edges_.end()) return static_cast<std::uint32_t>(found - edges_.begin());
  edges_.push_back({from, to});
  return static_cast<std::uint32_t>(edges_.size() - 1);
}

std::vector<std::vector<unsigned>> Graph::along(unsigned from, unsigned to, unsigned size) {
  const auto up = (to + size - from) % size, down = (size - up) % size;
  std::vector<std::vector<unsigned>> ways;
  const auto walk = [&](unsigned steps, unsigned step) {
    std::vector<unsigned> way{from};
    for (unsigned i = 0; i < steps; ++i) way.push_back((way.back() + step) % size);
    ways.push_back(std::move(way));
  };
  if (up <= down) walk(up, 1);
  if (down <= up && down != 0 && size > 2) walk(down, size - 1);
  return ways;
}

std::vector<Graph::Path> Graph::paths(unsigned from, unsigned to) const {
  if (from == to) return {};
  switch (topology_) {
    case Topology::fully_connected:
      return {{from, to}};
    case Topology::switched:
      return {{from, devices_, to}};
    default:
      break;
  }
  std::vector<Path> found;  // a ring is a torus of one row
  const auto rows = devices_ / columns_;
  for (const auto& across : along(from % columns_, to % columns_, columns_))
    for (const auto& down : along(from / columns_, to / columns_, rows)) {
      Path path;
      for (const auto x : across) path.push_back(from / columns_ * columns_ + x);
      for (std::size_t i = 1; i < down.size(); ++i) path.push_back(down[i] * columns_ + to % columns_);
      found.push_back(std::move(path));
    }
  return found;
}

}  // namespace forerun::ip::link
