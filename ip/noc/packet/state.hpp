// SPDX-License-Identifier: Apache-2.0
/// What the packet model keeps of packets, channels, ports and endpoints, and what it has yet to do.
///
/// A virtual channel has one number for all routers: router << row | port << shift | channel. At the input of
/// a router it names the buffer of an input port, at the output the sender's end of a link; numbers after
/// those of all routers are the senders' ends of the links from endpoints. A port of a router is named by
/// the number of its channel 0 without the last bits.
#pragma once

#include <cstdint>
#include <type_traits>

#include "ip/noc/network.hpp"
#include "ip/noc/packet/list.hpp"
#include "ip/noc/topology.hpp"

namespace forerun::ip::noc {

/// A size known at compile time, or (0) not.
template <std::uint32_t size>
struct KnownSize {
  constexpr KnownSize(std::uint32_t) {}
  constexpr operator std::uint32_t() const { return size; }
};
template <std::uint32_t size>
using Size = std::conditional_t<size != 0, KnownSize<size>, std::uint32_t>;

/// A packet inside.
struct Flight {
  Packet* packet = nullptr;  // nullptr: not in use, or released before its tail has arrived
  std::uint32_t destination = 0, flits = 0;
  std::uint32_t next = none;  // in its source queue; in the list of free flights; where its credits go
  std::uint32_t untaken = 0;  // its flits in the ejection buffer once it is delivered
  std::uint32_t due = 0;      // cycle in which its head could leave the buffer at best, modulo 2^32
  std::uint8_t network = 0, cls = 0;
  bool delivered = false, released = false;
};

/// A packet behind the front of a virtual channel's buffer. It may be in several at a time.
struct Place {
  std::uint32_t flight, next;
};

enum class State : std::uint8_t {
  idle,     // no packet, or one that is being routed
  bidding,  // for a channel of its link
  ready,    // has one; its head has not left
  moving    // its head has left
};

/// A virtual channel at the input of a router. Four fill a cache line, where routers are small.
template <class Matching>
struct Input {
  std::uint32_t front = none;  // flight whose flits are next
  std::uint32_t left = 0;      // flits of the front packet that have not left
  std::uint16_t count = 0;     // flits in the buffer
  /// Output channel of the router that it holds; while it has none, channel 0 of its port.
  typename Matching::Local out = 0;
  typename Matching::Local accept = 0;     // pointer of channel allocation: an output channel of the router
  typename Matching::Channels wanted = 0;  // channels for which it bids
  State state = State::idle;
  bool queued = false;  // other packets are behind the front
};
/// Packets behind the front of an input channel: places, the first and the last.
struct Behind {
  std::uint32_t first = none, last = none;
};
/// Of an input channel, where there are classes or speculative bids.
struct Bidding {
  std::uint16_t early = 0;  // cycles by which a speculative bid has run ahead
  std::uint8_t cls = 0;
  bool leading = false;  // asks for the switch by a speculative bid
};

/// The sender's end of a virtual channel.
template <class Matching>
struct Output {
  static constexpr typename Matching::Local nobody = static_cast<typename Matching::Local>(~0u);
  std::uint16_t credits = 0;
  typename Matching::Local holder = nobody;  // input channel of the router whose packet holds it
  typename Matching::Local grant = 0;        // pointer of channel allocation: an input channel of the router
};

struct LinkTraffic {
  std::uint64_t flits = 0, packets = 0;  // as LinkCounters
};

/// What lies behind a port of a router: before the input, after the output.
template <class Channels>
struct alignas(32) Port {
  std::uint32_t credits_to = none;  // output channel 0 of the link to the input
  std::uint32_t flits_to = none;    // far input channel 0; the endpoint of a link to one
  std::uint16_t credit_delay = 0, flit_delay = 0;
  Channels free = 0;  // channels of the output that nobody holds
  bool ejects = false, paced = false;
  LinkTraffic traffic;  // of the output's link
};

/// Of an endpoint, a virtual network and a class.
struct Source {
  std::uint32_t head = none, tail = none;  // flights that wait
  std::uint32_t flight = none;             // under way
  std::uint32_t left = 0;                  // its flits that have not left
  std::uint8_t channel = 0;
};

/// Of an endpoint.
template <class Channels>
struct Sender {
  std::uint32_t link = none;
  std::uint32_t to = none;  // input channel 0
  std::uint32_t delay = 0;
  std::uint32_t turn = 0;   // virtual network whose turn it is
  std::uint32_t busy = 0;   // sources that have packets
  std::uint32_t drawn = 0;  // packets injected
  bool paced = false;
  std::uint8_t last[2] = {};  // channel taken last, of each virtual network
  Channels free = 0;
  std::int64_t busy_until = 0;
  LinkTraffic traffic;
};

/// Of an endpoint and a virtual network.
struct Sink {
  std::uint32_t held = 0;   // packets delivered and not released
  std::uint32_t delay = 0;  // of its credits
};

struct Landing {
  std::uint32_t output, endpoint, flight, flits;  // flight: of a tail, or none
};
struct Head {
  std::uint32_t to, flight, flits;
};
struct Bodies {
  std::uint32_t to, flits;
};
struct Credits {
  std::uint32_t output, flits;
};
struct Departure {
  std::uint32_t endpoint, channel, flight;
};
struct Bid {
  std::uint32_t in, channel;  // channel of its port that was granted, or none
};

/// What is due in a cycle.
struct Cycle {
  List<Credits> credits;
  List<Bodies> bodies;
  List<Head> heads;
  List<Landing> landings, tails_landing;
  List<Departure> departures;
  List<std::uint32_t> tails;   // input channels
  List<std::uint32_t> routed;  // input channels
  List<std::uint32_t> paced;   // ports
  List<std::uint32_t> wakes;   // endpoints
  List<Bid> bids;              // results of channel allocation
  List<std::uint32_t> moves;   // results of switch allocation: input channels
};

/// An endpoint that has something to send from a cycle on.
struct Wake {
  std::int64_t cycle;
  std::uint32_t endpoint;
  bool operator>(const Wake& w) const { return cycle != w.cycle ? cycle > w.cycle : endpoint > w.endpoint; }
};

/// Why a link stands still.
struct Stall {
  std::uint32_t channels = 0;  // packets that have flits but no credit
  bool heads = false;          // heads find no channel
  std::int64_t since = 0;
  std::uint64_t flits = 0;  // the link's when it began
  std::uint32_t behind = none;
};

}  // namespace forerun::ip::noc
