// SPDX-License-Identifier: Apache-2.0
/// `forerun run --gemm`: a single matrix product on the whole chip.
#pragma once

#include <optional>
#include <string>

#include "platform/chip/chip.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {

/// Runs M x K x N given as text, prints the report and writes it to a file, if wanted; with data, C is
/// compared with the golden product. Returns the exit code.
int run_gemm(const std::string& shape, const chip::Chip& chip, chip::Format format,
             const std::optional<std::string>& report_path, sim::RunLimits limits);

}  // namespace forerun::cli
