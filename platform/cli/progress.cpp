// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace forerun::cli {

Progress::Progress(std::uint64_t total, std::string unit, bool wanted)
    : total_(std::max<std::uint64_t>(1, total)),
      unit_(std::move(unit)),
      shown_(wanted && isatty(STDERR_FILENO) == 1),
      started_(std::chrono::steady_clock::now()),
      next_(started_) {
  if (shown_) draw();
}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Progress::advance(std::uint64_t units) {
  done_ += units;
  if (shown_ && std::chrono::steady_clock::now() >= next_) draw();
}

void Progress::draw() {
  constexpr std::uint64_t width = 40;
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const auto filled = std::min(width, width * done_ / total_);
  fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}/{} {}", "", filled, "", width - filled, done_, total_, unit_);
  if (done_ > 0) {
    const auto left = static_cast<double>(total_ - std::min(done_, total_));
    fmt::print(stderr, ", {:.0f} s left ", seconds / static_cast<double>(done_) * left);
  }
  std::fflush(stderr);
  next_ = now + std::chrono::milliseconds(100);
}

}  // namespace forerun::cli
