// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/operator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <utility>

#include "models/compiler/all_reduce.hpp"
#include "models/compiler/gemm.hpp"
#include "models/compiler/row_operator.hpp"
#include "platform/chip/quantity.hpp"
#include "platform/report/report.hpp"
#include "platform/sim/inference.hpp"

namespace forerun::cli {
namespace {

using models::RowShape;

models::GemmShape gemm_shape(const std::string& text) {
  if (const auto shape = models::GemmShape::parse(text)) return *shape;
  throw UsageError(fmt::format(
      "--gemm is '{}', expected MxKxN, three whole numbers from 1 to 1048576, or BxMxKxN for B such products",
      text));
}

RowShape row_shape(RowShape::Kind kind, const std::string& option, const std::string& text) {
  // The numbers are those of a product without a middle.
  const auto shape =
      std::count(text.begin(), text.end(), 'x') == 1 ? models::GemmShape::parse(text + "x1") : std::nullopt;
  if (!shape)
    throw UsageError(
        fmt::format("{} is '{}', expected ROWSxCOLUMNS, two whole numbers from 1 to 1048576", option, text));
  return {kind, shape->m, shape->k};
}

std::uint64_t size(const std::string& text) {
  std::string problem;
  const auto bytes = chip::parse<Bytes>(text, problem);
  if (!bytes || bytes->count == 0 || bytes->count % 4 != 0)
    throw UsageError(fmt::format(
        "--all-reduce is '{}'{}{}, expected an amount of memory in whole binary32, such as 64 KiB", text,
        problem.empty() ? "" : ", ", problem));
  return bytes->count;
}

std::unique_ptr<models::SingleOperator> make(const OperatorOptions& o, const chip::Chip& chip,
                                             chip::Format format) {
  if (o.gemm) return std::make_unique<models::Gemm>(gemm_shape(*o.gemm), chip, format, o.gather);
  if (o.all_reduce) return std::make_unique<models::AllReduce>(size(*o.all_reduce), chip);
  const auto shape = o.softmax     ? row_shape(RowShape::Kind::softmax, "--softmax", *o.softmax)
                     : o.layernorm ? row_shape(RowShape::Kind::layernorm, "--layernorm", *o.layernorm)
                                   : row_shape(RowShape::Kind::gelu, "--gelu", *o.gelu);
  return std::make_unique<models::RowOperator>(shape, chip, format);
}

/// Each device's result, the others' too.
bool verify(const models::SingleOperator& work, sim::Simulation& simulation) {
  std::string text;
  for (std::size_t d = 0; d <= simulation.others.size(); ++d) {
    std::vector<std::uint8_t> result(work.result_bytes());
    simulation.device(d).read(work.result(), result);
    const auto verdict = work.verify(result, static_cast<std::uint32_t>(d));
    text = work.devices() > 1 ? fmt::format("device {}: {}", d, verdict.text) : verdict.text;
    if (!verdict.right) {
      fmt::print(stderr, "forerun: error: {}\n", text);
      return false;
    }
    std::cout << text << "\n";
  }
  return true;
}

}  // namespace

void OperatorOptions::add_to(CLI::App& command) {
  command.add_option(
      "--gemm", gemm,
      "instead of a model, one matrix product, given as MxKxN: C[M][N] = A[M][K] x B[K][N]; or "
      "BxMxKxN: B of them, each on one cluster; several devices share the columns, or the B products");
  command.add_flag("--gather", gather, "with --gemm on several devices: each of them gets all of C");
  command.add_option("--softmax", softmax, "instead of a model, the soft-max of each row of ROWSxCOLUMNS");
  command.add_option("--layernorm", layernorm, "instead of a model, LayerNorm of each row of ROWSxCOLUMNS");
  command.add_option("--gelu", gelu, "instead of a model, GELU of each element of ROWSxCOLUMNS");
  command.add_option("--all-reduce", all_reduce,
                     "instead of a model, the sum over all devices of so much memory of binary32 in each, "
                     "such as '64 KiB'");
}

std::optional<std::string> OperatorOptions::given() const {
  const std::array<std::pair<const std::optional<std::string>*, const char*>, 5> all{
      {{&gemm, "--gemm"},
       {&softmax, "--softmax"},
       {&layernorm, "--layernorm"},
       {&gelu, "--gelu"},
       {&all_reduce, "--all-reduce"}}};
  std::optional<std::string> found;
  for (const auto& [value, name] : all) {
    if (!*value) continue;
    if (found)
      throw UsageError(fmt::format("{} and {} are a workload each: expected one of them", *found, name));
    found = name;
  }
  if (gather && !gemm) throw UsageError("--gather goes with --gemm");
  return found;
}

void check_operator_option(const std::string& single, const std::string& option) {
  // Of the number formats ModelOptions::operator_format() says more.
  constexpr std::array<std::string_view, 10> known{"--dtype", "--weights",   "--activations", "--kv",
                                                   "--chip",  "--set",       "--data",        "--report",
                                                   "--limit", "--idle-limit"};
  const bool gemm = single == "--gemm", between_devices = gemm || single == "--all-reduce";
  if (option == single || (between_devices && option == "--symmetric") || (gemm && option == "--gather") ||
      std::find(known.begin(), known.end(), option) != known.end())
    return;
  throw UsageError(
      fmt::format("{} is a workload of its own, with which {} does not go: only --dtype, --chip, --set, "
                  "--data, --report{} and limits do",
                  single, option,
                  gemm              ? ", --gather, --symmetric"
                  : between_devices ? ", --symmetric"
                                    : ""));
}

int run_operator(const OperatorOptions& options, chip::Chip chip, const ModelOptions& formats,
                 const OperatorRun& run, sim::RunLimits limits) {
  const auto started = std::chrono::steady_clock::now();
  const auto option = options.given().value_or("");
  const bool data = chip.data == chip::Data::real;
  if (!options.all_reduce && !options.gemm && chip.devices > 1)
    throw UsageError(fmt::format("{} is for one device, but devices is more than 1", option));
  if (options.all_reduce && chip.devices == 1)
    throw UsageError("--all-reduce is between several devices, but devices is 1 (--set devices=2)");
  if (options.gather && chip.devices == 1)
    throw UsageError("--gather is between several devices, but devices is 1 (--set devices=2)");
  if (options.gather && run.symmetric)
    throw UsageError(
        "--symmetric: with --gather devices write C in its place, each in another one, so none stands for "
        "all");
  auto format = formats.operator_format(option);
  if (options.all_reduce) {
    if (run.dtype_given && format != chip::Format::f32)
      throw UsageError("--all-reduce adds binary32: only --dtype fp32 goes with it");
    format = chip::Format::f32;
    chip.clusters.command.launch = {};  // all of its exchanges are within one kernel
  }
  const auto work = make(options, chip, format);
  std::vector<models::Program> programs;
  for (std::uint32_t d = 0; d < work->devices(); ++d) programs.push_back(work->program(data, d));
  if (run.symmetric && !programs.front().symmetric)
    throw UsageError(fmt::format("--symmetric: {} cannot be shared between {} devices in equal parts",
                                 work->name(), chip.devices));
  std::optional<OutputFile> report_file;
  if (run.report) report_file.emplace(*run.report);
  sim::Simulation simulation(chip, {}, {}, run.symmetric);
  simulation.load(sim::ElfProgram::read(sim::firmware_path("llm.elf")));
  sim::InferenceRequest request;
  request.sequences = {{{0}, 0, 0}};
  request.phase = sim::PhaseOfRun::single;
  std::vector<sim::Peer> peers;
  for (std::size_t i = 0; i < simulation.others.size(); ++i)
    peers.push_back({simulation.others[i].get(), &programs[i + 1]});
  sim::Inference inference(simulation.soc, programs.front(), request, peers);
  const double setup = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  limits.progress = [&] { return inference.messages(); };
  const auto outcome = simulation.run(limits);
  if (const auto problem = simulation.rtl_problem(inference.tags()); !problem.empty()) {
    fmt::print(stderr, "forerun: error: {}\n", problem);
    return failed;
  }
  if (!inference.finished() || outcome.kind != sim::Outcome::Kind::exited || outcome.exit_code != 0) {
    fmt::print(stderr, "forerun: error: {}\n",
               inference.failure().empty() ? sim::describe_end(outcome) : inference.failure());
    return failed;
  }
  if (data && !verify(*work, simulation)) return failed;
  models::ModelConfig shown;
  shown.name = work->name();
  const auto report = report::make_report(simulation, inference, shown, format, outcome, setup);
  const bool written = !report_file || report_file->commit(report::to_json(report));
  std::cout << report::to_text(report) << std::flush;
  return RtlChoice{}.exit_code(written ? ok : failed, tell_broken_rules(simulation, report.broken_rules()));
}

}  // namespace forerun::cli
