// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/rtl_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "platform/chip/keys.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::chip {
namespace {

bool ends_with_one_of(const std::string& text, std::initializer_list<const char*> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return text.ends_with(end); });
}

/// What follows "KEY is FILE, ", or nothing.
std::string wrong_with(const std::string& file) {
  constexpr const char* how = "forerun rtl or forerun_add_rtl_block";
  std::error_code error;  // for example that the name is too long
  if (!std::filesystem::is_regular_file(file, error))
    return fmt::format("which is no file; expected a model that {} has made", how);
  if (ends_with_one_of(file, {".v", ".sv", ".vh", ".svh", ".vhd"}))
    return fmt::format(
        "which is a source; expected a model made of it: forerun rtl --top MODULE --pins MAP.yaml -o "
        "MODEL.so {}",
        file);
  std::ifstream stream(file, std::ios::binary);
  if (!ends_with_one_of(file, {".yaml", ".yml"})) {
    constexpr std::string_view elf =
        "\x7f"
        "ELF";
    std::array<char, elf.size()> begin{};
    stream.read(begin.data(), begin.size());
    return std::string_view(begin.data(), begin.size()) == elf
               ? ""
               : fmt::format("which is no model; expected one that {} has made", how);
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  try {
    const auto root = parse_yaml(text);
    const auto has = [&](const char* key) {
      return std::any_of(root.names.begin(), root.names.end(),
                         [&](const YamlNode& n) { return n.text == key; });
    };
    if (root.kind == YamlNode::Kind::map && !has("remote"))
      return fmt::format(
          "which is the pin map of a model to be made with it (forerun rtl --top MODULE --pins {} -o "
          "MODEL.so "
          "SOURCES); expected that model, or a map with the key remote: of a block in another process",
          file);
  } catch (const YamlError&) {  // told with its place by whoever reads it
  }
  return "";
}

void check(std::string_view key, const Path& path, std::vector<Conflict>& to) {
  if (path.text.empty()) return;
  if (const auto wrong = wrong_with(path.text); !wrong.empty())
    to.push_back({{key}, fmt::format("{} is {}, {}", key, path.text, wrong)});
}

}  // namespace

std::vector<Conflict> rtl_file_conflicts(const Chip& chip) {
  std::vector<Conflict> found;
  auto copy = chip;  // members are found in a Chip that may be changed
  for (const auto& key : keys()) {
    if (!key.path.starts_with("rtl.")) continue;
    if (const auto* const one = std::get_if<Member<Path>>(&key.member)) check(key.path, (*one)(copy), found);
    if (const auto* const several = std::get_if<Member<std::vector<Path>>>(&key.member))
      for (const auto& path : (*several)(copy)) check(key.path, path, found);
  }
  return found;
}

}  // namespace forerun::chip
