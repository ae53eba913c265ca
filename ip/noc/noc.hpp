// SPDX-License-Identifier: Apache-2.0
/// The network on chip: TLM sockets around a network model, which parameters choose.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/payload.hpp"
#include "ip/base/time.hpp"
#include "ip/noc/carrier.hpp"
#include "ip/noc/groups.hpp"
#include "ip/noc/network.hpp"
#include "ip/noc/parameters.hpp"
#include "ip/noc/routing.hpp"

namespace forerun::ip {

/// A request is a packet of a header flit and its write data, a response one of a header flit and its read
/// data; posted transactions (ip::Posted) have no response packet and are answered when their target has
/// taken them. With two virtual networks responses never wait for requests, and initiators always take
/// responses; so neither can block the other for good. A packet joins the network at the first clock edge at
/// or after its time; a target that has not ended a request (END_REQ) keeps further ones in the network's
/// ejection buffers.
///
/// A packet of L flits over H routers takes noc::zero_load_cycles without contention: 2 + H (router latency +
/// 1) + L - 1 with links of one cycle. Endpoints with a clock of their own add the wait for an edge and the
/// synchroniser, each way.
///
/// approximate: nb_transport; nothing happens while nothing moves. b_transport sends packets too and waits
/// (SC_THREAD callers). Annotated delays are honoured. END_REQ comes at once if nothing else waits to leave
/// the endpoint, otherwise when the request has left. A reset begins counters and link reports anew. Packets
/// under way arrive: their endpoints may not have been reset and wait for them. loose: b_transport adds the
/// contention-free time of both packets. Errors: an address that nothing maps gets
/// TLM_ADDRESS_ERROR_RESPONSE; a transaction that leaves its range or interleave granule
/// TLM_BURST_ERROR_RESPONSE.
///
/// **Multicast windows**: a write reaches every member along the tree of routes from its initiator; a unit in
/// each router where the tree branches takes the whole packet and sends one copy each way; the units join the
/// responses to one, an error if any member gave one. Units hold NocParameters::unit_buffer of data each: a
/// write enters the network when all units of its tree have room for it, and keeps that room in each until
/// its last copy has left it. So nothing that is under way waits for room, whatever else is, and no order of
/// writes can lock the network up; before it enters it waits at its initiator, the oldest first. **Reduction
/// windows**: writes of all members to the same offset (the n-th of each belong together) are summed element
/// by element in units where their routes meet and reach the target as one write; its response goes back to
/// all. Sums are taken in the order of the tree, never of arrival, each rounded to the element type. Both
/// move data only where there are any (TimingOnly), at the same time. Reads get TLM_COMMAND_ERROR_RESPONSE,
/// as do writes into a reduction by others than its members; byte enables TLM_BYTE_ENABLE_ERROR_RESPONSE;
/// more than 4 KiB, parts of elements or contributions that differ in length TLM_BURST_ERROR_RESPONSE. A
/// reset gives contributions that wait for others a TLM_GENERIC_ERROR_RESPONSE. In loose timing a multicast
/// is a b_transport to each member, and the last contribution to a reduction carries the sum; the others
/// return at once.
class Noc : public sc_core::sc_module {
 public:
  using Initiator = tlm_utils::simple_target_socket_tagged<Noc>;  ///< an initiator binds to this
  using Target = tlm_utils::simple_initiator_socket_tagged<Noc>;  ///< bind this to a target

  /// Throws std::invalid_argument (NocParameters::check).
  Noc(const sc_core::sc_module_name& name, const NocParameters& parameters);
  ~Noc() override;

  /// Attach at place (x, y), before elaboration ends. Several endpoints may share a router.
  Initiator& add_initiator(const std::string& name, unsigned x, unsigned y,
                           const noc::EndpointParameters& parameters = {});
  Target& add_target(const std::string& name, unsigned x, unsigned y,
                     const noc::EndpointParameters& parameters = {});
  /// Addresses [base, base + size) go to a target as `offset` + address - base. Here and below: throws
  /// std::invalid_argument if the window overlaps another.
  void map(std::uint64_t base, std::uint64_t size, const Target& target, std::uint64_t offset = 0);
  /// Pieces of `granule` bytes go round the targets; each sees the offset from `base`.
  void map_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t granule,
                       const std::vector<const Target*>& targets);
  struct Member {
    const Target* target;
    std::uint64_t offset;  ///< address there of the window's first byte
  };
  void map_multicast(std::uint64_t base, std::uint64_t size, const std::vector<Member>& members);
  void map_reduction(std::uint64_t base, std::uint64_t size, const Member& target,
                     const std::vector<const Initiator*>& members, noc::Element element);
  /// Sums go to targets that share a memory as in map_interleaved, from `offset` of it on.
  void map_reduction_interleaved(std::uint64_t base, std::uint64_t size, std::uint64_t offset,
                                 std::uint64_t granule, const std::vector<const Target*>& targets,
                                 const std::vector<const Initiator*>& members, noc::Element element);

  /// From now on `carrier` carries the transactions, in approximate timing and without windows of groups; the
  /// counters and reports of the network's own model stay at nothing.
  void use(noc::Carrier& carrier) { carrier_ = &carrier; }
  std::vector<std::string> initiator_names() const { return names(true); }
  std::vector<std::string> target_names() const { return names(false); }
  struct Place {
    unsigned target;
    std::uint64_t local;
  };
  /// Where an address goes to; nothing maps it: none.
  std::optional<Place> place(std::uint64_t address) const;
  /// For the carrier: to a target, and back to an initiator.
  tlm::tlm_sync_enum deliver(unsigned target, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                             sc_core::sc_time& delay);
  tlm::tlm_sync_enum respond(unsigned initiator, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                             sc_core::sc_time& delay);

  LevelIn reset_line;
  CounterGroup counters;
  Counter packets{counters, "packets", "packet", "packets delivered"};
  Counter flits{counters, "flits", "flit", "flits of the packets delivered"};
  Counter flit_hops{counters, "flit_hops", "flit", "flits times links between routers that they crossed"};
  Counter copies{counters, "copies", "packet", "packets that units of multicast windows sent"};
  Counter unit_waits{counters, "unit_waits", "ps",
                     "sum over writes to multicast windows of the time until units had room for them"};
  Counter sums{counters, "sums", "packet", "packets that units of reduction windows sent"};
  Counter latency_sum{counters, "latency_sum", "ps",
                      "sum over packets of the time from source queue to tail delivered"};

  struct LinkReport {
    std::string name;  ///< "(1,2)->(2,2)", "(1,2)->cluster3"
    std::uint64_t flits, busy_ps, blocked_ps;
    std::uint64_t packets, waited_ps;  ///< time that packets waited for the link beyond the pipeline, summed
  };
  std::vector<LinkReport> links();
  /// Peak bytes a second of a link.
  double link_bandwidth() const;
  /// Packets on their way, with where they wait and for whom: for diagnosis. Names cyclic waits.
  std::string describe_stall();

  /// Records links over time from now on, in bins of about `bin` (whole cycles); zero: off, as at the start.
  void record(Time bin);
  struct LinkTimeline {
    std::string name;
    std::vector<noc::LinkBin> bins;  ///< cycles of waiting, flits
  };
  /// Of links that have moved anything, since record().
  std::vector<LinkTimeline> timelines();
  Time bin() const { return {clock_.cycles_to_ps(bin_cycles_)}; }
  struct Blocked {
    std::string link, behind;  ///< packets could not enter `link` because those at its far end waited for
                               ///< `behind` (a link, or "its endpoint")
    std::uint64_t ps;
  };
  /// Who blocked whom, the longest first. Needs record().
  std::vector<Blocked> blocked();

  const noc::Graph& graph() const { return graph_; }

 private:
  static constexpr std::uint32_t none = noc::none;
  static constexpr unsigned units_of_router = 2;  ///< more than 8 ports make routers slow to simulate

  /// A packet with what it carries, or a part of a multicast or reduction.
  struct Transit : noc::Packet, tlm::tlm_extension<Transit> {
    tlm::tlm_extension_base* clone() const override { return nullptr; }
    void copy_from(const tlm::tlm_extension_base&) override {}
    void free() override { payload = nullptr; }  // its payload is gone; the packet belongs to the network
    tlm::tlm_generic_payload* payload = nullptr;
    std::uint64_t address = 0;  // as the initiator gave it
    std::int64_t born_ps = 0;
    sc_core::sc_event* waiter = nullptr;
    Transit* next = nullptr;  // in a list
    bool owes_end = false;    // END_REQ is due when it has left
    bool accepted = false;    // END_REQ by the target
    // Of a group:
    const noc::Group* group = nullptr;
    const noc::GroupTree* tree = nullptr;
    std::uint32_t node = noc::none, branch = 0;  // of the tree to which it goes; which of its branches it is
    std::uint32_t pending = 0;                   // parts without response
    std::uint32_t unsent = 0;                    // parts that have not left their unit
    std::uint32_t resets = 0;                    // of the network before it was sent
    tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
    Transit* parent = nullptr;
    tlm::tlm_generic_payload* data = nullptr;  // whose data it carries
    std::vector<Transit*> parts;
  };
  struct List {
    Transit *first = nullptr, *last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Transit& transit);
    Transit& pop();
  };
  struct Endpoint {
    std::unique_ptr<Initiator> initiator;
    std::unique_ptr<Target> target;
    noc::EndpointParameters parameters;
    unsigned number = 0;               // among the initiators, or targets
    std::int64_t crossing_period = 0;  // of its clock where it differs, or 0
    bool unit = false;
    unsigned leaving = 0;           // requests in its source queue
    Transit* requesting = nullptr;  // request for which the target has not sent END_REQ
    List arrived;                   // requests (or responses) that the endpoint has not taken
    bool responding = false;
  };
  struct Range {
    std::uint64_t base, size, granule, offset;
    std::vector<std::uint32_t> targets;
    std::uint32_t group = noc::none;
  };
  enum class What : std::uint8_t { left, arrived, join, accepted, answered, copied };
  /// What comes at one time goes by kind and endpoint; only those of one endpoint go by the calls.
  struct Event {
    std::int64_t when;
    std::uint64_t order;  // kind, 20 bits of endpoint, 40 bits of count
    Transit* transit;
    What what() const { return static_cast<What>(order >> 60); }
    bool operator>(const Event& e) const { return when != e.when ? when > e.when : order > e.order; }
  };

  void end_of_elaboration() override;
  void reset();
  std::uint32_t index_of(const Target& target) const;
  std::vector<std::string> names(bool initiators) const;
  std::uint32_t endpoint_of(bool initiator, unsigned number) const;
  void add_range(Range range);
  const Range* find(std::uint64_t address) const;
  /// Decodes; fills endpoint and local address, or returns an error response.
  tlm::tlm_response_status decode(const tlm::tlm_generic_payload& payload, std::uint32_t from,
                                  const Range*& range, std::uint32_t& endpoint, std::uint64_t& local) const;
  std::int64_t zero_load_ps(std::uint32_t from, std::uint32_t to, std::uint32_t flit_count) const;
  std::uint32_t flits_for(std::uint32_t data_bytes) const;

  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

  // Packets
  Transit& make_transit(tlm::tlm_generic_payload* payload, std::uint32_t source, std::uint32_t destination,
                        std::uint32_t data_bytes);
  Transit& start_request(tlm::tlm_generic_payload& payload, std::uint32_t from, const Range& range,
                         std::uint32_t destination, std::uint64_t local);
  void retire(Transit& transit);
  void post(std::int64_t when, What what, Transit& transit);
  void wake(std::int64_t when);
  void wake_for_next();
  void wake_for_network();
  std::int64_t present();
  void catch_up();
  void arrives(Transit& transit, std::int64_t cycle);
  void run();
  void inject(Transit& transit);
  void give_back(Transit& transit);
  void left(Transit& transit);
  void arrive(Transit& transit);
  void hand_over(std::uint32_t endpoint);
  void end_request(Transit& transit);
  void offer_responses(std::uint32_t endpoint);
  void make_response(Transit& transit, std::int64_t delay_ps);
  void answer(Transit& transit);  // without a packet: posted

  // Groups
  void add_reduction(std::unique_ptr<noc::Group> group, const std::vector<const Initiator*>& members);
  const noc::GroupTree& tree_of(const noc::Group& group, std::uint32_t root);
  void abandon_sums();
  void enter(Transit& transit);
  bool is_multicast(const Transit& transit) const {
    return transit.group != nullptr && !transit.group->reduces && !transit.tree->nodes.empty();
  }
  bool has_room(const Transit& transit) const;
  void take_room(Transit& transit);
  void copied(Transit& part);
  void admit();
  void wait_for_room(Transit& transit, List& list);
  std::uint32_t room_for(const Transit& transit) const;
  void send_branch(Transit& parent, std::uint32_t branch);
  void arrive_at_unit(Transit& transit);
  void contribute(Transit& transit);
  void combine(const std::vector<Transit*>& parts);
  void answer_parent(Transit& transit);
  void loose_multicast(const noc::Group& group, std::uint32_t from, tlm::tlm_generic_payload& payload,
                       sc_core::sc_time& delay);
  void loose_reduction(const noc::Group& group, std::uint32_t from, tlm::tlm_generic_payload& payload,
                       sc_core::sc_time& delay);

  NocParameters parameters_;
  Clock clock_;
  noc::Carrier* carrier_ = nullptr;
  noc::Graph graph_;
  std::unique_ptr<noc::RouteFunction> routes_;
  std::unique_ptr<noc::Network> network_;
  std::int64_t next_cycle_ = noc::Network::never;
  std::vector<noc::NetworkEvent> happened_;
  std::vector<Endpoint> endpoints_;
  std::vector<Range> ranges_;  // ascending
  std::vector<std::unique_ptr<Transit>> transits_;
  std::vector<Transit*> free_;
  std::vector<Event> events_;  // heap
  static constexpr unsigned horizon = 64;
  std::array<std::vector<Transit*>, horizon> arriving_;  // by cycle
  std::uint64_t arriving_in_ = 0;                        // bits: cycles in which something does
  std::int64_t present_ = 0, present_ps_ = 0;
  std::uint64_t order_ = 0;
  std::int64_t wake_at_ = noc::Network::never, reset_at_ = 0, bin_cycles_ = 0;
  PayloadPool pool_{4096};
  sc_core::sc_event run_event_;

  std::vector<std::unique_ptr<noc::Group>> groups_;
  std::uint32_t first_unit_ = noc::none;
  std::map<std::pair<const noc::Group*, std::uint32_t>, std::unique_ptr<noc::GroupTree>> trees_;
  /// Contributions of a node of a reduction tree to an offset, a list for each branch.
  struct Meeting {
    std::vector<List> waiting;
    std::uint32_t present = 0;  // branches with one or more
  };
  std::map<std::tuple<const noc::GroupTree*, std::uint32_t, std::uint64_t>, Meeting> meetings_;
  /// What each member has written to an address, the oldest first.
  struct LooseMeeting {
    std::vector<std::deque<std::vector<unsigned char>>> waiting;
    std::uint32_t present = 0;  // members with one or more
  };
  std::map<std::pair<const noc::Group*, std::uint64_t>, LooseMeeting> loose_meetings_;
  // Multicasts that wait for room in units, and by router the bytes of data that are promised to its units.
  List waiting_;
  std::vector<std::uint32_t> held_, claimed_;
  std::uint32_t claim_ = 0;
  std::uint32_t resets_ = 0;
  std::uint32_t owing_ = 0;  // requests in source queues that owe END_REQ
};

}  // namespace forerun::ip
