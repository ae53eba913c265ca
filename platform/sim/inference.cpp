// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

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

std::span<const std::uint8_t> bytes_of(const std::vector<std::uint32_t>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(std::uint32_t)};
}

}  // namespace

Inference::Inference(soc::Soc& soc, const models::Program& program, InferenceRequest request,
                     std::vector<Peer> peers)
    : soc_(soc),
      program_(program),
      request_(std::move(request)),
      peers_(std::move(peers)),
      chosen_(peers_.size()),
      ids_(request_.tokens) {
  if (request_.tokens.empty()) throw std::invalid_argument("a run needs one token at least");
  load(soc, program);
  soc.mailbox.on_message = [this] {
    while (const auto message = soc_.mailbox.host_receive()) take(*message);
  };
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    load(*peers_[i].soc, *peers_[i].program);
    peers_[i].soc->mailbox.on_message = [this, i] {
      while (const auto message = peers_[i].soc->mailbox.host_receive()) take_from(i, *message);
    };
  }
}

void Inference::load(soc::Soc& soc, const models::Program& program) const {
  const bool data = soc.chip().data == chip::Data::real;
  for (const auto& segment : program.segments)
    if (!segment.bytes.empty() && data) soc.write(segment.address, segment.bytes);
  soc.write(program.header.load_address, models::make_head(program, data));
  soc.write(program.header.token_ids, bytes_of(request_.tokens));
}

void Inference::take(const ip::Message& message) {
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return ready();
    case FR_MESSAGE_STEP:
      return take_step(message);
    case FR_MESSAGE_DONE:
      return done();
    case FR_MESSAGE_FAILED:
      failure_ = describe_failure(message, soc_, program_);
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

void Inference::take_from(std::size_t peer, const ip::Message& message) {
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return ready();
    case FR_MESSAGE_STEP:
      return chosen_[peer].push_back(static_cast<std::uint32_t>(message[3]));
    case FR_MESSAGE_DONE:
      return done();
    case FR_MESSAGE_FAILED:
      failure_ = describe_failure(message, *peers_[peer].soc, *peers_[peer].program);
      break;
    default:
      failure_ = fmt::format("firmware sent a message of type {} ({:#x}, {:#x}, {:#x})", message[0],
                             message[1], message[2], message[3]);
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
  const auto same = [this](const std::vector<std::uint32_t>& chosen) {
    return std::equal(steps_.begin(), steps_.end(), chosen.begin(), chosen.end(),
                      [](const Step& step, std::uint32_t id) { return step.id == id; });
  };
  return std::all_of(chosen_.begin(), chosen_.end(), same);
}

void Inference::request_run() {
  if (on_ready) on_ready();
  start_ = take_snapshot(soc_);
  for (const auto& peer : peers_) peers_start_.push_back(take_snapshot(*peer.soc));
  first_token_ = start_;
  boot_seconds_ = static_cast<double>(start_.picoseconds) * 1e-12;
  std::uint64_t flags = 0;
  if (request_.temperature) flags |= FR_RUN_SAMPLE;
  if (request_.teacher) flags |= FR_RUN_TEACHER;
  if (request_.keep_logits) flags |= FR_RUN_ALL_LOGITS;
  const auto run = [&](soc::Soc& soc, const models::Program& program) {
    soc.mailbox.host_send({FR_MESSAGE_RUN, program.header.load_address, request_.tokens.size(),
                           request_.generate, flags,
                           std::bit_cast<std::uint32_t>(request_.temperature.value_or(0)), request_.seed,
                           request_.step_timeout});
  };
  run(soc_, program_);
  for (const auto& peer : peers_) run(*peer.soc, *peer.program);
}

void Inference::take_step(const ip::Message& message) {
  const double tick = 1 / soc_.chip().peripherals.timebase.hertz;
  Step step{message[1],
            message[2],
            static_cast<std::uint32_t>(message[3]),
            static_cast<double>(message[4]) * tick,
            static_cast<double>(message[5]) * tick,
            0};
  for (std::size_t c = 0; c < program_.streams.size(); ++c) {
    std::uint64_t cycles = 0;
    soc_.read(chip::address_map::cluster_registers(static_cast<unsigned>(c)) + FR_CLUSTER_CYCLES,
              {reinterpret_cast<std::uint8_t*>(&cycles), sizeof cycles});
    step.cycles = std::max(step.cycles, cycles);
  }
  steps_.push_back(step);
  const auto last = step.position + step.tokens;
  if (!request_.teacher && last >= request_.tokens.size()) ids_.push_back(step.id);
  if (!prefilled_ && last >= request_.tokens.size()) {
    prefilled_ = true;
    first_token_ = take_snapshot(soc_);
  }
  if (request_.keep_logits && soc_.chip().data == chip::Data::real) {
    const auto columns = program_.header.vocabulary;
    const auto old = logits_.size();
    logits_.resize(old + step.tokens * columns);
    soc_.read(program_.header.logits + step.position * columns * sizeof(float),
              {reinterpret_cast<std::uint8_t*>(logits_.data() + old), step.tokens * columns * sizeof(float)});
  }
  if (on_step) on_step(step);
}

void Inference::finish() {
  end_ = take_snapshot(soc_);
  for (const auto& peer : peers_) peers_end_.push_back(take_snapshot(*peer.soc));
  if (on_end) on_end();
  const ip::Message stop{FR_MESSAGE_STOP, failure_.empty() ? 0u : 1u};
  reply([this, stop] {
    soc_.mailbox.host_send(stop);
    for (const auto& peer : peers_) peer.soc->mailbox.host_send(stop);
  });
}

std::string Inference::describe_failure(const ip::Message& message, soc::Soc& soc,
                                        const models::Program& program) const {
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
