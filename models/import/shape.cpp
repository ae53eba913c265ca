// SPDX-License-Identifier: Apache-2.0
// models/zoo/*.yaml: the shape of a published model, as the fields of its config.json, with its sources.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <filesystem>

#include "models/import/formats.hpp"
#include "models/import/hugging_face.hpp"
#include "models/import/mapped_file.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::models {
namespace {

using chip::YamlNode;
using nlohmann::json;

json scalar(const YamlNode& node) {
  const auto& t = node.text;
  if (node.quoted) return t;
  if (t == "true" || t == "false") return t == "true";
  if (t.empty() || t == "null" || t == "~") return nullptr;
  std::uint64_t whole = 0;
  if (const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), whole);
      error == std::errc() && end == t.data() + t.size())
    return whole;
  double real = 0;
  if (const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), real);
      error == std::errc() && end == t.data() + t.size())
    return real;
  return t;
}

json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::nothing:
      return nullptr;
    case YamlNode::Kind::scalar:
      return scalar(node);
    case YamlNode::Kind::list: {
      json list = json::array();
      for (const auto& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case YamlNode::Kind::map:
      break;
  }
  json object = json::object();
  for (std::size_t i = 0; i < node.items.size(); ++i) object[node.names[i].text] = to_json(node.items[i]);
  return object;
}

YamlNode parse(const std::string& path) {
  const auto file = map_file(path);
  try {
    return chip::parse_yaml({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()});
  } catch (const chip::YamlError& error) {
    throw ModelError(fmt::format("{}:{}:{}: {}", path, error.line, error.column, error.what()));
  }
}

}  // namespace

Model load_shape(const std::string& path) {
  const auto tree = parse(path);
  if (tree.kind != YamlNode::Kind::map)
    throw ModelError(path + ": expected the keys 'source', 'parameters' and 'config'");
  const std::vector<std::string> known{"source", "note", "parameters", "config"};
  for (const auto& name : tree.names)
    if (std::find(known.begin(), known.end(), name.text) == known.end()) {
      const auto near = chip::nearest(name.text, known);
      throw ModelError(fmt::format("{}:{}:{}: unknown key '{}'{}; known are {}", path, name.line, name.column,
                                   name.text, near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                   fmt::join(known, ", ")));
    }
  const auto text = to_json(tree);
  const Fields fields(text, path);
  if (!fields.has("source"))
    throw ModelError(path + ": 'source' is missing: where the numbers were published");
  Model model;
  model.has_weights = false;
  model.config = config_from_json(fields.inner("config"), std::filesystem::path(path).stem().string());
  const auto& given = text["parameters"];
  const auto counted = parameter_count(model.config);
  if (!given.is_number_unsigned() || given.get<std::uint64_t>() != counted)
    fields.fail("parameters", fmt::format("{}, the number of weights of this shape", counted));
  return model;
}

}  // namespace forerun::models
