// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace forerun::ip {

void NocParameters::check() const {
  const auto range = [](const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value < low || value > high)
      throw std::invalid_argument(fmt::format("noc: {} is {}; {} to {}", name, value, low, high));
  };
  range("columns", columns, 1, 64);
  range("rows", rows, 1, 64);
  range("concentration_x", concentration_x, 1, 64);
  range("concentration_y", concentration_y, 1, 64);
  range("fat_tree_radix", fat_tree_radix, 2, 64);
  range("link_width", link_width.count, 1, 1024);
  range("endpoint_width", endpoint_width.count, 0, 1024);
  range("virtual_networks", virtual_networks, 1, 2);
  range("virtual_channels", virtual_channels, 1, 16);
  range("priorities", priorities, 1, 8);
  range("buffer_flits", buffer_flits, 1, 65536);
  range("unit_buffer", unit_buffer.count, 4096, 1 << 30);
  range("credit_delay", credit_delay, 1, 1000);
  range("routing_delay", routing_delay, 0, 1000);
  range("vc_alloc_delay", vc_alloc_delay, 1, 1000);
  range("sw_alloc_delay", sw_alloc_delay, 1, 1000);
  range("switch_delay", switch_delay, 1, 1000);
  range("link_latency", link_latency, 1, 1000);
  range("inject_latency", inject_latency, 1, 1000);
  range("eject_latency", eject_latency, 1, 1000);
  const bool grid = topology == noc::Topology::mesh || topology == noc::Topology::concentrated_mesh;
  if (routing != noc::Routing::dimension_order && !grid)
    throw std::invalid_argument("noc: o1turn and west_first routing are for meshes");
  const bool halves =
      topology == noc::Topology::torus || topology == noc::Topology::ring || routing == noc::Routing::o1turn;
  if (halves && virtual_channels < 2)
    throw std::invalid_argument(
        "noc: torus, ring and o1turn need 2 virtual channels or more in each virtual network");
}

}  // namespace forerun::ip

namespace forerun::ip::noc {

Graph::Graph(const NocParameters& parameters) : parameters_(parameters) {
  parameters.check();
  if (parameters_.topology == Topology::fat_tree)
    make_tree();
  else
    make_grid();
}

void Graph::make_grid() {
  const auto& p = parameters_;
  const auto up = [](unsigned a, unsigned b) { return (a + b - 1) / b; };
  switch (p.topology) {
    case Topology::ring:
      width_ = p.columns * p.rows, height_ = 1;
      break;
    case Topology::crossbar:
      width_ = height_ = 1;
      break;
    case Topology::concentrated_mesh:
      width_ = up(p.columns, p.concentration_x), height_ = up(p.rows, p.concentration_y);
      break;
    default:
      width_ = p.columns, height_ = p.rows;
  }
  wraps_ = p.topology == Topology::torus || p.topology == Topology::ring;
  routers_.resize(std::size_t{width_} * height_);
  neighbours_.assign(routers_.size() * 4, none);
  for (unsigned y = 0; y < height_; ++y)
    for (unsigned x = 0; x < width_; ++x)
      routers_[y * width_ + x].name = p.topology == Topology::ring       ? fmt::format("({})", x)
                                      : p.topology == Topology::crossbar ? "(crossbar)"
                                                                         : fmt::format("({},{})", x, y);
  for (unsigned y = 0; y < height_; ++y)
    for (unsigned x = 0; x < width_; ++x) {
      const auto at = [&](unsigned to_x, unsigned to_y) { return to_y * width_ + to_x; };
      const auto here = at(x, y);
      if (x + 1 < width_ || (wraps_ && width_ > 1)) connect(here, at((x + 1) % width_, y), 0);
      if (x > 0 || (wraps_ && width_ > 1)) connect(here, at((x + width_ - 1) % width_, y), 1);
      if (y + 1 < height_ || (wraps_ && height_ > 1)) connect(here, at(x, (y + 1) % height_), 2);
      if (y > 0 || (wraps_ && height_ > 1)) connect(here, at(x, (y + height_ - 1) % height_), 3);
    }
}

void Graph::make_tree() {
  const auto k = parameters_.fat_tree_radix;
  const auto leaves = (parameters_.columns * parameters_.rows + k - 1) / k;
  levels_ = 1, level_size_ = 1;
  while (level_size_ < leaves) level_size_ *= k, ++levels_;
  directions_ = 2 * k;
  routers_.resize(std::size_t{levels_} * level_size_);
  neighbours_.assign(routers_.size() * directions_, none);
  for (unsigned level = 0; level < levels_; ++level)
    for (unsigned i = 0; i < level_size_; ++i)
      routers_[level * level_size_ + i].name = fmt::format("({}:{})", level, i);
  // A router and those of the next level with which it agrees in all digits (base k) but the one of its
  // level.
  unsigned digit = 1;
  for (unsigned level = 0; level + 1 < levels_; ++level, digit *= k)
    for (unsigned i = 0; i < level_size_; ++i) {
      const auto own = i / digit % k;
      for (unsigned j = 0; j < k; ++j) {
        const auto below = level * level_size_ + i,
                   above = (level + 1) * level_size_ + i + j * digit - own * digit;
        connect(below, above, k + j);
        connect(above, below, own);
      }
    }
}

void Graph::connect(std::uint32_t from, std::uint32_t to, unsigned direction) {
  const auto id = static_cast<std::uint32_t>(links_.size());
  Link link;
  link.name = fmt::format("{}->{}", routers_[from].name, routers_[to].name);
  link.from = from, link.to = to;
  link.from_port = static_cast<std::uint32_t>(routers_[from].outputs.size());
  link.to_port = static_cast<std::uint32_t>(routers_[to].inputs.size());
  link.latency = parameters_.link_latency;
  links_.push_back(std::move(link));
  routers_[from].outputs.push_back(id);
  routers_[to].inputs.push_back(id);
  neighbours_[std::size_t{from} * directions_ + direction] = id;
}

std::uint32_t Graph::router_at(unsigned x, unsigned y) const {
  const auto& p = parameters_;
  if (x >= p.columns || y >= p.rows) throw std::invalid_argument("noc: no such place");
  switch (p.topology) {
    case Topology::ring:
      return y * p.columns + (y % 2 == 0 ? x : p.columns - 1 - x);
    case Topology::crossbar:
      return 0;
    case Topology::concentrated_mesh:
      return y / p.concentration_y * width_ + x / p.concentration_x;
    case Topology::fat_tree:
      return (y * p.columns + x) / p.fat_tree_radix;
    default:
      return y * width_ + x;
  }
}

std::uint32_t Graph::attach(const std::string& name, std::uint32_t router, std::uint32_t interval,
                            unsigned more_latency) {
  const auto id = static_cast<std::uint32_t>(endpoints_.size());
  Endpoint endpoint{name, router, static_cast<std::uint32_t>(links_.size()),
                    static_cast<std::uint32_t>(links_.size() + 1)};
  auto& ports = routers_[router];
  Link in;
  in.name = fmt::format("{}->{}", name, ports.name);
  in.kind = Link::Kind::inject;
  in.to = router, in.endpoint = id;
  in.to_port = static_cast<std::uint32_t>(ports.inputs.size());
  in.latency = parameters_.inject_latency + more_latency;
  in.interval = interval;
  Link out;
  out.name = fmt::format("{}->{}", ports.name, name);
  out.kind = Link::Kind::eject;
  out.from = router, out.endpoint = id;
  out.from_port = static_cast<std::uint32_t>(ports.outputs.size());
  out.latency = parameters_.eject_latency;
  out.interval = interval;
  ports.inputs.push_back(endpoint.inject);
  ports.outputs.push_back(endpoint.eject);
  links_.push_back(std::move(in));
  links_.push_back(std::move(out));
  endpoints_.push_back(std::move(endpoint));
  return id;
}

std::uint32_t Graph::add_endpoint(const std::string& name, unsigned x, unsigned y,
                                  const EndpointParameters& e) {
  const auto& p = parameters_;
  const auto width =
      static_cast<double>(p.endpoint_width.count == 0 ? p.link_width.count : p.endpoint_width.count);
  const bool crossing = e.clock.hertz > 0 && e.clock.hertz != p.clock.hertz;
  const auto slower = crossing ? std::min(e.clock.hertz, p.clock.hertz) : p.clock.hertz;
  const auto interval = static_cast<double>(p.link_width.count) / width * (p.clock.hertz / slower);
  return attach(name, router_at(x, y),
                static_cast<std::uint32_t>(std::lround(std::max(1.0, interval) * 1024)),
                crossing ? e.synchroniser_stages : 0);
}

std::uint32_t Graph::add_unit(const std::string& name, std::uint32_t router) {
  return attach(name, router, 1024, 0);
}

}  // namespace forerun::ip::noc
