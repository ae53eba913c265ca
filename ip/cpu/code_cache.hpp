// SPDX-License-Identifier: Apache-2.0
/// Decoded pages of code.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>

#include "ip/cpu/mmu.hpp"
#include "ip/cpu/operation.hpp"

namespace forerun::ip::riscv {

/// A physical page of 4 KiB: one slot for each two bytes, decoded when it is first executed.
struct CodePage {
  static constexpr unsigned slots = 2048;
  Operation operations[slots + 2];  ///< the last two lead to the next page
  unsigned char bytes[4096];        ///< what the slots were decoded from
  std::uint64_t generation = 0;     ///< of the last comparison with memory
  bool in_memory = false;  ///< bytes hold the whole page; otherwise each slot is fetched when decoded
  // The instruction whose second half lies in the next page, good while translations stay as they are.
  const void* crossing_code = nullptr;
  std::uint32_t crossing_word = 0;
  std::uint64_t crossing_epoch = 0, crossing_key = 0;
};

/// Finds, fills and forgets code pages. fence.i raises a generation; a page of another generation is compared
/// with memory when it is next entered, so that stores need no check.
class CodeCache {
 public:
  CodeCache(State& state, Mmu& mmu, const HandlerCode& code) : state_(state), mmu_(mmu), code_(code) {}

  /// The page that holds a virtual address in the present mode; null: see Mmu::fault().
  CodePage* enter(std::uint64_t address) {
    const auto& entry = fetch_tlb_[static_cast<unsigned>(state_.privilege)][index(address)];
    return entry.tag == (address & ~std::uint64_t{4095}) ? entry.page : find(address);
  }
  /// Decodes a slot; false: fetching it failed, see Mmu::fault().
  bool decode_slot(CodePage& page, Operation& slot, std::uint64_t address);
  /// The code for the instruction in the last slot that goes on in the next page; null: see Mmu::fault().
  const void* decode_crossing(CodePage& page, Operation& slot, std::uint64_t address);
  /// The instruction word at a decoded slot, 16 bits of it if it is compressed.
  std::uint32_t word(const CodePage& page, const Operation& slot) const;

  void flush_translations();
  void fence() {
    ++generation_;
    flush_translations();
  }

  const std::set<std::uint64_t>& breakpoints() const { return breakpoints_; }
  void set_breakpoint(std::uint64_t address, bool present);
  /// Puts the real instruction into a slot that holds a breakpoint, until restore_breakpoint().
  bool lift_breakpoint(CodePage& page, Operation& slot, std::uint64_t address);
  void restore_breakpoint();

 private:
  static constexpr unsigned tlb_size = 64;
  struct Entry {
    std::uint64_t tag = 1;
    CodePage* page = nullptr;
  };
  static constexpr unsigned index(std::uint64_t address) {
    return static_cast<unsigned>(address >> 12) % tlb_size;
  }
  /// A virtual page in the present mode.
  std::uint64_t key_of(std::uint64_t address) const {
    return (address & ~std::uint64_t{4095}) | static_cast<std::uint64_t>(state_.privilege);
  }
  CodePage* find(std::uint64_t address);
  void clear_slots(CodePage& page) const;
  void refresh(CodePage& page, std::uint64_t physical);
  bool fetch_parcel(CodePage& page, std::uint64_t address, std::uint16_t& parcel);
  bool has_breakpoint_at_offset(std::uint64_t address) const;
  bool decode_instruction(CodePage& page, Operation& slot, std::uint64_t address);

  State& state_;
  Mmu& mmu_;
  const HandlerCode& code_;
  std::unordered_map<std::uint64_t, std::unique_ptr<CodePage>> pages_;  // by physical address
  // A page of which PMP allows only a part: its slots are checked when they are decoded, for one page in one
  // mode.
  CodePage guarded_;
  static constexpr std::uint64_t no_key = 4095;
  std::uint64_t guarded_key_ = no_key;
  std::uint64_t epoch_ = 1;  // of translations
  std::array<std::array<Entry, tlb_size>, 4> fetch_tlb_{};
  std::uint64_t generation_ = 1;
  std::set<std::uint64_t> breakpoints_;
  Operation* lifted_ = nullptr;
};

}  // namespace forerun::ip::riscv
