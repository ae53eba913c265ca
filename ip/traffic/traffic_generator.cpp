// SPDX-License-Identifier: Apache-2.0
#include "ip/traffic/traffic_generator.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "ip/base/method.hpp"

namespace forerun::ip {
namespace {
constexpr std::uint64_t most_in_an_instant = 1'000'000;
}

TrafficGenerator::TrafficGenerator(const sc_core::sc_module_name& name, const TrafficParameters& parameters,
                                   std::unique_ptr<RequestSource> source)
    : sc_module(name),
      parameters_(parameters),
      source_(source ? std::move(source) : make_source(parameters)),
      pool_(static_cast<std::uint32_t>(
          parameters.pattern == TrafficPattern::trace ? 65536 : parameters.request.count)) {
  socket.register_nb_transport_bw(this, &TrafficGenerator::nb_transport_bw);
  add_method("issue", {&next_}, [this] { issue(); });
  next_.notify(sc_core::SC_ZERO_TIME);
}

void TrafficGenerator::measure(std::int64_t start_ps, std::int64_t end_ps) {
  start_ = start_ps;
  end_ = end_ps;
}

bool TrafficGenerator::finished() const {
  return now_picoseconds() >= end_ && unfinished_ == 0 && (exhausted_ || head_.picoseconds >= end_);
}

void TrafficGenerator::wake(std::int64_t when) { next_.notify(to_sc_time({when - now_picoseconds()})); }

bool TrafficGenerator::fetch(std::int64_t now) {
  if (has_head_) return true;
  if (exhausted_ || !source_->next(head_)) {
    exhausted_ = true;
    return false;
  }
  if (parameters_.arrivals == TrafficArrivals::saturating)
    head_.picoseconds = std::max({head_.picoseconds, now, not_before_});
  has_head_ = true;
  if (measures(head_.picoseconds)) ++measured_.generated;
  return true;
}

bool TrafficGenerator::place_in_window(std::int64_t now) {
  if (!counts_for_window(head_.write)) return true;
  while (!ends_.empty() && ends_.front() <= now) {
    std::pop_heap(ends_.begin(), ends_.end(), std::greater<>());
    ends_.pop_back();
    --under_way_;
  }
  if (under_way_ < parameters_.window) return true;
  if (!ends_.empty()) wake(ends_.front());
  return false;
}

void TrafficGenerator::issue() {
  if (sending_) return;  // called back from within send()
  sending_ = true;
  const auto now = now_picoseconds();
  while (requesting_ == nullptr && fetch(now)) {
    if (const auto when = std::max(head_.picoseconds, not_before_); when > now) {
      wake(when);
      break;
    }
    if (!place_in_window(now)) break;
    send(now);
  }
  sending_ = false;
}

void TrafficGenerator::send(std::int64_t now) {
  if (instant_ != now) {
    instant_ = now;
    in_instant_ = 0;
  } else if (++in_instant_ > most_in_an_instant) {
    throw std::runtime_error(
        "the target takes any number of requests at once: saturating traffic needs a window");
  }
  const auto command = parameters_.signal ? tlm::TLM_IGNORE_COMMAND
                       : head_.write      ? tlm::TLM_WRITE_COMMAND
                                          : tlm::TLM_READ_COMMAND;
  auto& payload = pool_.acquire(command, head_.address, head_.bytes, parameters_.timing_only);
  payload.get_extension<Posted>()->active = parameters_.posted;
  auto* stamp = payload.get_extension<Stamp>();
  if (stamp == nullptr) {
    stamp = new Stamp;
    payload.set_extension(stamp);
  }
  stamp->generated = head_.picoseconds;
  stamp->sent = now;
  has_head_ = false;
  if (measures(stamp->generated)) ++unfinished_;
  if (counts_for_window(head_.write)) ++under_way_;
  requesting_ = &payload;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  auto delay = sc_core::SC_ZERO_TIME;
  const auto answer = socket->nb_transport_fw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) return;
  const auto when = now + to_picoseconds(delay);
  const bool responded = answer == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP;
  taken(payload, responded ? now : when);
  if (responded) complete(payload, when);
}

void TrafficGenerator::taken(tlm::tlm_generic_payload& payload, std::int64_t when) {
  ++sent;
  payload.get_extension<Stamp>()->taken = when;
  if (parameters_.gap > 0) not_before_ = when + parameters_.gap * period(parameters_.clock).picoseconds;
  requesting_ = nullptr;
}

void TrafficGenerator::complete(tlm::tlm_generic_payload& payload, std::int64_t when) {
  const auto& stamp = *payload.get_extension<Stamp>();
  const bool write = payload.is_write();
  ++answered;
  if (!payload.is_response_ok()) ++measured_.errors;
  if (measures(when)) {
    ++measured_.completed;
    if (!parameters_.signal)
      (write ? measured_.bytes_written : measured_.bytes_read) += payload.get_data_length();
  }
  if (measures(stamp.generated)) {
    --unfinished_;
    (write ? measured_.writes : measured_.reads).add(when - stamp.generated);
    if (!write) measured_.sent_reads.add(when - stamp.sent);
    (write ? measured_.taken_writes : measured_.taken_reads).add(when - stamp.taken);
  }
  if (counts_for_window(write)) {
    ends_.push_back(when);
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>());
  }
  payload.release();
  if (!told_ && on_finished && finished()) {
    told_ = true;
    on_finished();
  }
}

tlm::tlm_sync_enum TrafficGenerator::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                     sc_core::sc_time& delay) {
  const auto now = now_picoseconds();
  const auto when = now + to_picoseconds(delay);
  const bool response = phase == tlm::BEGIN_RESP;
  if (requesting_ == &payload) taken(payload, response ? now : when);  // a response implies END_REQ
  if (response) complete(payload, when);
  if (requesting_ == nullptr) {
    if (!response && when > now)
      wake(when);
    else
      issue();
  }
  return response ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
}

}  // namespace forerun::ip
