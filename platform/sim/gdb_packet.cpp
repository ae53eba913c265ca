// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/gdb_packet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace forerun::sim::gdb {
namespace {

constexpr char interrupt_byte = 3;

unsigned sum_of(std::string_view text) {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return sum & 0xff;
}

std::optional<unsigned> byte_of(std::string_view two) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(two.data(), two.data() + two.size(), value, 16);
  if (two.size() != 2 || error != std::errc{} || end != two.data() + 2) return std::nullopt;
  return value;
}

}  // namespace

void Reader::append(std::string_view bytes) {
  bytes_.erase(0, at_);
  at_ = 0;
  bytes_ += bytes;
}

std::optional<Token> Reader::next() {
  while (at_ < bytes_.size()) {
    switch (bytes_[at_]) {
      case '+':
        return ++at_, Token{Token::Kind::ack, {}};
      case '-':
        return ++at_, Token{Token::Kind::nack, {}};
      case interrupt_byte:
        return ++at_, Token{Token::Kind::interrupt, {}};
      case '$':
        break;
      default:
        ++at_;
        continue;
    }
    const auto end = bytes_.find('#', at_);
    if (std::min(end, bytes_.size()) - at_ > longest_packet) {
      at_ = std::min(end, bytes_.size());
      return Token{Token::Kind::bad, {}};
    }
    if (end == std::string::npos || bytes_.size() < end + 3) return std::nullopt;
    const auto start = bytes_.rfind('$', end) + 1;  // a packet cut short by a new one is dropped
    auto text = bytes_.substr(start, end - start);
    const auto sum = byte_of(std::string_view(bytes_).substr(end + 1, 2));
    at_ = end + 3;
    if (sum != sum_of(text)) return Token{Token::Kind::bad, {}};
    return Token{Token::Kind::packet, std::move(text)};
  }
  return std::nullopt;
}

bool Reader::interrupted() const {
  for (auto i = at_; i < bytes_.size(); ++i) {
    if (bytes_[i] == interrupt_byte) return true;
    if (bytes_[i] == '$') i = std::min(bytes_.find('#', i), bytes_.size() - 1);
  }
  return false;
}

std::string packet(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '#' || c == '$' || c == '}' || c == '*') {
      escaped += '}';
      escaped += static_cast<char>(c ^ 0x20);
    } else {
      escaped += c;
    }
  }
  return fmt::format("${}#{:02x}", escaped, sum_of(escaped));
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes)
    fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string to_hex(std::string_view text) { return to_hex(std::as_bytes(std::span(text))); }

std::string to_hex(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i)
    fmt::format_to(std::back_inserter(text), "{:02x}", value >> (8 * i) & 0xff);
  return text;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto value = byte_of(text.substr(i, 2));
    if (!value) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(*value));
  }
  return bytes;
}

std::optional<std::vector<std::byte>> from_binary(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto value = static_cast<unsigned char>(text[i]);
    if (value == '}') {
      if (++i == text.size()) return std::nullopt;
      value = static_cast<unsigned char>(text[i] ^ 0x20);
    }
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

std::optional<std::uint64_t> Cursor::number() {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, 16);
  if (error != std::errc{}) return std::nullopt;
  rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  return value;
}

bool Cursor::skip(char wanted) {
  if (rest_.empty() || rest_.front() != wanted) return false;
  rest_.remove_prefix(1);
  return true;
}

}  // namespace forerun::sim::gdb
