// SPDX-License-Identifier: Apache-2.0
/// Writes command streams (firmware/abi/command.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "firmware/abi/command.h"

namespace forerun::models {

/// What a command waits for and signals: up to two of each, {semaphore, count}.
struct Sync {
  std::vector<fr_semaphore_use> wait;
  std::vector<fr_semaphore_use> signal;
};

/// Adds `registers[reg] * scale` to a field when the command is dispatched.
struct Patch {
  std::size_t offset;
  std::size_t width;
  unsigned reg;
  std::int32_t scale;
};

/// A patch of a field, for example FR_PATCH(fr_copy, bytes, 1, 128).
#define FR_PATCH(COMMAND, FIELD, REG, SCALE) \
  ::forerun::models::Patch { offsetof(COMMAND, FIELD), sizeof(COMMAND::FIELD), REG, SCALE }

/// Collects commands; loops are closed in the order in which they were opened, innermost first.
class StreamBuilder {
 public:
  /// Adds a command; its header is filled in here. Returns its byte offset.
  template <typename T>
  std::size_t add(unsigned opcode, T command, const Sync& sync = {}, const std::vector<Patch>& patches = {}) {
    static_assert(sizeof(T) % 8 == 0);
    const auto at = bytes_.size();
    command.header = header(opcode, sizeof(T), sync, patches.size());
    append(&command, sizeof command);
    append_patches(patches);
    return at;
  }
  /// A command that is only a header: END, SYNC and the NOPs of the engines.
  std::size_t add(unsigned opcode, const Sync& sync = {}) {
    const auto at = bytes_.size();
    const auto h = header(opcode, sizeof(fr_command_header), sync, 0);
    append(&h, sizeof h);
    return at;
  }
  void begin_loop(unsigned counter, std::int64_t count, const std::vector<Patch>& patches = {});
  void end_loop();
  void scalar(unsigned op, unsigned rd, unsigned ra, unsigned rb, std::int64_t imm);

  /// Adds a signal to a command already there; it must have a free slot.
  void add_signal(std::size_t at, fr_semaphore_use signal);
  /// Commands from here on belong to this entry of the tag table.
  void set_tag(std::uint32_t tag) { tag_ = tag; }
  const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  fr_command_header header(unsigned opcode, std::size_t bytes, const Sync& sync, std::size_t patches) const;
  void append(const void* data, std::size_t size);
  void append_patches(const std::vector<Patch>& patches);
  std::vector<unsigned char> bytes_;
  std::vector<std::size_t> loops_;
  std::uint32_t tag_ = 0;
};

}  // namespace forerun::models
