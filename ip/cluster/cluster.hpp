// SPDX-License-Identifier: Apache-2.0
/// A compute cluster: command processor, load and store DMA, tensor and vector engine around one scratchpad.
#pragma once

#include <memory>
#include <string>

#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"
#include "ip/cluster/port_mux.hpp"
#include "ip/command/command_processor.hpp"
#include "ip/dma/collective.hpp"
#include "ip/dma/dma.hpp"
#include "ip/scratchpad/scratchpad.hpp"
#include "ip/tensor/tensor_core.hpp"
#include "ip/vector/vector_unit.hpp"

namespace forerun::ip {

struct ClusterParameters {
  unsigned index = 0;
  ScratchpadParameters scratchpad;
  DmaParameters dma;
  TensorParameters tensor;
  VectorParameters vector;
  CommandParameters command;
  std::uint64_t scratchpad_window =
      0x1000'0000;  ///< offset at the target socket at which the scratchpad begins
};

/// `initiator` goes into the network (command fetch, DMA, posts). `target` offers the registers of
/// FR_CLUSTER_REGISTERS from offset 0 and the scratchpad from `scratchpad_window`. Register accesses take
/// effect at once; nb_transport is answered with the response and its delay in the first call.
///
/// START runs the stream; the end raises DONE, an error stops every engine and raises ERROR. RESET abandons
/// all work (transactions under way end without effect), clears semaphores, errors and counters. Semaphores
/// outlive START.
class Cluster : public sc_core::sc_module {
 public:
  Cluster(const sc_core::sc_module_name& name, const ClusterParameters& parameters);

  tlm_utils::simple_target_socket<Cluster> target;
  LevelOut interrupt{"interrupt"};
  LevelIn reset_line;

  Scratchpad scratchpad;
  Dma load, store;
  TensorCore tensor;
  VectorUnit vector;
  Collective collective;
  CommandProcessor command;
  Turns turns;
  PortMux mux;
  CounterGroup counters;
  Counter posts{counters, "posts", "post", "semaphore posts received"};

  /// Called when a run of the stream begins; may be empty.
  std::function<void()> on_start;

  /// Every engine with its name, in the order of FR_ENGINE_*.
  std::array<Engine*, FR_ENGINE_COUNT> engines() {
    return {nullptr, &load, &store, &tensor, &vector, &collective};
  }
  bool running() const { return (status_ & FR_CLUSTER_STATUS_RUNNING) != 0; }
  /// What each engine waits for, a line each; empty when the cluster is not running.
  std::string describe_stall();
  /// Changes when an engine takes or ends a command, or moves data.
  std::uint64_t progress() const;
  /// All counters of the cluster and its parts, with dotted names.
  std::vector<std::pair<std::string, Counter*>> all_counters();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void make_registers();
  bool control(std::uint64_t value);
  void reset();
  void stop_with(std::uint32_t engine, std::uint64_t offset, LocalFault fault);
  void set_status(std::uint32_t status, std::uint32_t interrupt_bits);
  void update_interrupt();
  std::int64_t cycles() const;

  ClusterParameters parameters_;
  Clock clock_;
  RegisterFile registers_;
  Semaphores semaphores_;
  tlm_utils::simple_initiator_socket<Cluster> window_;
  std::uint32_t status_ = 0;
  std::int64_t started_ = 0, ended_ = 0;
  std::vector<std::pair<std::string, Counter*>> counter_list_;
};

}  // namespace forerun::ip
