// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "platform/chip/names.hpp"
#include "platform/rtl/mapped_pins.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace fs = std::filesystem;
namespace {

using ip::cosim::SharedModel;

struct LoadedTile : ip::RtlTile {
  LoadedTile(std::shared_ptr<const SharedModel> model, const PinMap& map, unsigned format, unsigned rows,
             unsigned columns)
      : mapped(std::move(model), map) {
    const unsigned w = format == 0 ? 8 : 16;
    const auto in = [&](const char* name, unsigned bits) { return mapped.pin(name, true, bits); };
    const auto out = [&](const char* name, unsigned bits) { return mapped.pin(name, false, bits); };
    pins.format = format, pins.rows = rows, pins.columns = columns;
    pins.depth = map.tile ? map.tile->depth : tile_depth;
    pins.own_timing = map.tile && map.tile->own_timing;
    pins.clock = mapped.wire("clock", map.clocks);
    pins.reset = mapped.wire("reset", map.resets);
    pins.reset_level = map.reset_high;
    pins.w_valid = in("w_valid", 1), pins.w_ready = out("w_ready", 1), pins.w_last = in("w_last", 1);
    pins.w_data = in("w_data", columns * w);
    pins.a_valid = in("a_valid", 1), pins.a_ready = out("a_ready", 1), pins.a_last = in("a_last", 1);
    pins.a_start = in("a_start", 2), pins.a_emit = in("a_emit", 1);
    pins.a_data = in("a_data", rows * w), pins.a_sum = in("a_sum", columns * 32);
    pins.c_valid = out("c_valid", 1), pins.c_ready = in("c_ready", 1);
    pins.c_data = out("c_data", columns * 32);
    // An array with cycles of its own may be without these.
    const auto optional = [&](const char* name) {
      return pins.own_timing && mapped.width(name) == 0 ? nullptr : out(name, 1);
    };
    pins.c_last = optional("c_last");
    pins.idle = map.idle.empty() ? optional("idle") : mapped.port(map.idle, false, 1, "idle");
    pins.idle_level = map.idle_high;
    mapped.hold_constants();
    pins.model = &mapped;
    pins.evaluate = [](void* self) { static_cast<MappedPins*>(self)->evaluate(); };
  }
  MappedPins mapped;
};

}  // namespace

std::string_view tile_format_name(unsigned format) {
  static constexpr std::string_view names[] = {"int8", "bf16", "fp16"};
  return names[format];
}

unsigned tile_format(chip::Format format) {
  return format == chip::Format::i8     ? 0
         : format == chip::Format::bf16 ? 1
         : format == chip::Format::f16  ? 2
                                        : tile_formats;
}

std::pair<unsigned, unsigned> tile_size(const SharedModel& model, const PinMap& map) {
  const PinsOf ports(model, map.places);
  const auto lanes = [&](const std::string& pin, unsigned lane) {
    const auto name = map.name_of(pin), at = "ports/" + pin;
    const auto bits = ports.get(name, pin[0] == 'a', 0, at).bits;
    if (bits % lane != 0)
      ports.refuse(at, fmt::format("port '{}' has {} bits, expected a multiple of {} for {}", name, bits,
                                   lane, tile_format_name(map.tile->format)));
    return bits / lane;
  };
  return {lanes("a_data", map.tile->format == 0 ? 8 : 16), lanes("c_data", 32)};
}

std::string describe_tile(std::shared_ptr<const SharedModel> model, const PinMap& map) {
  const auto [rows, columns] = tile_size(*model, map);
  const LoadedTile tile(std::move(model), map, map.tile->format, rows, columns);
  return fmt::format("  matrix unit: {}, {}x{}, {} rows of accumulators\n{}",
                     tile_format_name(map.tile->format), rows, columns, map.tile->depth,
                     tile.mapped.ports().describe_unused());
}

TileLibrary::TileLibrary(const chip::Chip& chip, const WaveOptions& waves) : chip_(chip), waves_(waves) {}

std::shared_ptr<const SharedModel> TileLibrary::model(unsigned format, Waves waves) {
  const auto& own = chip_.rtl.tensor.text;
  if (!own.empty()) {
    auto& loaded = models_[{tile_formats, Waves::none}];
    if (!loaded) loaded = std::make_shared<SharedModel>(own);
    const auto map = pin_map_of(*loaded);
    if (!map.tile)
      throw std::runtime_error(fmt::format("rtl.tensor: {}: its pin map has no section 'tile'", own));
    const auto& t = chip_.clusters.tensor;
    if (const auto [rows, columns] = tile_size(*loaded, map); rows != t.rows || columns != t.columns)
      throw std::runtime_error(fmt::format(
          "rtl.tensor: {}: a matrix unit of {}x{}, but clusters.tensor.rows and columns are {}x{}", own, rows,
          columns, t.rows, t.columns));
    return map.tile->format == format ? loaded : nullptr;
  }
  const auto has = [&](chip::Format f) { return tile_format(f) == format; };
  const auto& formats = chip_.clusters.tensor.formats;
  if (std::none_of(formats.begin(), formats.end(), has)) return nullptr;
  auto& loaded = models_[{format, waves}];
  if (loaded) return loaded;
  VerilateRequest request;
  request.top = "tensor_tile";
  for (const auto* file : {"arithmetic", "cell", "delay", "accumulators", "tile"})
    request.sources.push_back(fs::path(FORERUN_INCLUDE_DIR) / "ip/tensor/rtl" /
                              fmt::format("tensor_{}.sv", file));
  request.parameters = {{"FORMAT", std::to_string(format)},
                        {"R", std::to_string(chip_.clusters.tensor.rows)},
                        {"C", std::to_string(chip_.clusters.tensor.columns)},
                        {"DEPTH", std::to_string(tile_depth)}};
  request.waves = waves;
  loaded = std::make_shared<SharedModel>(verilated(request).string());
  return loaded;
}

void TileLibrary::prepare(unsigned format) {
  if (model(format, waves_.format)) {
    (void)make(format, "");  // looks at its ports
    return;
  }
  const auto& own = chip_.rtl.tensor.text;
  throw std::runtime_error(
      own.empty() ? fmt::format("clusters.tensor.model is {}, but clusters.tensor.formats does not have {}",
                                chip::name(chip_.clusters.tensor.model), tile_format_name(format))
                  : fmt::format("rtl.tensor: {}: multiplies {}, but the model needs {}", own,
                                tile_format_name(pin_map_of(*models_.begin()->second).tile->format),
                                tile_format_name(format)));
}

std::unique_ptr<ip::RtlTile> TileLibrary::make(unsigned format, const std::string& name) {
  auto shared = model(format, waves_.format);
  if (!shared) return nullptr;
  const auto& t = chip_.clusters.tensor;
  auto tile = std::make_unique<LoadedTile>(shared, pin_map_of(*shared), format, t.rows, t.columns);
  if (waves_.format == Waves::none || name.empty()) return tile;
  tile->mapped.instance.open_waves(waves_.file(name));
  tile->pins.dump = [waves = waves_, &instance = tile->mapped.instance](std::int64_t time) {
    if (waves.covers(time)) instance.dump_waves(static_cast<std::uint64_t>(time));
  };
  return tile;
}

std::unique_ptr<ip::RtlTile> TileLibrary::make_waving(unsigned format, const std::string& file) {
  auto shared = model(format, Waves::fst);
  const auto& t = chip_.clusters.tensor;
  auto tile = std::make_unique<LoadedTile>(shared, pin_map_of(*shared), format, t.rows, t.columns);
  tile->mapped.instance.open_waves(file);
  tile->pins.dump = [&instance = tile->mapped.instance](std::int64_t time) {
    instance.dump_waves(static_cast<std::uint64_t>(time));
  };
  return tile;
}

std::string TileLibrary::describe() const {
  const auto& own = chip_.rtl.tensor.text;
  const auto& t = chip_.clusters.tensor;
  return fmt::format("{}, {} array{} of {}x{}", own.empty() ? "ip/tensor/rtl/tensor_tile.sv" : own, t.arrays,
                     t.arrays == 1 ? "" : "s", t.rows, t.columns);
}

}  // namespace forerun::rtl
