// SPDX-License-Identifier: Apache-2.0
#include "ip/command/command_processor.hpp"

#include <algorithm>
#include <limits>

#include "firmware/abi/opcodes.hpp"

namespace forerun::ip {
namespace {

constexpr std::uint64_t parameter_line = ~std::uint64_t{0} - 1, register_line = ~std::uint64_t{0} - 2;

}  // namespace

CommandProcessor::CommandProcessor(const sc_core::sc_module_name& name, const CommandParameters& parameters)
    : sc_module(name),
      global("global"),
      parameters_(parameters),
      clock_(parameters.clock),
      pool_(line_bytes),
      lines_(std::max<std::uint64_t>(4, parameters.fetch_buffer.count / line_bytes)) {
  global.register_nb_transport_bw(this, &CommandProcessor::nb_transport_bw);
}

void CommandProcessor::connect(std::array<Engine*, FR_ENGINE_COUNT> engines, Semaphores& semaphores,
                               Turns& turns, std::function<void()> on_end,
                               std::function<void(std::uint64_t, LocalFault)> on_fault) {
  engines_ = engines;
  semaphores_ = &semaphores;
  semaphores.watch([this] {
    if (front_) return front_->wake();
    if (waiting_semaphore_ >= 0) step_.now();
  });
  on_end_ = std::move(on_end);
  on_fault_ = std::move(on_fault);
  turns.add(step_, *this, [this] { step(); });
  turns.add(arrive_, *this, [this] { deliver(); });
}

void CommandProcessor::use(std::unique_ptr<CommandFront> front) {
  front_ = std::move(front);
  from_front_ = std::make_unique<tlm_utils::simple_target_socket<CommandProcessor>>(
      sc_core::sc_gen_unique_name("from_front"));
  from_front_->register_nb_transport_fw(this, &CommandProcessor::fetch_for_front);
  front_->bind(*from_front_);
  front_->connect(
      {.has_room = [this](unsigned engine) { return engines_[engine]->has_room(); },
       .push =
           [this](unsigned engine, const Command& command) {
             ++dispatched;
             engines_[engine]->push(command);
           },
       .take_semaphores = [this](const fr_command_header& header) { return semaphores_->try_take(header); },
       .on_end =
           [this] {
             running_ = false;
             on_end_();
           },
       .on_fault =
           [this](std::uint64_t offset, LocalFault fault) {
             running_ = false;
             on_fault_(offset, fault);
           }});
}

tlm::tlm_sync_enum CommandProcessor::fetch_for_front(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                     sc_core::sc_time& delay) {
  if (phase == tlm::BEGIN_REQ && payload.is_read()) fetched += payload.get_data_length();
  return global->nb_transport_fw(payload, phase, delay);
}

void CommandProcessor::start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters) {
  if (front_) {
    running_ = true;
    return front_->start(stream, bytes, parameters);
  }
  base_ = stream;
  stream_bytes_ = bytes;
  parameter_address_ = parameters;
  stream_.begin(bytes);
  for (auto& line : lines_) line.valid = false;
  waiting_fetch_ = waiting_queue_ = waiting_semaphore_ = -1;
  running_ = true;
  have_parameters_ = reading_ = false;
  step_.after(clock_.cycles(1));
}

void CommandProcessor::stop() {
  running_ = false;
  if (front_) return front_->stop();
  stale_ = flight_ != nullptr;
  step_.cancel();
}

void CommandProcessor::fault(std::uint32_t error, std::uint64_t value) {
  running_ = false;
  on_fault_(stream_.pc, {error, value});
}

bool CommandProcessor::engines_idle() const {
  return std::all_of(engines_.begin() + 1, engines_.end(), [](const Engine* e) { return e->idle(); });
}

void CommandProcessor::send(std::uint64_t address, std::uint32_t length) {
  flight_ = &pool_.acquire(tlm::TLM_READ_COMMAND, address, length);
  fetched += length;
  auto delay = sc_core::SC_ZERO_TIME;
  if (parameters_.timing == Timing::loose) {
    global->b_transport(*flight_, delay);
    return complete(*flight_, to_picoseconds(delay));
  }
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  const auto answer = global->nb_transport_fw(*flight_, phase, delay);
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP))
    complete(*flight_, to_picoseconds(delay));
}

tlm::tlm_sync_enum CommandProcessor::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                     sc_core::sc_time& delay) {
  if (front_) return (*from_front_)->nb_transport_bw(payload, phase, delay);
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  complete(payload, to_picoseconds(delay));
  return tlm::TLM_COMPLETED;
}

void CommandProcessor::complete(tlm::tlm_generic_payload&, std::int64_t delay_ps) {
  arrive_.after(to_sc_time({delay_ps}));
}

void CommandProcessor::deliver() {
  auto& payload = *flight_;
  flight_ = nullptr;
  if (stale_) {
    stale_ = false;
  } else if (running_) {
    if (payload.get_response_status() <= tlm::TLM_INCOMPLETE_RESPONSE) {
      const auto address = payload.get_address();
      payload.release();
      return fault(FR_ERROR_FETCH, address);
    }
    if (flight_line_ == parameter_line) {
      std::memcpy(stream_.registers.data(), payload.get_data_ptr(), FR_PARAMETERS * 8);
      have_parameters_ = true;
    } else if (flight_line_ == register_line) {
      std::memcpy(stream_.registers.data() + read_to_, payload.get_data_ptr(), payload.get_data_length());
      reading_ = false;
    } else {
      auto& line = lines_[flight_line_ % lines_.size()];
      line.number = flight_line_;
      line.valid = true;
      std::memcpy(line.bytes + payload.get_address() % line_bytes, payload.get_data_ptr(),
                  payload.get_data_length());
    }
  }
  payload.release();
  if (running_) step_.now();
}

void CommandProcessor::request(std::uint64_t line) {
  const auto begin = std::max(base_, line * line_bytes),
             end = std::min(base_ + stream_bytes_, (line + 1) * line_bytes);
  if (flight_ != nullptr || begin >= end) return;
  flight_line_ = line;
  send(begin, static_cast<std::uint32_t>(end - begin));
}

bool CommandProcessor::available(std::uint64_t from, std::uint64_t bytes) {
  const auto first = (base_ + from) / line_bytes, last = (base_ + from + bytes - 1) / line_bytes;
  for (auto line = first; line <= last; ++line) {
    const auto& slot = lines_[line % lines_.size()];
    if (!slot.valid || slot.number != line) {
      request(line);
      return false;
    }
  }
  const auto& slot = lines_[(last + 1) % lines_.size()];
  if (!slot.valid || slot.number != last + 1) request(last + 1);
  return true;
}

void CommandProcessor::copy(std::uint64_t from, unsigned char* to, std::uint64_t bytes) const {
  for (auto at = base_ + from; bytes > 0;) {
    const auto skip = at % line_bytes, n = std::min(bytes, line_bytes - skip);
    std::memcpy(to, lines_[at / line_bytes % lines_.size()].bytes + skip, n);
    at += n, to += n, bytes -= n;
  }
}

void CommandProcessor::step() {
  if (!running_) return;
  const auto now = now_picoseconds();
  if (now < next_dispatch_) return step_.after(to_sc_time({next_dispatch_ - now}));
  if (reading_) return;
  const auto since = [now](std::int64_t& waiting, Counter& counter) {
    if (waiting >= 0) counter += static_cast<std::uint64_t>(now - waiting);
    waiting = -1;
  };
  if (!have_parameters_) {
    if (flight_ == nullptr) {
      flight_line_ = parameter_line;
      send(parameter_address_, FR_PARAMETERS * 8);
    }
    return;
  }
  const auto pc = stream_.pc;
  if (!stream_.header_fits()) return fault(FR_ERROR_STREAM_END, pc);
  Command command;
  command.offset = pc;
  fr_command_header header{};
  bool here = available(pc, sizeof header);
  if (here) {
    copy(pc, command.bytes, sizeof header);
    header = command.header();
    if (!good(stream_.check(header))) return;
    here = available(pc, header.words * 8u);
  }
  if (!here) {
    if (waiting_fetch_ < 0) waiting_fetch_ = now;
    return;
  }
  since(waiting_fetch_, fetch_time);
  const auto& info = abi::opcodes[header.opcode];
  if (info.engine != FR_ENGINE_COMMAND && !engines_[info.engine]->has_room()) {
    if (waiting_queue_ < 0) waiting_queue_ = now;
    return;  // progress() comes when an engine ends a command
  }
  if ((header.opcode == FR_OP_END || header.opcode == FR_OP_SYNC) && !engines_idle()) return;
  since(waiting_queue_, queue_time);
  if (header.opcode == FR_OP_READ) {
    if (flight_ != nullptr) return;  // the next line is on its way: step() comes again
    if (!semaphores_->try_take(header)) {
      if (waiting_semaphore_ < 0) waiting_semaphore_ = now;
      return;  // a count that grows calls step()
    }
    since(waiting_semaphore_, semaphore_time);
  }
  copy(pc, command.bytes, header.words * 8u);
  if (!good(stream_.patch(command))) return;
  ++dispatched;
  if (info.engine == FR_ENGINE_COMMAND) {
    if (!execute(command, header)) return;
  } else {
    engines_[info.engine]->push(command);
    stream_.skip(header);
  }
  next_dispatch_ = now + clock_.cycles_to_ps(parameters_.dispatch_cycles);
  step_.after(to_sc_time({next_dispatch_ - now}));
}

bool CommandProcessor::good(LocalFault found) {
  if (found.error != 0) fault(found.error, found.value);
  return found.error == 0;
}

/// A command for the command processor itself. False: it has ended, or found an error.
bool CommandProcessor::execute(const Command& command, const fr_command_header& header) {
  if (header.opcode == FR_OP_END) {
    running_ = false;
    on_end_();
    return false;
  }
  if (!good(stream_.execute(command))) return false;
  if (header.opcode == FR_OP_READ) {
    const auto read = command.as<fr_read>();
    reading_ = true;
    read_to_ = read.rd;
    flight_line_ = register_line;
    send(read.address, read.count * 8);
  }
  return true;
}

}  // namespace forerun::ip
