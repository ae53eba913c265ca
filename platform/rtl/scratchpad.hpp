// SPDX-License-Identifier: Apache-2.0
/// RTL as the memory of a cluster's scratchpad.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ip/base/block_use.hpp"
#include "ip/base/local_store.hpp"
#include "ip/base/units.hpp"
#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "platform/rtl/difference.hpp"
#include "platform/rtl/mapped_block.hpp"

namespace forerun::rtl {

struct RtlScratchpadParameters {
  std::string label;              ///< "cluster0.scratchpad"
  Frequency clock{1e9};           ///< unless the pin map has one
  std::span<unsigned char> host;  ///< the bytes that models work on
  bool lockstep = false;          ///< bytes read are compared with those, and the model's times count
  WaveOptions waves{};
};

/// A module with one AXI4 subordinate. Accesses go one after another, in the order in which models begin
/// them, each cut into bursts that are under way together; between accesses the clock stands. So an access
/// takes the cycles that the module takes for it, after those before it.
class RtlScratchpad : public ip::LocalStore {
 public:
  /// Throws std::runtime_error, naming the file, for a module that cannot be one.
  RtlScratchpad(const std::string& file, RtlScratchpadParameters parameters);

  /// Called at the first difference, in lockstep.
  std::function<void(const Difference&, const std::string& waves)> on_difference;
  /// Throws std::runtime_error if the module answers with an error, or not at all, with what was wrong and
  /// the rules of AXI that it has broken; in lockstep that is a difference.
  std::int64_t transfer(bool write, std::uint64_t address, std::uint64_t bytes,
                        std::int64_t from_ps) override;
  bool timed() const override { return !parameters_.lockstep; }

  const std::string& file() const { return file_; }
  std::uint64_t accesses() const { return accesses_; }
  std::uint64_t compared() const { return compared_; }  ///< accesses
  std::uint64_t cycles() const { return block_.cycles; }
  double host_seconds() const { return host_seconds_; }  ///< on the wall, with its bus model and checker
  const ip::cosim::ViolationLog& log() const { return checker_.log(); }

 private:
  void cycle(bool reset);
  std::string reason(const ip::cosim::AxiBurst& burst) const;
  void refuse(bool write, std::uint64_t address, std::uint64_t bytes, std::string why);
  void differ(std::string access, std::string what);
  void compare(std::uint64_t address, std::span<const unsigned char> read);

  std::string file_;
  RtlScratchpadParameters parameters_;
  MappedBlock block_;
  MappedInterface& face_;
  ip::cosim::AxiManager manager_;
  ip::cosim::AxiChecker checker_;
  std::int64_t period_ps_, cycle_ = 0;  ///< the next one
  bool was_reset_ = false, found_ = false, silent_ = false;
  std::vector<unsigned char> read_;
  std::uint64_t accesses_ = 0, compared_ = 0;
  double host_seconds_ = 0;
};

}  // namespace forerun::rtl
