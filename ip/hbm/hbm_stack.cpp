// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/hbm_stack.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "ip/base/method.hpp"
#include "ip/base/payload.hpp"
#include "ip/hbm/controller.hpp"
#include "ip/hbm/row_controller.hpp"

namespace forerun::ip {

namespace {

std::vector<std::unique_ptr<hbm::Channel>> make_channels(const hbm::Parameters& parameters, bool collapse) {
  std::vector<std::unique_ptr<hbm::Channel>> channels;
  if (parameters.model == hbm::Model::row) {
    for (unsigned c = 0; c < parameters.channels; ++c)
      channels.push_back(std::make_unique<hbm::RowController>(parameters));
    return channels;
  }
  const hbm::Controller first(parameters, collapse);
  for (unsigned c = 0; c < parameters.channels; ++c)
    channels.push_back(std::make_unique<hbm::Controller>(first));
  return channels;
}

}  // namespace

HbmStack::HbmStack(const sc_core::sc_module_name& name, const hbm::Parameters& parameters,
                   SparseMemory& store, bool collapse)
    : sc_module(name),
      port("port", parameters.ports),
      reset_line("reset",
                 [this](bool level) {
                   if (level) reset();
                 }),
      parameters_(parameters),
      map_(parameters),
      clock_(parameters.clock),
      store_(store),
      channels_(make_channels(parameters, collapse)),
      outlooks_(channels_.size()),
      ticks_per_cycle_(channels_.front()->ticks_per_cycle()),
      horizon_(std::min(parameters.timings.RL, parameters.timings.WL) + parameters.timings.nBL),
      banks_(map_.banks_per_channel()),
      burst_shift_(static_cast<unsigned>(std::countr_zero(parameters.burst_bytes.count))),
      ports_(parameters.ports),
      commands_(parameters.channels) {
  std::vector<hbm::AddressMap::Place> block;
  const auto burst = parameters.burst_bytes.count;
  for (std::uint64_t offset = 0; offset < largest_block && in_block(map_.place(offset)); offset += burst)
    block.push_back(map_.place(offset));
  block.resize(std::bit_floor(block.size()));
  block_bytes_ = block.size() * burst;
  for (auto& channel : channels_) channel->set_block(block);
  for (unsigned i = 0; i < parameters.ports; ++i) {
    const int id = static_cast<int>(i);
    port[i].register_b_transport(this, &HbmStack::b_transport, id);
    port[i].register_nb_transport_fw(this, &HbmStack::nb_transport_fw, id);
    port[i].register_transport_dbg(this, &HbmStack::transport_dbg, id);
    port[i].register_get_direct_mem_ptr(this, &HbmStack::get_direct_mem_ptr, id);
  }
  add_method("run", {&run_event_}, [this] { run(); });
}

void HbmStack::reset() {
  counters.clear();
  const auto now = present() * ticks_per_cycle_;
  settle(now);
  for (unsigned c = 0; c < channels(); ++c) {
    touch(c).advance(now);
    channels_[c]->clear_statistics(now);
  }
}

hbm::ChannelStatistics HbmStack::statistics(unsigned channel) {
  const auto now = present() * ticks_per_cycle_;
  settle(now);
  touch(channel).advance(now);
  return channels_[channel]->statistics(now);
}

std::uint64_t HbmStack::burst_bytes(unsigned channel) {
  const auto s = statistics(channel);
  return (s.reads + s.writes) * parameters_.burst_bytes.count;
}

void HbmStack::record(std::int64_t cycles) {
  settle(present() * ticks_per_cycle_);
  for (unsigned c = 0; c < channels(); ++c) {
    touch(c).advance(present() * ticks_per_cycle_);
    channels_[c]->record(cycles * ticks_per_cycle_);
  }
}

const std::vector<hbm::SeriesBin>& HbmStack::series(unsigned channel) {
  settle(present() * ticks_per_cycle_);
  touch(channel).advance(present() * ticks_per_cycle_);
  return channels_[channel]->series();
}

bool HbmStack::acceptable(tlm::tlm_generic_payload& payload) const {
  const auto end = payload.get_address() + payload.get_data_length();
  if (end > store_.size() || end < payload.get_address())
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  else if (payload.get_streaming_width() < payload.get_data_length() || payload.get_data_length() == 0)
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  else
    return true;
  return false;
}

void HbmStack::move(tlm::tlm_generic_payload& payload, bool timing_only) {
  if (!timing_only) transport_dbg(0, payload);
  (payload.is_read() ? bytes_read : bytes_written) += payload.get_data_length();
  ++requests;
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

/// Visits the bursts of a request: visit(place of a block, first number in it, number behind the last).
template <typename Visit>
void HbmStack::for_each_block(const tlm::tlm_generic_payload& payload, Visit visit) const {
  const auto start = map_.within_stack(payload.get_address());
  const auto last = (start + payload.get_data_length() - 1) >> burst_shift_;
  const auto in_blocks = block_bytes_ >> burst_shift_;
  for (auto number = start >> burst_shift_; number <= last;) {
    const auto in_block = number & (in_blocks - 1), end = std::min(in_blocks, in_block + last - number + 1);
    visit(map_.place((number - in_block) << burst_shift_), static_cast<std::uint16_t>(in_block),
          static_cast<std::uint16_t>(end));
    number += end - in_block;
  }
}

/// Cuts a request into its blocks: the first of them into the request itself, how many there are, and all
/// bursts. In-line ECC goes burst by burst.
void HbmStack::measure(std::uint32_t index) {
  auto& request = requests_[index];
  request.blocks = 0;
  for_each_block(*request.payload, [&](hbm::AddressMap::Place high, std::uint16_t first, std::uint16_t end) {
    if (request.blocks++ == 0) request.first = {index, high, first, end, request.payload->is_write()};
    request.bursts_left += end - first;
  });
  if (parameters_.ecc == hbm::Ecc::in_line) request.blocks = 2;
}

/// From which tick on all bursts of a request may have entered their queues, if nothing else comes in this
/// cycle, and `before` others went before: the present one if there is room for all.
HbmStack::Room HbmStack::room_for(const Request& request, std::uint32_t before, hbm::Tick now) {
  if (parameters_.ecc == hbm::Ecc::in_line) return {now + 1, true};
  Room room{now, false};
  const bool write = request.payload->is_write();
  const auto look = [&](unsigned number, unsigned bursts) {
    bursts += before;
    auto& channel = *channels_[number];
    room.contended = room.contended || channel.blocked();
    if (channel.has_room(bursts, write)) return;
    touch(number).advance(now);
    if (!channel.has_room(bursts, write))
      room.from = std::max({room.from, now + 1, channel.soonest_entry(bursts, write)});
  };
  if (request.blocks == 1) {
    look(channel_of(request.first), request.bursts_left);
    return room;
  }
  bursts_for_.assign(channels_.size(), 0);
  for_each_block(*request.payload, [this](hbm::AddressMap::Place high, unsigned first, unsigned end) {
    bursts_for_[high.unit() / banks_] += end - first;
  });
  for (unsigned c = 0; c < channels_.size(); ++c)
    if (bursts_for_[c] > 0) look(c, bursts_for_[c]);
  return room;
}

/// Offers the bursts of a request to their channels.
void HbmStack::cut(std::uint32_t index) {
  auto& request = requests_[index];
  request.order = order_++;
  const auto offered = request.offered;
  if (request.blocks == 1) {
    return touch(channel_of(request.first)).offer(request.first, offered);
  }
  const bool write = request.payload->is_write();
  if (parameters_.ecc != hbm::Ecc::in_line)
    return for_each_block(*request.payload,
                          [&](hbm::AddressMap::Place high, std::uint16_t first, std::uint16_t end) {
                            touch(high.unit() / banks_).offer({index, high, first, end, write}, offered);
                          });
  const auto group = std::max(1u, parameters_.ecc_data_bursts);
  unsigned count = 0;
  const auto size = parameters_.burst_bytes.count;
  const auto start = map_.within_stack(request.payload->get_address());
  const auto first = start / size, last = (start + request.payload->get_data_length() - 1) / size;
  const auto offer = [&](hbm::AddressMap::Place place, bool writes, bool check) {
    const auto unit = place.unit();
    touch(unit / banks_).offer({index, unit % banks_, place.row(), writes, check, false}, offered);
    ++count;
  };
  for (auto number = first; number <= last; ++number) {
    const auto address = number * size;
    const auto place = map_.place(address);
    offer(place, write, false);
    if (number % group == group - 1 || number == last) {
      const bool whole = number % group == group - 1 && number - first >= group - 1;
      if (write && !whole) offer(place, false, true);
      offer(place, write, true);
    }
  }
  request.bursts_left = count;
}

std::uint32_t HbmStack::enqueue(int id, tlm::tlm_generic_payload& payload, std::int64_t delay_ps,
                                sc_core::sc_event* waiter) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(requests_.size()));
    requests_.emplace_back();
  }
  const auto index = free_.back();
  free_.pop_back();
  const bool is_short = payload.get_data_length() <= short_bursts * parameters_.burst_bytes.count;
  auto& request = requests_[index] = Request();
  request.payload = &payload;
  request.port = id;
  request.waiter = waiter;
  request.is_short = is_short;
  request.timing_only = is_timing_only(payload);
  const auto now_ps = now_picoseconds();
  request.order = order_++;
  request.offered = clock_.ps_to_cycles(now_ps + delay_ps) * ticks_per_cycle_;
  short_requests_ += is_short;
  if (payload.is_write()) move(payload, request.timing_only);
  ++under_way_;
  measure(index);
  const auto now = now_ps / clock_.period_ps() * ticks_per_cycle_;
  if (ports_.size() == 1)
    offer_now(index, now);
  else
    offer_in_order(index, now);
  return index;
}

/// One port: requests count in the order of the calls.
void HbmStack::offer_now(std::uint32_t index, hbm::Tick now) {
  const auto& request = requests_[index];
  if (request.waiter != nullptr) {  // a blocking call has no END_REQ
    cut(index);
    schedule();
  } else if (request.blocks == 1 && request.bursts_left == 1) {
    const auto channel = channel_of(request.first);
    auto& controller = touch(channel);
    const bool room = controller.has_room(1, request.first.write);
    if (!room) controller.advance(now);
    cut(index);
    if (!room) hold_until_admitted(index, channel);
    schedule(channel);
  } else {
    for (unsigned c = 0; c < channels(); ++c) touch(c).advance(now);
    cut(index);
    for (unsigned c = 0; c < channels_.size(); ++c) hold_until_admitted(index, c);
    schedule();
  }
}

/// Several ports: the channels get the requests of a cycle when it is over, in the order of the ports. They
/// see none before the next cycle anyway.
void HbmStack::offer_in_order(std::uint32_t index, hbm::Tick now) {
  settle(now);
  auto& request = requests_[index];
  auto& own = ports_[static_cast<std::size_t>(request.port)].offered_bursts;
  const auto next_cycle = request.offered / ticks_per_cycle_ + 1;
  const auto room = room_for(request, own, now);
  request.wake = channels_.front()->soonest_completion(request.offered) / ticks_per_cycle_;
  if (request.waiter == nullptr && room.from > now) {
    request.unadmitted = 1;
    ++held_;
    request.wake = std::max(next_cycle, (room.from + ticks_per_cycle_ - 1) / ticks_per_cycle_);
  } else if (room.contended) {
    request.wake = next_cycle;  // it may go before others of its channel, so that room comes sooner
  }
  auto at = offers_.end();
  for (; at != offers_.begin() && before(index, *(at - 1)); --at) {
  }
  offers_.insert(at, index);
  own += request.bursts_left;
  held_offers_ += request.unadmitted > 0;
  if (held_offers_ > 0 && held_offers_ < offers_.size()) {  // the same among those
    for (const auto offer : offers_) {
      auto& one = requests_[offer];
      if (one.unadmitted == 0) one.wake = std::min(one.wake, one.offered / ticks_per_cycle_ + 1);
      if (!running_) wake_at(one.wake);
    }
  } else if (!running_) {
    wake_at(request.wake);
  }
}

/// Of offers: which its channel gets first.
bool HbmStack::before(std::uint32_t a, std::uint32_t b) const {
  const auto &one = requests_[a], &other = requests_[b];
  if (one.offered != other.offered) return one.offered < other.offered;
  return one.port != other.port ? one.port < other.port : one.order < other.order;
}

/// Gives the channels the requests of the cycles that are over.
void HbmStack::settle(hbm::Tick now) {
  if (offers_.empty() || requests_[offers_.front()].offered >= now) return;
  const auto end = std::find_if(offers_.begin(), offers_.end(),
                                [&](auto index) { return requests_[index].offered >= now; });
  for (auto at = offers_.begin(); at != end; ++at) {
    auto& request = requests_[*at];
    ports_[static_cast<std::size_t>(request.port)].offered_bursts -= request.bursts_left;
    cut(*at);
  }
  for (auto at = offers_.begin(); at != end; ++at) {
    auto& request = requests_[*at];
    if (request.unadmitted == 0) continue;
    request.unadmitted = 0;
    --held_offers_;
    const bool one = request.blocks == 1;
    const auto first = one ? channel_of(request.first) : 0, last = one ? first + 1 : channels();
    for (auto c = first; c < last; ++c) {
      touch(c).advance(requests_[*(end - 1)].offered);
      request.unadmitted += channels_[c]->report_last(*at);
    }
    if (request.unadmitted == 0) admitted_.push_back(*at);
  }
  offers_.erase(offers_.begin(), end);
}

/// END_REQ of a request waits for its last burst in front of the queue of a channel, if there is one.
void HbmStack::hold_until_admitted(std::uint32_t index, unsigned channel) {
  if (!touch(channel).report_last(index)) return;
  auto& request = requests_[index];
  if (request.unadmitted++ == 0) ++held_;
}

/// Takes over what a channel has decided.
void HbmStack::collect(unsigned channel) {
  auto& controller = *channels_[channel];
  for (const auto& completion : controller.completions) {
    auto& request = requests_[completion.owner];
    request.done = std::max(request.done, completion.done);
    request.bursts_left -= completion.bursts;
    if (request.bursts_left > 0) continue;
    __builtin_prefetch(request.payload);  // the response comes soon
    due_.push((request.done + ticks_per_cycle_ - 1) / ticks_per_cycle_, request.order, completion.owner);
  }
  controller.completions.clear();
  for (const auto owner : controller.admissions)
    if (--requests_[owner].unadmitted == 0) admitted_.push_back(owner);
  controller.admissions.clear();
}

void HbmStack::run() {
  wake_ = -1;
  running_ = true;
  const auto now = present();
  settle(now * ticks_per_cycle_);
  for (unsigned c = 0; c < channels_.size(); ++c) {
    if (!outlooks_[c].stale && outlooks_[c].next > now * ticks_per_cycle_) continue;
    auto& controller = touch(c);
    if (controller.next() <= now * ticks_per_cycle_) controller.advance(now * ticks_per_cycle_);
    if (!collected(c)) collect(c);
  }
  for (std::size_t i = 0; i < admitted_.size(); ++i) end_request(admitted_[i]);
  admitted_.clear();
  while (!due_.empty() && due_.first() <= now + horizon_) respond(due_.pop());
  running_ = false;
  schedule();
}

/// Column commands that each channel has to send, whatever they are for, before a request is complete: those
/// of one block all go through its channel, those of others perhaps through all channels alike. False: that
/// is not known.
bool HbmStack::count_commands() {
  if (short_requests_ > 0 || parameters_.model == hbm::Model::row) return false;
  constexpr auto many = std::numeric_limits<std::int64_t>::max();
  std::fill(commands_.begin(), commands_.end(), many);
  auto of_all = many;
  for (const auto& request : requests_) {
    if (request.bursts_left == 0) continue;
    const auto left = std::int64_t{request.bursts_left} - 1;
    if (request.blocks == 1) {
      auto& own = commands_[channel_of(request.first)];
      own = std::min(own, left);
    } else {
      of_all = std::min(of_all, left / parameters_.channels);
    }
  }
  for (auto& own : commands_)
    if (own = std::min(own, of_all); own == many) own = 0;
  return true;
}

/// When the stack has to look at a channel: a request may be complete, or the end of one may have to be told.
void HbmStack::look_at(unsigned channel) {
  const auto& controller = *channels_[channel];
  auto& outlook = outlooks_[channel];
  outlook = {!collected(channel), controller.next(), far, far};
  if (controller.idle()) return;
  outlook.completion = controller.next_completion() / ticks_per_cycle_;
  if (controller.blocked())
    outlook.report = (controller.next_report() + ticks_per_cycle_ - 1) / ticks_per_cycle_;
}

void HbmStack::schedule() {
  if (running_ || under_way_ == 0) return;
  auto cycle = due_.empty() ? far : due_.first();
  for (const auto index : offers_) cycle = std::min(cycle, requests_[index].wake);
  const bool by_commands = count_commands();
  for (unsigned c = 0; c < channels_.size(); ++c) {
    const auto& outlook = outlooks_[c];
    if (outlook.stale) look_at(c);
    if (outlook.stale) cycle = std::min(cycle, present());  // bursts that are not collected count as to go
    cycle = std::min(
        cycle, outlook.completion + (by_commands ? commands_[c] * parameters_.timings.column_cycles : 0));
    if (held_ > 0) cycle = std::min(cycle, outlook.report);
  }
  wake_at(cycle);
}

void HbmStack::schedule(unsigned channel) {
  if (running_) return;
  look_at(channel);
  const auto& outlook = outlooks_[channel];
  wake_at(held_ > 0 ? std::min(outlook.completion, outlook.report) : outlook.completion);
}

void HbmStack::wake_at(std::int64_t cycle) {
  if (cycle == far || (wake_ >= 0 && wake_ <= cycle)) return;
  wake_ = cycle;
  const auto delay = clock_.cycles_to_ps(cycle) - now_picoseconds();
  run_event_.notify(to_sc_time({std::max<std::int64_t>(delay, 0)}));
}

void HbmStack::end_request(std::uint32_t index) {
  const auto request = requests_[index];
  --held_;
  tlm::tlm_phase phase = tlm::END_REQ;
  auto delay = sc_core::SC_ZERO_TIME;
  port[static_cast<std::size_t>(request.port)]->nb_transport_bw(*request.payload, phase, delay);
}

void HbmStack::respond(std::uint32_t index) {
  const auto request = requests_[index];
  free_.push_back(index);
  --under_way_;
  short_requests_ -= request.is_short;
  const auto cycle = request.done / ticks_per_cycle_;
  if (request.payload->is_read()) move(*request.payload, request.timing_only);
  if (request.waiter != nullptr)
    request.waiter->notify(
        to_sc_time({std::max<std::int64_t>(0, clock_.cycles_to_ps(cycle) - now_picoseconds())}));
  else
    send_response(request.port, *request.payload, cycle);
}

void HbmStack::send_response(int id, tlm::tlm_generic_payload& payload, std::int64_t cycle) {
  auto& state = ports_[static_cast<std::size_t>(id)];
  if (state.responding) return state.responses.push_back({&payload, cycle});
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  auto delay = to_sc_time({std::max<std::int64_t>(0, clock_.cycles_to_ps(cycle) - now_picoseconds())});
  state.responding = true;
  const auto answer = port[static_cast<std::size_t>(id)]->nb_transport_bw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) return;
  state.responding = false;
  payload.release();
}

tlm::tlm_sync_enum HbmStack::nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay) {
  auto& state = ports_[static_cast<std::size_t>(id)];
  if (phase == tlm::END_RESP) {
    state.responding = false;
    payload.release();
    if (!state.responses.empty()) {
      const auto next = state.responses.front();
      state.responses.pop_front();
      send_response(id, *next.payload, next.cycle);
    }
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  if (!acceptable(payload)) {
    delay += clock_.cycles(1);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  const auto index = enqueue(id, payload, to_picoseconds(delay), nullptr);
  if (requests_[index].unadmitted > 0) return tlm::TLM_ACCEPTED;
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void HbmStack::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!acceptable(payload)) return;
  const auto& t = parameters_.timings;
  if (parameters_.timing == Timing::loose) {
    move(payload, is_timing_only(payload));
    const auto bursts =
        (payload.get_data_length() + parameters_.burst_bytes.count - 1) / parameters_.burst_bytes.count;
    delay +=
        clock_.cycles(static_cast<std::int64_t>(parameters_.front_end + t.tRCDRD + t.RL + bursts * t.nBL));
    payload.set_dmi_allowed(true);
    return;
  }
  sc_core::sc_event done;
  enqueue(id, payload, to_picoseconds(delay), &done);
  delay = sc_core::SC_ZERO_TIME;
  wait(done);
}

unsigned HbmStack::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  if (address > store_.size() || length > store_.size() - address) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  auto* const data = payload.get_data_ptr();
  for_enabled_bytes(payload, [&](unsigned offset, unsigned bytes) {
    if (payload.is_read()) store_.read(address + offset, data + offset, bytes);
    if (payload.is_write()) store_.write(address + offset, data + offset, bytes);
  });
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return length;
}

bool HbmStack::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  if (parameters_.timing != Timing::loose || payload.get_address() >= store_.size()) return false;
  const auto start = payload.get_address() / SparseMemory::page_bytes * SparseMemory::page_bytes;
  dmi.set_dmi_ptr(store_.page(start));
  dmi.set_start_address(start);
  dmi.set_end_address(std::min<std::uint64_t>(start + SparseMemory::page_bytes, store_.size()) - 1);
  dmi.allow_read_write();
  const auto latency =
      clock_.cycles(parameters_.front_end + parameters_.timings.tRCDRD + parameters_.timings.RL);
  dmi.set_read_latency(latency);
  dmi.set_write_latency(latency);
  return true;
}

}  // namespace forerun::ip
