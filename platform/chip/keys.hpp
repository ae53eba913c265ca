// SPDX-License-Identifier: Apache-2.0
/// The one table of everything that a chip file may say. Reading, checking, writing, the JSON Schema and the
/// key table of docs/chip.md all follow from it: a new number of the chip is a member in chip.hpp and a line
/// in keys.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::chip {

/// Finds a member in a chip.
template <typename T>
using Member = T& (*)(Chip&);

using AnyMember =
    std::variant<Member<unsigned>, Member<bool>, Member<std::string>, Member<Bytes>, Member<Frequency>,
                 Member<Time>, Member<Energy>, Member<Power>, Member<Timing>, Member<Data>, Member<HbmModel>,
                 Member<Scheduler>, Member<Queues>, Member<PagePolicy>, Member<Refresh>, Member<KeepOpen>,
                 Member<RowOrder>, Member<RefreshOrder>, Member<Ecc>, Member<TensorModel>,
                 Member<VectorModel>, Member<DmaModel>, Member<CpuModel>, Member<CommandModel>,
                 Member<ScratchpadModel>, Member<Path>, Member<std::vector<Path>>, Member<NocModel>,
                 Member<NocTopology>, Member<NocRouting>, Member<NocSwitching>, Member<LinkTopology>,
                 Member<Bandwidth>, Member<std::vector<Format>>, Member<std::vector<AddressPiece>>,
                 Member<std::vector<AddressHash>>, Member<std::vector<MulticastWindow>>,
                 Member<std::vector<ReductionWindow>>, Member<std::vector<std::string>>>;

/// How a time is turned into cycles of hbm.clock, where a key takes either: a minimum goes up, a maximum
/// down.
enum class Cycles : unsigned char { plain, round_up, round_down };

/// Which values a number may have: in bytes, bytes a second, hertz, picoseconds, picojoules, microwatts or as
/// it is written.
/// Unused for other types.
struct Rule {
  std::uint64_t low = 0, high = 0;
  std::uint64_t multiple = 1;
  bool power_of_two = false;
  Cycles cycles = Cycles::plain;
};

struct Key {
  std::string_view path;  ///< dotted, the same as the member's in Chip
  AnyMember member;
  Rule rule;
  std::string_view unit;  ///< of a plain number; empty for a count and for everything else
  std::string_view description;
};

/// In the order in which files are written; the keys of a section stand together.
std::span<const Key> keys();
const Key* find_key(std::string_view path);
/// True for the part before a dot of some key: "hbm", "hbm.timings".
bool is_section(std::string_view path);
/// A key's or section's name that looks like this unknown one, full path; empty if none does.
std::string nearest_key(std::string_view path);
/// The nearest of some names by edit distance; empty if none is near.
std::string nearest(std::string_view name, std::span<const std::string> among);

/// "a whole number from 1 to 1000", "loose or approximate": follows "expected" in messages.
std::string expected(const Key& key);
/// Whether a number keeps the rule.
bool keeps(const Rule& rule, std::uint64_t value);
/// A quantity in the unit of its rules.
double in_rule_units(Bytes bytes);
double in_rule_units(Frequency frequency);
double in_rule_units(Time time);
double in_rule_units(Bandwidth bandwidth);
double in_rule_units(Energy energy);
double in_rule_units(Power power);
/// Whether a quantity keeps the rule.
template <typename Quantity>
bool quantity_keeps(const Rule& rule, Quantity quantity) {
  const auto value = in_rule_units(quantity);
  if (rule.power_of_two || rule.multiple > 1) return keeps(rule, static_cast<std::uint64_t>(value));
  return value >= static_cast<double>(rule.low) && value <= static_cast<double>(rule.high);
}
/// Whether a chip may be called so.
bool good_name(std::string_view text);
/// The same for a window of noc.multicast or noc.reduction: firmware has 31 characters for it.
bool good_window_name(std::string_view text);
/// "column:2", "row".
std::string piece_text(AddressPiece piece);
/// The value that a chip has for a key, as YAML flow text.
std::string value_text(const Key& key, const Chip& chip);

}  // namespace forerun::chip
