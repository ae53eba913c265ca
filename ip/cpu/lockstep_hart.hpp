// SPDX-License-Identifier: Apache-2.0
/// The hart beside another implementation of it, an instruction for each one that retires there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "ip/cpu/hart.hpp"
#include "ip/cpu/retired.hpp"
#include "ip/cpu/seen_memory.hpp"

namespace forerun::ip::riscv {

/// Carries out what the other one has retired and says where it differs: in the address of an instruction, in
/// the instruction (from what passed the bus), in the register it writes and its value, in loads and stores,
/// in where it goes on, in whether it traps.
///
/// Taken from the other one, as no model can know it: what loads get, as far as it passed its bus (`memory`);
/// when an interrupt is taken, of those that are pending and enabled; counters, time, mip, and whatever the
/// specification leaves to implementations: fields of CSRs, which optional CSRs there are, whether misaligned
/// loads and stores trap, whether mtval is 0, and atomics as a whole. Registers begin at 0. Floating-point
/// registers are not compared, what is made of them is. Address translation is not followed: a hart that
/// switches it on is told as a difference.
class LockstepHart : private HartBus {
 public:
  LockstepHart(const CpuParameters& parameters, const Extensions& extensions);

  /// All transactions of the other one's bus go here, no later than the other one sees their answers.
  SeenMemory memory;
  /// An interrupt line of the other one, by its bit in mip.
  void set_line(unsigned bit, bool level);
  /// What differs, or nothing. After a difference the two are no longer the same, and nothing more should
  /// come.
  std::optional<std::string> retire(const Retired& instruction);
  void reset();

  std::uint64_t retired() const { return retired_; }  ///< compared
  const State& state() const { return hart_.state; }

 private:
  using What = std::optional<std::string>;
  bool read(std::uint64_t address, void* data, unsigned bytes) override;
  bool write(std::uint64_t address, const void* data, unsigned bytes) override;
  bool fetch(std::uint64_t address, void* data, unsigned bytes) override;
  Page page(std::uint64_t) override { return {}; }
  bool debug_read(std::uint64_t, void*, unsigned) override { return false; }
  bool debug_write(std::uint64_t, const void*, unsigned) override { return false; }
  std::optional<std::uint64_t> time() override { return 0; }

  void begin_handler();
  What check_fetch(bool& failed);
  void carry_out(bool fetch_failed);
  bool refused(std::uint32_t word);
  void follow(std::uint32_t word);
  What check_result(std::uint32_t word, bool model_traps);
  What check_memory() const;
  What check_csr(std::uint32_t word);
  std::uint64_t compared_bits(unsigned csr) const;
  What check_interrupts();
  bool lacks(std::uint32_t word) const;
  void fix_modes();

  Extensions extensions_;
  Hart hart_;
  const Retired* now_ = nullptr;
  What problem_;                        // of an access under way
  unsigned char read_ = 0, wrote_ = 0;  // masks, of the instruction under way, as now_->reads
  bool followed_ = false, was_trap_ = false;
  std::unordered_map<std::uint64_t, std::uint32_t> decoded_;  // by address
  std::uint64_t retired_ = 0, next_order_ = 0, due_ = 0;
  std::uint64_t lines_ = 0;                    // as in mip
  std::array<std::uint64_t, 64> low_since_{};  // retired() when a line went low
  std::uint64_t other_causes_ = 0;             // of the last interrupt, by their bits in mip
};

}  // namespace forerun::ip::riscv
