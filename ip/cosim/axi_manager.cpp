// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_manager.hpp"

namespace forerun::ip::cosim {

AxiManager::AxiManager(const AxiShape& shape, const AxiManagerParameters& parameters)
    : shape_(shape),
      parameters_(parameters),
      stall_aw_(parameters.stall, 0),
      stall_w_(parameters.stall, 1),
      stall_b_(parameters.stall, 2),
      stall_ar_(parameters.stall, 3),
      stall_r_(parameters.stall, 4) {
  shape_.check();
}

void AxiManager::issue(AxiBurst& burst) {
  burst.beat = 0;
  burst.response = Response::exokay;  // the best; worse ones replace it
  if (burst.write) {
    address_queue_.push(&burst);
    data_queue_.push(&burst);
  } else {
    read_queue_.push(&burst);
  }
}

void AxiManager::present(AddressChannel& channel, const AxiBurst& burst) const {
  channel.address = burst.address;
  channel.prot = burst.prot;
  if (shape_.lite) {
    channel.address &= ~std::uint64_t{shape_.data_bytes - 1};
    return;
  }
  channel.id = burst.id;
  channel.len = static_cast<std::uint8_t>(burst.beats - 1);
  channel.size = static_cast<std::uint8_t>(burst.size);
  channel.burst = burst.kind;
  channel.lock = burst.lock;
  channel.cache = burst.cache;
  channel.qos = burst.qos;
  channel.region = burst.region;
}

void AxiManager::present(WriteChannel& channel, const AxiBurst& burst) const {
  const auto span = beat_span(burst, burst.beat, shape_.data_bytes);
  std::memcpy(channel.data.data() + span.lane, burst.data + span.offset, span.count);
  if (burst.enables == nullptr) {
    channel.strobes = Strobes::run(span.lane, span.count);
  } else {
    channel.strobes = {};
    for (unsigned i = 0; i < span.count; ++i)
      if (burst.enabled(span.offset + i)) channel.strobes.set(span.lane + i);
  }
  channel.last = burst.beat + 1 == burst.beats;
}

void AxiManager::drive(AxiPins& pins, std::uint64_t cycle) {
  if (pins.reset || !released_) {
    pins.aw.valid = pins.w.valid = pins.ar.valid = pins.b.ready = pins.r.ready = false;
    return;
  }
  if (!aw_valid_ && !address_queue_.empty() && addresses_ - answers_ < parameters_.most_writes &&
      !stall_aw_(cycle)) {
    aw_valid_ = true;
    ++addresses_;
    writes_.push_back(address_queue_.front());
    present(pins.aw, *address_queue_.front());
  }
  if (!w_valid_ && !data_queue_.empty() && !stall_w_(cycle)) {
    if (!data_begun_ &&
        data_ < (parameters_.data_may_lead ? answers_ + parameters_.most_writes : addresses_)) {
      data_begun_ = true;
      ++data_;
    }
    if (data_begun_) {
      w_valid_ = true;
      present(pins.w, *data_queue_.front());
    }
  }
  if (!ar_valid_ && !read_queue_.empty() && reads_.size() < parameters_.most_reads && !stall_ar_(cycle)) {
    ar_valid_ = true;
    reads_.push_back(read_queue_.front());
    present(pins.ar, *read_queue_.front());
  }
  pins.aw.valid = aw_valid_;
  pins.w.valid = w_valid_;
  pins.ar.valid = ar_valid_;
  pins.b.ready = !stall_b_(cycle);
  pins.r.ready = !stall_r_(cycle);
}

void AxiManager::edge(const AxiPins& pins) {
  if (pins.reset) {
    if (released_) abort();
    released_ = false;
    return;
  }
  if (!released_) {
    released_ = true;
    return;
  }
  if (aw_valid_ && pins.aw.ready) {
    aw_valid_ = false;
    address_queue_.pop();
  }
  if (w_valid_ && pins.w.ready) {
    w_valid_ = false;
    auto& burst = *data_queue_.front();
    if (++burst.beat == burst.beats) {
      data_queue_.pop();
      data_begun_ = false;
    }
  }
  if (ar_valid_ && pins.ar.ready) {
    ar_valid_ = false;
    read_queue_.pop();
  }
  if (pins.r.valid && pins.r.ready) take(pins.r);
  if (pins.b.valid && pins.b.ready) take(pins.b);
}

void AxiManager::take(const ReadChannel& channel) {
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    auto& burst = *reads_[i];
    if (!shape_.lite && burst.id != channel.id) continue;
    const auto span = beat_span(burst, burst.beat, shape_.data_bytes);
    if (burst.enables == nullptr) {
      std::memcpy(burst.data + span.offset, channel.data.data() + span.lane, span.count);
    } else {
      for (unsigned j = 0; j < span.count; ++j)
        if (burst.enabled(span.offset + j)) burst.data[span.offset + j] = channel.data[span.lane + j];
    }
    burst.response = worse(burst.response, channel.response);
    ++burst.beat;
    const bool last = shape_.lite || channel.last;
    if (last && burst.beat < burst.beats) burst.response = worse(burst.response, Response::slverr);
    if (last || burst.beat == burst.beats) finish(reads_, i);
    return;
  }
  ++unexpected_;
}

void AxiManager::take(const AnswerChannel& channel) {
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    auto& burst = *writes_[i];
    if (!shape_.lite && burst.id != channel.id) continue;
    if (burst.beat < burst.beats) break;
    burst.response = channel.response;
    ++answers_;
    finish(writes_, i);
    return;
  }
  ++unexpected_;
}

void AxiManager::finish(std::vector<AxiBurst*>& list, std::size_t index) {
  done_.push(list[index]);
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(index));
}

void AxiManager::abort() {
  const auto fail = [&](AxiBurst* burst) {
    burst->response = Response::slverr;
    done_.push(burst);
  };
  for (auto* burst : reads_) fail(burst);
  for (auto* burst : writes_) fail(burst);
  if (ar_valid_) read_queue_.pop();
  if (aw_valid_) address_queue_.pop();
  for (; addresses_ < data_; ++addresses_)
    fail(address_queue_.pop());  // whose data went before their address
  if (data_begun_) data_queue_.pop();
  for (; data_ < addresses_; ++data_) data_queue_.pop();
  reads_.clear();
  writes_.clear();
  answers_ = addresses_;
  aw_valid_ = w_valid_ = ar_valid_ = data_begun_ = false;
}

}  // namespace forerun::ip::cosim
