// SPDX-License-Identifier: Apache-2.0
/// The host's side of a run: puts a program into the chip's memory, asks firmware to run it, and takes the
/// tokens.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/program.hpp"
#include "platform/sim/counted_layers.hpp"
#include "platform/sim/repeated_layers.hpp"
#include "platform/sim/statistics.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// What is wanted of one sequence.
struct SequenceRequest {
  std::vector<std::uint32_t> tokens;  ///< the prompt, or with `teacher` every input; one or more
  std::uint64_t cached = 0;           ///< positions before them that are taken as being in the cache already
  std::uint64_t generate = 0;         ///< tokens to generate; unused with `teacher`. 0: none beyond the first
};

enum class PhaseOfRun : unsigned char {
  all,      ///< prompts, then tokens after them
  prefill,  ///< prompts only
  decode,   ///< from a filled cache on
  single,   ///< no tokens: the one step is a single operator
};

/// A program beside that of the run, in the same memory, that drafts tokens which a step of the run's program
/// then verifies. It begins with the same tokens.
struct Draft {
  const models::Program* program = nullptr;  ///< of the first device
  std::uint64_t tokens = 4;                  ///< before a step, 1 .. FR_DRAFT_TOKENS
  std::optional<double> acceptance;          ///< without data: the probability that a drafted token is kept
  std::optional<LayerRepetition> repetition =
      std::nullopt;  ///< of the draft's layers, if those of the run's program repeat
};

struct InferenceRequest {
  std::vector<SequenceRequest> sequences;  ///< one or more, as many as the program has room for
  PhaseOfRun phase =
      PhaseOfRun::all;       ///< for the counting: with another than all, it begins with the first step
  bool teacher = false;      ///< feed `tokens` whatever the chip chooses; one sequence
  bool keep_logits = false;  ///< make logits at every position and collect them; one sequence
  std::optional<float> temperature;  ///< above 0: sample; otherwise the largest logit is chosen
  std::uint64_t seed = 0;            ///< of the sampling
  std::uint64_t step_timeout = 0;    ///< ticks of the time base; 0: none
  std::optional<LayerRepetition> repetition;
  std::optional<Draft> draft;  ///< of one sequence, without `teacher`

  /// Tokens of all sequences that are given, and that may be generated.
  std::uint64_t given() const;
  std::uint64_t to_generate() const;
};

/// Tokens of one sequence in a step.
struct Chunk {
  std::uint64_t sequence = 0, position = 0, tokens = 0;
  std::uint32_t id = 0;  ///< chosen after its last token
};

/// Another device of the system, which runs its own program for the same request.
struct Peer {
  soc::Soc* soc = nullptr;
  const models::Program* program = nullptr;
  const models::Program* draft = nullptr;  ///< if the request has one
};

/// What firmware reported about one step.
struct Step {
  std::vector<Chunk> chunks;  ///< of a step that verifies drafted tokens one for each that it gives
  double begin = 0, end = 0;  ///< seconds since power-on, as firmware read its clock
  std::uint64_t cycles = 0;   ///< of the slowest cluster's clock
  std::uint64_t drafted =
      0;                ///< tokens that it verified, and kept as many as chunks but one; of a draft: chose
  double drafting = 0;  ///< seconds before `begin` from when the first of them was drafted
  std::uint64_t tokens() const;
  /// Of a draft: more than the tokens of the step before it that it has not seen.
  bool reads_prompt() const { return drafted == 0 || tokens() > 2; }
};

class Inference {
 public:
  /// Attaches to the chip's mailbox; `program` must outlive this. Before the simulation starts.
  /// Of several devices the first is `soc`; the others must outlive this too. Every device chooses the tokens
  /// for itself; that they choose the same ones is checked.
  Inference(soc::Soc& soc, const models::Program& program, InferenceRequest request,
            std::vector<Peer> peers = {});

  /// Called as things happen, in simulation processes; may be empty.
  std::function<void()> on_ready;
  std::function<void(const Step&)> on_step;
  /// Called once, when firmware has finished or failed, before it is asked to stop.
  std::function<void()> on_end;

  const InferenceRequest& request() const { return request_; }
  const models::Program& program() const { return program_; }
  const std::vector<Step>& steps() const { return steps_; }
  /// Of the draft.
  const std::vector<Step>& draft_steps() const { return draft_steps_; }
  /// Names of the operators of all programs, by tag.
  const std::vector<std::string>& tags() const {
    return request_.draft ? request_.draft->program->tags : program_.tags;
  }
  /// That take part in steps of any program.
  std::size_t clusters() const;
  /// Of a sequence: the given tokens, then (without `teacher`) the generated ones.
  const std::vector<std::uint32_t>& ids(std::size_t sequence) const { return ids_[sequence]; }
  /// [position][vocabulary]; collected with `keep_logits` and real data.
  const std::vector<float>& logits() const { return logits_; }
  bool finished() const { return finished_; }
  /// Empty, or one sentence with a line break between parts.
  const std::string& failure() const { return failure_; }
  /// Messages from all devices so far.
  std::uint64_t messages() const { return messages_; }
  /// How far it has come, a line.
  std::string describe_progress() const;
  /// Steps up to the one that did the last given token, itself included.
  std::size_t prefill_steps() const { return prefill_steps_; }

  /// Counters when firmware took the request (or the first step began: see PhaseOfRun), when the last given
  /// token was done, and at the end.
  const Snapshot& at_start() const { return start_; }
  const Snapshot& at_first_token() const { return first_token_; }
  const Snapshot& at_end() const { return end_; }
  /// The other devices, and their counters as at_start() and at_end().
  const std::vector<Peer>& peers() const { return peers_; }
  const std::vector<Snapshot>& peers_at_start() const { return peers_start_; }
  const std::vector<Snapshot>& peers_at_end() const { return peers_end_; }
  /// Layers of a step that were simulated; of the draft. The times, counters and cycles here count the
  /// others, too.
  std::uint64_t layers() const { return counted_.empty() ? program_.header.layers : counted_[0].layers(); }
  std::uint64_t draft_layers() const {
    return counted_.size() < 2 ? request_.draft->program->header.layers : counted_[1].layers();
  }
  /// Layers that one simulated layer of those that are repeated stands for.
  double layers_for_each(bool of_draft) const;
  /// Of the run's time, how far what was counted may be off: the standard error.
  double repetition_error() const;
  /// Seconds of the run that were counted, not simulated.
  double counted_seconds() const;
  /// Seconds from power-on to the request.
  double boot_seconds() const { return boot_seconds_; }

 private:
  void write_program(soc::Soc& soc, const models::Program& program) const;
  void take(const ip::Message& message);
  void take_from(std::size_t peer, const ip::Message& message);
  void reply(const std::function<void()>& send) const;
  void ready();
  void done();
  bool same_choices() const;
  void request_run();
  void take_chunk(const ip::Message& message);
  void take_drafted(const ip::Message& message);
  void finish_step();
  void end_step(Step& step, const models::Program& program);
  void write_draft(soc::Soc& soc, const models::Program& program, const models::Program& draft) const;
  void accept_drafts(soc::Soc& soc, const models::Program& program) const;
  bool prompts_done() const;
  void collect_logits(const Chunk& chunk);
  void finish();
  std::string describe_failure(const ip::Message& message, soc::Soc& soc, const models::Program& program,
                               const models::Program* draft) const;
  Snapshot snapshot() const;
  void count_repeats();

  soc::Soc& soc_;
  const models::Program& program_;
  InferenceRequest request_;
  std::vector<Peer> peers_;
  std::vector<std::vector<std::uint32_t>> chosen_;  // by each peer, a chunk each
  std::size_t ready_ = 0, done_ = 0;                // devices
  std::vector<Step> steps_, draft_steps_;
  Step step_;                    // whose chunks firmware is telling
  std::optional<double> round_;  // when drafting for it began
  std::uint64_t drafted_ = 0;    // for it
  std::vector<std::vector<std::uint32_t>> ids_;
  std::vector<std::uint64_t> positions_;  // that are done, by sequence
  std::vector<float> logits_;
  std::deque<CountedLayers> counted_;  // of the program, then of the draft; or nothing
  bool finished_ = false, started_ = false;
  std::uint64_t messages_ = 0;
  std::size_t prefill_steps_ = 0;
  std::string failure_;
  Snapshot start_, first_token_, end_;
  std::vector<Snapshot> peers_start_, peers_end_;
  double boot_seconds_ = 0;
  std::int64_t counted_before_ = 0;  // picoseconds, in the steps that have ended
};

}  // namespace forerun::sim
