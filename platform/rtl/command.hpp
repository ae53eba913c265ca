// SPDX-License-Identifier: Apache-2.0
/// Other programs, and small files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace forerun::rtl {

/// Runs a program (no shell) in a folder. Throws std::runtime_error with what it printed, errors first, if it
/// fails; `what` begins the message.
void run_command(const std::vector<std::string>& command, const std::filesystem::path& folder,
                 const std::string& what);
/// What a program prints. Throws std::runtime_error if it cannot be run or fails.
std::string capture(const std::vector<std::string>& command);

/// Throw std::runtime_error naming the file.
std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace forerun::rtl
