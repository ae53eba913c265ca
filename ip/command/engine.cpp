// SPDX-License-Identifier: Apache-2.0
#include "ip/command/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace forerun::ip {

Engine::Engine(const sc_core::sc_module_name& name, unsigned queue_depth)
    : sc_module(name), queue_(queue_depth), started_at_(queue_depth) {}

void Engine::connect(Semaphores& semaphores, Turns& turns, std::function<void()> on_progress,
                     std::function<void(const Command&, LocalFault)> on_fault) {
  semaphores_ = &semaphores;
  on_progress_ = std::move(on_progress);
  on_fault_ = std::move(on_fault);
  turns.add(start_, *this, [this] { try_start(); });
  semaphores.watch([this] { wake(); });
  add_turns(turns);
}

void Engine::push(const Command& command) {
  queue_[(head_ + count_) % queue_.size()] = command;
  ++count_;
  wake();
}

void Engine::try_start() {
  if (started_ == count_) return;
  const auto place = (head_ + started_) % queue_.size();
  const auto& next = queue_[place];
  if (started_ > 0 ? !accepts(next) : !ready()) return;
  const auto header = next.header();
  const auto now = now_picoseconds();
  if (!semaphores_->try_take(header)) {
    if (blocked_since_ < 0) blocked_since_ = now;
    return;
  }
  if (blocked_since_ >= 0 && started_ == 0)
    semaphore_time += static_cast<std::uint64_t>(now - std::max(blocked_since_, last_end_));
  blocked_since_ = -1;
  started_at_[place] = now;
  ++started_;
  if (on_begin) on_begin(next);
  start(next);
}

void Engine::leave() {
  const auto now = now_picoseconds();
  const auto spent = static_cast<std::uint64_t>(now - std::max(started_at_[head_], last_end_));
  last_end_ = now;
  const auto tag = current().header().tag;
  busy_time += spent;
  ++commands;
  if (tag >= time_by_tag_.size() && tag < 65536) time_by_tag_.resize(tag + 1);
  if (tag < time_by_tag_.size()) time_by_tag_[tag] += spent;
}

void Engine::finish() {
  leave();
  const auto header = current().header();
  if (const int overflowed = semaphores_->give(header); overflowed >= 0)
    return on_fault_(current(), {FR_ERROR_SEMAPHORE, static_cast<std::uint64_t>(overflowed)});
  head_ = (head_ + 1) % queue_.size();
  --count_;
  --started_;
  if (on_end) on_end();
  if (count_ > started_) wake();
  on_progress_();
}

void Engine::fail(LocalFault fault) {
  leave();
  started_ = 0;
  on_fault_(current(), fault);
}

void Engine::reset() {
  if (started_ > 0) abandon();
  count_ = head_ = started_ = 0;
  blocked_since_ = -1;
}

std::string Engine::describe_block() const {
  if (!blocked()) return {};
  const auto header = current().header();
  std::string text;
  for (const auto& wait : header.wait)
    if (wait.semaphore != FR_NO_SEMAPHORE)
      text += fmt::format("{}semaphore {} (holds {}, wants {})", text.empty() ? "waits for " : " and ",
                          wait.semaphore, semaphores_->count(wait.semaphore), wait.count);
  return fmt::format("{}, command at byte {:#x}, tag {}", text.empty() ? "waits to start" : text,
                     current().offset, header.tag);
}

}  // namespace forerun::ip
