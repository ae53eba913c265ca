// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "firmware/abi/message.h"
#include "models/tokenizer/tokenizer.hpp"

namespace forerun::cli {
namespace {

/// Of the options that choose the model, with those of the draft in their place.
ModelOptions options_of(const DraftOptions& draft, ModelOptions model) {
  model.model = *draft.model;
  if (draft.dtype) {
    model.dtype = *draft.dtype;
    model.weights.reset(), model.activations.reset(), model.kv.reset();
  }
  return model;
}

/// Names of reserved tokens differ within families; more than these are other tokens.
constexpr std::uint32_t share_that_may_differ = 64;

/// Of tokenizers of as many tokens.
std::uint32_t different_tokens(const models::Tokenizer& a, const models::Tokenizer& b, std::uint32_t count) {
  std::uint32_t different = 0;
  for (std::uint32_t id = 0; id < count; ++id) different += a.piece(id, id) != b.piece(id, id) ? 1 : 0;
  return different;
}

}  // namespace

void DraftOptions::add_to(CLI::App& command) {
  command.add_option(
      "--draft", model,
      "speculative decoding: this model, given as --model is, drafts tokens, and the model verifies them "
      "in one step; the tokens are those of a run without");
  command.add_option("--draft-dtype", dtype, "number formats of the draft (default: those of the model)")
      ->check(CLI::IsMember(models::whole_format_names()));
  command.add_option("--draft-tokens", tokens, "tokens that are drafted before each step (default 4)")
      ->check(CLI::Range(1, +FR_DRAFT_TOKENS));
  command
      .add_option(
          "--acceptance", acceptance,
          "with --draft and --data none: the probability that a drafted token is the model's, for each "
          "by itself, drawn from --seed")
      ->check(CLI::Range(0.0, 1.0));
}

void DraftOptions::check(const WorkloadOptions& work, bool data, bool program) const {
  const auto refuse = [](bool wrong, const char* why) {
    if (wrong) throw UsageError(why);
  };
  if (!model) {
    refuse(dtype || tokens || acceptance, "--draft-dtype, --draft-tokens and --acceptance go with --draft");
    return;
  }
  refuse(
      work.teacher || work.prompts || work.batch || work.contexts.size() > 1,
      "--draft is for one sequence whose tokens the chip chooses: --teacher, --prompts, --batch and several "
      "numbers of --context do not go with it");
  refuse(work.phase == "prefill",
         "--draft is for tokens after a prompt: --phase prefill does not go with it");
  refuse(work.phase && work.steps.value_or(1) < 2,
         "--draft with --phase decode needs --steps, 2 or more: how many tokens are generated");
  refuse(program, "--program is for one model: --draft does not go with it");
  refuse(data && acceptance,
         "--acceptance is for --data none: with data the chip finds out which drafted tokens are kept");
  refuse(acceptance && !(*acceptance >= 0), "--acceptance must be a number from 0 to 1");
  refuse(!data && !acceptance,
         "--draft with --data none needs --acceptance: without data there are no tokens to compare");
}

DraftModel::DraftModel(const DraftOptions& options, const ModelOptions& model, const models::Model& target,
                       const sim::InferenceRequest& request, bool data)
    : formats_(options_of(options, model).formats()) {
  const auto path = options_of(options, model).path();
  model_ = models::load_model(path, !data);
  const auto& own = model_.config;
  const auto& other = target.config;
  if (own.vocabulary != other.vocabulary)
    throw std::runtime_error(
        fmt::format("--draft: {} has a vocabulary of {} tokens, {} has {}; a draft needs the same vocabulary",
                    own.name, own.vocabulary, other.name, other.vocabulary));
  const auto& s = request.sequences.front();
  if (const auto positions = s.cached + s.tokens.size() + s.generate; positions > own.max_positions)
    throw std::runtime_error(fmt::format("--draft: {} has {} positions, but {} tokens are asked for",
                                         own.name, own.max_positions, positions));
  if (!data) return;
  std::optional<models::Tokenizer> drafts, wanted;
  try {
    drafts = models::Tokenizer::for_model(path, own.vocabulary);
    wanted = models::Tokenizer::for_model(model.path(), other.vocabulary);
  } catch (const std::runtime_error&) {
    return;  // a model without a tokenizer: the size must do
  }
  if (const auto different = different_tokens(*drafts, *wanted, own.vocabulary);
      different > own.vocabulary / share_that_may_differ)
    throw std::runtime_error(
        fmt::format("--draft: {} of the {} tokens of {} are others than those of {}; a draft needs the same "
                    "vocabulary",
                    different, own.vocabulary, own.name, other.name));
}

std::vector<models::Program> DraftModel::compile(const chip::Chip& chip,
                                                 const models::CompileOptions& target_options,
                                                 const std::vector<models::Program>& targets) const {
  auto options = target_options;
  options.format = formats_;
  options.keep_logits = false;
  options.max_tokens = std::max(options.max_tokens, 2u);  // the last drafted token, and the one behind it
  options.row_groups.reset();
  options.context_parts.reset();
  options.choices = 1;
  for (const auto& target : targets)
    options.drafts_from = std::max(options.drafts_from, target.header.memory_end);
  std::vector<models::Program> programs;
  try {
    for (options.device = 0; options.device < targets.size(); ++options.device) {
      options.drafts_for = &targets[options.device];
      programs.push_back(models::compile(model_, chip, options));
    }
    return programs;
  } catch (const models::OutOfMemory& error) {
    throw models::OutOfMemory(
        fmt::format("the draft does not fit beside the model: with what that needs, {}", error.what()));
  }
}

}  // namespace forerun::cli
