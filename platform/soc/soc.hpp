// SPDX-License-Identifier: Apache-2.0
/// The whole chip, put together from its description.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/sparse_memory.hpp"
#include "ip/bus/bus.hpp"
#include "ip/cluster/cluster.hpp"
#include "ip/cpu/cpu.hpp"
#include "ip/hbm/hbm_stack.hpp"
#include "ip/intc/clint.hpp"
#include "ip/intc/plic.hpp"
#include "ip/mailbox/mailbox.hpp"
#include "ip/memory/memory.hpp"
#include "ip/noc/noc.hpp"
#include "ip/perf/perf.hpp"
#include "ip/record/tap.hpp"
#include "ip/sysctl/sysctl.hpp"
#include "ip/tensor/lockstep.hpp"
#include "ip/timer/timer.hpp"
#include "ip/uart/uart.hpp"
#include "ip/vector/lockstep_lanes.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/difference.hpp"
#include "platform/rtl/signals.hpp"
#include "platform/rtl/waves.hpp"
#include "platform/soc/shared_target.hpp"

namespace forerun::ip::cosim {
class TargetBridge;
}
namespace forerun::rtl {
class CpuLockstep;
class Device;
class LockstepMemory;
class OutputLine;
class RtlCommand;
class RtlDma;
class RtlNoc;
class RtlScratchpad;
class TileLibrary;
class VectorLibrary;
}  // namespace forerun::rtl

namespace forerun::soc {

struct SocOptions {
  bool with_cpu = true;  ///< false: another master is bound to `bus.socket`, for example a test or firmware
                         ///< built for the host
  std::vector<std::string> taps{};  ///< boundaries (Soc::boundaries) at which transactions are recorded
  rtl::WaveOptions waves{};         ///< of all RTL
  unsigned device = 0;              ///< which of the system's devices this is
  bool collapse = true;             ///< false: HBM serves each burst by itself, slowly; for tests
};

/// Where RTL in lockstep differed first; the simulation stops there.
struct RtlDifference {
  rtl::Difference difference;
  std::optional<unsigned> tag{};  ///< of the command
  std::string waves{};            ///< where the cycles around it are, or why they are not
  /// In lines; `part` of the program the command belongs to, if known.
  std::string describe(const std::string& part) const;
};

/// RTL in the place of a peripheral of the control CPU, beside the model of it in lockstep.
struct RtlPeripheral {
  std::unique_ptr<rtl::Device> device;
  std::unique_ptr<rtl::LockstepMemory> lockstep{};
  std::string other_waves{};
  RtlPeripheral();
  ~RtlPeripheral();
};

/// A counter of some block, by its place in the chip: "cluster3.tensor.macs", "hbm0.channel2.row_hits".
struct Statistic {
  std::string name, unit, description;
  std::function<std::uint64_t()> value;  ///< at the moment of the call
};

/// Blocks, sockets, addresses and interrupts of a chip (platform/chip/address_map.hpp):
///
///     CPU - bus -+- boot ROM, SRAM, UART, CLINT, PLIC, timer, mailbox, system controller, counters
///                +- RTL of `rtl.devices`
///                +- (the rest) - NoC - cluster registers and scratchpads, HBM
///
/// Clusters reach one another, HBM, the windows of noc.multicast and noc.reduction and, through a port of its
/// own, the SRAM; any other address gives them an address error. HBM addresses go round the stacks, and round
/// the ports of each, in pieces of `hbm.interleave`. Of several devices (`devices`), each reaches in the
/// others what clusters reach there, through the host tile (address_map::device). The device tree lies in the
/// boot ROM behind the boot code. Without a CPU, interrupts stop at the outputs of CLINT and PLIC. A chip
/// reset is a warm one: memories keep their bytes, transactions under way arrive without effect, and the
/// counts of clusters, HBM and NoC begin anew.
class Soc : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument, naming the key, for a chip that no chip file may describe, and for a tap
  /// at a boundary that this chip does not have.
  Soc(const sc_core::sc_module_name& name, const chip::Chip& chip, const SocOptions& options = {});
  ~Soc() override;

  const chip::Chip& chip() const { return chip_; }

 private:
  const chip::Chip chip_;
  const chip::Grid grid_;
  const std::vector<std::uint8_t> device_tree_;

 public:
  std::unique_ptr<ip::Cpu> cpu;                    ///< empty without CPU, and when it is RTL
  std::unique_ptr<rtl::Device> cpu_rtl;            ///< of cpu.model rtl and lockstep; empty without
  std::unique_ptr<rtl::CpuLockstep> cpu_lockstep;  ///< beside it; empty without
  ip::Bus bus;  ///< its socket is bound to the CPU, or for the other master to bind
  ip::Memory boot_rom;
  std::unique_ptr<ip::Memory> sram;                       ///< empty when it is RTL, not in lockstep
  std::unique_ptr<rtl::Device> sram_rtl;                  ///< `rtl.sram`; empty without
  std::vector<std::unique_ptr<rtl::Device>> rtl_devices;  ///< `rtl.devices`
  // Models of the peripherals. RTL in the place of one leaves it unused: use serial(), host() and the lines.
  ip::Uart uart;
  ip::Clint clint;
  ip::Plic plic;
  ip::Timer timer;
  ip::Mailbox mailbox;
  ip::Sysctl sysctl;
  ip::PerformanceCounters perf;
  std::map<std::string, RtlPeripheral> rtl_peripherals;  ///< by the keys below `rtl`: "uart", "plic", ...
  ip::Noc noc;
  ip::SparseMemory hbm_store;                         ///< the bytes of all stacks, from address_map::hbm on
  std::vector<std::unique_ptr<ip::HbmStack>> hbm;     ///< empty when memory is RTL, not in lockstep
  std::vector<std::unique_ptr<rtl::Device>> hbm_rtl;  ///< `rtl.hbm`, stack * ports + port; empty without
  std::vector<std::unique_ptr<ip::Cluster>> clusters;
  /// Of a device among several: to and from the links, for these to be bound to.
  ip::Noc::Target* to_link = nullptr;
  ip::Noc::Initiator* from_link = nullptr;

  /// Recorders, by the names of their boundaries.
  std::map<std::string, std::unique_ptr<ip::record::Tap>> taps;
  /// Where there can be one: "cluster0" is its port into the network, "cluster0.target" its registers and
  /// scratchpad as others see them; memories and peripherals by their names.
  const std::vector<std::string>& boundaries() const { return boundaries_; }
  /// Models of the arrays; empty when none are RTL.
  std::unique_ptr<rtl::TileLibrary> tensor_rtl;
  std::unique_ptr<rtl::VectorLibrary> vector_rtl;  ///< model of the vector engines; empty when none are RTL
  /// Engines of clusters.dma.model rtl, load and store of each cluster in turn; they belong to the clusters.
  std::vector<rtl::RtlDma*> dma_rtl;
  // Of each cluster, or none; they belong to the clusters.
  std::vector<rtl::RtlCommand*> command_rtl;
  std::vector<rtl::RtlScratchpad*> scratchpad_rtl;
  std::vector<std::unique_ptr<rtl::LockstepMemory>> hbm_lockstep;  ///< in front of hbm_rtl; empty without
  std::unique_ptr<rtl::LockstepMemory> sram_lockstep;
  std::unique_ptr<rtl::RtlNoc> noc_rtl;  ///< of noc.model rtl; empty without
  std::optional<RtlDifference> rtl_difference;
  /// Where in the firmware an address is, for messages; may be empty.
  std::function<std::string(std::uint64_t)> place_in_firmware;
  /// What happened when a block in another process was lost; the simulation stops there. Empty: none was.
  std::string lost_block;

  /// The other ends of serial port and mailbox.
  ip::SerialPort& serial();
  ip::HostMailbox& host();
  /// Interrupts of the CPU: msip, mtip, meip, seip.
  ip::LevelOut& software_interrupt() { return output("clint", "software", clint.software); }
  ip::LevelOut& timer_interrupt() { return output("clint", "timer", clint.timer); }
  ip::LevelOut& machine_interrupt() { return output("plic", "machine", plic.machine); }
  ip::LevelOut& supervisor_interrupt() { return output("plic", "supervisor", plic.supervisor); }
  /// Where the boot ROM jumps to; before the simulation starts.
  void set_boot_address(std::uint64_t address);

  /// Called when firmware ends the simulation with an exit code, 0 .. 255.
  std::function<void(int)> on_exit;
  /// What firmware does through the system controller.
  void reset();

  /// Debug access by the path of the bus master, without time and side effects. Before the simulation
  /// starts, when sockets are not connected yet, only boot ROM, SRAM and HBM answer. Throws
  /// std::runtime_error naming the address where nothing answers; pieces of 1 MiB below it may have been
  /// carried out.
  void read(std::uint64_t address, std::span<std::uint8_t> data);
  void write(std::uint64_t address, std::span<const std::uint8_t> data);
  /// Throws std::runtime_error if the image is larger than the chip's boot ROM.
  void load_boot_rom(std::span<const std::uint8_t> image);
  std::span<const std::uint8_t> device_tree() const { return device_tree_; }

  /// Every counter of the chip, as firmware finds them in the counter block too.
  const std::vector<Statistic>& statistics() const { return statistics_; }
  /// Who waits for what, a line each: running clusters and their engines, packets in the NoC. Empty when
  /// nothing waits.
  std::string describe_stall();
  /// Where a CPU of RTL is, as far as its pins say it, a line or two; `at` writes an address.
  std::string describe_cpu_rtl(const std::function<std::string(std::uint64_t)>& at) const;
  /// All RTL with bus interfaces, but scratchpads.
  std::vector<const rtl::Device*> rtl_blocks() const;
  /// Changes when clusters, or devices of RTL, get on with something.
  std::uint64_t progress();

 private:
  void put_rtl_into_peripherals(const rtl::WaveOptions& waves);
  void connect_peripheral(const std::string& key, RtlPeripheral& peripheral);
  RtlPeripheral* rtl_peripheral(const std::string& key);
  /// An output of a peripheral: `model`, unless it is RTL that has this signal (empty: its interrupt).
  ip::LevelOut& output(const std::string& key, const std::string& signal, ip::LevelOut& model);
  /// The input of the interrupt controller.
  ip::LevelIn& interrupt_source(unsigned number);
  void set_source(unsigned number, bool level);
  template <typename From, typename Model>
  void join_peripheral(const std::string& key, From& from, Model& model);
  std::unique_ptr<rtl::LockstepMemory> beside(rtl::Device& device, const std::string& name,
                                              const std::string& other_waves);
  ip::cosim::TargetBridge& sram_memory();
  void watch(rtl::Device& device);
  void put_rtl_into_hbm(const rtl::WaveOptions& waves);
  void put_rtl_into_clusters(const rtl::WaveOptions& waves);
  void put_rtl_into_vector(const rtl::WaveOptions& waves);
  void put_rtl_into_noc(const rtl::WaveOptions& waves);
  void put_rtl_into_dma(const rtl::WaveOptions& waves);
  void differ(unsigned cluster, const ip::LockstepDifference& difference);
  void put_memories_into_lockstep(const rtl::WaveOptions& waves);
  void differ(const rtl::Difference& difference, rtl::Device& device, const std::string& other_waves);
  /// Bytes within which a transaction stays at one memory tile; 0: all.
  std::uint64_t boundary() const;
  void connect_cpu();
  void put_rtl_into_commands(const rtl::WaveOptions& waves);
  void put_rtl_into_scratchpads(const rtl::WaveOptions& waves);
  void put_rtl_into_cpu(const rtl::WaveOptions& waves);
  std::uint64_t time_now(const sc_core::sc_time& delay);
  void connect_control_tile();
  void connect_noc();
  void connect_links(unsigned device);
  void connect_rtl_devices();
  void connect_interrupts_and_resets();
  void collect_statistics();
  void add_statistics(const std::string& prefix, const ip::CounterGroup& group);
  void add_channel_statistics(const std::string& stack_name, ip::HbmStack& stack);
  std::uint64_t rom_bytes() const;
  /// Binds two sockets, with a tap between them if one is wanted at this boundary.
  template <typename From, typename To>
  void join(const std::string& boundary, From& from, To& to);
  struct DebugTarget {
    sc_core::sc_export<tlm::tlm_fw_transport_if<>>* target;
    std::uint64_t address;
  };
  DebugTarget debug_target(std::uint64_t address);
  template <typename Byte>
  void debug_access(tlm::tlm_command command, std::uint64_t address, std::span<Byte> data);

  SharedTarget sram_port_;
  std::unique_ptr<SharedTarget> cpu_port_;  // of a CPU of RTL with two managers
  std::vector<std::unique_ptr<ip::LevelIn>> cpu_lines_;
  std::map<std::string, std::unique_ptr<rtl::OutputLine>> outputs_;  // by peripheral and signal
  std::vector<std::unique_ptr<ip::LevelIn>> sources_;                // of an interrupt controller of RTL
  rtl::SignalValue source_levels_;
  std::unique_ptr<ip::SerialPort> serial_, rtl_serial_;  // serial_: of lockstep
  std::unique_ptr<ip::HostMailbox> host_, rtl_host_;
  // Bound to models that nothing reaches.
  std::vector<std::unique_ptr<tlm_utils::simple_initiator_socket<Soc>>> unused_;
  std::vector<Statistic> statistics_;
  std::vector<std::string> wanted_taps_, boundaries_;
};

}  // namespace forerun::soc
