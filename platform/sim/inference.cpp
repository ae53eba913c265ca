// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "firmware/abi/command.h"
#include "firmware/abi/message.h"
#include "firmware/abi/registers.h"
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

Inference::Inference(soc::Soc& soc, const models::Program& program, InferenceRequest request)
    : soc_(soc), program_(program), request_(std::move(request)), ids_(request_.tokens) {
  if (request_.tokens.empty()) throw std::invalid_argument("a run needs one token at least");
  const bool data = soc.chip().data == chip::Data::real;
  for (const auto& segment : program.segments)
    if (!segment.bytes.empty() && data) soc.write(segment.address, segment.bytes);
  soc.write(program.header.load_address, models::make_head(program, data));
  soc.write(program.header.token_ids, bytes_of(request_.tokens));
  soc.mailbox.on_message = [this] {
    while (const auto message = soc_.mailbox.host_receive()) take(*message);
  };
}

void Inference::take(const ip::Message& message) {
  switch (message[0]) {
    case FR_MESSAGE_READY:
      return request_run();
    case FR_MESSAGE_STEP:
      return take_step(message);
    case FR_MESSAGE_DONE:
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
  start_ = take_snapshot(soc_);
  first_token_ = start_;
  boot_seconds_ = static_cast<double>(start_.picoseconds) * 1e-12;
  std::uint64_t flags = 0;
  if (request_.temperature) flags |= FR_RUN_SAMPLE;
  if (request_.teacher) flags |= FR_RUN_TEACHER;
  if (request_.keep_logits) flags |= FR_RUN_ALL_LOGITS;
  soc_.mailbox.host_send(
      {FR_MESSAGE_RUN, program_.header.load_address, request_.tokens.size(), request_.generate, flags,
       std::bit_cast<std::uint32_t>(request_.temperature.value_or(0)), request_.seed, request_.step_timeout});
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
