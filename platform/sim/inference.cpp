// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <stdexcept>
#include <utility>

#include "firmware/abi/command.h"
#include "firmware/abi/message.h"
#include "firmware/abi/registers.h"
#include "ip/base/time.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::sim {
namespace {

constexpr std::int64_t host_round_ps = 10'000'000;  // 10 us

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

std::string describe_trap(const ip::Message& message) {
  return fmt::format("firmware trapped: mcause {:#x}, mepc {:#x}, mtval {:#x}", message[1], message[2],
                     message[3]);
}

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

Inference::Inference(soc::Soc& soc, const models::Program& program, InferenceRequest request,
                     std::vector<Peer> peers)
    : soc_(soc),
      program_(program),
      request_(std::move(request)),
      peers_(std::move(peers)),
      chosen_(peers_.size()) {
  if (request_.sequences.empty() || request_.sequences.size() > program.header.sequences)
    throw std::invalid_argument(fmt::format("a run of {} sequences, by a program for 1 to {}",
                                            request_.sequences.size(), program.header.sequences));
  for (const auto& s : request_.sequences) {
    if (s.tokens.empty()) throw std::invalid_argument("a run needs one token at least");
    ids_.push_back(s.tokens);
    positions_.push_back(s.cached);
  }
  if (request_.repetition) count_repeats();
  write_program(soc, program);
  if (request_.draft) {
    if (request_.sequences.size() != 1 || request_.teacher)
      throw std::invalid_argument("drafts are for one sequence, whose tokens the chip chooses");
    write_draft(soc, program, *request_.draft->program);
  }
  soc.clusters.front()->on_start = [this] {
    if (request_.phase != PhaseOfRun::all && !started_) start_ = snapshot();
    started_ = true;
  };
  soc.host().on_message = [this] {
    while (const auto message = soc_.host().host_receive()) take(*message);
  };
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    write_program(*peers_[i].soc, *peers_[i].program);
    if (request_.draft) write_draft(*peers_[i].soc, *peers_[i].program, *peers_[i].draft);
    peers_[i].soc->clusters.front()->on_start = [this, i, started = false]() mutable {
      if (request_.phase != PhaseOfRun::all && !std::exchange(started, true))
        peers_start_[i] = take_snapshot(*peers_[i].soc, tags().size());
    };
    peers_[i].soc->host().on_message = [this, i] {
      while (const auto message = peers_[i].soc->host().host_receive()) take_from(i, *message);
    };
  }
}

void Inference::count_repeats() {
  counted_.emplace_back(soc_, program_, *request_.repetition, "");
  if (const auto& draft = request_.draft)
    counted_.emplace_back(soc_, *draft->program, draft->repetition.value_or(*request_.repetition), "draft.");
  for (std::size_t c = 0; c < clusters(); ++c)
    for (auto* engine : soc_.clusters[c]->engines()) {
      if (engine == nullptr) continue;
      engine->on_begin = [this, c, engine](const ip::Command& command) {
        const bool drafts = counted_.size() > 1 && command.header().tag >= counted_[1].first_tag();
        counted_[drafts ? 1 : 0].begin(c, *engine, command);
      };
    }
}

double Inference::repetition_error() const {
  double total = 0, squares = 0;
  for (const auto* all : {&steps_, &draft_steps_})
    for (const auto& step : *all) total += (step.end - step.begin) * 1e12;
  for (const auto& layers : counted_) squares += layers.uncertain_ps() * layers.uncertain_ps();
  return total > 0 ? std::sqrt(squares) / total : 0;
}

double Inference::counted_seconds() const { return static_cast<double>(counted_before_) * 1e-12; }

double Inference::layers_for_each(bool of_draft) const {
  const auto i = of_draft ? 1u : 0u;
  if (i >= counted_.size() || counted_[i].layers() <= counted_[i].layers_before()) return 1;
  const auto& program = of_draft ? *request_.draft->program : program_;
  const auto before = counted_[i].layers_before();
  return static_cast<double>(program.header.layers - before) /
         static_cast<double>(counted_[i].layers() - before);
}

void Inference::write_program(soc::Soc& soc, const models::Program& program) const {
  const bool data = soc.chip().data == chip::Data::real;
  const auto& h = program.header;
  for (const auto& segment : program.segments)
    if (!segment.bytes.empty() && (data || !segment.data)) soc.write(segment.address, segment.bytes);
  soc.write(h.load_address, models::make_head(program, data));
  std::vector<fr_sequence_request> requests;
  for (std::size_t i = 0; i < request_.sequences.size(); ++i) {
    const auto& s = request_.sequences[i];
    soc.write(h.token_ids + (i * (h.context + 1ull) + s.cached) * sizeof(std::uint32_t), bytes_of(s.tokens));
    requests.push_back({s.cached, s.tokens.size(), s.generate});
  }
  soc.write(h.requests, {reinterpret_cast<const std::uint8_t*>(requests.data()),
                         requests.size() * sizeof(fr_sequence_request)});
}

void Inference::write_draft(soc::Soc& soc, const models::Program& program,
                            const models::Program& draft) const {
  write_program(soc, draft);
  accept_drafts(soc, program);
}

/// Without data no program writes ids, so all that are chosen are 0, and a drafted one is the chosen one.
/// Where it is not to be, the chosen one is another.
void Inference::accept_drafts(soc::Soc& soc, const models::Program& program) const {
  const auto& probability = request_.draft->acceptance;
  const bool none = soc.chip().data == chip::Data::none;
  if (probability.has_value() != none)
    throw std::invalid_argument("an acceptance of drafts is for runs without data, and they need one");
  if (!probability) return;
  std::mt19937_64 random(request_.seed);
  std::vector<std::uint32_t> ids(program.header.context);
  for (auto& id : ids) id = static_cast<double>(random() >> 11) * 0x1p-53 < *probability ? 0 : 1;
  soc.write(program.header.next_ids, bytes_of(ids));
}

std::size_t Inference::clusters() const {
  const auto own = program_.streams.size();
  return request_.draft ? std::max(own, request_.draft->program->streams.size()) : own;
}

void Inference::take(const ip::Message& message) {
  ++messages_;
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return ready();
    case FR_MESSAGE_STEP:
      return take_chunk(message);
    case FR_MESSAGE_DRAFTED:
      return take_drafted(message);
    case FR_MESSAGE_DONE:
      return done();
    case FR_MESSAGE_FAILED:
      failure_ =
          describe_failure(message, soc_, program_, request_.draft ? request_.draft->program : nullptr);
      return finish();
    case FR_MESSAGE_TRAP:
      failure_ = describe_trap(message);
      return;
    default:
      failure_ = fmt::format("firmware sent an unknown message of type {}", message[0]);
      return finish();
  }
}

void Inference::take_from(std::size_t peer, const ip::Message& message) {
  ++messages_;
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return ready();
    case FR_MESSAGE_STEP:
      return chosen_[peer].push_back(static_cast<std::uint32_t>(message[3]));
    case FR_MESSAGE_DRAFTED:
      return;
    case FR_MESSAGE_DONE:
      return done();
    case FR_MESSAGE_FAILED:
      failure_ = describe_failure(message, *peers_[peer].soc, *peers_[peer].program, peers_[peer].draft);
      break;
    case FR_MESSAGE_TRAP:
      failure_ = describe_trap(message);
      break;
    default:
      failure_ = fmt::format("firmware sent an unknown message of type {}", message[0]);
  }
  failure_ = fmt::format("device {}: {}", peer + 1, failure_);
  finish();
}

/// The host answers several devices at its next round, and all at once: no device may see that it was the
/// last, and no more than the round how far its CPU had run ahead.
void Inference::reply(const std::function<void()>& send) const {
  if (soc_.chip().devices == 1) return send();
  const auto now = ip::now_picoseconds(), next = (now / host_round_ps + 2) * host_round_ps;
  sc_core::sc_spawn([send, now, next] {
    sc_core::wait(ip::to_sc_time({next - now}));
    send();
  });
}

void Inference::ready() {
  if (++ready_ == peers_.size() + 1) reply([this] { request_run(); });
}

void Inference::done() {
  if (++done_ <= peers_.size()) return;
  finished_ = same_choices();
  if (!finished_) failure_ = "the devices did not choose the same tokens";
  finish();
}

bool Inference::same_choices() const {
  std::vector<std::uint32_t> own;
  for (const auto& step : steps_)
    for (const auto& chunk : step.chunks) own.push_back(chunk.id);
  return std::all_of(chosen_.begin(), chosen_.end(), [&](const auto& chosen) { return chosen == own; });
}

void Inference::request_run() {
  if (on_ready) on_ready();
  start_ = snapshot();
  for (const auto& peer : peers_) peers_start_.push_back(take_snapshot(*peer.soc, tags().size()));
  first_token_ = start_;
  boot_seconds_ = static_cast<double>(start_.picoseconds) * 1e-12;
  std::uint64_t flags = 0;
  if (request_.temperature) flags |= FR_RUN_SAMPLE;
  if (request_.teacher) flags |= FR_RUN_TEACHER;
  if (request_.keep_logits) flags |= FR_RUN_ALL_LOGITS;
  const auto& first = request_.sequences.front();
  std::uint64_t what = first.tokens.size(), more = first.generate;
  if (request_.sequences.size() > 1 || first.cached > 0) {
    flags |= FR_RUN_SEQUENCES;
    what = request_.sequences.size();
    more = 0;
  }
  const auto run = [&](soc::Soc& soc, const models::Program& program, const models::Program* draft) {
    if (draft != nullptr)
      soc.host().host_send({FR_MESSAGE_DRAFT, draft->header.load_address, request_.draft->tokens});
    soc.host().host_send({FR_MESSAGE_RUN, program.header.load_address, what, more, flags,
                          std::bit_cast<std::uint32_t>(request_.temperature.value_or(0)), request_.seed,
                          request_.step_timeout});
  };
  run(soc_, program_, request_.draft ? request_.draft->program : nullptr);
  for (const auto& peer : peers_) run(*peer.soc, *peer.program, peer.draft);
}

Snapshot Inference::snapshot() const {
  auto snapshot = take_snapshot(soc_, tags().size());
  for (const auto& layers : counted_)
    if (const auto& more = layers.added(); !more.values.empty()) add_difference(snapshot, {}, more, 1.0);
  return snapshot;
}

void Inference::take_chunk(const ip::Message& message) {
  const double tick = 1 / soc_.chip().peripherals.timebase.hertz;
  const auto sequence = message[6];
  if (sequence >= positions_.size()) {
    failure_ = fmt::format("firmware told of sequence {}", sequence);
    return finish();
  }
  const Chunk chunk{sequence, message[1], message[2], static_cast<std::uint32_t>(message[3])};
  step_.begin = static_cast<double>(message[4]) * tick;
  step_.end = static_cast<double>(message[5]) * tick;
  step_.chunks.push_back(chunk);
  positions_[sequence] = chunk.position + chunk.tokens;
  const auto& wanted = request_.sequences[sequence];
  if (!request_.teacher && positions_[sequence] >= wanted.cached + wanted.tokens.size())
    ids_[sequence].push_back(chunk.id);
  if (request_.keep_logits && soc_.chip().data == chip::Data::real) collect_logits(chunk);
  if (message[7] == 0) finish_step();
}

void Inference::take_drafted(const ip::Message& message) {
  if (!request_.draft) {
    failure_ = "firmware told of a draft that it was not asked for";
    return finish();
  }
  const double tick = 1 / soc_.chip().peripherals.timebase.hertz;
  Step step;
  step.begin = static_cast<double>(message[4]) * tick;
  step.end = static_cast<double>(message[5]) * tick;
  step.chunks.push_back({0, message[1], message[2], static_cast<std::uint32_t>(message[3])});
  step.drafted = message[6];
  end_step(step, *request_.draft->program);
  if (!round_ && step.drafted > 0) round_ = step.reads_prompt() ? step.end : step.begin;
  drafted_ += step.drafted;
  draft_steps_.push_back(std::move(step));
}

void Inference::finish_step() {
  end_step(step_, program_);
  if (round_) step_.drafting = step_.begin - *round_;
  round_.reset();
  step_.drafted = std::exchange(drafted_, 0);
  steps_.push_back(std::exchange(step_, {}));
  if (prefill_steps_ == 0 && prompts_done()) {
    prefill_steps_ = steps_.size();
    first_token_ = snapshot();
  }
  if (on_step) on_step(steps_.back());
}

/// What was not simulated of it is added.
void Inference::end_step(Step& step, const models::Program& program) {
  for (std::size_t c = 0; c < program.streams.size(); ++c) {
    std::uint64_t cycles = 0;
    soc_.read(chip::address_map::cluster_registers(static_cast<unsigned>(c)) + FR_CLUSTER_CYCLES,
              {reinterpret_cast<std::uint8_t*>(&cycles), sizeof cycles});
    step.cycles = std::max(step.cycles, cycles);
  }
  if (counted_.empty()) return;
  const auto before = counted_before_, more = counted_[&program == &program_ ? 0 : 1].end_step();
  counted_before_ += more;
  step.begin += static_cast<double>(before) * 1e-12;
  step.end += static_cast<double>(before + more) * 1e-12;
  step.cycles += static_cast<std::uint64_t>(ip::Clock(soc_.chip().clusters.clock).ps_to_cycles(more));
}

bool Inference::prompts_done() const {
  for (std::size_t i = 0; i < positions_.size(); ++i)
    if (positions_[i] < request_.sequences[i].cached + request_.sequences[i].tokens.size()) return false;
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
  for (const auto& peer : peers_) peers_end_.push_back(take_snapshot(*peer.soc, tags().size()));
  if (on_end) on_end();
  const ip::Message stop{FR_MESSAGE_STOP, failure_.empty() ? 0u : 1u};
  reply([this, stop] {
    soc_.host().host_send(stop);
    for (const auto& peer : peers_) peer.soc->host().host_send(stop);
  });
}

std::string Inference::describe_progress() const {
  if (messages_ == 0) return "firmware has sent no message";
  if (start_.values.empty()) return "firmware is ready, and has not begun";
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < positions_.size(); ++i) done += positions_[i] - request_.sequences[i].cached;
  return fmt::format("{} steps are done, {} of {} tokens", steps_.size(), done,
                     request_.given() + request_.to_generate());
}

std::string Inference::describe_failure(const ip::Message& message, soc::Soc& soc, const models::Program& own,
                                        const models::Program* draft) const {
  const auto& program = draft != nullptr && draft->header.load_address == message[7] ? *draft : own;
  auto text = failure_text(message[1]);
  if (message[1] == FR_FAILURE_CLUSTER) {
    std::string where;
    const auto cluster = message[2];
    if (cluster < program.streams.size()) {
      const auto& stream = program.streams[cluster];
      if (message[5] + sizeof(fr_command_header) <= stream.size()) {
        fr_command_header header;
        std::memcpy(&header, stream.data() + message[5], sizeof header);
        if (header.tag < program.tags.size()) where = fmt::format(" in {}", program.tags[header.tag]);
      }
    }
    text += fmt::format("\n  cluster {}: {}: {:#x}; the command is at byte {:#x} of its stream{}", cluster,
                        error_text(message[3]), message[4], message[5], where);
  } else if (message[1] == FR_FAILURE_TIMEOUT) {
    text += fmt::format("\n  cluster {} has not ended", message[2]);
    if (const auto stall = soc.describe_stall(); !stall.empty()) text += "\n" + stall;
  }
  return text;
}

}  // namespace forerun::sim
