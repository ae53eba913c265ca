// SPDX-License-Identifier: Apache-2.0
/// The Verilated arithmetic of a cell.
#pragma once

#include <cstdint>
#include <memory>

namespace forerun::rtl {

class Fma {
 public:
  virtual ~Fma() = default;
  /// format 0 int8, 1 bfloat16, 2 binary16
  virtual std::uint32_t operator()(unsigned format, std::uint16_t a, std::uint16_t w, std::uint32_t sum) = 0;
  static std::unique_ptr<Fma> make();
};

}  // namespace forerun::rtl
