// SPDX-License-Identifier: Apache-2.0
/// The rules of AXI4, AXI4-Lite and AXI4-Stream that the checkers know, and where one was broken.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::ip::cosim {

enum class AxiRule : std::uint8_t {
  valid_in_reset,
  valid_after_reset,
  valid_dropped,
  payload_changed,
  burst_reserved,
  size_exceeds_bus,
  crosses_4k,
  wrap_length,
  wrap_unaligned,
  fixed_length,
  cache_reserved,
  exclusive_length,
  exclusive_size,
  exclusive_unaligned,
  address_range,
  wlast_early,
  wlast_missing,
  strobe_outside,
  b_without_request,
  b_before_data,
  b_exokay,
  r_without_request,
  rlast_early,
  rlast_missing,
  r_exokay,
  lite_exokay,
  stream_strobe_without_keep,
  count
};

/// One rule: a short name for scripts, what it says, and the section of the specification (ARM IHI 0022, IHI
/// 0051).
struct RuleText {
  std::string_view name, sentence, section;
};
const RuleText& text(AxiRule rule);

/// Where a rule was broken.
struct Violation {
  AxiRule rule;
  std::uint64_t cycle;
  std::string detail;  ///< channel, ID, address, beat: what is needed to find it in a wave
  /// "cycle 12: AW: burst crosses 4 KiB (A3.4.1): ...".
  std::string message() const;
};

/// Collects violations: keeps the first `most_kept` and counts all.
class ViolationLog {
 public:
  static constexpr std::size_t most_kept = 100;
  void add(AxiRule rule, std::uint64_t cycle, std::string detail);
  const std::vector<Violation>& kept() const { return kept_; }
  std::uint64_t total() const { return total_; }
  std::uint64_t count(AxiRule rule) const { return counts_[static_cast<std::size_t>(rule)]; }
  std::function<void(const Violation&)> on_violation;  ///< called for each one, if set

 private:
  std::vector<Violation> kept_;
  std::uint64_t total_ = 0;
  std::uint64_t counts_[static_cast<std::size_t>(AxiRule::count)] = {};
};

}  // namespace forerun::ip::cosim
