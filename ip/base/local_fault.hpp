// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace forerun::ip {

/// Why a command cannot be carried out: an FR_ERROR_* and the failing local address or bad value.
struct LocalFault {
  std::uint32_t error = 0;
  std::uint64_t value = 0;
};

}  // namespace forerun::ip
