// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Checks that `rows` rows of `row_bytes` bytes, `stride` apart, lie within a local memory.
inline std::optional<LocalFault> check_rows(std::uint64_t address, std::uint64_t rows, std::uint64_t row_bytes,
                                            std::int64_t stride, std::uint64_t memory_bytes) {
  if (rows == 0 || row_bytes == 0) return std::nullopt;
  const auto first = static_cast<std::int64_t>(address);
  const auto last = first + static_cast<std::int64_t>(rows - 1) * stride;
  const auto low = std::min(first, last), high = std::max(first, last) + static_cast<std::int64_t>(row_bytes);
  if (low >= 0 && high <= static_cast<std::int64_t>(memory_bytes)) return std::nullopt;
  return LocalFault{FR_ERROR_LOCAL_RANGE, static_cast<std::uint64_t>(low < 0 ? low : high - 1)};
}

}  // namespace forerun::ip
