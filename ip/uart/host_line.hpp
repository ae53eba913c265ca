// SPDX-License-Identifier: Apache-2.0
/// What the other end of a serial line is on the host: the console, files, or a pseudo terminal. No SystemC
/// in here.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>

namespace forerun::ip {

/// One end of a serial line, kept in host file descriptors. Nothing blocks longer than asked for, except a
/// stdout that does.
class HostLine {
 public:
  /// Output to stdout, and input from stdin if wanted (as the terminal gives it: by lines, with its echo).
  static HostLine console(bool with_input);
  /// Output to a file, made or emptied, and input from another one, a FIFO or a device; an empty path means
  /// none. Throws std::system_error naming a path that cannot be opened.
  static HostLine files(const std::string& output, const std::string& input);
  /// A new pseudo terminal in raw mode, to which a terminal program connects by `name()`. What is sent before
  /// is kept, up to `backlog` characters; older ones are dropped. Throws std::system_error if the host has
  /// none left.
  static HostLine pseudo_terminal();

  HostLine(HostLine&& other) noexcept;
  HostLine& operator=(HostLine&&) = delete;
  ~HostLine();

  /// Path of the pseudo terminal, otherwise empty.
  const std::string& name() const { return name_; }
  bool has_input() const { return input_ >= 0; }

  /// Sends what fits now and keeps the rest. False if the output has failed, for good: the character is lost.
  bool write(unsigned char character);
  /// Sends what was kept, as far as it fits now.
  bool flush();
  /// Takes characters that are there, waiting for the first up to `wait_ms` milliseconds of the host's time;
  /// nothing at the end of the input, for good.
  std::optional<std::size_t> read(std::span<unsigned char> to, int wait_ms = 0);

  static constexpr std::size_t backlog = 64 * 1024;

 private:
  HostLine() = default;
  int output_ = -1, input_ = -1,
      terminal_ = -1;  // terminal_: its other end, held open so that it survives a hang-up
  bool owned_ = false;
  std::string name_;
  std::deque<unsigned char> kept_;
};

}  // namespace forerun::ip
