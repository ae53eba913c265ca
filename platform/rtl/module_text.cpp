// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/module_text.hpp"

#include <fmt/format.h>

#include <regex>
#include <string_view>

#include "platform/rtl/command.hpp"

namespace forerun::rtl {
namespace {

/// Without comments and strings.
std::string code_of(const std::string& text) {
  std::string code;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = std::string_view(text).substr(at);
    std::size_t end = std::string::npos, more = 0;
    if (rest.starts_with("//")) end = text.find('\n', at);
    if (rest.starts_with("/*")) end = text.find("*/", at + 2), more = 2;
    if (rest.starts_with('"')) end = text.find('"', at + 1), more = 1;
    const bool skipped = rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('"');
    code += skipped ? ' ' : text[at];
    if (!skipped)
      ++at;
    else
      at = end == std::string::npos ? text.size() : end + more;
  }
  return code;
}

std::string all_code(const std::vector<std::filesystem::path>& sources) {
  std::string code;
  for (const auto& source : sources) code += code_of(read_text(source)) + "\n";
  return code;
}

/// Pieces between commas outside of brackets, from `at` to the bracket or semicolon that ends them.
std::vector<std::string> pieces(const std::string& code, std::size_t at) {
  std::vector<std::string> all(1);
  int depth = 0;
  for (; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == ']' || c == '}') && --depth < 0) break;
    if (c == ';') break;
    if (c == ',' && depth == 0)
      all.emplace_back();
    else
      all.back() += c;
  }
  return all;
}

/// Parameters that a list declares; a piece without a keyword is of the kind of the one before.
void declare(const std::vector<std::string>& list, ModuleText& to) {
  static const std::regex kind(R"(^\s*(parameter|localparam)\b\s*(type\b)?)"),
      name(R"((\w+)\s*(\[[^\]]*\]\s*)*(=|$))");
  bool local = false, type = false;
  for (const auto& piece : list) {
    std::smatch found;
    if (std::regex_search(piece, found, kind)) local = found[1] == "localparam", type = found[2].matched;
    if (local || !std::regex_search(piece, found, name)) continue;
    to.parameters.push_back(found[1]);
    if (type) to.types.push_back(found[1]);
  }
}

}  // namespace

ModuleText read_module_text(const std::vector<std::filesystem::path>& sources, const std::string& top) {
  ModuleText module;
  const auto code = all_code(sources);
  std::smatch head;
  if (!std::regex_search(code, head,
                         std::regex(fmt::format(R"(\bmodule\s+(automatic\s+|static\s+)?{}\b)", top))))
    return module;
  const auto begin = static_cast<std::size_t>(head.position(0) + head.length(0));
  const auto body = code.substr(begin, code.find("endmodule", begin) - begin);
  if (const auto list = body.find('#'); list < body.find(';') && list < body.find('('))
    declare(pieces(body, body.find('(', list) + 1), module);
  static const std::regex statement(R"(;\s*(parameter\b))");
  for (std::sregex_iterator at(body.begin(), body.end(), statement), end; at != end; ++at)
    declare(pieces(body, static_cast<std::size_t>(at->position(1))), module);
  return module;
}

std::vector<std::string> module_names(const std::vector<std::filesystem::path>& sources) {
  std::vector<std::string> names;
  const auto code = all_code(sources);
  static const std::regex head(R"(\bmodule\s+(?:automatic\s+|static\s+)?(\w+))");
  for (std::sregex_iterator at(code.begin(), code.end(), head), end; at != end; ++at)
    names.push_back((*at)[1]);
  return names;
}

}  // namespace forerun::rtl
