// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "platform/chip/yaml_tree.hpp"

namespace forerun::rtl {

/// Where the values of a pin map stand in its file.
class MapPlaces {
 public:
  MapPlaces() = default;
  MapPlaces(std::string file, const chip::YamlNode& root);

  /// "FILE:LINE:COLUMN" of what a path leads to, keys and numbers of list items with "/" between them
  /// ("interfaces/memory/prefix/1"); of the nearest part of the path that is there.
  std::string at(std::string_view path) const;
  bool has(const std::string& path) const { return places_.contains(path); }

 private:
  void note(const chip::YamlNode& node, const std::string& path);
  std::string file_ = "pin map";
  std::map<std::string, std::pair<int, int>, std::less<>> places_;
};

}  // namespace forerun::rtl
