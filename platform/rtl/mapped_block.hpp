// SPDX-License-Identifier: Apache-2.0
/// Somebody's module as a block on a clock, its ports copied to and from pins as its pin map says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/rtl_block.hpp"
#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/waves.hpp"

namespace forerun::rtl {

/// One interface: its map, its shape from the widths of the ports, and its pins. Only one of the two kinds is
/// used.
struct MappedInterface {
  InterfaceMap map;
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

class MappedBlock : public ip::cosim::RtlBlock {
 public:
  /// Throws std::runtime_error, naming the model's file, for ports that the map names and the module does not
  /// have, and for those that have another direction or no possible width.
  explicit MappedBlock(std::shared_ptr<const ip::cosim::SharedModel> model);

  void settle() override;
  void edge() override;
  bool idle() const override { return idle_ != nullptr && (*idle_ & 1) != 0; }
  bool interrupt() const { return interrupt_ != nullptr && ((*interrupt_ & 1) != 0) == map_.interrupt_high; }

  DescriptorPins descriptor;
  bool reset = false;       ///< set by the clock
  std::int64_t now_ps = 0;  ///< simulated time of the edge that comes, for waves
  bool silent = false;      ///< nothing goes to waves
  std::int64_t period_ps = 1000;
  std::uint64_t cycles = 0;  ///< evaluated

  const PinMap& map() const { return map_; }
  /// Bits of one of the module's ports, 0 if it has none of this name.
  unsigned port_bits(const std::string& name) const;
  std::vector<std::unique_ptr<MappedInterface>>& interfaces() { return interfaces_; }
  void open_waves(const WaveOptions& waves, const std::string& name);

 private:
  struct Copy {
    unsigned char *port, *field;
    unsigned bytes;        ///< copied
    unsigned field_bytes;  ///< of the field, cleared before an output is copied into it
  };
  void bind(MappedInterface& face);
  void bind_axi(MappedInterface& face);
  void bind_stream(MappedInterface& face);
  void bind_descriptor();
  unsigned bits(const MappedInterface& face, const char* pin) const;
  int find(const MappedInterface& face, const char* pin) const;
  void add(const MappedInterface& face, const char* pin, bool input, void* field, unsigned field_bytes);
  [[noreturn]] void refuse(const std::string& text) const;

  ip::cosim::ModelInstance instance_;
  PinMap map_;
  std::vector<std::unique_ptr<MappedInterface>> interfaces_;
  std::vector<Copy> inputs_, outputs_;
  std::vector<ip::cosim::StreamPins*> without_strobes_;  ///< transmitters: all bytes kept are data
  unsigned char *clock_ = nullptr, *reset_ = nullptr, *idle_ = nullptr, *interrupt_ = nullptr;
  void dump(std::int64_t picoseconds);
  WaveOptions waves_;
};

}  // namespace forerun::rtl
