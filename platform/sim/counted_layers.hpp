// SPDX-License-Identifier: Apache-2.0
/// Watches the steps of a program, and lets its clusters leave out layers that are counted instead.
#pragma once

#include <cstdint>
#include <vector>

#include "ip/command/engine.hpp"
#include "models/compiler/program.hpp"
#include "platform/sim/repeated_layers.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

class CountedLayers {
 public:
  /// @param prefix of the names of the program's own operators, the last among its tags; "draft.", or nothing
  /// Both `soc` and `program` must outlive this.
  CountedLayers(soc::Soc& soc, const models::Program& program, LayerRepetition repetition,
                const std::string& prefix);

  /// Numbers of the program's own tags begin here.
  std::uint32_t first_tag() const { return own_; }
  /// A command of the program begins in an engine of a cluster.
  void begin(std::size_t cluster, const ip::Engine& engine, const ip::Command& command);
  /// A step of the program has ended; returns the picoseconds that were counted for it.
  std::int64_t end_step();

  /// Of a step, that were simulated.
  std::uint64_t layers() const { return repeated_.layers() + before_; }
  /// Of these the first ones that are of another kind, and not repeated.
  std::uint64_t layers_before() const { return before_; }
  /// What was counted adds to everything.
  const Snapshot& added() const { return repeated_.added(); }
  /// Of its picoseconds: the standard error.
  double uncertain_ps() const { return repeated_.uncertain_ps(); }

 private:
  bool find_next_to_last_meeting();
  void meet();
  void leap();

  soc::Soc& soc_;
  const models::Program& program_;
  std::uint64_t before_;  // layers
  LayerRepetition repetition_;
  RepeatedLayers repeated_;
  std::uint32_t own_ = 0, first_ = 0, end_ = 0;      // tags: all, of a layer's begin, behind the layers
  std::vector<std::uint64_t> next_to_last_meeting_;  // of a layer: in each cluster's stream, or nothing
  std::size_t met_ = 0;                              // clusters that have come to it
  std::uint64_t left_out_ = 0;                       // layers of this step
  bool leapt_ = false;                               // in this step
};

}  // namespace forerun::sim
