// SPDX-License-Identifier: Apache-2.0
// A model on a small chip, through the whole platform: what makes a simulation fast, watches it or leaves its
// data out changes no time and no counter of any block.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "models/compiler/compiler.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/recorder.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::sim {
namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

struct Variant {
  chip::Chip chip;
  bool collapse = true;              ///< bursts of HBM
  bool series = false;               ///< of HBM and network over time
  std::vector<std::string> record;   ///< boundaries, by their names
  std::vector<std::string> without;  ///< counters not to be compared, beside how often the CPU ran
};

Variant plain() {
  Variant v;
  v.chip.name = "small";
  v.chip.clusters.count = 4;
  v.chip.hbm.channels = v.chip.hbm.ports = 4;
  v.chip.hbm.power_down = 200;
  v.chip.hbm.self_refresh = 2000;
  return v;
}

/// A folder that goes away.
struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("forerun_timing_{}", ::getpid());
  Scratch() { std::filesystem::create_directory(path); }
  ~Scratch() { std::filesystem::remove_all(path); }
};

/// Runs the model; the end of each step and all counters at the end, a line each.
std::string simulate(const Variant& v) {
  const Scratch scratch;
  const bool data = v.chip.data == chip::Data::real;
  const auto program =
      models::compile(models::load_model(bundled, !data), v.chip, {chip::Format::f16, 64, data});
  std::vector<Recording> recordings;
  for (const auto& block : v.record) recordings.push_back({block, scratch.path / (block + ".rec")});
  Simulation simulation(v.chip, {}, {.taps = taps_of(recordings), .collapse = v.collapse});
  Recorder recorder(simulation, recordings, 0);
  simulation.load(ElfProgram::read(firmware_path("llm.elf")));
  InferenceRequest request;
  request.sequences = {{{5, 17, 300, 2, 9, 41}, 0, 2}};
  Inference inference(simulation.soc, program, request);
  inference.on_ready = [&] {
    if (!v.series) return;
    simulation.soc.noc.record(Time{100'000});
    for (auto& stack : simulation.soc.hbm) stack->record(100);
  };
  const auto outcome = simulation.run();
  recorder.close();
  auto text = fmt::format("exit code {} at {} ps{}\n{}", outcome.exit_code, outcome.picoseconds,
                          inference.finished() ? "" : ", not finished", inference.failure());
  for (const auto& step : inference.steps())
    text += fmt::format("step from {:.12f} to {:.12f} s in {} cycles\n", step.begin, step.end, step.cycles);
  for (const auto& statistic : simulation.soc.statistics())
    if (statistic.name != "cpu.slices" &&
        std::find(v.without.begin(), v.without.end(), statistic.name) == v.without.end())
      text += fmt::format("{} {}\n", statistic.name, statistic.value());
  return text;
}

/// SystemC elaborates once a process: in a child.
std::string observe(const Variant& v) {
  std::array<int, 2> channel{};
  EXPECT_EQ(pipe(channel.data()), 0);
  const auto child = fork();
  if (child == 0) {
    close(channel[0]);
    std::string text;
    try {
      text = simulate(v);
    } catch (const std::exception& error) {
      text = error.what();
    }
    for (std::size_t sent = 0; sent < text.size();) {
      const auto count = write(channel[1], text.data() + sent, text.size() - sent);
      if (count <= 0) _exit(1);
      sent += static_cast<std::size_t>(count);
    }
    _exit(0);
  }
  close(channel[1]);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t count = 0; (count = read(channel[0], piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(count));
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text.substr(0, 15), "exit code 0 at ") << text.substr(0, 400);
  EXPECT_EQ(text.find("not finished"), std::string::npos) << text.substr(0, 400);
  return text;
}

/// The lines in which two runs differ, for the message of a test.
std::string difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  std::string text;
  for (std::string x, y; std::getline(left, x) && std::getline(right, y);)
    if (x != y && text.size() < 2000) text += fmt::format("{} | {}\n", x, y);
  return text;
}

void expect_same(const Variant& a, const Variant& b) {
  const auto one = observe(a), other = observe(b);
  EXPECT_TRUE(one == other) << difference(one, other);
}

Variant with(const std::function<void(Variant&)>& change) {
  auto v = plain();
  change(v);
  return v;
}

TEST(TimingOfARun, DoesNotDependOnTheData) {
  expect_same(plain(), with([](auto& v) { v.chip.data = chip::Data::none; }));
}

TEST(TimingOfARun, DoesNotDependOnRecordings) {
  expect_same(plain(), with([](auto& v) {
                v.record = {"cluster0", "cluster1.target", "cluster2.tensor", "hbm0.port0",
                            "uart",     "mailbox"};
              }));
}

/// Bursts served together or not: what HBM announces when differs most here, so most of what could depend on
/// the order of calls at one time does.
void expect_same_burst_by_burst(const std::function<void(Variant&)>& change) {
  expect_same(with(change), with([&](auto& v) { change(v), v.collapse = false; }));
}

TEST(TimingOfARun, DoesNotDependOnBurstsBeingServedTogether) {
  expect_same_burst_by_burst([](Variant&) {});
}

TEST(TimingOfARun, DoesNotDependOnBurstsWithInLineEcc) {
  expect_same_burst_by_burst([](auto& v) { v.chip.hbm.ecc = chip::Ecc::in_line; });
}

TEST(TimingOfARun, DoesNotDependOnBurstsInTheFlitModelWithDrawnRoutes) {
  expect_same_burst_by_burst([](auto& v) {
    v.chip.noc.model = chip::NocModel::flit;
    v.chip.noc.routing = chip::NocRouting::o1turn;
  });
}

TEST(TimingOfARun, DoesNotDependOnBurstsWithManyClustersAndFewShortQueues) {
  expect_same_burst_by_burst([](auto& v) {
    v.chip.clusters.count = 9;
    v.chip.hbm.stacks = 2;
    v.chip.hbm.ports = 2;
    v.chip.hbm.queue_depth = 16;
    v.chip.noc.buffer = 4;
    v.chip.noc.routing = chip::NocRouting::o1turn;
  });
}

TEST(TimingOfARun, DoesNotDependOnSeriesOverTime) {
  expect_same(plain(), with([](auto& v) { v.series = true; }));
}

TEST(TimingOfARun, DoesNotDependOnTheQuantum) {
  for (const auto timing : {chip::Timing::approximate, chip::Timing::loose}) {
    const auto at = [&](std::int64_t ps) {
      return with([&](auto& v) {
        v.chip.timing = timing, v.chip.quantum = {ps};
      });
    };
    expect_same(at(1'000), at(10'000'000'000));
  }
}

/// A recorder refuses direct access to what it watches.
TEST(TimingOfARun, DoesNotDependOnDirectMemoryAccess) {
  const auto direct = with([](auto& v) {
    v.without = {"cpu.bus_accesses", "bus.transactions", "sram.reads", "sram.writes", "boot_rom.reads"};
  });
  auto by_bus = direct;
  by_bus.record = {"sram", "boot_rom"};
  expect_same(direct, by_bus);
}

}  // namespace
}  // namespace forerun::sim
