// SPDX-License-Identifier: Apache-2.0
/// Speculative decoding in `forerun run`: a smaller model drafts tokens that the model then verifies.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/compiler.hpp"
#include "models/import/model.hpp"
#include "platform/cli/options.hpp"
#include "platform/cli/workload.hpp"
#include "platform/sim/inference.hpp"

namespace forerun::cli {

struct DraftOptions {
  std::optional<std::string> model, dtype;
  std::optional<std::uint64_t> tokens;
  std::optional<double> acceptance;

  void add_to(CLI::App& command);
  /// Throws UsageError for what does not go with a draft, or with none.
  void check(const WorkloadOptions& work, bool data, bool program) const;
  std::uint64_t tokens_or_default() const { return tokens.value_or(4); }
};

/// The model that drafts, beside the one whose tokens are wanted.
class DraftModel {
 public:
  /// @param model, target the options of the other model, and itself
  /// Throws std::runtime_error for a model of another vocabulary, or with too few positions.
  DraftModel(const DraftOptions& options, const ModelOptions& model, const models::Model& target,
             const sim::InferenceRequest& request, bool data);

  /// The programs, by device, in memory behind those of the other model. Throws models::CompileError.
  std::vector<models::Program> compile(const chip::Chip& chip, const models::CompileOptions& target_options,
                                       const std::vector<models::Program>& targets) const;
  unsigned layer_period() const { return cli::layer_period(model_.config); }
  const std::string& name() const { return model_.config.name; }
  const models::NumberFormats& formats() const { return formats_; }

 private:
  models::Model model_;
  models::NumberFormats formats_;
};

}  // namespace forerun::cli
