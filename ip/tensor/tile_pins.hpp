// SPDX-License-Identifier: Apache-2.0
/// The pins of one systolic array of RTL, as ip/tensor/rtl/tensor_tile.sv has them.
#pragma once

#include <cstdint>
#include <functional>

namespace forerun::ip {

/// Where the bits of the pins are, in the storage of a simulator's model: one byte for pins of a bit, lanes
/// side by side for data, the lowest first. An array with a timing of its own may be without c_last and idle.
/// Whoever makes this has checked the widths.
struct TilePins {
  unsigned format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  unsigned rows = 0, columns = 0;
  unsigned depth = 0;       ///< rows that the accumulators inside hold
  bool own_timing = false;  ///< its cycles are not those of tile_timing.hpp
  unsigned char *clock = nullptr, *reset = nullptr;
  bool reset_level = false;  ///< of `reset` while active
  unsigned char *w_valid = nullptr, *w_ready = nullptr, *w_last = nullptr, *w_data = nullptr;
  unsigned char *a_valid = nullptr, *a_ready = nullptr, *a_last = nullptr, *a_start = nullptr,
                *a_emit = nullptr, *a_data = nullptr, *a_sum = nullptr;
  unsigned char *c_valid = nullptr, *c_ready = nullptr, *c_last = nullptr, *c_data = nullptr;
  unsigned char* idle = nullptr;
  bool idle_level = true;                   ///< of `idle` while no row is on its way
  void (*evaluate)(void* model) = nullptr;  ///< inputs have changed
  void* model = nullptr;
  std::function<void(std::int64_t picoseconds)> dump;  ///< to a wave, after an eval; may be empty

  bool is_idle() const { return idle != nullptr && (*idle != 0) == idle_level; }
  unsigned element_bytes() const { return format == 0 ? 1 : 2; }
};

}  // namespace forerun::ip
