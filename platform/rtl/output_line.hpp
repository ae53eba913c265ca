// SPDX-License-Identifier: Apache-2.0
/// An output of RTL that is a line in the chip: an interrupt, a reset.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <systemc>

#include "ip/base/level.hpp"
#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// With a model beside the RTL, the model's level is what counts. If the pin map has a tolerance, a level of
/// the RTL's that is another one for more than its cycles is a difference; the first one is told.
class OutputLine : public sc_core::sc_module {
 public:
  /// @param signal in PinMap::signals; empty: the block's interrupt
  /// @param model the same line of the model in lockstep, or null
  OutputLine(const sc_core::sc_module_name& name, Device& device, std::string signal, ip::LevelOut* model);

  ip::LevelOut out{"out"};
  std::function<void(const Difference&)> on_difference;

 private:
  void changed();

  Device& device_;
  std::string signal_;
  bool lockstep_;
  ip::LevelIn rtl_, model_;
  sc_core::sc_event late_;
  bool found_ = false;
};

}  // namespace forerun::rtl
