// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_checker.hpp"

#include <fmt/format.h>

#include <bit>

namespace forerun::ip::cosim {

namespace {

bool same(const AddressChannel& a, const AddressChannel& b, unsigned) {
  return a.id == b.id && a.address == b.address && a.len == b.len && a.size == b.size && a.burst == b.burst &&
         a.lock == b.lock && a.cache == b.cache && a.prot == b.prot && a.qos == b.qos && a.region == b.region;
}
bool same(const WriteChannel& a, const WriteChannel& b, unsigned bytes) {
  if (a.last != b.last || a.strobes != b.strobes) return false;
  for (unsigned lane = 0; lane < bytes; ++lane)
    if (a.strobes[lane] && a.data[lane] != b.data[lane]) return false;
  return true;
}
bool same(const AnswerChannel& a, const AnswerChannel& b, unsigned) {
  return a.id == b.id && a.response == b.response;
}
bool same(const ReadChannel& a, const ReadChannel& b, unsigned bytes) {
  return a.id == b.id && a.response == b.response && a.last == b.last &&
         std::memcmp(a.data.data(), b.data.data(), bytes) == 0;
}

std::string describe(const AxiBurst& burst) {
  constexpr const char* kinds[] = {"FIXED", "INCR", "WRAP", "reserved burst"};
  return fmt::format("ID {}, {} beats of {} bytes, {}, address {:#x}", burst.id, burst.beats,
                     burst.beat_bytes(), kinds[static_cast<unsigned>(burst.kind)], burst.address);
}

}  // namespace

AxiChecker::AxiChecker(const AxiShape& shape, std::string_view name) : shape_(shape), name_(name) {
  shape_.check();
}

void AxiChecker::broken(AxiRule rule, std::string detail) {
  log_.add(rule, cycle_, name_ + ": " + std::move(detail));
}

/// The rules of the handshake. True in the first cycle of a new payload.
template <typename Channel>
bool AxiChecker::starts(const Channel& channel, Channel& before, bool& waiting, const char* name) {
  const bool was_waiting = waiting;
  if (was_waiting && !channel.valid)
    broken(AxiRule::valid_dropped, fmt::format("{}VALID dropped before {}READY", name, name));
  if (was_waiting && channel.valid && !same(before, channel, shape_.data_bytes))
    broken(AxiRule::payload_changed, fmt::format("{} changed while {}VALID waited", name, name));
  waiting = channel.valid && !channel.ready;
  if (waiting) before = channel;
  return channel.valid && !was_waiting;
}

void AxiChecker::sample(const AxiPins& pins, std::uint64_t cycle) {
  cycle_ = cycle;
  if (pins.reset || in_reset_) {
    const auto rule = pins.reset ? AxiRule::valid_in_reset : AxiRule::valid_after_reset;
    const auto low = [&](bool valid, const char* name) {
      if (valid) broken(rule, fmt::format("{}VALID is high", name));
    };
    low(pins.aw.valid, "AW");
    low(pins.w.valid, "W");
    low(pins.b.valid, "B");
    low(pins.ar.valid, "AR");
    low(pins.r.valid, "R");
  }
  in_reset_ = pins.reset;
  if (pins.reset) {
    aw_waits_ = w_waits_ = b_waits_ = ar_waits_ = r_waits_ = false;
    reads_.clear();
    writes_.clear();
    ahead_.clear();
    filled_ = 0;
    return;
  }
  if (starts(pins.aw, aw_, aw_waits_, "AW")) address(pins.aw, "AW", true);
  if (starts(pins.ar, ar_, ar_waits_, "AR")) address(pins.ar, "AR", false);
  starts(pins.w, w_, w_waits_, "W");
  if (pins.aw.valid && pins.aw.ready) {
    AxiBurst burst;
    burst.id = shape_.lite ? 0 : pins.aw.id;
    burst.address = pins.aw.address;
    burst.beats = shape_.lite ? 1 : pins.aw.len + 1u;
    burst.size = pins.aw.size;
    burst.kind = pins.aw.burst;
    burst.lock = pins.aw.lock;
    burst.length = burst.full_length();
    writes_.push_back({burst});
    while (!ahead_.empty() && filled_ < writes_.size()) data(ahead_.pop());
  }
  if (pins.w.valid && pins.w.ready) {
    const Beat beat{shape_.lite || pins.w.last, pins.w.strobes};
    if (filled_ == writes_.size())
      ahead_.push(beat);
    else
      data(beat);
  }
  if (pins.ar.valid && pins.ar.ready) {
    AxiBurst burst;
    burst.id = shape_.lite ? 0 : pins.ar.id;
    burst.address = pins.ar.address;
    burst.beats = shape_.lite ? 1 : pins.ar.len + 1u;
    burst.size = pins.ar.size;
    burst.kind = pins.ar.burst;
    burst.lock = pins.ar.lock;
    reads_.push_back({burst});
  }
  if (starts(pins.b, b_, b_waits_, "B")) answer(pins.b, false);
  if (pins.b.valid && pins.b.ready) answer(pins.b, true);
  const bool new_beat = starts(pins.r, r_, r_waits_, "R");
  if (pins.r.valid) read(pins.r, new_beat, pins.r.ready);
}

void AxiChecker::address(const AddressChannel& channel, const char* name, bool write) {
  AxiBurst burst;
  burst.id = channel.id;
  burst.write = write;
  burst.address = channel.address;
  burst.beats = channel.len + 1u;
  burst.size = channel.size;
  burst.kind = channel.burst;
  const auto report = [&](AxiRule rule) { broken(rule, fmt::format("{}: {}", name, describe(burst))); };
  if (shape_.address_bits < 64 && channel.address >> shape_.address_bits != 0) report(AxiRule::address_range);
  if (shape_.lite) return;
  const auto total = std::uint64_t{burst.beats} << burst.size;
  if (channel.size > shape_.full_size()) report(AxiRule::size_exceeds_bus);
  if ((channel.cache & 0b0010) == 0 && (channel.cache & 0b1100) != 0) report(AxiRule::cache_reserved);
  switch (channel.burst) {
    case BurstKind::fixed:
      if (burst.beats > 16) report(AxiRule::fixed_length);
      break;
    case BurstKind::incr: {
      const auto first = burst.address & ~std::uint64_t{burst.beat_bytes() - 1};
      if ((burst.address ^ (first + total - 1)) >> 12 != 0) report(AxiRule::crosses_4k);
      break;
    }
    case BurstKind::wrap:
      if (burst.beats > 16 || burst.beats < 2 || !std::has_single_bit(burst.beats))
        report(AxiRule::wrap_length);
      if (burst.address % burst.beat_bytes() != 0) report(AxiRule::wrap_unaligned);
      break;
    case BurstKind::reserved:
      report(AxiRule::burst_reserved);
  }
  if (!channel.lock) return;
  if (burst.beats > 16) report(AxiRule::exclusive_length);
  if (!std::has_single_bit(total) || total > 128)
    report(AxiRule::exclusive_size);
  else if (burst.address % total != 0)
    report(AxiRule::exclusive_unaligned);
}

void AxiChecker::data(const Beat& beat) {
  auto& request = writes_[filled_];
  auto& burst = request.burst;
  const bool last = request.beat + 1 >= burst.beats;
  const auto where = [&] { return fmt::format("W: beat {} of: {}", request.beat + 1, describe(burst)); };
  if (beat.last && !last) broken(AxiRule::wlast_early, where());
  if (!beat.last && last) broken(AxiRule::wlast_missing, where());
  const auto span = beat_span(burst, request.beat, shape_.data_bytes);
  const auto lanes = shape_.lite ? Strobes::run(0, shape_.data_bytes) : Strobes::run(span.lane, span.count);
  if (!(beat.strobes & ~lanes).none())
    broken(AxiRule::strobe_outside,
           fmt::format("{}, lanes {} to {} at most", where(), span.lane, span.lane + span.count - 1));
  ++request.beat;
  if (last) ++filled_;
}

void AxiChecker::answer(const AnswerChannel& channel, bool taken) {
  const auto id = shape_.lite ? 0 : channel.id;
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    if (writes_[i].burst.id != id) continue;
    if (taken) {
      if (i < filled_) --filled_;
      writes_.erase(writes_.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
    if (i >= filled_) broken(AxiRule::b_before_data, fmt::format("B: {}", describe(writes_[i].burst)));
    if (channel.response == Response::exokay) {
      if (shape_.lite)
        broken(AxiRule::lite_exokay, "B: EXOKAY");
      else if (!writes_[i].burst.lock)
        broken(AxiRule::b_exokay, fmt::format("B: EXOKAY for: {}", describe(writes_[i].burst)));
    }
    return;
  }
  if (!taken) broken(AxiRule::b_without_request, fmt::format("B: ID {}", id));
}

void AxiChecker::read(const ReadChannel& channel, bool starts, bool taken) {
  const auto id = shape_.lite ? 0 : channel.id;
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    auto& request = reads_[i];
    if (request.burst.id != id) continue;
    const bool last = request.beat + 1 >= request.burst.beats;
    if (starts) {
      const auto report = [&](AxiRule rule) {
        broken(rule, fmt::format("R: beat {} of: {}", request.beat + 1, describe(request.burst)));
      };
      if (!shape_.lite && channel.last && !last) report(AxiRule::rlast_early);
      if (!shape_.lite && !channel.last && last) report(AxiRule::rlast_missing);
      if (channel.response == Response::exokay) {
        if (shape_.lite)
          broken(AxiRule::lite_exokay, "R: EXOKAY");
        else if (!request.burst.lock)
          report(AxiRule::r_exokay);
      }
    }
    if (taken) {
      ++request.beat;
      if (last || channel.last) reads_.erase(reads_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return;
  }
  if (starts) broken(AxiRule::r_without_request, fmt::format("R: ID {}", id));
}

std::string AxiChecker::under_way() const {
  std::string list;
  for (const auto& request : reads_)
    list += fmt::format("read with {} beats answered: {}\n", request.beat, describe(request.burst));
  for (const auto& request : writes_)
    list += fmt::format("write with {} beats of data sent: {}\n", request.beat, describe(request.burst));
  return list;
}

}  // namespace forerun::ip::cosim
