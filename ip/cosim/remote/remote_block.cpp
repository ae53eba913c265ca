// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/remote/remote_block.hpp"

#include <cstring>
#include <utility>

namespace forerun::ip::cosim {

RemoteBlock::RemoteBlock(std::string address, const RemoteBlockParameters& parameters)
    : address_(std::move(address)),
      parameters_(parameters),
      requester_(parameters.subordinate, parameters.requests),
      server_(parameters.manager.value_or(AxiShape{}), parameters.answers),
      subordinate_checker_(parameters.subordinate, "subordinate"),
      manager_checker_(parameters.manager.value_or(AxiShape{}), "manager") {}

RemoteBlock::~RemoteBlock() {
  if (!channel_ || ended_) return;
  try {
    channel_->send(remote::encode_bye("the block's simulator has ended"));
  } catch (const ChannelError&) {
    return;  // nobody is there to be told
  }
}

void RemoteBlock::join() {
  channel_.emplace(Channel::connect(address_, parameters_.connect_timeout));
  channel_->send(remote::encode(remote::Hello{
      parameters_.subordinate, parameters_.manager.value_or(AxiShape{}), parameters_.manager.has_value()}));
  remote::decode_welcome(channel_->receive(0));
}

void RemoteBlock::next_run() {
  run_ = remote::decode_run(channel_->receive(0));
  cycle_ = run_.first_cycle;
  for (auto& request : run_.requests) {
    auto kept = std::make_unique<remote::Request>(std::move(request));
    auto& burst = kept->burst;
    burst.data = kept->data.data();
    burst.enables = kept->enables.empty() ? nullptr : kept->enables.data();
    burst.enables_phase = 0;
    burst.enables_period = std::max(burst.length, 1u);
    burst.owner = kept.get();
    requester_.issue(burst);
    requests_[kept->handle] = std::move(kept);
  }
  for (const auto& answer : run_.answers) {
    const auto place = bursts_.find(answer.handle);
    if (place == bursts_.end()) throw ChannelError("the chip answers a burst that is not under way");
    auto& burst = *place->second;
    if (!burst.write && answer.data.size() == burst.length)
      std::memcpy(burst.data, answer.data.data(), burst.length);
    else if (!burst.write)
      throw ChannelError("the chip answers a read with another number of bytes");
    burst.response = answer.response;
    server_.complete(burst);
    bursts_.erase(place);
  }
}

void RemoteBlock::note_broken_rules() {
  const auto all = subordinate_checker_.log().total() + manager_checker_.log().total();
  if (all == broken_rules_) return;
  ran_.broken_rules += static_cast<std::uint32_t>(all - broken_rules_);
  broken_rules_ = all;
  std::size_t seen = 0;
  for (const auto* checker : {&subordinate_checker_, &manager_checker_})
    for (const auto& violation : checker->log().kept())
      if (++seen > noted_) ran_.broken.push_back(violation.message());
  noted_ = seen;
}

void RemoteBlock::drive(AxiPins& subordinate, AxiPins& manager) {
  requester_.drive(subordinate, cycle_);
  server_.drive(manager, cycle_);
}

bool RemoteBlock::cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt, bool idle) {
  if (ended_) return false;
  try {
    if (!channel_) {
      if (!subordinate.reset) {
        join();
        next_run();
      }
      drive(subordinate, manager);
      return true;
    }
    subordinate_checker_.sample(subordinate, cycle_);
    if (parameters_.manager) manager_checker_.sample(manager, cycle_);
    note_broken_rules();
    requester_.edge(subordinate);
    server_.edge(manager);
    while (auto* burst = requester_.take_done()) {
      auto& request = *static_cast<remote::Request*>(burst->owner);
      auto& answer = ran_.answers.emplace_back(remote::Answer{request.handle, burst->response, {}});
      if (!burst->write) answer.data = std::move(request.data);
      requests_.erase(request.handle);
    }
    while (auto* burst = server_.take()) {
      bursts_[next_handle_] = burst;
      ran_.requests.push_back(remote::request_for(next_handle_++, *burst));
    }
    ++ran_.cycles;
    ++cycle_;
    if (!ran_.answers.empty() || !ran_.requests.empty() || interrupt != interrupt_ ||
        ran_.cycles == run_.cycles) {
      ran_.interrupt = interrupt_ = interrupt;
      ran_.idle = idle && requester_.idle() && server_.idle();
      channel_->send(remote::encode(ran_));
      ran_ = {};
      next_run();
    }
    drive(subordinate, manager);
    return true;
  } catch (const ChannelError& error) {
    message_ = error.what();
    ended_ = true;
    return false;
  }
}

}  // namespace forerun::ip::cosim
