// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "platform/report/report.hpp"

namespace forerun::report {

void collect_draft(const sim::Inference& inference, DraftUse& use) {
  const auto& draft = inference.request().draft;
  if (!draft) return;
  use.clusters = static_cast<unsigned>(draft->program->streams.size());
  use.tokens_asked = draft->tokens;
  std::uint64_t tokens = 0;
  for (const auto& step : inference.steps()) {
    if (step.drafted == 0) continue;
    ++use.rounds;
    use.drafted += step.drafted;
    use.kept += step.chunks.size() - 1;
    tokens += step.chunks.size();
    use.verify_seconds += step.end - step.begin;
    use.round_seconds += step.end - step.begin + step.drafting;
  }
  if (use.rounds > 0) use.tokens_per_round = static_cast<double>(tokens) / static_cast<double>(use.rounds);
  for (const auto& step : inference.draft_steps()) {
    const auto seconds = step.end - step.begin;
    if (step.reads_prompt()) {
      use.prompt_seconds += seconds;
      continue;
    }
    ++use.steps;
    use.draft_seconds += seconds;
  }
}

std::string draft_text(const Report& report) {
  const auto& d = report.draft;
  if (d.model.empty()) return {};
  const auto per_round = [&d](double seconds) {
    return d.rounds > 0 ? seconds / static_cast<double>(d.rounds) : 0;
  };
  const auto share = [&d](double seconds) {
    return percent(d.round_seconds > 0 ? seconds / d.round_seconds : 0);
  };
  auto text = fmt::format(
      "  draft: {} in {} on {} clusters, {} tokens in a round: {} rounds, {} tokens drafted, {} kept "
      "({}), {:.2f} tokens a step of the model\n",
      d.model, d.format, d.clusters, d.tokens_asked, d.rounds, d.drafted, d.kept, percent(d.kept_share()),
      d.tokens_per_round);
  text += fmt::format("  time of a round     {:>10}  (drafting {}, {}; verifying {}, {}; firmware {})",
                      quantity(per_round(d.round_seconds), "s"), quantity(per_round(d.draft_seconds), "s"),
                      share(d.draft_seconds), quantity(per_round(d.verify_seconds), "s"),
                      share(d.verify_seconds), share(d.round_seconds - d.draft_seconds - d.verify_seconds));
  if (d.prompt_seconds > 0)
    text += fmt::format("; before them the draft read the prompt in {}", quantity(d.prompt_seconds, "s"));
  return text + "\n";
}

}  // namespace forerun::report
