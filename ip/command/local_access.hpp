// SPDX-License-Identifier: Apache-2.0
/// How the compute engines reach the scratchpad: time by transactions, bytes by DMI.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

/// Largest piece of operand traffic that is booked at once, so that engines share the banks fairly.
inline constexpr std::uint32_t local_chunk_bytes = 65536;

/// Books the time of moving `bytes` and returns when it is over, in picoseconds from now.
template <typename Socket>
std::int64_t local_transfer(Socket& socket, PayloadPool& pool, tlm::tlm_command direction, std::uint64_t bytes) {
  auto delay = sc_core::SC_ZERO_TIME;
  while (bytes > 0) {
    const auto piece = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, local_chunk_bytes));
    auto& payload = pool.acquire(direction, 0, std::min(piece, pool.capacity()), true);
    delay = sc_core::SC_ZERO_TIME;  // pieces queue behind one another in the scratchpad
    socket->b_transport(payload, delay);
    payload.release();
    bytes -= piece;
  }
  return to_picoseconds(delay);
}

/// The whole scratchpad as host memory.
template <typename Socket>
std::span<unsigned char> local_memory(Socket& socket, std::uint64_t bytes) {
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  payload.set_address(0);
  payload.set_read();
  if (!socket->get_direct_mem_ptr(payload, dmi)) return {};
  return {dmi.get_dmi_ptr(), bytes};
}

}  // namespace forerun::ip
