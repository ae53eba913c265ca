// SPDX-License-Identifier: Apache-2.0
#include "ip/uart/host_line.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace forerun::ip {
namespace {

int checked(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace

HostLine HostLine::console(bool with_input) {
  HostLine line;
  line.output_ = STDOUT_FILENO;
  if (with_input) line.input_ = STDIN_FILENO;
  return line;
}

HostLine HostLine::files(const std::string& output, const std::string& input) {
  HostLine line;
  line.owned_ = true;
  if (!input.empty())
    line.input_ =
        checked(open(input.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "serial input file " + input);
  if (!output.empty())
    line.output_ = checked(open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666),
                           "serial output file " + output);
  return line;
}

HostLine HostLine::pseudo_terminal() {
  constexpr const char* what = "pseudo terminal";
  HostLine line;
  line.owned_ = true;
  line.output_ = checked(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), what);
  line.input_ = line.output_;
  checked(grantpt(line.output_), what);
  checked(unlockpt(line.output_), what);
  std::array<char, 256> path{};
  if (const int error = ptsname_r(line.output_, path.data(), path.size()); error != 0)
    throw std::system_error(error, std::generic_category(), what);
  line.name_ = path.data();
  line.terminal_ = checked(open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC), what);
  termios mode{};
  checked(tcgetattr(line.terminal_, &mode), what);
  cfmakeraw(&mode);  // without it, the terminal would echo the chip's output back to it
  checked(tcsetattr(line.terminal_, TCSANOW, &mode), what);
  return line;
}

HostLine::HostLine(HostLine&& other) noexcept
    : output_(std::exchange(other.output_, -1)),
      input_(std::exchange(other.input_, -1)),
      terminal_(std::exchange(other.terminal_, -1)),
      owned_(other.owned_),
      name_(std::move(other.name_)),
      kept_(std::move(other.kept_)) {}

HostLine::~HostLine() {
  flush();
  if (!owned_) return;
  if (output_ >= 0) close(output_);
  if (input_ >= 0 && input_ != output_) close(input_);
  if (terminal_ >= 0) close(terminal_);
}

bool HostLine::write(unsigned char character) {
  if (output_ < 0) return true;
  if (kept_.size() == backlog) kept_.pop_front();
  kept_.push_back(character);
  return flush();
}

bool HostLine::flush() {
  std::array<unsigned char, 512> piece;
  while (!kept_.empty()) {
    const auto size = std::min(piece.size(), kept_.size());
    std::copy_n(kept_.begin(), size, piece.begin());
    const auto written = ::write(output_, piece.data(), size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (written < 0) {
      kept_.clear();
      return false;
    }
    kept_.erase(kept_.begin(), kept_.begin() + written);
  }
  return true;
}

std::optional<std::size_t> HostLine::read(std::span<unsigned char> to, int wait_ms) {
  if (input_ < 0) return std::nullopt;
  pollfd state{input_, POLLIN, 0};
  if (poll(&state, 1, wait_ms) <= 0) return 0;
  const auto count = ::read(input_, to.data(), to.size());
  if (count > 0) return static_cast<std::size_t>(count);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return 0;
  return std::nullopt;
}

}  // namespace forerun::ip
