// SPDX-License-Identifier: Apache-2.0
/// What `forerun run` is to compute: prompts and tokens after them, or one phase of a batch at given
/// contexts.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/plan.hpp"
#include "models/tokenizer/tokenizer.hpp"
#include "platform/sim/inference.hpp"

namespace forerun::cli {

struct WorkloadOptions {
  std::optional<std::string> prompt, prompts, teacher, phase;
  std::optional<std::uint64_t> steps, prompt_tokens, batch;
  std::vector<std::uint32_t> contexts;
  std::optional<float> temperature;
  std::optional<std::uint32_t> row_groups, context_parts, page_positions;
  std::uint64_t seed = 0, step_timeout = 0;
  bool repeat_layers = false, all_layers = false;

  void add_to(CLI::App& command);
  /// Throws UsageError for options that do not go together.
  void check(bool data) const;
  sim::PhaseOfRun phase_of_run() const;
  /// True when the tokens matter, and so a tokenizer is needed.
  bool gives_text() const { return prompt.has_value() || prompts.has_value(); }
  /// Without a prompt, `otherwise` is given. Throws UsageError for more tokens than the model has positions.
  sim::InferenceRequest request(const models::ModelConfig& model, const models::Tokenizer* tokenizer,
                                const std::string& otherwise) const;

 private:
  void phase_request(const models::ModelConfig& model, sim::InferenceRequest& request) const;
  void prompt_request(const models::ModelConfig& model, const models::Tokenizer* tokenizer,
                      const std::string& text, sim::InferenceRequest& request) const;
  void teacher_request(const models::ModelConfig& model, sim::InferenceRequest& request) const;
};

/// What a program must have room for.
models::CompileOptions compile_options(const sim::InferenceRequest& request, const models::ModelConfig& model,
                                       const models::NumberFormats& formats, bool data);

/// Layers after which the same attention windows come again.
unsigned layer_period(const models::ModelConfig& model);

/// For CLI11, which lets unsigned numbers wrap around.
std::string whole_number(const std::string& text);

}  // namespace forerun::cli
