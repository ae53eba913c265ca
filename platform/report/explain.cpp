// SPDX-License-Identifier: Apache-2.0
#include "platform/report/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "platform/report/report.hpp"

namespace forerun::report {
namespace {

double as_double(std::uint64_t value) { return static_cast<double>(value); }

/// What the rest of the time went to: the engine was slower than ideal, or it had nothing to do.
std::string gap_of(const OperatorBound& b, const std::array<double, FR_ENGINE_COUNT>& busy, double arrays) {
  const double ideal = b.ideal[static_cast<std::size_t>(b.bound)];
  if (b.seconds - ideal < 0.05 * b.seconds) return "at the bound";
  const double slow = b.busy - ideal, waiting = b.seconds - b.busy;
  if (slow >= waiting) {
    switch (b.bound) {
      case Resource::tensor:
        return arrays - ideal >= slow / 2 ? "arrays fill, drain and are not full"
                                          : "operands come late from the scratchpad";
      case Resource::vector:
        return "operands come late from the scratchpad";
      default:
        return "latency, and others in memory and network";
    }
  }
  std::size_t other = FR_ENGINE_LOAD;
  for (std::size_t e = FR_ENGINE_LOAD; e < FR_ENGINE_COUNT; ++e)
    if (busy[e] > busy[other]) other = e;
  static constexpr std::array names{"", "loads", "stores", "tensor", "vector", "collectives"};
  const double share = std::min(1.0, busy[other] / b.seconds);
  return share >= 0.75 ? fmt::format("waits for {} ({})", names[other], percent(share))
                       : "waits: operators and clusters one after the other";
}

}  // namespace

std::vector<OperatorBound> explain(const sim::Inference& inference, const soc::Soc& soc,
                                   sim::OperatorProbe& probe) {
  const auto& chip = soc.chip();
  const auto& tags = inference.tags();
  const auto work = probe.work();
  const sim::Window run(soc, inference.at_start(), inference.at_end());
  const double clock = chip.clusters.clock.hertz, clusters = as_double(work.size());
  const auto& tensor = chip.clusters.tensor;
  const auto width = chip.noc.endpoint_width.count != 0
                         ? std::min(chip.noc.endpoint_width.count, chip.noc.link_width.count)
                         : chip.noc.link_width.count;
  const double port = as_double(width) * chip.noc.clock.hertz;
  const double layers = as_double(inference.program().header.layers - inference.layers_before()) /
                        as_double(inference.layers() - inference.layers_before());
  std::vector<OperatorBound> bounds;
  for (std::size_t tag = 0; tag < tags.size(); ++tag) {
    sim::OperatorWork sum;
    double elapsed = 0, through_port = 0;
    for (const auto& cluster : work) {
      const auto& w = cluster[tag];
      elapsed += static_cast<double>(w.elapsed_ps) * 1e-12;
      sum.commands += w.commands;
      sum.macs += w.macs;
      sum.array_cycles += w.array_cycles;
      sum.vector_cycles += w.vector_cycles;
      sum.scratchpad_bytes += w.scratchpad_bytes;
      sum.memory_bytes += w.memory_bytes;
      sum.device_bytes += w.device_bytes;
      through_port = std::max(through_port, as_double(std::max(w.bytes_in, w.bytes_out)));
    }
    if (sum.commands == 0) continue;
    const double times = tags[tag].starts_with("layers.") ? layers : 1;
    OperatorBound b;
    b.name = tags[tag];
    b.seconds = times * elapsed / clusters;
    const auto set = [&b, times](Resource resource, double seconds) {
      b.ideal[static_cast<std::size_t>(resource)] = times * seconds;
    };
    set(Resource::tensor,
        as_double(sum.macs) / clusters /
            (as_double(std::uint64_t{tensor.rows} * tensor.columns * tensor.arrays) * clock));
    set(Resource::vector, as_double(sum.vector_cycles) / clusters / clock);
    set(Resource::scratchpad,
        as_double(sum.scratchpad_bytes) / clusters /
            (chip.clusters.scratchpad.banks * as_double(chip.clusters.scratchpad.bank_width.count) * clock));
    set(Resource::hbm, as_double(sum.memory_bytes) / chip::peak_memory_bandwidth(chip).bytes_per_second);
    set(Resource::noc, through_port / port);
    set(Resource::issue, as_double(sum.commands) / clusters * chip.clusters.command.dispatch_cycles / clock);
    if (chip.devices > 1)
      set(Resource::link, as_double(sum.device_bytes) / chip.link.bandwidth.bytes_per_second);
    b.bound = static_cast<Resource>(std::max_element(b.ideal.begin(), b.ideal.end()) - b.ideal.begin());
    std::array<double, FR_ENGINE_COUNT> busy{};
    for (std::size_t e = FR_ENGINE_LOAD; e < FR_ENGINE_COUNT; ++e)
      for (std::size_t c = 0; c < work.size(); ++c)
        busy[e] += as_double(run.tag_time(c, e, tag, tags.size())) * 1e-12 / clusters;
    switch (b.bound) {
      case Resource::tensor:
        b.busy = busy[FR_ENGINE_TENSOR];
        break;
      case Resource::vector:
        b.busy = busy[FR_ENGINE_VECTOR];
        break;
      case Resource::hbm:
      case Resource::noc:
        b.busy = std::max(busy[FR_ENGINE_LOAD], busy[FR_ENGINE_STORE]);
        break;
      case Resource::link:
        b.busy = busy[FR_ENGINE_COLLECTIVE];
        break;
      default:
        b.busy = b.seconds;
        break;
    }
    b.busy = std::min(b.busy, b.seconds);
    b.gap = gap_of(b, busy, times * as_double(sum.array_cycles) / clusters / clock);
    bounds.push_back(std::move(b));
  }
  return bounds;
}

std::string explanation_text(const Report& report) {
  if (report.bounds.empty()) return {};
  double total = 0;
  for (const auto& b : report.bounds) total += b.seconds;
  auto text = fmt::format("\n{:<26}{:>10}{:>8}  {:<11}{:>10}{:>8}", "what bounds", "time", "of all",
                          "bound by", "ideal", "used");
  for (const auto* name : resource_names)
    if (report.device_count > 1 || name != resource_names.back()) text += fmt::format("{:>11}", name);
  text += "  the rest\n";
  for (const auto& b : report.bounds) {
    const auto bound = static_cast<std::size_t>(b.bound);
    const auto used = [&b](double ideal) { return percent(b.seconds > 0 ? ideal / b.seconds : 0); };
    text += fmt::format("{:<26}{:>10}{:>8}  {:<11}{:>10}{:>8}", b.name, quantity(b.seconds, "s"),
                        percent(total > 0 ? b.seconds / total : 0), resource_names[bound],
                        quantity(b.ideal[bound], "s"), used(b.ideal[bound]));
    for (std::size_t r = 0; r < resource_names.size(); ++r)
      if (report.device_count > 1 || r + 1 < resource_names.size())
        text += fmt::format("{:>11}", used(b.ideal[r]));
    text += fmt::format("  {}\n", b.gap);
  }
  return text;
}

}  // namespace forerun::report
