// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/input_log.hpp"

#include <fmt/format.h>

#include <cstring>

namespace forerun::rtl {

InputLog::InputLog(ip::cosim::ModelInstance& instance, std::vector<unsigned> clocks, std::size_t cycles)
    : clocks_(std::move(clocks)), shown_(cycles) {
  const auto ports = instance.model().ports();
  for (unsigned i = 0; i < ports.size(); ++i) {
    if (!ports[i].input) continue;
    const auto bytes = (ports[i].bits + 7u) / 8;
    ports_.push_back({i, bytes, instance.storage(i), last_.size()});
    last_.resize(last_.size() + bytes);
  }
}

/// Seven bits a byte, the lowest first.
void InputLog::put(std::uint64_t number) {
  for (; number >= 128; number >>= 7) changes_.push_back(static_cast<unsigned char>(number | 128));
  changes_.push_back(static_cast<unsigned char>(number));
}

void InputLog::note(std::int64_t picoseconds) {
  if (dropped_) return;
  if (changes_.size() > most_bytes) {
    dropped_ = true;
    changes_ = {};
    return;
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const auto& port = ports_[i];
    if (std::memcmp(port.now, &last_[port.last], port.bytes) == 0) continue;
    std::memcpy(&last_[port.last], port.now, port.bytes);
    put(cycles_ - changed_);
    put(i);
    changes_.insert(changes_.end(), port.now, port.now + port.bytes);
    changed_ = cycles_;
  }
  ++cycles_;
  times_.push_back(picoseconds);
  if (times_.size() > shown_) times_.pop_front();
}

std::string InputLog::write(const std::shared_ptr<const ip::cosim::SharedModel>& model,
                            const std::string& file, std::int64_t period_ps) const {
  if (dropped_)
    return "none: what they would be made from has become too long, --waves writes them in the run";
  if (cycles_ == 0) return "none";
  ip::cosim::ModelInstance instance(model);
  const auto* at = changes_.data();
  const auto* const end = at + changes_.size();
  const auto get = [&at] {
    std::uint64_t number = 0;
    unsigned shift = 0;
    for (; (*at & 128) != 0; shift += 7) number |= std::uint64_t{*at++ & 127u} << shift;
    return number | std::uint64_t{*at++} << shift;
  };
  const auto level = [&](unsigned char value) {
    for (const auto clock : clocks_) *instance.storage(clock) = value;
    instance.eval();
  };
  std::uint64_t next = at == end ? ~std::uint64_t{0} : get();
  const auto first = cycles_ - times_.size();
  for (std::uint64_t cycle = 0; cycle < cycles_; ++cycle) {
    while (next == cycle) {
      const auto& port = ports_[get()];
      std::memcpy(instance.storage(port.number), at, port.bytes);
      at += port.bytes;
      next = at == end ? ~std::uint64_t{0} : cycle + get();
    }
    if (cycle == first) instance.open_waves(file);
    const auto time = cycle < first ? 0 : times_[cycle - first];
    level(0);
    if (cycle >= first) instance.dump_waves(static_cast<std::uint64_t>(time - period_ps / 2));
    level(1);
    if (cycle >= first) instance.dump_waves(static_cast<std::uint64_t>(time));
  }
  instance.close_waves();
  return fmt::format("{} to {} ps in {}", times_.front(), times_.back(), file);
}

}  // namespace forerun::rtl
