// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/verilator_errors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <vector>

#include "platform/rtl/module_text.hpp"
#include "platform/rtl/pins_of.hpp"
#include "platform/rtl/shell.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class Explainer {
 public:
  Explainer(const VerilateRequest& request, const PinMap& map, const std::string& shell)
      : request_(request), map_(map), shell_(lines_of(shell)) {}

  Lines errors(const std::string& text) {
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i)
      look_at(lines[i], i + 1 < lines.size() ? lines[i + 1] : "");
    return found_;
  }
  /// Types that nobody gives.
  std::string hint() {
    Lines missing;
    for (const auto& type : module().types)
      if (!request_.parameters.contains(type)) missing.push_back(type);
    if (missing.empty()) return {};
    return fmt::format(
        "{}: module {} has parameters that are types, and {} {} not given; expected such as parameters: "
        "{{{}: "
        "\"package_name::type_name\"}}",
        map_.places.at("parameters"), request_.top, fmt::join(missing, " and "),
        missing.size() == 1 ? "is" : "are", missing[0]);
  }

 private:
  const ModuleText& module() {
    if (!read_) text_ = read_module_text(request_.sources, request_.top), read_ = true;
    return text_;
  }
  void add(const std::string& line) {
    if (std::find(found_.begin(), found_.end(), line) == found_.end()) found_.push_back(line);
  }
  /// Where a parameter was given: in the map, unless something has gone over it.
  std::string place(const std::string& parameter) const {
    const auto given = request_.parameters.find(parameter), mapped = map_.parameters.find(parameter);
    const bool same = given != request_.parameters.end() && mapped != map_.parameters.end() &&
                      given->second == mapped->second;
    return same ? map_.places.at("parameters/" + parameter) : "parameter " + parameter;
  }
  void unknown_parameter(const std::string& name) {
    const auto near = near_or_all(name, module().parameters);
    add(fmt::format("{}: module {} has no parameter '{}'{}", place(name), request_.top, name, near));
  }
  void look_at(const std::string& line, const std::string& next) {
    static const std::regex not_found("not found in the design: (.*)"), name(R"(\w+)"),
        no_value("Parameter without initial value is never given value.*: '(\\w+)'"),
        no_top("--top-module '(\\w+)' was not found"), in_shell(R"(forerun_shell\.sv:(\d+):\d+: (.*))");
    std::smatch match;
    if (std::regex_search(line, match, not_found)) {
      const std::string names = match[1];
      for (std::sregex_iterator at(names.begin(), names.end(), name), end; at != end; ++at)
        unknown_parameter(at->str());
    } else if (std::regex_search(line, match, no_value)) {
      add(fmt::format(
          "{}: parameter {} of module {} has no value of its own, and none is given; expected it in "
          "parameters: {{{}: ...}}",
          map_.places.at("parameters"), match[1].str(), request_.top, match[1].str()));
    } else if (std::regex_search(line, match, no_top)) {
      no_module(match[1]);
    } else if (line.find("Interfaced port on top level") != std::string::npos) {
      add(fmt::format(
          "{}: module {}: a port that is a SystemVerilog interface is named in the pin map, with the "
          "interface and its parameters: bundles: {{s_axi: {{interface: AXI_BUS.Slave, parameters: "
          "{{AXI_DATA_WIDTH: 64}}}}}}{}",
          map_.places.at("bundles"), request_.top, line.substr(line.find(": ") + 1)));
    } else if (std::regex_search(line, match, in_shell)) {
      in_line(std::stoul(match[1]), match[2], next);
    }
  }
  void no_module(const std::string& name) {
    add(fmt::format("--top: the sources have no module '{}'{}", name,
                    near_or_all(name, module_names(request_.sources))));
  }
  /// `says` is what is wrong in that line of the shell.
  void in_line(std::size_t line, std::string says, const std::string& next) {
    static const std::regex missing("Cannot find file containing module: '(\\w+)'"),
        pin("Parameter pin not found: '(\\w+)'"), type("Missing type parameter"),
        port("^Pin not found: '(\\w+)'");
    if (line == 0 || line > shell_.size() || says.find("no search path specified") != std::string::npos ||
        std::regex_search(says, type))  // follows from another
      return;
    std::smatch match;
    if (std::regex_search(says, match, missing) && match[1] == request_.top) return no_module(match[1]);
    const auto mark = shell_[line - 1].find(shell_mark);
    if (mark == std::string::npos) return;
    const auto path = shell_[line - 1].substr(mark + std::string_view(shell_mark).size());
    const std::string parameters = "parameters/";
    const bool own = path.starts_with(parameters);
    if (own && std::regex_search(says, match, pin)) return unknown_parameter(match[1]);
    if (std::regex_search(says, match, port))
      says = fmt::format("module {} has no port '{}'", request_.top, match[1].str());
    static const std::regex alternative("Suggested alternative: '(\\w+)'");
    if (std::regex_search(next, match, alternative)) says += "; did you mean " + match[1].str() + "?";
    const auto name = own ? path.substr(parameters.size()) : "";
    add(own ? fmt::format("{}: parameter {} of module {} is {}: {}", place(name), name, request_.top,
                          request_.parameters.at(name), says)
            : fmt::format("{}: {}", map_.places.at(path), says));
  }

  const VerilateRequest& request_;
  const PinMap& map_;
  Lines shell_, found_;
  ModuleText text_;
  bool read_ = false;
};

}  // namespace

std::string explain(const std::string& text, const VerilateRequest& request, const PinMap& map,
                    const std::string& shell) {
  Explainer explainer(request, map, shell);
  if (const auto errors = explainer.errors(text); !errors.empty())
    return fmt::format("{}", fmt::join(errors, "\n"));
  const auto hint = explainer.hint();
  return hint.empty() ? text : hint + "\n" + text;
}

}  // namespace forerun::rtl
