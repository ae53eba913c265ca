// SPDX-License-Identifier: Apache-2.0
/// The outer form of gdb's remote serial protocol: packets, check sums, hexadecimal and escaped bytes. (GDB
/// manual, appendix E.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::sim::gdb {

/// What a debugger sends, cut into its parts.
struct Token {
  enum class Kind {
    packet,     ///< `text` is what stands between $ and #
    bad,        ///< a packet whose check sum is wrong, or that is longer than a packet may be
    interrupt,  ///< a byte 3: stop running
    ack,        ///< +
    nack,       ///< -: send again
  };
  Kind kind = Kind::packet;
  std::string text;
};

/// Cuts a stream of bytes into tokens. Bytes that belong to none are dropped.
class Reader {
 public:
  static constexpr std::size_t longest_packet = 64 * 1024;

  void append(std::string_view bytes);
  std::optional<Token> next();
  std::size_t pending() const { return bytes_.size() - at_; }
  /// True if there is an interrupt outside of packets. It stays, as do the packets before it.
  bool interrupted() const;

 private:
  std::string bytes_;
  std::size_t at_ = 0;  // bytes before have been taken
};

/// `$text#sum`, with the characters escaped that the protocol demands.
std::string packet(std::string_view text);

std::string to_hex(std::span<const std::byte> bytes);
std::string to_hex(std::string_view text);
/// A number as its bytes, lowest first, in hexadecimal.
std::string to_hex(std::uint64_t value, unsigned bytes);
/// Nothing if the text is not pairs of hexadecimal digits.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);
/// Undoes the escapes of binary data; nothing if it ends in the middle of one.
std::optional<std::vector<std::byte>> from_binary(std::string_view text);

/// Takes parts off the front of a packet; each is nothing or false if the packet does not begin that way.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  std::optional<std::uint64_t> number();  ///< hexadecimal, up to 16 digits
  bool skip(char wanted);
  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace forerun::sim::gdb
