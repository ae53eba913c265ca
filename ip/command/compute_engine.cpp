// SPDX-License-Identifier: Apache-2.0
#include "ip/command/compute_engine.hpp"

#include <algorithm>

namespace forerun::ip {

ComputeEngine::ComputeEngine(const sc_core::sc_module_name& name, unsigned queue_depth, Frequency clock,
                             std::uint64_t local_bytes)
    : Engine(name, queue_depth), local("local"), clock_(clock), local_bytes_(local_bytes) {}

std::int64_t ComputeEngine::transfer(tlm::tlm_command direction, std::uint64_t bytes) {
  auto delay = sc_core::SC_ZERO_TIME;
  while (bytes > 0) {
    const auto piece = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, chunk_bytes));
    auto& payload = pool_.acquire(direction, 0, piece, true);
    delay = sc_core::SC_ZERO_TIME;  // pieces queue behind one another in the scratchpad
    local->b_transport(payload, delay);
    payload.release();
    bytes -= piece;
  }
  return to_picoseconds(delay);
}

void ComputeEngine::move_rows(bool write, const LocalRows& rows) {
  if (store_ == nullptr || rows.rows == 0 || rows.row_bytes == 0) return;
  const auto from = now_picoseconds();
  const bool joined = rows.stride == static_cast<std::int64_t>(rows.row_bytes);
  const auto count = rows.stride == 0 || joined ? 1 : rows.rows;
  const auto bytes = joined ? rows.row_bytes * rows.rows : rows.row_bytes;
  for (std::uint64_t i = 0; i < count; ++i)
    moved_ps_ = store_->transfer(
        write, rows.address + static_cast<std::uint64_t>(static_cast<std::int64_t>(i) * rows.stride), bytes,
        from);
}

std::int64_t ComputeEngine::moving() const {
  return store_ == nullptr || !store_->timed() ? 0 : std::max<std::int64_t>(0, moved_ps_ - now_picoseconds());
}

std::span<unsigned char> ComputeEngine::memory() {
  if (!memory_.empty()) return memory_;
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  payload.set_address(0);
  payload.set_read();
  if (local->get_direct_mem_ptr(payload, dmi)) memory_ = {dmi.get_dmi_ptr(), local_bytes_};
  return memory_;
}

}  // namespace forerun::ip
