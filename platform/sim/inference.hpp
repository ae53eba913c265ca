// SPDX-License-Identifier: Apache-2.0
/// The host's side of a run: puts a program into the chip's memory, asks firmware to run it, and takes the
/// tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/program.hpp"
#include "platform/sim/statistics.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

struct InferenceRequest {
  std::vector<std::uint32_t> tokens;  ///< the prompt, or with `teacher` every input; one or more
  std::uint64_t generate = 0;         ///< tokens to generate, 1 or more; unused with `teacher`
  bool teacher = false;               ///< feed `tokens` whatever the chip chooses
  bool keep_logits = false;           ///< make logits at every position and collect them
  std::optional<float> temperature;   ///< above 0: sample; otherwise the largest logit is chosen
  std::uint64_t seed = 0;             ///< of the sampling
  std::uint64_t step_timeout = 0;     ///< ticks of the time base; 0: none
};

/// Another device of the system, which runs its own program for the same request.
struct Peer {
  soc::Soc* soc = nullptr;
  const models::Program* program = nullptr;
};

/// What firmware reported about one step.
struct Step {
  std::uint64_t position = 0, tokens = 0;
  std::uint32_t id = 0;       ///< chosen after its last token
  double begin = 0, end = 0;  ///< seconds since power-on, as firmware read its clock
  std::uint64_t cycles = 0;   ///< of the slowest cluster's clock
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
  /// The given tokens, then (without `teacher`) the generated ones.
  const std::vector<std::uint32_t>& ids() const { return ids_; }
  /// [position][vocabulary]; collected with `keep_logits` and real data.
  const std::vector<float>& logits() const { return logits_; }
  bool finished() const { return finished_; }
  /// Empty, or one sentence with a line break between parts.
  const std::string& failure() const { return failure_; }

  /// Counters when firmware took the request, when the last given token was done, and at the end.
  const Snapshot& at_start() const { return start_; }
  const Snapshot& at_first_token() const { return first_token_; }
  const Snapshot& at_end() const { return end_; }
  /// The other devices, and their counters as at_start() and at_end().
  const std::vector<Peer>& peers() const { return peers_; }
  const std::vector<Snapshot>& peers_at_start() const { return peers_start_; }
  const std::vector<Snapshot>& peers_at_end() const { return peers_end_; }
  /// Seconds from power-on to the request.
  double boot_seconds() const { return boot_seconds_; }

 private:
  void take(const ip::Message& message);
  void take_from(std::size_t peer, const ip::Message& message);
  void load(soc::Soc& soc, const models::Program& program) const;
  void reply(const std::function<void()>& send) const;
  void ready();
  void done();
  bool same_choices() const;
  void request_run();
  void take_step(const ip::Message& message);
  void finish();
  std::string describe_failure(const ip::Message& message, soc::Soc& soc,
                               const models::Program& program) const;

  soc::Soc& soc_;
  const models::Program& program_;
  InferenceRequest request_;
  std::vector<Peer> peers_;
  std::vector<std::vector<std::uint32_t>> chosen_;  // by each peer, a step each
  std::size_t ready_ = 0, done_ = 0;                // devices
  std::vector<Step> steps_;
  std::vector<std::uint32_t> ids_;
  std::vector<float> logits_;
  bool finished_ = false, prefilled_ = false;
  std::string failure_;
  Snapshot start_, first_token_, end_;
  std::vector<Snapshot> peers_start_, peers_end_;
  double boot_seconds_ = 0;
};

}  // namespace forerun::sim
