// SPDX-License-Identifier: Apache-2.0
/// One operator as a program of its own, with operands that are made for it: what matrix products, operators
/// over rows and collectives have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "models/compiler/plan.hpp"
#include "models/compiler/program.hpp"
#include "models/compiler/stream.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

class SingleOperator {
 public:
  virtual ~SingleOperator() = default;
  SingleOperator(const SingleOperator&) = delete;
  SingleOperator& operator=(const SingleOperator&) = delete;

  const std::string& name() const { return name_; }
  std::uint32_t devices() const { return devices_; }  ///< that take part
  /// Of one of the devices. With `data`, operands hold small numbers made from their indices.
  virtual Program program(bool data, std::uint32_t device = 0) const = 0;
  /// Where the result lies, the same in every device, and how many bytes it has there at most.
  std::uint64_t result() const { return result_; }
  std::uint64_t result_bytes() const { return result_bytes_; }

  struct Verdict {
    bool right = false;
    std::string text;  ///< a sentence
  };
  /// Compares the result in a device's memory with one that is computed here in another way.
  virtual Verdict verify(std::span<const std::uint8_t> result, std::uint32_t device = 0) const = 0;

 protected:
  SingleOperator(std::string name, const chip::Chip& chip, std::uint32_t devices);

  /// A small whole number, -8 .. 8, without a pattern that a mistake in addressing could hide in.
  static float small(std::uint64_t i, std::uint64_t j, std::uint64_t salt);
  /// Memory from the chip's beginning on, behind what firmware needs.
  std::uint64_t take(std::uint64_t bytes);
  void take_result(std::uint64_t bytes);
  /// The next take() begins at a multiple of so many bytes from the beginning of memory.
  void align(std::uint64_t bytes);
  /// First commands of a cluster's stream: where the chip launches what its clusters do, nothing is loaded
  /// before.
  void launch(StreamBuilder& out, std::uint32_t cluster) const;
  /// Throws OutOfMemory for what does not fit, the operator's name in front.
  void check_memory(std::uint64_t end) const;
  /// When all streams and segments are there.
  void finish(Program& program, std::uint32_t scratchpad_bytes) const;
  std::uint64_t end() const { return end_; }

 private:
  std::string name_;
  std::uint32_t devices_;
  bool launches_;
  std::uint64_t memory_bytes_, parameters_, token_ids_, next_ids_, requests_, end_;
  std::uint64_t result_ = 0, result_bytes_ = 0;
};

}  // namespace forerun::models
