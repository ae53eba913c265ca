// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/remote/remote_link.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "ip/base/host_time.hpp"

namespace forerun::ip::cosim {
namespace {

std::string describe(const AxiShape& shape) {
  return std::string(shape.lite ? "AXI4-Lite" : "AXI4") + " of " + std::to_string(8 * shape.data_bytes) +
         " bits, addresses of " + std::to_string(shape.address_bits) +
         (shape.lite ? "" : ", IDs of " + std::to_string(shape.id_bits));
}

bool fit(const AxiShape& a, const AxiShape& b) {
  return a.data_bytes == b.data_bytes && a.address_bits == b.address_bits && a.lite == b.lite &&
         (a.lite || a.id_bits == b.id_bits);
}

}  // namespace

RemoteLink::RemoteLink(const sc_core::sc_module_name& name, PinClock& clock,
                       const RemoteLinkParameters& parameters)
    : sc_module(name), clock_(clock), parameters_(parameters), listener_(parameters.address) {
  parameters_.subordinate.check();
  if (parameters_.manager) parameters_.manager->check();
  parameters_.most_ahead = std::max<std::uint64_t>(parameters_.most_ahead, 1);
  clock.add(static_cast<RtlBlock&>(*this));
  clock.add_reset(reset_);
}

RemoteLink::~RemoteLink() {
  if (!channel_ || lost_) return;
  try {
    channel_->send(remote::encode_bye("the simulation has ended"));
  } catch (const ChannelError&) {
    return;  // nobody is there to be told
  }
}

void RemoteLink::join() {
  if (channel_) return;
  auto channel = listener_.accept(parameters_.connect_timeout);
  const auto hello = remote::decode_hello(channel.receive(parameters_.answer_timeout));
  const auto refuse = [&](const std::string& why) {
    channel.send(remote::encode_bye(why));
    throw ChannelError(address() + ": " + why);
  };
  if (!fit(hello.subordinate, parameters_.subordinate))
    refuse("the block's subordinate port is " + describe(hello.subordinate) + ", expected " +
           describe(parameters_.subordinate));
  if (hello.has_manager != parameters_.manager.has_value())
    refuse(hello.has_manager ? "the block has a manager port, expected none"
                             : "the block has no manager port, expected one");
  if (hello.has_manager && !fit(hello.manager, *parameters_.manager))
    refuse("the block's manager port is " + describe(hello.manager) + ", expected " +
           describe(*parameters_.manager));
  channel.send(remote::encode_welcome(static_cast<std::uint64_t>(clock_.period_ps())));
  channel_.emplace(std::move(channel));
}

bool RemoteLink::due() const { return undelivered_ && reached_ == clock_.now_ps(); }

void RemoteLink::settle() {
  const auto now = clock_.now_ps();
  if (lost_ || reset_ || reached_ >= now) return;
  try {
    join();
    run_.first_cycle = static_cast<std::uint64_t>(now / clock_.period_ps());
    run_.cycles = clock_.cycles_alone(parameters_.most_ahead);
    const auto began = std::chrono::steady_clock::now();
    const auto busy = thread_seconds();
    channel_->send(remote::encode(run_));
    ran_ = remote::decode_ran(channel_->receive(parameters_.answer_timeout));
    waited_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() -
                       (thread_seconds() - busy);
    if (ran_.cycles == 0 || ran_.cycles > run_.cycles)
      throw ChannelError("the block ran another number of cycles than it may");
    run_ = {};
    note(ran_);
  } catch (const ChannelError& error) {
    return lose(error.what());
  }
  reached_ = now + static_cast<std::int64_t>(ran_.cycles - 1) * clock_.period_ps();
  clock_.skip_to(reached_);
  undelivered_ = true;
  cycles += ran_.cycles;
  ++exchanges;
}

void RemoteLink::edge() {
  if (!due()) return;
  undelivered_ = false;
  if (ran_.interrupt == interrupt_) return;
  interrupt_ = ran_.interrupt;
  if (on_interrupt) on_interrupt(interrupt_);
}

void RemoteLink::carry_out(std::vector<AxiBurst>& bursts) {
  for (auto& burst : bursts) requester_.issue(burst);
  std::size_t done = 0;
  try {
    if (!lost_) join();
    while (!lost_ && done < bursts.size()) {
      run_.cycles = parameters_.most_ahead;
      channel_->send(remote::encode(run_));
      auto ran = remote::decode_ran(channel_->receive(parameters_.answer_timeout));
      const auto next = run_.first_cycle + ran.cycles;
      run_ = {};
      run_.first_cycle = next;
      if (!requester_.take(ran.answers))
        throw ChannelError("the block answers a burst that is not under way");
      server_.arrive(ran.requests);
      note(ran);
      while (requester_.take_done() != nullptr) ++done;
      ran_.idle = ran.idle;
    }
  } catch (const ChannelError& error) {
    lose(error.what());
  }
  if (lost_) {
    requester_.edge();
    while (requester_.take_done() != nullptr) continue;
  }
  clock_.wake();
}

void RemoteLink::note(const remote::Ran& ran) {
  broken_rules_ += ran.broken_rules;
  broken_.insert(broken_.end(), ran.broken.begin(), ran.broken.end());
}

void RemoteLink::lose(const std::string& why) {
  lost_ = true;
  undelivered_ = false;
  ran_ = {};
  run_ = {};
  channel_.reset();
  if (on_loss)
    on_loss(why);
  else
    std::fprintf(stderr, "forerun: error: the block at %s is lost: %s\n", address().c_str(), why.c_str());
}

void RemoteLink::Requester::issue(AxiBurst& burst) {
  burst.beat = 0;
  if (!link_.lost_) link_.run_.requests.push_back(remote::request_for(next_handle_, burst));
  under_way_[next_handle_++] = &burst;
}

AxiBurst* RemoteLink::Requester::take_done() {
  if (done_.empty()) return nullptr;
  auto* const burst = done_.front();
  done_.pop_front();
  return burst;
}

void RemoteLink::Requester::edge() {
  if (link_.lost_) {
    for (auto& [handle, burst] : under_way_) {
      burst->response = Response::slverr;
      done_.push_back(burst);
    }
    under_way_.clear();
    return;
  }
  if (link_.due() && !take(link_.ran_.answers)) {
    link_.lose("the block answers a burst that is not under way");
    edge();
  }
}

bool RemoteLink::Requester::take(const std::vector<remote::Answer>& answers) {
  for (const auto& answer : answers) {
    const auto place = under_way_.find(answer.handle);
    const bool sound =
        place != under_way_.end() && (place->second->write || answer.data.size() == place->second->length);
    if (!sound) return false;
    auto& burst = *place->second;
    for (unsigned i = 0; i < answer.data.size(); ++i)
      if (burst.enabled(i)) burst.data[i] = answer.data[i];
    burst.response = answer.response;
    done_.push_back(&burst);
    under_way_.erase(place);
  }
  return true;
}

AxiBurst* RemoteLink::Server::take() {
  if (arrived_.empty()) return nullptr;
  auto* const burst = arrived_.front();
  arrived_.pop_front();
  return burst;
}

void RemoteLink::Server::edge() {
  if (!link_.lost_ && link_.due()) arrive(link_.ran_.requests);
}

void RemoteLink::Server::arrive(std::vector<remote::Request>& requests) {
  for (auto& request : requests) {
    auto kept = std::make_unique<remote::Request>(std::move(request));
    auto& burst = kept->burst;
    burst.data = kept->data.data();
    burst.enables = kept->enables.empty() ? nullptr : kept->enables.data();
    burst.enables_phase = 0;
    burst.enables_period = std::max(burst.length, 1u);
    burst.owner = kept.get();
    arrived_.push_back(&burst);
    under_way_[kept->handle] = std::move(kept);
  }
  requests.clear();
}

void RemoteLink::Server::complete(AxiBurst& burst) {
  auto& request = *static_cast<remote::Request*>(burst.owner);
  if (!link_.lost_)
    link_.run_.answers.push_back({request.handle, burst.response,
                                  burst.write ? std::vector<std::uint8_t>() : std::move(request.data)});
  under_way_.erase(request.handle);
}

}  // namespace forerun::ip::cosim
