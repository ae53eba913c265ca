// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_subordinate.hpp"

#include <algorithm>

namespace forerun::ip::cosim {

namespace {
constexpr std::size_t most_ahead = 16;  // beats before their address

/// The first burst of each ID in a list, oldest first, for which `visit` returns true, or null.
template <typename Visit>
AxiBurst* first_of_ids(const std::vector<AxiBurst*>& list, Visit visit) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    bool first = true;
    for (std::size_t j = 0; j < i && first; ++j) first = list[j]->id != list[i]->id;
    if (first && visit(*list[i])) return list[i];
  }
  return nullptr;
}
}  // namespace

AxiSubordinate::AxiSubordinate(const AxiShape& shape, const AxiSubordinateParameters& parameters)
    : shape_(shape),
      parameters_(parameters),
      stall_aw_(parameters.stall, 8),
      stall_w_(parameters.stall, 9),
      stall_b_(parameters.stall, 10),
      stall_ar_(parameters.stall, 11),
      stall_r_(parameters.stall, 12) {
  shape_.check();
}

AxiBurst& AxiSubordinate::open(const AddressChannel& channel, bool write) {
  if (free_.empty()) {
    const auto capacity = shape_.data_bytes * (shape_.lite ? 1u : 256u);
    auto& slot = *slots_.emplace_back(std::make_unique<Slot>());
    slot.data.resize(capacity);
    slot.enables.resize(capacity);
    slot.burst.owner = &slot;
    free_.push_back(&slot.burst);
  }
  auto& burst = *free_.back();
  free_.pop_back();
  auto& slot = *static_cast<Slot*>(burst.owner);
  burst = {};
  burst.owner = &slot;
  burst.write = write;
  burst.address = channel.address;
  burst.prot = channel.prot;
  burst.size = shape_.full_size();
  burst.data = slot.data.data();
  if (shape_.lite) {
    burst.address &= ~std::uint64_t{shape_.data_bytes - 1};
  } else {
    burst.id = channel.id;
    burst.beats = channel.len + 1u;
    burst.size = std::min<unsigned>(channel.size, burst.size);
    burst.kind = channel.burst;
    burst.lock = channel.lock;
    burst.cache = channel.cache;
    burst.qos = channel.qos;
    burst.region = channel.region;
  }
  if (burst.kind == BurstKind::wrap) burst.address &= ~std::uint64_t{burst.beat_bytes() - 1};
  burst.length = burst.full_length();
  return burst;
}

void AxiSubordinate::fill(const Strobes& strobes, const Lanes& data) {
  auto& burst = *filling_.front();
  auto* const enables = static_cast<Slot*>(burst.owner)->enables.data();
  const auto span = beat_span(burst, burst.beat, shape_.data_bytes);
  std::memcpy(burst.data + span.offset, data.data() + span.lane, span.count);
  const auto lanes = Strobes::run(span.lane, span.count);
  const bool all = (strobes & lanes) == lanes;
  if (!all && burst.enables == nullptr) {
    burst.enables = enables;
    burst.enables_period = burst.length;
    std::memset(enables, 0xff, span.offset);
  }
  if (burst.enables != nullptr)
    for (unsigned i = 0; i < span.count; ++i) enables[span.offset + i] = strobes[span.lane + i] ? 0xff : 0;
  if (++burst.beat < burst.beats) return;
  requests_.push(filling_.pop());
}

void AxiSubordinate::complete(AxiBurst& burst) {
  if (static_cast<Slot*>(burst.owner)->forgotten) {
    static_cast<Slot*>(burst.owner)->forgotten = false;
    free_.push_back(&burst);
    return;
  }
  burst.beat = 0;
  burst.answered = true;
}

AxiBurst* AxiSubordinate::choose(std::uint64_t cycle) {
  if (!parameters_.interleave)
    return reading_ != nullptr ? reading_
                               : first_of_ids(reads_, [](const AxiBurst& burst) { return burst.answered; });
  unsigned candidates = 0;
  const auto count = [&](const AxiBurst& burst) { return burst.answered && ++candidates == 0; };
  first_of_ids(reads_, count);
  if (candidates == 0) return nullptr;
  auto skip = stall_r_.number(cycle) % candidates;
  return first_of_ids(reads_, [&](const AxiBurst& burst) { return burst.answered && skip-- == 0; });
}

void AxiSubordinate::drive(AxiPins& pins, std::uint64_t cycle) {
  if (pins.reset || !released_) {
    pins.aw.ready = pins.w.ready = pins.ar.ready = pins.b.valid = pins.r.valid = false;
    return;
  }
  pins.aw.ready = writes_.size() < parameters_.most_writes && !stall_aw_(cycle);
  pins.ar.ready = reads_.size() < parameters_.most_reads && !stall_ar_(cycle);
  pins.w.ready = ahead_.size() < most_ahead && !stall_w_(cycle);
  if (!r_valid_ && !reads_.empty() && !stall_r_(cycle)) {
    reading_ = choose(cycle);
    if (reading_ != nullptr) {
      r_valid_ = true;
      const auto span = beat_span(*reading_, reading_->beat, shape_.data_bytes);
      std::memcpy(pins.r.data.data() + span.lane, reading_->data + span.offset, span.count);
      pins.r.id = reading_->id;
      pins.r.response = reading_->response;
      pins.r.last = reading_->beat + 1 == reading_->beats;
    }
  }
  if (answering_ == nullptr && !writes_.empty() && !stall_b_(cycle)) {
    answering_ = first_of_ids(writes_, [](const AxiBurst& burst) { return burst.answered; });
    if (answering_ != nullptr) {
      pins.b.id = answering_->id;
      pins.b.response = answering_->response;
    }
  }
  pins.r.valid = r_valid_;
  pins.b.valid = answering_ != nullptr;
}

void AxiSubordinate::edge(const AxiPins& pins) {
  if (pins.reset) {
    if (released_) forget();
    released_ = false;
    return;
  }
  if (!released_) {
    released_ = true;
    return;
  }
  if (pins.aw.valid && pins.aw.ready) {
    auto& burst = open(pins.aw, true);
    writes_.push_back(&burst);
    filling_.push(&burst);
  }
  while (!ahead_.empty() && !filling_.empty()) {
    const auto& beat = ahead_.front();
    fill(beat.strobes, beat.data);
    ahead_.pop();
  }
  if (pins.w.valid && pins.w.ready) {
    if (filling_.empty())
      ahead_.push({pins.w.strobes, pins.w.data});
    else
      fill(pins.w.strobes, pins.w.data);
  }
  if (pins.ar.valid && pins.ar.ready) {
    auto& burst = open(pins.ar, false);
    reads_.push_back(&burst);
    requests_.push(&burst);
  }
  if (r_valid_ && pins.r.ready) {
    r_valid_ = false;
    if (++reading_->beat == reading_->beats) {
      close(reads_, reading_);
      reading_ = nullptr;
    }
  }
  if (answering_ != nullptr && pins.b.ready) {
    close(writes_, answering_);
    answering_ = nullptr;
  }
}

void AxiSubordinate::close(std::vector<AxiBurst*>& list, const AxiBurst* burst) {
  const auto place = std::find(list.begin(), list.end(), burst);
  free_.push_back(*place);
  list.erase(place);
}

void AxiSubordinate::forget() {
  // Bursts that the user still holds come back by complete(); all others are free at once.
  while (!filling_.empty()) filling_.pop()->answered = true;
  while (!requests_.empty()) requests_.pop()->answered = true;
  for (auto* list : {&reads_, &writes_}) {
    for (auto* burst : *list) {
      if (burst->answered)
        free_.push_back(burst);
      else
        static_cast<Slot*>(burst->owner)->forgotten = true;
    }
    list->clear();
  }
  ahead_.clear();
  reading_ = answering_ = nullptr;
  r_valid_ = false;
}

}  // namespace forerun::ip::cosim
