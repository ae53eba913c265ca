// SPDX-License-Identifier: Apache-2.0
// RTL in the places of the chip's blocks, and beside them in lockstep.
#include <fmt/format.h>

#include <stdexcept>

#include "ip/tensor/lockstep.hpp"
#include "ip/vector/lockstep_lanes.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/rtl/command_front.hpp"
#include "platform/rtl/dma.hpp"
#include "platform/rtl/lockstep_memory.hpp"
#include "platform/rtl/noc.hpp"
#include "platform/rtl/output_line.hpp"
#include "platform/rtl/scratchpad.hpp"
#include "platform/rtl/tensor.hpp"
#include "platform/rtl/vector.hpp"
#include "platform/soc/lockstep_waves.hpp"
#include "platform/soc/memory.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

constexpr unsigned cycles_after_difference = 50;  // of waves

}  // namespace

std::string lockstep_file(const rtl::WaveOptions& waves, const std::string& block) {
  return fmt::format("{}{}lockstep.{}", waves.folder, waves.folder.empty() ? "" : "/", block);
}

std::string keep_waves(rtl::Device& device, const rtl::WaveOptions& waves, Keep how) {
  if (waves.format != rtl::Waves::none) return waves.file(device.label());
  try {
    const auto stem = lockstep_file(waves, device.label());
    how == Keep::rolling ? device.roll_waves(stem) : device.replay_waves(stem);
    return "";
  } catch (const std::runtime_error& error) {
    return fmt::format("none: {}", error.what());
  }
}

std::string RtlDifference::describe(const std::string& part) const {
  const auto& d = difference;
  return fmt::format("RTL and models differ in {}, first in cycle {} of {}{} (at {} ps)\n  {}\n  waves: {}",
                     d.block, d.cycle, d.transaction, part.empty() ? "" : " of " + part, d.picoseconds,
                     d.what, waves);
}

void Soc::put_rtl_into_clusters(const rtl::WaveOptions& waves) {
  tensor_rtl = std::make_unique<rtl::TileLibrary>(chip_, waves);
  for (unsigned i = 0; i < clusters.size(); ++i) {
    const auto parameters = cluster_parameters(chip_, i).tensor;
    const auto maker = [this, i, array = 0u](unsigned format) mutable {
      return tensor_rtl->make(format,
                              fmt::format("cluster{}.array{}.{}", i, array++ % chip_.clusters.tensor.arrays,
                                          rtl::tile_format_name(format)));
    };
    if (chip_.clusters.tensor.model == chip::TensorModel::rtl) {
      clusters[i]->tensor.use(std::make_unique<ip::RtlArrays>(parameters, maker));
      continue;
    }
    auto lockstep = std::make_unique<ip::LockstepArrays>(
        parameters, maker,
        [this](unsigned format, const std::string& file) { return tensor_rtl->make_waving(format, file); },
        lockstep_file(waves, fmt::format("cluster{}", i)));
    lockstep->on_difference = [this, i](const auto& difference) { differ(i, difference); };
    clusters[i]->tensor.use(std::move(lockstep));
  }
}

void Soc::put_rtl_into_vector(const rtl::WaveOptions& waves) {
  const auto parameters = cluster_parameters(chip_, 0).vector;
  vector_rtl = std::make_unique<rtl::VectorLibrary>(chip_, parameters.shape(), waves);
  for (unsigned i = 0; i < clusters.size(); ++i) {
    auto engine = vector_rtl->make(fmt::format("cluster{}.vector", i));
    if (chip_.clusters.vector.model == chip::VectorModel::rtl) {
      clusters[i]->vector.use(std::make_unique<ip::RtlLanes>(std::move(engine), parameters.clock));
      continue;
    }
    auto lockstep = std::make_unique<ip::LockstepLanes>(
        std::move(engine), parameters.shape(), parameters.clock,
        [this](const std::string& file) { return vector_rtl->make_waving(file); },
        lockstep_file(waves, fmt::format("cluster{}.vector", i)));
    lockstep->on_difference = [this, i](const auto& difference) { differ(i, difference); };
    clusters[i]->vector.use(std::move(lockstep));
  }
}

/// In the tensor or vector engine of a cluster.
void Soc::differ(unsigned cluster, const ip::LockstepDifference& d) {
  if (!rtl_difference)
    rtl_difference = RtlDifference{
        {fmt::format("cluster {}", cluster), d.command, d.cycle, d.picoseconds, d.what}, d.tag, d.waves};
  sc_core::sc_stop();
}

void Soc::put_rtl_into_noc(const rtl::WaveOptions& waves) {
  const auto model =
      rtl::noc_model(chip_, noc.initiator_names().size(), noc.target_names().size(), waves.format);
  noc_rtl = std::make_unique<rtl::RtlNoc>(
      "noc_rtl", model, rtl::RtlPlace{.label = "noc", .frequency = chip_.noc.clock, .waves = waves}, noc);
  noc.use(*noc_rtl);
}

void Soc::watch(rtl::Device& device) {
  device.on_loss = [this](const std::string& why) {
    if (lost_block.empty()) lost_block = why;
    if (sc_core::sc_get_status() == sc_core::SC_RUNNING)
      sc_core::sc_stop();
    else
      throw std::runtime_error(why);
  };
}

void Soc::put_rtl_into_hbm(const rtl::WaveOptions& waves) {
  const auto ports = chip_.hbm.stacks * chip_.hbm.ports;
  const auto bytes = chip::memory_size(chip_).count / ports;
  for (unsigned i = 0; i < ports; ++i) {
    const auto label = fmt::format("hbm{}.port{}", i / chip_.hbm.ports, i % chip_.hbm.ports);
    hbm_rtl.push_back(rtl::make_device(
        fmt::format("hbm{}_port{}", i / chip_.hbm.ports, i % chip_.hbm.ports), chip_.rtl.hbm.text,
        {.label = label,
         .frequency = chip_.hbm.clock,
         .waves = waves,
         .translate = [this](std::uint64_t offset) { return within_port(chip_, offset); }}));
    const auto bits = hbm_rtl.back()->subordinate().face->axi.address_bits;
    if (bits < 64 && (bytes - 1) >> bits != 0)
      throw std::invalid_argument(fmt::format(
          "rtl.hbm: {}: its address bus of {} bits reaches {} bytes, but each port has {} bytes of the HBM "
          "(hbm.rows, hbm.channels and other keys of its shape, hbm.ports)",
          chip_.rtl.hbm.text, bits, std::uint64_t{1} << bits, bytes));
  }
}

void Soc::put_rtl_into_commands(const rtl::WaveOptions& waves) {
  const bool lockstep = chip_.clusters.command.model == chip::CommandModel::lockstep;
  const auto model = rtl::command_model(chip_, wave_format(waves, lockstep));
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    auto front = std::make_unique<rtl::RtlCommand>(fmt::format("cluster{}_command", i).c_str(), model,
                                                   rtl::RtlPlace{.label = fmt::format("cluster{}.command", i),
                                                                 .frequency = chip_.clusters.clock,
                                                                 .boundary = boundary(),
                                                                 .waves = waves});
    command_rtl.push_back(front.get());
    if (lockstep)
      front->compare(
          [this, &device = front->device(), other_waves = keep_waves(front->device(), waves, Keep::replayed)](
              const rtl::Difference& first, unsigned tag) {
            differ(first, device, other_waves);
            if (rtl_difference->difference.block == first.block) rtl_difference->tag = tag;
          });
    clusters[i]->command.use(std::move(front));
  }
}

void Soc::put_rtl_into_scratchpads(const rtl::WaveOptions& waves) {
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    auto& cluster = *clusters[i];
    auto store = std::make_unique<rtl::RtlScratchpad>(
        chip_.rtl.scratchpad.text,
        rtl::RtlScratchpadParameters{
            .label = fmt::format("cluster{}.scratchpad", i),
            .clock = chip_.clusters.clock,
            .host = cluster.scratchpad.host(),
            .lockstep = chip_.clusters.scratchpad.model == chip::ScratchpadModel::lockstep,
            .waves = waves});
    store->on_difference = [this](const rtl::Difference& difference, const std::string& where) {
      if (!rtl_difference) rtl_difference = RtlDifference{difference, std::nullopt, where};
      sc_core::sc_stop();
    };
    scratchpad_rtl.push_back(store.get());
    cluster.tensor.use_store(*store);
    cluster.vector.use_store(*store);
    cluster.scratchpad.use(std::move(store));
  }
}

void Soc::put_rtl_into_dma(const rtl::WaveOptions& waves) {
  const bool lockstep = chip_.clusters.dma.model == chip::DmaModel::lockstep;
  const auto model = rtl::dma_model(chip_, wave_format(waves, lockstep));
  for (std::size_t i = 0; i < clusters.size(); ++i)
    for (const std::string kind : {"load", "store"}) {
      auto engine = std::make_unique<rtl::RtlDma>(fmt::format("cluster{}_{}", i, kind).c_str(), model,
                                                  rtl::RtlPlace{.label = fmt::format("cluster{}.{}", i, kind),
                                                                .frequency = chip_.clusters.clock,
                                                                .boundary = boundary(),
                                                                .waves = waves});
      dma_rtl.push_back(engine.get());
      if (lockstep) {
        const auto& d = chip_.clusters.dma;
        auto& device = engine->device();
        const auto other_waves = keep_waves(device, waves);
        engine->compare({.burst = d.burst.count,
                         .outstanding = d.outstanding,
                         .overhead = d.overhead,
                         .beat = static_cast<unsigned>(chip_.noc.link_width.count)},
                        [this, &device, other_waves](const rtl::Difference& first) {
                          differ(first, device, other_waves);
                        });
      }
      auto& dma = kind == "load" ? clusters[i]->load : clusters[i]->store;
      dma.use(std::move(engine));
    }
}

/// The first difference ends the simulation, some cycles later, which its waves show.
void Soc::differ(const rtl::Difference& difference, rtl::Device& device, const std::string& other_waves) {
  if (rtl_difference) return;
  rtl_difference = RtlDifference{difference, std::nullopt, other_waves};
  for (const auto& line : device.first_broken_rules(3))
    rtl_difference->difference.what += "\n  broken before: " + line;
  sc_core::sc_spawn([this, &device, other_waves] {
    const auto cycle = static_cast<double>(period(device.frequency()).picoseconds);
    sc_core::wait(cycles_after_difference * cycle, sc_core::SC_PS);
    if (other_waves.empty()) rtl_difference->waves = device.rolled_waves();
    sc_core::sc_stop();
  });
}

std::unique_ptr<rtl::LockstepMemory> Soc::beside(rtl::Device& device, const std::string& name,
                                                 const std::string& other_waves) {
  auto lockstep = std::make_unique<rtl::LockstepMemory>(
      name.c_str(), rtl::LockstepMemoryParameters{.label = device.label(),
                                                  .period = period(device.frequency()),
                                                  .tolerance = device.map().tolerance,
                                                  .not_compared = device.map().not_compared});
  lockstep->rtl.bind(device.subordinate().bridge->socket);
  lockstep->on_difference = [this, &device, other_waves](const rtl::Difference& difference) {
    differ(difference, device, other_waves);
  };
  return lockstep;
}

void Soc::put_memories_into_lockstep(const rtl::WaveOptions& waves) {
  for (unsigned i = 0; i < hbm_rtl.size(); ++i) {
    const auto stack = i / chip_.hbm.ports, port = i % chip_.hbm.ports;
    hbm_lockstep.push_back(beside(*hbm_rtl[i], fmt::format("lockstep_hbm{}_port{}", stack, port),
                                  keep_waves(*hbm_rtl[i], waves)));
    hbm_lockstep.back()->model.bind(hbm[stack]->port[port]);
  }
  if (!sram_rtl) return;
  sram_memory();  // looks at its size
  sram_lockstep = beside(*sram_rtl, "lockstep_sram", keep_waves(*sram_rtl, waves));
  sram_lockstep->model.bind(sram->socket);
}

ip::cosim::TargetBridge& Soc::sram_memory() {
  auto& memory = sram_rtl->subordinate();
  const auto bits = memory.face->axi.address_bits;
  if (bits < 64 &&
      chip_.sram.size.count >> bits > (chip_.sram.size.count == std::uint64_t{1} << bits ? 1u : 0u))
    throw std::invalid_argument(
        fmt::format("rtl.sram: {}: its address bus of {} bits does not reach all {} bytes of sram.size",
                    sram_rtl->file(), bits, chip_.sram.size.count));
  return *memory.bridge;
}

std::vector<const rtl::Device*> Soc::rtl_blocks() const {
  std::vector<const rtl::Device*> all;
  const auto add = [&](const auto& one) {
    if (one) all.push_back(&*one);
  };
  add(cpu_rtl);
  add(sram_rtl);
  for (const auto& device : rtl_devices) add(device);
  for (const auto& memory : hbm_rtl) add(memory);
  for (const auto& [key, peripheral] : rtl_peripherals) add(peripheral.device);
  if (noc_rtl) all.push_back(&noc_rtl->device());
  for (auto* engine : dma_rtl) all.push_back(&engine->device());
  for (auto* command : command_rtl) all.push_back(&command->device());
  return all;
}

/// Subordinates and receivers lie in the device's window, at the offsets that the pin map says; managers and
/// transmitters reach what clusters reach.
void Soc::connect_rtl_devices() {
  const auto control = find_tile(grid_, chip::TileKind::control, 0);
  for (unsigned i = 0; i < rtl_devices.size(); ++i) {
    auto& device = *rtl_devices[i];
    for (auto& target : device.targets) {
      const auto offset = target.face->map.offset;
      const bool stream = target.face->map.protocol == rtl::Protocol::axi4_stream;
      const auto reach =
          stream ? map::rtl_stream_size : std::uint64_t{1} << std::min(target.face->axi.address_bits, 63u);
      if (offset >= map::rtl_device_size)
        throw std::invalid_argument(
            fmt::format("rtl.devices: {}: interface {}: offset {:#x}, expected less than {:#x}",
                        device.file(), target.face->map.name, offset, map::rtl_device_size));
      bus.map(map::rtl_device(i) + offset, std::min(reach, map::rtl_device_size - offset))
          .bind(target.bridge->socket);
    }
    for (auto& initiator : device.initiators)
      initiator.bridge->socket.bind(noc.add_initiator(fmt::format("device{}.{}", i, initiator.face->map.name),
                                                      control.x, control.y,
                                                      noc_endpoint(chip_, device.frequency())));
    device.interrupt.bind(plic.source(map::rtl_device_interrupt(i)));
  }
}

}  // namespace forerun::soc
