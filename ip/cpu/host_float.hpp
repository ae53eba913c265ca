// SPDX-License-Identifier: Apache-2.0
/// The host's floating-point unit stands in for ours where both agree to the bit: binary32 and binary64 with
/// rounding to nearest even. Its sticky flags are collected only when somebody looks.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

#include "ip/cpu/state.hpp"

namespace forerun::ip::riscv {

#if defined(__SSE2__)
inline void clear_host_flags() {
  const auto raised = _mm_getcsr();
  if ((raised & _MM_EXCEPT_MASK) != 0) _mm_setcsr(raised & ~_MM_EXCEPT_MASK);
}

/// fflags that host operations have raised since the last clear; clears them.
inline std::uint32_t take_host_flags() {
  const auto raised = _mm_getcsr();
  std::uint32_t flags = 0;
  if ((raised & _MM_EXCEPT_MASK) == 0) return flags;
  if ((raised & _MM_EXCEPT_INEXACT) != 0) flags |= flag::inexact;
  if ((raised & _MM_EXCEPT_UNDERFLOW) != 0) flags |= flag::underflow;
  if ((raised & _MM_EXCEPT_OVERFLOW) != 0) flags |= flag::overflow;
  if ((raised & _MM_EXCEPT_DIV_ZERO) != 0) flags |= flag::divide_by_zero;
  if ((raised & _MM_EXCEPT_INVALID) != 0) flags |= flag::invalid;
  clear_host_flags();
  return flags;
}
#else
inline void clear_host_flags() { std::feclearexcept(FE_ALL_EXCEPT); }

inline std::uint32_t take_host_flags() {
  const int raised = std::fetestexcept(FE_ALL_EXCEPT);
  std::uint32_t flags = 0;
  if ((raised & FE_INEXACT) != 0) flags |= flag::inexact;
  if ((raised & FE_UNDERFLOW) != 0) flags |= flag::underflow;
  if ((raised & FE_OVERFLOW) != 0) flags |= flag::overflow;
  if ((raised & FE_DIVBYZERO) != 0) flags |= flag::divide_by_zero;
  if ((raised & FE_INVALID) != 0) flags |= flag::invalid;
  clear_host_flags();
  return flags;
}
#endif

/// Keeps what other code does to the host's flags, while it runs in the middle of ours, out of fflags.
class HostFloatPause {
 public:
  explicit HostFloatPause(State& state) { state.fflags |= take_host_flags(); }
  ~HostFloatPause() { clear_host_flags(); }
  HostFloatPause(const HostFloatPause&) = delete;
  HostFloatPause& operator=(const HostFloatPause&) = delete;
};

}  // namespace forerun::ip::riscv
