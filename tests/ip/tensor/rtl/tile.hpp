// SPDX-License-Identifier: Apache-2.0
/// The pins of a Verilated tensor tile behind one class, whatever its size and format.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace forerun::rtl {

class Tile {
 public:
  virtual ~Tile() = default;

  unsigned format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  unsigned rows = 0, columns = 0;

  /// Inputs, to be set before settle().
  virtual void reset(bool active) = 0;
  virtual void weights(bool valid, bool last, std::span<const std::uint16_t> lanes) = 0;
  virtual void activations(bool valid, bool last, unsigned start, bool emit,
                           std::span<const std::uint16_t> lanes, std::span<const std::uint32_t> sums) = 0;
  virtual void results_ready(bool ready) = 0;
  /// Lets inputs reach the outputs that depend on them within a cycle.
  virtual void settle() = 0;
  /// A rising edge.
  virtual void clock() = 0;
  virtual bool weights_ready() const = 0;
  virtual bool activations_ready() const = 0;
  virtual bool results_valid() const = 0;
  virtual bool results_last() const = 0;
  virtual bool idle() const = 0;
  virtual std::uint32_t result(unsigned column) const = 0;
};

/// All Verilated tiles of this program by name, such as "bf16_8x8".
inline std::map<std::string, std::function<std::unique_ptr<Tile>()>>& tiles() {
  static std::map<std::string, std::function<std::unique_ptr<Tile>()>> map;
  return map;
}

}  // namespace forerun::rtl
