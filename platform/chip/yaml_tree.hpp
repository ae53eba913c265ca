// SPDX-License-Identifier: Apache-2.0
/// A YAML text as a plain tree that knows where everything stood. Chip files are data, so the parts of YAML
/// that are programs (anchors, aliases, tags) and texts that are not meant to be chips (several documents,
/// deep nesting) are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::chip {

struct YamlNode {
  enum class Kind : unsigned char { nothing, scalar, list, map };
  Kind kind = Kind::nothing;
  bool quoted = false;                 ///< scalar in quotes (or a block of text): never a number
  std::string text;                    ///< of a scalar
  int line = 1, column = 1;            ///< from 1
  std::vector<YamlNode> names, items;  ///< `items` of a list or map; `names` of a map, beside them
};

/// What is wrong with the text, and where.
struct YamlError : std::runtime_error {
  YamlError(int at_line, int at_column, const std::string& what)
      : runtime_error(what), line(at_line), column(at_column) {}
  int line, column;
};

/// The only document of a text; `nothing` for an empty one. Throws YamlError.
YamlNode parse_yaml(const std::string& text);

/// A scalar as a whole number.
std::optional<std::uint64_t> whole_number(const YamlNode& node);
/// A piece of the user's text, fit for a message.
std::string shown(std::string_view text);
/// "'text'", "a list", ...: follows "found" in messages.
std::string what_it_is(const YamlNode& node);

}  // namespace forerun::chip
