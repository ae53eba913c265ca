// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/soc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"
#include "platform/rtl/command_front.hpp"
#include "platform/rtl/cpu_lockstep.hpp"
#include "platform/rtl/dma.hpp"
#include "platform/rtl/lockstep_memory.hpp"
#include "platform/rtl/noc.hpp"
#include "platform/rtl/output_line.hpp"
#include "platform/rtl/tensor.hpp"
#include "platform/rtl/vector.hpp"
#include "platform/soc/device_tree.hpp"
#include "platform/soc/memory.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/windows.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

const chip::Chip& checked(const chip::Chip& chip) {
  check(chip);
  return chip;
}

}  // namespace

Soc::Soc(const sc_core::sc_module_name& name, const chip::Chip& chip, const SocOptions& options)
    : sc_module(name),
      chip_(checked(chip)),
      grid_(chip::place_tiles(chip)),
      device_tree_(make_device_tree(chip)),
      cpu(options.with_cpu && chip.cpu.model == chip::CpuModel::tlm
              ? std::make_unique<ip::Cpu>("cpu", cpu_parameters(chip))
              : nullptr),
      bus("bus", bus_parameters(chip)),
      boot_rom("boot_rom", boot_rom_parameters(chip, device_tree_.size())),
      sram(chip.rtl.sram.text.empty() || chip.rtl.lockstep
               ? std::make_unique<ip::Memory>("sram", sram_parameters(chip))
               : nullptr),
      sram_rtl(
          chip.rtl.sram.text.empty()
              ? nullptr
              : rtl::make_device("sram_rtl", chip.rtl.sram.text,
                                 {.label = "sram", .frequency = chip.cpu.clock, .waves = options.waves})),
      uart("uart", uart_parameters(chip)),
      clint("clint", clint_parameters(chip)),
      plic("plic", plic_parameters(chip)),
      timer("timer", timer_parameters(chip)),
      mailbox("mailbox", mailbox_parameters(chip)),
      sysctl("sysctl", sysctl_parameters(chip)),
      perf("perf"),
      noc("noc", noc_parameters(chip, grid_)),
      hbm_store(chip::memory_size(chip).count),
      sram_port_("sram_port"),
      wanted_taps_(options.taps) {
  if (!chip.rtl.hbm.text.empty()) put_rtl_into_hbm(options.waves);
  for (unsigned i = 0; i < chip.hbm.stacks && (hbm_rtl.empty() || chip.rtl.lockstep); ++i)
    hbm.push_back(std::make_unique<ip::HbmStack>(fmt::format("hbm{}", i).c_str(), hbm_parameters(chip, i),
                                                 hbm_store, options.collapse));
  for (unsigned i = 0; i < chip.clusters.count; ++i)
    clusters.push_back(
        std::make_unique<ip::Cluster>(fmt::format("cluster{}", i).c_str(), cluster_parameters(chip, i)));
  if (chip.clusters.command.model != chip::CommandModel::tlm) put_rtl_into_commands(options.waves);
  if (chip.clusters.scratchpad.model != chip::ScratchpadModel::tlm) put_rtl_into_scratchpads(options.waves);
  if (chip.clusters.tensor.model != chip::TensorModel::tlm) put_rtl_into_clusters(options.waves);
  if (chip.clusters.vector.model != chip::VectorModel::tlm) put_rtl_into_vector(options.waves);
  if (chip.clusters.dma.model != chip::DmaModel::tlm) put_rtl_into_dma(options.waves);
  for (unsigned i = 0; i < chip.rtl.devices.size(); ++i)
    rtl_devices.push_back(rtl::make_device(fmt::format("device{}", i), chip.rtl.devices[i].text,
                                           {.label = fmt::format("device{}", i),
                                            .frequency = chip.cpu.clock,
                                            .boundary = boundary(),
                                            .waves = options.waves}));
  put_rtl_into_peripherals(options.waves);
  if (chip.rtl.lockstep) put_memories_into_lockstep(options.waves);
  if (sram_rtl) watch(*sram_rtl);
  for (auto* list : {&rtl_devices, &hbm_rtl})
    for (auto& device : *list) watch(*device);
  if (cpu) connect_cpu();
  if (options.with_cpu && chip.cpu.model != chip::CpuModel::tlm) put_rtl_into_cpu(options.waves);
  if (cpu_rtl) watch(*cpu_rtl);
  connect_control_tile();
  connect_noc();
  if (chip.devices > 1) connect_links(options.device);
  connect_rtl_devices();
  if (chip.noc.model == chip::NocModel::rtl) put_rtl_into_noc(options.waves);
  for (const auto& wanted : wanted_taps_)
    if (!taps.contains(wanted))
      throw std::invalid_argument(
          fmt::format("'{}' is no boundary of this chip; it has {}", wanted, fmt::join(boundaries_, ", ")));
  connect_interrupts_and_resets();
  collect_statistics();
  write(device_tree_address(chip), device_tree_);
}

Soc::~Soc() = default;
RtlPeripheral::RtlPeripheral() = default;
RtlPeripheral::~RtlPeripheral() = default;

std::uint64_t Soc::rom_bytes() const { return boot_rom_parameters(chip_, device_tree_.size()).size.count; }

template <typename From, typename Model>
void Soc::join_peripheral(const std::string& key, From& from, Model& model) {
  auto* const rtl = rtl_peripheral(key);
  if (rtl == nullptr) return join(key, from, model.socket);
  if (rtl->lockstep) {
    rtl->lockstep->model.bind(model.socket);
    return join(key, from, rtl->lockstep->in);
  }
  unused_.push_back(std::make_unique<tlm_utils::simple_initiator_socket<Soc>>(("unused_" + key).c_str()));
  unused_.back()->bind(model.socket);
  join(key, from, rtl->device->subordinate().bridge->socket);
}

template <typename From, typename To>
void Soc::join(const std::string& boundary, From& from, To& to) {
  boundaries_.push_back(boundary);
  if (std::find(wanted_taps_.begin(), wanted_taps_.end(), boundary) == wanted_taps_.end()) {
    from.bind(to);
    return;
  }
  auto tap = std::make_unique<ip::record::Tap>(fmt::format("tap_{}", taps.size()).c_str());
  from.bind(tap->in);
  tap->out.bind(to);
  taps[boundary] = std::move(tap);
}

std::uint64_t Soc::boundary() const {
  return chip_.hbm.stacks * chip_.hbm.ports == 1 ? 0 : chip_.hbm.interleave.count;
}

void Soc::connect_cpu() {
  cpu->bus.bind(bus.socket);
  cpu->time_source = [this](const sc_core::sc_time& delay) { return time_now(delay); };
  software_interrupt().bind(cpu->machine_software);
  timer_interrupt().bind(cpu->machine_timer);
  machine_interrupt().bind(cpu->machine_external);
  supervisor_interrupt().bind(cpu->supervisor_external);
}

void Soc::connect_control_tile() {
  join("boot_rom", bus.map(map::boot_rom, rom_bytes()), boot_rom.socket);
  bus.map(map::sram, chip_.sram.size.count).bind(sram_port_.in[0]);
  if (sram_lockstep)
    join("sram", sram_port_.out, sram_lockstep->in);
  else if (sram)
    join("sram", sram_port_.out, sram->socket);
  else
    join("sram", sram_port_.out, sram_memory().socket);
  join_peripheral("uart", bus.map(map::uart, map::uart_size), uart);
  join_peripheral("clint", bus.map(map::clint, map::clint_size), clint);
  join_peripheral("plic", bus.map(map::plic, map::plic_size), plic);
  join_peripheral("timer", bus.map(map::timer, FR_TIMER_BYTES), timer);
  join_peripheral("mailbox", bus.map(map::mailbox, FR_MAILBOX_BYTES), mailbox);
  join_peripheral("sysctl", bus.map(map::sysctl, FR_SYSCTL_BYTES), sysctl);
  join_peripheral("perf", bus.map(map::perf, FR_PERF_BYTES), perf);
}

void Soc::connect_noc() {
  const auto control = find_tile(grid_, chip::TileKind::control, 0);
  bus.map_rest().bind(noc.add_initiator("control", control.x, control.y,
                                        noc_endpoint(chip_, chip_.cpu.clock, chip_.noc.control_priority)));
  auto& sram_target = noc.add_target("sram", control.x, control.y, noc_endpoint(chip_, chip_.cpu.clock));
  sram_target.bind(sram_port_.in[1]);
  noc.map(map::sram, chip_.sram.size.count, sram_target);

  std::vector<ClusterPort> ports;
  for (unsigned i = 0; i < clusters.size(); ++i) {
    auto& cluster = *clusters[i];
    const auto tile = find_tile(grid_, chip::TileKind::cluster, i);
    const auto name = fmt::format("cluster{}", i);
    auto& initiator = noc.add_initiator(name, tile.x, tile.y, noc_endpoint(chip_, chip_.clusters.clock));
    join(name, cluster.mux.out, initiator);
    auto& target = noc.add_target(name, tile.x, tile.y, noc_endpoint(chip_, chip_.clusters.clock));
    join(name + ".target", target, cluster.target);
    noc.map(map::cluster_registers(i), FR_CLUSTER_REGISTER_BYTES, target);
    noc.map(map::scratchpad(i), cluster.scratchpad.size(), target, map::scratchpad_stride);
    ports.push_back({&initiator, &target});
  }

  const auto memory = connect_memory(
      noc, chip_, grid_,
      [this](const std::string& name, ip::Noc::Target& from, unsigned stack, unsigned port) {
        if (!hbm_lockstep.empty())
          join(name, from, hbm_lockstep[stack * chip_.hbm.ports + port]->in);
        else if (hbm_rtl.empty())
          join(name, from, hbm[stack]->port[port]);
        else
          join(name, from, hbm_rtl[stack * chip_.hbm.ports + port]->subordinate().bridge->socket);
      });
  connect_windows(noc, chip_, ports, memory);
}

void Soc::connect_links(unsigned device) {
  const auto host = find_tile(grid_, chip::TileKind::host, 0);
  to_link = &noc.add_target("link", host.x, host.y, noc_endpoint(chip_, chip_.noc.clock));
  from_link = &noc.add_initiator("link", host.x, host.y, noc_endpoint(chip_, chip_.noc.clock));
  for (unsigned other = 0; other < chip_.devices; ++other)
    if (other != device) noc.map(map::device(other), map::device_stride, *to_link, map::device(other));
}

void Soc::connect_interrupts_and_resets() {
  output("uart", "", uart.interrupt).bind(interrupt_source(map::uart_interrupt));
  output("timer", "", timer.interrupt).bind(interrupt_source(map::timer_interrupt));
  output("mailbox", "", mailbox.interrupt).bind(interrupt_source(map::mailbox_interrupt));
  for (unsigned i = 0; i < clusters.size(); ++i) {
    clusters[i]->interrupt.bind(interrupt_source(map::cluster_interrupt(i)));
    if (i < sysctl.cluster_reset.size()) sysctl.cluster_reset[i].bind(clusters[i]->reset_line);
  }
  sysctl.on_exit = [this](int code) {
    if (on_exit) on_exit(code);
  };
  sysctl.on_reset = [this] { reset(); };
}

void Soc::reset() {
  const auto pulse = [](ip::LevelIn& line) {
    line->set_level(true);
    line->set_level(false);
  };
  for (auto& cluster : clusters) pulse(cluster->reset_line);
  for (auto& stack : hbm) pulse(stack->reset_line);
  for (auto& memory : hbm_lockstep) memory->forgive();
  if (sram_lockstep) sram_lockstep->forgive();
  if (sram_rtl) sram_rtl->reset();
  for (auto& memory : hbm_rtl) memory->reset();
  for (auto& device : rtl_devices) device->reset();
  for (auto* engine : dma_rtl) engine->reset();
  if (noc_rtl) noc_rtl->device().reset();
  for (auto& [key, peripheral] : rtl_peripherals) {
    if (peripheral.lockstep) peripheral.lockstep->forgive();
    if (key != "sysctl") peripheral.device->reset();  // that one has reset itself
  }
  for (auto* line : {&noc.reset_line, &uart.reset_line, &timer.reset_line, &mailbox.reset_line,
                     &perf.reset_line, &clint.reset_line, &plic.reset_line})
    pulse(*line);
  if (cpu) pulse(cpu->reset_line);
  if (cpu_rtl) cpu_rtl->reset();
  if (cpu_lockstep) cpu_lockstep->reset();
}

void Soc::add_statistics(const std::string& prefix, const ip::CounterGroup& group) {
  for (const auto* c : group.all())
    statistics_.push_back(
        {prefix + "." + c->name(), c->unit(), c->description(), [c] { return c->value(); }});
}

void Soc::add_channel_statistics(const std::string& stack_name, ip::HbmStack& stack) {
  using S = ip::hbm::ChannelStatistics;
  struct Entry {
    const char *name, *unit, *description;
    std::uint64_t S::*source;
  };
  static constexpr Entry entries[] = {
      {"reads", "burst", "bursts read", &S::reads},
      {"writes", "burst", "bursts written", &S::writes},
      {"row_hits", "burst", "bursts that found their row open", &S::hits},
      {"row_misses", "burst", "bursts that had to open a row in a closed bank", &S::misses},
      {"row_conflicts", "burst", "bursts that had to close another row first", &S::conflicts},
      {"activates", "command", "rows opened", &S::activates},
      {"refreshes", "refresh", "refreshes of all banks", &S::refreshes},
      {"bank_refreshes", "refresh", "refreshes of single banks", &S::bank_refreshes},
      {"managements", "refresh", "refresh management commands", &S::managements},
      {"check_bursts", "burst", "bursts of in-line ECC", &S::check_bursts},
      {"power_downs", "entry", "times in power-down", &S::power_downs},
      {"self_refreshes", "entry", "times in self-refresh", &S::self_refreshes},
      {"data_cycles", "cycle", "command-clock cycles with data on the bus, summed over the pseudo-channels",
       &S::data_cycles}};
  const auto add = [this](const std::string& name, const char* unit, const char* description, auto value) {
    statistics_.push_back({name, unit, description, value});
  };
  for (unsigned channel = 0; channel < stack.parameters().channels; ++channel) {
    const auto prefix = fmt::format("{}.channel{}.", stack_name, channel);
    for (const auto& e : entries)
      add(prefix + e.name, e.unit, e.description,
          [&stack, channel, source = e.source] { return stack.statistics(channel).*source; });
    add(prefix + "queue_cycles", "burst cycle", "bursts in the queues, summed over command-clock cycles",
        [&stack, channel] { return static_cast<std::uint64_t>(stack.statistics(channel).queue_cycles); });
    add(prefix + "energy", "pJ", "energy of commands and background",
        [&stack, channel] { return static_cast<std::uint64_t>(stack.statistics(channel).joules * 1e12); });
    for (unsigned i = 0; i < ip::hbm::limits; ++i)
      add(prefix + "time_" + std::string(ip::hbm::limit_names[i]), "ns",
          "time that the data buses worked (data) or waited for this, summed over the pseudo-channels",
          [&stack, channel, i] {
            return static_cast<std::uint64_t>(stack.statistics(channel).limit_cycles[i] /
                                              stack.parameters().clock.hertz * 1e9);
          });
  }
}

void Soc::collect_statistics() {
  const auto peripheral = [this](const std::string& key, const ip::CounterGroup& model) {
    auto* const rtl = rtl_peripheral(key);
    add_statistics(key, rtl == nullptr ? model : rtl->device->subordinate().bridge->counters);
  };
  if (cpu) add_statistics("cpu", cpu->counters);
  add_statistics("boot_rom", boot_rom.counters);
  if (sram) add_statistics("sram", sram->counters);
  peripheral("uart", uart.counters);
  add_statistics("bus", bus.counters);
  peripheral("clint", clint.counters);
  peripheral("plic", plic.counters);
  peripheral("timer", timer.counters);
  peripheral("mailbox", mailbox.counters);
  peripheral("sysctl", sysctl.counters);
  add_statistics("noc", noc.counters);
  for (unsigned i = 0; i < hbm.size(); ++i) {
    const auto name = fmt::format("hbm{}", i);
    add_statistics(name, hbm[i]->counters);
    add_channel_statistics(name, *hbm[i]);
  }
  if (cpu_rtl)
    for (auto& initiator : cpu_rtl->initiators)
      add_statistics("cpu." + initiator.face->map.name, initiator.bridge->counters);
  for (auto& memory : hbm_rtl) add_statistics(memory->label(), memory->subordinate().bridge->counters);
  for (unsigned i = 0; i < clusters.size(); ++i)
    for (const auto& [counter_name, c] : clusters[i]->all_counters())
      statistics_.push_back({fmt::format("cluster{}.{}", i, counter_name), c->unit(), c->description(),
                             [c = c] { return c->value(); }});
  for (const auto& statistic : statistics_) perf.add(statistic.name, statistic.value);
}

Soc::DebugTarget Soc::debug_target(std::uint64_t address) {
  if (sc_core::sc_get_status() >= sc_core::SC_END_OF_ELABORATION)
    return {&bus.socket.get_base_export(), address};
  if (address - map::boot_rom < rom_bytes())
    return {&boot_rom.socket.get_base_export(), address - map::boot_rom};
  if (address - map::sram < chip_.sram.size.count && sram_lockstep)
    return {&sram_lockstep->in.get_base_export(), address - map::sram};
  if (address - map::sram < chip_.sram.size.count)
    return {sram ? &sram->socket.get_base_export() : &sram_memory().socket.get_base_export(),
            address - map::sram};
  if (address - map::hbm < hbm_store.size() && !hbm_lockstep.empty())
    return {&hbm_lockstep[port_of(chip_, address - map::hbm)]->in.get_base_export(), address - map::hbm};
  if (address - map::hbm < hbm_store.size() && !hbm_rtl.empty())
    return {&hbm_rtl[port_of(chip_, address - map::hbm)]->subordinate().bridge->socket.get_base_export(),
            address - map::hbm};
  if (address - map::hbm < hbm_store.size())
    return {&hbm.front()->port[0].get_base_export(), address - map::hbm};
  throw std::runtime_error(
      fmt::format("address {:#x} is in no memory; others answer only once the simulation runs", address));
}

template <typename Byte>
void Soc::debug_access(tlm::tlm_command command, std::uint64_t address, std::span<Byte> data) {
  constexpr std::size_t piece = 1 << 20;
  while (!data.empty()) {
    auto length = static_cast<unsigned>(std::min(piece, data.size()));
    if (!hbm_rtl.empty() && boundary() != 0 && address >= map::hbm)  // within the memory of a port
      length = static_cast<unsigned>(
          std::min<std::uint64_t>(length, boundary() - (address - map::hbm) % boundary()));
    const auto [target, local] = debug_target(address);
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(local);
    payload.set_data_ptr(const_cast<unsigned char*>(data.data()));  // a write leaves it alone
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    if ((*target)->transport_dbg(payload) != length)
      throw std::runtime_error(fmt::format("nothing {} {} bytes at address {:#x}",
                                           command == tlm::TLM_READ_COMMAND ? "gives" : "takes", length,
                                           address));
    address += length;
    data = data.subspan(length);
  }
}

void Soc::read(std::uint64_t address, std::span<std::uint8_t> data) {
  debug_access(tlm::TLM_READ_COMMAND, address, data);
}

void Soc::write(std::uint64_t address, std::span<const std::uint8_t> data) {
  debug_access(tlm::TLM_WRITE_COMMAND, address, data);
}

void Soc::load_boot_rom(std::span<const std::uint8_t> image) {
  if (image.size() > chip_.boot_rom.size.count)
    throw std::runtime_error(fmt::format("the boot image has {} bytes, but the boot ROM {}", image.size(),
                                         chip_.boot_rom.size.count));
  write(map::boot_rom, image);
}

std::string Soc::describe_stall() {
  std::string text;
  for (auto& cluster : clusters)
    if (const auto stall = cluster->describe_stall(); !stall.empty()) text += stall + "\n";
  return text + noc.describe_stall();
}

std::uint64_t Soc::progress() {
  std::uint64_t sum = 0;
  for (auto& cluster : clusters) sum += cluster->progress();
  for (auto& device : rtl_devices) sum += device->transactions();
  return sum;
}

}  // namespace forerun::soc
