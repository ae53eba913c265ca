// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ip/base/units.hpp"

namespace forerun::ip {

struct TensorParameters {
  unsigned rows = 64;     ///< R, along k: 1 .. 512
  unsigned columns = 64;  ///< C, along n: 1 .. 512
  unsigned arrays = 2;    ///< 1 .. 64
  /// Rows whose products a cell adds up in a cycle, a divisor of `rows`: the array has rows / dot rows of
  /// cells, and takes in `dot` rows of weights a cycle. 1: a systolic array of single multiply-accumulates.
  unsigned dot = 1;
  bool double_buffered = true;  ///< weights of the next tile are loaded while the present one streams
  unsigned queue_depth = 16;    ///< commands
  Frequency clock{1.25e9};
  bool data = true;
};

}  // namespace forerun::ip
