// SPDX-License-Identifier: Apache-2.0
#include "platform/traffic/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <systemc>

#include "ip/base/sparse_memory.hpp"
#include "ip/hbm/hbm_stack.hpp"
#include "ip/noc/noc.hpp"
#include "ip/traffic/traffic_generator.hpp"
#include "ip/traffic/traffic_sink.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/soc/memory.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/traffic/trace.hpp"

namespace forerun::traffic {
namespace {

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// What the generators saw, all together.
struct Total {
  ip::Latency reads, writes, sent_reads, taken_reads;
  std::uint64_t generated = 0, completed = 0, bytes_read = 0, bytes_written = 0, errors = 0;
  bool finished = true;
};

/// A simulated system: its parts are made by the constructor of a derived class.
class Bench {
 public:
  Bench(const Experiment& experiment, const chip::Chip& chip) : e_(experiment), chip_(chip) {}
  virtual ~Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Result run() {
    const auto start = e_.warmup.picoseconds, end = start + e_.measure.picoseconds;
    for (auto& generator : generators_) {
      generator->measure(start, end);
      generator->on_finished = [this] {
        if (finished() && !stopped_) {
          stopped_ = true;
          sc_core::sc_stop();
        }
      };
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    elaborated();
    advance(start);
    begin();
    advance(end - start);
    Result result;
    at_end(result);  // before the drain, which is not part of the measurement
    if (!finished()) advance(e_.drain.picoseconds);
    const auto total = sum();
    if (total.errors > 0)
      throw std::runtime_error(fmt::format("{} requests were answered with an error", total.errors));
    Result all;
    add_traffic(all, total);
    for (const auto& value : result.values) all.values.push_back(value);
    all.notes = result.notes;
    all.series = result.series;
    all.limited_by = result.limited_by;
    return all;
  }

 protected:
  /// After elaboration.
  virtual void elaborated() {}
  /// At the beginning of the measurement, and at its end.
  virtual void begin() = 0;
  virtual void at_end(Result& result) = 0;
  virtual void add_traffic(Result& result, const Total& total) const = 0;

  /// Requests a cycle of a generator's clock; throws if the rate needs more than one.
  void set_rate(ip::TrafficParameters& p, double requests_per_second, Frequency clock,
                const char* what) const {
    p.clock = clock;
    if (p.pattern == ip::TrafficPattern::trace) {  // which has its own times
      p.arrivals = ip::TrafficArrivals::periodic;
      return;
    }
    if (e_.rate == 0) {
      p.arrivals = ip::TrafficArrivals::saturating;
      return;
    }
    p.rate = requests_per_second / clock.hertz;
    if (p.rate > 1 + 1e-9)
      throw ExperimentError(
          fmt::format("traffic.rate: {:.4g} % need {:.3g} requests a cycle of {} and generator, but one has "
                      "at most 1; take "
                      "larger requests",
                      e_.rate * 100, p.rate, what));
    p.rate = std::min(p.rate, 1.0);
  }

  ip::TrafficParameters memory_traffic(std::uint64_t base, std::uint64_t size, unsigned slices,
                                       unsigned slice) const {
    auto p = e_.traffic;
    p.seed = e_.traffic.seed * 1000 + slice;
    p.base = base;
    if (p.piece.count == 0) p.piece = chip_.hbm.interleave;
    p.slices = slices;
    p.slice = slice;
    if (e_.whole_range) p.size = {size / slices};
    const auto unit = p.pattern == ip::TrafficPattern::blocks ? p.block.count : p.stride.count;
    p.size = {p.size.count / unit * unit};
    if (p.size.count == 0 || p.size.count > size / slices)
      throw ExperimentError(
          fmt::format("traffic.size: expected at least the stride or block and at most {} bytes a generator",
                      size / slices));
    return p;
  }

  void add_generator(const ip::TrafficParameters& p, std::unique_ptr<ip::RequestSource> source = {}) {
    try {
      generators_.push_back(std::make_unique<ip::TrafficGenerator>(
          fmt::format("generator{}", generators_.size()).c_str(), p, std::move(source)));
    } catch (const std::invalid_argument& error) {
      throw ExperimentError(fmt::format("traffic.{}", error.what()));
    }
  }

  /// The sources of a trace file, or none.
  std::vector<std::unique_ptr<ip::RequestSource>> sources(unsigned generators, std::uint64_t size,
                                                          std::uint64_t base) const {
    std::vector<std::unique_ptr<ip::RequestSource>> all(generators);
    if (e_.traffic.pattern != ip::TrafficPattern::trace) return all;
    if (e_.trace.empty()) throw ExperimentError("traffic.trace: pattern trace needs a file");
    auto requests = read_trace(e_.trace, generators, size);
    for (unsigned i = 0; i < generators; ++i) all[i] = make_trace_source(std::move(requests[i]), base);
    return all;
  }

  double seconds() const { return static_cast<double>(e_.measure.picoseconds) * 1e-12; }

  const Experiment& e_;
  const chip::Chip& chip_;
  std::vector<std::unique_ptr<ip::TrafficGenerator>> generators_;

 private:
  bool stopped_ = false;

  static void advance(std::int64_t picoseconds) {
    if (picoseconds > 0) sc_core::sc_start(ip::to_sc_time({picoseconds}));
  }
  bool finished() const {
    return std::all_of(generators_.begin(), generators_.end(), [](const auto& g) { return g->finished(); });
  }
  Total sum() const {
    Total total;
    for (const auto& generator : generators_) {
      const auto& m = generator->measurement();
      total.reads.merge(m.reads);
      total.writes.merge(m.writes);
      total.sent_reads.merge(m.sent_reads);
      total.taken_reads.merge(m.taken_reads);
      total.generated += m.generated;
      total.completed += m.completed;
      total.bytes_read += m.bytes_read;
      total.bytes_written += m.bytes_written;
      total.errors += m.errors;
      total.finished = total.finished && generator->finished();
    }
    return total;
  }
};

constexpr double ns = 1e-3;  // from picoseconds

void add_latencies(Result& r, const Total& total) {
  r.add({"read_latency", "ns", 1, true, "mean of reads, from generation to response"},
        total.reads.mean() * ns);
  r.add({"request_latency", "ns", 1, false, "mean of reads, from the moment at which they were sent"},
        total.sent_reads.mean() * ns);
  r.add({"queue_latency", "ns", 1, true, "mean of reads, from the moment at which memory took them"},
        total.taken_reads.mean() * ns);
  const auto quantile = [&](const char* name, double share, bool shown) {
    r.add({name, "ns", 1, shown, "quantile of queue_latency"},
          static_cast<double>(total.taken_reads.quantile(share)) * ns);
  };
  quantile("p50", 0.5, true);
  quantile("p95", 0.95, false);
  quantile("p99", 0.99, true);
  r.add({"write_latency", "ns", 1, false, "mean of writes, from generation to response"},
        total.writes.mean() * ns);
  r.add({"stable", "", 0, false,
         "1: everything generated in the measurement was answered; 0: latencies are of what was"},
        total.finished ? 1 : 0);
}

void add_bandwidth(Result& r, const Experiment& e, const Total& total, double seconds, double peak) {
  const auto bytes = static_cast<double>(total.bytes_read + total.bytes_written);
  r.add({"offered", "%", 1, true, "of the memory's peak; 0: as much as is taken"}, e.rate * 100);
  r.add({"bandwidth", "%", 2, true, "of the memory's peak"}, 100 * ratio(bytes, seconds * peak));
  r.add({"gigabytes", "GB/s", 2, true, "the same"}, bytes / seconds * 1e-9);
}

/// What the channels of the stacks did between two moments, and what kept them from doing more.
class MemoryProbe {
 public:
  MemoryProbe(std::vector<ip::HbmStack*> stacks, Time bin) : stacks_(std::move(stacks)), bin_(bin) {
    if (bin_.picoseconds == 0) return;
    for (auto* stack : stacks_) stack->record(bin_cycles());
  }
  void begin() { before_ = count(); }
  void add(Result& r) const {
    const auto now = count();
    const double bursts = now.bursts - before_.bursts, cycles = now.cycles - before_.cycles;
    const auto share = [&](double Counts::*member) {
      return 100 * ratio(now.*member - before_.*member, bursts);
    };
    r.add({"row_hits", "%", 1, true, "of the bursts: found their row open"}, share(&Counts::hits));
    r.add({"row_misses", "%", 1, false, "of the bursts: found the bank closed"}, share(&Counts::misses));
    r.add({"row_conflicts", "%", 1, true, "of the bursts: found another row open"},
          share(&Counts::conflicts));
    r.add({"queue", "bursts", 1, false, "mean of what the schedulers see, a channel"},
          ratio(now.queue_cycles - before_.queue_cycles, cycles));
    r.add({"energy", "pJ/bit", 2, false, "of commands and background, over the bits moved"},
          ratio((now.joules - before_.joules) * 1e12, bursts * burst_bits()));
    std::vector<std::pair<double, std::string_view>> shares;
    const auto data = static_cast<std::size_t>(ip::hbm::Limit::data);
    for (std::size_t i = 0; i < ip::hbm::limits; ++i) {
      const auto percent =
          100 * ratio(now.limit_cycles[i] - before_.limit_cycles[i], now.all_limits() - before_.all_limits());
      r.add({"time_" + std::string(ip::hbm::limit_names[i]), "%", 1, false, "of the data buses' time"},
            percent);
      if (i != data) shares.emplace_back(percent, ip::hbm::limit_names[i]);
    }
    std::stable_sort(shares.begin(), shares.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    r.limited_by = fmt::format("{} {:.0f} %", shares[0].second, shares[0].first);
    for (std::size_t i = 1; i < shares.size() && shares[i].first >= 5; ++i)
      r.limited_by += fmt::format("; {} {:.0f} %", shares[i].second, shares[i].first);
    r.series = series();
  }

 private:
  struct Counts {
    double bursts = 0, hits = 0, misses = 0, conflicts = 0, queue_cycles = 0, joules = 0, cycles = 0;
    std::array<double, ip::hbm::limits> limit_cycles{};
    double all_limits() const { return std::accumulate(limit_cycles.begin(), limit_cycles.end(), 0.0); }
  };
  Counts count() const {
    Counts c;
    for (auto* stack : stacks_)
      for (unsigned i = 0; i < stack->channels(); ++i) {
        const auto s = stack->statistics(i);
        c.bursts += static_cast<double>(s.reads + s.writes);
        c.hits += static_cast<double>(s.hits);
        c.misses += static_cast<double>(s.misses);
        c.conflicts += static_cast<double>(s.conflicts);
        c.queue_cycles += s.queue_cycles;
        c.joules += s.joules;
        c.cycles += s.cycles;
        for (std::size_t k = 0; k < ip::hbm::limits; ++k) c.limit_cycles[k] += s.limit_cycles[k];
      }
    return c;
  }
  double burst_bits() const {
    return static_cast<double>(stacks_.front()->parameters().burst_bytes.count) * 8;
  }
  std::int64_t period() const { return ip::Clock(stacks_.front()->parameters().clock).period_ps(); }
  std::int64_t bin_cycles() const { return std::max<std::int64_t>(1, bin_.picoseconds / period()); }
  std::string series() const {
    if (bin_.picoseconds == 0) return "";
    std::string text =
        "time (ns),channel,bandwidth (%),row_hits,row_misses,row_conflicts,refreshes,queue (bursts)";
    for (const auto name : ip::hbm::limit_names) text += fmt::format(",{} (%)", name);
    text += "\n";
    const auto cycles = static_cast<double>(bin_cycles());
    for (std::size_t s = 0; s < stacks_.size(); ++s)
      for (unsigned c = 0; c < stacks_[s]->channels(); ++c) {
        const auto& bins = stacks_[s]->series(c);
        for (std::size_t i = 0; i < bins.size(); ++i) {
          const auto& bin = bins[i];
          const auto buses = cycles * stacks_[s]->parameters().pseudo_channels;
          const auto percent = [&](double value) { return 100 * value / buses; };
          text += fmt::format(
              "{:.6g},hbm{}.channel{},{:.4g},{},{},{},{},{:.4g}",
              static_cast<double>(i) * cycles * static_cast<double>(period()) * 1e-3, s, c,
              percent(static_cast<double>(bin.reads + bin.writes) * stacks_[s]->parameters().timings.nBL),
              bin.hits, bin.misses, bin.conflicts, bin.refreshes, bin.queue_cycles / cycles);
          for (const auto value : bin.limit_cycles) text += fmt::format(",{:.4g}", percent(value));
          text += "\n";
        }
      }
    return text;
  }
  std::vector<ip::HbmStack*> stacks_;
  Time bin_;
  Counts before_;
};

class MemoryBench : public Bench {
 public:
  MemoryBench(const Experiment& e, const chip::Chip& chip)
      : Bench(e, chip),
        parameters_(parameters(chip)),
        store_(parameters_.capacity()),
        stack_("stack", parameters_, store_),
        probe_({&stack_}, e.bin) {
    const auto ports = parameters_.ports;
    auto traces = sources(ports, store_.size(), 0);
    for (unsigned i = 0; i < ports; ++i) {
      auto p = memory_traffic(0, store_.size(), ports, i);
      set_rate(p, e.rate * parameters_.peak_bandwidth() / ports / static_cast<double>(p.request.count),
               parameters_.clock, "the memory clock");
      add_generator(p, std::move(traces[i]));
      generators_.back()->socket.bind(stack_.port[i]);
    }
  }

 private:
  static ip::hbm::Parameters parameters(const chip::Chip& chip) {
    auto p = soc::hbm_parameters(chip, 0);
    p.stacks = 1;
    return p;
  }
  void begin() override { probe_.begin(); }
  void at_end(Result& r) override { probe_.add(r); }
  void add_traffic(Result& r, const Total& total) const override {
    add_bandwidth(r, e_, total, seconds(), parameters_.peak_bandwidth());
    add_latencies(r, total);
  }

  ip::hbm::Parameters parameters_;
  ip::SparseMemory store_;
  ip::HbmStack stack_;
  MemoryProbe probe_;
};

/// The busiest links between two moments.
class NetworkProbe {
 public:
  NetworkProbe(ip::Noc& noc, Time bin) : noc_(noc), bin_(bin) {}
  /// After elaboration.
  void record() {
    if (bin_.picoseconds > 0) noc_.record(bin_);
  }
  void begin() { before_ = noc_.links(); }
  void add(Result& r, double seconds) const {
    struct Use {
      const std::string* name;
      double busy, blocked;
    };
    std::vector<Use> uses;
    const auto now = noc_.links();
    for (std::size_t i = 0; i < now.size(); ++i) {
      const auto share = [&](std::uint64_t ip::Noc::LinkReport::*member) {
        return 100 * ratio(static_cast<double>(now[i].*member - before_[i].*member) * 1e-12, seconds);
      };
      uses.push_back(
          {&now[i].name, share(&ip::Noc::LinkReport::busy_ps), share(&ip::Noc::LinkReport::blocked_ps)});
    }
    std::stable_sort(uses.begin(), uses.end(), [](const Use& a, const Use& b) { return a.busy > b.busy; });
    r.add({"hottest_link", "%", 1, true, "time for which the busiest link carried flits"}, uses.front().busy);
    std::string text = "busiest links:";
    for (std::size_t i = 0; i < std::min<std::size_t>(uses.size(), 4) && uses[i].busy > 0; ++i)
      text += fmt::format("{} {} {:.1f} % (blocked {:.1f} %)", i == 0 ? "" : ",", *uses[i].name, uses[i].busy,
                          uses[i].blocked);
    r.notes.push_back(text);
    if (noc_.bin().picoseconds == 0) return;
    r.series += series();
    const auto blocked = noc_.blocked();
    for (std::size_t i = 0; i < std::min<std::size_t>(blocked.size(), 4); ++i)
      r.notes.push_back(fmt::format("{} was blocked for {:.1f} us by packets that waited for {}",
                                    blocked[i].link, static_cast<double>(blocked[i].ps) * 1e-6,
                                    blocked[i].behind));
  }

 private:
  std::string series() const {
    const auto cycle = static_cast<double>(period(noc_.graph().parameters().clock).picoseconds);
    const auto bin = static_cast<double>(noc_.bin().picoseconds);
    std::string text = "time (ns),link,busy (%),waiting (packets)\n";
    for (const auto& link : noc_.timelines())
      for (std::size_t i = 0; i < link.bins.size(); ++i)
        text += fmt::format("{:.6g},\"{}\",{:.4g},{:.4g}\n", static_cast<double>(i) * bin * 1e-3, link.name,
                            100 * link.bins[i].flits * cycle / bin, link.bins[i].waiting * cycle / bin);
    return text;
  }

  ip::Noc& noc_;
  Time bin_;
  std::vector<ip::Noc::LinkReport> before_;
};

/// Each node's window of addresses.
constexpr std::uint64_t node_window = 1 << 20;

class NetworkBench : public Bench {
 public:
  NetworkBench(const Experiment& e, const chip::Chip& chip)
      : Bench(e, chip),
        grid_(chip::place_tiles(chip)),
        parameters_(soc::noc_parameters(chip, grid_)),
        noc_("noc", parameters_),
        probe_(noc_, e.bin) {
    const auto nodes = parameters_.columns * parameters_.rows;
    auto common = e.traffic;
    common.columns = parameters_.columns;
    if (e.flits > 0) {
      common.posted = true;
      common.signal = e.flits == 1;
      common.reads = 0;
      if (e.flits > 1) common.request = {(e.flits - 1) * parameters_.link_width.count};
    }
    const auto data = common.signal ? 0 : common.request.count;
    flits_ =
        static_cast<double>(1 + (data + parameters_.link_width.count - 1) / parameters_.link_width.count);
    set_rate(common, e.rate * parameters_.clock.hertz / flits_, parameters_.clock, "the network clock");
    if (common.pattern <= ip::TrafficPattern::blocks)
      throw ExperimentError(
          "traffic.pattern: a network alone has no memory to walk through; take uniform, transpose, ...");
    for (unsigned i = 0; i < nodes; ++i) common.targets.push_back(i * node_window);
    auto traces = sources(nodes, nodes * node_window, 0);
    for (unsigned i = 0; i < nodes; ++i) {
      const auto x = i % parameters_.columns, y = i / parameters_.columns;
      auto p = common;
      p.self = i;
      p.seed = e.traffic.seed * 100'000 + i;
      add_generator(p, std::move(traces[i]));
      generators_.back()->socket.bind(noc_.add_initiator(fmt::format("source{}", i), x, y));
      sinks_.push_back(std::make_unique<ip::TrafficSink>(fmt::format("sink{}", i).c_str()));
      auto& target = noc_.add_target(fmt::format("sink{}", i), x, y);
      target.bind(sinks_.back()->socket);
      noc_.map(i * node_window, node_window, target);
    }
  }

 private:
  void elaborated() override { probe_.record(); }
  void begin() override { probe_.begin(); }
  void at_end(Result& r) override { probe_.add(r, seconds()); }
  void add_traffic(Result& r, const Total& total) const override {
    auto all = total.reads;
    all.merge(total.writes);
    const double cycle = static_cast<double>(period(parameters_.clock).picoseconds);
    const double node_cycles = seconds() * 1e12 / cycle * static_cast<double>(generators_.size());
    r.add({"offered", "%", 1, true, "of a flit a cycle and generator; 0: as much as is taken"},
          e_.rate * 100);
    r.add({"accepted", "%", 2, true, "flits of answered requests, of one a cycle and generator"},
          100 * ratio(static_cast<double>(total.completed) * flits_, node_cycles));
    r.add({"latency", "cycles", 2, true, "mean, from generation to answer (posted: to delivery)"},
          all.mean() / cycle);
    r.add({"latency_ns", "ns", 1, false, "the same"}, all.mean() * ns);
    r.add({"least", "cycles", 0, false, "smallest latency"}, static_cast<double>(all.least()) / cycle);
    r.add({"p50", "cycles", 1, false, "quantile of the latency"},
          static_cast<double>(all.quantile(0.5)) / cycle);
    r.add({"p99", "cycles", 1, true, "quantile of the latency"},
          static_cast<double>(all.quantile(0.99)) / cycle);
    r.add({"stable", "", 0, true,
           "1: everything generated in the measurement was answered; 0: latencies are of what was"},
          total.finished ? 1 : 0);
  }

  chip::Grid grid_;
  ip::NocParameters parameters_;
  double flits_ = 1;
  ip::Noc noc_;
  NetworkProbe probe_;
  std::vector<std::unique_ptr<ip::TrafficSink>> sinks_;
};

class ChipBench : public Bench {
 public:
  ChipBench(const Experiment& e, const chip::Chip& chip)
      : Bench(e, chip),
        grid_(chip::place_tiles(chip)),
        store_(chip::memory_size(chip).count),
        noc_("noc", soc::noc_parameters(chip, grid_)),
        network_(noc_, e.bin) {
    namespace map = chip::address_map;
    for (unsigned i = 0; i < chip.hbm.stacks; ++i)
      stacks_.push_back(std::make_unique<ip::HbmStack>(fmt::format("hbm{}", i).c_str(),
                                                       soc::hbm_parameters(chip, i), store_));
    soc::connect_memory(noc_, chip, grid_, stacks_);
    const auto clusters = chip.clusters.count;
    const bool to_memory =
        e.traffic.pattern <= ip::TrafficPattern::blocks || e.traffic.pattern == ip::TrafficPattern::trace;
    auto traces = sources(clusters, store_.size(), map::hbm);
    for (unsigned i = 0; i < clusters; ++i) {
      const auto tile = soc::find_tile(grid_, chip::TileKind::cluster, i);
      auto p = to_memory ? memory_traffic(map::hbm, store_.size(), clusters, i) : e.traffic;
      if (!to_memory) {
        for (unsigned k = 0; k < clusters; ++k) p.targets.push_back(map::scratchpad(k));
        p.columns = square(clusters);
        p.self = i;
        p.seed = e.traffic.seed * 100'000 + i;
      }
      set_rate(p, e.rate * peak() / clusters / static_cast<double>(p.request.count), chip.clusters.clock,
               "the cluster clock");
      add_generator(p, std::move(traces[i]));
      const auto name = fmt::format("cluster{}", i);
      const auto clock = soc::noc_endpoint(chip, chip.clusters.clock);
      generators_.back()->socket.bind(noc_.add_initiator(name, tile.x, tile.y, clock));
      sinks_.push_back(std::make_unique<ip::TrafficSink>(fmt::format("sink{}", i).c_str()));
      auto& target = noc_.add_target(name, tile.x, tile.y, clock);
      target.bind(sinks_.back()->socket);
      noc_.map(map::scratchpad(i), chip.clusters.scratchpad.size.count, target);
    }
    std::vector<ip::HbmStack*> stacks;
    for (auto& stack : stacks_) stacks.push_back(stack.get());
    memory_ = std::make_unique<MemoryProbe>(stacks, e.bin);
  }

 private:
  double peak() const { return chip::peak_memory_bandwidth(chip_).bytes_per_second; }
  /// Columns of the squarest grid of n clusters.
  static unsigned square(unsigned n) {
    unsigned columns = 1;
    for (unsigned i = 1; i * i <= n; ++i)
      if (n % i == 0) columns = n / i;
    return columns;
  }
  void elaborated() override { network_.record(); }
  void begin() override {
    memory_->begin();
    network_.begin();
  }
  void at_end(Result& r) override {
    memory_->add(r);
    network_.add(r, seconds());
  }
  void add_traffic(Result& r, const Total& total) const override {
    add_bandwidth(r, e_, total, seconds(), peak());
    add_latencies(r, total);
  }

  chip::Grid grid_;
  ip::SparseMemory store_;
  ip::Noc noc_;
  NetworkProbe network_;
  std::vector<std::unique_ptr<ip::HbmStack>> stacks_;
  std::vector<std::unique_ptr<ip::TrafficSink>> sinks_;
  std::unique_ptr<MemoryProbe> memory_;
};

}  // namespace

const Result::Value& Result::find(std::string_view name) const {
  const auto at =
      std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.column.name == name; });
  if (at == values.end()) throw std::out_of_range(fmt::format("no result '{}'", name));
  return *at;
}

Result simulate(const Experiment& experiment) {
  const auto chip = load_chip(experiment);
  if (chip.noc.model == chip::NocModel::rtl && experiment.system != System::memory)
    throw std::invalid_argument("noc.model is rtl, but experiments load the models, expected packet or flit");
  std::unique_ptr<Bench> bench;
  switch (experiment.system) {
    case System::memory:
      bench = std::make_unique<MemoryBench>(experiment, chip);
      break;
    case System::network:
      bench = std::make_unique<NetworkBench>(experiment, chip);
      break;
    case System::chip:
      bench = std::make_unique<ChipBench>(experiment, chip);
      break;
  }
  return bench->run();
}

}  // namespace forerun::traffic
