// SPDX-License-Identifier: Apache-2.0
// Packets between the sockets and the network model, and when what happens to them is told.
#include <algorithm>
#include <bit>

#include "ip/noc/noc.hpp"

namespace forerun::ip {

void Noc::List::push(Transit& transit) {
  transit.next = nullptr;
  (first == nullptr ? first : last->next) = &transit;
  last = &transit;
}

Noc::Transit& Noc::List::pop() {
  auto& transit = *first;
  first = transit.next;
  return transit;
}

Noc::Transit& Noc::make_transit(tlm::tlm_generic_payload* payload, std::uint32_t source,
                                std::uint32_t destination, std::uint32_t data_bytes) {
  if (free_.empty()) {
    transits_.push_back(std::make_unique<Transit>());
    free_.push_back(transits_.back().get());
  }
  auto& transit = *free_.back();
  free_.pop_back();
  transit.payload = transit.data = payload;
  transit.source = source;
  transit.destination = destination;
  transit.flits = flits_for(data_bytes);
  transit.network = 0;
  transit.priority = 0;
  transit.drawn_way = true;
  transit.born_ps = now_picoseconds();
  transit.waiter = nullptr;
  transit.owes_end = false;
  transit.group = nullptr, transit.tree = nullptr, transit.parent = nullptr;
  transit.node = none, transit.branch = 0;
  transit.status = tlm::TLM_OK_RESPONSE;
  transit.resets = resets_;
  if (payload != nullptr) {
    transit.address = payload->get_address();
    payload->set_extension(&transit);
  }
  return transit;
}

/// The packet of a request that an initiator makes. It has not joined the network yet.
Noc::Transit& Noc::start_request(tlm::tlm_generic_payload& payload, std::uint32_t from, const Range& range,
                                 std::uint32_t destination, std::uint64_t local) {
  const auto length = payload.is_write() ? payload.get_data_length() : 0;
  if (range.group == none) {
    auto& transit = make_transit(&payload, from, destination, length);
    payload.set_address(local);
    transit.priority = static_cast<std::uint8_t>(endpoints_[from].parameters.priority);
    return transit;
  }
  const auto& group = *groups_[range.group];
  const auto address = payload.get_address();
  const auto& tree = tree_of(group, group.reduces ? group.target(address) : from);
  auto& transit = make_transit(&payload, from, 0, length);
  transit.priority = static_cast<std::uint8_t>(endpoints_[from].parameters.priority);
  transit.group = &group, transit.tree = &tree;
  transit.drawn_way = false;  // or writes of one member to one place could overtake one another
  if (tree.nodes.empty()) {   // one member
    const auto& member = group.members.front();
    transit.destination = group.reduces ? group.target(address) : member.endpoint;
    payload.set_address(group.reduces ? group.local(address) : member.offset + address - group.base);
    return transit;
  }
  if (group.reduces) {
    const auto member = group.find(from);
    transit.node = tree.node_of_member[member], transit.branch = tree.branch_of_member[member];
  } else {
    transit.node = 0;
  }
  transit.destination =
      first_unit_ + tree.nodes[transit.node].router * units_of_router + transit.branch % units_of_router;
  return transit;
}

void Noc::retire(Transit& transit) {
  if (transit.payload != nullptr) {
    transit.payload->clear_extension(&transit);
    transit.payload->set_address(transit.address);
    transit.payload = nullptr;
  }
  transit.parts.clear();
  free_.push_back(&transit);
}

void Noc::wake(std::int64_t when) {
  if (when >= wake_at_) return;
  wake_at_ = when;
  run_event_.notify(to_sc_time({std::max<std::int64_t>(when - now_picoseconds(), 0)}));
}

void Noc::post(std::int64_t when, What what, Transit& transit) {
  const auto endpoint = what == What::left || what == What::join ? transit.source : transit.destination;
  events_.push_back({when, std::uint64_t(what) << 60 | std::uint64_t{endpoint} << 40 | order_++, &transit});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
  wake(when);
}

/// The cycle under way.
std::int64_t Noc::present() {
  if (const auto now = now_picoseconds(); now != present_ps_) {
    present_ps_ = now;
    present_ = now / clock_.period_ps();
  }
  return present_;
}

/// A packet is with its endpoint at the beginning of a cycle.
void Noc::arrives(Transit& transit, std::int64_t cycle) {
  auto when = clock_.cycles_to_ps(cycle);
  const auto& to = endpoints_[transit.destination];
  if (to.crossing_period == 0 && cycle >= present_ && cycle < present_ + horizon) {
    arriving_[static_cast<std::size_t>(cycle) % horizon].push_back(&transit);
    arriving_in_ |= std::uint64_t{1} << (cycle % horizon);
    return wake(when);
  }
  if (to.crossing_period > 0) {
    const auto period = to.crossing_period;
    when = (when + period - 1) / period * period + period * to.parameters.synchroniser_stages;
  }
  post(when, What::arrived, transit);
}

/// The network has done all cycles before the present one: packets may still join in the present one,
/// whatever the order in which processes run at one time. Arrivals are announced early enough for that, and
/// for several cycles to be done at a time.
void Noc::catch_up() {
  const auto done = present() - 1;
  if (next_cycle_ > done) return;
  happened_.clear();
  next_cycle_ = network_->advance(done, happened_);
  for (const auto& event : happened_) {
    auto& transit = static_cast<Transit&>(*event.packet);
    if (event.what == noc::NetworkEvent::What::injected) {
      if (transit.owes_end) {
        --owing_;
        post(clock_.cycles_to_ps(event.cycle + 1), What::left, transit);
      } else {
        --endpoints_[transit.source].leaving;
        if (transit.parent != nullptr && transit.network == 0)
          post(clock_.cycles_to_ps(event.cycle + 1), What::copied, transit);
      }
    } else {
      arrives(transit, event.cycle);
    }
  }
}

void Noc::run() {
  const auto now = now_picoseconds();
  wake_at_ = now;  // nobody else needs to wake this process before it has done all
  catch_up();
  const auto slot = static_cast<std::size_t>(present()) % horizon;
  if ((arriving_in_ >> slot & 1) != 0) {
    for (auto* transit : arriving_[slot]) arrive(*transit);
    arriving_[slot].clear();
    arriving_in_ &= ~(std::uint64_t{1} << slot);
  }
  while (!events_.empty() && events_.front().when <= now) {
    const auto event = events_.front();
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    events_.pop_back();
    switch (event.what()) {
      case What::left:
        left(*event.transit);
        break;
      case What::arrived:
        arrive(*event.transit);
        break;
      case What::join:
        enter(*event.transit);
        break;
      case What::accepted:
        end_request(*event.transit);
        break;
      case What::answered:
        answer(*event.transit);
        break;
      case What::copied:
        copied(*event.transit);
        break;
    }
  }
  wake_for_next();
}

void Noc::wake_for_next() {
  auto next = events_.empty() ? noc::Network::never : events_.front().when;
  if (arriving_in_ != 0) {
    const auto later = std::rotr(arriving_in_, static_cast<int>(present_ % horizon));
    next = std::min(next, clock_.cycles_to_ps(present_ + std::countr_zero(later)));
  }
  wake_at_ = noc::Network::never;
  if (next < noc::Network::never) wake(next);
  wake_for_network();
}

/// In time for what the network announces ahead; END_REQ comes with the cycle that follows.
void Noc::wake_for_network() {
  if (next_cycle_ == noc::Network::never) return;
  const bool at_once = owing_ > 0 || !waiting_.empty();
  wake(clock_.cycles_to_ps(next_cycle_ + (at_once ? 1 : noc::Network::notice)));
}

void Noc::inject(Transit& transit) {
  catch_up();
  transit.born = present();
  if (clock_.cycles_to_ps(transit.born) < present_ps_) ++transit.born;  // the next edge
  ++endpoints_[transit.source].leaving;
  network_->inject(transit);
  next_cycle_ = std::min(next_cycle_, transit.born);
  wake_for_network();
}

/// The endpoint has taken a packet: the network may forget it.
void Noc::give_back(Transit& transit) {
  catch_up();
  const auto next = network_->release(transit, present());
  next_cycle_ = std::min(next_cycle_, next);
  wake_for_network();
}

void Noc::left(Transit& transit) {
  auto& source = endpoints_[transit.source];
  --source.leaving;
  if (!transit.owes_end) return;
  transit.owes_end = false;
  tlm::tlm_phase phase = tlm::END_REQ;
  auto delay = sc_core::SC_ZERO_TIME;
  (*source.initiator)->nb_transport_bw(*transit.payload, phase, delay);
}

void Noc::arrive(Transit& transit) {
  ++packets;
  flits += transit.flits;
  flit_hops +=
      std::uint64_t{transit.flits} * (routes_->routers_between(transit.source, transit.destination) - 1);
  latency_sum += static_cast<std::uint64_t>(now_picoseconds() - transit.born_ps);
  const auto id = transit.destination;
  if (endpoints_[id].unit) {
    give_back(transit);
    return arrive_at_unit(transit);
  }
  endpoints_[id].arrived.push(transit);
  if (transit.network == 0) return hand_over(id);
  give_back(transit);  // initiators take all responses
  offer_responses(id);
}

void Noc::hand_over(std::uint32_t id) {
  auto& endpoint = endpoints_[id];
  while (endpoint.requesting == nullptr && !endpoint.arrived.empty()) {
    auto& transit = endpoint.arrived.pop();
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    endpoint.requesting = &transit;
    const auto answer = (*endpoint.target)->nb_transport_fw(*transit.payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) return;
    const auto delay_ps = to_picoseconds(delay);
    if (answer == tlm::TLM_UPDATED && phase == tlm::END_REQ && delay_ps > 0)
      return post(now_picoseconds() + delay_ps, What::accepted, transit);
    endpoint.requesting = nullptr;
    give_back(transit);
    if (answer == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP) make_response(transit, delay_ps);
  }
}

/// The target is ready for the next request.
void Noc::end_request(Transit& transit) {
  const auto id = transit.destination;
  endpoints_[id].requesting = nullptr;
  give_back(transit);
  hand_over(id);
}

void Noc::make_response(Transit& transit, std::int64_t delay_ps) {
  std::swap(transit.source, transit.destination);
  transit.network = 1;
  auto* const payload = transit.payload;
  const bool data = payload != nullptr && payload->is_read() && payload->is_response_ok();
  transit.flits = flits_for(data ? payload->get_data_length() : 0);
  transit.born_ps = now_picoseconds() + delay_ps;
  if (payload != nullptr && transit.group == nullptr && is_posted(*payload)) {
    if (delay_ps > 0) return post(transit.born_ps, What::answered, transit);
    return answer(transit);
  }
  if (delay_ps > 0)
    post(transit.born_ps, What::join, transit);
  else
    inject(transit);
}

void Noc::answer(Transit& transit) {
  endpoints_[transit.destination].arrived.push(transit);
  offer_responses(transit.destination);
}

void Noc::offer_responses(std::uint32_t id) {
  auto& endpoint = endpoints_[id];
  while (!endpoint.responding && !endpoint.arrived.empty()) {
    auto& transit = endpoint.arrived.pop();
    auto& payload = *transit.payload;
    auto* const waiter = transit.waiter;
    if (transit.tree != nullptr && !transit.tree->nodes.empty()) payload.set_response_status(transit.status);
    retire(transit);
    if (waiter != nullptr) {
      waiter->notify();
      continue;
    }
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    auto delay = sc_core::SC_ZERO_TIME;
    endpoint.responding = true;
    const auto answer = (*endpoint.initiator)->nb_transport_bw(payload, phase, delay);
    if (answer != tlm::TLM_ACCEPTED) {
      endpoint.responding = false;
      payload.release();
    }
  }
}

}  // namespace forerun::ip
