// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace forerun::sweep {

struct Job {
  std::vector<std::string> arguments;
  std::filesystem::path messages;  ///< gets its standard error
};

/// Runs `program` for each job, at most `most` at a time, begun in the order of the jobs. `done(index, code)`
/// is called after each, with its exit code or the signal that has ended it. Throws std::runtime_error if a
/// process cannot be started; the others are ended.
void run_jobs(const std::filesystem::path& program, std::span<const Job> jobs, unsigned most,
              const std::function<void(std::size_t, int)>& done);

}  // namespace forerun::sweep
