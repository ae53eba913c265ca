// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/arrange.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace forerun::models {
namespace {

/// Links that are looked at in the search, at most.
constexpr std::uint64_t effort = 100'000'000;
constexpr unsigned starts = 100;

class Search {
 public:
  Search(const chip::Chip& chip, const Lanes& lanes, std::uint32_t row_groups, std::uint32_t column_groups,
         const GridTraffic& traffic)
      : lanes_(lanes), rows_(row_groups), columns_(column_groups), traffic_(traffic) {
    const auto grid = chip::place_tiles(chip);
    width_ = grid.columns;
    at_.resize(std::size_t{rows_} * columns_);
    for (const auto& tile : grid.tiles)
      if (tile.kind == chip::TileKind::cluster && tile.index < at_.size()) at_[tile.index] = {tile.x, tile.y};
    load_.resize(std::size_t{grid.columns} * grid.rows * 4);
    cluster_.resize(at_.size());
    std::iota(cluster_.begin(), cluster_.end(), 0u);
  }

  /// From the order of clusters, and from others drawn with a fixed seed.
  void improve() {
    improve_once();
    auto found = cluster_;
    auto least = best_;
    std::mt19937 draw(1);
    for (unsigned start = 0; start < starts && looked_ < effort; ++start) {
      for (std::size_t i = cluster_.size(); i > 1; --i) std::swap(cluster_[i - 1], cluster_[draw() % i]);
      improve_once();
      if (best_ < least * (1 - 1e-9)) {
        least = best_;
        found = cluster_;
      }
    }
    cluster_ = found;
  }

  std::vector<Place> places() {
    std::vector<Place> places(cluster_.size());
    for (std::uint32_t c = 0; c < columns_; ++c)
      for (std::uint32_t r = 0; r < rows_; ++r) {
        auto& place = places[cluster(r, c)];
        place.row_group = r;
        place.column_group = c;
        if (r > 0) place.chain_before = cluster(r - 1, c);
        if (r + 1 < rows_) place.chain_behind = cluster(r + 1, c);
        if (c > 0) place.team_before = cluster(r, c - 1);
        if (c + 1 < columns_) place.team_behind = cluster(r, c + 1);
      }
    return places;
  }

 private:
  void improve_once() {
    best_ = cost();
    for (bool better = true; better && looked_ < effort;) {
      better = false;
      for (std::size_t a = 0; a < cluster_.size(); ++a)
        for (std::size_t b = a + 1; b < cluster_.size(); ++b)
          better |= exchange([&] { std::swap(cluster_[a], cluster_[b]); });
      for (std::uint32_t a = 0; a < columns_; ++a)
        for (std::uint32_t b = a + 1; b < columns_; ++b)
          better |= exchange([&] {
            for (std::uint32_t r = 0; r < rows_; ++r) std::swap(cluster(r, a), cluster(r, b));
          });
      for (std::uint32_t a = 0; a < rows_; ++a)
        for (std::uint32_t b = a + 1; b < rows_; ++b)
          better |= exchange([&] {
            for (std::uint32_t c = 0; c < columns_; ++c) std::swap(cluster(a, c), cluster(b, c));
          });
    }
  }

  using Point = std::pair<unsigned, unsigned>;

  std::uint32_t& cluster(std::uint32_t row_group, std::uint32_t column_group) {
    return cluster_[std::size_t{column_group} * rows_ + row_group];
  }
  /// `swap` done twice changes nothing.
  template <typename Swap>
  bool exchange(const Swap& swap) {
    if (looked_ >= effort) return false;
    swap();
    const auto now = cost();
    const bool better = now < best_ * (1 - 1e-9);
    if (better)
      best_ = now;
    else
      swap();
    return better;
  }
  /// Along x first, then along y, as dimension-order routing goes.
  void send(Point from, Point to, double amount) {
    const auto step = [&](unsigned& at, unsigned end, unsigned direction) {
      while (at != end) {
        const bool up = at < end;
        load_[(std::size_t{from.second} * width_ + from.first) * 4 + direction + (up ? 1 : 0)] += amount;
        at = up ? at + 1 : at - 1;
        ++looked_;
      }
    };
    step(from.first, to.first, 0);
    step(from.second, to.second, 2);
  }
  /// The sum of the fourth powers of what links carry: the most loaded ones count for nearly all.
  double cost() {
    std::fill(load_.begin(), load_.end(), 0.0);
    const auto from_port = [&](const chip::Tile& port, std::uint32_t to, double amount) {
      send({port.x, port.y}, at_[to], amount);
    };
    const auto width = lanes_.first.width;
    for (std::uint32_t c = 0; c < columns_; ++c)
      for (std::uint32_t r = 0; r < rows_; ++r) {
        const auto to = cluster(r, c);
        if (r == 0)
          for (std::uint32_t i = 0; i < rows_; ++i)
            for (std::uint64_t p = 0; p < width; ++p)
              from_port(lanes_.port(lanes_.group_of[c * rows_ + i], p), to,
                        traffic_.tiles / rows_ / double(width));
        else
          send(at_[cluster(r - 1, c)], at_[to], traffic_.tiles);
        if (c == 0)
          for (const auto& port : lanes_.port_at)
            from_port(port, to, traffic_.panels / double(lanes_.port_at.size()));
        else
          send(at_[cluster(r, c - 1)], at_[to], traffic_.panels);
      }
    double sum = 0;
    for (const auto load : load_) sum += load * load * load * load;
    looked_ += load_.size();
    return sum;
  }

  const Lanes& lanes_;
  std::uint32_t rows_, columns_;
  GridTraffic traffic_;
  unsigned width_ = 0;
  std::vector<Point> at_;               // clusters
  std::vector<std::uint32_t> cluster_;  // by place, [column group][row group]
  std::vector<double> load_;            // by router and direction
  double best_ = 0;
  std::uint64_t looked_ = 0;
};

}  // namespace

std::vector<Place> arrange(const chip::Chip& chip, const Lanes& lanes, std::uint32_t row_groups,
                           std::uint32_t column_groups, const GridTraffic& traffic) {
  Search search(chip, lanes, row_groups, column_groups, traffic);
  const auto topology = chip.noc.topology;
  if (topology == chip::NocTopology::mesh || topology == chip::NocTopology::concentrated_mesh)
    search.improve();
  return search.places();
}

}  // namespace forerun::models
