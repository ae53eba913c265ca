// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/code_cache.hpp"

#include <algorithm>
#include <cstring>

#include "ip/cpu/decode.hpp"

namespace forerun::ip::riscv {
namespace {
constexpr std::uint64_t page_mask = 4095;
}

void CodeCache::flush_translations() {
  for (auto& mode : fetch_tlb_) mode.fill({});
  guarded_key_ = no_key;
  ++epoch_;
}

CodePage* CodeCache::find(std::uint64_t address) {
  const auto key = key_of(address);
  if (key == guarded_key_) return &guarded_;
  std::uint64_t physical = 0;
  if (!mmu_.translate(address, Access::execute, state_.privilege, physical)) return nullptr;
  physical &= ~page_mask;
  if (!mmu_.pmp.uniform(physical)) {
    clear_slots(guarded_);
    guarded_.in_memory = false;
    guarded_key_ = key;
    return &guarded_;
  }
  if (!mmu_.may_fetch(address, physical)) return nullptr;
  auto& page = pages_[physical];
  if (!page) page = std::make_unique<CodePage>();
  if (page->generation != generation_) refresh(*page, physical);
  fetch_tlb_[static_cast<unsigned>(state_.privilege)][index(address)] = {address & ~page_mask, page.get()};
  return page.get();
}

void CodeCache::clear_slots(CodePage& page) const {
  // Operands stay: an operation of this page may be under way, waiting for the bus.
  for (unsigned i = 0; i < CodePage::slots; ++i) page.operations[i].code = code_(Handler::DECODE, 4);
  for (unsigned i = 0; i < 2; ++i) page.operations[CodePage::slots + i].code = code_(Handler::PAGE_END, 4);
  page.crossing_code = nullptr;
}

void CodeCache::refresh(CodePage& page, std::uint64_t physical) {
  const auto memory = mmu_.page(physical);
  const bool same =
      page.in_memory && memory.readable && std::memcmp(page.bytes, memory.host, sizeof page.bytes) == 0;
  if (!same) {
    clear_slots(page);
    page.in_memory = memory.readable;
    if (memory.readable) std::memcpy(page.bytes, memory.host, sizeof page.bytes);
  }
  page.generation = generation_;
}

bool CodeCache::fetch_parcel(CodePage& page, std::uint64_t address, std::uint16_t& parcel) {
  auto* const here = page.bytes + (address & page_mask);
  if (!page.in_memory) {
    std::uint32_t fetched = 0;
    if (!mmu_.fetch(address, 2, fetched)) return false;
    std::memcpy(here, &fetched, 2);
  }
  std::memcpy(&parcel, here, 2);
  return true;
}

bool CodeCache::has_breakpoint_at_offset(std::uint64_t address) const {
  return std::any_of(breakpoints_.begin(), breakpoints_.end(),
                     [&](std::uint64_t at) { return ((at ^ address) & page_mask) == 0; });
}

bool CodeCache::decode_slot(CodePage& page, Operation& slot, std::uint64_t address) {
  if (!breakpoints_.empty() && has_breakpoint_at_offset(address)) {
    slot.code = code_(Handler::BREAK, 4);
    return true;
  }
  return decode_instruction(page, slot, address);
}

bool CodeCache::decode_instruction(CodePage& page, Operation& slot, std::uint64_t address) {
  std::uint16_t low = 0, high = 0;
  if (!fetch_parcel(page, address, low)) return false;
  const auto offset = static_cast<unsigned>(address & page_mask);
  if (is_compressed(low)) {
    slot = decode(expand_compressed(low), 2, offset, false, code_);
    return true;
  }
  if (offset == page_mask - 1) {
    slot.code = code_(Handler::CROSS, 4);
    return true;
  }
  if (!fetch_parcel(page, address + 2, high)) return false;
  slot = decode(low | static_cast<std::uint32_t>(high) << 16, 4, offset, false, code_);
  return true;
}

const void* CodeCache::decode_crossing(CodePage& page, Operation& slot, std::uint64_t address) {
  const auto key = key_of(address);
  if (page.crossing_code != nullptr && page.crossing_epoch == epoch_ && page.crossing_key == key)
    return page.crossing_code;
  std::uint16_t low = 0, high = 0;
  std::memcpy(&low, page.bytes + (page_mask - 1), 2);
  CodePage* const next = &page == &guarded_ ? nullptr : enter(address + 2);
  if (next != nullptr && next != &guarded_) {
    if (!fetch_parcel(*next, address + 2, high)) return nullptr;
  } else {
    std::uint32_t fetched = 0;
    if (!mmu_.fetch(address + 2, 2, fetched)) return nullptr;
    high = static_cast<std::uint16_t>(fetched);
  }
  page.crossing_word = low | static_cast<std::uint32_t>(high) << 16;
  slot = decode(page.crossing_word, 4, page_mask - 1, true, code_);
  page.crossing_code = slot.code;
  page.crossing_epoch = epoch_;
  page.crossing_key = key;
  slot.code = code_(Handler::CROSS, 4);
  return page.crossing_code;
}

std::uint32_t CodeCache::word(const CodePage& page, const Operation& slot) const {
  const auto number = &slot - page.operations;
  std::uint16_t low = 0, high = 0;
  std::memcpy(&low, page.bytes + number * 2, 2);
  if (is_compressed(low)) return low;
  if (number == CodePage::slots - 1) return page.crossing_word;
  std::memcpy(&high, page.bytes + number * 2 + 2, 2);
  return low | static_cast<std::uint32_t>(high) << 16;
}

void CodeCache::set_breakpoint(std::uint64_t address, bool present) {
  if (present)
    breakpoints_.insert(address);
  else
    breakpoints_.erase(address);
  for (auto& [physical, page] : pages_) clear_slots(*page);
  clear_slots(guarded_);
}

bool CodeCache::lift_breakpoint(CodePage& page, Operation& slot, std::uint64_t address) {
  if (!decode_instruction(page, slot, address)) return false;
  lifted_ = &slot;
  return true;
}

void CodeCache::restore_breakpoint() {
  if (lifted_ != nullptr) lifted_->code = code_(Handler::DECODE, 4);
  lifted_ = nullptr;
}

}  // namespace forerun::ip::riscv
