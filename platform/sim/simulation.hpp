// SPDX-License-Identifier: Apache-2.0
/// One simulation of a chip, or of several that are joined by links, from power-on to its end. SystemC
/// elaborates once, so there is one of these in a process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ip/link/link.hpp"
#include "platform/chip/chip.hpp"
#include "platform/sim/elf.hpp"
#include "platform/sim/host_cpu.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// How a simulation ended.
struct Outcome {
  enum class Kind {
    exited,   ///< firmware wrote an exit code to the system controller
    stalled,  ///< nothing can ever happen again: everybody waits
    stopped,  ///< stop() was called
    limit,    ///< the time limit was reached
    idle,     ///< nothing got on for as long as it may: see RunLimits
  };
  Kind kind = Kind::stalled;
  int exit_code = 0;  ///< of `exited`
  std::string
      description;  ///< of `stalled`, `limit` and `idle`: where the CPU is, who waits for what, a line each
  std::int64_t picoseconds = 0;
  double host_seconds = 0, cpu_seconds = 0;
};

/// Why a simulation ended, `progress` if it is given, and where everybody is, in lines.
std::string describe_end(const Outcome& outcome, const std::string& progress = "");

/// When a run is given up.
///
/// Getting on: a cluster takes or ends a command or moves bytes, a device of RTL makes a transaction, or
/// `progress` changes. Instructions of the CPU are none: those are executed by dead firmware too. A CPU that
/// is stuck for good (ip::Cpu::stuck) gets less time than one that might have a long computation to do.
struct RunLimits {
  std::optional<Time> end{};      ///< of simulated time
  std::uint64_t idle_cycles = 0;  ///< of the CPU's clock, without getting on; 0: any number
  std::function<std::uint64_t()> progress{};
  bool given_up = true;  ///< false: a CPU that is stuck goes on, for example for a debugger to look at
  static constexpr std::uint64_t stuck_cycles = 2'000'000;  ///< as idle_cycles, for a CPU that is stuck
  /// For firmware that only feeds clusters: what it computes between two steps takes far less.
  static constexpr std::uint64_t firmware_idle_cycles = 10'000'000;
};

/// Where the build has put the chip's own firmware; FORERUN_FIRMWARE in the environment overrides it.
std::string firmware_path(const std::string& file);

class Simulation {
 public:
  /// With a `native` program (firmware/apps/apps.h), this runs in the simulator's process in the place of the
  /// CPU; of one device only. `options`: what else the SoC gets (taps and waves: the first device only);
  /// with_cpu and device are set here. Throws std::invalid_argument for a chip that cannot be built.
  /// `symmetric`: of several devices, only the first is built; the others do the same (ip::LinkNetwork).
  explicit Simulation(const chip::Chip& chip, std::function<int(std::uint64_t)> native = {},
                      soc::SocOptions options = {}, bool symmetric = false);

  soc::Soc soc;                                   ///< the only device, or the first
  std::vector<std::unique_ptr<soc::Soc>> others;  ///< devices 1 and up
  std::unique_ptr<ip::LinkNetwork> link;          ///< of several devices
  soc::Soc& device(std::size_t i) { return i == 0 ? soc : *others[i - 1]; }
  const soc::Soc& device(std::size_t i) const { return i == 0 ? soc : *others[i - 1]; }

  /// The boot ROM of the build, and a program in the chip's memory at which it jumps. Before run().
  /// Throws ElfError when a part of the program lies in no memory, std::runtime_error without a boot ROM.
  void load(const ElfProgram& program);
  /// Runs to the end, or until a limit is reached.
  Outcome run(const RunLimits& limits = {});
  /// After run(): where RTL in any device differs from the models, or which block is lost; or empty. `parts`
  /// are the names of the operators, by the tags of their commands.
  std::string rtl_problem(const std::vector<std::string>& parts) const;
  /// How often RTL in any device has broken rules of AXI; the first `most` of them go to `lines`, each with
  /// its file.
  std::uint64_t broken_rules(std::vector<std::string>& lines, std::size_t most) const;
  /// Ends run() at this moment; from a process of the simulation.
  void stop();

 private:
  std::unique_ptr<HostCpu> host_cpu_;
  std::optional<ElfProgram> program_;
  void exited(int code);
  Outcome::Kind run_within(const RunLimits& limits);
  std::string describe();
  std::string describe_cpu(const soc::Soc& chip) const;

  std::optional<int> exit_code_;
  std::size_t exited_ = 0;
  bool stopped_ = false;
  sc_core::sc_event exit_;
};

}  // namespace forerun::sim
