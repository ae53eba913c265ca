// SPDX-License-Identifier: Apache-2.0
/// A block of RTL in another process (ip/cosim/remote), as its YAML file describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ip/cosim/remote/remote_link.hpp"
#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// One subordinate interface and at most one manager, with their widths from the file. "{label}" in the
/// address to listen at is the place's label: several blocks of one file are told apart by it.
///
/// Debug access lets the block run clock cycles outside of simulated time, before the simulation starts as
/// well; it is refused while transactions are under way. A reset of the chip does not reach the block. When
/// it is lost, on_loss is called; its transactions end with errors.
class RemoteDevice : public Device {
 public:
  /// Throws std::runtime_error, naming the file, for what it cannot be, and for an address that cannot be
  /// listened at.
  RemoteDevice(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place);

  std::string describe() const override { return file_ + ", in another process at " + link_.address(); }
  Frequency frequency() const override { return frequency_; }
  std::uint64_t cycles() const override { return link_.cycles.value(); }
  double host_seconds() const override { return 0; }
  double hook_seconds() const override { return clock_.host_seconds(); }
  double waited_seconds() const override { return link_.waited_seconds(); }
  std::uint64_t broken_rules() const override { return link_.broken_rules(); }
  std::vector<std::string> first_broken_rules(std::size_t most) const override;
  void reset() override {}
  const PinMap& map() const override { return map_; }
  void roll_waves(const std::string&) override;
  std::string rolled_waves() override { return "none"; }

 private:
  unsigned debug(const ip::cosim::TargetBridge& bridge, tlm::tlm_generic_payload& payload);

  PinMap map_;
  std::function<std::uint64_t(std::uint64_t)> translate_;
  MappedInterface subordinate_, manager_;
  Frequency frequency_;
  ip::cosim::PinClock clock_;
  ip::cosim::RemoteLink link_;
};

}  // namespace forerun::rtl
