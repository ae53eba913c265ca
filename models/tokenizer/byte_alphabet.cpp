// SPDX-License-Identifier: Apache-2.0
#include "models/tokenizer/byte_alphabet.hpp"

#include <charconv>
#include <unordered_map>

namespace forerun::models {

std::string from_byte_alphabet(const std::string& token) {
  static const auto back = [] {
    std::unordered_map<unsigned, char> map;
    unsigned extra = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool shown = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      map[shown ? b : extra++] = static_cast<char>(b);
    }
    return map;
  }();
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    unsigned code = static_cast<unsigned char>(token[i++]);
    if (code >= 0xc0 && i < token.size())
      code = (code & 0x1f) << 6 | (static_cast<unsigned char>(token[i++]) & 0x3f);
    const auto at = back.find(code);
    if (at == back.end()) return {};
    bytes += at->second;
  }
  return bytes;
}

std::optional<unsigned char> fallback_byte(const std::string& token) {
  if (token.size() != 6 || token.rfind("<0x", 0) != 0 || token.back() != '>') return {};
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  return error == std::errc() && end == token.data() + 5 ? std::optional(byte) : std::nullopt;
}

}  // namespace forerun::models
