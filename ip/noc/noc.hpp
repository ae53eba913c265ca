// SPDX-License-Identifier: Apache-2.0
/// The network on chip: a 2-D mesh with dimension-order routing, modelled packet by packet.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"
#include "ip/noc/parameters.hpp"

namespace forerun::ip {

/// Requests and responses travel on separate virtual networks, X first and then Y, so neither can block the
/// other for good. A request is a header flit and its write data, a response a header flit and its read data.
/// A link (also the one from an endpoint into its router and back) carries one packet at a time for as many
/// cycles as it has flits; a packet moves on when the link is free and the next input buffer has room for all
/// of it (virtual cut-through; a packet larger than the buffer needs it empty), in order of arrival at the
/// output, the virtual networks taking turns.
///
/// Without contention a packet of L flits over H routers takes 2 + H (router_latency + link_latency) + L - 1
/// cycles.
///
/// approximate: nb_transport, events only where packets move; b_transport sends packets too and waits
/// (SC_THREAD callers). A reset begins counters and link reports anew. Packets under way arrive: their
/// endpoints may not have been reset and wait for them. loose: b_transport adds the contention-free time of
/// both packets. Errors: an address that nothing maps gets TLM_ADDRESS_ERROR_RESPONSE; a transaction that
/// leaves its range or interleave granule TLM_BURST_ERROR_RESPONSE.
class Noc : public sc_core::sc_module {
 public:
  using Initiator = tlm_utils::simple_target_socket_tagged<Noc>;  ///< an initiator binds to this
  using Target = tlm_utils::simple_initiator_socket_tagged<Noc>;  ///< bind this to a target

  Noc(const sc_core::sc_module_name& name, const NocParameters& parameters);
  ~Noc() override;

  /// Attach at router (x, y), before elaboration ends. Several endpoints may share a router.
  Initiator& add_initiator(const std::string& name, unsigned x, unsigned y);
  Target& add_target(const std::string& name, unsigned x, unsigned y);
  /// Addresses [base, base + size) go to a target as `offset` + address - base.
  void map(std::uint64_t base, std::uint64_t size, const Target& target, std::uint64_t offset = 0);
  /// Pieces of `granule` bytes go round the targets; each sees the offset from `base`.
  void map_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t granule,
                       const std::vector<const Target*>& targets);

  LevelIn reset_line;
  CounterGroup counters;
  Counter packets{counters, "packets", "packet", "packets delivered"};
  Counter flits{counters, "flits", "flit", "flits of the packets delivered"};
  Counter flit_hops{counters, "flit_hops", "flit", "flits times links between routers that they crossed"};
  Counter latency_sum{counters, "latency_sum", "ps",
                      "sum over packets of the time from source queue to tail delivered"};

  struct LinkReport {
    std::string name;  ///< "(1,2)->(2,2)", "(1,2)->cluster3"
    std::uint64_t flits, busy_ps, blocked_ps;
  };
  std::vector<LinkReport> links() const;
  /// Peak bytes a second of a link.
  double link_bandwidth() const;
  /// Packets on their way, with where they wait: for diagnosis.
  std::string describe_stall() const;

 private:
  static constexpr unsigned virtual_networks = 2;
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  struct Packet : tlm::tlm_extension<Packet> {
    tlm::tlm_extension_base* clone() const override { return nullptr; }
    void copy_from(const tlm::tlm_extension_base&) override {}
    void free() override { payload = nullptr; }  // its payload is gone; the packet belongs to the network
    tlm::tlm_generic_payload* payload = nullptr;
    std::uint64_t address = 0;                   // as the initiator gave it
    std::uint32_t source = 0, destination = 0;   // endpoints of this direction
    std::uint32_t flit_count = 0, holds = none;  // link whose far buffer it occupies
    unsigned network = 0;
    std::int64_t born = 0, ready = 0;
    sc_core::sc_event* waiter = nullptr;
    bool unfinished_request = false;
  };
  struct Link {
    std::string name;
    std::uint32_t router = none;  // at the far end, or none: an endpoint
    std::uint32_t endpoint = none;
    std::int64_t busy_until = 0;
    std::deque<Packet*> queue[virtual_networks];
    std::uint32_t occupied[virtual_networks] = {};
    std::vector<std::uint32_t> upstream;  // links that may wait for this one's buffer: woken by credits
    unsigned turn = 0;
    std::uint64_t flits = 0, busy_ps = 0, blocked_ps = 0;
    std::int64_t blocked_since = -1;
  };
  struct Endpoint {
    std::string name;
    std::uint32_t router = 0, inject = none, eject = none;
    std::unique_ptr<Initiator> initiator;
    std::unique_ptr<Target> target;
    Packet* held = nullptr;        // initiator's request without END_REQ
    Packet* requesting = nullptr;  // request for which the target has not sent END_REQ
    std::deque<Packet*> arrived;   // requests (or responses) that the endpoint has not taken
    bool responding = false;
  };
  struct Range {
    std::uint64_t base, size, granule, offset;
    std::vector<std::uint32_t> targets;
  };
  enum class What : std::uint8_t { head, release, free, tail, respond };
  struct Event {
    std::int64_t when;
    std::uint64_t order;
    What what;
    std::uint32_t link;
    Packet* packet;
    std::uint32_t amount = 0;
    bool operator>(const Event& e) const { return when != e.when ? when > e.when : order > e.order; }
  };

  void reset();
  std::uint32_t add_endpoint(const std::string& name, unsigned x, unsigned y);
  std::uint32_t add_link(std::string name);
  std::uint32_t index_of(const Target& target) const;
  std::uint32_t route(std::uint32_t router, std::uint32_t endpoint) const;
  const Range* find(std::uint64_t address) const;
  /// Decodes; fills endpoint and local address, or returns an error response.
  tlm::tlm_response_status decode(const tlm::tlm_generic_payload& payload, std::uint32_t& endpoint,
                                  std::uint64_t& local) const;
  std::int64_t zero_load_ps(std::uint32_t from, std::uint32_t to, std::uint32_t flit_count) const;
  std::uint32_t flits_for(std::uint32_t data_bytes) const;

  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

  Packet& make_packet(tlm::tlm_generic_payload& payload);
  void post(std::int64_t when, What what, std::uint32_t link, Packet* packet, std::uint32_t amount = 0);
  void run();
  void join(std::uint32_t link, Packet& packet);
  void try_link(std::uint32_t link);
  void deliver(Packet& packet);
  void hand_over(std::uint32_t endpoint);
  void offer_responses(std::uint32_t endpoint);
  void make_response(Packet& packet, std::int64_t delay_ps);
  void retire(Packet& packet);
  void release_buffer(std::uint32_t link, unsigned network, std::uint32_t amount);

  NocParameters parameters_;
  Clock clock_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> mesh_;  // 4 outputs of each router: west, east, north, south
  std::vector<Endpoint> endpoints_;
  std::vector<Range> ranges_;
  std::vector<std::unique_ptr<Packet>> packets_;
  std::vector<Packet*> free_;
  std::vector<Event> events_;  // heap
  std::uint64_t order_ = 0;
  PayloadPool pool_{4096};
  sc_core::sc_event run_event_;
};

}  // namespace forerun::ip
