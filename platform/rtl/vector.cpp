// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/vector.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <stdexcept>

#include "ip/vector/operations.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/mapped_pins.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace fs = std::filesystem;
namespace {

using ip::cosim::SharedModel;

const char* const engine_folder = "ip/vector/rtl";

struct LoadedEngine : ip::RtlEngine {
  LoadedEngine(std::shared_ptr<const SharedModel> model, const PinMap& map) : mapped(std::move(model), map) {
    const auto& m = mapped.instance.model();
    const auto where = fmt::format("{}: module {}", m.file(), m.functions().top);
    if (!map.vector) throw std::runtime_error(where + ": its pin map has no section 'vector'");
    const auto width = [&](const char* name) { return mapped.width(name); };
    const auto in = [&](const char* name, unsigned bits) { return mapped.pin(name, true, bits); };
    const auto out = [&](const char* name, unsigned bits) { return mapped.pin(name, false, bits); };
    const auto may = [&](const char* name, unsigned bits) {
      return width(name) == 0 && !map.ports.contains(name) ? nullptr : in(name, bits);
    };
    pins.lanes = width("a_data") / 32;
    if (pins.lanes == 0 || width("a_data") % 32 != 0)
      mapped.ports().refuse("ports/a_data", fmt::format("port {} has {} bits, expected 32 for each lane",
                                                        map.name_of("a_data"), width("a_data")));
    pins.own_timing = map.vector->own_timing;
    if (map.vector->columns > 0) pins.most_columns = map.vector->columns;
    std::size_t sources = 0;
    for (const auto op : map.vector->operations) {
      pins.operations.set(op);
      fr_vector command{};
      command.op = op;
      sources = std::max(sources, ip::vector_sources(command).size());
    }
    for (const auto type : map.vector->types) pins.types.set(type);
    pins.clock = mapped.wire("clock", map.clocks);
    pins.reset = mapped.wire("reset", map.resets);
    pins.reset_level = map.reset_high;
    pins.cmd_valid = in("cmd_valid", 1), pins.cmd_ready = out("cmd_ready", 1), pins.cmd_op = in("cmd_op", 8);
    pins.cmd_a_type = may("cmd_a_type", 8), pins.cmd_b_type = may("cmd_b_type", 8);
    pins.cmd_c_type = may("cmd_c_type", 8), pins.cmd_d_type = may("cmd_d_type", 8);
    pins.cmd_flags = may("cmd_flags", 8);
    pins.cmd_rows = in("cmd_rows", 32), pins.cmd_cols = in("cmd_cols", 32);
    pins.cmd_arg0 = may("cmd_arg0", 32), pins.cmd_arg1 = may("cmd_arg1", 32);
    pins.cmd_arg2 = may("cmd_arg2", 32), pins.cmd_arg3 = may("cmd_arg3", 32);
    for (unsigned i = 0; i < std::max<std::size_t>(1, sources); ++i) {
      const std::string name(1, "abc"[i]);
      pins.operands[i] = {in((name + "_valid").c_str(), 1), out((name + "_ready").c_str(), 1),
                          in((name + "_data").c_str(), pins.lanes * 32)};
    }
    pins.d_valid = out("d_valid", 1), pins.d_ready = in("d_ready", 1);
    pins.d_data = out("d_data", pins.lanes * 32);
    if (width("d_last") != 0) pins.d_last = out("d_last", 1);
    if (pins.operations[FR_VECTOR_QUANTIZE]) pins.d_scale = out("d_scale", 32);
    mapped.hold_constants();
    pins.model = &mapped;
    pins.evaluate = [](void* self) { static_cast<MappedPins*>(self)->evaluate(); };
  }
  MappedPins mapped;
};

std::string lower_case(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

std::unique_ptr<ip::RtlEngine> load_vector_engine(std::shared_ptr<const SharedModel> model, const PinMap& map,
                                                  const std::string& wave) {
  auto engine = std::make_unique<LoadedEngine>(std::move(model), map);
  if (wave.empty()) return engine;
  engine->mapped.instance.open_waves(wave);
  engine->pins.dump = [&instance = engine->mapped.instance](std::int64_t time) {
    instance.dump_waves(static_cast<std::uint64_t>(time));
  };
  return engine;
}

std::string describe_vector_engine(std::shared_ptr<const SharedModel> model, const PinMap& map) {
  const auto engine = std::make_unique<LoadedEngine>(std::move(model), map);
  std::vector<std::string> operations, types;
  for (const auto op : map.vector->operations)
    operations.push_back(lower_case(ip::vector_operation_name(op)));
  for (const auto type : map.vector->types) types.push_back(lower_case(ip::element_type_name(type)));
  return fmt::format("  vector engine: {} lanes; {} of {}\n{}", engine->pins.lanes,
                     fmt::join(operations, ", "), fmt::join(types, ", "),
                     engine->mapped.ports().describe_unused());
}

VerilateRequest vector_request(const ip::VectorShape& shape, Waves waves) {
  const auto folder = fs::path(FORERUN_INCLUDE_DIR) / engine_folder;
  VerilateRequest request;
  request.top = "vector_engine";
  for (const auto* file :
       {"float", "formats", "exponential", "operations", "lane", "special", "sums", "extremes", "engine"})
    request.sources.push_back(folder / fmt::format("vector_{}.sv", file));
  request.pins = read_text(folder / "vector_engine.yaml") +
                 fmt::format("  columns: {}\n", std::uint64_t{shape.buffer_beats} * shape.lanes);
  request.parameters = {{"LANES", std::to_string(shape.lanes)},
                        {"LATENCY", std::to_string(shape.latency)},
                        {"SPECIAL", std::to_string(shape.special_factor)},
                        {"DEPTH", std::to_string(shape.buffer_beats)}};
  request.waves = waves;
  return request;
}

VectorLibrary::VectorLibrary(const chip::Chip& chip, const ip::VectorShape& shape, const WaveOptions& waves)
    : own_(chip.rtl.vector.text), shape_(shape), waves_(waves) {
  model_ = std::make_shared<SharedModel>(
      own_.empty() ? verilated(vector_request(shape, waves.format)).string() : own_);
  if (const auto lanes = make("")->pins.lanes; lanes != shape.lanes)
    throw std::runtime_error(fmt::format(
        "rtl.vector: {}: an engine of {} lanes, but clusters.vector.lanes is {}", own_, lanes, shape.lanes));
}

std::unique_ptr<ip::RtlEngine> VectorLibrary::make(const std::string& name) const {
  const auto map = pin_map_of(*model_);
  const bool waving = waves_.format != Waves::none && !name.empty();
  auto engine = load_vector_engine(model_, map, waving ? waves_.file(name) : std::string());
  if (waving)
    engine->pins.dump = [waves = waves_, dump = std::move(engine->pins.dump)](std::int64_t time) {
      if (waves.covers(time)) dump(time);
    };
  return engine;
}

std::unique_ptr<ip::RtlEngine> VectorLibrary::make_waving(const std::string& file) const {
  const auto model =
      own_.empty() && waves_.format != Waves::fst
          ? std::make_shared<const SharedModel>(verilated(vector_request(shape_, Waves::fst)).string())
          : model_;
  return load_vector_engine(model, pin_map_of(*model), file);
}

std::string VectorLibrary::describe() const {
  return fmt::format("{}, {} lanes", own_.empty() ? std::string(engine_folder) + "/vector_engine.sv" : own_,
                     shape_.lanes);
}

}  // namespace forerun::rtl
