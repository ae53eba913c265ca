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
  static constexpr std::array<std::string_view, 3> all{"fr_fcfs", "fcfs", "fr_fcfs_grouped"};
};
template <>
struct Names<Queues> {
  static constexpr std::array<std::string_view, 3> all{"shared", "per_bank", "read_write"};
};
template <>
struct Names<PagePolicy> {
  static constexpr std::array<std::string_view, 3> all{"open", "closed", "adaptive"};
};
template <>
struct Names<Refresh> {
  static constexpr std::array<std::string_view, 3> all{"all_bank", "per_bank", "none"};
};
template <>
struct Names<KeepOpen> {
  static constexpr std::array<std::string_view, 3> all{"none", "older", "all"};
};
template <>
struct Names<HbmModel> {
  static constexpr std::array<std::string_view, 2> all{"burst", "row"};
};
template <>
struct Names<RowOrder> {
  static constexpr std::array<std::string_view, 2> all{"oldest_ready", "first_over"};
};
template <>
struct Names<RefreshOrder> {
  static constexpr std::array<std::string_view, 2> all{"together", "spread"};
};
template <>
struct Names<Ecc> {
  static constexpr std::array<std::string_view, 3> all{"none", "sideband", "in_line"};
};
template <>
struct Names<TensorModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<VectorModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<CommandModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<CpuModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<ScratchpadModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<DmaModel> {
  static constexpr std::array<std::string_view, 3> all{"tlm", "rtl", "lockstep"};
};
template <>
struct Names<NocModel> {
  static constexpr std::array<std::string_view, 3> all{"packet", "flit", "rtl"};
};
template <>
struct Names<NocTopology> {
  static constexpr std::array<std::string_view, 6> all{"mesh",     "torus",   "ring", "concentrated_mesh",
                                                       "fat_tree", "crossbar"};
};
template <>
struct Names<NocRouting> {
  static constexpr std::array<std::string_view, 3> all{"dimension_order", "o1turn", "west_first"};
};
template <>
struct Names<NocSwitching> {
  static constexpr std::array<std::string_view, 2> all{"wormhole", "virtual_cut_through"};
};
template <>
struct Names<LinkTopology> {
  static constexpr std::array<std::string_view, 4> all{"ring", "fully_connected", "switched", "torus"};
};
template <>
struct Names<Element> {
  static constexpr std::array<std::string_view, 4> all{"f32", "bf16", "f16", "i32"};
};
template <>
struct Names<AddressField> {
  static constexpr std::array<std::string_view, address_fields> all{
      "burst", "column", "channel", "pseudo_channel", "rank", "bank_group", "bank", "row"};
};

template <typename Enum>
constexpr std::string_view name(Enum value) {
  return Names<Enum>::all[static_cast<std::size_t>(value)];
}

}  // namespace forerun::chip
