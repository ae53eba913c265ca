// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/inspect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <stdexcept>

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

}  // namespace

std::string inspect(const std::string& file) {
  const auto model = std::make_shared<const ip::cosim::SharedModel>(file);
  const auto map = PinMap::parse(model->functions().pins, file);
  const std::string waves = model->functions().format;
  auto text = fmt::format("{}: module {}, {} ports{}\n", file, model->functions().top, model->ports().size(),
                          waves.empty() ? "" : ", can write " + waves);
  if (map.tile) {
    const auto [rows, columns] = tile_size(*model, map);
    check_tile(model, map, rows, columns);
    text += fmt::format("  matrix unit: {}, {}x{}, {} rows of accumulators\n",
                        tile_format_name(map.tile->format), rows, columns, map.tile->depth);
    return text;
  }
  if (map.vector) return text + describe_vector_engine(model, map);
  MappedBlock block(model);
  for (const auto& face : block.interfaces()) text += describe(*face);
  if (map.dma)
    text += fmt::format("  DMA engine: told by {}, {}, aligned to {} byte{}\n",
                        map.dma->ports.empty() ? "registers" : "ports",
                        map.dma->takes(DmaValue::rows) ? "rows with strides" : "a row at a time",
                        map.dma->alignment, map.dma->alignment == 1 ? "" : "s");
  if (!map.interrupt.empty())
    text += fmt::format("  interrupt: {}, active {}\n", map.interrupt, map.interrupt_high ? "high" : "low");
  for (const auto& [name, signal] : block.signals())
    text += fmt::format("  signal {}: {}, {} bit{}\n", name, map.signals.at(name), signal.bits,
                        signal.bits == 1 ? "" : "s");
  if (const auto names = block.unused(true); !names.empty())
    text += fmt::format("  inputs not in the pin map, held at 0: {}\n", fmt::join(names, ", "));
  if (const auto names = block.unused(false); !names.empty())
    text += fmt::format("  outputs not in the pin map: {}\n", fmt::join(names, ", "));
  return text;
}

}  // namespace forerun::rtl
