// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/pin_clock.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "ip/base/host_time.hpp"
#include "ip/base/method.hpp"

namespace forerun::ip::cosim {
namespace {

/// The least that was ever seen between two activations of clocks: what the kernel does for each.
std::uint64_t kernel_ticks = 10'000;

}  // namespace

PinClock::PinClock(const sc_core::sc_module_name& name, const PinClockParameters& parameters)
    : sc_module(name),
      period_(parameters.period.picoseconds),
      reset_left_(parameters.reset_cycles),
      step_(to_sc_time(parameters.period)) {
  if (period_ <= 0) throw std::invalid_argument("the period of a clock is above zero");
  add_method("tick", {&next_}, [this] { tick(); });
  next_.notify(step_);
}

bool PinClock::idle() const {
  return std::all_of(users_.begin(), users_.end(), [](const auto* user) { return user->idle(); }) &&
         std::all_of(blocks_.begin(), blocks_.end(), [](const auto* block) { return block->idle(); });
}

void PinClock::tick() {
  if (ended_ != 0) kernel_ticks = std::min(kernel_ticks, host_ticks() - std::exchange(ended_, 0));
  const bool timed = host_time_.begin();
  evaluate();
  if (!timed) return;
  host_time_.end();
  ended_ = host_ticks();
}

double PinClock::host_seconds() const {
  return host_time_.seconds() + static_cast<double>(kernel_ticks * evaluated.value()) * seconds_of_tick();
}

void PinClock::evaluate() {
  now_ = now_picoseconds();
  const auto cycle = static_cast<std::uint64_t>(now_ / period_);
  const bool in_reset = reset_left_ > 0;
  for (auto* wire : resets_) *wire = in_reset;
  for (auto* user : users_) user->drive(cycle);
  for (auto* block : blocks_) block->settle();
  for (auto& watcher : watchers_) watcher(cycle);
  for (auto* user : users_) user->edge(cycle);
  for (auto* block : blocks_) block->edge();
  ++evaluated;
  running_ = !gate_ || in_reset || !idle();
  if (in_reset) --reset_left_;
  if (running_) next_.notify(skip_to_ > now_ + period_ ? to_sc_time({skip_to_ - now_}) : step_);
}

std::uint64_t PinClock::cycles_alone(std::uint64_t most) const {
  if (!gate_ || blocks_.size() != 1 || !watchers_.empty() || sc_core::sc_pending_activity_at_current_time())
    return 1;
  auto until = std::numeric_limits<std::int64_t>::max();
  if (sc_core::sc_pending_activity_at_future_time())
    until = now_ + to_picoseconds(sc_core::sc_time_to_pending_activity());
  for (const auto* user : users_) until = std::min(until, user->drives_from());
  if (until <= now_) return 1;
  return std::min(most, static_cast<std::uint64_t>((until - now_) / period_) + 1);
}

void PinClock::wake(const sc_core::sc_time& delay) {
  if (running_) return;
  running_ = true;
  const auto now = now_picoseconds();
  const auto begins = (now + to_picoseconds(delay) + period_ - 1) / period_ * period_;
  next_.notify(to_sc_time({begins + period_ - now}));
}

void PinClock::reset(unsigned cycles) {
  reset_left_ = std::max(reset_left_, cycles);
  wake();
}

}  // namespace forerun::ip::cosim
