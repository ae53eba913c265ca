// SPDX-License-Identifier: Apache-2.0
/// How long the lanes take for a VECTOR command: the cycles of ip/vector/rtl.
#pragma once

#include <cstdint>
#include <vector>

#include "ip/vector/operations.hpp"

namespace forerun::ip {

struct VectorShape {
  unsigned lanes = 64;          ///< elements a cycle and pass, 1 .. 4096
  unsigned latency = 12;        ///< cycles through the pipeline
  unsigned special_factor = 4;  ///< lanes that share a special-function unit
  unsigned buffer_beats =
      256;  ///< beats of `lanes` binary32 that are kept between the passes of an operation
};

/// Elements come in beats of one for each lane, and each row begins with a beat of its own: a pass over the n
/// rows of a command takes n ceil(cols / lanes) beats, one a cycle, or one in `special_factor` cycles where
/// the lanes share special-function units, and then `latency` cycles until the last beat is through. An
/// operation of several passes takes rows group by group: as many as fit into the buffer, each pass over all
/// of them before the next begins. With g groups, b beats, p passes, s of them special:
///     g p latency + b (p + s (special_factor - 1)) cycles, g = 1 if p = 1.
/// A row longer than the buffer is a group of its own (of which there is no RTL). Without elements: one
/// cycle.
std::uint64_t vector_cycles(const VectorShape& shape, const VectorCost& cost);
/// The cycle of the command, from 0, in which each beat of results is there; `reduces`: one a row.
std::vector<std::uint64_t> vector_result_cycles(const VectorShape& shape, const VectorCost& cost,
                                                bool reduces);

}  // namespace forerun::ip
