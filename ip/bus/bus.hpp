// SPDX-License-Identifier: Apache-2.0
/// The bus of the control tile: passes transactions on by address.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

struct BusParameters {
  Time latency{2000};  ///< added to each transaction
};

/// One initiator, any number of targets, each with a range; what no range holds goes to the default target,
/// unchanged, or gets TLM_ADDRESS_ERROR_RESPONSE. A target in a range sees the offset from its base. A
/// transaction that leaves its range gets TLM_ADDRESS_ERROR_RESPONSE. DMI ranges and invalidations are
/// translated both ways.
class Bus : public sc_core::sc_module {
 public:
  using Target = tlm_utils::simple_initiator_socket_tagged<Bus>;  ///< bind this to a target

  Bus(const sc_core::sc_module_name& name, const BusParameters& parameters);

  tlm_utils::simple_target_socket<Bus> socket;
  CounterGroup counters;
  Counter transactions{counters, "transactions", "transaction",
                       "transactions passed on, without those by DMI"};
  Counter refused{counters, "refused", "transaction", "transactions to addresses that nothing answers"};
  /// Before elaboration ends; ranges must not overlap (std::invalid_argument).
  Target& map(std::uint64_t base, std::uint64_t size);
  /// The target of everything else; once.
  Target& map_rest();

 private:
  struct Range {
    std::uint64_t base, size;
    std::unique_ptr<Target> target;
  };
  Target& add(std::uint64_t base, std::uint64_t size);
  Range* find(const tlm::tlm_generic_payload& payload);
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate_direct_mem_ptr(int id, sc_dt::uint64 start, sc_dt::uint64 end);

  sc_core::sc_time latency_;
  std::vector<Range> ranges_;
  int rest_ = -1;
};

}  // namespace forerun::ip
