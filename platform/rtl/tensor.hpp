// SPDX-License-Identifier: Apache-2.0
/// Arrays of RTL for the clusters of a chip: ip/tensor/rtl in the chip's size, made when it is first needed,
/// or the module that `rtl.tensor` names.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ip/cosim/shared_model.hpp"
#include "ip/tensor/rtl_arrays.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/waves.hpp"

namespace forerun::rtl {

/// Rows that the accumulators of ip/tensor/rtl hold as this chip's arrays; the compiler's steps have up to
/// 128 tokens.
inline constexpr unsigned tile_depth = 256;

/// Numbers of ip/tensor/rtl: FORMAT.
inline constexpr unsigned tile_formats = 3;
std::string_view tile_format_name(unsigned format);
/// FORMAT of a format of the chip, or tile_formats if the RTL does not have it.
unsigned tile_format(chip::Format format);

/// Rows and columns of a matrix unit, from the widths of its ports.
std::pair<unsigned, unsigned> tile_size(const ip::cosim::SharedModel& model, const PinMap& map);
/// What it is, for people. Throws std::runtime_error, naming the place in the map, if the module is no such
/// matrix unit.
std::string describe_tile(std::shared_ptr<const ip::cosim::SharedModel> model, const PinMap& map);

/// The models of one chip's arrays, each loaded once.
class TileLibrary {
 public:
  explicit TileLibrary(const chip::Chip& chip, const WaveOptions& waves = {});

  /// Makes or loads the model of a format now, so that errors come before the simulation. Throws
  /// std::runtime_error if there is none of this format.
  void prepare(unsigned format);
  /// A new array, or nothing if there are none of this format. `name` is that of its wave file.
  std::unique_ptr<ip::RtlTile> make(unsigned format, const std::string& name);
  /// The same with a wave of its own.
  std::unique_ptr<ip::RtlTile> make_waving(unsigned format, const std::string& file);
  /// What the arrays are, for reports: "tensor_tile 16x16 (ip/tensor/rtl)".
  std::string describe() const;

 private:
  std::shared_ptr<const ip::cosim::SharedModel> model(unsigned format, Waves waves);
  const chip::Chip chip_;
  WaveOptions waves_;
  std::map<std::pair<unsigned, Waves>, std::shared_ptr<const ip::cosim::SharedModel>> models_;
};

}  // namespace forerun::rtl
