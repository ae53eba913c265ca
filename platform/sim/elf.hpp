// SPDX-License-Identifier: Apache-2.0
/// Reads statically linked 64-bit RISC-V ELF programs and places them in a simulated memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::sim {

/// The file is not a program that the chip can run; what() begins with the file's name.
class ElfError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One loadable part, at its physical (load) address. Bytes beyond the data, up to `memory_bytes`, are zero.
struct ElfSegment {
  std::uint64_t address = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<std::byte> data;
};

class ElfProgram {
 public:
  /// Writes bytes at a physical address; false when no memory is there.
  using Write = std::function<bool(std::uint64_t address, std::span<const std::byte> bytes)>;

  /// `image` is the whole file, `name` is used in messages only. Throws ElfError.
  static ElfProgram parse(std::span<const std::byte> image, std::string name);
  /// Throws ElfError, also when the file cannot be read.
  static ElfProgram read(const std::string& path);

  /// Writes all segments, zero-filled parts included. Throws ElfError naming the segment that `write`
  /// refused.
  void load(const Write& write) const;

  std::uint64_t entry() const { return entry_; }
  const std::vector<ElfSegment>& segments() const { return segments_; }
  /// The value of a named symbol; nothing when it is undefined or the file is stripped.
  std::optional<std::uint64_t> symbol(std::string_view name) const;
  /// Where an address lies, "trap_entry+0x8", by the nearest function or label before it; empty outside of
  /// the segments and when the file is stripped.
  std::string place(std::uint64_t address) const;

 private:
  std::string name_;
  std::uint64_t entry_ = 0;
  std::vector<ElfSegment> segments_;
  std::map<std::string, std::uint64_t, std::less<>> symbols_;
  std::map<std::uint64_t, std::string> labels_;
};

}  // namespace forerun::sim
