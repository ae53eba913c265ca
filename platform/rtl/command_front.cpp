// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/command_front.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "ip/base/time.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace {

constexpr unsigned engine_shift = 12;  // of TDEST, in the addresses of a stream's writes

/// One that waits for room, and the next.
RtlPlace two_at_a_time(RtlPlace place) {
  place.stream_packets = 2;
  return place;
}

}  // namespace

std::string command_model(const chip::Chip& chip, Waves waves) {
  if (!chip.rtl.command.text.empty()) return chip.rtl.command.text;
  const auto folder = std::filesystem::path(FORERUN_INCLUDE_DIR) / "ip/command/rtl";
  VerilateRequest request;
  request.top = "command_processor";
  request.sources = {folder / "../../cpu/rtl/riscv_divider.sv", folder / "command_processor.sv"};
  request.parameters = {{"LINES", std::to_string(std::bit_floor(std::max<std::uint64_t>(
                                      4, chip.clusters.command.fetch_buffer.count / 256)))}};
  request.waves = waves;
  request.pins = read_text(folder / "command_processor.yaml");
  return verilated(request).string();
}

RtlCommand::RtlCommand(const sc_core::sc_module_name& name, const std::string& file, RtlPlace place)
    : sc_module(name), device_("front", file, two_at_a_time(std::move(place))) {
  const auto refuse = [&](const std::string& text) {
    throw std::runtime_error(fmt::format("rtl.command: {}: {}", file, text));
  };
  if (device_.initiators.size() != 2 || !device_.targets.empty() ||
      device_.initiators[0].face->map.role == device_.initiators[1].face->map.role)
    refuse("expected two interfaces, axi4 with role manager and axi4-stream with role transmitter");
  for (const auto* signal : {"start", "stream", "stream_bytes", "parameters", "ended", "done", "fault",
                             "fault_error", "fault_offset", "fault_value"})
    if (!device_.has_signal(signal))
      refuse(fmt::format("expected signals: {{{}: ...}} in its pin map", signal));
  for (auto& initiator : device_.initiators)
    if (initiator.face->map.role == Role::transmitter) initiator.bridge->socket.bind(commands_in_);
  commands_in_.register_b_transport(this, &RtlCommand::take);
  device_.watch_signal("done", [this](const SignalValue& level) {
    if (level[0] != 0) end(false);
  });
  device_.watch_signal("fault", [this](const SignalValue& level) {
    if (level[0] != 0) end(true);
  });
}

void RtlCommand::bind(tlm::tlm_base_target_socket_b<>& fetches) {
  for (auto& initiator : device_.initiators)
    if (initiator.face->map.role == Role::manager) initiator.bridge->socket.bind(fetches);
}

void RtlCommand::compare(std::function<void(const Difference&, unsigned tag)> on_difference) {
  check_ = std::make_unique<ip::LockstepCommands>();
  on_difference_ = std::move(on_difference);
  for (auto& initiator : device_.initiators)
    if (initiator.face->map.role == Role::manager)
      initiator.bridge->on_answer = [this](const tlm::tlm_generic_payload& payload) {
        if (running_ && payload.is_read())
          check_->read(payload.get_address(), payload.get_data_ptr(), payload.get_data_length(),
                       payload.is_response_ok());
      };
}

void RtlCommand::tell(const ip::LockstepCommands::Result& found) {
  if (!found || !on_difference_) return;
  const auto now = ip::now_picoseconds();
  std::exchange(on_difference_, nullptr)(
      {device_.label(), found->command,
       static_cast<std::uint64_t>(now / period(device_.frequency()).picoseconds), now, found->what},
      found->tag);
}

/// `start` is high until the run ends.
void RtlCommand::start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters) {
  const auto now = ip::now_picoseconds();
  device_.drive_signal("stream", {stream}, now);
  device_.drive_signal("stream_bytes", {bytes}, now);
  device_.drive_signal("parameters", {parameters}, now);
  device_.drive_signal("ended", {0}, now);
  device_.drive_signal("start", {1}, now);
  if (device_.has_signal("granted")) device_.drive_signal("granted", {0}, now);
  ended_ = granted_ = offset_ = 0;
  if (check_) check_->start(stream, bytes, parameters);
  running_ = true;
  ++run_;
}

void RtlCommand::end(bool by_fault) {
  if (!running_) return;
  running_ = false;
  device_.drive_signal("start", {0}, ip::now_picoseconds());
  const ip::LocalFault fault{static_cast<std::uint32_t>(value("fault_error")), value("fault_value")};
  if (check_) tell(by_fault ? check_->failed(value("fault_offset"), fault) : check_->ended(ended_));
  if (by_fault)
    host_.on_fault(value("fault_offset"), fault);
  else
    host_.on_end();
}

/// The block is reset: what it has under way ends without effect.
void RtlCommand::stop() {
  if (!running_) return;
  running_ = false;
  ++run_;
  device_.drive_signal("start", {0}, ip::now_picoseconds());
  device_.reset();
  moved_.notify(sc_core::SC_ZERO_TIME);
}

void RtlCommand::progress() {
  if (!running_) return;
  device_.drive_signal("ended", {++ended_}, ip::now_picoseconds());
  moved_.notify(sc_core::SC_ZERO_TIME);
}

void RtlCommand::take(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  const auto engine = static_cast<unsigned>(payload.get_address() >> engine_shift);
  const auto words = payload.get_data_length() / 8;
  if (!running_) return;
  if (engine >= FR_ENGINE_COUNT || (engine == 0 && !device_.has_signal("granted")) ||
      payload.get_data_length() % 8 != 0 || words < 3 || words > FR_COMMAND_MAX_WORDS + 1)
    throw std::runtime_error(
        fmt::format("{}: {}: a packet of {} bytes for engine {}, expected the byte offset and a command, for "
                    "engine 1 to {}",
                    device_.file(), device_.label(), payload.get_data_length(), engine, FR_ENGINE_COUNT - 1));
  ip::Command command{};
  std::memcpy(&command.offset, payload.get_data_ptr(), 8);
  std::memcpy(command.bytes, payload.get_data_ptr() + 8, payload.get_data_length() - 8);
  if (check_ && on_difference_) tell(check_->sent(engine, command, ended_));
  const auto run = run_, ticket = tickets_++;
  const auto waits = [&] {
    return ticket != served_ ||
           (engine == 0 ? !host_.take_semaphores(command.header()) : !host_.has_room(engine));
  };
  while (run == run_ && waits()) sc_core::wait(moved_);
  ++served_;
  moved_.notify(sc_core::SC_ZERO_TIME);
  if (run != run_) return;
  offset_ = command.offset;
  if (engine == 0 && check_) check_->granted();
  if (engine == 0) return device_.drive_signal("granted", {++granted_}, ip::now_picoseconds());
  ++commands_;
  host_.push(engine, command);
}

}  // namespace forerun::rtl
