// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/noc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "ip/base/method.hpp"

namespace forerun::ip {
namespace {
/// Makes what is constructed in its life a child of a module whose constructor is over.
class Inside {
 public:
  explicit Inside(sc_core::sc_module& module) : context_(module.simcontext()) {
    context_->hierarchy_push(&module);
  }
  ~Inside() { context_->hierarchy_pop(); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  sc_core::sc_simcontext* context_;
};

/// Until a wrong address is answered: into the first router and back.
std::int64_t refusal_cycles(const NocParameters& p) { return 1 + p.inject_latency + p.router_latency(); }
}  // namespace

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

Noc::Noc(const sc_core::sc_module_name& name, const NocParameters& parameters)
    : sc_module(name),
      reset_line("reset",
                 [this](bool level) {
                   if (level) reset();
                 }),
      parameters_(parameters),
      clock_(parameters.clock),
      graph_(parameters) {
  add_method("run", {&run_event_}, [this] { run(); });
}

Noc::~Noc() {
  for (const auto& transit : transits_)  // a simulation may end with packets on their way
    if (transit->payload != nullptr) transit->payload->clear_extension(transit.get());
}

void Noc::end_of_elaboration() {
  if (!groups_.empty()) {
    first_unit_ = static_cast<std::uint32_t>(endpoints_.size());
    const auto routers = static_cast<std::uint32_t>(graph_.routers().size());
    for (std::uint32_t router = 0; router < routers; ++router)
      for (unsigned i = 0; i < units_of_router; ++i) {
        graph_.add_unit(fmt::format("{}.unit{}", graph_.routers()[router].name, i), router);
        endpoints_.emplace_back().unit = true;
      }
  }
  routes_ = std::make_unique<noc::RouteFunction>(graph_);
  network_ = parameters_.model == noc::Model::flit ? noc::make_flit_network(graph_)
                                                   : noc::make_packet_network(graph_);
}

void Noc::reset() {
  counters.clear();
  abandon_sums();
  reset_at_ = now_picoseconds();
  if (network_) {
    catch_up();
    network_->reset_counters();
  }
}

Noc::Initiator& Noc::add_initiator(const std::string& name, unsigned x, unsigned y,
                                   const noc::EndpointParameters& parameters) {
  const auto id = graph_.add_endpoint(name, x, y, parameters);
  const Inside inside(*this);
  auto& endpoint = endpoints_.emplace_back();
  endpoint.parameters = parameters;
  if (parameters.clock.hertz > 0 && parameters.clock.hertz != parameters_.clock.hertz)
    endpoint.crossing_period = Clock(parameters.clock).period_ps();
  auto& socket = endpoint.initiator;
  socket = std::make_unique<Initiator>(sc_core::sc_gen_unique_name("initiator"));
  const int tag = static_cast<int>(id);
  socket->register_b_transport(this, &Noc::b_transport, tag);
  socket->register_nb_transport_fw(this, &Noc::nb_transport_fw, tag);
  socket->register_transport_dbg(this, &Noc::transport_dbg, tag);
  socket->register_get_direct_mem_ptr(this, &Noc::get_direct_mem_ptr, tag);
  return *socket;
}

Noc::Target& Noc::add_target(const std::string& name, unsigned x, unsigned y,
                             const noc::EndpointParameters& parameters) {
  const auto id = graph_.add_endpoint(name, x, y, parameters);
  const Inside inside(*this);
  auto& endpoint = endpoints_.emplace_back();
  endpoint.parameters = parameters;
  if (parameters.clock.hertz > 0 && parameters.clock.hertz != parameters_.clock.hertz)
    endpoint.crossing_period = Clock(parameters.clock).period_ps();
  auto& socket = endpoint.target;
  socket = std::make_unique<Target>(sc_core::sc_gen_unique_name("target"));
  socket->register_nb_transport_bw(this, &Noc::nb_transport_bw, static_cast<int>(id));
  return *socket;
}

std::uint32_t Noc::index_of(const Target& target) const {
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const Endpoint& e) { return e.target.get() == &target; });
  return static_cast<std::uint32_t>(at - endpoints_.begin());
}

void Noc::map(std::uint64_t base, std::uint64_t size, const Target& target, std::uint64_t offset) {
  ranges_.push_back({base, size, 0, offset, {index_of(target)}, none});
}

void Noc::map_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t granule,
                          const std::vector<const Target*>& targets) {
  Range range{base, size, granule, 0, {}, none};
  for (const auto* target : targets) range.targets.push_back(index_of(*target));
  ranges_.push_back(range);
}

const Noc::Range* Noc::find(std::uint64_t address) const {
  for (const auto& range : ranges_)
    if (address - range.base < range.size) return &range;
  return nullptr;
}

tlm::tlm_response_status Noc::decode(const tlm::tlm_generic_payload& payload, std::uint32_t from,
                                     const Range*& range, std::uint32_t& endpoint,
                                     std::uint64_t& local) const {
  range = find(payload.get_address());
  if (range == nullptr) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  const std::uint64_t offset = payload.get_address() - range->base, length = payload.get_data_length();
  if (length > range->size - offset) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (range->group != none) {
    const auto& group = *groups_[range->group];
    if (!payload.is_write() || (group.reduces && group.find(from) == none))
      return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    if (length > pool_.capacity() || (group.reduces && (length % noc::bytes_of(group.element) != 0 ||
                                                        !group.holds(payload.get_address(), length))))
      return tlm::TLM_BURST_ERROR_RESPONSE;
    return tlm::TLM_OK_RESPONSE;
  }
  local = offset + range->offset;
  endpoint = range->targets.front();
  if (range->granule == 0 || range->targets.size() == 1) return tlm::TLM_OK_RESPONSE;
  endpoint = range->targets[offset / range->granule % range->targets.size()];
  if (length > 0 && offset / range->granule != (offset + length - 1) / range->granule)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

std::uint32_t Noc::flits_for(std::uint32_t data_bytes) const {
  const auto width = static_cast<std::uint32_t>(parameters_.link_width.count);
  return 1 + (data_bytes + width - 1) / width;
}

std::int64_t Noc::zero_load_ps(std::uint32_t from, std::uint32_t to, std::uint32_t flit_count) const {
  const auto& receiver = endpoints_[to];
  return clock_.cycles_to_ps(noc::zero_load_cycles(graph_, from, to, flit_count)) +
         receiver.crossing_period * receiver.parameters.synchroniser_stages;
}

// ------------------------------------------------------------------------------------------- packets in and
// out

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
  if (tree.nodes.empty()) {  // one member
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
  events_.push_back({when, order_++, what, &transit});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
  wake(when);
}

/// The network has done all cycles before the present one: packets may still join in the present one,
/// whatever the order in which processes run at one time. Arrivals are announced early enough for that.
void Noc::catch_up() {
  const auto done = now_picoseconds() / clock_.period_ps() - 1;
  if (next_cycle_ > done) return;
  happened_.clear();
  next_cycle_ = network_->advance(done, happened_);
  for (const auto& event : happened_) {
    auto& transit = static_cast<Transit&>(*event.packet);
    if (event.what == noc::NetworkEvent::What::injected) {
      post(clock_.cycles_to_ps(event.cycle + 1), What::left, transit);
      continue;
    }
    auto when = clock_.cycles_to_ps(event.cycle);
    if (const auto& to = endpoints_[transit.destination]; to.crossing_period > 0) {
      const auto period = to.crossing_period;
      when = (when + period - 1) / period * period + period * to.parameters.synchroniser_stages;
    }
    post(when, What::arrived, transit);
  }
}

void Noc::run() {
  const auto now = now_picoseconds();
  wake_at_ = noc::Network::never;
  catch_up();
  while (!events_.empty() && events_.front().when <= now) {
    const auto event = events_.front();
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    events_.pop_back();
    switch (event.what) {
      case What::left:
        left(*event.transit);
        break;
      case What::arrived:
        arrive(*event.transit);
        break;
      case What::join:
        inject(*event.transit);
        break;
      case What::accepted:
        end_request(*event.transit);
        break;
      case What::answered:
        answer(*event.transit);
        break;
    }
  }
  wake_at_ = noc::Network::never;
  if (!events_.empty()) wake(events_.front().when);
  if (next_cycle_ < noc::Network::never) wake(clock_.cycles_to_ps(next_cycle_ + 1));
}

void Noc::inject(Transit& transit) {
  transit.born = clock_.ps_to_cycles(now_picoseconds());
  ++endpoints_[transit.source].leaving;
  network_->inject(transit);
  if (transit.born < next_cycle_) {
    next_cycle_ = transit.born;
    wake(clock_.cycles_to_ps(next_cycle_ + 1));
  }
}

/// The endpoint has taken a packet: the network may forget it.
void Noc::give_back(Transit& transit) {
  catch_up();
  const auto next = network_->release(transit, now_picoseconds() / clock_.period_ps());
  if (next < next_cycle_) {
    next_cycle_ = next;
    wake(clock_.cycles_to_ps(next_cycle_ + 1));
  }
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
  while (endpoints_[id].requesting == nullptr && !endpoints_[id].arrived.empty()) {
    auto& transit = endpoints_[id].arrived.pop();
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    endpoints_[id].requesting = &transit;
    const auto answer = (*endpoints_[id].target)->nb_transport_fw(*transit.payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) return;
    const auto delay_ps = to_picoseconds(delay);
    if (answer == tlm::TLM_UPDATED && phase == tlm::END_REQ && delay_ps > 0)
      return post(now_picoseconds() + delay_ps, What::accepted, transit);
    endpoints_[id].requesting = nullptr;
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

tlm::tlm_sync_enum Noc::nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  auto& endpoint = endpoints_[static_cast<std::size_t>(id)];
  auto& transit = *payload.get_extension<Transit>();
  const auto delay_ps = to_picoseconds(delay);
  if (phase == tlm::BEGIN_RESP) {
    if (endpoint.requesting == &transit) {  // implies END_REQ
      endpoint.requesting = nullptr;
      give_back(transit);
      make_response(transit, delay_ps);
      hand_over(static_cast<std::uint32_t>(id));
    } else {
      make_response(transit, delay_ps);
    }
    return tlm::TLM_COMPLETED;
  }
  if (endpoint.requesting != &transit) return tlm::TLM_ACCEPTED;
  if (delay_ps > 0)
    post(now_picoseconds() + delay_ps, What::accepted, transit);
  else
    end_request(transit);
  return tlm::TLM_ACCEPTED;
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
  while (!endpoints_[id].responding && !endpoints_[id].arrived.empty()) {
    auto& transit = endpoints_[id].arrived.pop();
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
    endpoints_[id].responding = true;
    const auto answer = (*endpoints_[id].initiator)->nb_transport_bw(payload, phase, delay);
    if (answer != tlm::TLM_ACCEPTED) {
      endpoints_[id].responding = false;
      payload.release();
    }
  }
}

tlm::tlm_sync_enum Noc::nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  const auto endpoint = static_cast<std::uint32_t>(id);
  auto& from = endpoints_[endpoint];
  if (phase == tlm::END_RESP) {
    from.responding = false;
    payload.release();
    offer_responses(endpoint);
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  const Range* range = nullptr;
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, endpoint, range, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(status);
    delay += clock_.cycles(refusal_cycles(parameters_));
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  auto& transit = start_request(payload, endpoint, *range, destination, local);
  const bool free = from.leaving == 0;
  transit.owes_end = !free;
  transit.born_ps += to_picoseconds(delay);
  if (transit.born_ps > now_picoseconds())
    post(transit.born_ps, What::join, transit);
  else
    inject(transit);
  if (!free) return tlm::TLM_ACCEPTED;
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void Noc::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto endpoint = static_cast<std::uint32_t>(id);
  const Range* range = nullptr;
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, endpoint, range, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    delay += clock_.cycles(refusal_cycles(parameters_));
    return payload.set_response_status(status);
  }
  const auto length = payload.get_data_length();
  if (parameters_.timing == Timing::loose) {
    ++packets;
    if (range->group != none) {
      const auto& group = *groups_[range->group];
      return group.reduces ? loose_reduction(group, endpoint, payload, delay)
                           : loose_multicast(group, endpoint, payload, delay);
    }
    const auto address = payload.get_address();
    payload.set_address(local);
    delay += to_sc_time({zero_load_ps(endpoint, destination, flits_for(payload.is_write() ? length : 0))});
    (*endpoints_[destination].target)->b_transport(payload, delay);
    delay += to_sc_time({zero_load_ps(destination, endpoint, flits_for(payload.is_read() ? length : 0))});
    payload.set_address(address);
    if (range->granule != 0 && range->targets.size() > 1) payload.set_dmi_allowed(payload.is_dmi_allowed());
    return;
  }
  if (length > pool_.capacity() || payload.get_byte_enable_ptr() != nullptr)
    return payload.set_response_status(payload.get_byte_enable_ptr() != nullptr
                                           ? tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE
                                           : tlm::TLM_BURST_ERROR_RESPONSE);
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  auto& own = pool_.acquire(payload.get_command(), payload.get_address(), length, is_timing_only(payload));
  if (payload.is_write()) std::memcpy(own.get_data_ptr(), payload.get_data_ptr(), length);
  sc_core::sc_event done;
  auto& transit = start_request(own, endpoint, *range, destination, local);
  transit.waiter = &done;
  inject(transit);
  wait(done);
  if (payload.is_read() && own.is_response_ok())
    std::memcpy(payload.get_data_ptr(), own.get_data_ptr(), length);
  payload.set_response_status(own.get_response_status());
  own.release();
}

unsigned Noc::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const auto* range = find(payload.get_address());
  if (range == nullptr) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  const auto address = payload.get_address();
  const auto offset = address - range->base;
  unsigned moved = 0;
  if (range->group != none) {
    const auto& group = *groups_[range->group];
    if (group.reduces) {
      payload.set_address(group.local(address));
      moved = (*endpoints_[group.target(address)].target)->transport_dbg(payload);
    }
    for (const auto& member : group.reduces ? std::vector<noc::GroupMember>() : group.members) {
      payload.set_address(offset + member.offset);
      moved = (*endpoints_[member.endpoint].target)->transport_dbg(payload);
      if (payload.is_read()) break;
    }
    payload.set_address(address);
    return moved;
  }
  // Interleaved targets share one memory, so whichever serves the first byte can serve all.
  const auto which = range->granule == 0 ? 0 : offset / range->granule % range->targets.size();
  payload.set_address(offset + range->offset);
  moved = (*endpoints_[range->targets[which]].target)->transport_dbg(payload);
  payload.set_address(address);
  return moved;
}

bool Noc::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const auto* range = find(payload.get_address());
  if (parameters_.timing != Timing::loose || range == nullptr || range->group != none) return false;
  const auto address = payload.get_address();
  payload.set_address(address - range->base + range->offset);
  const bool granted = (*endpoints_[range->targets.front()].target)->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  dmi.set_start_address(std::max(dmi.get_start_address(), sc_dt::uint64{range->offset}) - range->offset +
                        range->base);
  const auto end = std::min<std::uint64_t>(dmi.get_end_address() - range->offset, range->size - 1);
  dmi.set_end_address(end + range->base);
  return granted;
}

// ------------------------------------------------------------------------------------------------ says why

std::vector<Noc::LinkReport> Noc::links() const {
  std::vector<LinkReport> reports;
  const auto elapsed = static_cast<std::uint64_t>(now_picoseconds() - reset_at_);
  for (std::uint32_t i = 0; i < graph_.links().size(); ++i) {
    const auto& link = graph_.links()[i];
    const auto counted = network_ ? network_->counters(i) : noc::LinkCounters{};
    const auto ps = [&](std::uint64_t cycles) {
      return cycles * static_cast<std::uint64_t>(clock_.period_ps());
    };
    const auto busy = std::min(elapsed, ps(counted.flits) * link.interval / 1024);
    reports.push_back({link.name, counted.flits, busy, std::min(elapsed - busy, ps(counted.blocked_cycles)),
                       counted.packets, ps(counted.waited_cycles)});
  }
  return reports;
}

double Noc::link_bandwidth() const {
  return static_cast<double>(parameters_.link_width.count) * 1e12 / static_cast<double>(clock_.period_ps());
}

std::string Noc::describe_stall() const {
  std::string text;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const auto& e = endpoints_[i];
    const auto name = [&](std::uint32_t id) { return graph_.endpoints()[id].name; };
    std::size_t behind = 0;
    for (const auto* t = e.arrived.first; t != nullptr; t = t->next) ++behind;
    if (e.requesting != nullptr)
      text += fmt::format("{} has not taken a request from {}; {} more behind it\n",
                          name(static_cast<std::uint32_t>(i)), name(e.requesting->source), behind);
    else if (e.responding)
      text += fmt::format("{} has not taken a response; {} more behind it\n",
                          name(static_cast<std::uint32_t>(i)), behind);
  }
  for (const auto& [key, meeting] : meetings_) {
    const auto& [tree, node, address] = key;
    text += fmt::format("a sum at {} waits for {} of {} contributions to address {:#x}\n",
                        graph_.routers()[tree->nodes[node].router].name,
                        meeting.waiting.size() - meeting.present, meeting.waiting.size(), address);
  }
  if (network_) text += noc::describe_waits(graph_, network_->waits(), 50);
  return text;
}

void Noc::record(Time bin) {
  bin_cycles_ = bin.picoseconds > 0 ? std::max<std::int64_t>(clock_.ps_to_cycles(bin.picoseconds), 1) : 0;
  if (!network_) throw std::logic_error("a network records from the end of elaboration on");
  catch_up();
  network_->record(bin_cycles_);
}

std::vector<Noc::LinkTimeline> Noc::timelines() const {
  std::vector<LinkTimeline> all;
  for (std::uint32_t i = 0; network_ && i < graph_.links().size(); ++i)
    if (auto bins = network_->bins(i); !bins.empty())
      all.push_back({graph_.links()[i].name, std::move(bins)});
  return all;
}

std::vector<Noc::Blocked> Noc::blocked() const {
  std::vector<Blocked> all;
  if (!network_) return all;
  for (const auto& blame : network_->blames())
    all.push_back({graph_.links()[blame.link].name,
                   blame.behind == none ? "its endpoint" : graph_.links()[blame.behind].name,
                   blame.cycles * static_cast<std::uint64_t>(clock_.period_ps())});
  return all;
}

}  // namespace forerun::ip
