// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <sstream>
#include <utility>

namespace forerun::chip {
namespace {

constexpr std::size_t max_depth = 16, max_nodes = 20'000;

[[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) {
  throw YamlError(mark.line + 1, mark.column + 1, what);
}

/// Builds the tree of one document from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail(mark, "a second document; a chip file has one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(YamlNode::Kind::nothing, mark, "", anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias (*); write the value out, or use extends");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto& node = add(YamlNode::Kind::scalar, mark, tag, anchor);
    node.text = value;
    node.quoted = tag == "!";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(add(YamlNode::Kind::list, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(add(YamlNode::Kind::map, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  void open(YamlNode& node, const YAML::Mark& mark) {
    if (open_.size() >= max_depth) fail(mark, "nested too deep");
    open_.push_back(&node);
  }

  YamlNode& add(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) fail(mark, "an anchor (&); write the value out, or use extends");
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "a tag (!); a chip file has none");
    if (++nodes_ > max_nodes) fail(mark, "more values than any chip has");
    auto& node = place();
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  /// Children are moved when a vector grows, but only the last child of a node is ever open.
  YamlNode& place() {
    if (open_.empty()) return root_;
    auto& parent = *open_.back();
    const bool a_name = parent.kind == YamlNode::Kind::map && parent.names.size() == parent.items.size();
    return (a_name ? parent.names : parent.items).emplace_back();
  }

  YamlNode root_;
  std::vector<YamlNode*> open_;
  std::size_t nodes_ = 0, documents_ = 0;
};

}  // namespace

YamlNode parse_yaml(const std::string& text) {
  std::istringstream stream(text);
  Builder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    fail(error.mark, "not YAML: " + error.msg);
  }
  return builder.take();
}

std::optional<std::uint64_t> whole_number(const YamlNode& node) {
  std::uint64_t value = 0;
  const auto* end = node.text.data() + node.text.size();
  const auto [at, error] = std::from_chars(node.text.data(), end, value);
  if (node.kind != YamlNode::Kind::scalar || node.quoted || error != std::errc() || at != end)
    return std::nullopt;
  return value;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 60)) out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  return out + (text.size() > 60 ? "..." : "");
}

std::string what_it_is(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::nothing:
      return "nothing";
    case YamlNode::Kind::scalar:
      return fmt::format("'{}'", shown(node.text));
    case YamlNode::Kind::list:
      return node.items.empty() ? "an empty list" : "a list";
    default:
      return "a map of keys";
  }
}

}  // namespace forerun::chip
