// SPDX-License-Identifier: Apache-2.0
/// The A extension: lr, sc and amo, all of them sequentially consistent because this hart's accesses are in
/// order.
#include <algorithm>
#include <cstring>

#include "ip/cpu/fields.hpp"
#include "ip/cpu/hart.hpp"

namespace forerun::ip::riscv {
namespace {

enum Function : std::uint32_t {
  amoadd = 0x00,
  amoswap = 0x01,
  lr = 0x02,
  sc = 0x03,
  amoxor = 0x04,
  amoor = 0x08,
  amoand = 0x0c,
  amomin = 0x10,
  amomax = 0x14,
  amominu = 0x18,
  amomaxu = 0x1c
};

template <typename Word>
Word combine(std::uint32_t function, Word memory, Word operand) {
  using Signed = std::make_signed_t<Word>;
  const bool less = static_cast<Signed>(memory) < static_cast<Signed>(operand);
  switch (function) {
    case amoadd:
      return memory + operand;
    case amoxor:
      return memory ^ operand;
    case amoor:
      return memory | operand;
    case amoand:
      return memory & operand;
    case amomin:
      return less ? memory : operand;
    case amomax:
      return less ? operand : memory;
    case amominu:
      return std::min(memory, operand);
    case amomaxu:
      return std::max(memory, operand);
    default:
      return operand;  // amoswap
  }
}

template <typename Word>
std::uint64_t extended(Word value) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::make_signed_t<Word>>(value)));
}

/// Carries out lr, sc or amo at a checked host address and returns what goes to rd.
template <typename Word>
std::uint64_t carry_out(std::uint32_t function, Mmu& mmu, std::uint64_t address, unsigned char* host,
                        Word operand) {
  if (function == sc) {
    const bool success = mmu.reserved(address, host);
    mmu.end_reservation();
    if (success) std::memcpy(host, &operand, sizeof operand);
    return success ? 0 : 1;
  }
  Word memory;
  std::memcpy(&memory, host, sizeof memory);
  if (function == lr) {
    mmu.reserve(address, host);
  } else {
    const auto result = combine(function, memory, operand);
    std::memcpy(host, &result, sizeof result);
    mmu.wrote(host, sizeof result);
  }
  return extended(memory);
}

}  // namespace

bool Hart::execute_atomic(std::uint32_t word) {
  const auto function = word >> 27;
  const unsigned bytes = funct3_of(word) == 3 ? 8 : 4;
  const auto address = state.x[rs1_of(word)], operand = state.x[rs2_of(word)];
  auto* const host = mmu.atomic(address, bytes, function == lr ? Access::read : Access::write);
  if (host == nullptr) return fail(mmu.fault().cause, mmu.fault().value);
  const auto result = bytes == 8 ? carry_out<std::uint64_t>(function, mmu, address, host, operand)
                                 : carry_out<std::uint32_t>(function, mmu, address, host,
                                                            static_cast<std::uint32_t>(operand));
  if (rd_of(word) != 0) state.x[rd_of(word)] = result;
  return true;
}

}  // namespace forerun::ip::riscv
