// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/rtl/pin_map.hpp"

namespace forerun::rtl {

struct VerilateRequest;

/// What Verilator says of a design as errors of the pin map, with its file, line and column, where it is what
/// the map says that is wrong (parameters, bundles, a port that needs one) or the name of the top; else the
/// same text, with a hint if parameters that are types are not given. `shell` is the text of the shell, if
/// there is one.
std::string explain(const std::string& text, const VerilateRequest& request, const PinMap& map,
                    const std::string& shell);

}  // namespace forerun::rtl
