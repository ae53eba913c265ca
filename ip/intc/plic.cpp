// SPDX-License-Identifier: Apache-2.0
#include "ip/intc/plic.hpp"

#include <algorithm>
#include <cstring>

namespace forerun::ip {
namespace {
constexpr std::uint64_t pending_at = 0x1000, enable_at = 0x2000, enable_stride = 0x80, context_at = 0x200000,
                        context_stride = 0x1000, size = 0x400'0000;
}

Plic::Plic(const sc_core::sc_module_name& name, const PlicParameters& parameters)
    : sc_module(name), socket("socket"), reset_line("reset", [this](bool level) { if (level) reset(); }), parameters_(parameters) {
  socket.register_b_transport(this, &Plic::b_transport);
  socket.register_transport_dbg(this, &Plic::transport_dbg);
  for (unsigned i = 0; i < parameters.sources; ++i)
    lines_.push_back(std::make_unique<LevelIn>(sc_core::sc_gen_unique_name("source"), [this](bool) { update(); }));
  reset();
}

void Plic::reset() {
  counters.clear();
  priority_.assign(parameters_.sources + 1, 0);
  serving_.assign(parameters_.sources + 1, false);
  for (auto& context : contexts_) context = {std::vector<std::uint32_t>(parameters_.sources / 32 + 1), 0};
  update();
}

unsigned Plic::best(const Context& context) const {
  unsigned found = 0;
  std::uint32_t above = context.threshold;
  for (unsigned i = 1; i <= parameters_.sources; ++i)
    if (priority_[i] > above && (context.enabled[i / 32] >> i % 32 & 1) != 0 && pending(i)) found = i, above = priority_[i];
  return found;
}

void Plic::update() {
  if (priority_.empty()) return;
  machine.set(best(contexts_[0]) != 0);
  supervisor.set(best(contexts_[1]) != 0);
}

std::uint32_t Plic::read(std::uint64_t offset, bool debug) {
  if (offset < pending_at) return offset / 4 <= parameters_.sources ? priority_[offset / 4] : 0;
  if (offset < enable_at) {
    std::uint32_t word = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
      const auto number = (offset - pending_at) * 8 + bit;
      if (number >= 1 && number <= parameters_.sources && pending(static_cast<unsigned>(number))) word |= 1u << bit;
    }
    return word;
  }
  if (offset < context_at) {
    const auto context = (offset - enable_at) / enable_stride, word = (offset - enable_at) % enable_stride / 4;
    return context < 2 && word < contexts_[0].enabled.size() ? contexts_[context].enabled[word] : 0;
  }
  const auto context = (offset - context_at) / context_stride, place = (offset - context_at) % context_stride;
  if (context >= 2) return 0;
  if (place == 0) return contexts_[context].threshold;
  if (place != 4) return 0;
  const auto number = best(contexts_[context]);
  if (!debug && number != 0) {
    serving_[number] = true;
    ++claims;
    update();
  }
  return number;
}

void Plic::write(std::uint64_t offset, std::uint32_t value) {
  if (offset < pending_at) {
    if (offset >= 4 && offset / 4 <= parameters_.sources) priority_[offset / 4] = std::min(value, parameters_.max_priority);
  } else if (offset >= enable_at && offset < context_at) {
    const auto context = (offset - enable_at) / enable_stride, word = (offset - enable_at) % enable_stride / 4;
    if (context < 2 && word < contexts_[0].enabled.size()) contexts_[context].enabled[word] = word == 0 ? value & ~1u : value;
  } else if (offset >= context_at) {
    const auto context = (offset - context_at) / context_stride, place = (offset - context_at) % context_stride;
    if (context < 2 && place == 0) contexts_[context].threshold = std::min(value, parameters_.max_priority);
    const bool enabled = context < 2 && value >= 1 && value <= parameters_.sources &&
                         (contexts_[context].enabled[value / 32] >> value % 32 & 1) != 0;
    if (place == 4 && enabled) serving_[value] = false;
  }
  update();
}

void Plic::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  const auto offset = payload.get_address();
  if (offset >= size) return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (payload.get_data_length() != 4 || offset % 4 != 0 || payload.get_byte_enable_ptr() != nullptr || payload.get_streaming_width() < 4)
    return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  std::uint32_t word = 0;
  if (payload.is_read()) {
    word = read(offset, false);
    std::memcpy(payload.get_data_ptr(), &word, 4);
  } else if (payload.is_write()) {
    std::memcpy(&word, payload.get_data_ptr(), 4);
    write(offset, word);
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned Plic::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read() || payload.get_data_length() != 4 || payload.get_address() % 4 != 0 || payload.get_address() >= size) return 0;
  const auto word = read(payload.get_address(), true);
  std::memcpy(payload.get_data_ptr(), &word, 4);
  return 4;
}

}  // namespace forerun::ip
