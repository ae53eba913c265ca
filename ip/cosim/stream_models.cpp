// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/stream_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace forerun::ip::cosim {

StreamTransmitter::StreamTransmitter(const StreamShape& shape, const StallParameters& stall)
    : shape_(shape), stall_(stall, 16) {
  shape_.check();
}

void StreamTransmitter::drive(StreamPins& pins, std::uint64_t cycle) {
  if (pins.reset || !released_) {
    pins.valid = false;
    return;
  }
  if (!valid_ && !queue_.empty() && !stall_(cycle)) {
    valid_ = true;
    const auto& packet = *queue_.front();
    const auto count = std::min(shape_.data_bytes, packet.length - packet.offset);
    std::memcpy(pins.data.data(), packet.data + packet.offset, count);
    pins.keep = pins.strobes = Strobes::run(0, count);
    if (packet.enables != nullptr) {
      pins.strobes = {};
      for (unsigned i = 0; i < count; ++i)
        if (packet.enables[(packet.offset + i) % packet.enables_period] != 0) pins.strobes.set(i);
    }
    pins.id = packet.id;
    pins.dest = packet.dest;
    pins.last = packet.last && packet.offset + count == packet.length;
  }
  pins.valid = valid_;
}

void StreamTransmitter::edge(const StreamPins& pins) {
  const auto finish = [&](bool failed) {
    queue_.front()->failed = failed;
    done_.push(queue_.pop());
  };
  if (pins.reset) {
    if (released_ && !queue_.empty() && (valid_ || queue_.front()->offset > 0)) finish(true);
    released_ = valid_ = false;
    return;
  }
  if (!released_) {
    released_ = true;
    return;
  }
  if (!valid_ || !pins.ready) return;
  valid_ = false;
  auto& packet = *queue_.front();
  packet.offset += std::min(shape_.data_bytes, packet.length - packet.offset);
  if (packet.offset == packet.length) finish(false);
}

StreamReceiver::StreamReceiver(const StreamShape& shape, const StreamReceiverParameters& parameters)
    : shape_(shape), parameters_(parameters), stall_(parameters.stall, 17) {
  shape_.check();
  if (parameters_.most_bytes < shape_.data_bytes || parameters_.most_packets == 0)
    throw std::invalid_argument(
        fmt::format("a receiver of beats of {} bytes cannot gather {} packets of {} bytes", shape_.data_bytes,
                    parameters_.most_packets, parameters_.most_bytes));
  for (unsigned i = 0; i < parameters_.most_packets; ++i) {
    auto& slot = *slots_.emplace_back(std::make_unique<Slot>());
    slot.data.resize(parameters_.most_bytes);
    slot.enables.resize(parameters_.most_bytes);
    free_.push_back(&slot.packet);
  }
}

void StreamReceiver::drive(StreamPins& pins, std::uint64_t cycle) {
  // A beat may need a packet of its own, so one must be free.
  pins.ready = !pins.reset && released_ && !free_.empty() && !stall_(cycle);
}

StreamPacket& StreamReceiver::open(std::uint32_t id, std::uint32_t dest) {
  for (auto* packet : open_)
    if (packet->id == id && packet->dest == dest) return *packet;
  auto& packet = *free_.back();
  free_.pop_back();
  const auto slot =
      std::find_if(slots_.begin(), slots_.end(), [&](const auto& one) { return &one->packet == &packet; });
  packet = {};
  packet.data = (*slot)->data.data();
  packet.owner = slot->get();
  packet.id = id;
  packet.dest = dest;
  packet.last = false;
  open_.push_back(&packet);
  return packet;
}

void StreamReceiver::edge(const StreamPins& pins) {
  if (pins.reset) {
    free_.insert(free_.end(), open_.begin(), open_.end());
    open_.clear();
    while (!ready_.empty()) free_.push_back(ready_.pop());
    released_ = false;
    return;
  }
  if (!released_) {
    released_ = true;
    return;
  }
  if (!pins.valid || !pins.ready) return;
  auto& packet = open(pins.id, pins.dest);
  auto* const enables = static_cast<Slot*>(packet.owner)->enables.data();
  for (unsigned lane = 0; lane < shape_.data_bytes; ++lane) {
    if (!pins.keep[lane]) continue;
    packet.data[packet.length] = pins.data[lane];
    enables[packet.length] = pins.strobes[lane] ? 0xff : 0;
    if (!pins.strobes[lane]) packet.enables = enables;
    ++packet.length;
  }
  if (pins.last || packet.length + shape_.data_bytes > parameters_.most_bytes) {
    packet.last = pins.last;
    hand_out(packet);
  } else if (open_.size() == parameters_.most_packets) {
    hand_out(*open_.front());  // more streams than packets: make room for the next beat
  }
}

void StreamReceiver::hand_out(StreamPacket& packet) {
  packet.enables_period = std::max(packet.length, 1u);
  open_.erase(std::find(open_.begin(), open_.end(), &packet));
  ready_.push(&packet);
}

void StreamReceiver::flush() {
  while (!open_.empty()) hand_out(*open_.front());
}

}  // namespace forerun::ip::cosim
