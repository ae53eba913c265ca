// SPDX-License-Identifier: Apache-2.0
/// An instruction that another implementation of the hart has carried out, as the RISC-V Formal Interface
/// (RVFI) tells it.
///
/// Source: the RISC-V Formal Verification Framework, docs/rvfi.md; RISC-V, volumes I and II.
#pragma once

#include <cstdint>
#include <optional>

namespace forerun::ip::riscv {

struct Retired {
  std::uint32_t insn = 0;  ///< as it lies in memory: a compressed one has 16 bits
  bool trap = false;       ///< it raised an exception
  bool intr = false;       ///< it is the first of a trap handler
  unsigned rd = 0;         ///< 0: it writes no register
  std::uint64_t rd_value = 0, pc = 0;
  std::optional<std::uint64_t> next_pc{}, order{};
  std::uint64_t address = 0;            ///< that the lowest bit of the masks stands for
  unsigned char reads = 0, writes = 0;  ///< a bit for each byte
  std::uint64_t read_data = 0, write_data = 0;
};

/// What a hart has beside RV64I; machine mode is always there.
struct Extensions {
  bool m = true, a = true, f = true, d = true, c = true;
  bool supervisor = true, user = true;
  bool operator==(const Extensions&) const = default;
};

}  // namespace forerun::ip::riscv
