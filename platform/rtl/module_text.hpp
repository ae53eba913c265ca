// SPDX-License-Identifier: Apache-2.0
/// What the text of sources says of a module before anything has elaborated it: for hints in errors only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace forerun::rtl {

struct ModuleText {
  std::vector<std::string> parameters;  ///< all that can be given, types too
  std::vector<std::string> types;       ///< those that are types
};

/// Of the module `top`; empty if the files do not have it in so many words.
ModuleText read_module_text(const std::vector<std::filesystem::path>& sources, const std::string& top);
/// Names of modules in these files.
std::vector<std::string> module_names(const std::vector<std::filesystem::path>& sources);

}  // namespace forerun::rtl
