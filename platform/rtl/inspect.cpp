// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "platform/rtl/mapped_block.hpp"
#include "platform/rtl/tensor.hpp"
#include "platform/rtl/vector.hpp"

namespace forerun::rtl {
namespace {

constexpr const char* protocols[] = {"AXI4", "AXI4-Lite", "AXI4-Stream"};
constexpr const char* roles[] = {"subordinate", "manager", "receiver", "transmitter"};

std::string describe(const MappedInterface& face) {
  const auto head =
      fmt::format("  {}: {} {}", face.map.name, protocols[static_cast<unsigned>(face.map.protocol)],
                  roles[static_cast<unsigned>(face.map.role)]);
  if (face.map.protocol == Protocol::axi4_stream)
    return fmt::format("{}, {} bits\n", head, face.stream.data_bytes * 8);
  return fmt::format("{}, {} bits of data, {} of address{}\n", head, face.axi.data_bytes * 8,
                     face.axi.address_bits, face.axi.lite ? "" : fmt::format(", {} of ID", face.axi.id_bits));
}

void check_dma(const PinMap& map, const PinsOf& ports) {
  const auto has = [&](Role role) {
    return std::any_of(map.interfaces.begin(), map.interfaces.end(),
                       [&](const InterfaceMap& face) { return face.role == role; });
  };
  if (!has(Role::manager)) ports.refuse("dma", "dma: there is no interface with role manager");
  if (!map.dma->start.empty() && !has(Role::subordinate))
    ports.refuse("dma/start", "dma: start writes registers, but there is no interface with role subordinate");
}

}  // namespace

std::string inspect(const std::string& file) {
  return inspect(std::make_shared<const ip::cosim::SharedModel>(file));
}

std::string inspect(const std::shared_ptr<const ip::cosim::SharedModel>& model) {
  const auto map = pin_map_of(*model);
  const std::string waves = model->functions().format;
  auto text = fmt::format("{}: module {}, {} ports{}\n", model->file(), model->functions().top,
                          model->ports().size(), waves.empty() ? "" : ", can write " + waves);
  if (map.tile) {
    return text + describe_tile(model, map);
  }
  if (map.vector) return text + describe_vector_engine(model, map);
  MappedBlock block(model);
  if (map.dma) check_dma(map, block.ports());
  for (const auto& face : block.interfaces()) text += describe(*face);
  if (map.dma)
    text += fmt::format("  DMA engine: told by {}, {}, aligned to {} byte{}\n",
                        map.dma->ports.empty() ? "registers" : "ports",
                        map.dma->takes(DmaValue::rows) ? "rows with strides" : "a row at a time",
                        map.dma->alignment, map.dma->alignment == 1 ? "" : "s");
  if (!map.interrupt.empty())
    text += fmt::format("  interrupt: {}, active {}\n", map.interrupt, map.interrupt_high ? "high" : "low");
  if (map.rvfi)
    text += fmt::format("  rvfi: retired instructions, {} in a cycle at most\n", block.most_retired());
  for (const auto& [name, signal] : block.signals())
    text += fmt::format("  signal {}: {}, {} bit{}\n", name, map.signals.at(name), signal.bits,
                        signal.bits == 1 ? "" : "s");
  return text + block.ports().describe_unused();
}

}  // namespace forerun::rtl
