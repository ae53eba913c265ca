// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "platform/cli/options.hpp"

namespace forerun::cli {
namespace {

constexpr std::uint64_t default_steps = 64;

void refuse(bool wrong, const char* why) {
  if (wrong) throw UsageError(why);
}

}  // namespace

unsigned layer_period(const models::ModelConfig& model) {
  const auto& windows = model.windows;
  unsigned period = 1;
  for (std::size_t i = 0; i < windows.size(); ++i)
    if (windows[i] != windows[i % period]) period = static_cast<unsigned>(i) + 1;
  return period;
}

std::string whole_number(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? "" : fmt::format("'{}' is not a whole number, 0 or more", text);
}

void WorkloadOptions::add_to(CLI::App& command) {
  command.add_option("--prompt", prompt, "text to go on with; empty: begin with the model's begin token");
  command
      .add_option(
          "--prompt-tokens", prompt_tokens,
          "a prompt of this many begin tokens, for studies of time; needs no tokenizer with --data none")
      ->check(CLI::PositiveNumber);
  command.add_option("--prompts", prompts, "a file of prompts, one a line, that are gone on with together");
  command
      .add_option(
          "--batch", batch,
          "sequences that are decoded together: of the same prompt, or with --phase at the contexts given")
      ->check(CLI::Range(1, +FR_PROGRAM_SEQUENCES));
  command
      .add_option(
          "--phase", phase,
          "time of a part alone, with --data none: prefill of --context tokens, or decode at a context of so "
          "many positions, without the prefill before it")
      ->check(CLI::IsMember({"prefill", "decode"}));
  command
      .add_option(
          "--context", contexts,
          "with --phase: tokens of a prefill, or positions that the first token of a decode sees, itself "
          "included; N, or N,N,... for each sequence of a batch")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command.add_flag(
      "--repeat-layers", repeat_layers,
      "with --data none, simulate layers until their times repeat, and count the others; what runs with "
      "--phase do");
  command
      .add_option(
          "--row-groups", row_groups,
          "cut a long prompt into so many groups of rows over the clusters, a divisor of their number; "
          "0: only steps of few tokens (default: chosen by estimated time)")
      ->check(whole_number);
  command
      .add_option(
          "--context-parts", context_parts,
          "let the clusters that share a key/value head attend to so many parts of its positions: 1, or "
          "the number of these clusters (default: chosen by estimated time)")
      ->check(whole_number);
  command
      .add_option("--page-positions", page_positions,
                  "a key/value cache of pages of so many positions (rounded up), which firmware gives to "
                  "sequences as they grow; without it each sequence has room for the longest one; no steps "
                  "of many tokens")
      ->check(CLI::Range(1u, 1u << 20));
  command.add_flag("--all-layers", all_layers, "simulate every layer of a run with --phase");
  command
      .add_option(
          "--steps", steps,
          "tokens to generate (default 64, or as many as the model has room for; 1 with --phase decode)")
      ->check(whole_number);
  command.add_option(
      "--temperature", temperature,
      "sample at this temperature; 0, the default, takes the likeliest token. A run without --model, "
      "a prompt, --teacher, --ids, --logits and --program is a demonstration: it samples at 0.7");
  command.add_option("--seed", seed, "seed of the sampling")->capture_default_str()->check(whole_number);
  command.add_option("--teacher", teacher, "feed the token ids of this file, whatever the chip chooses");
  command
      .add_option("--step-timeout", step_timeout,
                  "ticks of the chip's time base after which firmware gives up a step; 0: never")
      ->capture_default_str()
      ->check(whole_number);
}

void WorkloadOptions::check(bool data) const {
  refuse(
      teacher && (prompt || prompt_tokens || steps || temperature),
      "--teacher gives all tokens: --prompt, --prompt-tokens, --steps and --temperature do not go with it");
  refuse((prompt ? 1 : 0) + (prompts ? 1 : 0) + (prompt_tokens ? 1 : 0) > 1,
         "of --prompt, --prompts and --prompt-tokens there can be one");
  refuse(prompts && batch, "--prompts says how many sequences there are: --batch does not go with it");
  refuse(teacher && (prompts || batch),
         "--teacher is for one sequence: --prompts and --batch do not go with it");
  refuse(repeat_layers && data, "--repeat-layers is for time only: it needs --data none");
  refuse(repeat_layers && all_layers, "--repeat-layers and --all-layers do not go together");
  refuse(page_positions && row_groups.value_or(0) > 0,
         "--page-positions has no steps of many tokens: --row-groups does not go with it");
  refuse(temperature && !(*temperature >= 0 && *temperature < 1e6F),
         "--temperature must be 0 (greedy) or more");
  refuse(phase && data, "--phase is for studies of time: it needs --data none");
  refuse(phase && contexts.empty(), "--phase needs --context: how many positions");
  refuse(phase && (prompt || prompts || prompt_tokens || teacher || temperature),
         "--phase takes no tokens: --prompt, --prompts, --prompt-tokens, --teacher and --temperature do not "
         "go with it");
  refuse(!phase && !contexts.empty(),
         "--context goes with --phase; the context of a run follows from its tokens");
  refuse(phase == "prefill" && steps, "--phase prefill generates nothing: --steps does not go with it");
}

sim::PhaseOfRun WorkloadOptions::phase_of_run() const {
  if (!phase) return sim::PhaseOfRun::all;
  return phase == "prefill" ? sim::PhaseOfRun::prefill : sim::PhaseOfRun::decode;
}

sim::InferenceRequest WorkloadOptions::request(const models::ModelConfig& model,
                                               const models::Tokenizer* tokenizer,
                                               const std::string& otherwise) const {
  sim::InferenceRequest request;
  request.phase = phase_of_run();
  request.seed = seed;
  request.step_timeout = step_timeout;
  if (repeat_layers || (phase && !all_layers))
    request.repetition = sim::LayerRepetition{.period = layer_period(model)};
  if (phase) {
    phase_request(model, request);
    return request;
  }
  if (teacher) {
    teacher_request(model, request);
    return request;
  }
  if (temperature.value_or(0) > 0) request.temperature = temperature;
  if (!prompts) {
    prompt_request(model, tokenizer, prompt.value_or(otherwise), request);
    request.sequences.resize(batch.value_or(1), request.sequences.front());
    return request;
  }
  std::ifstream file(*prompts);
  if (!file) throw std::runtime_error(*prompts + ": cannot be read");
  for (std::string line; std::getline(file, line);) prompt_request(model, tokenizer, line, request);
  if (request.sequences.empty() || request.sequences.size() > FR_PROGRAM_SEQUENCES)
    throw std::runtime_error(fmt::format("{}: holds {} lines, expected a prompt in each of 1 to {}", *prompts,
                                         request.sequences.size(), +FR_PROGRAM_SEQUENCES));
  return request;
}

void WorkloadOptions::prompt_request(const models::ModelConfig& model, const models::Tokenizer* tokenizer,
                                     const std::string& text, sim::InferenceRequest& request) const {
  sim::SequenceRequest s;
  if (prompt_tokens)
    s.tokens.assign(std::min<std::uint64_t>(*prompt_tokens, std::uint64_t{model.max_positions} + 1),
                    model.bos);
  else if (tokenizer != nullptr)
    s.tokens = tokenizer->encode(text);
  if (s.tokens.empty()) s.tokens = {model.bos};
  if (s.tokens.size() >= model.max_positions)
    throw UsageError(fmt::format("the prompt has {} tokens, but {} has {} positions", s.tokens.size(),
                                 model.name, model.max_positions));
  const auto room = model.max_positions - s.tokens.size();
  s.generate = steps.value_or(std::min<std::uint64_t>(default_steps, room));
  if (s.generate == 0 || s.generate > room)
    throw UsageError(fmt::format("--steps is {}, but after {} prompt tokens {} has room for 1 to {}",
                                 s.generate, s.tokens.size(), model.name, room));
  request.sequences.push_back(std::move(s));
}

void WorkloadOptions::teacher_request(const models::ModelConfig& model,
                                      sim::InferenceRequest& request) const {
  request.teacher = true;
  request.sequences = {{read_ids(*teacher, model.vocabulary), 0, 0}};
  if (const auto given = request.given(); given > model.max_positions)
    throw std::runtime_error(fmt::format("{}: holds {} ids, but {} has {} positions", *teacher, given,
                                         model.name, model.max_positions));
}

void WorkloadOptions::phase_request(const models::ModelConfig& model, sim::InferenceRequest& request) const {
  const auto count = batch.value_or(contexts.size());
  if (contexts.size() != 1 && contexts.size() != count)
    throw UsageError(
        fmt::format("--context has {} numbers, but --batch {} wants one or as many as there are sequences",
                    contexts.size(), count));
  if (count > FR_PROGRAM_SEQUENCES)
    throw UsageError(fmt::format("a batch has at most {} sequences, --context has {} numbers",
                                 +FR_PROGRAM_SEQUENCES, count));
  const auto tokens = steps.value_or(1);
  if (tokens == 0) throw UsageError("--steps is 0, expected 1 or more");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t context = contexts[contexts.size() == 1 ? 0 : i];
    const auto last =
        context + (tokens > 1 ? tokens : 0);  // the token that the last step chooses has a place
    if (last > model.max_positions)
      throw UsageError(fmt::format("{} at --context {} needs {} positions, but {} has {}",
                                   tokens > 1 ? fmt::format("--steps {}", tokens) : "a step", context, last,
                                   model.name, model.max_positions));
    if (request.phase == sim::PhaseOfRun::prefill)
      request.sequences.push_back({std::vector<std::uint32_t>(context, model.bos), 0, 0});
    else
      request.sequences.push_back({{model.bos}, context - 1, tokens > 1 ? tokens : 0});
  }
}

models::CompileOptions compile_options(const sim::InferenceRequest& request, const models::ModelConfig& model,
                                       const models::NumberFormats& formats, bool data) {
  constexpr std::uint64_t granule = 64;
  std::uint64_t positions = 0, longest = 0;
  for (const auto& s : request.sequences) {
    positions = std::max(positions, s.cached + s.tokens.size() + s.generate);
    longest = std::max(longest, s.tokens.size());
  }
  const auto context = std::min<std::uint64_t>(model.max_positions, models::round_up(positions, granule));
  return {.format = formats,
          .context = static_cast<std::uint32_t>(context),
          .data = data,
          .max_tokens = static_cast<std::uint32_t>(longest),
          .sequences = static_cast<std::uint32_t>(request.sequences.size()),
          .keep_logits = request.keep_logits};
}

}  // namespace forerun::cli
