// SPDX-License-Identifier: Apache-2.0
/// Somebody's module as a block on a clock, its ports copied to and from pins as its pin map says.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/rtl_block.hpp"
#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/input_log.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/pins_of.hpp"
#include "platform/rtl/rvfi.hpp"
#include "platform/rtl/signals.hpp"
#include "platform/rtl/waves.hpp"

namespace forerun::rtl {

/// One interface: its map, its shape from the widths of the ports, and its pins. Only one of the two kinds is
/// used.
struct MappedInterface {
  InterfaceMap map;
  std::map<std::string, Pin> pins{};  ///< that the module has
  ip::cosim::AxiShape axi{};
  ip::cosim::StreamShape stream{};
  ip::cosim::AxiPins axi_pins{};
  ip::cosim::StreamPins stream_pins{};
};

/// Pins that carry a descriptor to a DMA engine (PinMap::dma).
struct DescriptorPins {
  bool start = false, ready = true, done = false;  ///< ready stays high if the module has no such port
  std::uint64_t source = 0, destination = 0, bytes = 0, rows = 0, source_stride = 0, destination_stride = 0;
  std::uint64_t error = 0;  ///< other than 0 with done: the copy failed
};

/// A pin of PinMap::signals.
struct SignalPin {
  bool input = false;
  unsigned bits = 0;
  SignalValue value{};  ///< bits above those of the pin are 0 in outputs
};

class MappedBlock : public ip::cosim::RtlBlock {
 public:
  /// Throws std::runtime_error, naming the place in the map, for ports that the map names and the module does
  /// not have, and for those that have another direction or no possible width.
  MappedBlock(std::shared_ptr<const ip::cosim::SharedModel> model, PinMap map);
  /// With the pin map that the model was made with.
  explicit MappedBlock(const std::shared_ptr<const ip::cosim::SharedModel>& model)
      : MappedBlock(model, pin_map_of(*model)) {}

  void settle() override;
  void edge() override;
  bool idle() const override { return !map_.idle.empty() && idle_ == map_.idle_high; }
  bool interrupt() const { return !map_.interrupt.empty() && interrupt_ == map_.interrupt_high; }

  DescriptorPins descriptor;
  bool reset = false;       ///< set by the clock
  std::int64_t now_ps = 0;  ///< simulated time of the edge that comes, for waves
  bool silent = false;      ///< nothing goes to waves
  std::int64_t period_ps = 1000;
  std::uint64_t cycles = 0;  ///< evaluated

  const PinMap& map() const { return map_; }
  std::map<std::string, SignalPin>& signals() { return signals_; }
  /// What a CPU retires in this cycle, when its pins have settled; of a map with `rvfi`.
  unsigned most_retired() const { return rvfi_->channels(); }
  void sample_retired(std::vector<ip::riscv::Retired>& to) { rvfi_->sample(to); }
  /// Bits of one of the module's pins, 0 if it has none of this name.
  unsigned port_bits(const std::string& name) const;
  const PinsOf& ports() const { return ports_; }
  std::vector<std::unique_ptr<MappedInterface>>& interfaces() { return interfaces_; }
  bool can_write_waves() const { return *instance_.model().functions().format != 0; }
  void open_waves(const WaveOptions& waves, const std::string& name);
  /// Writes waves of the last cycles, `rolled_cycles` and up to as many more, to "STEM.0.fst" and
  /// "STEM.1.fst" in turn (or .vcd). Throws std::runtime_error if the model was made without waves.
  void roll_waves(const std::string& stem);
  /// Writes waves of the last `rolled_cycles` cycles to "STEM.fst" (or .vcd) when rolled_waves() is called,
  /// which costs the simulation of all cycles again, but nothing before (InputLog). Throws as roll_waves()
  /// does.
  void replay_waves(const std::string& stem);
  /// Ends them; says which files show which time.
  std::string rolled_waves();
  static constexpr std::uint64_t rolled_cycles = 2000;

 private:
  void bind(MappedInterface& face);
  void bind_axi(MappedInterface& face);
  void bind_stream(MappedInterface& face);
  void bind_descriptor();
  void check_registers() const;
  void bind_signals();
  static unsigned bits(const MappedInterface& face, const std::string& pin);
  void add(const MappedInterface& face, const std::string& pin, bool input, void* field,
           unsigned field_bytes);
  /// Copies a pin to or from a field from now on.
  void link(const Pin& pin, std::string_view at, void* field, unsigned field_bytes);
  [[noreturn]] void refuse(const MappedInterface& face, const std::string& text,
                           const std::string& pin = "") const;

  ip::cosim::ModelInstance instance_;
  PinsOf ports_;
  PinMap map_;
  std::vector<std::unique_ptr<MappedInterface>> interfaces_;
  std::map<std::string, SignalPin> signals_;
  std::optional<RvfiPins> rvfi_;
  std::vector<PinCopy> inputs_, outputs_;
  std::vector<ip::cosim::StreamPins*> without_strobes_;  ///< transmitters: all bytes kept are data
  std::vector<unsigned char*> clocks_, resets_;
  bool idle_ = false, interrupt_ = false;
  void dump(std::int64_t picoseconds);
  void roll(std::int64_t picoseconds);
  std::shared_ptr<const ip::cosim::SharedModel> model_;
  std::unique_ptr<InputLog> log_;
  std::string log_file_;
  WaveOptions waves_;
  std::string stem_;                                 ///< of rolling waves; empty: none
  unsigned rolls_ = 0;                               ///< files begun
  std::uint64_t roll_left_ = 0;                      ///< cycles of the present one
  std::int64_t roll_begins_[2] = {}, roll_end_ = 0;  ///< ps
};

}  // namespace forerun::rtl
