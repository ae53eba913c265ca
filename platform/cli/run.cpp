// SPDX-License-Identifier: Apache-2.0
// forerun run: a model on the whole chip.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <optional>

#include "firmware/apps/apps.h"
#include "models/compiler/compiler.hpp"
#include "models/import/model.hpp"
#include "models/tokenizer/tokenizer.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/chip/names.hpp"
#include "platform/cli/gdb.hpp"
#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/report/report.hpp"
#include "platform/sim/console.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/recorder.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {
namespace {

constexpr std::uint64_t default_steps = 64;
constexpr float demonstration_temperature = 0.7F;
constexpr const char* demonstration_prompt = "The people of the United States";

struct RunOptions {
  ChipOptions chip;
  ModelOptions model;
  WaveChoice waves;
  std::optional<std::string> prompt, data, ids, logits, teacher, report, program, firmware;
  std::optional<std::uint64_t> steps, prompt_tokens;
  std::optional<float> temperature;
  std::uint64_t seed = 0;
  std::uint64_t step_timeout = 0;
  std::optional<std::uint16_t> gdb;
  std::vector<std::string> record;
  std::uint64_t record_count = 0;
  bool native = false;
  bool model_given = false;
  /// What a run without any of these is.
  bool is_demonstration() const {
    return !model_given && !prompt && !prompt_tokens && !ids && !logits && !teacher && !program;
  }
};

void check(const RunOptions& o, const chip::Chip& chip) {
  const auto refuse = [](bool wrong, const char* why) {
    if (wrong) throw UsageError(why);
  };
  const bool data = chip.data == chip::Data::real;
  refuse(!data && o.ids, "--ids needs real data: without, the chip computes no tokens");
  refuse(!data && !o.record.empty(), "--record needs real data: without, there are none to record");
  refuse(!data && o.logits, "--logits needs real data: without, the chip computes no logits");
  refuse(
      o.teacher && (o.prompt || o.prompt_tokens || o.steps || o.temperature),
      "--teacher gives all tokens: --prompt, --prompt-tokens, --steps and --temperature do not go with it");
  refuse(o.prompt && o.prompt_tokens, "--prompt and --prompt-tokens do not go together");
  refuse(o.temperature && o.ids, "--ids is for greedy runs: --temperature does not go with it");
  refuse(o.temperature && !(*o.temperature >= 0 && *o.temperature < 1e6F),
         "--temperature must be 0 (greedy) or more");
  refuse(o.native && o.gdb,
         "--native runs firmware in this process: use the host's gdb on it instead of --gdb");
  refuse(o.native && o.firmware, "--native runs the chip's own firmware: --firmware does not go with it");
}

sim::InferenceRequest make_request(const RunOptions& o, const models::ModelConfig& model,
                                   const models::Tokenizer* tokenizer, bool data) {
  sim::InferenceRequest request;
  request.seed = o.seed;
  request.step_timeout = o.step_timeout;
  request.keep_logits = o.logits.has_value();
  if (o.teacher) {
    request.teacher = true;
    request.tokens = read_ids(*o.teacher, model.vocabulary);
    if (request.tokens.size() > model.max_positions)
      throw std::runtime_error(fmt::format("{}: holds {} ids, but {} has {} positions", *o.teacher,
                                           request.tokens.size(), model.name, model.max_positions));
    return request;
  }
  if (o.prompt_tokens)
    request.tokens.assign(std::min<std::uint64_t>(*o.prompt_tokens, std::uint64_t{model.max_positions} + 1),
                          model.bos);
  else if (tokenizer != nullptr)
    request.tokens = tokenizer->encode(o.prompt.value_or(o.model_given ? "" : demonstration_prompt));
  if (request.tokens.empty()) request.tokens = {model.bos};
  if (request.tokens.size() >= model.max_positions)
    throw UsageError(fmt::format("the prompt has {} tokens, but {} has {} positions", request.tokens.size(),
                                 model.name, model.max_positions));
  const auto room = model.max_positions - request.tokens.size();
  request.generate = o.steps.value_or(std::min<std::uint64_t>(default_steps, room));
  if (request.generate == 0 || request.generate > room)
    throw UsageError(fmt::format("--steps is {}, but after {} prompt tokens {} has room for 1 to {}",
                                 request.generate, request.tokens.size(), model.name, room));
  if (o.temperature.value_or(0) > 0) request.temperature = o.temperature;
  if (!o.temperature && o.is_demonstration() && data) request.temperature = demonstration_temperature;
  return request;
}

models::Program make_program(const RunOptions& o, const models::Model& model, const chip::Chip& chip,
                             const sim::InferenceRequest& request) {
  if (!o.program) {
    constexpr std::uint64_t granule = 64;
    const auto positions = request.tokens.size() + request.generate;
    const auto context =
        std::min<std::uint64_t>(model.config.max_positions, (positions + granule - 1) / granule * granule);
    return models::compile(model, chip,
                           {.format = o.model.format(),
                            .context = static_cast<std::uint32_t>(context),
                            .data = chip.data == chip::Data::real,
                            .max_tokens = static_cast<std::uint32_t>(request.tokens.size())});
  }
  auto program = models::read_container(*o.program);
  if (const auto size = chip::memory_size(chip).count;
      program.header.memory_end - chip::address_map::hbm > size)
    throw std::runtime_error(fmt::format("{}: uses memory up to {:#x}, but the chip's ends at {:#x}",
                                         *o.program, program.header.memory_end,
                                         chip::address_map::hbm + size));
  if (program.header.vocabulary != model.config.vocabulary)
    throw std::runtime_error(fmt::format("{}: was compiled for a vocabulary of {}, {} has {}", *o.program,
                                         program.header.vocabulary, model.config.name,
                                         model.config.vocabulary));
  return program;
}

/// For CLI11, which lets unsigned numbers wrap around.
std::string whole_number(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? "" : fmt::format("'{}' is not a whole number, 0 or more", text);
}

/// Prints the text as it comes, a whole character at a time, apart from the lines of the UART.
class Output {
 public:
  explicit Output(const models::Tokenizer* tokenizer) : tokenizer_(tokenizer) {}
  void token(std::uint32_t id) {
    if (tokenizer_ == nullptr) return;
    std::cout << utf8_.add(tokenizer_->piece(previous_, id)) << std::flush;
    previous_ = id;
    in_text_ = true;
  }
  void line(std::string_view text) {
    end_text();
    std::cout << text << "\n" << std::flush;
  }
  void end_text() {
    if (in_text_) std::cout << "\n" << std::flush;
    in_text_ = false;
  }

 private:
  const models::Tokenizer* tokenizer_;
  models::Utf8Stream utf8_;
  std::uint32_t previous_ = ~0u;
  bool in_text_ = false;
};

std::string as_lines(const std::vector<std::uint32_t>& ids) {
  std::string text;
  for (const auto id : ids) text += std::to_string(id) + "\n";
  return text;
}

std::string_view as_bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::optional<OutputFile> open_output(const std::optional<std::string>& path) {
  return path ? std::optional<OutputFile>(std::in_place, *path) : std::nullopt;
}

/// Makes and loads the RTL that the model needs, so that what is missing is known before the simulation.
void prepare_rtl(soc::Soc& soc, const ModelOptions& model) {
  if (!soc.tensor_rtl) return;
  const auto format = rtl::tile_format(model.format());
  if (format == rtl::tile_formats)
    throw UsageError(
        fmt::format("--dtype is {}, but clusters.tensor.model is {}, which multiplies fp16, bf16 or int8",
                    model.dtype, chip::name(soc.chip().clusters.tensor.model)));
  soc.tensor_rtl->prepare(format);
}

/// What went wrong, or empty.
std::string problem_of(const soc::Soc& soc, const sim::Inference& inference, const sim::Outcome& outcome) {
  if (soc.rtl_difference) {
    const auto& tags = inference.program().tags;
    const auto tag = soc.rtl_difference->difference.tag;
    return soc.rtl_difference->describe(tag < tags.size() ? tags[tag] : "");
  }
  if (!soc.lost_block.empty()) return soc.lost_block;
  if (!inference.failure().empty()) return inference.failure();
  switch (outcome.kind) {
    case sim::Outcome::Kind::exited:
      if (!inference.finished())
        return fmt::format("firmware ended with exit code {} before the run was finished", outcome.exit_code);
      return outcome.exit_code != 0 ? fmt::format("firmware ended with exit code {}", outcome.exit_code) : "";
    case sim::Outcome::Kind::stalled:
      return "the chip stands still: nothing that could happen is left\n" + outcome.description;
    default:
      return "the simulation was stopped";
  }
}

int run(const RunOptions& o) {
  const auto started = std::chrono::steady_clock::now();
  auto description = o.chip;
  if (o.data) description.set.push_back("data=" + *o.data);
  const auto chip = description.load();
  check(o, chip);
  const bool data = chip.data == chip::Data::real;
  const auto path = o.model.path();
  const auto model = models::load_model(path, !data);
  std::optional<models::Tokenizer> tokenizer;
  const bool needs_text = data ? !o.teacher : o.prompt || o.is_demonstration();
  if (needs_text) tokenizer = models::Tokenizer::for_model(path, model.config.vocabulary);
  const auto request = make_request(o, model.config, tokenizer ? &*tokenizer : nullptr, data);
  const auto program = make_program(o, model, chip, request);
  auto ids = open_output(o.ids), logits = open_output(o.logits), report_file = open_output(o.report);

  std::vector<sim::Recording> recordings;
  for (const auto& text : o.record) recordings.push_back(sim::parse_recording(text));
  sim::Simulation simulation(chip, o.native ? forerun_llm_main : std::function<int(std::uint64_t)>(),
                             {.taps = sim::taps_of(recordings), .waves = o.waves.options()});
  prepare_rtl(simulation.soc, o.model);
  sim::Recorder recorder(simulation, recordings, o.record_count);
  if (!o.native) simulation.load(sim::ElfProgram::read(o.firmware.value_or(sim::firmware_path("llm.elf"))));
  sim::Inference inference(simulation.soc, program, request);
  const bool text = tokenizer && data;
  Output output(text ? &*tokenizer : nullptr);
  sim::LineConsole console([&output](std::string_view line) { output.line(fmt::format("uart| {}", line)); });
  simulation.soc.uart.on_transmit = [&console](unsigned char c) { console.add(c); };
  Progress progress(request.tokens.size() + request.generate, "tokens", !text || isatty(STDOUT_FILENO) == 0);
  inference.on_step = [&](const sim::Step& step) {
    progress.advance(step.tokens);
    const auto end = step.position + step.tokens;
    if (end == request.tokens.size())
      for (const auto id : request.tokens) output.token(id);
    if (end >= request.tokens.size()) output.token(step.id);
  };
  inference.on_end = [&output] { output.end_text(); };
  output.line(fmt::format("{} in {} on {}: {} clusters, {} tokens given, {} to generate", model.config.name,
                          o.model.dtype, chip.name, program.streams.size(), request.tokens.size(),
                          request.generate));
  GdbSession gdb(simulation, o.gdb);
  const double setup = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const auto outcome = simulation.run();
  output.end_text();
  console.flush();
  gdb.ended(outcome);
  const bool recorded = recorder.close();

  // From here on, after the simulation's own stacks, there are return values instead of exceptions.
  if (const auto problem = problem_of(simulation.soc, inference, outcome); !problem.empty()) {
    fmt::print(stderr, "forerun: error: {}\n", problem);
    return failed;
  }
  const auto report =
      report::make_report(simulation, inference, model.config, o.model.format(), outcome, setup);
  const bool written = recorded && (!ids || ids->commit(as_lines(inference.ids()))) &&
                       (!logits || logits->commit(as_bytes(inference.logits()))) &&
                       (!report_file || report_file->commit(report::to_json(report)));
  std::cout << "\n" << report::to_text(report) << recorder.summary() << std::flush;
  return written ? ok : failed;
}

}  // namespace

void add_run(CLI::App& app, int& code) {
  auto o = std::make_shared<RunOptions>();
  auto& command = *app.add_subcommand("run", "boot the chip and run a transformer on it");
  o->model.add_to(command);
  o->chip.add_to(command);
  o->waves.add_to(command);
  command.add_option("--prompt", o->prompt, "text to go on with; empty: begin with the model's begin token");
  command
      .add_option(
          "--prompt-tokens", o->prompt_tokens,
          "a prompt of this many begin tokens, for studies of time; needs no tokenizer with --data none")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--steps", o->steps,
                  "tokens to generate (default 64, or as many as the model has room for)")
      ->check(whole_number);
  command.add_option(
      "--temperature", o->temperature,
      "sample at this temperature; 0, the default, takes the likeliest token. A run without --model, "
      "a prompt, --teacher, --ids, --logits and --program is a demonstration: it samples at 0.7");
  command.add_option("--seed", o->seed, "seed of the sampling")->capture_default_str()->check(whole_number);
  command
      .add_option(
          "--data", o->data,
          "real: every byte is moved and computed; none: the same commands in the same time, without data")
      ->check(CLI::IsMember({"real", "none"}));
  command.add_option("--ids", o->ids, "write the token ids, one a line, the prompt's first");
  command.add_option("--logits", o->logits, "write the logits of every position as rows of binary32");
  command.add_option("--teacher", o->teacher, "feed the token ids of this file, whatever the chip chooses");
  command.add_option("--report", o->report, "write the report as JSON");
  command.add_option(
      "--record", o->record,
      "BLOCK=FILE: record what passes the boundary of a block, such as cluster0.tensor, cluster0, "
      "hbm0.port0 or sram, for replay into RTL; may be repeated");
  command
      .add_option("--record-count", o->record_count,
                  "record only so many of each block, from the start; 0: all")
      ->capture_default_str()
      ->check(whole_number);
  command.add_option("--program", o->program,
                     "run this program (forerun compile -o) instead of compiling the model");
  command.add_option("--firmware", o->firmware, "boot this ELF instead of the chip's own firmware");
  command.add_flag("--native", o->native,
                   "run the chip's firmware natively in this process, for the host's gdb");
  command.add_option("--gdb", o->gdb,
                     "wait for a gdb on this TCP port before the first instruction; 0 takes a free port");
  command
      .add_option("--step-timeout", o->step_timeout,
                  "ticks of the chip's time base after which firmware gives up a step; 0: never")
      ->capture_default_str()
      ->check(whole_number);
  command.callback([o, &code, &command] {
    o->model_given = command.count("--model") > 0;
    code = run(*o);
  });
}

}  // namespace forerun::cli
