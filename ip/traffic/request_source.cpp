// SPDX-License-Identifier: Apache-2.0
#include "ip/traffic/request_source.hpp"

#include <bit>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>

namespace forerun::ip {
namespace {

/// Numbers that are the same on every host: the distributions of the standard library are not, those of Boost
/// are.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. n - 1.
  std::uint64_t below(std::uint64_t n) {
    if (std::has_single_bit(n)) return n == 1 ? 0 : engine_() >> (64 - std::countr_zero(n));  // as Boost
    return boost::random::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
  }
  /// In (0, 1].
  double fraction() { return (static_cast<double>(engine_() >> 11) + 1) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

/// Addresses of a pattern, endless.
using Addresses = std::function<std::uint64_t()>;

/// From an offset in the range to an address.
struct Slice {
  explicit Slice(const TrafficParameters& p)
      : base(p.base), piece(p.piece.count), slices(p.slices), slice(p.slice) {}
  std::uint64_t operator()(std::uint64_t offset) const {
    if (piece == 0 || slices == 1) return base + offset;
    return base + (offset / piece * slices + slice) * piece + offset % piece;
  }
  std::uint64_t base, piece, slices, slice;
};

Addresses memory_addresses(const TrafficParameters& p, Random& random) {
  const auto stride = p.stride.count, count = p.size.count / stride;
  const Slice address(p);
  require(p.pattern != TrafficPattern::trace, "pattern: a trace has a source of its own");
  switch (p.pattern) {
    case TrafficPattern::random:
      return [=, &random] { return address(random.below(count) * stride); };
    case TrafficPattern::blocks: {
      const auto in_block = p.block.count / stride, blocks = p.size.count / p.block.count;
      return [=, &random, at = std::uint64_t{0}, block = std::uint64_t{0}]() mutable {
        if (at == 0) block = random.below(blocks) * p.block.count;
        const auto offset = block + at * stride;
        at = at + 1 == in_block ? 0 : at + 1;
        return address(offset);
      };
    }
    default:
      return [=, at = std::uint64_t{0}]() mutable {
        const auto offset = at * stride;
        at = at + 1 == count ? 0 : at + 1;
        return address(offset);
      };
  }
}

Addresses endpoint_addresses(const TrafficParameters& p, Random& random) {
  const auto all = static_cast<unsigned>(p.targets.size());
  const unsigned columns = p.columns, rows = all / columns, x = p.self % columns, y = p.self / columns;
  const auto always = [&](unsigned column, unsigned row) -> Addresses {
    return [to = p.targets[row * columns + column]] { return to; };
  };
  const auto ahead = [](unsigned at, unsigned by, unsigned of) { return (at + by) % of; };
  switch (p.pattern) {
    case TrafficPattern::all_to_all:
      return [targets = p.targets, all, self = p.self, step = 0u]() mutable {
        step = step + 1 >= all ? 1 : step + 1;
        return targets[(self + step) % all];
      };
    case TrafficPattern::neighbor:
      return always(ahead(x, columns > 1, columns), ahead(y, rows > 1, rows));
    case TrafficPattern::tornado:
      return always(ahead(x, (columns - 1) / 2, columns), ahead(y, (rows - 1) / 2, rows));
    case TrafficPattern::transpose:
      require(columns == rows, "pattern: transpose needs a square grid");
      return always(y, x);
    case TrafficPattern::bit_complement:
      return always(columns - 1 - x, rows - 1 - y);
    case TrafficPattern::hotspot:
      return [targets = p.targets, hotspots = p.hotspots, share = p.hotspot_share, &random] {
        if (random.fraction() <= share) return targets[hotspots[random.below(hotspots.size())]];
        return targets[random.below(targets.size())];
      };
    default:
      return [targets = p.targets, &random] { return targets[random.below(targets.size())]; };
  }
}

void check(const TrafficParameters& p) {
  require(p.rate > 0 && p.rate <= 1, "rate: expected above 0 and at most 1");
  require(p.reads >= 0 && p.reads <= 1, "reads: expected 0 to 1");
  require(p.request.count > 0 && p.request.count <= 65536, "request: expected 1 B to 64 KiB");
  if (p.pattern <= TrafficPattern::blocks) {
    require(p.slices > 0 && p.slice < p.slices, "slice: expected a number below slices");
    require(p.piece.count == 0 || (p.piece.count >= p.request.count && p.piece.count % p.stride.count == 0) ||
                p.stride.count % p.piece.count == 0,
            "piece: expected a multiple of the stride, or to divide it");
    require(p.stride.count >= p.request.count, "stride: expected at least the request");
    require(p.size.count >= p.stride.count && p.size.count % p.stride.count == 0,
            "size: expected a multiple of the stride");
    if (p.pattern == TrafficPattern::blocks) {
      require(p.block.count >= p.stride.count && p.block.count % p.stride.count == 0,
              "block: expected a multiple of the stride");
      require(p.size.count % p.block.count == 0 && p.size.count >= p.block.count,
              "size: expected a multiple of the block");
    }
    return;
  }
  require(!p.targets.empty() && p.self < p.targets.size(), "self: expected the number of a target");
  require(p.columns > 0 && p.targets.size() % p.columns == 0, "columns: expected to divide the targets");
  if (p.pattern != TrafficPattern::hotspot) return;
  require(!p.hotspots.empty(), "hotspots: expected at least one");
  for (const auto h : p.hotspots) require(h < p.targets.size(), "hotspots: expected numbers of targets");
  require(p.hotspot_share >= 0 && p.hotspot_share <= 1, "hotspot_share: expected 0 to 1");
}

class PatternSource : public RequestSource {
 public:
  explicit PatternSource(const TrafficParameters& p)
      : p_(p),
        period_(static_cast<double>(period(p.clock).picoseconds)),
        random_(p.seed),
        addresses_(p.pattern <= TrafficPattern::blocks ? memory_addresses(p, random_)
                                                       : endpoint_addresses(p, random_)),
        log_miss_(p.rate < 1 ? std::log1p(-p.rate) : -std::numeric_limits<double>::infinity()) {
    if (p.arrivals == TrafficArrivals::bernoulli) cycle_ = gap() - 1;
  }

  bool next(TrafficRequest& request) override {
    request.picoseconds = time();
    request.address = addresses_();
    request.bytes = static_cast<std::uint32_t>(p_.request.count);
    request.write = !is_read();
    return true;
  }

 private:
  /// Cycles to the next success of a Bernoulli process, 1 or more.
  std::int64_t gap() {
    if (p_.rate >= 1) return 1;
    return 1 + static_cast<std::int64_t>(std::log(random_.fraction()) / log_miss_);
  }

  std::int64_t time() {
    if (p_.arrivals == TrafficArrivals::saturating) return 0;
    const auto now = cycle_;
    if (p_.arrivals == TrafficArrivals::bernoulli)
      cycle_ += gap();
    else
      cycle_ = static_cast<std::int64_t>(static_cast<double>(++count_) / p_.rate);
    return static_cast<std::int64_t>(static_cast<double>(now) * period_);
  }

  bool is_read() {
    if (p_.reads >= 1) return true;
    if (p_.mix == TrafficMix::random) return random_.fraction() <= p_.reads;
    const auto before = reads_up_to(sent_);
    return reads_up_to(++sent_) > before;
  }
  double reads_up_to(std::int64_t count) const {
    return std::ceil(static_cast<double>(count) * p_.reads - 1e-6);
  }

  TrafficParameters p_;
  double period_;
  Random random_;
  Addresses addresses_;
  double log_miss_;
  std::int64_t cycle_ = 0, count_ = 0, sent_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_source(const TrafficParameters& parameters) {
  check(parameters);
  return std::make_unique<PatternSource>(parameters);
}

}  // namespace forerun::ip
