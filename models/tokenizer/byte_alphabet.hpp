// SPDX-License-Identifier: Apache-2.0
/// How vocabularies write bytes.
#pragma once

#include <optional>
#include <string>

namespace forerun::models {

/// The bytes that a token in GPT-2's alphabet of printable stand-ins means; empty if it holds anything else.
std::string from_byte_alphabet(const std::string& token);
/// The byte of "<0x41>"; nothing for other tokens.
std::optional<unsigned char> fallback_byte(const std::string& token);

}  // namespace forerun::models
