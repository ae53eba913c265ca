// SPDX-License-Identifier: Apache-2.0
// forerun chip: look at chip descriptions.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "platform/chip/load.hpp"
#include "platform/cli/options.hpp"

namespace forerun::cli {
namespace {

struct ChipCommand {
  ChipOptions chip;
  bool schema = false, list = false;
};

int show(const ChipCommand& o) {
  if (o.list) {
    for (const auto& name : chip::chip_names()) fmt::print("{}\n", name);
  } else if (o.schema) {
    fmt::print("{}\n", chip::json_schema().dump(2));
  } else {
    fmt::print("{}", chip::to_yaml(o.chip.load()));
  }
  return ok;
}

}  // namespace

void add_chip(CLI::App& app, int& code) {
  auto o = std::make_shared<ChipCommand>();
  auto& command =
      *app.add_subcommand("chip", "check a chip description and print it with every key resolved");
  command.add_option("CHIP", o->chip.chip, "the same as --chip");
  o->chip.add_to(command);
  auto* schema = command.add_flag("--schema", o->schema, "print the JSON Schema of chip descriptions");
  command.add_flag("--list", o->list, "print the names of the chips that come with Forerun")
      ->excludes(schema);
  command.callback([o, &code] { code = show(*o); });
}

}  // namespace forerun::cli
