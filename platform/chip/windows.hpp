// SPDX-License-Identifier: Apache-2.0
/// noc.multicast and noc.reduction as they stand in chip files. Only the form is looked at here: whether the
/// clusters exist and the windows fit depends on the rest of the chip (checks.cpp).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "platform/chip/chip.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::chip {

/// What does not read.
struct Misread {
  const YamlNode* node;  ///< where
  std::string entry;     ///< below the key: "", ".total", ".total.size"
  std::string found;
  std::string expected;  ///< empty: what is expected of the key as a whole
};

/// Fills in the windows of a map; nothing is changed where something does not read.
std::optional<Misread> read_windows(const YamlNode& node, std::vector<MulticastWindow>& windows);
std::optional<Misread> read_windows(const YamlNode& node, std::vector<ReductionWindow>& windows);

/// "left: [0-3, 8]", "total: {clusters: all, element: f32, target: cluster0, offset: 0 B}".
std::string window_text(const MulticastWindow& window);
std::string window_text(const ReductionWindow& window);

/// JSON of such a map, and its schema.
nlohmann::ordered_json windows_json(const std::vector<MulticastWindow>& windows);
nlohmann::ordered_json windows_json(const std::vector<ReductionWindow>& windows);
nlohmann::ordered_json multicast_schema();
nlohmann::ordered_json reduction_schema();

}  // namespace forerun::chip
