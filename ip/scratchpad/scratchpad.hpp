// SPDX-License-Identifier: Apache-2.0
/// The banked local memory of a cluster.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/local_store.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

struct ScratchpadParameters {
  Bytes size{4ull << 20};  ///< 4 KiB .. 256 MiB
  unsigned banks = 32;     ///< 1 .. 1024; consecutive words lie in consecutive banks
  Bytes bank_width{16};    ///< bytes that a bank delivers a cycle, 1 .. 256
  unsigned latency = 4;    ///< cycles from request to first data
  Frequency clock{1.25e9};
  Timing timing = Timing::approximate;
};

/// Single-ported banks behind `ports` target sockets.
///
/// A transfer of n bytes occupies all banks for ceil(n / (banks * bank_width)) cycles, since its words are
/// spread over them; transfers of different ports queue for the banks in the order of their calls
/// (approximate timing) or do not disturb one another (loose). `b_transport` never waits: it adds queueing,
/// occupancy and latency to the delay. With a store its times count instead, if it has any, and direct access
/// is for the cluster's own engines, which move their operands by the store. Errors: an access beyond the
/// size gets TLM_ADDRESS_ERROR_RESPONSE.
class Scratchpad : public sc_core::sc_module {
 public:
  Scratchpad(const sc_core::sc_module_name& name, const ScratchpadParameters& parameters, unsigned ports);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Scratchpad>> port;
  CounterGroup counters;
  Counter bytes_read{counters, "bytes_read", "byte", "bytes read from the banks"};
  Counter bytes_written{counters, "bytes_written", "byte", "bytes written to the banks"};
  Counter busy_time{counters, "busy_time", "ps", "time in which the banks moved data"};
  Counter wait_time{counters, "wait_time", "ps", "time that transfers waited for banks in use"};

  std::uint64_t size() const { return parameters_.size.count; }
  /// Peak bytes a second.
  double peak_bandwidth() const;
  void clear();
  /// From now on a store holds the bytes. Transactions whose data do not matter are no longer booked if its
  /// times count: who sends them must book his transfers with it.
  void use(std::unique_ptr<LocalStore> store) { store_ = std::move(store); }
  LocalStore* store() { return store_.get(); }
  /// The bytes that models work on.
  std::span<unsigned char> host() { return {memory_.get(), size()}; }

 private:
  void b_transport(int port_id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(int port_id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int port_id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  std::int64_t by_store(tlm::tlm_generic_payload& payload, std::int64_t now);
  void copy(tlm::tlm_generic_payload& payload);
  bool in_range(const tlm::tlm_generic_payload& payload) const;

  ScratchpadParameters parameters_;
  Clock clock_;
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };
  std::unique_ptr<unsigned char[], Free> memory_;  // the host has pages for what is written only
  std::int64_t busy_until_ = 0;                    // ps
  std::unique_ptr<LocalStore> store_;
};

}  // namespace forerun::ip
