// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/rtl/pin_map.hpp"

namespace forerun::rtl {

/// What a model is, in lines for people: interfaces with their widths, or the size of the matrix unit. Throws
/// std::runtime_error, naming file and port, where the pin map and the module do not agree.
std::string inspect(const std::string& file);

}  // namespace forerun::rtl
