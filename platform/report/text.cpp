// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "platform/report/report.hpp"

namespace forerun::report {

std::string quantity(double value, std::string_view unit) {
  static constexpr std::array prefixes{"p", "n", "u", "m", "", "k", "M", "G", "T", "P"};
  int prefix = 4;
  if (value == 0) return fmt::format("0 {}", unit);
  for (; std::abs(value) >= 999.5 && prefix + 1 < static_cast<int>(prefixes.size()); ++prefix) value /= 1000;
  for (; std::abs(value) < 0.9995 && prefix > 0; --prefix) value *= 1000;
  const int digits = std::abs(value) < 9.995 ? 2 : std::abs(value) < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}{}", value, digits, prefixes[static_cast<std::size_t>(prefix)], unit);
}

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

std::string limited_by(const Channel& channel) {
  std::vector<std::pair<double, std::string_view>> shares;
  for (std::size_t i = 0; i < ip::hbm::limits; ++i)
    if (i != static_cast<std::size_t>(ip::hbm::Limit::data))
      shares.emplace_back(channel.limits[i], ip::hbm::limit_names[i]);
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [share, name] : shares)
    if (share >= 0.05 || text.empty())
      text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name, 100 * share);
  return text;
}

std::string to_text(const Report& r) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{} in {} on {}{}: {} clusters, timing {}, data {}\n", r.model, r.format,
                 r.device_count == 1 ? "" : fmt::format("{} devices of ", r.device_count), r.chip, r.clusters,
                 r.timing, r.data);
  fmt::format_to(out, "  boot                {:>10}\n", quantity(r.boot_seconds, "s"));
  if (r.counted_seconds > 0)
    fmt::format_to(out,
                   "  layers: {} of {} simulated in each step; {} of time counted for the others, in all "
                   "figures; expected error {:.2f} %\n",
                   r.layers_simulated, r.layers, quantity(r.counted_seconds, "s"), 100 * r.repetition_error);
  const auto of = r.sequences == 1 ? std::string() : fmt::format(" of {} sequences", r.sequences);
  const auto context = r.context_least == r.context_most
                           ? fmt::format("{}", r.context_most)
                           : fmt::format("{} to {}", r.context_least, r.context_most);
  if (r.phase.empty())
    fmt::format_to(out, "  time to first token {:>10}  ({} tokens given{})\n",
                   quantity(r.first_token_seconds, "s"), r.given, of);
  if (r.phase == "prefill")
    fmt::format_to(out, "  prefill             {:>10}  ({} tokens{}), {:.1f} tokens/s\n",
                   quantity(r.phase_seconds, "s"), r.given, of,
                   static_cast<double>(r.given) / r.phase_seconds);
  if (r.phase == "operator")
    fmt::format_to(out, "  time                {:>10}\n", quantity(r.phase_seconds, "s"));
  if (r.phase == "decode" && r.draft.model.empty())
    fmt::format_to(out, "  time per step       {:>10}  ({} to {}), {:.1f} tokens/s{} at a context of {}\n",
                   quantity(r.token_seconds, "s"), quantity(r.token_seconds_least, "s"),
                   quantity(r.token_seconds_most, "s"), r.tokens_per_second, of, context);
  else if (r.token_seconds > 0)
    fmt::format_to(out, "  time per token      {:>10}  ({} to {}), {:.1f} tokens/s\n",
                   quantity(r.token_seconds, "s"), quantity(r.token_seconds_least, "s"),
                   quantity(r.token_seconds_most, "s"), r.tokens_per_second);

  text += draft_text(r);
  fmt::format_to(out, "\n{:<24}{:>8}{:>12}{:>12}{:>13}{:>10}{:>14}{:>10}\n", "phase", "tokens", "time", "HBM",
                 "bandwidth", "of peak", "operations/s", "of peak");
  for (const auto& p : r.phases)
    fmt::format_to(
        out, "{:<24}{:>8}{:>12}{:>12}{:>13}{:>10}{:>14}{:>10}\n", p.name, p.tokens, quantity(p.seconds, "s"),
        quantity(static_cast<double>(p.bytes_read + p.bytes_written), "B"), quantity(p.bandwidth, "B/s"),
        percent(p.bandwidth_fraction), quantity(p.operation_rate, "/s"), percent(p.operation_fraction));

  fmt::format_to(out, "\n{:<10}{:>10}{:>10}{:>22}{:>20}\n", "engine", "commands", "busy",
                 "waits for semaphore", "waits for operands");
  for (const auto& e : r.engines)
    fmt::format_to(out, "{:<10}{:>10}{:>10}{:>22}{:>20}\n", e.name, e.commands, percent(e.busy),
                   percent(e.semaphore), percent(e.operands));
  fmt::format_to(out, "command processors wait for fetches {}, for room in a queue {}\n",
                 percent(r.command_fetch), percent(r.command_queue));

  fmt::format_to(out, "\n{:<26}{:>12}{:>12}{:>12}{:>12}   (mean over clusters)\n", "operator", "load",
                 "store", "tensor", "vector");
  for (const auto& o : r.operators)
    fmt::format_to(out, "{:<26}{:>12}{:>12}{:>12}{:>12}{}\n", o.name, quantity(o.load, "s"),
                   quantity(o.store, "s"), quantity(o.tensor, "s"), quantity(o.vector, "s"),
                   o.collective > 0 ? fmt::format("   collective {}", quantity(o.collective, "s")) : "");

  text += explanation_text(r);
  if (!r.channels.empty())
    fmt::format_to(out, "\n{:<16}{:>12}{:>12}{:>13}{:>10}{:>10}{:>10}{:>11}{:>8}{:>10}  {}\n", "HBM channel",
                   "read", "written", "bandwidth", "of peak", "row hits", "misses", "conflicts", "queue",
                   "energy", "limited by");
  for (const auto& c : r.channels)
    fmt::format_to(out, "{:<16}{:>12}{:>12}{:>13}{:>10}{:>10}{:>10}{:>11}{:>8.1f}{:>10}  {}\n", c.name,
                   quantity(static_cast<double>(c.bytes_read), "B"),
                   quantity(static_cast<double>(c.bytes_written), "B"), quantity(c.bandwidth, "B/s"),
                   percent(c.bandwidth_fraction), c.row_hits, c.row_misses, c.row_conflicts, c.queue,
                   quantity(c.joules, "J"), limited_by(c));

  if (r.noc_packets > 0)  // none when the network is RTL
    fmt::format_to(out, "\nNoC: {} packets, {} flits, mean latency {}; busiest links:\n", r.noc_packets,
                   r.noc_flits, quantity(r.noc_latency, "s"));
  for (std::size_t i = 0; r.noc_packets > 0 && i < std::min<std::size_t>(5, r.links.size()); ++i)
    fmt::format_to(out, "  {:<28}{:>10} busy{:>10} blocked\n", r.links[i].name, percent(r.links[i].busy),
                   percent(r.links[i].blocked));

  text += devices_text(r);
  for (const auto& b : r.rtl) {
    fmt::format_to(out, "RTL {}: {}\n  {} {} in {} clock cycles of {} instance{}{}\n", b.name, b.model,
                   b.commands, b.unit, b.cycles, b.instances, b.instances == 1 ? "" : "s",
                   b.host_seconds > 0  // not known of another process
                       ? fmt::format(", {:.2f} s of CPU time: {} cycles/s", b.host_seconds,
                                     quantity(static_cast<double>(b.cycles) / b.host_seconds, ""))
                       : "");
    for (const auto& [reason, count] : b.fall_backs)
      fmt::format_to(out, "  {} commands were left to the model: {}\n", count, reason);
    if (b.compared > 0)
      fmt::format_to(out, "  {} {} compared with the model's: all equal\n", b.compared, b.compared_unit);
    if (b.has_checkers && b.broken_rules == 0) fmt::format_to(out, "  no rule of AXI was broken\n");
    if (b.broken_rules > 0) fmt::format_to(out, "  {} rules of AXI were broken, first:\n", b.broken_rules);
    for (const auto& line : b.first_broken_rules) fmt::format_to(out, "    {}\n", line);
  }
  if (!r.rtl.empty())
    fmt::format_to(
        out, "RTL with its bridges and protocol checkers took {:.2f} s of the {:.2f} s of CPU time{}\n",
        r.rtl_seconds(), r.host_cpu_seconds,
        r.times_with_rtl() > 0
            ? fmt::format(": with it the simulation took {:.1f} times as long as the rest of it alone",
                          r.times_with_rtl())
            : ", nearly all");
  if (r.cpu_cycles > 0)
    fmt::format_to(out, "CPU: {} instructions in the run, asleep {} of the time\n", r.instructions,
                   percent(static_cast<double>(r.cpu_sleep_cycles) / static_cast<double>(r.cpu_cycles)));
  fmt::format_to(
      out, "simulated {} ({} cluster cycles) in {:.2f} s of host time: {} cycles/s; set-up {:.2f} s\n",
      quantity(r.simulated_seconds, "s"), r.simulated_cycles, r.host_seconds,
      quantity(r.host_seconds > 0 ? static_cast<double>(r.simulated_cycles) / r.host_seconds : 0, ""),
      r.host_setup_seconds);
  return text;
}

}  // namespace forerun::report
