// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <systemc>

#include "platform/chip/keys.hpp"
#include "platform/cli/options.hpp"

using namespace forerun;

namespace {

/// "did you mean --model instead of --modle?" for each unknown word of the command that was called.
std::string suggestions(const CLI::App& app) {
  const CLI::App* command = &app;
  for (const auto* sub : app.get_subcommands()) command = sub;
  std::vector<std::string> names;
  if (command == &app) {
    for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
  } else {
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  std::string text;
  for (const auto& word : app.remaining(true))
    if (const auto near = chip::nearest(word.substr(0, word.find('=')), names); !near.empty())
      text += fmt::format("did you mean {} instead of {}?\n", near, word);
  return text;
}

}  // namespace

int sc_main(int argc, char** argv) {
  CLI::App app(
      "Forerun: a virtual platform of an LLM ASIC. It boots real firmware on the modelled chip and runs compiled "
      "transformers on it.",
      "forerun");
  app.require_subcommand(1);
  int code = cli::ok;
  try {
    cli::add_run(app, code);
    cli::add_boot(app, code);
    cli::add_compile(app, code);
    cli::add_chip(app, code);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int result = app.exit(error);
    if (result != 0) fmt::print(stderr, "{}", suggestions(app));
    return result == 0 ? cli::ok : cli::usage;
  } catch (const cli::UsageError& error) {
    fmt::print(stderr, "forerun: {}\n", error.what());
    return cli::usage;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "forerun: error: {}\n", error.what());
    return cli::failed;
  }
  return code;
}

int main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);  // its banner is not for the users of a program
  return sc_core::sc_elab_and_sim(argc, argv);
}
