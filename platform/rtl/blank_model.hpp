// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/design.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {

/// A model of which there are only the ports and the pin map, to see whether these agree.
class BlankModel {
 public:
  BlankModel(std::vector<Port> ports, const VerilateRequest& request);
  BlankModel(const BlankModel&) = delete;
  BlankModel& operator=(const BlankModel&) = delete;

  /// Its file() is that of the pin map. Not to be used longer than this.
  std::shared_ptr<const ip::cosim::SharedModel> model() const { return model_; }

 private:
  std::vector<Port> ports_;
  std::vector<ip::cosim::ModelPort> table_;
  std::string top_, pins_;
  ip::cosim::ModelFunctions functions_{};
  std::shared_ptr<const ip::cosim::SharedModel> model_;
};

}  // namespace forerun::rtl
