// SPDX-License-Identifier: Apache-2.0
// Interludes: when many bursts wait while the scheduler is at work, an interlude that began in the same way
// is looked for. If there is none, a copy of the controller goes ahead until bursts run short or a run
// begins, and writes down what it does. Then what was written down is told as time passes. The controller
// itself stays as it was, and is brought to the end of the interlude in one step; if somebody wants to look
// at it before, it goes there tick by tick.
#include "ip/hbm/interlude.hpp"

#include <algorithm>
#include <cstring>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {
namespace {

constexpr Tick shortest = 16, longest = 1 << 14;
constexpr std::size_t most_entering = 1024;
constexpr std::size_t tick_admits = 2;  // a tick frees an entry for a column command and one for an ACT

constexpr std::uint64_t ChannelStatistics::*commands[] = {
    &ChannelStatistics::reads,       &ChannelStatistics::writes,       &ChannelStatistics::hits,
    &ChannelStatistics::misses,      &ChannelStatistics::conflicts,    &ChannelStatistics::activates,
    &ChannelStatistics::precharges,  &ChannelStatistics::refreshes,    &ChannelStatistics::bank_refreshes,
    &ChannelStatistics::managements, &ChannelStatistics::check_bursts,
};

}  // namespace

std::uint64_t InterludeCache::hash(std::span<const Interlude::Moment> values) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;
  std::array<std::uint64_t, 4> sums{}, words;  // apart, so that none waits for another
  std::size_t i = 0;
  for (; (values.size() - i) * sizeof(values[0]) >= sizeof(words); i += sizeof(words) / sizeof(values[0])) {
    std::memcpy(words.data(), &values[i], sizeof(words));
    for (std::size_t k = 0; k < words.size(); ++k) sums[k] = (sums[k] ^ words[k]) * factor;
  }
  auto sum = sums[0];
  for (std::size_t k = 1; k < sums.size(); ++k) sum = (sum ^ sum >> 32 ^ sums[k]) * factor;
  for (; i < values.size(); ++i) sum = (sum ^ static_cast<std::uint32_t>(values[i])) * factor;
  return sum ^ sum >> 32;
}

std::shared_ptr<Interlude> InterludeCache::blank(const RefreshPlan& plan, Tick at) {
  if (!forgotten_ || forgotten_.use_count() > 1) return std::make_shared<Interlude>(plan, at);
  forgotten_->clear(plan, at);
  return std::move(forgotten_);
}

void InterludeCache::insert(std::shared_ptr<Interlude> interlude) {
  const auto sum = hash(interlude->before);
  auto& set = sets_[sum % sets_.size()];
  auto& entry =
      *std::min_element(set.begin(), set.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  forgotten_ = std::move(entry.interlude);
  entry = {sum, ++uses_, std::move(interlude)};
}

/// One of the bursts that wait, as seen in an interlude.
Interlude::Entering Controller::entering(const Waiting& w, std::uint16_t number, const View& view) const {
  const auto place = w.high ^ block_[number];
  return {
      std::uint64_t{place.row() - view.row} << 32 | ((place.unit() & bank_mask_) ^ view.flip) << 2 | w.write * 2u |
          w.check,
      static_cast<Interlude::Moment>(std::max(w.offered, view.oldest) - view.base)};
}

/// From the next tick on, if it can be foreseen.
bool Controller::begin_interlude() {
  if (!interludes_->pays()) {
    interlude_again_ = next_ + longest;
    return false;
  }
  interlude_again_ = next_ + shortest;
  const auto first = first_waiting();
  View view{next_, next_, first.row, first.bank & alike_};
  for (const auto free : data_free_) view.oldest = std::min(view.oldest, free);
  order_.for_each([&](std::uint32_t at) { view.oldest = std::min(view.oldest, slots_[at].visible); });
  if (sleeping_ || bin_ticks_ > 0 || next_ - view.oldest > longest) return false;

  auto& now = interlude_;
  write_state(view, now.before);
  now.of = interludes_->find(now.before, [&](const Interlude& interlude) {
    return plan_.agrees(interlude.plan_before, next_ - interlude.begin, next_ + interlude.length) &&
           same_entering(interlude, view);
  });
  now.again = static_cast<bool>(now.of);
  if (!now.of) {
    auto interlude = go_ahead(view);
    if (!interlude) return false;
    now.of = interlude;
    interludes_->insert(std::move(interlude));
  }
  now.began = clock_;
  now.view = view;
  now.entered = now.sent = 0;
  now.bursts.clear();
  order_.for_each([&](std::uint32_t at) { now.bursts.push_back({slots_[at].owner, slots_[at].offered}); });
  now.taken.clear();
  now.front_next = waiting_.front().next;
  return true;
}

/// True if the bursts that wait are those of the interlude.
bool Controller::same_entering(const Interlude& interlude, const View& view) const {
  if (waiting_bursts_ <= interlude.entering.size()) return false;
  auto expected = interlude.entering.begin();
  for (std::size_t i = 0; i < waiting_.size() && waiting_[i].offered <= clock_; ++i) {
    const auto& w = waiting_[i];
    for (auto n = w.next; n < w.end; ++n, ++expected) {
      if (expected == interlude.entering.end()) return w.write == interlude.behind_writes;
      if (*expected != entering(w, n, view)) return false;
    }
  }
  return false;
}

/// Writes down what a copy does. Null if that is not worth it.
std::shared_ptr<Interlude> Controller::go_ahead(const View& view) {
  auto result = interludes_->blank(plan_, view.base);
  auto& interlude = *result;
  interlude.before = interlude_.before;
  auto& copy = interludes_->copy;
  if (copy)
    *copy = *this;
  else
    copy = std::make_shared<Controller>(*this);
  auto& ahead = *copy;
  ahead.interludes_.reset();
  ahead.completions.clear(), ahead.admissions.clear();
  std::uint32_t number = 0;
  ahead.order_.for_each([&](std::uint32_t at) { ahead.slots_[at].owner = number++; });
  ahead.waiting_.clear();
  for (std::size_t i = 0; i < waiting_.size() && waiting_[i].offered <= clock_; ++i)
    for (auto w = waiting_[i]; w.next < w.end && ahead.waiting_.size() < most_entering; ++w.next) {
      ahead.waiting_.push_back({w.high ^ block_[w.next], w.offered, number++, 0, 1, w.write, w.check, true});
      interlude.entering.push_back(entering(w, w.next, view));
    }
  ahead.waiting_bursts_ = ahead.waiting_.size();

  const auto moment = [&](Tick t) { return static_cast<Interlude::Moment>(t - view.base); };
  interlude.into_run = false;
  while (ahead.waiting_.size() > tick_admits && ahead.next_ - view.base < longest && !ahead.sleeping_) {
    if (ahead.may_begin_run() && ahead.next_ >= ahead.run_again_ && ahead.is_run(ahead.next_)) {
      ahead.run_again_ = ahead.next_;
      interlude.into_run = ahead.used_ >= 4;
      break;
    }
    const auto t = ahead.next_;
    ahead.tick(t);
    for (const auto& c : ahead.completions) interlude.sent.push_back({moment(t), moment(c.done), c.owner});
    interlude.entered.insert(interlude.entered.end(), ahead.admissions.size(), moment(t));
    ahead.completions.clear(), ahead.admissions.clear();
  }
  if (ahead.waiting_.empty() || ahead.sleeping_ || ahead.next_ - view.base < shortest) return nullptr;

  interlude.length = moment(ahead.next_);
  interlude.entering.resize(interlude.entered.size());
  interlude.behind_writes = ahead.waiting_.front().write;
  ahead.write_state(view, interlude.after);
  ahead.order_.for_each([&](std::uint32_t at) { interlude.queue.push_back(ahead.slots_[at].owner); });
  interlude.plan_after = ahead.plan_;
  for (const auto command : commands) interlude.counts.*command = ahead.counts_.*command - counts_.*command;
  for (std::size_t i = 0; i < limits; ++i) interlude.limit_ticks[i] = ahead.limit_ticks_[i] - limit_ticks_[i];
  interlude.depth_ticks = ahead.depth_ticks_ - depth_ticks_;
  return result;
}

/// Tells what happens up to and including tick `limit`.
void Controller::tell_interlude(Tick limit) {
  auto& now = interlude_;
  const auto& interlude = *now.of;
  for (; now.entered < interlude.entered.size() && now.view.base + interlude.entered[now.entered] <= limit;
       ++now.entered) {
    auto& w = waiting_.front();
    now.bursts.push_back({w.owner, w.offered});
    --waiting_bursts_;
    if (++w.next < w.end) continue;
    if (w.report) admissions.push_back(w.owner);
    now.taken.push_back(w);
    now.taken.back().next = now.front_next;
    waiting_.pop_front();
    now.front_next = waiting_.front().next;
  }
  for (; now.sent < interlude.sent.size() && now.view.base + interlude.sent[now.sent].when <= limit;
       ++now.sent) {
    const auto& sent = interlude.sent[now.sent];
    complete(now.bursts[sent.number].owner, now.view.base + sent.done);
  }
  next_ = now.view.base + interlude.length;
  if (next_ <= limit) return end_interlude();
  if (now.entered < interlude.entered.size())
    next_ = std::min(next_, now.view.base + interlude.entered[now.entered]);
  if (now.sent < interlude.sent.size())
    next_ = std::min(next_, now.view.base + interlude.sent[now.sent].when);
}

/// All has been told.
void Controller::end_interlude() {
  auto& now = interlude_;
  const auto interlude = std::move(now.of);
  now.origins.clear();
  for (const auto number : interlude->queue) now.origins.push_back(now.bursts[number]);
  read_state(now.view, interlude->after, now.origins, interlude->into_run);
  plan_.take_over(interlude->plan_before, interlude->plan_after, now.view.base - interlude->begin);
  for (const auto command : commands) counts_.*command += interlude->counts.*command;
  for (std::size_t i = 0; i < limits; ++i) limit_ticks_[i] += interlude->limit_ticks[i];
  depth_ticks_ += interlude->depth_ticks;
  if (now.again) repeated_ += interlude->sent.size();
  clock_ = std::max(clock_, next_ - 1);
}

/// Brings the controller itself to where the interlude has been told.
void Controller::leave_interlude() {
  auto& now = interlude_;
  if (!now.of) return;
  now.of.reset();
  if (!waiting_.empty()) waiting_.front().next = now.front_next;
  for (std::size_t i = 0; i < waiting_.size(); ++i) now.taken.push_back(waiting_[i]);
  waiting_.clear();
  waiting_bursts_ = 0;
  for (const auto& w : now.taken) {
    waiting_.push_back(w);
    waiting_bursts_ += static_cast<std::size_t>(w.end - w.next);
  }
  const auto told = clock_;
  const auto completed = std::move(completions);
  const auto admitted = std::move(admissions);
  completions.clear(), admissions.clear();
  clock_ = now.began, next_ = now.view.base;
  interlude_again_ = told + 1;
  advance(told);
  completions = completed, admissions = admitted;
}

}  // namespace forerun::ip::hbm
