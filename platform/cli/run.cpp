// SPDX-License-Identifier: Apache-2.0
// forerun run: a model on the whole chip.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>

#include "firmware/apps/apps.h"
#include "models/compiler/compiler.hpp"
#include "models/import/model.hpp"
#include "models/tokenizer/tokenizer.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/chip/names.hpp"
#include "platform/cli/draft.hpp"
#include "platform/cli/gdb.hpp"
#include "platform/cli/operator.hpp"
#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/cli/workload.hpp"
#include "platform/report/report.hpp"
#include "platform/rtl/tensor.hpp"
#include "platform/sim/console.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/recorder.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {
namespace {

constexpr float demonstration_temperature = 0.7F;
constexpr const char* demonstration_prompt = "The people of the United States";

struct RunOptions {
  ChipOptions chip;
  ModelOptions model;
  RtlChoice rtl;
  WorkloadOptions work;
  DraftOptions draft;
  OperatorOptions single;
  std::optional<std::string> data, ids, logits, report, program, firmware;
  std::optional<std::uint16_t> gdb;
  LimitChoice limit;
  std::vector<std::string> record;
  std::uint64_t record_count = 0;
  bool native = false;
  bool symmetric = false, explain = false;
  bool model_given = false, chip_given = false;
  std::vector<std::string> given;  ///< options, by name
  /// What a run without any of these is.
  bool is_demonstration() const {
    return !model_given && !work.gives_text() && !work.prompt_tokens && !work.batch && !work.phase && !ids &&
           !logits && !work.teacher && !program;
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
  refuse(o.work.temperature && o.ids, "--ids is for greedy runs: --temperature does not go with it");
  refuse(o.native && o.gdb,
         "--native runs firmware in this process: use the host's gdb on it instead of --gdb");
  refuse(o.native && chip.devices > 1,
         "--native runs the firmware of one device, but devices is more than 1");
  refuse(o.program && chip.devices > 1, "--program is for one device, but devices is more than 1");
  refuse(
      o.program && (o.work.row_groups || o.work.context_parts || o.work.page_positions),
      "--program is compiled already: --row-groups, --context-parts and --page-positions do not go with it");
  refuse(o.work.repeat_layers && chip.devices > 1,
         "--repeat-layers is for one device, but devices is more than 1");
  refuse(o.symmetric && chip.devices == 1, "--symmetric is for several devices, but devices is 1");
  refuse(o.symmetric && data, "--symmetric needs --data none: what the other devices compute is not there");
  refuse(o.native && o.firmware, "--native runs the chip's own firmware: --firmware does not go with it");
  o.work.check(data);
  o.draft.check(o.work, data, o.program.has_value());
  refuse(o.logits && (o.work.prompts || o.work.batch),
         "--logits is for one sequence: --prompts and --batch do not go with it");
}

sim::InferenceRequest make_request(const RunOptions& o, const models::ModelConfig& model,
                                   const models::Tokenizer* tokenizer, bool data) {
  auto request = o.work.request(model, tokenizer, o.model_given ? "" : demonstration_prompt);
  request.keep_logits = o.logits.has_value();
  if (!o.work.temperature && o.is_demonstration() && data) request.temperature = demonstration_temperature;
  return request;
}

/// The chip that was asked for and the programs for it. With time only and no chip asked for, a larger one is
/// taken for a model that does not fit the default, and `note` says so.
struct Target {
  chip::Chip chip;
  std::vector<models::Program> programs, drafts;  ///< by device; of a draft, or none
  std::string note;
};

constexpr std::array larger_chips{"reference-256g", "reference-512g"};

models::Program read_program(const RunOptions& o, const models::Model& model, const chip::Chip& chip,
                             const sim::InferenceRequest& request);

Target make_target(const RunOptions& o, chip::Chip chip, ChipOptions description, const models::Model& model,
                   const sim::InferenceRequest& request, const DraftModel* draft) {
  if (o.program) {
    auto program = read_program(o, model, chip, request);
    return {std::move(chip), {std::move(program)}, {}, ""};
  }
  const bool data = chip.data == chip::Data::real;
  auto options = compile_options(request, model.config, o.model.formats(), data);
  options.row_groups = o.work.row_groups;
  options.context_parts = o.work.context_parts;
  options.page_positions = o.work.page_positions.value_or(0);
  for (const auto& s : request.sequences)
    options.sequence_positions.push_back(static_cast<std::uint32_t>(s.cached + s.tokens.size() + s.generate));
  if (request.draft) options.choices = static_cast<std::uint32_t>(request.draft->tokens + 1);
  std::string note;
  auto next = data || o.chip_given ? larger_chips.end() : larger_chips.begin();
  for (;;) {
    try {
      std::vector<models::Program> programs;
      for (options.device = 0; options.device < (o.symmetric ? 1 : chip.devices); ++options.device)
        programs.push_back(models::compile(model, chip, options));
      std::vector<models::Program> drafts;
      if (draft != nullptr) drafts = draft->compile(chip, options, programs);
      return {std::move(chip), std::move(programs), std::move(drafts), note};
    } catch (const models::OutOfMemory& error) {
      if (next == larger_chips.end()) throw;
      note = fmt::format("no --chip was given, and {}: {} is taken instead", error.what(), *next);
    }
    description.chip = *next++;
    chip = description.load();
  }
}

models::Program read_program(const RunOptions& o, const models::Model& model, const chip::Chip& chip,
                             const sim::InferenceRequest& request) {
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
  if (program.header.sequences < request.sequences.size())
    throw std::runtime_error(fmt::format("{}: was compiled for {} sequence(s), this run has {}", *o.program,
                                         program.header.sequences, request.sequences.size()));
  return program;
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
  /// A whole text, on lines of its own.
  void text(const std::vector<std::uint32_t>& ids) {
    end_text();
    previous_ = ~0u;
    for (const auto id : ids) token(id);
    end_text();
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

/// Of one sequence an id a line, of several a sequence a line.
std::string as_lines(const sim::Inference& inference) {
  const auto sequences = inference.request().sequences.size();
  if (sequences == 1) return fmt::format("{}\n", fmt::join(inference.ids(0), "\n"));
  std::string text;
  for (std::size_t i = 0; i < sequences; ++i) text += fmt::format("{}\n", fmt::join(inference.ids(i), " "));
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
  const auto format = rtl::tile_format(model.formats().activations.format);
  if (format == rtl::tile_formats)
    throw UsageError(fmt::format(
        "activations are in {}, but clusters.tensor.model is {}, which multiplies fp16, bf16 or int8",
        models::format_name(model.formats().activations), chip::name(soc.chip().clusters.tensor.model)));
  soc.tensor_rtl->prepare(format);
}

/// What went wrong, or empty.
std::string problem_of(const sim::Simulation& simulation, const sim::Inference& inference,
                       const sim::Outcome& outcome) {
  if (auto problem = simulation.rtl_problem(inference.tags()); !problem.empty()) return problem;
  if (!inference.failure().empty()) return inference.failure();
  switch (outcome.kind) {
    case sim::Outcome::Kind::exited:
      if (!inference.finished())
        return fmt::format("firmware ended with exit code {} before the run was finished", outcome.exit_code);
      return outcome.exit_code != 0 ? fmt::format("firmware ended with exit code {}", outcome.exit_code) : "";
    default:
      return sim::describe_end(outcome, inference.describe_progress());
  }
}

std::string headline(const std::string& model, const RunOptions& o, const chip::Chip& chip,
                     const models::Program& program, const sim::InferenceRequest& request,
                     const DraftModel* draft) {
  auto text = fmt::format("{} in {} on {}: {} clusters, ", model, o.model.formats().name(), chip.name,
                          program.streams.size());
  if (draft != nullptr)
    text += fmt::format("{} tokens drafted by {} in {}, ", request.draft->tokens, draft->name(),
                        draft->formats().name());
  if (request.phase == sim::PhaseOfRun::all) {
    if (request.sequences.size() > 1) text += fmt::format("{} sequences, ", request.sequences.size());
    return text + fmt::format("{} tokens given, {} to generate", request.given(), request.to_generate());
  }
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  for (const auto& s : request.sequences) {
    least = std::min(least, s.cached + s.tokens.size());
    most = std::max(most, s.cached + s.tokens.size());
  }
  return text + fmt::format("{} of {} sequence{} at a context of {}", *o.work.phase, request.sequences.size(),
                            request.sequences.size() == 1 ? "" : "s",
                            least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most));
}

int run(const RunOptions& o) {
  const auto started = std::chrono::steady_clock::now();
  auto description = o.chip;
  if (o.data) description.set.push_back("data=" + *o.data);
  auto asked = description.load();
  check(o, asked);
  if (const auto single = o.single.given()) {
    for (const auto& name : o.given) check_operator_option(*single, name);
    auto limits = o.limit.limits(asked);
    if (!o.limit.idle) limits.idle_cycles = sim::RunLimits::firmware_idle_cycles;
    const bool dtype_given = std::count(o.given.begin(), o.given.end(), "--dtype") > 0;
    return run_operator(o.single, asked, o.model, {o.report, o.symmetric, dtype_given}, std::move(limits));
  }
  const bool data = asked.data == chip::Data::real;
  const auto path = o.model.path();
  const auto model = models::load_model(path, !data);
  std::optional<models::Tokenizer> tokenizer;
  const bool needs_text = data ? !o.work.teacher : o.work.gives_text() || o.is_demonstration();
  if (needs_text) tokenizer = models::Tokenizer::for_model(path, model.config.vocabulary);
  auto request = make_request(o, model.config, tokenizer ? &*tokenizer : nullptr, data);
  if (asked.devices > 1) request.repetition.reset();
  std::optional<DraftModel> draft;
  if (o.draft.model) {
    // The last token is never drafted: no step verifies more than all others.
    const auto most = std::max<std::uint64_t>(2, request.sequences.front().generate) - 1;
    request.draft = {.tokens = std::min(o.draft.tokens_or_default(), most), .acceptance = o.draft.acceptance};
    draft.emplace(o.draft, o.model, model, request, data);
  }
  const auto* const draft_model = draft ? &*draft : nullptr;
  const auto [chip, programs, drafts, note] =
      make_target(o, std::move(asked), description, model, request, draft_model);
  const auto& program = programs.front();
  if (request.draft) {
    request.draft->program = &drafts.front();
    request.draft->repetition = request.repetition;
    if (request.draft->repetition) request.draft->repetition->period = draft->layer_period();
  }
  for (const auto* part : {&program, request.draft ? request.draft->program : &program})
    if (o.symmetric && !part->symmetric)
      throw UsageError(fmt::format("--symmetric: {} cannot be shared between {} devices in equal parts",
                                   part == &program ? model.config.name : draft->name(), chip.devices));
  auto ids = open_output(o.ids), logits = open_output(o.logits), report_file = open_output(o.report);

  std::vector<sim::Recording> recordings;
  for (const auto& text : o.record) recordings.push_back(sim::parse_recording(text));
  sim::Simulation simulation(chip, o.native ? forerun_llm_main : std::function<int(std::uint64_t)>(),
                             {.taps = sim::taps_of(recordings), .waves = o.rtl.options()}, o.symmetric);
  prepare_rtl(simulation.soc, o.model);
  sim::Recorder recorder(simulation, recordings, o.record_count);
  if (!o.native) simulation.load(sim::ElfProgram::read(o.firmware.value_or(sim::firmware_path("llm.elf"))));
  std::vector<sim::Peer> peers;
  for (std::size_t i = 0; i < simulation.others.size(); ++i)
    peers.push_back(
        {simulation.others[i].get(), &programs[i + 1], drafts.empty() ? nullptr : &drafts[i + 1]});
  sim::Inference inference(simulation.soc, program, request, peers);
  std::optional<sim::OperatorProbe> probe;
  if (o.explain)
    probe.emplace(simulation.soc, inference.clusters(), inference.tags().size(),
                  [&inference] { return inference.steps().empty() && inference.draft_steps().empty(); });
  const bool text = tokenizer && data;
  Output output(text ? &*tokenizer : nullptr);
  sim::LineConsole console([&output](std::string_view line) { output.line(fmt::format("uart| {}", line)); });
  std::uint64_t characters = 0;  // a sign of life
  simulation.soc.serial().on_transmit = [&](unsigned char c) {
    ++characters;
    console.add(c);
  };
  std::vector<std::unique_ptr<sim::LineConsole>> consoles;  // of the other devices
  for (auto& other : simulation.others) {
    consoles.push_back(
        std::make_unique<sim::LineConsole>([&output, i = consoles.size() + 1](std::string_view line) {
          output.line(fmt::format("uart{}| {}", i, line));
        }));
    other->serial().on_transmit = [&characters, c = consoles.back().get()](unsigned char character) {
      ++characters;
      c->add(character);
    };
  }
  const auto given = request.given(), to_generate = request.to_generate();
  const bool one = request.sequences.size() == 1;
  Progress progress(given + to_generate, "tokens", !text || isatty(STDOUT_FILENO) == 0);
  inference.on_step = [&](const sim::Step& step) {
    progress.advance(step.tokens());
    if (!one) return;  // their texts would come mixed
    for (const auto& chunk : step.chunks) {
      const auto end = chunk.position + chunk.tokens;
      if (end == given)
        for (const auto id : request.sequences.front().tokens) output.token(id);
      if (end >= given) output.token(chunk.id);
    }
  };
  inference.on_end = [&] {
    if (!one)
      for (std::size_t i = 0; i < request.sequences.size(); ++i) output.text(inference.ids(i));
    output.end_text();
  };
  if (!note.empty()) output.line(note);
  output.line(headline(model.config.name, o, chip, program, request, draft_model));
  GdbSession gdb(simulation, o.gdb);
  const double setup = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  auto limits = o.limit.limits(chip);
  if (!o.limit.idle && !o.gdb) limits.idle_cycles = sim::RunLimits::firmware_idle_cycles;
  limits.given_up = !o.gdb;
  limits.progress = [&] { return characters + inference.messages(); };
  const auto outcome = simulation.run(limits);
  output.end_text();
  console.flush();
  gdb.ended(outcome);
  const bool recorded = recorder.close();

  // From here on, after the simulation's own stacks, there are return values instead of exceptions.
  if (const auto problem = problem_of(simulation, inference, outcome); !problem.empty()) {
    fmt::print(stderr, "forerun: error: {}\n", problem);
    return failed;
  }
  auto report = report::make_report(simulation, inference, model.config, o.model.formats(), outcome, setup);
  if (draft) {
    report.draft.model = draft->name();
    report.draft.format = draft->formats().name();
  }
  if (probe) report.bounds = report::explain(inference, simulation.soc, *probe);
  const bool written = recorded && (!ids || ids->commit(as_lines(inference))) &&
                       (!logits || logits->commit(as_bytes(inference.logits()))) &&
                       (!report_file || report_file->commit(report::to_json(report)));
  std::cout << "\n" << report::to_text(report) << recorder.summary() << std::flush;
  return o.rtl.exit_code(written ? ok : failed, tell_broken_rules(simulation, report.broken_rules()));
}

}  // namespace

void add_run(CLI::App& app, int& code) {
  auto o = std::make_shared<RunOptions>();
  auto& command = *app.add_subcommand("run", "boot the chip and run a transformer on it");
  o->model.add_to(command);
  o->chip.add_to(command);
  o->rtl.add_to(command);
  o->work.add_to(command);
  o->draft.add_to(command);
  o->limit.add_to(command);
  o->limit.add_idle_to(command);
  o->single.add_to(command);
  command
      .add_option(
          "--data", o->data,
          "real: every byte is moved and computed; none: the same commands in the same time, without data")
      ->check(CLI::IsMember({"real", "none"}));
  command.add_option(
      "--ids", o->ids,
      "write the token ids, the prompt's first: one a line, or of several sequences a line for each");
  command.add_option("--logits", o->logits, "write the logits of every position as rows of binary32");
  command.add_flag("--explain", o->explain,
                   "say for each operator what bounds it, by how much, and where the rest of its time goes");
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
  command.add_flag(
      "--symmetric", o->symmetric,
      "of several devices that do the same, simulate one with the traffic of all; needs --data none");
  command.add_flag("--native", o->native,
                   "run the chip's firmware natively in this process, for the host's gdb");
  command.add_option("--gdb", o->gdb,
                     "wait for a gdb on this TCP port before the first instruction; 0 takes a free port");
  command.callback([o, &code, &command] {
    o->model_given = command.count("--model") > 0;
    o->chip_given = command.count("--chip") > 0;
    for (const auto* option : command.get_options())
      if (option->count() > 0) o->given.push_back(option->get_name());
    code = run(*o);
  });
}

}  // namespace forerun::cli
