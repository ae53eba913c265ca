// SPDX-License-Identifier: Apache-2.0
// What a run did on each of several devices, and on the links between them.
#include <fmt/format.h>

#include <iterator>

#include "ip/base/time.hpp"
#include "platform/report/report.hpp"

namespace forerun::report {
namespace {

double ratio(double a, double b) { return b > 0 ? a / b : 0; }
double as_double(std::uint64_t value) { return static_cast<double>(value); }

DeviceUse use_of(const sim::Window& window, const chip::Chip& chip, chip::Format format,
                 std::size_t clusters) {
  DeviceUse d;
  const double seconds = window.seconds(),
               time = static_cast<double>(window.picoseconds()) * as_double(clusters);
  d.bytes_read = window.memory(".bytes_read");
  d.bytes_written = window.memory(".bytes_written");
  d.bandwidth = ratio(as_double(d.bytes_read + d.bytes_written), seconds);
  d.bandwidth_fraction = ratio(d.bandwidth, chip::peak_memory_bandwidth(chip).bytes_per_second);
  d.operation_rate = ratio(2 * as_double(window.sum("cluster", ".tensor.macs")), seconds);
  d.operation_fraction = ratio(d.operation_rate, chip::peak_flops(chip, format));
  d.tensor = ratio(as_double(window.sum("cluster", ".tensor.busy_time")), time);
  d.collective = ratio(as_double(window.sum("cluster", ".collective.busy_time")), time);
  d.posts = ratio(as_double(window.sum("cluster", ".collective.post_time")), time);
  return d;
}

}  // namespace

void collect_devices(const sim::Simulation& simulation, const sim::Inference& inference, chip::Format format,
                     Report& r) {
  const auto& chip = simulation.soc.chip();
  r.device_count = chip.devices;
  if (!simulation.link) return;
  r.symmetric = simulation.others.empty();
  const auto clusters = inference.clusters();
  r.devices.push_back(
      use_of({simulation.soc, inference.at_start(), inference.at_end()}, chip, format, clusters));
  for (std::size_t i = 0; i < inference.peers().size(); ++i) {
    r.devices.push_back(
        use_of({*inference.peers()[i].soc, inference.peers_at_start()[i], inference.peers_at_end()[i]}, chip,
               format, clusters));
    r.devices.back().number = static_cast<unsigned>(i + 1);
  }
  if (chip.timing == chip::Timing::loose) return;  // which does not say what goes over which link
  const auto now = static_cast<double>(ip::now_picoseconds());
  for (const auto& link : simulation.link->links())
    r.device_links.push_back({link.name, link.messages, link.bytes, ratio(as_double(link.bytes), now * 1e-12),
                              ratio(as_double(link.busy_ps), now),
                              ratio(as_double(link.waited_ps) * 1e-12, as_double(link.messages))});
}

std::string devices_text(const Report& r) {
  std::string text;
  if (r.devices.empty()) return text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{:<8}{:>12}{:>12}{:>13}{:>10}{:>14}{:>10}{:>10}{:>12}{:>18}\n", "device", "read",
                 "written", "bandwidth", "of peak", "operations/s", "of peak", "tensor", "collective",
                 "waits for posts");
  for (const auto& d : r.devices)
    fmt::format_to(out, "{:<8}{:>12}{:>12}{:>13}{:>10}{:>14}{:>10}{:>10}{:>12}{:>18}\n", d.number,
                   quantity(as_double(d.bytes_read), "B"), quantity(as_double(d.bytes_written), "B"),
                   quantity(d.bandwidth, "B/s"), percent(d.bandwidth_fraction),
                   quantity(d.operation_rate, "/s"), percent(d.operation_fraction), percent(d.tensor),
                   percent(d.collective), percent(d.posts));
  fmt::format_to(out, "{}",
                 r.symmetric ? "only device 0 was simulated; the others do the same at the same time\n" : "");
  if (r.device_links.empty()) return text + "links: not counted with timing: loose\n";
  fmt::format_to(out, "{:<16}{:>10}{:>12}{:>13}{:>13}{:>12}\n", "link", "messages", "on the wire",
                 "bandwidth", "utilisation", "mean wait");
  for (const auto& l : r.device_links)
    fmt::format_to(out, "{:<16}{:>10}{:>12}{:>13}{:>13}{:>12}\n", l.name, l.messages,
                   quantity(as_double(l.bytes), "B"), quantity(l.bandwidth, "B/s"), percent(l.busy),
                   quantity(l.wait, "s"));
  return text;
}

}  // namespace forerun::report
