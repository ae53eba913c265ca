// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

namespace forerun::chip {
namespace {

/// A unit is 10^decimal * 2^binary base units (byte, hertz, picosecond, byte a second, joule, watt).
struct Unit {
  std::string_view name;
  int decimal, binary;
};

constexpr Unit byte_units[] = {{"B", 0, 0},    {"kB", 3, 0},   {"MB", 6, 0},   {"GB", 9, 0},  {"TB", 12, 0},
                               {"KiB", 0, 10}, {"MiB", 0, 20}, {"GiB", 0, 30}, {"TiB", 0, 40}};
constexpr Unit frequency_units[] = {{"Hz", 0, 0}, {"kHz", 3, 0}, {"MHz", 6, 0}, {"GHz", 9, 0}};
constexpr Unit time_units[] = {{"ps", 0, 0}, {"ns", 3, 0}, {"us", 6, 0}, {"ms", 9, 0}, {"s", 12, 0}};
constexpr Unit bandwidth_units[] = {{"B/s", 0, 0},    {"kB/s", 3, 0},   {"MB/s", 6, 0},
                                    {"GB/s", 9, 0},   {"TB/s", 12, 0},  {"KiB/s", 0, 10},
                                    {"MiB/s", 0, 20}, {"GiB/s", 0, 30}, {"TiB/s", 0, 40}};
constexpr Unit energy_units[] = {{"pJ", -12, 0}, {"nJ", -9, 0}, {"uJ", -6, 0}, {"mJ", -3, 0}, {"J", 0, 0}};
constexpr Unit power_units[] = {{"uW", -6, 0}, {"mW", -3, 0}, {"W", 0, 0}};

template <typename Quantity>
std::span<const Unit> units();
template <>
std::span<const Unit> units<Bytes>() {
  return byte_units;
}
template <>
std::span<const Unit> units<Frequency>() {
  return frequency_units;
}
template <>
std::span<const Unit> units<Time>() {
  return time_units;
}
template <>
std::span<const Unit> units<Bandwidth>() {
  return bandwidth_units;
}
template <>
std::span<const Unit> units<Energy>() {
  return energy_units;
}
template <>
std::span<const Unit> units<Power>() {
  return power_units;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Length of digits[.digits] at the start of the text; 0 if it starts otherwise.
std::size_t number_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && digit(text[at])) ++at;
  if (at == 0 || at + 1 >= text.size() || text[at] != '.' || !digit(text[at + 1])) return at;
  for (++at; at < text.size() && digit(text[at]);) ++at;
  return at;
}

/// The text in base units, correctly rounded: "1.1 GHz" is the double next to 1.1e9.
std::optional<double> in_base_units(std::string_view text, std::span<const Unit> units,
                                    std::string& problem) {
  problem.clear();
  const auto length = number_length(text);
  if (length == 0 || length > 40) return std::nullopt;
  const auto number = text.substr(0, length);
  auto rest = text.substr(length);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.empty()) {
    problem = "without a unit";
    return std::nullopt;
  }
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == rest; });
  if (unit == units.end()) {
    const bool a_word = rest.size() <= 8 && std::none_of(rest.begin(), rest.end(), [](char c) {
                          return c <= ' ' || c == '\'' || digit(c);
                        });
    if (a_word) problem = fmt::format("with the unknown unit '{}'", rest);
    return std::nullopt;
  }
  const auto scaled = fmt::format("{}e{}", number, unit->decimal);
  double value = 0;
  if (std::from_chars(scaled.data(), scaled.data() + scaled.size(), value).ec != std::errc())
    return std::nullopt;
  return std::ldexp(value, unit->binary);
}

/// A whole number of base units, below 2^53 so that a double holds it exactly.
std::optional<double> whole(std::string_view text, std::span<const Unit> units, std::string_view base,
                            std::string& problem) {
  const auto value = in_base_units(text, units, problem);
  if (!value) return std::nullopt;
  if (*value > 0x1p53)
    problem = "too large";
  else if (*value != std::floor(*value))
    problem = fmt::format("a fraction of a {}", base);
  else
    return value;
  return std::nullopt;
}

/// A number with as few digits as give back the same double, in the largest decimal unit that leaves 1 or
/// more before the point. Only the point moves, so that nothing is rounded.
template <typename Quantity>
std::string format_real(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string digits;
  int exponent = 0;
  for (const char* at = text; at != end; ++at) {
    if (*at == 'e') {
      std::from_chars(at + (at[1] == '+' ? 2 : 1), end, exponent);
      break;
    }
    if (*at != '.') digits += *at;
  }
  const Unit* best = nullptr;
  for (const auto& unit : units<Quantity>())
    if (unit.binary == 0 && (best == nullptr || (value > 0 && unit.decimal <= exponent))) best = &unit;
  const int before = exponent - best->decimal + 1;  // digits before the point
  if (value == 0) return fmt::format("0 {}", best->name);
  if (before <= 0)
    return fmt::format("0.{}{} {}", std::string(static_cast<std::size_t>(-before), '0'), digits, best->name);
  const auto whole_digits = static_cast<std::size_t>(before);
  if (digits.size() <= whole_digits) digits.append(whole_digits - digits.size(), '0');
  auto number = digits.substr(0, whole_digits);
  if (digits.size() > whole_digits) number += "." + digits.substr(whole_digits);
  return fmt::format("{} {}", number, best->name);
}

}  // namespace

template <>
std::optional<Bytes> parse<Bytes>(std::string_view text, std::string& problem) {
  const auto value = whole(text, byte_units, "byte", problem);
  if (!value) return std::nullopt;
  return Bytes{static_cast<std::uint64_t>(*value)};
}

template <>
std::optional<Time> parse<Time>(std::string_view text, std::string& problem) {
  const auto value = whole(text, time_units, "picosecond", problem);
  if (!value) return std::nullopt;
  return Time{static_cast<std::int64_t>(*value)};
}

template <>
std::optional<Frequency> parse<Frequency>(std::string_view text, std::string& problem) {
  const auto value = in_base_units(text, frequency_units, problem);
  if (!value) return std::nullopt;
  return Frequency{*value};
}

template <>
std::optional<Bandwidth> parse<Bandwidth>(std::string_view text, std::string& problem) {
  const auto value = in_base_units(text, bandwidth_units, problem);
  if (!value) return std::nullopt;
  return Bandwidth{*value};
}

template <>
std::optional<Energy> parse<Energy>(std::string_view text, std::string& problem) {
  const auto value = in_base_units(text, energy_units, problem);
  if (!value) return std::nullopt;
  return Energy{*value};
}

template <>
std::optional<Power> parse<Power>(std::string_view text, std::string& problem) {
  const auto value = in_base_units(text, power_units, problem);
  if (!value) return std::nullopt;
  return Power{*value};
}

std::string format(Bytes bytes) {
  for (const auto& [name, shift] : {std::pair{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}})
    if (bytes.count != 0 && bytes.count % (std::uint64_t{1} << shift) == 0)
      return fmt::format("{} {}", bytes.count >> shift, name);
  return fmt::format("{} B", bytes.count);
}

std::string format(Time time) {
  if (time.picoseconds == 0) return "0 ns";
  std::int64_t scale = 1;
  std::string text;
  for (const auto& unit : time_units) {
    if (time.picoseconds % scale != 0) break;
    text = fmt::format("{} {}", time.picoseconds / scale, unit.name);
    scale *= 1000;
  }
  return text;
}

std::string format(Frequency frequency) { return format_real<Frequency>(frequency.hertz); }
std::string format(Bandwidth bandwidth) { return format_real<Bandwidth>(bandwidth.bytes_per_second); }
std::string format(Energy energy) { return format_real<Energy>(energy.joules); }
std::string format(Power power) { return format_real<Power>(power.watts); }

template <>
QuantityName<Bytes> quantity_name() {
  return {"an amount of memory", "64 KiB"};
}
template <>
QuantityName<Frequency> quantity_name() {
  return {"a frequency", "1.25 GHz"};
}
template <>
QuantityName<Time> quantity_name() {
  return {"a time", "14 ns"};
}
template <>
QuantityName<Bandwidth> quantity_name() {
  return {"a bandwidth", "819.2 GB/s"};
}
template <>
QuantityName<Energy> quantity_name() {
  return {"an energy", "909 pJ"};
}
template <>
QuantityName<Power> quantity_name() {
  return {"a power", "40 mW"};
}

namespace {
template <typename Quantity>
std::string joined(std::string_view separator) {
  std::string text;
  for (const auto& unit : units<Quantity>())
    text += fmt::format("{}{}", text.empty() ? "" : separator, unit.name);
  return text;
}
}  // namespace

template <typename Quantity>
std::string unit_list() {
  return joined<Quantity>(", ");
}
template <typename Quantity>
std::string pattern() {
  return "^[0-9]+(\\.[0-9]+)? *(" + joined<Quantity>("|") + ")$";
}

template std::string unit_list<Bytes>();
template std::string unit_list<Frequency>();
template std::string unit_list<Time>();
template std::string unit_list<Bandwidth>();
template std::string unit_list<Energy>();
template std::string unit_list<Power>();
template std::string pattern<Bytes>();
template std::string pattern<Frequency>();
template std::string pattern<Time>();
template std::string pattern<Bandwidth>();
template std::string pattern<Energy>();
template std::string pattern<Power>();

}  // namespace forerun::chip
