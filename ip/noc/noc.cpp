// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/noc.hpp"

#include <fmt/format.h>

#include <algorithm>
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

enum Direction : unsigned { west, east, north, south };
constexpr std::int64_t inject_cycles = 2;
}  // namespace

Noc::Noc(const sc_core::sc_module_name& name, const NocParameters& parameters)
    : sc_module(name),
      reset_line("reset",
                 [this](bool level) {
                   if (level) reset();
                 }),
      parameters_(parameters),
      clock_(parameters.clock) {
  const auto columns = parameters.columns, rows = parameters.rows;
  mesh_.assign(std::size_t{4} * columns * rows, none);
  for (unsigned y = 0; y < rows; ++y)
    for (unsigned x = 0; x < columns; ++x) {
      const auto connect = [&](Direction direction, bool exists, unsigned to_x, unsigned to_y) {
        if (!exists) return;
        const auto link = add_link(fmt::format("({},{})->({},{})", x, y, to_x, to_y));
        links_[link].router = to_y * columns + to_x;
        mesh_[(y * columns + x) * 4 + direction] = link;
      };
      connect(west, x > 0, x - 1, y);
      connect(east, x + 1 < columns, x + 1, y);
      connect(north, y > 0, x, y - 1);
      connect(south, y + 1 < rows, x, y + 1);
    }
  add_method("run", {&run_event_}, [this] { run(); });
}

void Noc::reset() {
  counters.clear();
  for (auto& link : links_) {
    link.flits = link.busy_ps = link.blocked_ps = 0;
    if (link.blocked_since >= 0) link.blocked_since = now_picoseconds();
  }
}

std::uint32_t Noc::add_link(std::string name) {
  links_.emplace_back();
  links_.back().name = std::move(name);
  return static_cast<std::uint32_t>(links_.size() - 1);
}

std::uint32_t Noc::add_endpoint(const std::string& name, unsigned x, unsigned y) {
  if (x >= parameters_.columns || y >= parameters_.rows) throw std::invalid_argument("no such router");
  const auto id = static_cast<std::uint32_t>(endpoints_.size());
  auto& e = endpoints_.emplace_back();
  e.name = name;
  e.router = y * parameters_.columns + x;
  e.inject = add_link(fmt::format("{}->({},{})", name, x, y));
  links_[e.inject].router = e.router;
  e.eject = add_link(fmt::format("({},{})->{}", x, y, name));
  links_[e.eject].endpoint = id;
  return id;
}

Noc::Initiator& Noc::add_initiator(const std::string& name, unsigned x, unsigned y) {
  const auto id = add_endpoint(name, x, y);
  const Inside inside(*this);
  auto& socket = endpoints_[id].initiator;
  socket = std::make_unique<Initiator>(sc_core::sc_gen_unique_name("initiator"));
  const int tag = static_cast<int>(id);
  socket->register_b_transport(this, &Noc::b_transport, tag);
  socket->register_nb_transport_fw(this, &Noc::nb_transport_fw, tag);
  socket->register_transport_dbg(this, &Noc::transport_dbg, tag);
  socket->register_get_direct_mem_ptr(this, &Noc::get_direct_mem_ptr, tag);
  return *socket;
}

Noc::Target& Noc::add_target(const std::string& name, unsigned x, unsigned y) {
  const auto id = add_endpoint(name, x, y);
  const Inside inside(*this);
  auto& socket = endpoints_[id].target;
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
  ranges_.push_back({base, size, 0, offset, {index_of(target)}});
}

void Noc::map_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t granule,
                          const std::vector<const Target*>& targets) {
  Range range{base, size, granule, 0, {}};
  for (const auto* target : targets) range.targets.push_back(index_of(*target));
  ranges_.push_back(range);
}

const Noc::Range* Noc::find(std::uint64_t address) const {
  for (const auto& range : ranges_)
    if (address - range.base < range.size) return &range;
  return nullptr;
}

tlm::tlm_response_status Noc::decode(const tlm::tlm_generic_payload& payload, std::uint32_t& endpoint,
                                     std::uint64_t& local) const {
  const auto* range = find(payload.get_address());
  if (range == nullptr) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  const std::uint64_t offset = payload.get_address() - range->base, length = payload.get_data_length();
  if (length > range->size - offset) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  local = offset + range->offset;
  endpoint = range->targets.front();
  if (range->granule == 0 || range->targets.size() == 1) return tlm::TLM_OK_RESPONSE;
  endpoint = range->targets[offset / range->granule % range->targets.size()];
  if (length > 0 && offset / range->granule != (offset + length - 1) / range->granule)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

std::uint32_t Noc::route(std::uint32_t router, std::uint32_t endpoint) const {
  const auto& to = endpoints_[endpoint];
  const auto columns = parameters_.columns;
  const auto x = router % columns, y = router / columns, to_x = to.router % columns,
             to_y = to.router / columns;
  if (x != to_x) return mesh_[router * 4 + (to_x < x ? west : east)];
  if (y != to_y) return mesh_[router * 4 + (to_y < y ? north : south)];
  return to.eject;
}

std::uint32_t Noc::flits_for(std::uint32_t data_bytes) const {
  const auto width = static_cast<std::uint32_t>(parameters_.link_width.count);
  return 1 + (data_bytes + width - 1) / width;
}

Noc::~Noc() {
  for (const auto& packet : packets_)  // a simulation may end with packets on their way
    if (packet->payload != nullptr) packet->payload->clear_extension(packet.get());
}

std::int64_t Noc::zero_load_ps(std::uint32_t from, std::uint32_t to, std::uint32_t flit_count) const {
  const auto columns = static_cast<std::int64_t>(parameters_.columns);
  const auto a = static_cast<std::int64_t>(endpoints_[from].router),
             b = static_cast<std::int64_t>(endpoints_[to].router);
  const auto routers = std::abs(a % columns - b % columns) + std::abs(a / columns - b / columns) + 1;
  return clock_.cycles_to_ps(
      inject_cycles + routers * (parameters_.router_latency() + parameters_.link_latency) + flit_count - 1);
}

Noc::Packet& Noc::make_packet(tlm::tlm_generic_payload& payload) {
  if (free_.empty()) {
    packets_.push_back(std::make_unique<Packet>());
    free_.push_back(packets_.back().get());
  }
  auto& packet = *free_.back();
  free_.pop_back();
  packet.payload = &payload;
  packet.address = payload.get_address();
  packet.holds = none;
  packet.network = 0;
  packet.born = now_picoseconds();
  packet.waiter = nullptr;
  payload.set_extension(&packet);
  return packet;
}

void Noc::post(std::int64_t when, What what, std::uint32_t link, Packet* packet, std::uint32_t amount) {
  if (events_.empty() || when < events_.front().when)
    run_event_.notify(to_sc_time({when - now_picoseconds()}));
  events_.push_back({when, order_++, what, link, packet, amount});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

void Noc::run() {
  const auto now = now_picoseconds();
  while (!events_.empty() && events_.front().when <= now) {
    const auto event = events_.front();
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    events_.pop_back();
    switch (event.what) {
      case What::head:
        join(event.link, *event.packet);
        break;
      case What::release:
        release_buffer(event.link, event.amount >> 31, event.amount & 0x7fffffff);
        break;
      case What::free:
        try_link(event.link);
        break;
      case What::tail:
        deliver(*event.packet);
        break;
      case What::respond:
        join(event.link, *event.packet);
        break;
    }
  }
  if (!events_.empty()) run_event_.notify(to_sc_time({events_.front().when - now}));
}

void Noc::join(std::uint32_t link, Packet& packet) {
  packet.ready = now_picoseconds();
  links_[link].queue[packet.network].push_back(&packet);
  try_link(link);
}

void Noc::release_buffer(std::uint32_t link, unsigned network, std::uint32_t amount) {
  auto& l = links_[link];
  l.occupied[network] -= amount;
  try_link(link);
}

void Noc::try_link(std::uint32_t index) {
  auto& link = links_[index];
  const auto now = now_picoseconds();
  if (now < link.busy_until) return;
  for (unsigned i = 0; i < virtual_networks; ++i) {
    const unsigned network = (link.turn + i) % virtual_networks;
    if (link.queue[network].empty()) continue;
    auto& packet = *link.queue[network].front();
    const auto taken = link.occupied[network];
    const bool to_initiator = link.endpoint != none && network == 1;
    if (!to_initiator && taken > 0 && taken + packet.flit_count > parameters_.buffer_flits) {
      if (link.blocked_since < 0) link.blocked_since = now;
      continue;
    }
    if (link.blocked_since >= 0) {
      link.blocked_ps += static_cast<std::uint64_t>(now - link.blocked_since);
      link.blocked_since = -1;
    }
    link.queue[network].pop_front();
    link.turn = network + 1;
    const auto duration = clock_.cycles_to_ps(packet.flit_count);
    link.busy_until = now + duration;
    link.flits += packet.flit_count;
    link.busy_ps += static_cast<std::uint64_t>(duration);
    if (packet.holds != none)
      post(now + duration, What::release, packet.holds, nullptr, packet.flit_count | network << 31);
    packet.holds = none;
    if (!to_initiator) {
      link.occupied[network] += packet.flit_count;
      packet.holds = index;
    }
    if (link.endpoint != none) {
      const auto hop = parameters_.router_latency() + parameters_.link_latency;
      post(now + clock_.cycles_to_ps(hop + packet.flit_count - 1), What::tail, index, &packet);
    } else {
      const bool injecting = links_[index].name.front() != '(';
      const auto hop = injecting ? inject_cycles : parameters_.router_latency() + parameters_.link_latency;
      if (!injecting) flit_hops += packet.flit_count;
      post(now + clock_.cycles_to_ps(hop), What::head, route(link.router, packet.destination), &packet);
      if (injecting && packet.unfinished_request) {
        packet.unfinished_request = false;
        auto& source = endpoints_[packet.source];
        if (source.held == &packet) {
          source.held = nullptr;
          tlm::tlm_phase phase = tlm::END_REQ;
          auto delay = sc_core::SC_ZERO_TIME;
          (*source.initiator)->nb_transport_bw(*packet.payload, phase, delay);
        }
      }
    }
    post(links_[index].busy_until, What::free, index, nullptr);
    return;
  }
}

void Noc::deliver(Packet& packet) {
  ++packets;
  flits += packet.flit_count;
  latency_sum += static_cast<std::uint64_t>(now_picoseconds() - packet.born);
  const auto id = packet.destination;
  endpoints_[id].arrived.push_back(&packet);
  if (packet.network == 0)
    hand_over(id);
  else
    offer_responses(id);
}

void Noc::hand_over(std::uint32_t id) {
  auto& endpoint = endpoints_[id];
  while (endpoint.requesting == nullptr && !endpoint.arrived.empty()) {
    auto& packet = *endpoint.arrived.front();
    endpoint.arrived.pop_front();
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    endpoint.requesting = &packet;
    const auto eject = endpoint.eject;
    const auto answer = (*endpoint.target)->nb_transport_fw(*packet.payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) return;
    endpoints_[id].requesting = nullptr;
    release_buffer(eject, 0, packet.flit_count);
    if (answer == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP)
      make_response(packet, to_picoseconds(delay));
  }
}

tlm::tlm_sync_enum Noc::nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  auto& endpoint = endpoints_[static_cast<std::size_t>(id)];
  auto& packet = *payload.get_extension<Packet>();
  if (endpoint.requesting == &packet) {  // END_REQ, or a response that implies it
    endpoint.requesting = nullptr;
    release_buffer(endpoint.eject, 0, packet.flit_count);
    if (phase == tlm::BEGIN_RESP) make_response(packet, to_picoseconds(delay));
    hand_over(static_cast<std::uint32_t>(id));
    return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  make_response(packet, to_picoseconds(delay));
  return tlm::TLM_COMPLETED;
}

void Noc::make_response(Packet& packet, std::int64_t delay_ps) {
  std::swap(packet.source, packet.destination);
  packet.network = 1;
  packet.holds = none;
  const bool data = packet.payload->is_read() && packet.payload->is_response_ok();
  packet.flit_count = flits_for(data ? packet.payload->get_data_length() : 0);
  packet.born = now_picoseconds() + delay_ps;
  post(packet.born, What::respond, endpoints_[packet.source].inject, &packet);
}

void Noc::retire(Packet& packet) {
  packet.payload->clear_extension(&packet);
  packet.payload->set_address(packet.address);
  packet.payload = nullptr;
  free_.push_back(&packet);
}

void Noc::offer_responses(std::uint32_t id) {
  auto& endpoint = endpoints_[id];
  while (!endpoint.responding && !endpoint.arrived.empty()) {
    auto& packet = *endpoint.arrived.front();
    endpoint.arrived.pop_front();
    auto& payload = *packet.payload;
    auto* const waiter = packet.waiter;
    retire(packet);
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
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(status);
    delay += clock_.cycles(inject_cycles + parameters_.router_latency());
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  auto& packet = make_packet(payload);
  packet.source = endpoint;
  packet.destination = destination;
  packet.flit_count = flits_for(payload.is_write() ? payload.get_data_length() : 0);
  packet.unfinished_request = false;
  payload.set_address(local);
  const auto start = now_picoseconds() + to_picoseconds(delay);
  const auto& inject = links_[from.inject];
  const bool free = inject.queue[0].empty() && inject.busy_until <= start && inject.occupied[0] == 0;
  if (!free) {
    packet.unfinished_request = true;
    from.held = &packet;
  }
  post(start, What::respond, from.inject, &packet);
  if (!free) return tlm::TLM_ACCEPTED;
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void Noc::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto endpoint = static_cast<std::uint32_t>(id);
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    delay += clock_.cycles(inject_cycles + parameters_.router_latency());
    return payload.set_response_status(status);
  }
  const auto length = payload.get_data_length();
  if (parameters_.timing == Timing::loose) {
    const auto address = payload.get_address();
    payload.set_address(local);
    delay += to_sc_time({zero_load_ps(endpoint, destination, flits_for(payload.is_write() ? length : 0))});
    (*endpoints_[destination].target)->b_transport(payload, delay);
    delay += to_sc_time({zero_load_ps(destination, endpoint, flits_for(payload.is_read() ? length : 0))});
    payload.set_address(address);
    const auto* range = find(address);
    if (range->granule != 0 && range->targets.size() > 1) payload.set_dmi_allowed(payload.is_dmi_allowed());
    ++packets;
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
  auto& packet = make_packet(own);
  packet.source = endpoint;
  packet.destination = destination;
  packet.flit_count = flits_for(payload.is_write() ? length : 0);
  packet.unfinished_request = false;
  packet.waiter = &done;
  own.set_address(local);
  post(now_picoseconds(), What::respond, endpoints_[endpoint].inject, &packet);
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
  // Interleaved targets share one memory, so whichever serves the first byte can serve all.
  const auto address = payload.get_address();
  const auto offset = address - range->base;
  const auto which = range->granule == 0 ? 0 : offset / range->granule % range->targets.size();
  payload.set_address(offset + range->offset);
  const auto moved = (*endpoints_[range->targets[which]].target)->transport_dbg(payload);
  payload.set_address(address);
  return moved;
}

bool Noc::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const auto* range = find(payload.get_address());
  if (parameters_.timing != Timing::loose || range == nullptr) return false;
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

std::vector<Noc::LinkReport> Noc::links() const {
  std::vector<LinkReport> reports;
  for (const auto& link : links_) reports.push_back({link.name, link.flits, link.busy_ps, link.blocked_ps});
  return reports;
}

double Noc::link_bandwidth() const {
  return static_cast<double>(parameters_.link_width.count) * 1e12 / static_cast<double>(clock_.period_ps());
}

std::string Noc::describe_stall() const {
  std::string text;
  for (const auto& link : links_)
    for (const auto& queue : link.queue)
      if (!queue.empty())
        text += fmt::format("{} packets wait for {} (its far buffer holds {} and {} flits)\n", queue.size(),
                            link.name, link.occupied[0], link.occupied[1]);
  return text;
}

}  // namespace forerun::ip
