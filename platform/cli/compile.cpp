// SPDX-License-Identifier: Apache-2.0
// forerun compile: a model to a program, as a file or as text.
#include <fmt/format.h>

#include <optional>

#include "models/compiler/compiler.hpp"
#include "models/import/model.hpp"
#include "platform/cli/options.hpp"

namespace forerun::cli {
namespace {

struct CompileCommand {
  ChipOptions chip;
  ModelOptions model;
  std::uint32_t context = 0, device = 0;
  std::optional<std::string> output;
  bool listing = false;
};

int compile(const CompileCommand& o) {
  const auto chip = o.chip.load();
  const auto model = models::load_model(o.model.path(), chip.data != chip::Data::real);
  if (o.device >= chip.devices)
    throw UsageError(fmt::format("--device is {}, but devices is {}: expected less", o.device, chip.devices));
  const auto program = models::compile(model, chip,
                                       {.format = o.model.formats(),
                                        .context = o.context,
                                        .data = chip.data == chip::Data::real,
                                        .device = o.device});
  if (o.output) models::write_container(program, *o.output);
  if (o.listing) {
    const auto text = models::listing(program);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return ok;
  }
  std::uint64_t weights = 0, streams = 0;
  for (const auto& segment : program.segments) weights += segment.memory_bytes;
  for (const auto& stream : program.streams) streams += stream.size();
  fmt::print(
      "{} for {}: {} clusters, steps of up to {} tokens, context {}; {} bytes of weights and tables, {} of "
      "commands, {} of "
      "each scratchpad\n",
      model.config.name, chip.name, program.streams.size(), program.header.max_tokens, program.header.context,
      weights, streams, program.header.scratchpad_bytes);
  return ok;
}

}  // namespace

void add_compile(CLI::App& app, int& code) {
  auto o = std::make_shared<CompileCommand>();
  auto& command = *app.add_subcommand("compile", "compile a model for a chip");
  o->model.add_to(command);
  o->chip.add_to(command);
  command.add_option("--context", o->context,
                     "positions of the key/value cache (default: all that the model has)");
  command.add_option("--device", o->device, "for which of several devices (chip key devices), from 0")
      ->capture_default_str();
  command.add_option("-o,--output", o->output, "write the program container to this file");
  command.add_flag("--listing", o->listing, "print memory and every command of every cluster");
  command.callback([o, &code] { code = compile(*o); });
}

}  // namespace forerun::cli
