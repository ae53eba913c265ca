// SPDX-License-Identifier: Apache-2.0
// forerun rtl: a model of somebody's Verilog.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "platform/cli/options.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/inspect.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::cli {
namespace {

struct RtlOptions {
  std::vector<std::string> sources, parameters, includes, defines, verilator;
  std::string top, pins, output, depfile, waves = "none";
};

int make(const RtlOptions& o) {
  rtl::VerilateRequest request;
  request.top = o.top;
  request.sources.assign(o.sources.begin(), o.sources.end());
  request.includes.assign(o.includes.begin(), o.includes.end());
  request.defines = o.defines;
  request.arguments = o.verilator;
  request.waves = o.waves == "fst" ? rtl::Waves::fst : o.waves == "vcd" ? rtl::Waves::vcd : rtl::Waves::none;
  request.pins = rtl::read_text(o.pins);
  request.pins_file = o.pins;
  request.parameters = rtl::PinMap::parse(request.pins, o.pins).parameters;
  for (const auto& setting : o.parameters) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--parameter is '{}', expected NAME=VALUE", setting));
    request.parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const auto output = o.output.empty() ? o.top + ".so" : o.output;
  const auto files = rtl::verilate(request, output);
  std::string description;
  try {
    description = rtl::inspect(output);
  } catch (...) {
    std::filesystem::remove(output);  // nobody could use it
    throw;
  }
  if (!o.depfile.empty()) {
    auto text = output + ":";
    for (const auto& file : files) text += " " + file.string();
    rtl::write_text(o.depfile, text + "\n");
  }
  fmt::print("{}", description);
  return ok;
}

}  // namespace

void add_rtl(CLI::App& app, int& code) {
  auto o = std::make_shared<RtlOptions>();
  auto& command = *app.add_subcommand("rtl", "make a model of your own Verilog for a chip's section `rtl`");
  command.add_option("SOURCES", o->sources, "Verilog and SystemVerilog files, packages first")->required();
  command.add_option("--top", o->top, "the module")->required();
  command.add_option("--pins", o->pins, "YAML file that says what its ports are")->required();
  command.add_option("-o,--output", o->output, "the model (default: the module's name and .so)");
  command.add_option("--depfile", o->depfile, "writes which files the model was made of, for make and ninja");
  command.add_option("--parameter", o->parameters, "NAME=VALUE, over the pin map's; may be repeated")
      ->allow_extra_args(false);
  command.add_option("-I,--include", o->includes, "folder of files that are included; may be repeated")
      ->allow_extra_args(false);
  command.add_option("-D,--define", o->defines, "NAME or NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--verilator", o->verilator,
                  "a further argument for Verilator, such as -Wno-WIDTH; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--waves", o->waves, "waves that the model can write; slower also while it writes none")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "fst", "vcd"}));
  command.callback([o, &code] { code = make(*o); });
}

}  // namespace forerun::cli
