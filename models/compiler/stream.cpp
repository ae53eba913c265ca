// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/stream.hpp"

#include <stdexcept>

namespace forerun::models {

fr_command_header StreamBuilder::header(unsigned opcode, std::size_t bytes, const Sync& sync,
                                        std::size_t patches) const {
  fr_command_header h{};
  if (sync.wait.size() > 2 || sync.signal.size() > 2)
    throw std::logic_error("a command waits for and signals at most two semaphores");
  h.opcode = static_cast<std::uint8_t>(opcode);
  h.words = static_cast<std::uint8_t>(bytes / 8 + patches);
  h.patches = static_cast<std::uint8_t>(patches);
  h.tag = tag_;
  for (std::size_t i = 0; i < 2; ++i) {
    h.wait[i] = i < sync.wait.size() ? sync.wait[i] : fr_semaphore_use{FR_NO_SEMAPHORE, 0};
    h.signal[i] = i < sync.signal.size() ? sync.signal[i] : fr_semaphore_use{FR_NO_SEMAPHORE, 0};
  }
  return h;
}

void StreamBuilder::append(const void* data, std::size_t size) {
  const auto* from = static_cast<const unsigned char*>(data);
  bytes_.insert(bytes_.end(), from, from + size);
}

void StreamBuilder::append_patches(const std::vector<Patch>& patches) {
  for (const auto& patch : patches) {
    const fr_patch p{static_cast<std::uint8_t>(patch.offset), static_cast<std::uint8_t>(patch.width),
                     static_cast<std::uint8_t>(patch.reg), 0, patch.scale};
    append(&p, sizeof p);
  }
}

void StreamBuilder::begin_loop(unsigned counter, std::int64_t count, const std::vector<Patch>& patches) {
  fr_loop loop{};
  loop.count = count;
  loop.counter = counter;
  loops_.push_back(add(FR_OP_LOOP, loop, {}, patches));
}

void StreamBuilder::end_loop() {
  add(FR_OP_ENDLOOP);
  const auto at = loops_.back();
  loops_.pop_back();
  const auto words = bytes_[at + offsetof(fr_command_header, words)];
  const auto body = static_cast<std::uint32_t>(bytes_.size() - at - words * 8u);
  std::memcpy(bytes_.data() + at + offsetof(fr_loop, body), &body, sizeof body);
}

void StreamBuilder::scalar(unsigned op, unsigned rd, unsigned ra, unsigned rb, std::int64_t imm) {
  fr_scalar command{};
  command.op = static_cast<std::uint8_t>(op);
  command.rd = static_cast<std::uint8_t>(rd);
  command.ra = static_cast<std::uint8_t>(ra);
  command.rb = static_cast<std::uint8_t>(rb);
  command.imm = imm;
  add(FR_OP_SCALAR, command);
}

void StreamBuilder::add_signal(std::size_t at, fr_semaphore_use signal) {
  auto* const slots = bytes_.data() + at + offsetof(fr_command_header, signal);
  for (std::size_t i = 0; i < 2; ++i) {
    if (slots[2 * i] != FR_NO_SEMAPHORE) continue;
    std::memcpy(slots + 2 * i, &signal, sizeof signal);
    return;
  }
  throw std::logic_error("both signals of this command are taken");
}

}  // namespace forerun::models
