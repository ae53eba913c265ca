// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <systemc>

#include "platform/chip/keys.hpp"
#include "platform/cli/options.hpp"

using namespace forerun;

namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const auto near = chip::nearest(word.substr(0, word.find('=')), names);
  return near.empty() ? "" : fmt::format("did you mean {} instead of {}?\n", near, word);
}

/// For each unknown option of the command that was called.
std::string suggestions(const CLI::App& app) {
  std::string text;
  for (const auto* command : app.get_subcommands()) {
    std::vector<std::string> names;
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& word : command->remaining()) text += did_you_mean(word, names);
  }
  return text;
}

}  // namespace

int sc_main(int argc, char** argv) {
  CLI::App app(
      "Forerun: a virtual platform of an LLM ASIC. It boots real firmware on the modelled chip and runs "
      "compiled "
      "transformers on it.",
      "forerun");
  app.require_subcommand(1);
  int code = cli::ok;
  try {
    cli::add_run(app, code);
    cli::add_boot(app, code);
    cli::add_compile(app, code);
    cli::add_loss(app, code);
    cli::add_chip(app, code);
    cli::add_rtl(app, code);
    cli::add_sweep(app, code);
    cli::add_traffic(app, code);
    cli::add_replay(app, code);
    cli::add_validate(app, code);
    const auto names = command_names(app);
    if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end())
      throw cli::UsageError(fmt::format("unknown command '{}'; known are {}\n{}", argv[1],
                                        fmt::join(names, ", "), did_you_mean(argv[1], names)));
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int result = app.exit(error);
    if (result != 0) fmt::print(stderr, "{}", suggestions(app));
    return result == 0 ? cli::ok : cli::usage;
  } catch (const cli::UsageError& error) {
    fmt::print(stderr, "forerun: {}\n", error.what());
    return cli::usage;
  } catch (const sc_core::sc_report& report) {
    // Around an exception from a process of the simulation; what() would repeat SystemC's own place.
    std::fflush(stdout);
    const auto* const process = report.get_process_name();
    const std::string text = report.get_msg();
    // What acts in turns names itself, since the process is that of all of them.
    const auto place = text.find("\n  in ") != std::string::npos || process == nullptr
                           ? ""
                           : fmt::format("\n  in {}", process);
    fmt::print(stderr, "forerun: error: {}{}{}\n", text, place,
               process == nullptr ? "" : " at " + report.get_time().to_string());
    return cli::failed;
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
