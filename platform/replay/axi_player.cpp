// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/axi_player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace forerun::replay {
using ip::cosim::AxiBurst;
using ip::cosim::AxiPins;
using ip::cosim::Response;
using ip::record::Transaction;
namespace {

constexpr const char* response_names[] = {"OKAY", "EXOKAY", "SLVERR", "DECERR"};

std::string name_of(const Transaction& t) {
  return fmt::format("{} of {} bytes at {:#x}", t.write != 0 ? "write" : "read", t.length, t.address);
}

}  // namespace

AxiPlayer::AxiPlayer(const std::string& path, const ip::cosim::AxiShape& shape,
                     const AxiPlaySettings& settings)
    : path_(path),
      shape_(shape),
      settings_(settings),
      source_(path, settings.window, settings.most),
      manager_(shape, {.stall = {settings.stall_share, settings.seed, 1}}),
      checker_(shape, source_.block()),
      initial_(settings.initial_contents ? source_.initial_contents() : std::vector<Transaction>()) {
  if (settings.under_way == 0) throw std::invalid_argument("one or more transactions are under way");
}

void AxiPlayer::fail(std::string what) {
  if (status_ == Status::running) message_ = std::move(what);
  status_ = Status::different;
}

bool AxiPlayer::next(Job& job) {
  if (initial_done_ < initial_.size()) {
    job.transaction = initial_[initial_done_++];
    job.initial = true;
    return true;
  }
  if (!source_.next(job.transaction)) return false;
  job.number = source_.position();
  const auto end = job.transaction.address + job.transaction.length - 1;
  if (shape_.address_bits < 64 && end >> shape_.address_bits != 0)
    throw std::invalid_argument(
        fmt::format("{}: transaction {} is a {}, beyond {} bits of address; choose a part of the addresses",
                    path_, job.number, name_of(job.transaction), shape_.address_bits));
  return true;
}

bool AxiPlayer::may_start(const Job& job) const {
  const auto& t = job.transaction;
  return std::none_of(jobs_.begin(), jobs_.end(), [&](const auto& other) {
    const auto& o = other->transaction;
    return (t.write != 0 || o.write != 0) && t.address < o.address + o.length &&
           o.address < t.address + t.length;
  });
}

bool AxiPlayer::is_due(const Job& job) {
  if (settings_.cycle_ps == 0 || job.initial) return true;
  const auto begin = job.transaction.begin_ps;
  if (!first_ps_) first_ps_ = begin, first_cycle_ = cycle_;
  const bool due = begin <= *first_ps_ + (cycle_ - first_cycle_) * settings_.cycle_ps;
  if (!due && jobs_.empty()) progress_ = cycle_;  // nothing is to move
  return due;
}

void AxiPlayer::start(std::unique_ptr<Job> job) {
  auto& t = job->transaction;
  job->data = t.data;
  job->data.resize(t.length);
  if (t.write == 0) std::fill(job->data.begin(), job->data.end(), std::uint8_t{0});
  for (const auto enable : t.enables) job->enables.push_back(enable != 0 ? 0xff : 0);
  ip::cosim::split({.write = t.write != 0,
                    .address = t.address,
                    .data = job->data.data(),
                    .length = t.length,
                    .streaming_width = t.streaming_width,
                    .enables = job->enables.empty() ? nullptr : job->enables.data(),
                    .enables_period = static_cast<unsigned>(job->enables.size())},
                   shape_, {}, job->bursts);
  job->left = job->bursts.size();
  const auto id = shape_.id_bits == 0 || shape_.lite ? 0 : next_id_++ % (1u << std::min(shape_.id_bits, 4u));
  for (auto& burst : job->bursts) {
    burst.id = id;
    burst.cache = 3;
    burst.owner = job.get();
    manager_.issue(burst);
  }
  jobs_.push_back(std::move(job));
}

void AxiPlayer::finish(Job& job) {
  const auto& t = job.transaction;
  const auto got = job.response == Response::exokay ? Response::okay : job.response;
  const auto name =
      job.initial ? "initial " + name_of(t)
                  : fmt::format("transaction {}, a {}, begun at {} ps", job.number, name_of(t), t.begin_ps);
  if (got != static_cast<Response>(t.response))
    return fail(fmt::format("{}: the response in cycle {} is {}, recorded {}", name, cycle_,
                            response_names[static_cast<unsigned>(got)], response_names[t.response]));
  if (t.write == 0 && t.response == Transaction::okay && (t.flags & Transaction::has_data) != 0)
    for (std::uint32_t i = 0; i < t.length; ++i)
      if ((t.enables.empty() || t.enables[i] != 0) && job.data[i] != t.data[i])
        return fail(fmt::format("{}: byte {} read in cycle {} is {:02x}, recorded {:02x}", name, i, cycle_,
                                unsigned{job.data[i]}, unsigned{t.data[i]}));
  if (job.initial) return;
  ++compared_;
  bytes_ += t.length;
}

Status AxiPlayer::cycle(AxiPins& pins) {
  if (status_ != Status::running) return status_;
  checker_.sample(pins, cycle_);
  if (checker_.log().total() > 0) {
    fail(checker_.log().kept().front().message());
    return status_;
  }
  manager_.edge(pins);
  while (auto* burst = manager_.take_done()) {
    auto& job = *static_cast<Job*>(burst->owner);
    job.response = ip::cosim::worse(job.response, burst->response);
    progress_ = cycle_;
    if (--job.left > 0) continue;
    finish(job);
    std::erase_if(jobs_, [&](const auto& one) { return one.get() == &job; });
  }
  if (pins.reset) progress_ = cycle_;
  while (status_ == Status::running && !pins.reset && !exhausted_) {
    if (!waiting_) {
      waiting_ = std::make_unique<Job>();
      exhausted_ = !next(*waiting_);
      if (exhausted_) waiting_.reset();
    }
    // The initial contents are in place before anything else begins.
    const bool mixes = waiting_ && !waiting_->initial && !jobs_.empty() && jobs_.front()->initial;
    if (!waiting_ || jobs_.size() >= settings_.under_way || mixes || !may_start(*waiting_) ||
        !is_due(*waiting_))
      break;
    start(std::move(waiting_));
    progress_ = cycle_;
  }
  if (status_ == Status::running && exhausted_ && jobs_.empty() && !waiting_) {
    status_ = Status::finished;
    message_ = fmt::format("{} transactions, {} bytes, {} cycles: all equal", compared_, bytes_, cycle_);
    if (source_.left_out() > 0) message_ += fmt::format("; {} transactions left out", source_.left_out());
  }
  if (status_ == Status::running && cycle_ > progress_ + settings_.patience)
    fail(fmt::format("nothing has moved for {} cycles: {}", settings_.patience, checker_.under_way()));
  manager_.drive(pins, ++cycle_);
  return status_;
}

}  // namespace forerun::replay
