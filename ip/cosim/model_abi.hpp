// SPDX-License-Identifier: Apache-2.0
/// What a shared object with a Verilated module in it offers: its ports by name, and a few functions. Plain
/// types only, so that neither side needs the headers of Verilator or SystemC.
#pragma once

#include <cstdint>

namespace forerun::ip::cosim {

struct ModelPort {
  const char* name;
  bool input;
  /// Storage is the fewest of 1, 2, 4, 8 or a multiple of 4 bytes that holds them, low bits first; of an
  /// unpacked array, so many for each element, one after another.
  unsigned bits;
  const char* type;  ///< fields and dimensions (platform/rtl/port_type.hpp)
};

struct ModelFunctions {
  unsigned version;    ///< ModelFunctions::current
  const char* top;     ///< the module's name
  const char* format;  ///< of waves: "vcd", "fst", or "" if none can be written
  const char* pins;    ///< the text of its pin map (platform/rtl/pin_map.hpp), or ""
  unsigned port_count;
  const ModelPort* ports;

  void* (*create)();
  void (*destroy)(void* model);
  void* (*storage)(void* model, unsigned port);
  /// Evaluates after inputs have changed. Throws std::runtime_error when the module calls $finish, $stop or
  /// $fatal.
  void (*eval)(void* model);
  bool (*open_waves)(void* model, const char* file);
  void (*dump_waves)(void* model, std::uint64_t picoseconds);
  void (*close_waves)(void* model);

  static constexpr unsigned current = 2;
};

/// The one symbol of such a shared object: `extern "C" const ModelFunctions* forerun_rtl_model()`.
inline constexpr const char* model_symbol = "forerun_rtl_model";

}  // namespace forerun::ip::cosim
