// SPDX-License-Identifier: Apache-2.0
/// The pins of a vector engine of RTL, as ip/vector/rtl/vector_engine.sv has them, and what it can do.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <limits>

#include "firmware/abi/command.h"

namespace forerun::ip {

/// Where the bits of the pins are, in the storage of a simulator's model: one byte for pins of up to eight
/// bits, four for those of 32, lanes side by side for data, the lowest first. Null: a pin that the module
/// does not have. Whoever makes this has checked the widths.
struct VectorPins {
  unsigned lanes = 0;
  std::bitset<256> operations;       ///< FR_VECTOR_* that it has
  std::bitset<FR_TYPE_COUNT> types;  ///< of operands and results
  std::uint64_t most_columns =
      std::numeric_limits<std::uint64_t>::max();  ///< in operations of several passes
  bool own_timing = false;                        ///< its cycles are not those of vector_timing.hpp

  unsigned char *clock = nullptr, *reset = nullptr;
  bool reset_level = false;  ///< of `reset` while active
  unsigned char *cmd_valid = nullptr, *cmd_ready = nullptr, *cmd_op = nullptr, *cmd_a_type = nullptr,
                *cmd_b_type = nullptr, *cmd_c_type = nullptr, *cmd_d_type = nullptr, *cmd_flags = nullptr,
                *cmd_rows = nullptr, *cmd_cols = nullptr, *cmd_arg0 = nullptr, *cmd_arg1 = nullptr,
                *cmd_arg2 = nullptr, *cmd_arg3 = nullptr;
  struct Operand {
    unsigned char *valid = nullptr, *ready = nullptr, *data = nullptr;
  };
  Operand operands[3];  ///< a, b, c
  unsigned char *d_valid = nullptr, *d_ready = nullptr, *d_last = nullptr, *d_data = nullptr,
                *d_scale = nullptr;
  void (*evaluate)(void* model) = nullptr;  ///< inputs have changed
  void* model = nullptr;
  std::function<void(std::int64_t picoseconds)> dump;  ///< to a wave, after an eval; may be empty
};

/// One engine; the model behind its pins lives as long.
struct RtlEngine {
  virtual ~RtlEngine() = default;
  VectorPins pins;
};

}  // namespace forerun::ip
