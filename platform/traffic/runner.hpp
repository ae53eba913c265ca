// SPDX-License-Identifier: Apache-2.0
/// Many runs, each in a process of its own, as many at a time as the host has processors.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "platform/traffic/experiment.hpp"
#include "platform/traffic/result.hpp"

namespace forerun::traffic {

/// The results in the order of the experiments, the same however many run at a time. `done` is called after
/// each. Throws std::runtime_error with the message of the first run that failed; the others are ended.
std::vector<Result> run_all(std::span<const Experiment> experiments, const std::function<void()>& done = {});

}  // namespace forerun::traffic
