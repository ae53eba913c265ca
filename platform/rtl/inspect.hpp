// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "ip/cosim/shared_model.hpp"

namespace forerun::rtl {

/// What a model is, in lines for people: interfaces with their widths, or the size of the matrix unit. Throws
/// std::runtime_error, naming the place in the pin map and the port, where map and module do not agree.
std::string inspect(const std::shared_ptr<const ip::cosim::SharedModel>& model);
/// The same of a file.
std::string inspect(const std::string& file);

}  // namespace forerun::rtl
