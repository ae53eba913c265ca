// SPDX-License-Identifier: Apache-2.0
/// Vector engines of RTL for the clusters of a chip: ip/vector/rtl in the chip's size, made when it is first
/// needed, or the module that `rtl.vector` names.
#pragma once

#include <memory>
#include <string>

#include "ip/cosim/shared_model.hpp"
#include "ip/vector/rtl_lanes.hpp"
#include "ip/vector/vector_timing.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/verilate.hpp"
#include "platform/rtl/waves.hpp"

namespace forerun::rtl {

/// One engine of a model whose pin map has a section `vector`; it writes a wave to `wave` unless that is
/// empty. Throws std::runtime_error, naming file and port, if the module is no such engine, and if there can
/// be no wave.
std::unique_ptr<ip::RtlEngine> load_vector_engine(std::shared_ptr<const ip::cosim::SharedModel> model,
                                                  const PinMap& map, const std::string& wave = {});
/// A line on what it can do. Throws as load_vector_engine().
std::string describe_vector_engine(std::shared_ptr<const ip::cosim::SharedModel> model, const PinMap& map);
/// ip/vector/rtl in a size; its rows of several passes are those that its buffer holds.
VerilateRequest vector_request(const ip::VectorShape& shape, Waves waves);

/// The model of one chip's vector engines, loaded once.
class VectorLibrary {
 public:
  /// Throws std::runtime_error if there is no such model, or with other than the chip's number of lanes.
  VectorLibrary(const chip::Chip& chip, const ip::VectorShape& shape, const WaveOptions& waves = {});

  /// A new engine. `name` is that of its wave file.
  std::unique_ptr<ip::RtlEngine> make(const std::string& name) const;
  /// The same with a wave of its own.
  std::unique_ptr<ip::RtlEngine> make_waving(const std::string& file) const;
  /// What the engines are, for reports: "ip/vector/rtl/vector_engine.sv, 16 lanes".
  std::string describe() const;

 private:
  const std::string own_;  ///< file of somebody's module; empty: ip/vector/rtl
  const ip::VectorShape shape_;
  const WaveOptions waves_;
  std::shared_ptr<const ip::cosim::SharedModel> model_;
};

}  // namespace forerun::rtl
