// SPDX-License-Identifier: Apache-2.0
#include "ip/command/command_processor.hpp"

#include <algorithm>
#include <limits>

namespace forerun::ip {
namespace {

constexpr std::uint64_t parameter_line = ~std::uint64_t{0} - 1, register_line = ~std::uint64_t{0} - 2;

#define FR_F(TYPE, NAME, DESCRIPTION) +sizeof(TYPE)
#define FR_X(NAME, NUMBER, ENGINE, FIELDS, DESCRIPTION)                                     \
  table[NUMBER] = {static_cast<unsigned>(sizeof(fr_command_header) + (0 FIELDS(FR_F))) / 8, \
                   FR_ENGINE_##ENGINE};
std::array<OpcodeInfo, 256> make_table() {
  std::array<OpcodeInfo, 256> table{};
  FR_OPCODES(FR_X)
  return table;
}
#undef FR_X
#undef FR_F

bool write_field(unsigned char* at, unsigned width, std::int64_t addend) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, width);
  value += static_cast<std::uint64_t>(addend);
  std::memcpy(at, &value, width);
  return true;
}

}  // namespace

OpcodeInfo opcode_info(unsigned opcode) {
  static const auto table = make_table();
  return table[opcode & 0xff];
}

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
  stream_ = stream;
  stream_bytes_ = bytes;
  parameter_address_ = parameters;
  pc_ = depth_ = 0;
  registers_.fill(0);
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

std::int64_t CommandProcessor::iteration(std::uint64_t body) const {
  for (unsigned i = 0; i < depth_; ++i)
    if (loops_[i].body == body) return loops_[i].iteration;
  return -1;
}

void CommandProcessor::fault(std::uint32_t error, std::uint64_t value) {
  running_ = false;
  on_fault_(pc_, {error, value});
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
      std::memcpy(registers_.data(), payload.get_data_ptr(), FR_PARAMETERS * 8);
      have_parameters_ = true;
    } else if (flight_line_ == register_line) {
      std::memcpy(registers_.data() + read_to_, payload.get_data_ptr(), payload.get_data_length());
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
  const auto begin = std::max(stream_, line * line_bytes),
             end = std::min(stream_ + stream_bytes_, (line + 1) * line_bytes);
  if (flight_ != nullptr || begin >= end) return;
  flight_line_ = line;
  send(begin, static_cast<std::uint32_t>(end - begin));
}

bool CommandProcessor::available(std::uint64_t from, std::uint64_t bytes) {
  const auto first = (stream_ + from) / line_bytes, last = (stream_ + from + bytes - 1) / line_bytes;
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
  for (auto at = stream_ + from; bytes > 0;) {
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
  if (pc_ + sizeof(fr_command_header) > stream_bytes_) return fault(FR_ERROR_STREAM_END, pc_);
  Command command;
  command.offset = pc_;
  fr_command_header header{};
  bool here = available(pc_, sizeof header);
  if (here) {
    copy(pc_, command.bytes, sizeof header);
    header = command.header();
    const auto info = opcode_info(header.opcode);
    if (info.words == 0) return fault(FR_ERROR_OPCODE, header.opcode);
    if (header.words != info.words + header.patches || header.words > FR_COMMAND_MAX_WORDS ||
        header.reserved != 0)
      return fault(FR_ERROR_COMMAND, header.words);
    for (const auto* uses : {header.wait, header.signal})
      for (int i = 0; i < 2; ++i)
        if (uses[i].semaphore != FR_NO_SEMAPHORE && uses[i].semaphore >= FR_SEMAPHORES)
          return fault(FR_ERROR_SEMAPHORE, uses[i].semaphore);
    if (pc_ + header.words * 8u > stream_bytes_) return fault(FR_ERROR_STREAM_END, pc_);
    here = available(pc_, header.words * 8u);
  }
  if (!here) {
    if (waiting_fetch_ < 0) waiting_fetch_ = now;
    return;
  }
  since(waiting_fetch_, fetch_time);
  const auto info = opcode_info(header.opcode);
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
  copy(pc_, command.bytes, header.words * 8u);
  if (!patch(command, header)) return;
  ++dispatched;
  if (info.engine == FR_ENGINE_COMMAND) {
    if (!execute(command, header)) return;
  } else {
    engines_[info.engine]->push(command);
    pc_ += header.words * 8u;
  }
  next_dispatch_ = now + clock_.cycles_to_ps(parameters_.dispatch_cycles);
  step_.after(to_sc_time({next_dispatch_ - now}));
}

bool CommandProcessor::patch(Command& command, const fr_command_header& header) {
  const auto end = (header.words - header.patches) * 8u;
  for (unsigned i = 0; i < header.patches; ++i) {
    fr_patch p;
    std::memcpy(&p, command.bytes + end + i * sizeof p, sizeof p);
    const bool good_width = p.width == 1 || p.width == 2 || p.width == 4 || p.width == 8;
    if (!good_width || p.offset < sizeof(fr_command_header) || p.offset + p.width > end ||
        p.reg >= FR_REGISTERS) {
      fault(FR_ERROR_COMMAND, p.offset);
      return false;
    }
    write_field(command.bytes + p.offset, p.width,
                static_cast<std::int64_t>(static_cast<std::uint64_t>(registers_[p.reg]) *
                                          static_cast<std::uint64_t>(std::int64_t{p.scale})));
  }
  return true;
}

bool CommandProcessor::execute(const Command& command, const fr_command_header& header) {
  const auto after = pc_ + header.words * 8u;
  switch (header.opcode) {
    case FR_OP_END:
      running_ = false;
      on_end_();
      return false;
    case FR_OP_LOOP: {
      const auto loop = command.as<fr_loop>();
      if (loop.counter < FR_PARAMETERS || loop.counter >= FR_REGISTERS)
        return fault(FR_ERROR_COMMAND, loop.counter), false;
      if (loop.count <= 0) {
        pc_ = after + loop.body;
        return true;
      }
      if (depth_ == FR_LOOP_DEPTH) return fault(FR_ERROR_LOOP, depth_), false;
      loops_[depth_++] = {after, loop.count, 0, loop.counter};
      registers_[loop.counter] = 0;
      pc_ = after;
      return true;
    }
    case FR_OP_ENDLOOP: {
      if (depth_ == 0) return fault(FR_ERROR_LOOP, pc_), false;
      auto& loop = loops_[depth_ - 1];
      ++loop.iteration;
      for (const auto& leap : leaps)
        if (leap.iteration == loop.iteration && leap.at == loop.body && loop.iteration < loop.count)
          loop.iteration += (loop.count - loop.iteration) / leap.period * leap.period;
      if (loop.iteration < loop.count) {
        registers_[loop.counter] = loop.iteration;
        pc_ = loop.body;
      } else {
        --depth_;
        pc_ = after;
      }
      return true;
    }
    case FR_OP_READ: {
      const auto read = command.as<fr_read>();
      if (read.rd < FR_PARAMETERS || read.rd >= FR_REGISTERS || read.count == 0 || read.count > 16 ||
          read.rd + read.count > FR_REGISTERS)
        return fault(FR_ERROR_COMMAND, read.rd), false;
      if (read.address % 8 != 0 || read.address % line_bytes + read.count * 8 > line_bytes)
        return fault(FR_ERROR_COMMAND, read.address), false;
      pc_ = after;
      reading_ = true;
      read_to_ = read.rd;
      flight_line_ = register_line;
      send(read.address, read.count * 8);
      return true;
    }
    case FR_OP_SCALAR:
      if (!scalar(command.as<fr_scalar>())) return false;
      break;
    default:  // SYNC: the engines are idle
      break;
  }
  pc_ = after;
  return true;
}

bool CommandProcessor::scalar(const fr_scalar& command) {
  const auto good = [](unsigned reg) { return reg < FR_REGISTERS || reg == 255; };
  if (command.rd < FR_PARAMETERS || command.rd >= FR_REGISTERS || !good(command.ra) || !good(command.rb)) {
    fault(FR_ERROR_COMMAND, command.rd);
    return false;
  }
  const auto a = static_cast<std::uint64_t>(command.ra == 255 ? 0 : registers_[command.ra]);
  const auto b = static_cast<std::uint64_t>(command.rb == 255 ? 0 : registers_[command.rb]) +
                 static_cast<std::uint64_t>(command.imm);
  const auto sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
  const auto floor_divide = [&](std::int64_t x, std::int64_t y) {
    if (y == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
    const auto q = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
  };
  auto& d = registers_[command.rd];
  const auto set = [&d](std::uint64_t value) { d = static_cast<std::int64_t>(value); };
  if ((command.op == FR_SCALAR_DIV || command.op == FR_SCALAR_CEIL_DIV || command.op == FR_SCALAR_MOD) &&
      sb == 0) {
    fault(FR_ERROR_DIVIDE, pc_);
    return false;
  }
  switch (command.op) {
    case FR_SCALAR_ADD:
      set(a + b);
      break;
    case FR_SCALAR_SUB:
      set(a - b);
      break;
    case FR_SCALAR_MUL:
      set(a * b);
      break;
    case FR_SCALAR_DIV:
      d = floor_divide(sa, sb);
      break;
    case FR_SCALAR_CEIL_DIV:
      set(0 - static_cast<std::uint64_t>(floor_divide(static_cast<std::int64_t>(0 - a), sb)));
      break;
    case FR_SCALAR_MOD:
      set(a - b * static_cast<std::uint64_t>(floor_divide(sa, sb)));
      break;
    case FR_SCALAR_MIN:
      d = std::min(sa, sb);
      break;
    case FR_SCALAR_MAX:
      d = std::max(sa, sb);
      break;
    case FR_SCALAR_LESS:
      d = sa < sb ? 1 : 0;
      break;
    case FR_SCALAR_EQUAL:
      d = sa == sb ? 1 : 0;
      break;
    case FR_SCALAR_SHL:
      set(a << (b & 63));
      break;
    case FR_SCALAR_SHR:
      d = sa >> (b & 63);
      break;
    case FR_SCALAR_AND:
      set(a & b);
      break;
    case FR_SCALAR_OR:
      set(a | b);
      break;
    default:
      fault(FR_ERROR_COMMAND, command.op);
      return false;
  }
  return true;
}

}  // namespace forerun::ip
