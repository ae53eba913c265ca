// SPDX-License-Identifier: Apache-2.0
/// `forerun run --gemm` and the like: a single operator in the place of a model.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/compiler/single_operator.hpp"
#include "platform/chip/chip.hpp"
#include "platform/cli/options.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {

struct OperatorOptions {
  std::optional<std::string> gemm, softmax, layernorm, gelu, all_reduce;
  bool gather = false;  ///< of `gemm` on several devices
  void add_to(CLI::App& command);
  /// The option that is given, or nothing. Throws UsageError for several, or for `gather` without `gemm`.
  std::optional<std::string> given() const;
};

/// Throws UsageError if an option of `forerun run` does not go with that of an operator.
void check_operator_option(const std::string& single, const std::string& option);

/// How a single operator is run.
struct OperatorRun {
  std::optional<std::string> report;
  bool symmetric = false, dtype_given = false;
};

/// Runs the operator, prints the report and writes it to a file, if wanted; with data, the result is compared
/// with one computed here in another way. Returns the exit code. Throws UsageError for a shape that is none,
/// and for a chip or options that do not go with the operator.
int run_operator(const OperatorOptions& options, chip::Chip chip, const ModelOptions& formats,
                 const OperatorRun& run, sim::RunLimits limits);

}  // namespace forerun::cli
