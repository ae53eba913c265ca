// SPDX-License-Identifier: Apache-2.0
/// Keeps a number of transactions under way, for ever. A response that comes early with the rest of its time
/// annotated makes the next request leave with that time annotated.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <functional>
#include <systemc>

#include "ip/base/payload.hpp"

namespace forerun::bench {

struct Traffic : sc_core::sc_module {
  using Address = std::function<std::uint64_t()>;

  Traffic(const sc_core::sc_module_name& name, unsigned outstanding, std::uint32_t length, Address address)
      : sc_module(name), address_(std::move(address)), outstanding_(outstanding), length_(length) {
    socket.register_nb_transport_bw(this, &Traffic::nb_transport_bw);
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&next_);
    sc_core::sc_spawn([this] { issue(); }, "issue", &options);
  }
  tlm_utils::simple_initiator_socket<Traffic> socket{"socket"};
  std::uint64_t completed = 0;
  /// Lets it go on, or makes it finish what is under way and wait.
  void run(bool on) {
    running_ = on;
    if (on) next_.notify(sc_core::SC_ZERO_TIME);
  }

 private:
  void issue() {
    while (running_ && in_flight_ < outstanding_ && requesting_ == nullptr) {
      auto& payload = pool_.acquire(tlm::TLM_READ_COMMAND, address_(), length_, true);
      ++in_flight_;
      requesting_ = &payload;
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = not_before_ > sc_core::sc_time_stamp() ? not_before_ - sc_core::sc_time_stamp()
                                                          : sc_core::SC_ZERO_TIME;
      const auto answer = socket->nb_transport_fw(payload, phase, delay);
      if (answer != tlm::TLM_ACCEPTED) requesting_ = nullptr;
      if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP))
        complete(payload, delay);
    }
  }
  void complete(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
    ++completed;
    --in_flight_;
    payload.release();
    if (delay == sc_core::SC_ZERO_TIME) return next_.notify(sc_core::SC_ZERO_TIME);
    not_before_ = sc_core::sc_time_stamp() + delay;
    issue();
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) {
    if (requesting_ == &payload) {
      requesting_ = nullptr;
      next_.notify(sc_core::SC_ZERO_TIME);
    }
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    complete(payload, delay);
    return tlm::TLM_COMPLETED;
  }

  ip::PayloadPool pool_{4096};
  Address address_;
  unsigned outstanding_, in_flight_ = 0;
  std::uint32_t length_;
  bool running_ = true;
  tlm::tlm_generic_payload* requesting_ = nullptr;
  sc_core::sc_time not_before_;
  sc_core::sc_event next_;
};

}  // namespace forerun::bench
