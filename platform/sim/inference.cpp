// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "firmware/abi/command.h"
#include "firmware/abi/message.h"
#include "firmware/abi/registers.h"
#include "ip/base/time.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::sim {
namespace {

#define FR_X(NAME, NUMBER, DESCRIPTION) \
  if (number == NUMBER) return DESCRIPTION;
std::string failure_text(std::uint64_t number) {
  FR_FAILURES(FR_X)
  return fmt::format("unknown failure {}", number);
}
std::string error_text(std::uint64_t number) {
  FR_ERRORS(FR_X)
  return fmt::format("unknown error {}", number);
}
#undef FR_X

std::span<const std::uint8_t> bytes_of(const std::vector<std::uint32_t>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(std::uint32_t)};
}

}  // namespace

std::uint64_t InferenceRequest::given() const {
  std::uint64_t total = 0;
  for (const auto& s : sequences) total += s.tokens.size();
  return total;
}
std::uint64_t InferenceRequest::to_generate() const {
  std::uint64_t total = 0;
  for (const auto& s : sequences) total += s.generate;
  return total;
}
std::uint64_t Step::tokens() const {
  std::uint64_t total = 0;
  for (const auto& chunk : chunks) total += chunk.tokens;
  return total;
}

Inference::Inference(soc::Soc& soc, const models::Program& program, InferenceRequest request)
    : soc_(soc), program_(program), request_(std::move(request)) {
  if (request_.sequences.empty() || request_.sequences.size() > program.header.sequences)
    throw std::invalid_argument(fmt::format("a run of {} sequences, by a program for 1 to {}",
                                            request_.sequences.size(), program.header.sequences));
  for (const auto& s : request_.sequences) {
    if (s.tokens.empty()) throw std::invalid_argument("a run needs one token at least");
    ids_.push_back(s.tokens);
    done_.push_back(s.cached);
  }
  if (request_.repetition) {
    if (soc.chip().data == chip::Data::real)
      throw std::invalid_argument("repeated layers are for runs without data");
    repeated_.emplace(*request_.repetition, program.header.layers);
    const auto first = std::find_if(program.tags.begin(), program.tags.end(),
                                    [](const auto& tag) { return tag.starts_with("layers."); });
    const auto tag = static_cast<std::uint32_t>(first - program.tags.begin());
    soc.clusters.front()->vector.on_begin = [this, tag](const fr_command_header& header) {
      if (header.tag == tag) repeated_->mark(take_snapshot(soc_, program_.tags.size()));
    };
  }
  write_program();
  soc.clusters.front()->on_start = [this] {
    if (request_.phase != PhaseOfRun::all && !started_) start_ = snapshot();
    started_ = true;
  };
  soc.mailbox.on_message = [this] {
    while (const auto message = soc_.mailbox.host_receive()) take(*message);
  };
}

void Inference::write_program() {
  const bool data = soc_.chip().data == chip::Data::real;
  const auto& h = program_.header;
  for (const auto& segment : program_.segments)
    if (!segment.bytes.empty() && data) soc_.write(segment.address, segment.bytes);
  soc_.write(h.load_address, models::make_head(program_, data));
  std::vector<fr_sequence_request> requests;
  for (std::size_t i = 0; i < request_.sequences.size(); ++i) {
    const auto& s = request_.sequences[i];
    soc_.write(h.token_ids + (i * (h.context + 1ull) + s.cached) * sizeof(std::uint32_t), bytes_of(s.tokens));
    requests.push_back({s.cached, s.tokens.size(), s.generate});
  }
  soc_.write(h.requests, {reinterpret_cast<const std::uint8_t*>(requests.data()),
                          requests.size() * sizeof(fr_sequence_request)});
}

void Inference::take(const ip::Message& message) {
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return request_run();
    case FR_MESSAGE_STEP:
      return take_chunk(message);
    case FR_MESSAGE_DONE:
      if (repeated_ && repeated_->try_more()) return begin_again();
      finished_ = true;
      return finish();
    case FR_MESSAGE_FAILED:
      failure_ = describe_failure(message);
      return finish();
    case FR_MESSAGE_TRAP:
      failure_ = fmt::format("firmware trapped: mcause {:#x}, mepc {:#x}, mtval {:#x}", message[1],
                             message[2], message[3]);
      return;
    default:
      failure_ = fmt::format("firmware sent an unknown message of type {}", message[0]);
      return finish();
  }
}

void Inference::request_run() {
  if (on_ready) on_ready();
  start_ = snapshot();
  first_token_ = start_;
  boot_seconds_ = static_cast<double>(start_.picoseconds) * 1e-12;
  std::uint64_t flags = 0;
  if (request_.temperature) flags |= FR_RUN_SAMPLE;
  if (request_.teacher) flags |= FR_RUN_TEACHER;
  if (request_.keep_logits) flags |= FR_RUN_ALL_LOGITS;
  const auto& first = request_.sequences.front();
  std::uint64_t what = first.tokens.size(), more = first.generate;
  if (request_.sequences.size() > 1 || first.cached > 0 || repeated_) {
    flags |= FR_RUN_SEQUENCES;
    what = request_.sequences.size();
    more = repeated_ ? repeated_->layers() : 0;
  }
  soc_.mailbox.host_send({FR_MESSAGE_RUN, program_.header.load_address, what, more, flags,
                          std::bit_cast<std::uint32_t>(request_.temperature.value_or(0)), request_.seed,
                          request_.step_timeout});
}

/// With more layers: what the run before has given is forgotten.
void Inference::begin_again() {
  steps_.clear();
  for (std::size_t i = 0; i < request_.sequences.size(); ++i) {
    ids_[i] = request_.sequences[i].tokens;
    done_[i] = request_.sequences[i].cached;
  }
  started_ = false;
  prefill_steps_ = 0;
  request_run();
}

Snapshot Inference::snapshot() const {
  auto snapshot = take_snapshot(soc_, program_.tags.size());
  if (repeated_ && !repeated_->added().values.empty()) add_difference(snapshot, {}, repeated_->added(), 1.0);
  return snapshot;
}

void Inference::take_chunk(const ip::Message& message) {
  const double tick = 1 / soc_.chip().peripherals.timebase.hertz;
  const auto sequence = message[6];
  if (sequence >= done_.size()) {
    failure_ = fmt::format("firmware told of sequence {}", sequence);
    return finish();
  }
  const Chunk chunk{sequence, message[1], message[2], static_cast<std::uint32_t>(message[3])};
  step_.begin = static_cast<double>(message[4]) * tick;
  step_.end = static_cast<double>(message[5]) * tick;
  step_.chunks.push_back(chunk);
  done_[sequence] = chunk.position + chunk.tokens;
  const auto& wanted = request_.sequences[sequence];
  if (!request_.teacher && done_[sequence] >= wanted.cached + wanted.tokens.size())
    ids_[sequence].push_back(chunk.id);
  if (request_.keep_logits && soc_.chip().data == chip::Data::real) collect_logits(chunk);
  if (message[7] == 0) finish_step();
}

void Inference::finish_step() {
  for (std::size_t c = 0; c < program_.streams.size(); ++c) {
    std::uint64_t cycles = 0;
    soc_.read(chip::address_map::cluster_registers(static_cast<unsigned>(c)) + FR_CLUSTER_CYCLES,
              {reinterpret_cast<std::uint8_t*>(&cycles), sizeof cycles});
    step_.cycles = std::max(step_.cycles, cycles);
  }
  if (repeated_) {
    const auto before = static_cast<double>(repeated_->added().picoseconds) * 1e-12;
    const auto more = repeated_->end_step(std::llround((step_.end - step_.begin) * 1e12));
    step_.begin += before;
    step_.end += before + static_cast<double>(more) * 1e-12;
    step_.cycles += static_cast<std::uint64_t>(ip::Clock(soc_.chip().clusters.clock).ps_to_cycles(more));
  }
  steps_.push_back(std::exchange(step_, {}));
  if (prefill_steps_ == 0 && prompts_done()) {
    prefill_steps_ = steps_.size();
    first_token_ = snapshot();
  }
  if (on_step) on_step(steps_.back());
}

bool Inference::prompts_done() const {
  for (std::size_t i = 0; i < done_.size(); ++i)
    if (done_[i] < request_.sequences[i].cached + request_.sequences[i].tokens.size()) return false;
  return true;
}

void Inference::collect_logits(const Chunk& chunk) {
  const auto columns = program_.header.vocabulary;
  const auto old = logits_.size();
  logits_.resize(old + chunk.tokens * columns);
  soc_.read(program_.header.logits + chunk.position * columns * sizeof(float),
            {reinterpret_cast<std::uint8_t*>(logits_.data() + old), chunk.tokens * columns * sizeof(float)});
}

void Inference::finish() {
  end_ = snapshot();
  if (on_end) on_end();
  soc_.mailbox.host_send({FR_MESSAGE_STOP, failure_.empty() ? 0u : 1u});
}

std::string Inference::describe_failure(const ip::Message& message) const {
  auto text = failure_text(message[1]);
  if (message[1] == FR_FAILURE_CLUSTER) {
    std::string where;
    const auto cluster = message[2];
    if (cluster < program_.streams.size()) {
      const auto& stream = program_.streams[cluster];
      if (message[5] + sizeof(fr_command_header) <= stream.size()) {
        fr_command_header header;
        std::memcpy(&header, stream.data() + message[5], sizeof header);
        if (header.tag < program_.tags.size()) where = fmt::format(" in {}", program_.tags[header.tag]);
      }
    }
    text += fmt::format("\n  cluster {}: {}: {:#x}; the command is at byte {:#x} of its stream{}", cluster,
                        error_text(message[3]), message[4], message[5], where);
  } else if (message[1] == FR_FAILURE_TIMEOUT) {
    text += fmt::format("\n  cluster {} has not ended", message[2]);
    if (const auto stall = soc_.describe_stall(); !stall.empty()) text += "\n" + stall;
  }
  return text;
}

}  // namespace forerun::sim
