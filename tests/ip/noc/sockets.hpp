// SPDX-License-Identifier: Apache-2.0
/// A network with a memory and a port at each place, for tests of its sockets.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "ip/noc/noc.hpp"

namespace forerun::tests {
using namespace forerun::ip;

/// A memory that answers after a delay that it annotates.
struct Memory : sc_core::sc_module {
  tlm_utils::simple_target_socket<Memory> socket{"socket"};
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 16);
  sc_core::sc_time delay;
  tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
  unsigned writes = 0;
  bool takes = true;
  sc_core::sc_time last;
  explicit Memory(const sc_core::sc_module_name& name, sc_core::sc_time delay_ = sc_core::SC_ZERO_TIME)
      : sc_module(name), delay(delay_) {
    socket.register_nb_transport_fw(this, &Memory::nb_transport_fw);
    socket.register_b_transport(this, &Memory::b_transport);
    socket.register_transport_dbg(this, &Memory::transport_dbg);
  }
  void b_transport(tlm::tlm_generic_payload& p, sc_core::sc_time&) { transport_dbg(p); }
  unsigned transport_dbg(tlm::tlm_generic_payload& p) {
    if (p.is_write()) ++writes;
    if (!is_timing_only(p)) copy_data(p, bytes.data() + p.get_address());
    p.set_response_status(status);
    last = sc_core::sc_time_stamp();
    return p.get_data_length();
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase,
                                     sc_core::sc_time& t) {
    if (!takes) return tlm::TLM_ACCEPTED;
    transport_dbg(p);
    t += delay;
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  }
  template <typename T>
  T at(unsigned address) const {
    T value;
    std::memcpy(&value, bytes.data() + address, sizeof value);
    return value;
  }
};

/// Sends what it is told as soon as it may; notes when answers come.
struct Port : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Port> socket{"socket"};
  PayloadPool pool{8192};
  std::deque<tlm::tlm_generic_payload*> queue;
  tlm::tlm_generic_payload* requesting = nullptr;
  struct Answer {
    tlm::tlm_response_status status;
    std::int64_t ps;
  };
  std::vector<Answer> answers;
  explicit Port(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_nb_transport_bw(this, &Port::nb_transport_bw);
  }
  void write(std::uint64_t address, const void* data, unsigned length, bool timing_only = false,
             bool posted = false) {
    auto& p = pool.acquire(tlm::TLM_WRITE_COMMAND, address, length, timing_only);
    p.get_extension<Posted>()->active = posted;
    if (data != nullptr) std::memcpy(p.get_data_ptr(), data, length);
    queue.push_back(&p);
    issue();
  }
  void read(std::uint64_t address, unsigned length) {
    queue.push_back(&pool.acquire(tlm::TLM_READ_COMMAND, address, length));
    issue();
  }
  bool started = false;
  void start_of_simulation() override {
    started = true;
    issue();
  }
  void issue() {
    while (started && requesting == nullptr && !queue.empty()) {
      auto& p = *queue.front();
      queue.pop_front();
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = sc_core::SC_ZERO_TIME;
      requesting = &p;
      const auto answer = socket->nb_transport_fw(p, phase, delay);
      if (answer != tlm::TLM_ACCEPTED) requesting = nullptr;
      if (answer == tlm::TLM_COMPLETED) done(p);
    }
  }
  void done(tlm::tlm_generic_payload& p) {
    answers.push_back({p.get_response_status(), now_picoseconds()});
    p.release();
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (requesting == &p) requesting = nullptr;
    if (phase == tlm::BEGIN_RESP) done(p);
    issue();
    return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
  }
};

inline NocParameters parameters(noc::Model model, noc::Topology topology = noc::Topology::mesh) {
  NocParameters p;
  p.clock = {1e9};
  p.model = model;
  p.topology = topology;
  p.columns = p.rows = 4;
  p.virtual_channels = 2;
  return p;
}

/// A memory and a port at each place of a network.
struct Chip {
  static constexpr std::uint64_t all = 0x1000000, sum = 0x2000000;
  Noc network;
  std::vector<std::unique_ptr<Memory>> memories;
  std::vector<std::unique_ptr<Port>> ports;
  std::vector<Noc::Target*> targets;
  std::vector<Noc::Initiator*> initiators;
  explicit Chip(const NocParameters& p, const noc::EndpointParameters& endpoint = {},
                sc_core::sc_time delay = sc_core::SC_ZERO_TIME)
      : network("network", p) {
    for (unsigned i = 0; i < p.columns * p.rows; ++i) {
      memories.push_back(std::make_unique<Memory>(sc_core::sc_gen_unique_name("memory"), delay));
      ports.push_back(std::make_unique<Port>(sc_core::sc_gen_unique_name("port")));
      const auto number = std::to_string(i);
      targets.push_back(&network.add_target("memory" + number, i % p.columns, i / p.columns, endpoint));
      targets.back()->bind(memories.back()->socket);
      network.map(i * 0x10000ull, 0x10000, *targets.back());
      initiators.push_back(&network.add_initiator("port" + number, i % p.columns, i / p.columns, endpoint));
      ports.back()->socket.bind(*initiators.back());
    }
  }
  void group(const std::vector<unsigned>& members, unsigned target, noc::Element element) {
    std::vector<Noc::Member> to;
    std::vector<const Noc::Initiator*> from;
    for (const auto m : members) {
      to.push_back({targets[m], 0x100 * m});
      from.push_back(initiators[m]);
    }
    network.map_multicast(all, 0x100, to);
    network.map_reduction(sum, 0x1000, {targets[target], 0x8000}, from, element);
  }
};

struct Case {
  noc::Model model;
  noc::Topology topology;
};
inline std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto model : {noc::Model::packet, noc::Model::flit})
    for (const auto topology :
         {noc::Topology::mesh, noc::Topology::torus, noc::Topology::ring, noc::Topology::concentrated_mesh,
          noc::Topology::fat_tree, noc::Topology::crossbar})
      all.push_back({model, topology});
  return all;
}
inline std::string case_name(const testing::TestParamInfo<Case>& which) {
  static const char* const topologies[] = {"mesh",     "torus",   "ring", "concentrated_mesh",
                                           "fat_tree", "crossbar"};
  return std::string(which.param.model == noc::Model::flit ? "flit_" : "packet_") +
         topologies[static_cast<int>(which.param.topology)];
}

}  // namespace forerun::tests
