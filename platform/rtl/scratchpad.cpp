// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/scratchpad.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace forerun::rtl {
namespace {

namespace cosim = ip::cosim;

constexpr unsigned most_cycles = 100'000;    // of a burst
constexpr std::uint64_t most_bytes = 65536;  // that are cut into bursts at once
constexpr unsigned cycles_after_difference = 50;

MappedInterface& only_interface(MappedBlock& block, const std::string& file) {
  if (block.interfaces().size() != 1 || block.interfaces()[0]->map.role != Role::subordinate ||
      block.interfaces()[0]->map.protocol != Protocol::axi4)
    throw std::runtime_error(
        fmt::format("rtl.scratchpad: {}: expected one interface, axi4 with role subordinate", file));
  return *block.interfaces()[0];
}

}  // namespace

RtlScratchpad::RtlScratchpad(const std::string& file, RtlScratchpadParameters parameters)
    : file_(file),
      parameters_(std::move(parameters)),
      block_(std::make_shared<cosim::SharedModel>(file)),
      face_(only_interface(block_, file)),
      manager_(face_.axi),
      checker_(face_.axi, parameters_.label),
      period_ps_(
          period(block_.map().frequency.hertz > 0 ? block_.map().frequency : parameters_.clock).picoseconds) {
  const auto bits = face_.axi.address_bits;
  if (bits < 64 && (parameters_.host.size() - 1) >> bits != 0)
    throw std::runtime_error(
        fmt::format("rtl.scratchpad: {}: its address bus of {} bits does not reach all {} bytes of "
                    "clusters.scratchpad.size",
                    file, bits, parameters_.host.size()));
  block_.period_ps = period_ps_;
  block_.open_waves(parameters_.waves, parameters_.label);
  if (parameters_.lockstep && parameters_.waves.format == Waves::none && block_.can_write_waves())
    block_.roll_waves("lockstep." + parameters_.label);
}

void RtlScratchpad::cycle(bool reset) {
  block_.now_ps = ++cycle_ * period_ps_;
  block_.reset = face_.axi_pins.reset = reset;
  manager_.drive(face_.axi_pins, static_cast<std::uint64_t>(cycle_));
  block_.settle();
  checker_.sample(face_.axi_pins, static_cast<std::uint64_t>(cycle_));
  manager_.edge(face_.axi_pins);
  block_.edge();
}

std::int64_t RtlScratchpad::transfer(bool write, std::uint64_t address, std::uint64_t bytes,
                                     std::int64_t from_ps) {
  if (silent_) return cycle_ * period_ps_;  // until the run has ended
  const ip::Stopwatch watch(host_seconds_);
  cycle_ = std::max(cycle_, (from_ps + period_ps_ - 1) / period_ps_);
  if (!was_reset_) {
    for (unsigned i = 0; i < block_.map().reset_cycles; ++i) cycle(true);
    was_reset_ = true;
  }
  const auto host = parameters_.host.subspan(address, bytes);
  if (parameters_.lockstep && !write) read_.assign(bytes, 0);
  auto* const data = parameters_.lockstep && !write ? read_.data() : host.data();
  for (std::uint64_t done = 0; done < bytes;) {
    const auto piece = std::min(bytes - done, most_bytes);
    std::vector<cosim::AxiBurst> bursts;
    cosim::split({.write = write,
                  .address = address + done,
                  .data = data + done,
                  .length = static_cast<unsigned>(piece)},
                 face_.axi, {}, bursts);
    for (auto& burst : bursts) manager_.issue(burst);
    std::size_t answered = 0;
    for (std::size_t i = 0; answered < bursts.size(); ++i) {
      if (i > bursts.size() * most_cycles) {
        silent_ = true;
        refuse(write, address, bytes, fmt::format("it has no answer after {} cycles", i));
        return cycle_ * period_ps_;
      }
      cycle(false);
      for (; const auto* burst = manager_.take_done(); ++answered)
        if (burst->response != cosim::Response::okay) refuse(write, address, bytes, reason(*burst));
    }
    done += piece;
  }
  ++accesses_;
  if (parameters_.lockstep && !write) compare(address, read_);
  return cycle_ * period_ps_;
}

/// What was wrong with an answer, and what it answered.
std::string RtlScratchpad::reason(const cosim::AxiBurst& burst) const {
  const auto what =
      fmt::format("the {} burst of {} beat{} of {} bytes at {:#x}", burst.write ? "write" : "read",
                  burst.beats, burst.beats == 1 ? "" : "s", burst.beat_bytes(), burst.address);
  const auto size = parameters_.host.size();
  switch (burst.response) {
    case cosim::Response::exokay:
      return fmt::format("{} is answered with EXOKAY, which is for exclusive accesses, expected OKAY", what);
    case cosim::Response::decerr:
      return fmt::format(
          "{} is answered with DECERR: the module has nothing there, expected memory at every "
          "address below {:#x} (clusters.scratchpad.size)",
          what, size);
    default:
      if (!burst.write && burst.beat < burst.beats)
        return fmt::format("{} ends with RLAST at beat {}", what, burst.beat);
      return fmt::format(
          "{} is answered with SLVERR: the module refuses it, expected OKAY for every burst of "
          "AXI4 below {:#x}",
          what, size);
  }
}

/// An access that did not end well: in lockstep that is a difference.
void RtlScratchpad::refuse(bool write, std::uint64_t address, std::uint64_t bytes, std::string why) {
  if (found_) return;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, log().kept().size()); ++i)
    why += "\n  broken before: " + log().kept()[i].message();
  const auto access = fmt::format("{} of {} bytes at {:#x}", write ? "write" : "read", bytes, address);
  if (!parameters_.lockstep)
    throw std::runtime_error(
        fmt::format("{}: {}: {}, in cycle {}: {}", file_, parameters_.label, access, cycle_, why));
  differ(access, std::move(why));
}

void RtlScratchpad::compare(std::uint64_t address, std::span<const unsigned char> read) {
  ++compared_;
  const auto host = parameters_.host.subspan(address, read.size());
  const auto [wrong, right] = std::mismatch(read.begin(), read.end(), host.begin());
  if (wrong == read.end() || found_) return;
  const auto at = static_cast<std::uint64_t>(wrong - read.begin());
  differ(fmt::format("read of {} bytes at {:#x}", read.size(), address),
         fmt::format("byte {} ({:#x}) is {:02x}, by the model {:02x}", at, address + at, *wrong, *right));
}

void RtlScratchpad::differ(std::string access, std::string what) {
  found_ = true;
  const auto first = cycle_;
  for (unsigned i = 0; i < cycles_after_difference; ++i) cycle(false);
  if (on_difference)
    on_difference({parameters_.label, std::move(access), static_cast<std::uint64_t>(first),
                   first * period_ps_, std::move(what)},
                  parameters_.waves.format != Waves::none ? parameters_.waves.file(parameters_.label)
                  : block_.can_write_waves()              ? block_.rolled_waves()
                                                          : "none: the model was made without waves");
}

}  // namespace forerun::rtl
