// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/simulation.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "ip/base/method.hpp"
#include "ip/base/time.hpp"
#include "platform/soc/parameters.hpp"

namespace forerun::sim {

std::string firmware_path(const std::string& file) {
  const char* const folder = std::getenv("FORERUN_FIRMWARE");
  return std::string(folder != nullptr ? folder : FORERUN_FIRMWARE_DIR) + "/" + file;
}

namespace {

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
  if (native && chip.cpu.model == chip::CpuModel::rtl)
    throw std::invalid_argument("firmware runs natively in the place of the CPU, and cpu.model is rtl");
  if (native) {
    host_cpu_ = std::make_unique<HostCpu>(
        "host_cpu", HostCpuParameters{std::move(native), soc::device_tree_address(chip), chip.cpu.clock});
    host_cpu_->bus.bind(soc.bus.socket);
    soc.software_interrupt().bind(host_cpu_->machine_software);
    soc.timer_interrupt().bind(host_cpu_->machine_timer);
    soc.machine_interrupt().bind(host_cpu_->machine_external);
  }
  for (std::size_t i = 0; i <= others.size(); ++i) device(i).on_exit = [this](int code) { exited(code); };
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

Outcome Simulation::run(std::optional<Time> limit) {
  const auto started = std::chrono::steady_clock::now();
  if (limit)
    sc_core::sc_start(ip::to_sc_time(*limit));
  else
    sc_core::sc_start();
  Outcome outcome;
  outcome.host_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  outcome.picoseconds = ip::now_picoseconds();
  if (exit_code_) {
    outcome.kind = Outcome::Kind::exited;
    outcome.exit_code = *exit_code_;
  } else if (stopped_) {
    outcome.kind = Outcome::Kind::stopped;
  } else if (limit && sc_core::sc_pending_activity()) {
    outcome.kind = Outcome::Kind::limit;
  } else {
    for (std::size_t i = 0; i <= others.size(); ++i)
      outcome.description +=
          (others.empty() ? "" : fmt::format("device {}:\n", i)) + device(i).describe_stall();
  }
  return outcome;
}

void Simulation::stop() {
  stopped_ = true;
  sc_core::sc_stop();
}

}  // namespace forerun::sim
