// SPDX-License-Identifier: Apache-2.0
#include "ip/command/engine.hpp"

#include <fmt/format.h>

#include "ip/base/method.hpp"

namespace forerun::ip {

Engine::Engine(const sc_core::sc_module_name& name, unsigned queue_depth) : sc_module(name), queue_(queue_depth) {}

void Engine::connect(Semaphores& semaphores, std::function<void()> on_progress,
                     std::function<void(const Command&, LocalFault)> on_fault) {
  semaphores_ = &semaphores;
  on_progress_ = std::move(on_progress);
  on_fault_ = std::move(on_fault);
  add_method(sc_core::sc_gen_unique_name("start"), {&wake_, &semaphores.raised}, [this] { try_start(); });
}

void Engine::push(const Command& command) {
  queue_[(head_ + count_) % queue_.size()] = command;
  ++count_;
  wake();
}

void Engine::try_start() {
  if (running_ || count_ == 0 || !ready()) return;
  const auto header = current().header();
  const auto now = now_picoseconds();
  if (!semaphores_->try_take(header)) {
    if (blocked_since_ < 0) blocked_since_ = now;
    return;
  }
  if (blocked_since_ >= 0) semaphore_time += static_cast<std::uint64_t>(now - blocked_since_);
  blocked_since_ = -1;
  running_ = true;
  started_ = now;
  if (on_begin) on_begin(header);
  start(current());
}

void Engine::leave() {
  const auto spent = static_cast<std::uint64_t>(now_picoseconds() - started_);
  const auto tag = current().header().tag;
  busy_time += spent;
  ++commands;
  if (tag >= time_by_tag_.size() && tag < 65536) time_by_tag_.resize(tag + 1);
  if (tag < time_by_tag_.size()) time_by_tag_[tag] += spent;
  running_ = false;
}

void Engine::finish() {
  leave();
  const auto header = current().header();
  if (const int overflowed = semaphores_->give(header); overflowed >= 0)
    return on_fault_(current(), {FR_ERROR_SEMAPHORE, static_cast<std::uint64_t>(overflowed)});
  head_ = (head_ + 1) % queue_.size();
  --count_;
  if (count_ > 0) wake();
  on_progress_();
}

void Engine::fail(LocalFault fault) {
  leave();
  on_fault_(current(), fault);
}

void Engine::reset() {
  if (running_) abandon();
  running_ = false;
  count_ = head_ = 0;
  blocked_since_ = -1;
}

std::string Engine::describe_block() const {
  if (!blocked()) return {};
  const auto header = current().header();
  std::string text;
  for (const auto& wait : header.wait)
    if (wait.semaphore != FR_NO_SEMAPHORE)
      text += fmt::format("{}semaphore {} (holds {}, wants {})", text.empty() ? "waits for " : " and ", wait.semaphore,
                          semaphores_->count(wait.semaphore), wait.count);
  return fmt::format("{}, command at byte {:#x}, tag {}", text.empty() ? "waits to start" : text, current().offset, header.tag);
}

}  // namespace forerun::ip
