// SPDX-License-Identifier: Apache-2.0
#include "ip/cluster/cluster.hpp"

#include <fmt/format.h>

#include "firmware/abi/registers.h"

namespace forerun::ip {
namespace {
enum Port : unsigned { load_port, store_port, tensor_port, vector_port, collective_port, window_port, ports };
constexpr const char* engine_names[] = {"command", "load", "store", "tensor", "vector", "collective"};
}  // namespace

Cluster::Cluster(const sc_core::sc_module_name& name, const ClusterParameters& parameters)
    : sc_module(name),
      target("target"),
      reset_line("reset",
                 [this](bool level) {
                   if (level) reset();
                 }),
      scratchpad("scratchpad", parameters.scratchpad, ports),
      load("load", parameters.dma, parameters.scratchpad.size.count),
      store("store", parameters.dma, parameters.scratchpad.size.count),
      tensor("tensor", parameters.tensor, parameters.scratchpad.size.count),
      vector("vector", parameters.vector, parameters.scratchpad.size.count),
      collective("collective", parameters.dma, parameters.scratchpad.size.count),
      command("command", parameters.command),
      turns("turns"),
      mux("mux", 4, turns),
      parameters_(parameters),
      clock_(parameters.command.clock),
      window_("window") {
  target.register_b_transport(this, &Cluster::b_transport);
  target.register_nb_transport_fw(this, &Cluster::nb_transport_fw);
  target.register_transport_dbg(this, &Cluster::transport_dbg);
  target.register_get_direct_mem_ptr(this, &Cluster::get_direct_mem_ptr);
  load.local.bind(scratchpad.port[load_port]);
  store.local.bind(scratchpad.port[store_port]);
  tensor.local.bind(scratchpad.port[tensor_port]);
  vector.local.bind(scratchpad.port[vector_port]);
  collective.local.bind(scratchpad.port[collective_port]);
  window_.bind(scratchpad.port[window_port]);
  command.global.bind(mux.in[0]);
  load.global.bind(mux.in[1]);
  store.global.bind(mux.in[2]);
  collective.global.bind(mux.in[3]);
  command.connect(
      engines(), semaphores_, turns,
      [this] { set_status(FR_CLUSTER_STATUS_DONE, FR_CLUSTER_INTERRUPT_DONE); },
      [this](std::uint64_t offset, LocalFault fault) { stop_with(FR_ENGINE_COMMAND, offset, fault); });
  for (std::uint32_t i = 1; i < FR_ENGINE_COUNT; ++i)
    engines()[i]->connect(
        semaphores_, turns, [this] { command.progress(); },
        [this, i](const Command& c, LocalFault fault) { stop_with(i, c.offset, fault); });
  const auto list = [this](const std::string& prefix, const CounterGroup& group) {
    for (auto* counter : group.all()) counter_list_.emplace_back(prefix + counter->name(), counter);
  };
  list("", counters);
  list("command.", command.counters);
  for (std::uint32_t i = 1; i < FR_ENGINE_COUNT; ++i)
    list(std::string(engine_names[i]) + ".", engines()[i]->counters);
  list("scratchpad.", scratchpad.counters);
  make_registers();
}

void Cluster::make_registers() {
  FR_CLUSTER_REGISTERS(FORERUN_ADD_REGISTER)
  const auto read = [this](std::uint32_t offset, auto function) {
    registers_.on_read(offset, [function](bool) { return static_cast<std::uint64_t>(function()); });
  };
  read(FR_CLUSTER_INDEX, [this] { return parameters_.index; });
  read(FR_CLUSTER_SCRATCHPAD_BYTES, [this] { return scratchpad.size(); });
  read(FR_CLUSTER_ARRAY, [this] {
    const auto& t = parameters_.tensor;
    return t.rows | t.columns << 12 | t.arrays << 24;
  });
  read(FR_CLUSTER_STATUS, [this] { return status_; });
  read(FR_CLUSTER_CYCLES, [this] { return cycles(); });
  read(FR_CLUSTER_COMMANDS, [this] { return command.dispatched.value(); });
  read(FR_CLUSTER_COUNTERS, [this] { return counter_list_.size(); });
  read(FR_CLUSTER_COUNTER_VALUE, [this] {
    const auto selected = registers_.get(FR_CLUSTER_COUNTER_SELECT);
    return selected < counter_list_.size() ? counter_list_[selected].second->value() : 0;
  });
  registers_.on_write(FR_CLUSTER_CONTROL, [this](std::uint64_t value) { return control(value); });
  registers_.on_write(FR_CLUSTER_INTERRUPT_ENABLE, [this](std::uint64_t value) {
    registers_.set(FR_CLUSTER_INTERRUPT_ENABLE, value);
    update_interrupt();
    return true;
  });
  registers_.on_write(FR_CLUSTER_INTERRUPT_STATUS, [this](std::uint64_t value) {
    registers_.set(FR_CLUSTER_INTERRUPT_STATUS, value);
    update_interrupt();
    return true;
  });
  registers_.on_write(FR_CLUSTER_POST, [this](std::uint64_t value) {
    if (reset_line.level()) return true;
    ++posts;
    const auto semaphore = static_cast<unsigned>(value & 0xffff);
    if (!semaphores_.give(semaphore, static_cast<unsigned>(value >> 16)))
      stop_with(FR_ENGINE_COMMAND, command.offset(), {FR_ERROR_SEMAPHORE, semaphore});
    return true;
  });
}

std::int64_t Cluster::cycles() const {
  return ((running() ? now_picoseconds() : ended_) - started_) / clock_.period_ps();
}

bool Cluster::control(std::uint64_t value) {
  if ((value & FR_CLUSTER_CONTROL_RESET) != 0) reset();
  if ((value & FR_CLUSTER_CONTROL_START) == 0 || reset_line.level()) return true;
  const auto stream = registers_.get(FR_CLUSTER_STREAM), parameters = registers_.get(FR_CLUSTER_PARAMETERS);
  if (running() || (status_ & FR_CLUSTER_STATUS_ERROR) != 0 || stream % 8 != 0 ||
      parameters % (FR_PARAMETERS * 8) != 0)
    return false;
  status_ = FR_CLUSTER_STATUS_RUNNING;
  started_ = now_picoseconds();
  if (on_start) on_start();
  command.start(stream, registers_.get(FR_CLUSTER_STREAM_BYTES), parameters);
  return true;
}

void Cluster::reset() {
  command.stop();
  for (auto* engine : engines())
    if (engine != nullptr) engine->reset();
  semaphores_.clear();
  registers_.reset();
  for (auto& [name, counter] : counter_list_) counter->clear();
  status_ = 0;
  started_ = ended_ = now_picoseconds();
  update_interrupt();
}

void Cluster::set_status(std::uint32_t status, std::uint32_t interrupt_bits) {
  status_ = status;
  ended_ = now_picoseconds();
  registers_.set(FR_CLUSTER_INTERRUPT_STATUS, registers_.get(FR_CLUSTER_INTERRUPT_STATUS) | interrupt_bits);
  update_interrupt();
}

void Cluster::stop_with(std::uint32_t engine, std::uint64_t offset, LocalFault fault) {
  if ((status_ & FR_CLUSTER_STATUS_ERROR) != 0) return;
  registers_.set(FR_CLUSTER_ERROR, fault.error);
  registers_.set(FR_CLUSTER_ERROR_ENGINE, engine);
  registers_.set(FR_CLUSTER_ERROR_COMMAND, offset);
  registers_.set(FR_CLUSTER_ERROR_ADDRESS, fault.value);
  command.stop();
  for (auto* e : engines())
    if (e != nullptr) e->reset();
  set_status(FR_CLUSTER_STATUS_ERROR, FR_CLUSTER_INTERRUPT_ERROR);
}

void Cluster::update_interrupt() {
  interrupt.set((registers_.get(FR_CLUSTER_INTERRUPT_ENABLE) & registers_.get(FR_CLUSTER_INTERRUPT_STATUS)) !=
                0);
}

void Cluster::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto address = payload.get_address();
  if (address < parameters_.scratchpad_window) {
    registers_.access(payload);
    delay += clock_.cycles(2);
    return;
  }
  payload.set_address(address - parameters_.scratchpad_window);
  window_->b_transport(payload, delay);
  payload.set_dmi_allowed(false);
  payload.set_address(address);
}

tlm::tlm_sync_enum Cluster::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                            sc_core::sc_time& delay) {
  if (phase == tlm::END_RESP) return tlm::TLM_COMPLETED;
  b_transport(payload, delay);
  phase = tlm::BEGIN_RESP;
  return tlm::TLM_UPDATED;
}

unsigned Cluster::transport_dbg(tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  if (address < parameters_.scratchpad_window) return registers_.debug_access(payload);
  payload.set_address(address - parameters_.scratchpad_window);
  const auto moved = window_->transport_dbg(payload);
  payload.set_address(address);
  return moved;
}

bool Cluster::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const auto address = payload.get_address();
  if (address < parameters_.scratchpad_window) return false;
  payload.set_address(address - parameters_.scratchpad_window);
  const bool granted = window_->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  dmi.set_start_address(dmi.get_start_address() + parameters_.scratchpad_window);
  dmi.set_end_address(dmi.get_end_address() + parameters_.scratchpad_window);
  return granted;
}

std::string Cluster::describe_stall() {
  if (!running()) return {};
  auto text = fmt::format("{}: next command at byte {:#x}{}", name(), command.offset(),
                          command.waits() ? ", which waits for a semaphore" : "");
  for (std::size_t i = 1; i < FR_ENGINE_COUNT; ++i)
    if (engines()[i]->blocked())
      text += fmt::format("\n  {} {}", engine_names[i], engines()[i]->describe_block());
  return text;
}

std::uint64_t Cluster::progress() const {
  std::uint64_t sum = 0;
  for (const auto* counter :
       {&posts, &command.dispatched, &command.fetched, &load.commands, &load.bytes_moved, &load.transactions,
        &store.commands, &store.bytes_moved, &store.transactions, &tensor.commands, &tensor.waves,
        &vector.commands, &vector.elements, &collective.commands, &collective.transactions})
    sum += counter->value();
  return sum;
}

std::vector<std::pair<std::string, Counter*>> Cluster::all_counters() { return counter_list_; }

}  // namespace forerun::ip
