// SPDX-License-Identifier: Apache-2.0
/// Quantities as people write them: "1.25 GHz", "4 MiB", "14 ns", "819.2 GB/s", "909 pJ", "40 mW". A number
/// without sign or exponent, blanks or none, and a unit, which is never left out. SI and binary prefixes
/// differ: 1 kB is 1000 B, 1 KiB is 1024 B.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ip/base/units.hpp"

namespace forerun::chip {

/// The quantity, or nothing and in `problem` what is wrong in words that follow the text: "without a unit",
/// "with an unknown unit 'GB'", "a fraction of a byte"; empty where the text is no number with a unit at all.
template <typename Quantity>
std::optional<Quantity> parse(std::string_view text, std::string& problem);
template <>
std::optional<Bytes> parse(std::string_view text, std::string& problem);
template <>
std::optional<Frequency> parse(std::string_view text, std::string& problem);
template <>
std::optional<Time> parse(std::string_view text, std::string& problem);
template <>
std::optional<Bandwidth> parse(std::string_view text, std::string& problem);
template <>
std::optional<Energy> parse(std::string_view text, std::string& problem);
template <>
std::optional<Power> parse(std::string_view text, std::string& problem);

/// The shortest text that parse() turns into the same quantity.
std::string format(Bytes bytes);
std::string format(Frequency frequency);
std::string format(Time time);
std::string format(Bandwidth bandwidth);
std::string format(Energy energy);
std::string format(Power power);

/// What the quantity is called and an example, for messages: "an amount of memory", "64 KiB".
template <typename Quantity>
struct QuantityName {
  std::string_view what, example;
};
template <typename Quantity>
QuantityName<Quantity> quantity_name();
template <>
QuantityName<Bytes> quantity_name();
template <>
QuantityName<Frequency> quantity_name();
template <>
QuantityName<Time> quantity_name();
template <>
QuantityName<Bandwidth> quantity_name();
template <>
QuantityName<Energy> quantity_name();
template <>
QuantityName<Power> quantity_name();

/// The units of a quantity, smallest first, and the regular expression of all that parse() takes.
template <typename Quantity>
std::string unit_list();
template <typename Quantity>
std::string pattern();

}  // namespace forerun::chip
