// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "ip/cosim/shared_model.hpp"

namespace forerun::rtl {

/// The inputs of an instance in each clock cycle, as far as they change. They are given to a second instance
/// when waves are wanted: so that until then a comparison of the inputs is all that they cost, and they are
/// there of cycles that are over. A log that has become longer than `most_bytes` is dropped.
class InputLog {
 public:
  static constexpr std::size_t most_bytes = std::size_t{1} << 30;

  /// @param clocks numbers of ports, which are low when inputs are noted
  /// @param cycles that waves show, up to the last one
  InputLog(ip::cosim::ModelInstance& instance, std::vector<unsigned> clocks, std::size_t cycles);

  /// Before the evaluation of a cycle that ends at a time.
  void note(std::int64_t picoseconds);
  /// Writes them; says which time is in the file, or why there is none.
  std::string write(const std::shared_ptr<const ip::cosim::SharedModel>& model, const std::string& file,
                    std::int64_t period_ps) const;

 private:
  struct Port {
    unsigned number, bytes;
    const unsigned char* now;
    std::size_t last;  ///< in `last_`
  };
  void put(std::uint64_t number);

  std::vector<Port> ports_;
  std::vector<unsigned> clocks_;
  std::size_t shown_;
  std::vector<unsigned char> last_;
  /// Of each change: cycles since the one before, the place in `ports_`, the bytes.
  std::vector<unsigned char> changes_;
  std::uint64_t cycles_ = 0, changed_ = 0;
  bool dropped_ = false;
  std::deque<std::int64_t> times_;  ///< of the last cycles
};

}  // namespace forerun::rtl
