// SPDX-License-Identifier: Apache-2.0
#include "ip/command/turns.hpp"

#include <bit>
#include <stdexcept>
#include <string>

#include "ip/base/method.hpp"

namespace forerun::ip {

Turns::Turns(const sc_core::sc_module_name& name) : sc_module(name) {
  add_method("run", {&run_}, [this] { run(); });
}

void Turns::add(Turn& turn, const sc_core::sc_object& owner, std::function<void()> function) {
  if (functions_.size() == most) throw std::length_error("too many turns in a cluster");
  turn.turns_ = this;
  turn.bit_ = std::uint64_t{1} << functions_.size();
  functions_.push_back(std::move(function));
  owners_.push_back(owner.name());
  add_method(sc_core::sc_gen_unique_name("timed"), {&turn.timed_}, [&turn] { turn.now(); });
}

void Turns::run() {
  now_ = ready_;
  ready_ = 0;
  while (now_ != 0) {
    const auto next = std::countr_zero(now_);
    now_ &= now_ - 1;
    const auto turn = static_cast<std::size_t>(next);
    try {
      functions_[turn]();
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string(error.what()) + "\n  in " + owners_[turn]);
    }
  }
}

}  // namespace forerun::ip
