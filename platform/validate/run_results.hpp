// SPDX-License-Identifier: Apache-2.0
/// What a suite can expect of a run of a model, taken from its report.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/validate/suite.hpp"

namespace forerun::validate {

/// Names of results: ms_per_token, tokens_per_second, first_token_ms, phase_ms and phase_us (of a run's first
/// phase: a prefill, a decode step, a single operator).
std::vector<std::string_view> run_columns();
bool is_run_column(const std::string& name);
std::string run_unit(const std::string& column);

/// The expected results of each case, run in processes of this program, as many at a time as the host has
/// processors. `done` is called after each. Throws std::runtime_error for a run that fails, with the last of
/// what it has printed.
std::vector<std::vector<double>> run_cases(std::span<const Case* const> cases,
                                           const std::function<void()>& done);

}  // namespace forerun::validate
