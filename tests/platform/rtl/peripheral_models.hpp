// SPDX-License-Identifier: Apache-2.0
/// Models of the modules in verilog/peripherals, each made once.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>

#include "platform/rtl/command.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {

/// A text, and what stands in its place.
using Change = std::pair<std::string, std::string>;

inline std::string changed(std::string text, std::initializer_list<Change> changes) {
  for (const auto& [from, to] : changes) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
  }
  return text;
}

/// @param pins the pin map's name, if it is not the module's
inline std::string peripheral_model(const std::string& name, const std::string& pins = "",
                                    std::initializer_list<Change> pin_changes = {},
                                    std::initializer_list<Change> source_changes = {}) {
  static const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
  static_cast<void>(cache);
  const std::string folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/peripherals/";
  VerilateRequest request;
  request.top = name;
  request.sources = {folder + name + ".sv"};
  if (source_changes.size() > 0) {
    const auto faulty = cache_folder() / ("faulty_" + name + ".sv");
    std::filesystem::create_directories(faulty.parent_path());
    write_text(faulty, changed(read_text(folder + name + ".sv"), source_changes));
    request.sources = {faulty};
  }
  request.includes = {folder};
  request.pins = changed(read_text(folder + (pins.empty() ? name : pins) + ".yaml"), pin_changes);
  request.parameters = PinMap::parse(request.pins, name).parameters;
  return verilated(request).string();
}

}  // namespace forerun::rtl
