// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace forerun::models {

/// A file mapped for reading; the bytes live as long as `owner`.
struct MappedFile {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

/// Throws ModelError when the file cannot be read.
MappedFile map_file(const std::string& path);

}  // namespace forerun::models
