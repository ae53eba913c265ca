// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ip/base/time.hpp"
#include "models/graph/graph.hpp"
#include "platform/report/report.hpp"
#include "platform/rtl/command_front.hpp"
#include "platform/rtl/cpu_lockstep.hpp"
#include "platform/rtl/dma.hpp"
#include "platform/rtl/lockstep_memory.hpp"
#include "platform/rtl/noc.hpp"
#include "platform/rtl/scratchpad.hpp"
#include "platform/rtl/tensor.hpp"
#include "platform/rtl/vector.hpp"

namespace forerun::report {
namespace {

double ratio(double a, double b) { return b > 0 ? a / b : 0; }
double as_double(std::uint64_t value) { return static_cast<double>(value); }

class Collector {
 public:
  Collector(const sim::Simulation& simulation, const sim::Inference& inference,
            const models::ModelConfig& model, const models::NumberFormats& formats)
      : soc_(simulation.soc),
        chip_(soc_.chip()),
        inference_(inference),
        model_(model),
        run_(soc_, inference.at_start(), inference.at_end()),
        peak_bandwidth_(chip::peak_memory_bandwidth(chip_).bytes_per_second),
        peak_operations_(chip::peak_flops(chip_, formats.activations.format)),
        clusters_(inference.clusters()) {}

  void fill(Report& r) const {
    r.peak_bandwidth = peak_bandwidth_;
    r.peak_operation_rate = peak_operations_;
    r.clusters = static_cast<unsigned>(clusters_);
    latencies(r);
    engines(r);
    channels(r);
    network(r);
    operators(r);
    rtl(r);
    r.instructions = run_.value("cpu.instructions");
    r.cpu_cycles = run_.value("cpu.cycles");
    r.cpu_sleep_cycles = run_.value("cpu.sleep_cycles");
  }

 private:
  void latencies(Report& r) const {
    const auto& steps = inference_.steps();
    const auto& request = inference_.request();
    r.sequences = request.sequences.size();
    r.given = request.given();
    for (std::size_t i = 0; i < request.sequences.size(); ++i) {
      const auto& s = request.sequences[i];
      r.generated += inference_.ids(i).size() - s.tokens.size();
      const auto context = s.cached + s.tokens.size();
      r.context_least = i == 0 ? context : std::min(r.context_least, context);
      r.context_most = std::max(r.context_most, context);
    }
    collect_draft(inference_, r.draft);
    r.boot_seconds = inference_.boot_seconds();
    r.layers = inference_.program().header.layers;
    r.layers_simulated = inference_.layers();
    r.repetition_error = inference_.repetition_error();
    r.counted_seconds = inference_.counted_seconds();
    if (steps.empty()) return;
    switch (request.phase) {
      case sim::PhaseOfRun::all:
        return both_phases(r);
      case sim::PhaseOfRun::prefill:
      case sim::PhaseOfRun::single:
        r.phase = request.phase == sim::PhaseOfRun::single ? "operator" : "prefill";
        for (const auto& step : steps) r.phase_seconds += step.end - step.begin;
        break;
      case sim::PhaseOfRun::decode:
        r.phase = "decode";
        decode_times(r, 0, [](const sim::Step& step) { return step.begin - step.drafting; });
        break;
    }
    r.phases = {phase(r.phase, run_, 0, steps.size())};
  }

  void both_phases(Report& r) const {
    const auto& steps = inference_.steps();
    const auto first =
        inference_.prefill_steps();  // and the one that gives the last first token is before it
    r.first_token_seconds = steps[first - 1].end - r.boot_seconds;
    if (first < steps.size()) decode_times(r, first, [&](const sim::Step& step) { return (&step)[-1].end; });
    const sim::Window prefill(soc_, inference_.at_start(), inference_.at_first_token());
    const sim::Window decode(soc_, inference_.at_first_token(), inference_.at_end());
    r.phases = {phase("whole run", run_, 0, steps.size()), phase("up to the first token", prefill, 0, first)};
    if (first < steps.size()) r.phases.push_back(phase("tokens after it", decode, first, steps.size()));
  }

  /// Of the steps from `first` on, each from `begin_of` it to its end.
  template <typename Begin>
  void decode_times(Report& r, std::size_t first, const Begin& begin_of) const {
    const auto& steps = inference_.steps();
    const bool drafts = inference_.request().draft.has_value();
    r.token_seconds_least = 1e300;
    double total = 0;
    std::uint64_t tokens = 0;
    for (auto i = first; i < steps.size(); ++i) {
      const double seconds = steps[i].end - begin_of(steps[i]);
      const double each = drafts ? seconds / as_double(steps[i].tokens()) : seconds;
      r.token_seconds_least = std::min(r.token_seconds_least, each);
      r.token_seconds_most = std::max(r.token_seconds_most, each);
      total += seconds;
      tokens += steps[i].tokens();
    }
    r.token_seconds = total / as_double(drafts ? tokens : steps.size() - first);
    r.tokens_per_second = ratio(as_double(tokens), total);
  }

  Phase phase(std::string name, const sim::Window& window, std::size_t from, std::size_t to) const {
    Phase p;
    p.name = std::move(name);
    for (auto i = from; i < to; ++i) {
      const auto& step = inference_.steps()[i];
      ++p.steps;
      p.tokens += step.tokens();
      p.cycles += step.cycles;
    }
    p.seconds = window.seconds();
    p.bytes_read = window.memory(".bytes_read");
    p.bytes_written = window.memory(".bytes_written");
    p.bandwidth = ratio(as_double(p.bytes_read + p.bytes_written), p.seconds);
    p.bandwidth_fraction = ratio(p.bandwidth, peak_bandwidth_);
    p.operations = 2 * as_double(window.sum("cluster", ".tensor.macs"));
    p.operation_rate = ratio(p.operations, p.seconds);
    p.operation_fraction = ratio(p.operation_rate, peak_operations_);
    return p;
  }

  void engines(Report& r) const {
    const double time = static_cast<double>(run_.picoseconds()) * as_double(clusters_);
    std::vector<std::string> names{"load", "store", "tensor", "vector"};
    if (chip_.devices > 1) names.emplace_back("collective");
    for (const auto& name : names) {
      const auto of = [&](const char* counter) { return run_.sum("cluster", "." + name + "." + counter); };
      r.engines.push_back({name, of("commands"), ratio(as_double(of("busy_time")), time),
                           ratio(as_double(of("semaphore_time")), time),
                           ratio(as_double(of("operand_time")), time)});
    }
    r.command_fetch = ratio(as_double(run_.sum("cluster", ".command.fetch_time")), time);
    r.command_queue = ratio(as_double(run_.sum("cluster", ".command.queue_time")), time);
  }

  void channels(Report& r) const {
    if (soc_.hbm.empty()) return;  // RTL
    const auto burst = chip_.hbm.burst_bytes.count;
    const double peak = peak_bandwidth_ / (chip_.hbm.stacks * chip_.hbm.channels);
    for (unsigned stack = 0; stack < chip_.hbm.stacks; ++stack)
      for (unsigned channel = 0; channel < chip_.hbm.channels; ++channel) {
        Channel c;
        c.name = fmt::format("hbm{}.channel{}", stack, channel);
        const auto of = [&](const char* counter) { return run_.value(c.name + "." + counter); };
        c.bytes_read = of("reads") * burst;
        c.bytes_written = of("writes") * burst;
        c.row_hits = of("row_hits");
        c.row_misses = of("row_misses");
        c.row_conflicts = of("row_conflicts");
        c.refreshes = of("refreshes");
        c.bandwidth = ratio(as_double(c.bytes_read + c.bytes_written), run_.seconds());
        c.bandwidth_fraction = ratio(c.bandwidth, peak);
        c.queue = ratio(as_double(of("queue_cycles")), run_.seconds() * chip_.hbm.clock.hertz);
        c.joules = as_double(of("energy")) * 1e-12;
        for (std::size_t i = 0; i < ip::hbm::limits; ++i) {
          const auto name = fmt::format("{}.time_{}", c.name, ip::hbm::limit_names[i]);
          const auto time =
              static_cast<std::int64_t>(run_.value(name));  // what was before may count less now
          c.limits[i] = ratio(static_cast<double>(std::max<std::int64_t>(time, 0)) * 1e-9,
                              run_.seconds() * chip_.hbm.pseudo_channels);
        }
        r.channels.push_back(c);
      }
  }

  void network(Report& r) const {
    r.noc_packets = run_.value("noc.packets");
    r.noc_flits = run_.value("noc.flits");
    r.noc_latency = ratio(as_double(run_.value("noc.latency_sum")) * 1e-12, as_double(r.noc_packets));
    const auto time = static_cast<double>(run_.picoseconds());
    const auto& links = soc_.noc.graph().links();
    for (std::size_t i = 0; i < links.size(); ++i)
      r.links.push_back({links[i].name, run_.link(i, 0), ratio(as_double(run_.link(i, 1)), time),
                         ratio(as_double(run_.link(i, 2)), time)});
    std::stable_sort(r.links.begin(), r.links.end(),
                     [](const Link& a, const Link& b) { return a.busy > b.busy; });
  }

  void rtl(Report& r) const {
    const char* const compared = ", compared with the model";
    const auto device = [&](std::string name, const rtl::Device& d,
                            const rtl::LockstepMemory* lockstep = nullptr) {
      RtlUse use;
      use.name = std::move(name);
      use.model = d.describe() + (lockstep != nullptr ? compared : "");
      use.instances = 1;
      use.commands = d.transactions();
      use.cycles = d.cycles();
      use.broken_rules = d.broken_rules();
      use.first_broken_rules = d.first_broken_rules(5);
      use.host_seconds = d.host_seconds();
      use.hook_seconds = d.hook_seconds();
      use.waited_seconds = d.waited_seconds();
      use.has_checkers = true;
      if (lockstep != nullptr) use.compared = lockstep->compared();
      r.rtl.push_back(std::move(use));
    };
    for (std::size_t i = 0; i < soc_.hbm_rtl.size(); ++i)
      device(soc_.hbm_rtl[i]->label(), *soc_.hbm_rtl[i],
             soc_.hbm_lockstep.empty() ? nullptr : soc_.hbm_lockstep[i].get());
    if (soc_.sram_rtl) device("sram", *soc_.sram_rtl, soc_.sram_lockstep.get());
    if (soc_.cpu_rtl) device("cpu", *soc_.cpu_rtl);
    if (soc_.cpu_lockstep) {
      r.rtl.back().model += ", compared with the interpreter";
      r.rtl.back().compared = soc_.cpu_lockstep->compared();
      r.rtl.back().compared_unit = "instructions";
    }
    for (std::size_t i = 0; i < soc_.rtl_devices.size(); ++i)
      device(fmt::format("device{}", i), *soc_.rtl_devices[i]);
    for (const auto& [key, peripheral] : soc_.rtl_peripherals)
      device(key, *peripheral.device, peripheral.lockstep.get());
    if (soc_.noc_rtl) {
      device("noc", soc_.noc_rtl->device());
      r.rtl.back().model = rtl::describe_noc(chip_);
    }
    if (!soc_.command_rtl.empty()) commands(r);
    if (!soc_.scratchpad_rtl.empty()) scratchpads(r);
    if (soc_.tensor_rtl) arrays(r);
    if (soc_.vector_rtl) vector(r);
    if (!soc_.dma_rtl.empty()) dma(r);
  }

  /// From time on the wall to CPU time: others work meanwhile as they do in the whole run.
  static double share_of_host(const Report& r) {
    return std::min(1.0, ratio(r.host_cpu_seconds, r.host_seconds));
  }

  static void add(RtlUse& use, const rtl::Device& device) {
    use.cycles += device.cycles();
    use.host_seconds += device.host_seconds();
    use.hook_seconds += device.hook_seconds();
    use.broken_rules += device.broken_rules();
    for (auto& line : device.first_broken_rules(5 - std::min<std::size_t>(5, use.first_broken_rules.size())))
      use.first_broken_rules.push_back(std::move(line));
  }

  void commands(Report& r) const {
    RtlUse use;
    use.name = "command";
    use.unit = "commands to engines";
    use.model = soc_.command_rtl[0]->device().file();
    use.has_checkers = true;
    for (const auto* one : soc_.command_rtl) {
      const auto& device = one->device();
      ++use.instances;
      use.commands += one->commands();
      use.compared += one->compared();
      add(use, device);
    }
    if (chip_.clusters.command.model == chip::CommandModel::lockstep) {
      use.model += ", compared with the model";
      use.compared_unit = "commands";
    }
    r.rtl.push_back(std::move(use));
  }

  void scratchpads(Report& r) const {
    RtlUse use;
    use.name = "scratchpad";
    use.unit = "accesses";
    use.model = soc_.scratchpad_rtl[0]->file();
    use.has_checkers = true;
    for (const auto* one : soc_.scratchpad_rtl) {
      ++use.instances;
      use.commands += one->accesses();
      use.cycles += one->cycles();
      use.host_seconds += one->host_seconds() * share_of_host(r);
      use.compared += one->compared();
      use.broken_rules += one->log().total();
      for (const auto& violation : one->log().kept())
        if (use.first_broken_rules.size() < 5) use.first_broken_rules.push_back(violation.message());
    }
    if (chip_.clusters.scratchpad.model == chip::ScratchpadModel::lockstep)
      use.model += ", compared with the model";
    r.rtl.push_back(std::move(use));
  }

  void dma(Report& r) const {
    RtlUse use;
    use.name = "dma";
    use.unit = "copies";
    use.model = rtl::describe_dma(chip_);
    if (chip_.clusters.dma.model == chip::DmaModel::lockstep) use.model += ", compared with the model";
    for (const auto* engine : soc_.dma_rtl) {
      const auto& device = engine->device();
      ++use.instances;
      use.commands += engine->copies();
      add(use, device);
    }
    std::uint64_t left = 0;
    for (const auto& cluster : soc_.clusters)
      left += cluster->load.left_to_model() + cluster->store.left_to_model();
    if (left > 0)
      use.fall_backs.emplace_back("addresses, sizes or strides not aligned as its pin map asks", left);
    r.rtl.push_back(std::move(use));
  }

  void arrays(Report& r) const {
    RtlUse use{"tensor", soc_.tensor_rtl->describe(), 0, 0, 0, {}, 0, {}, 0, "commands"};
    if (chip_.clusters.tensor.model == chip::TensorModel::lockstep) use.model += ", compared with the models";
    std::map<std::string, std::uint64_t> fall_backs;
    for (std::size_t i = 0; i < clusters_; ++i) {
      const auto arrays = chip_.clusters.tensor.arrays;
      use.instances += arrays;
      add_statistics(r, use, soc_.clusters[i]->tensor.arrays()->statistics(), arrays, fall_backs);
    }
    use.fall_backs.assign(fall_backs.begin(), fall_backs.end());
    r.rtl.push_back(std::move(use));
  }

  void vector(Report& r) const {
    RtlUse use{"vector", soc_.vector_rtl->describe(), 0, 0, 0, {}, 0, {}, 0, "commands"};
    if (chip_.clusters.vector.model == chip::VectorModel::lockstep) use.model += ", compared with the models";
    std::map<std::string, std::uint64_t> fall_backs;
    for (std::size_t i = 0; i < clusters_; ++i) {
      ++use.instances;
      add_statistics(r, use, soc_.clusters[i]->vector.lanes()->statistics(), 1, fall_backs);
    }
    use.fall_backs.assign(fall_backs.begin(), fall_backs.end());
    r.rtl.push_back(std::move(use));
  }

  /// Of an engine with `side_by_side` instances.
  static void add_statistics(const Report& r, RtlUse& use, const ip::RtlStatistics& s, unsigned side_by_side,
                             std::map<std::string, std::uint64_t>& fall_backs) {
    use.commands += s.commands;
    use.cycles += s.cycles * side_by_side;
    use.host_seconds += s.host_seconds * share_of_host(r);
    for (const auto& [reason, count] : s.fall_backs) fall_backs[reason] += count;
  }

  void operators(Report& r) const {
    const auto& tags = inference_.tags();
    for (std::size_t tag = 0; tag < tags.size(); ++tag) {
      OperatorUse use;
      use.name = tags[tag];
      double* const seconds[] = {nullptr, &use.load, &use.store, &use.tensor, &use.vector, &use.collective};
      for (std::size_t c = 0; c < clusters_; ++c)
        for (std::size_t engine = 1; engine < FR_ENGINE_COUNT; ++engine)
          *seconds[engine] +=
              as_double(run_.tag_time(c, engine, tag, tags.size())) * 1e-12 / as_double(clusters_);
      r.operators.push_back(use);
    }
  }

  const soc::Soc& soc_;
  const chip::Chip& chip_;
  const sim::Inference& inference_;
  const models::ModelConfig& model_;
  sim::Window run_;
  double peak_bandwidth_, peak_operations_;
  std::size_t clusters_;
};

}  // namespace

Report make_report(const sim::Simulation& simulation, const sim::Inference& inference,
                   const models::ModelConfig& model, const models::NumberFormats& formats,
                   const sim::Outcome& outcome, double setup_seconds) {
  const auto& chip = simulation.soc.chip();
  Report r;
  r.chip = chip.name;
  r.model = model.name;
  r.format = formats.name();
  r.weights = models::format_name(formats.weights);
  r.activations = models::format_name(formats.activations);
  r.kv = models::format_name(formats.kv);
  r.timing = chip.timing == chip::Timing::loose ? "loose" : "approximate";
  r.data = chip.data == chip::Data::real ? "real" : "none";
  r.simulated_seconds = static_cast<double>(outcome.picoseconds) * 1e-12;
  r.simulated_cycles =
      static_cast<std::uint64_t>(ip::Clock(chip.clusters.clock).ps_to_cycles(outcome.picoseconds));
  r.host_seconds = outcome.host_seconds;
  r.host_cpu_seconds = outcome.cpu_seconds;
  r.host_setup_seconds = setup_seconds;
  Collector(simulation, inference, model, formats).fill(r);
  collect_devices(simulation, inference, formats.activations.format, r);
  return r;
}

}  // namespace forerun::report
