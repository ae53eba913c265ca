// SPDX-License-Identifier: Apache-2.0
/// Builds what an experiment simulates and runs it, in this process: SystemC elaborates once, so once a
/// process.
#pragma once

#include "platform/traffic/experiment.hpp"
#include "platform/traffic/result.hpp"

namespace forerun::traffic {

/// Throws ExperimentError or std::runtime_error for what cannot be built.
Result simulate(const Experiment& experiment);

}  // namespace forerun::traffic
