// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "ip/base/method.hpp"
#include "ip/base/time.hpp"
#include "platform/chip/names.hpp"
#include "platform/rtl/device.hpp"
#include "platform/rtl/scratchpad.hpp"
#include "platform/soc/parameters.hpp"

namespace forerun::sim {

std::string firmware_path(const std::string& file) {
  const char* const folder = std::getenv("FORERUN_FIRMWARE");
  return std::string(folder != nullptr ? folder : FORERUN_FIRMWARE_DIR) + "/" + file;
}

namespace {

constexpr std::size_t most_described = 40;  // lines; every packet in a network has one

soc::SocOptions with_cpu(soc::SocOptions options, bool on) {
  options.with_cpu = on;
  return options;
}

}  // namespace

Simulation::Simulation(const chip::Chip& chip, std::function<int(std::uint64_t)> native,
                       soc::SocOptions options, bool symmetric)
    : soc("chip", chip, with_cpu(std::move(options), !native)) {
  if (chip.devices > 1) {
    if (native) throw std::invalid_argument("firmware runs natively on one device only, and devices is more");
    link = std::make_unique<ip::LinkNetwork>("link", soc::link_parameters(chip, symmetric));
    for (unsigned i = 1; i < chip.devices && !symmetric; ++i)
      others.push_back(
          std::make_unique<soc::Soc>(fmt::format("chip{}", i).c_str(), chip, soc::SocOptions{.device = i}));
    for (std::size_t i = 0; i <= others.size(); ++i) {
      device(i).to_link->bind(link->in[i]);
      link->out[i].bind(*device(i).from_link);
    }
  }
  if (native && chip.cpu.model != chip::CpuModel::tlm)
    throw std::invalid_argument(fmt::format(
        "firmware runs natively in the place of the CPU, and cpu.model is {}", chip::name(chip.cpu.model)));
  if (native) {
    host_cpu_ = std::make_unique<HostCpu>(
        "host_cpu", HostCpuParameters{std::move(native), soc::device_tree_address(chip), chip.cpu.clock});
    host_cpu_->bus.bind(soc.bus.socket);
    soc.software_interrupt().bind(host_cpu_->machine_software);
    soc.timer_interrupt().bind(host_cpu_->machine_timer);
    soc.machine_interrupt().bind(host_cpu_->machine_external);
  }
  for (std::size_t i = 0; i <= others.size(); ++i) {
    device(i).on_exit = [this](int code) { exited(code); };
    device(i).place_in_firmware = [this](std::uint64_t address) {
      return program_ ? program_->place(address) : "";
    };
  }
  ip::add_method("exit", {&exit_}, [] { sc_core::sc_stop(); });
}

/// The first failure ends everything, success that of the last device.
void Simulation::exited(int code) {
  if (exit_code_) return;
  if (code == 0 && ++exited_ <= others.size()) return;
  exit_code_ = code;
  exit_.notify(sc_core::SC_ZERO_TIME);  // an event, so that the CPU does not run ahead of it
}

void Simulation::load(const ElfProgram& program) {
  const auto path = firmware_path("boot_rom.bin");
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> image((std::istreambuf_iterator<char>(file)), {});
  if (!file || image.empty()) throw std::runtime_error(path + ": cannot read the boot ROM");
  program_ = program;
  for (std::size_t i = 0; i <= others.size(); ++i) {
    auto& chip = device(i);
    chip.load_boot_rom({reinterpret_cast<const std::uint8_t*>(image.data()), image.size()});
    program.load([&chip](std::uint64_t address, std::span<const std::byte> bytes) {
      try {
        chip.write(address, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
        return true;
      } catch (const std::runtime_error&) {
        if (!chip.lost_block.empty()) throw;  // memory in another process
        return false;
      }
    });
    chip.set_boot_address(program.entry());
  }
}

std::string describe_end(const Outcome& outcome, const std::string& progress) {
  std::string text;
  switch (outcome.kind) {
    case Outcome::Kind::exited:
      return fmt::format("firmware ended with exit code {}", outcome.exit_code);
    case Outcome::Kind::stopped:
      return "the simulation was stopped";
    case Outcome::Kind::limit:
      text = fmt::format("the limit of {:.6g} ms of simulated time is reached",
                         static_cast<double>(outcome.picoseconds) * 1e-9);
      break;
    case Outcome::Kind::idle:
      text = fmt::format("nothing gets on any more: the run is given up at {:.6g} ms of simulated time",
                         static_cast<double>(outcome.picoseconds) * 1e-9);
      break;
    case Outcome::Kind::stalled:
      text = "the chip stands still: nothing that could happen is left";
  }
  if (!progress.empty()) text += "\n" + progress;
  std::istringstream lines(outcome.description);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    if (count < most_described) text += "\n" + line;
  if (count > most_described) text += fmt::format("\nand {} lines more", count - most_described);
  return text;
}

namespace {

constexpr std::int64_t looking_cycles = 100'000;  // of the CPU, from one look to the next

/// What changes when a simulation gets on, and since when it has not.
class Progress {
 public:
  explicit Progress(std::function<std::uint64_t()> count) : count_(std::move(count)), last_(count_()) {}
  /// Picoseconds without a change, up to now.
  std::int64_t idle() {
    const auto now = count_();
    if (std::exchange(last_, now) != now) since_ = ip::now_picoseconds();
    return ip::now_picoseconds() - since_;
  }

 private:
  std::function<std::uint64_t()> count_;
  std::uint64_t last_;
  std::int64_t since_ = 0;
};

double process_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

Outcome Simulation::run(const RunLimits& limits) {
  const auto started = std::chrono::steady_clock::now();
  const auto busy = process_seconds();
  Outcome outcome;
  outcome.kind = run_within(limits);
  outcome.cpu_seconds = process_seconds() - busy;
  outcome.host_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  outcome.picoseconds = ip::now_picoseconds();
  if (exit_code_) {
    outcome.kind = Outcome::Kind::exited;
    outcome.exit_code = *exit_code_;
  } else if (stopped_) {
    outcome.kind = Outcome::Kind::stopped;
  } else {
    outcome.description = describe();
  }
  return outcome;
}

/// Looks now and then whether anything gets on. That changes nothing of what happens.
Outcome::Kind Simulation::run_within(const RunLimits& limits) {
  const auto period = ip::Clock(soc.chip().cpu.clock).period_ps();
  const auto look = period * looking_cycles;
  Progress progress([&] {
    std::uint64_t sum = limits.progress ? limits.progress() : 0;
    for (std::size_t i = 0; i <= others.size(); ++i) sum += device(i).progress();
    return sum;
  });
  for (auto next = look;; next = std::max(look, ip::to_picoseconds(sc_core::sc_time_to_pending_activity()))) {
    const auto left = limits.end ? limits.end->picoseconds - ip::now_picoseconds() : next;
    if (left <= 0) return Outcome::Kind::limit;
    if (next <= left)
      sc_core::sc_start(ip::to_sc_time({next}), sc_core::SC_EXIT_ON_STARVATION);
    else
      sc_core::sc_start(ip::to_sc_time({left}), sc_core::SC_RUN_TO_TIME);
    if (sc_core::sc_get_status() == sc_core::SC_STOPPED || !sc_core::sc_pending_activity())
      return Outcome::Kind::stalled;
    const auto idle = progress.idle() / period;
    bool stuck = limits.given_up;  // all of them
    for (std::size_t i = 0; i <= others.size() && stuck; ++i)
      stuck = device(i).cpu && !device(i).cpu->stuck().empty();
    const auto most = stuck ? RunLimits::stuck_cycles : limits.idle_cycles;
    if (most != 0 && idle >= static_cast<std::int64_t>(most)) return Outcome::Kind::idle;
  }
}

/// One or two lines.
std::string Simulation::describe_cpu(const soc::Soc& chip) const {
  const auto at = [this](std::uint64_t address) {
    const auto place = soc.place_in_firmware(address);
    return fmt::format("{:#x}{}", address, place.empty() ? "" : " <" + place + ">");
  };
  if (chip.cpu_rtl) return chip.describe_cpu_rtl(at);
  if (!chip.cpu) return host_cpu_->halted() ? "firmware, which runs natively, has ended\n" : "";
  auto& cpu = *chip.cpu;
  auto& debug = cpu.debug();
  auto text = fmt::format("{}: {} at pc {}", cpu.name(),
                          cpu.sleeping() ? "waits for an interrupt" : "executes", at(cpu.pc()));
  if (const auto why = cpu.stuck(); !why.empty()) text += "; it " + why;
  text += "\n";
  if (cpu.traps.value() + cpu.interrupts.value() == 0) return text;
  const auto csr = [&](unsigned number) { return debug.read_csr(number).value_or(0); };
  return text + fmt::format("  its last trap into machine mode: mcause {:#x}, mepc {}, mtval {:#x}\n",
                            csr(0x342), at(csr(0x341)), csr(0x343));
}

std::string Simulation::describe() {
  std::string text;
  for (std::size_t i = 0; i <= others.size(); ++i) {
    if (!others.empty()) text += fmt::format("device {}:\n", i);
    text += describe_cpu(device(i)) + device(i).describe_stall();
  }
  return text;
}

std::string Simulation::rtl_problem(const std::vector<std::string>& parts) const {
  for (std::size_t i = 0; i <= others.size(); ++i) {
    const auto& chip = device(i);
    auto text = chip.lost_block;
    if (chip.rtl_difference) {
      const auto tag = chip.rtl_difference->tag;
      text = chip.rtl_difference->describe(tag && *tag < parts.size() ? parts[*tag] : "");
    }
    if (!text.empty()) return others.empty() ? text : fmt::format("device {}: {}", i, text);
  }
  return "";
}

std::uint64_t Simulation::broken_rules(std::vector<std::string>& lines, std::size_t most) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= others.size(); ++i) {
    const auto& chip = device(i);
    const auto add = [&](const std::string& file, std::uint64_t broken,
                         const std::vector<std::string>& first) {
      sum += broken;
      for (const auto& line : first)
        if (lines.size() < most)
          lines.push_back(others.empty() ? fmt::format("{}: {}", file, line)
                                         : fmt::format("device {}: {}: {}", i, file, line));
    };
    for (const auto* block : chip.rtl_blocks())
      add(block->file(), block->broken_rules(), block->first_broken_rules(most));
    for (const auto* scratchpad : chip.scratchpad_rtl) {
      std::vector<std::string> first;
      for (const auto& violation : scratchpad->log().kept()) first.push_back(violation.message());
      add(scratchpad->file(), scratchpad->log().total(), first);
    }
  }
  return sum;
}

void Simulation::stop() {
  stopped_ = true;
  sc_core::sc_stop();
}

}  // namespace forerun::sim
