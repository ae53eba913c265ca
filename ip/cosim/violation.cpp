// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/violation.hpp"

#include <fmt/format.h>

namespace forerun::ip::cosim {

namespace {
constexpr RuleText texts[] = {
    {"valid_in_reset", "VALID is low while reset is active", "A3.1.2"},
    {"valid_after_reset", "VALID is low at the first edge after reset", "A3.1.2"},
    {"valid_dropped", "VALID stays high until READY", "A3.2.1"},
    {"payload_changed", "the payload is stable while VALID waits for READY", "A3.2.1"},
    {"burst_reserved", "AxBURST 0b11 is reserved", "A3.4.1"},
    {"size_exceeds_bus", "a beat is no wider than the data bus", "A3.4.1"},
    {"crosses_4k", "a burst does not cross 4 KiB", "A3.4.1"},
    {"wrap_length", "a WRAP burst has 2, 4, 8 or 16 beats", "A3.4.1"},
    {"wrap_unaligned", "a WRAP burst starts at a multiple of its beat size", "A3.4.1"},
    {"fixed_length", "a FIXED burst has at most 16 beats", "A3.4.1"},
    {"cache_reserved", "AxCACHE allocates only if it is modifiable", "A4.4"},
    {"exclusive_length", "an exclusive burst has at most 16 beats", "A7.2.4"},
    {"exclusive_size", "an exclusive burst moves 1, 2, 4, ... 128 bytes", "A7.2.4"},
    {"exclusive_unaligned", "an exclusive burst starts at a multiple of its bytes", "A7.2.4"},
    {"address_range", "an address fits in the address bus", "A2.2"},
    {"wlast_early", "WLAST is low before beat AWLEN + 1", "A3.4.1"},
    {"wlast_missing", "WLAST is high at beat AWLEN + 1", "A3.4.1"},
    {"strobe_outside", "WSTRB is low outside the bytes of the beat", "A3.4.3"},
    {"b_without_request", "BVALID only for an ID with a write under way", "A3.3.1"},
    {"b_before_data", "BVALID only after the last write data", "A3.3.1"},
    {"b_exokay", "EXOKAY only for an exclusive write", "A3.4.4"},
    {"r_without_request", "RVALID only for an ID with a read under way", "A3.3.1"},
    {"rlast_early", "RLAST is low before beat ARLEN + 1", "A3.4.1"},
    {"rlast_missing", "RLAST is high at beat ARLEN + 1", "A3.4.1"},
    {"r_exokay", "EXOKAY only for an exclusive read", "A3.4.4"},
    {"lite_exokay", "AXI4-Lite has no EXOKAY", "B1.1.1"},
    {"stream_strobe_without_keep", "TSTRB is low where TKEEP is low", "2.4.3"},
};
static_assert(std::size(texts) == static_cast<std::size_t>(AxiRule::count));
}  // namespace

const RuleText& text(AxiRule rule) { return texts[static_cast<std::size_t>(rule)]; }

std::string Violation::message() const {
  const auto& about = text(rule);
  return fmt::format("cycle {}: {}: broken rule: {} ({}, {})", cycle, detail, about.sentence, about.name,
                     about.section);
}

void ViolationLog::add(AxiRule rule, std::uint64_t cycle, std::string detail) {
  ++total_;
  ++counts_[static_cast<std::size_t>(rule)];
  if (kept_.size() >= most_kept && !on_violation) return;
  Violation violation{rule, cycle, std::move(detail)};
  if (on_violation) on_violation(violation);
  if (kept_.size() < most_kept) kept_.push_back(std::move(violation));
}

}  // namespace forerun::ip::cosim
