// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/gemm.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iostream>

#include "models/compiler/gemm.hpp"
#include "platform/cli/options.hpp"
#include "platform/report/report.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {

int run_gemm(const std::string& shape, const chip::Chip& chip, chip::Format format,
             const std::optional<std::string>& report_path, sim::RunLimits limits) {
  const auto started = std::chrono::steady_clock::now();
  const auto parsed = models::GemmShape::parse(shape);
  if (!parsed)
    throw UsageError(
        fmt::format("--gemm is '{}', expected MxKxN, three whole numbers from 1 to 1048576, or BxMxKxN for B "
                    "such products",
                    shape));
  const bool data = chip.data == chip::Data::real;
  const models::Gemm gemm(*parsed, chip, format);
  const auto program = gemm.program(data);
  std::optional<OutputFile> report_file;
  if (report_path) report_file.emplace(*report_path);
  sim::Simulation simulation(chip);
  simulation.load(sim::ElfProgram::read(sim::firmware_path("llm.elf")));
  sim::InferenceRequest request;
  request.sequences = {{{0}, 0, 0}};
  request.phase = sim::PhaseOfRun::gemm;
  sim::Inference inference(simulation.soc, program, request);
  const double setup = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  limits.progress = [&] { return inference.messages(); };
  const auto outcome = simulation.run(limits);
  if (!inference.finished() || outcome.kind != sim::Outcome::Kind::exited || outcome.exit_code != 0) {
    fmt::print(stderr, "forerun: error: {}\n",
               inference.failure().empty() ? sim::describe_end(outcome) : inference.failure());
    return failed;
  }
  if (data) {
    std::vector<std::uint8_t> result(gemm.result_bytes());
    simulation.soc.read(gemm.result(), result);
    if (const auto wrong = gemm.differences(result); wrong > 0) {
      fmt::print(stderr, "forerun: error: {} of the {} elements of C are not those of the golden product\n",
                 wrong, parsed->count * parsed->m * parsed->n);
      return failed;
    }
    std::cout << "C is the golden product, bit for bit\n";
  }
  models::ModelConfig work;
  work.name = parsed->name();
  const auto report = report::make_report(simulation, inference, work, format, outcome, setup);
  const bool written = !report_file || report_file->commit(report::to_json(report));
  std::cout << report::to_text(report) << std::flush;
  return written ? ok : failed;
}

}  // namespace forerun::cli
