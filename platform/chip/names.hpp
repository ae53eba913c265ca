// SPDX-License-Identifier: Apache-2.0
/// What the choices are called in chip files and reports.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "platform/chip/chip.hpp"

namespace forerun::chip {

/// Names of an enumeration's values, in their order.
template <typename Enum>
struct Names;

template <>
struct Names<Timing> {
  static constexpr std::array<std::string_view, 2> all{"loose", "approximate"};
};
template <>
struct Names<Data> {
  static constexpr std::array<std::string_view, 2> all{"real", "none"};
};
template <>
struct Names<Format> {
  static constexpr std::array<std::string_view, 11> all{"f32", "f16",   "bf16",  "i8",    "f8e4m3", "f8e5m2",
                                                        "i4",  "mxfp8", "mxfp6", "mxfp4", "mxint8"};
};
template <>
struct Names<Scheduler> {
  static constexpr std::array<std::string_view, 2> all{"fr_fcfs", "fcfs"};
};
template <>
struct Names<PagePolicy> {
  static constexpr std::array<std::string_view, 2> all{"open", "closed"};
};
template <>
struct Names<Refresh> {
  static constexpr std::array<std::string_view, 2> all{"all_bank", "none"};
};
template <>
struct Names<AddressField> {
  static constexpr std::array<std::string_view, 7> all{"burst",      "column", "channel", "pseudo_channel",
                                                       "bank_group", "bank",   "row"};
};

template <typename Enum>
constexpr std::string_view name(Enum value) {
  return Names<Enum>::all[static_cast<std::size_t>(value)];
}

}  // namespace forerun::chip
