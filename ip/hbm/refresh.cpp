// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/refresh.hpp"

#include <algorithm>
#include <bit>

namespace forerun::ip::hbm {
namespace {

/// i with its lowest bits in the opposite order, for n a power of two; scopes take turns so that neighbours
/// are far apart.
unsigned reversed(unsigned i, unsigned n) {
  unsigned result = 0;
  for (unsigned bit = 1; bit < n; bit <<= 1, i >>= 1) result = result << 1 | (i & 1);
  return result;
}

}  // namespace

RefreshPlan::RefreshPlan(const Parameters& p, const TimingState& timing)
    : per_bank_(p.refresh == Refresh::per_bank),
      spread_(p.refresh_order == RefreshOrder::spread),
      interval_(per_bank_ ? timing.delay.interval_bank : timing.delay.interval),
      banks_(static_cast<unsigned>(timing.bank.size())) {
  if (p.refresh == Refresh::none || interval_ == 0) return;
  if (per_bank_) {
    const auto turns = std::max<Tick>(1, (timing.delay.interval + interval_ / 2) / interval_);  // in tREFI
    stride_ = std::min(banks_, static_cast<unsigned>(turns));
    scopes.push_back({interval_, 0, 0, banks_});
  } else {
    const auto size = timing.stack_ids() ? timing.banks_per_rank() * timing.ranks() : timing.banks_per_rank();
    const auto count = banks_ / size;
    for (unsigned i = 0; i < count; ++i) {
      const auto share =
          spread_ ? reversed(i, std::bit_ceil(count)) * interval_ / std::bit_ceil(count) : Tick{0};
      scopes.push_back({(interval_ - share) / timing.delay.per_cycle * timing.delay.per_cycle, 0, i * size,
                        (i + 1) * size});
    }
  }
  update();
}

void RefreshPlan::update() {
  next_ = never;
  for (const auto& scope : scopes) next_ = std::min(next_, scope.due);
}

void RefreshPlan::fall_due(Tick t) {
  for (auto& scope : scopes)
    while (scope.due <= t) {
      scope.due += interval_;
      ++scope.owed, ++owed_;
    }
  update();
}

void RefreshPlan::pay(std::size_t index, Tick t, std::vector<RefreshJob>& jobs) {
  auto& scope = scopes[index];
  --scope.owed, --owed_;
  if (!per_bank_) return jobs.push_back({RefreshJob::Kind::all_bank, scope.first, scope.end, t});
  for (unsigned b = cursor_; b < banks_; b += stride_) jobs.push_back({RefreshJob::Kind::bank, b, b + 1, t});
  cursor_ = (cursor_ + 1) % stride_;
}

void RefreshPlan::restart(Tick t) {
  for (auto& scope : scopes) {
    scope.due = t + interval_;
    owed_ -= scope.owed;
    scope.owed = 0;
  }
  update();
}

bool RefreshPlan::agrees(const RefreshPlan& other, Tick moved, Tick end) const {
  bool same = true, any = owed_ > 0;
  for (std::size_t s = 0; s < scopes.size(); ++s) {
    const auto due = scopes[s].due, others = other.scopes[s].due + moved;
    same = same && scopes[s].owed == other.scopes[s].owed;
    if (due >= end && others >= end) continue;
    same = same && due == others;
    any = true;
  }
  return same && (!any || cursor_ == other.cursor_);
}

void RefreshPlan::take_over(const RefreshPlan& before, const RefreshPlan& after, Tick moved) {
  for (std::size_t s = 0; s < scopes.size(); ++s) {
    if (after.scopes[s].due != before.scopes[s].due) scopes[s].due = after.scopes[s].due + moved;
    scopes[s].owed += after.scopes[s].owed - before.scopes[s].owed;
  }
  owed_ += after.owed_ - before.owed_;
  if (after.cursor_ != before.cursor_) cursor_ = after.cursor_;
  update();
}

}  // namespace forerun::ip::hbm
