// SPDX-License-Identifier: Apache-2.0
/// What a network consists of: routers, their ports, one-way links, and where endpoints are attached.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ip/noc/parameters.hpp"

namespace forerun::ip::noc {

inline constexpr std::uint32_t none = ~std::uint32_t{0};

/// A one-way link: between two routers, from an endpoint into a router, or from a router to an endpoint.
struct Link {
  enum class Kind : std::uint8_t { router, inject, eject };
  std::string name;  ///< "(1,2)->(2,2)", "cluster3->(1,2)"
  Kind kind = Kind::router;
  std::uint32_t from = none, to = none;      ///< routers; none at an endpoint's side
  std::uint32_t endpoint = none;             ///< of an inject or eject link
  std::uint32_t from_port = 0, to_port = 0;  ///< output port of `from`, input port of `to`
  unsigned latency = 1;                      ///< cycles
  /// Cycles between two flits, in 1/1024: 1024 is a flit a cycle, endpoints behind slow or narrow links have
  /// more.
  std::uint32_t interval = 1024;
};

/// When the flits of a link that carries less than one a cycle may go.
class FlitPace {
 public:
  explicit FlitPace(std::uint32_t interval) : interval_(interval) {}
  /// The first cycle at or after `cycle` at which a flit may go.
  std::int64_t next(std::int64_t cycle) const { return std::max(cycle, (ready_ + 1023) >> 10); }
  /// A flit goes at `cycle`; fractions of a cycle are carried on while flits follow without a break.
  void take(std::int64_t cycle) {
    ready_ = (ready_ > ((cycle - 1) << 10) ? ready_ : cycle << 10) + interval_;
  }

 private:
  std::int64_t ready_ = std::int64_t{-1} << 40;  // in 1/1024 cycles
  std::uint32_t interval_;
};

struct Endpoint {
  std::string name;
  std::uint32_t router = none, inject = none, eject = none;  ///< `inject`, `eject`: links
};

struct RouterPorts {
  std::string name;
  std::vector<std::uint32_t> inputs, outputs;  ///< links, in the order of ports
};

/// Places (x, y) of the tile grid map to routers; router links come first in `links()`, those of endpoints
/// follow in the order in which endpoints are added. In meshes the ports of a router are east, west, south (y
/// + 1), north and then its endpoints; ports without a link do not exist.
class Graph {
 public:
  /// Throws std::invalid_argument as NocParameters::check.
  explicit Graph(const NocParameters& parameters);

  /// Attaches an endpoint at a place; its index. Throws std::invalid_argument outside the grid.
  std::uint32_t add_endpoint(const std::string& name, unsigned x, unsigned y,
                             const EndpointParameters& parameters = {});
  /// Attaches an endpoint to a router: for units within the network.
  std::uint32_t add_unit(const std::string& name, std::uint32_t router);

  std::uint32_t router_at(unsigned x, unsigned y) const;
  const NocParameters& parameters() const { return parameters_; }
  const std::vector<RouterPorts>& routers() const { return routers_; }
  const std::vector<Link>& links() const { return links_; }
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

  /// Width and height in routers of mesh, torus, concentrated mesh, ring (height 1) and crossbar (1 x 1).
  unsigned width() const { return width_; }
  unsigned height() const { return height_; }
  bool wraps() const { return wraps_; }
  /// Levels of a fat tree, and routers of a level; 0 otherwise. Router = level * level_size() + position,
  /// leaves first.
  unsigned levels() const { return levels_; }
  unsigned level_size() const { return level_size_; }
  /// The link from a router to its neighbour: 0 east, 1 west, 2 south, 3 north; in fat trees the k ways down,
  /// then the k ways up. none where there is no such link.
  std::uint32_t neighbour(std::uint32_t router, unsigned direction) const {
    return neighbours_[std::size_t{router} * directions_ + direction];
  }

 private:
  void make_grid();
  void make_tree();
  void connect(std::uint32_t from, std::uint32_t to, unsigned direction);
  std::uint32_t attach(const std::string& name, std::uint32_t router, std::uint32_t interval,
                       unsigned more_latency);

  NocParameters parameters_;
  unsigned width_ = 0, height_ = 0, levels_ = 0, level_size_ = 0, directions_ = 4;
  bool wraps_ = false;
  std::vector<RouterPorts> routers_;
  std::vector<Link> links_;
  std::vector<Endpoint> endpoints_;
  std::vector<std::uint32_t> neighbours_;
};

}  // namespace forerun::ip::noc
