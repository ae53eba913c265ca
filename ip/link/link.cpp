// SPDX-License-Identifier: Apache-2.0
#include "ip/link/link.hpp"

#include <algorithm>
#include <cmath>

#include "ip/base/method.hpp"

namespace forerun::ip {
namespace {
constexpr unsigned most_deltas = 1000;  // that others may take before links go on
}

LinkNetwork::LinkNetwork(const sc_core::sc_module_name& name, const LinkParameters& parameters)
    : sc_module(name),
      in("in", parameters.symmetric ? 1 : parameters.devices),
      out("out", parameters.symmetric ? 1 : parameters.devices),
      parameters_(parameters),
      graph_(parameters.topology, parameters.devices, parameters.columns),
      sent_(std::size_t{parameters.devices} * parameters.devices),
      order_(parameters.devices),
      waiting_(in.size()),
      requesting_(in.size()) {
  const auto edges = static_cast<std::uint32_t>(graph_.edges().size());
  for (std::uint32_t e = 0; e < edges; ++e) {
    const auto resource = parameters_.symmetric ? graph_.edge_class(e) : e;
    if (resource == reports_.size()) reports_.push_back({graph_.edge_name(e)});
    resource_.push_back(resource);
  }
  free_at_.resize(reports_.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    const int id = static_cast<int>(i);
    in[i].register_b_transport(this, &LinkNetwork::b_transport, id);
    in[i].register_nb_transport_fw(this, &LinkNetwork::nb_transport_fw, id);
    in[i].register_transport_dbg(this, &LinkNetwork::transport_dbg, id);
    out[i].register_nb_transport_bw(this, &LinkNetwork::nb_transport_bw, id);
  }
  add_method("run", {&run_event_}, [this] { run(); });
}

unsigned LinkNetwork::device_of(std::uint64_t address, unsigned sender) const {
  if (address < parameters_.window_base) return parameters_.devices;
  const auto device = (address - parameters_.window_base) / parameters_.window_stride;
  return device < parameters_.devices && device != sender ? static_cast<unsigned>(device)
                                                          : parameters_.devices;
}

std::uint64_t LinkNetwork::address_there(std::uint64_t address, unsigned device) const {
  return address - parameters_.window_base - device * parameters_.window_stride;
}

std::int64_t LinkNetwork::wire_bytes(std::uint32_t data) const {
  const auto payload = parameters_.payload.count;
  const auto packets = std::max<std::uint64_t>(1, (data + payload - 1) / payload);
  return static_cast<std::int64_t>(data + packets * parameters_.overhead.count);
}

std::int64_t LinkNetwork::serial_ps(std::uint32_t data) const {
  return std::llround(static_cast<double>(wire_bytes(data)) * 1e12 / parameters_.bandwidth.bytes_per_second);
}

std::int64_t LinkNetwork::unloaded_ps(unsigned from, unsigned to, std::uint32_t data) const {
  const auto links = static_cast<std::int64_t>(graph_.routes(from, to).front().size());
  return links * parameters_.latency.picoseconds + (links - 1) * parameters_.hop.picoseconds +
         serial_ps(data);
}

// Sockets

tlm::tlm_sync_enum LinkNetwork::nb_transport_fw(int id, tlm::tlm_generic_payload& payload,
                                                tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase == tlm::END_RESP) {
    payload.release();
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  const auto source = static_cast<unsigned>(id), destination = device_of(payload.get_address(), source);
  const auto length = payload.get_data_length();
  if (destination == parameters_.devices || length > pool_.capacity()) {
    payload.set_response_status(destination == parameters_.devices ? tlm::TLM_ADDRESS_ERROR_RESPONSE
                                                                   : tlm::TLM_BURST_ERROR_RESPONSE);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(messages_.size()));
    messages_.emplace_back();
  }
  const auto index = free_.back();
  free_.pop_back();
  auto& message = messages_[index];
  message = {};
  message.original = &payload;
  message.source = source;
  message.destination = destination;
  message.data = payload.is_write() ? length : 0;
  send(index, now_picoseconds() + to_picoseconds(delay));
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

tlm::tlm_sync_enum LinkNetwork::nb_transport_bw(int id, tlm::tlm_generic_payload& payload,
                                                tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const auto socket = static_cast<std::size_t>(id);
  const auto message = by_far_.at(&payload);
  if (requesting_[socket] == &payload) {
    requesting_[socket] = nullptr;
    if (!waiting_[socket].empty()) run_event_.notify(sc_core::SC_ZERO_TIME);
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  answer(message, to_picoseconds(delay));
  return tlm::TLM_COMPLETED;
}

void LinkNetwork::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto source = static_cast<unsigned>(id);
  const auto address = payload.get_address();
  const auto destination = device_of(address, source);
  if (destination == parameters_.devices) return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  const auto length = payload.get_data_length();
  delay += to_sc_time({unloaded_ps(source, destination, payload.is_write() ? length : 0)});
  payload.set_address(address_there(address, destination));
  out[socket_of(destination)]->b_transport(payload, delay);
  payload.set_address(address);
  payload.set_dmi_allowed(false);
  delay += to_sc_time({unloaded_ps(destination, source, payload.is_read() ? length : 0)});
  messages += 2;
  bytes += length;
}

unsigned LinkNetwork::transport_dbg(int id, tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  const auto destination = device_of(address, static_cast<unsigned>(id));
  if (destination == parameters_.devices) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  payload.set_address(address_there(address, destination));
  const auto moved = out[socket_of(destination)]->transport_dbg(payload);
  payload.set_address(address);
  return moved;
}

// Messages

void LinkNetwork::send(std::uint32_t index, std::int64_t when) {
  auto& m = messages_[index];
  const auto& routes = graph_.routes(m.source, m.destination);
  const auto relative = graph_.relative(m.destination, m.source);
  // Seen from the sender, so that it is the same for the one device that stands for all.
  auto& count = sent_[parameters_.symmetric ? relative : m.source * parameters_.devices + m.destination];
  const auto which = count++ % routes.size();
  m.route = &routes[which];
  m.hop = 0;
  m.way = (m.response ? 0 : std::uint64_t{parameters_.devices} << 8) + (relative << 8) + which;
  m.sequence = order_[socket_of(m.source)]++;
  m.born_ps = when;
  schedule(index, when);
}

void LinkNetwork::schedule(std::uint32_t index, std::int64_t when) {
  const auto& m = messages_[index];
  if (agenda_.empty() || when < agenda_.top().when)
    run_event_.notify(to_sc_time({std::max<std::int64_t>(0, when - now_picoseconds())}));
  agenda_.push({when, -static_cast<std::int64_t>(m.hop), m.way, m.sequence, index});
}

void LinkNetwork::run() {
  // After everything else at this moment, so that no device sees its own events in another order than the
  // others.
  if (sc_core::sc_pending_activity_at_current_time() && deltas_++ < most_deltas)
    return run_event_.notify(sc_core::SC_ZERO_TIME);
  deltas_ = 0;
  for (std::size_t socket = 0; socket < waiting_.size(); ++socket) pump(socket);
  while (!agenda_.empty() && agenda_.top().when <= now_picoseconds()) {
    const auto next = agenda_.top();
    agenda_.pop();
    if (messages_[next.message].hop < messages_[next.message].route->size())
      advance(next.message, next.when);
    else
      deliver(next.message);
  }
  if (!agenda_.empty()) run_event_.notify(to_sc_time({agenda_.top().when - now_picoseconds()}));
}

void LinkNetwork::advance(std::uint32_t index, std::int64_t when) {
  auto& m = messages_[index];
  const auto resource = resource_[(*m.route)[m.hop]];
  const auto serial = serial_ps(m.data), start = std::max(when, free_at_[resource]);
  free_at_[resource] = start + serial;
  auto& report = reports_[resource];
  ++report.messages;
  report.bytes += static_cast<std::uint64_t>(wire_bytes(m.data));
  report.busy_ps += static_cast<std::uint64_t>(serial);
  report.waited_ps += static_cast<std::uint64_t>(start - when);
  const bool last = ++m.hop == m.route->size();
  schedule(index, start + parameters_.latency.picoseconds + (last ? serial : parameters_.hop.picoseconds));
}

void LinkNetwork::deliver(std::uint32_t index) {
  auto& m = messages_[index];
  ++messages;
  bytes += m.data;
  latency_sum += static_cast<std::uint64_t>(now_picoseconds() - m.born_ps);
  if (!m.response) {
    const auto socket = socket_of(m.destination);
    waiting_[socket].push_back(index);
    return pump(socket);
  }
  auto& payload = *m.original;
  const auto socket = socket_of(m.destination);
  free_.push_back(index);
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  auto delay = sc_core::SC_ZERO_TIME;
  if (in[socket]->nb_transport_bw(payload, phase, delay) == tlm::TLM_COMPLETED) payload.release();
}

void LinkNetwork::pump(std::size_t socket) {
  while (requesting_[socket] == nullptr && !waiting_[socket].empty()) {
    const auto index = waiting_[socket].front();
    waiting_[socket].pop_front();
    const auto& m = messages_[index];
    auto& original = *m.original;
    auto& far = pool_.acquire(original.get_command(), address_there(original.get_address(), m.destination),
                              original.get_data_length(), is_timing_only(original));
    messages_[index].far_data = far.get_data_ptr();
    far.set_data_ptr(original.get_data_ptr());
    far.set_byte_enable_ptr(original.get_byte_enable_ptr());
    far.set_byte_enable_length(original.get_byte_enable_length());
    messages_[index].far = &far;
    by_far_[&far] = index;
    requesting_[socket] = &far;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    const auto status = out[socket]->nb_transport_fw(far, phase, delay);
    if (status == tlm::TLM_ACCEPTED) return;
    requesting_[socket] = nullptr;
    if (status == tlm::TLM_COMPLETED || phase == tlm::BEGIN_RESP) answer(index, to_picoseconds(delay));
  }
}

void LinkNetwork::answer(std::uint32_t index, std::int64_t delay_ps) {
  auto& m = messages_[index];
  auto& far = *m.far;
  m.original->set_response_status(far.get_response_status());
  m.response = true;
  m.data = far.is_read() ? far.get_data_length() : 0;
  std::swap(m.source, m.destination);
  by_far_.erase(&far);
  far.set_data_ptr(m.far_data);
  far.release();
  m.far = nullptr;
  send(index, now_picoseconds() + delay_ps);
}

}  // namespace forerun::ip
