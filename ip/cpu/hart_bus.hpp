// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace forerun::ip::riscv {

/// What a hart needs from the outside, by physical addresses.
class HartBus {
 public:
  /// Host memory of a page.
  struct Page {
    unsigned char* host = nullptr;  ///< none: use read and write
    bool readable = false, writable = false;
  };

  /// One access of 1, 2, 4 or 8 aligned bytes; false if it got an error response. May change the hart's lines
  /// and its time.
  virtual bool read(std::uint64_t address, void* data, unsigned bytes) = 0;
  virtual bool write(std::uint64_t address, const void* data, unsigned bytes) = 0;
  /// A read of an instruction, or of a part of one.
  virtual bool fetch(std::uint64_t address, void* data, unsigned bytes) { return read(address, data, bytes); }
  /// The page of 4 KiB at an address, if it may be used directly.
  virtual Page page(std::uint64_t address) = 0;
  /// Without time and side effects; false where nothing answers.
  virtual bool debug_read(std::uint64_t address, void* data, unsigned bytes) = 0;
  virtual bool debug_write(std::uint64_t address, const void* data, unsigned bytes) = 0;
  /// The time CSR now; nothing if there is none.
  virtual std::optional<std::uint64_t> time() = 0;

 protected:
  ~HartBus() = default;
};

}  // namespace forerun::ip::riscv
