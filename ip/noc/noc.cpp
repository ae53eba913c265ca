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

}  // namespace

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
    held_.resize(routers);
    claimed_.resize(routers);
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
  endpoint.number = static_cast<unsigned>(initiator_names().size());
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
  endpoint.number = static_cast<unsigned>(target_names().size());
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

void Noc::add_range(Range range) {
  const auto before = [](const Range& a, const Range& b) { return a.base < b.base; };
  const auto at = std::upper_bound(ranges_.begin(), ranges_.end(), range, before);
  if ((at != ranges_.end() && at->base - range.base < range.size) ||
      (at != ranges_.begin() && range.base - std::prev(at)->base < std::prev(at)->size))
    throw std::invalid_argument(fmt::format("{}: the window of {:#x} bytes at {:#x} overlaps another", name(),
                                            range.size, range.base));
  ranges_.insert(at, std::move(range));
}

void Noc::map(std::uint64_t base, std::uint64_t size, const Target& target, std::uint64_t offset) {
  add_range({base, size, 0, offset, {index_of(target)}, none});
}

void Noc::map_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t granule,
                          const std::vector<const Target*>& targets) {
  Range range{base, size, granule, 0, {}, none};
  for (const auto* target : targets) range.targets.push_back(index_of(*target));
  add_range(std::move(range));
}

const Noc::Range* Noc::find(std::uint64_t address) const {
  // The last that begins at or before it. As std::upper_bound, without branches that depend on the address.
  const Range* at = ranges_.data();
  for (auto left = ranges_.size(); left > 1;) {
    const auto half = left / 2;
    at += at[half].base <= address ? half : 0;
    left -= half;
  }
  return !ranges_.empty() && address - at->base < at->size ? at : nullptr;
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

}  // namespace forerun::ip
