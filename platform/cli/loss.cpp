// SPDX-License-Identifier: Apache-2.0
// forerun loss: what number formats cost a model, measured on a text.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/compiler/compiler.hpp"
#include "models/import/model.hpp"
#include "models/reference/loss.hpp"
#include "models/reference/reference_executor.hpp"
#include "models/tokenizer/tokenizer.hpp"
#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/cli/workload.hpp"
#include "platform/sim/inference.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {
namespace {

using Ids = std::vector<std::uint32_t>;

struct LossOptions {
  ModelOptions model;
  ChipOptions chip;
  std::optional<std::string> text, tokens, report;
  std::uint64_t window = 0, on_chip = 0;
};

/// What was measured in one text, and on the chip in its beginning.
struct Result {
  std::uint64_t tokens = 0, window = 0;
  std::vector<double> layers;
  models::LogitLoss golden;
  std::optional<models::LogitLoss> chip;        ///< the chip against full precision
  std::optional<models::LogitLoss> difference;  ///< the chip against the golden executor in the same formats
};

Ids read_text(const LossOptions& o, const std::string& path, const models::ModelConfig& model) {
  if (o.text.has_value() == o.tokens.has_value())
    throw UsageError("a text is needed: --text FILE, or --tokens FILE with its token ids");
  if (o.tokens) return read_ids(*o.tokens, model.vocabulary);
  std::ifstream file(*o.text, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty())
    throw std::runtime_error(*o.text + (file ? ": the file is empty" : ": cannot be read"));
  return models::Tokenizer::for_model(path, model.vocabulary).encode(text);
}

/// Logits of the chip for the tokens, [position][vocabulary].
std::vector<float> chip_logits(const LossOptions& o, const models::Model& model, const Ids& ids) {
  const auto chip = o.chip.load();
  if (chip.devices > 1) throw UsageError("--on-chip is for one device, but devices is more than 1");
  if (chip.data != chip::Data::real) throw UsageError("--on-chip needs real data, but data is none");
  sim::InferenceRequest request;
  request.teacher = request.keep_logits = true;
  request.sequences = {{ids, 0, 0}};
  const auto program =
      models::compile(model, chip, compile_options(request, model.config, o.model.formats(), true));
  sim::Simulation simulation(chip);
  simulation.load(sim::ElfProgram::read(sim::firmware_path("llm.elf")));
  sim::Inference inference(simulation.soc, program, request);
  const auto outcome = simulation.run({.idle_cycles = sim::RunLimits::firmware_idle_cycles,
                                       .progress = [&] { return inference.messages(); }});
  if (!inference.finished() || outcome.kind != sim::Outcome::Kind::exited || outcome.exit_code != 0)
    throw std::runtime_error(inference.failure().empty() ? sim::describe_end(outcome) : inference.failure());
  return inference.logits();
}

Result measure(const LossOptions& o, const models::Model& model, const Ids& ids) {
  const auto formats = o.model.formats();
  Result result;
  result.tokens = ids.size();
  result.window = std::min<std::uint64_t>(o.window == 0 ? model.config.max_positions : o.window, ids.size());
  const auto context = static_cast<std::uint32_t>(result.window);
  std::vector<float> on_chip;
  const auto chip_tokens = std::min<std::uint64_t>(o.on_chip, result.window);
  if (chip_tokens > 0)
    on_chip = chip_logits(o, model, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(chip_tokens)});
  models::LogitMeter golden, of_chip, difference;
  models::LayerMeter layers;
  Progress progress(ids.size(), "tokens");
  for (std::size_t first = 0; first < ids.size(); first += result.window) {
    models::ReferenceExecutor full(model, context), rounded(model, context, formats);
    for (std::size_t i = first; i < std::min(ids.size(), first + result.window); ++i) {
      const auto* next = i + 1 < ids.size() && i + 1 < first + result.window ? &ids[i + 1] : nullptr;
      const auto exact = full.step(ids[i]), logits = rounded.step(ids[i]);
      golden.add(exact, logits, next);
      layers.add(full.residuals(), rounded.residuals());
      if (i < chip_tokens) {
        const auto row = on_chip.begin() + static_cast<std::ptrdiff_t>(i * exact.size());
        const std::vector<double> own(row, row + static_cast<std::ptrdiff_t>(exact.size()));
        const auto* within = i + 1 < chip_tokens ? next : nullptr;
        of_chip.add(exact, own, within);
        difference.add(logits, own, within);
      }
      progress.advance(1);
    }
  }
  result.layers = layers.errors();
  result.golden = golden.loss();
  if (chip_tokens > 0) {
    result.chip = of_chip.loss();
    result.difference = difference.loss();
  }
  return result;
}

void print(std::string_view what, const models::LogitLoss& l) {
  fmt::print("{}, {} positions:\n", what, l.positions);
  fmt::print("  perplexity          {:.4f}, in full precision {:.4f}\n", l.perplexity, l.full_perplexity);
  fmt::print("  same first choice   {:.1f} %\n", l.same_choice * 100);
  fmt::print("  divergence          {:.3g} nats\n", l.divergence);
  fmt::print("  logits              largest error {:.3g}, relative error {:.3g} %\n", l.largest_error,
             l.relative_error * 100);
}

nlohmann::ordered_json as_json(const models::LogitLoss& l) {
  return {{"positions", l.positions},
          {"perplexity", l.perplexity},
          {"full_perplexity", l.full_perplexity},
          {"same_choice", l.same_choice},
          {"divergence_nats", l.divergence},
          {"largest_logit_error", l.largest_error},
          {"relative_logit_error", l.relative_error}};
}

std::string to_json(const LossOptions& o, const models::Model& model, const Result& r) {
  const auto formats = o.model.formats();
  nlohmann::ordered_json j{{"model", model.config.name},
                           {"formats",
                            {{"weights", models::format_name(formats.weights)},
                             {"activations", models::format_name(formats.activations)},
                             {"kv", models::format_name(formats.kv)}}},
                           {"tokens", r.tokens},
                           {"window", r.window},
                           {"relative_error_after_layer", r.layers},
                           {"golden", as_json(r.golden)}};
  if (r.chip) j["chip"] = as_json(*r.chip);
  if (r.difference) j["chip_against_golden"] = as_json(*r.difference);
  return j.dump(2) + "\n";
}

int loss(const LossOptions& o) {
  const auto formats = o.model.formats();
  const auto path = o.model.path();
  const auto model = models::load_model(path);
  const auto ids = read_text(o, path, model.config);
  if (o.window > model.config.max_positions)
    throw UsageError(fmt::format("--window is {}, but {} has {} positions", o.window, model.config.name,
                                 model.config.max_positions));
  std::optional<OutputFile> report;
  if (o.report) report.emplace(*o.report);
  const auto r = measure(o, model, ids);
  fmt::print("{}: weights in {}, activations in {}, keys and values in {}; {} tokens in windows of {}\n",
             model.config.name, models::format_name(formats.weights),
             models::format_name(formats.activations), models::format_name(formats.kv), r.tokens, r.window);
  fmt::print("relative error of the residual stream\n  embedding           {:.3g} %\n", r.layers[0] * 100);
  for (std::size_t l = 1; l < r.layers.size(); ++l)
    fmt::print("  after layer {:<8}{:.3g} %\n", l - 1, r.layers[l] * 100);
  print("golden executor in these formats", r.golden);
  if (r.chip) print("chip", *r.chip);
  if (r.difference)
    fmt::print(
        "  against the golden executor in the same formats: largest error of a logit {:.3g}, relative error "
        "{:.3g} %\n",
        r.difference->largest_error, r.difference->relative_error * 100);
  return !report || report->commit(to_json(o, model, r)) ? ok : failed;
}

}  // namespace

void add_loss(CLI::App& app, int& code) {
  auto o = std::make_shared<LossOptions>();
  auto& command = *app.add_subcommand("loss", "measure on a text what number formats cost a model");
  o->model.add_to(command);
  o->chip.add_to(command);
  command.add_option("--text", o->text, "the text, a file");
  command.add_option("--tokens", o->tokens, "a file with the token ids of the text instead");
  command
      .add_option("--window", o->window,
                  "tokens that see one another; the text is cut into so many (0: the model's positions)")
      ->capture_default_str()
      ->check(whole_number);
  command
      .add_option("--on-chip", o->on_chip,
                  "also run so many of the first tokens on the chip, and compare its logits")
      ->capture_default_str()
      ->check(whole_number);
  command.add_option("--report", o->report, "write the result as JSON");
  command.callback([o, &code] { code = loss(*o); });
}

}  // namespace forerun::cli
