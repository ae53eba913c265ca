// SPDX-License-Identifier: Apache-2.0
#include "tests/fidelity/noc/booksim.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "ip/noc/synthetic.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::ip::noc;

namespace {

struct Row {
  unsigned packet_flits;
  double offered, latency, accepted;
};

std::vector<Row> rows() {
  std::ifstream file(FORERUN_SOURCE_DIR "/tests/fidelity/noc/booksim_mesh8x8_vc4.csv");
  std::vector<Row> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line[0] == 'p') continue;
    std::istringstream cells(line);
    std::string cell[5];
    for (auto& c : cell) std::getline(cells, c, ',');
    Row row{static_cast<unsigned>(std::stoul(cell[0])), std::stod(cell[1]), 0, std::stod(cell[3])};
    // Uniform ways on this mesh have 6.25 routers, those of a short sample a few more or less; each costs 4
    // cycles.
    if (!cell[2].empty()) row.latency = std::stod(cell[2]) + 4 * (6.25 - std::stod(cell[4]));
    all.push_back(row);
  }
  return all;
}

SyntheticResult run(Model model, const Row& row, std::int64_t measure) {
  NocParameters p;
  p.columns = p.rows = 8;
  p.virtual_networks = 1, p.virtual_channels = 4, p.buffer_flits = 8;
  p.switching = Switching::wormhole;
  Graph graph(p);
  for (unsigned y = 0; y < 8; ++y)
    for (unsigned x = 0; x < 8; ++x) graph.add_endpoint(fmt::format("{}", y * 8 + x), x, y);
  const auto network = model == Model::flit ? make_flit_network(graph) : make_packet_network(graph);
  SyntheticTraffic traffic;
  traffic.flits = row.offered, traffic.packet_flits = row.packet_flits;
  traffic.measure = measure;
  if (row.latency == 0) traffic.patience = 0;
  return run_synthetic(graph, *network, traffic);
}

/// Saturation throughput of the reference: the mean of what it accepts when it is offered more.
double saturation(const std::vector<Row>& all, unsigned packet_flits) {
  double sum = 0, count = 0;
  for (const auto& row : all)
    if (row.packet_flits == packet_flits && row.latency == 0) sum += row.accepted, ++count;
  return sum / count;
}

}  // namespace

void compare(Model model, bool every, std::int64_t measure, double until, double bar) {
  const auto all = rows();
  ASSERT_EQ(all.size(), 30u);
  for (const unsigned flits : {1u, 5u}) {
    const auto saturated = saturation(all, flits);
    double accepted = 0, count = 0;
    for (const auto& row : all) {
      if (row.packet_flits != flits) continue;
      const bool top = row.latency == 0, low = row.latency > 0 && row.offered <= until * saturated;
      const bool few = row.offered == 0.1 || row.offered == 0.3 || row.offered == 0.46;
      if ((!top && !low) || (!every && !few)) continue;
      const auto result = run(model, row, measure);
      if (top) {
        accepted += result.accepted, ++count;
        continue;
      }
      EXPECT_NEAR(result.latency / row.latency, 1, bar)
          << row.packet_flits << " flits at " << row.offered << ": " << result.latency << ", reference "
          << row.latency;
      EXPECT_TRUE(result.complete);
    }
    EXPECT_NEAR(accepted / count / saturated, 1, bar) << "saturation with packets of " << flits << " flits";
  }
}
