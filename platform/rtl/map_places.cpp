// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/map_places.hpp"

#include <fmt/format.h>

namespace forerun::rtl {

using chip::YamlNode;

MapPlaces::MapPlaces(std::string file, const YamlNode& root) : file_(std::move(file)) { note(root, ""); }

void MapPlaces::note(const YamlNode& node, const std::string& path) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const bool named = node.kind == YamlNode::Kind::map;
    const auto name = named ? node.names[i].text : std::to_string(i);
    const auto below = path.empty() ? name : path + "/" + name;
    // A value of its own says where it is; what is below a key begins with the key.
    const auto& at = named && node.items[i].kind != YamlNode::Kind::scalar ? node.names[i] : node.items[i];
    places_[below] = {at.line, at.column};
    note(node.items[i], below);
  }
}

std::string MapPlaces::at(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = places_.find(path); found != places_.end())
      return fmt::format("{}:{}:{}", file_, found->second.first, found->second.second);
    const auto slash = path.rfind('/');
    path = slash == std::string_view::npos ? "" : path.substr(0, slash);
  }
  return file_ + ":1:1";
}

}  // namespace forerun::rtl
