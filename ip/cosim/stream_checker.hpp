// SPDX-License-Identifier: Apache-2.0
/// Watches an AXI4-Stream interface and names each rule that is broken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/violation.hpp"

namespace forerun::ip::cosim {

/// Sample the pins once a cycle, settled, before the edge.
class StreamChecker {
 public:
  /// @param name of the interface, for messages
  explicit StreamChecker(const StreamShape& shape, std::string_view name = "stream");
  void sample(const StreamPins& pins, std::uint64_t cycle);
  const ViolationLog& log() const { return log_; }
  ViolationLog& log() { return log_; }

 private:
  StreamShape shape_;
  std::string name_;
  ViolationLog log_;
  StreamPins before_;
  bool waiting_ = false, in_reset_ = false;
};

}  // namespace forerun::ip::cosim
