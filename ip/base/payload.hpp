// SPDX-License-Identifier: Apache-2.0
/// Pooled generic payloads with a data buffer of their own, and the mark for transactions whose data do not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <tlm>
#include <vector>

namespace forerun::ip {

/// Ignorable extension: only the timing of this transaction matters. A memory may leave the data alone; one that
/// copies them does no harm. The data pointer is valid all the same, as the base protocol demands.
struct TimingOnly : tlm::tlm_extension<TimingOnly> {
  bool active = false;
  tlm::tlm_extension_base* clone() const override { return new TimingOnly(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    active = static_cast<const TimingOnly&>(other).active;
  }
};

/// True if the initiator said that the data of this transaction do not matter.
inline bool is_timing_only(const tlm::tlm_generic_payload& payload) {
  const auto* mark = payload.get_extension<TimingOnly>();
  return mark != nullptr && mark->active;
}

/// Ignorable extension: a transaction that needs no answer from afar. A network answers it itself at the moment at which it
/// arrives, without a response packet, as for messages and posted writes.
struct Posted : tlm::tlm_extension<Posted> {
  bool active = false;
  tlm::tlm_extension_base* clone() const override { return new Posted(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { active = static_cast<const Posted&>(other).active; }
};

inline bool is_posted(const tlm::tlm_generic_payload& payload) {
  const auto* mark = payload.get_extension<Posted>();
  return mark != nullptr && mark->active;
}

/// Calls `move(offset, bytes)` for each run of bytes that a transaction's byte enables select, offsets counted from its
/// address: once for all of it without byte enables.
template <typename Move>
void for_enabled_bytes(const tlm::tlm_generic_payload& payload, Move move) {
  const auto length = payload.get_data_length();
  const auto* enables = payload.get_byte_enable_ptr();
  const auto pattern = payload.get_byte_enable_length();
  if (enables == nullptr || pattern == 0) return move(0u, length);
  const auto enabled = [&](unsigned i) { return enables[i % pattern] == TLM_BYTE_ENABLED; };
  for (unsigned first = 0; first < length;) {
    unsigned end = first;
    while (end < length && enabled(end)) ++end;
    if (end > first) move(first, end - first);
    first = end + 1;
  }
}

/// Reads from or writes to the bytes at `here`, which stand for the transaction's address, as its byte enables say. Sets no
/// response.
void copy_data(tlm::tlm_generic_payload& payload, unsigned char* here);

/// Hands out payloads and takes them back when their last user releases them; allocates only while it grows.
/// Each payload owns a buffer of `capacity` bytes, a TimingOnly and a Posted extension.
class PayloadPool : public tlm::tlm_mm_interface {
 public:
  explicit PayloadPool(std::uint32_t capacity) : capacity_(capacity) {}
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;

  std::uint32_t capacity() const { return capacity_; }

  /// A payload with one reference taken, ready to send: command, address, length (at most `capacity` bytes), its own
  /// buffer as data, no byte enables, streaming width = length, response incomplete.
  tlm::tlm_generic_payload& acquire(tlm::tlm_command command, std::uint64_t address, std::uint32_t length,
                                    bool timing_only = false);

  void free(tlm::tlm_generic_payload* payload) override { free_.push_back(static_cast<Slot*>(payload)); }

 private:
  struct Slot : tlm::tlm_generic_payload {
    explicit Slot(PayloadPool& pool, std::uint32_t capacity);
    ~Slot() override;
    std::unique_ptr<unsigned char[]> data;
    TimingOnly timing_only;
    Posted posted;
  };
  std::uint32_t capacity_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;
};

}  // namespace forerun::ip
