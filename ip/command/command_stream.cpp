// SPDX-License-Identifier: Apache-2.0
#include "ip/command/command_stream.hpp"

#include <algorithm>
#include <cstring>

#include "firmware/abi/opcodes.hpp"

namespace forerun::ip {
namespace {

void write_field(unsigned char* at, unsigned width, std::int64_t addend) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, width);
  value += static_cast<std::uint64_t>(addend);
  std::memcpy(at, &value, width);
}

}  // namespace

void CommandStream::begin(std::uint64_t bytes) {
  bytes_ = bytes;
  pc = depth_ = 0;
  registers.fill(0);
}

std::int64_t CommandStream::iteration(std::uint64_t body) const {
  for (unsigned i = 0; i < depth_; ++i)
    if (loops_[i].body == body) return loops_[i].iteration;
  return -1;
}

LocalFault CommandStream::check(const fr_command_header& header) const {
  const auto& info = abi::opcodes[header.opcode];
  if (info.words == 0) return {FR_ERROR_OPCODE, header.opcode};
  if (header.words != info.words + header.patches || header.words > FR_COMMAND_MAX_WORDS ||
      header.reserved != 0)
    return {FR_ERROR_COMMAND, header.words};
  for (const auto* uses : {header.wait, header.signal})
    for (int i = 0; i < 2; ++i)
      if (uses[i].semaphore != FR_NO_SEMAPHORE && uses[i].semaphore >= FR_SEMAPHORES)
        return {FR_ERROR_SEMAPHORE, uses[i].semaphore};
  if (pc + header.words * 8u > bytes_) return {FR_ERROR_STREAM_END, pc};
  return {};
}

LocalFault CommandStream::patch(Command& command) const {
  const auto header = command.header();
  const auto end = (header.words - header.patches) * 8u;
  for (unsigned i = 0; i < header.patches; ++i) {
    fr_patch p;
    std::memcpy(&p, command.bytes + end + i * sizeof p, sizeof p);
    const bool good_width = p.width == 1 || p.width == 2 || p.width == 4 || p.width == 8;
    if (!good_width || p.offset < sizeof(fr_command_header) || p.offset + p.width > end ||
        p.reg >= FR_REGISTERS)
      return {FR_ERROR_COMMAND, p.offset};
    write_field(command.bytes + p.offset, p.width,
                static_cast<std::int64_t>(static_cast<std::uint64_t>(registers[p.reg]) *
                                          static_cast<std::uint64_t>(std::int64_t{p.scale})));
  }
  return {};
}

LocalFault CommandStream::execute(const Command& command) {
  const auto header = command.header();
  const auto after = pc + header.words * 8u;
  switch (header.opcode) {
    case FR_OP_LOOP:
      return begin_loop(command.as<fr_loop>(), after);
    case FR_OP_ENDLOOP:
      return end_loop(after);
    case FR_OP_READ: {
      const auto read = command.as<fr_read>();
      if (read.rd < FR_PARAMETERS || read.rd >= FR_REGISTERS || read.count == 0 || read.count > 16 ||
          read.rd + read.count > FR_REGISTERS)
        return {FR_ERROR_COMMAND, read.rd};
      if (read.address % 8 != 0 || read.address % line_bytes + read.count * 8 > line_bytes)
        return {FR_ERROR_COMMAND, read.address};
      break;
    }
    case FR_OP_SCALAR:
      if (const auto fault = scalar(command.as<fr_scalar>()); fault.error != 0) return fault;
      break;
    default:  // SYNC, END: the engines are idle
      break;
  }
  pc = after;
  return {};
}

LocalFault CommandStream::begin_loop(const fr_loop& loop, std::uint64_t after) {
  if (loop.counter < FR_PARAMETERS || loop.counter >= FR_REGISTERS) return {FR_ERROR_COMMAND, loop.counter};
  if (loop.count <= 0) {
    pc = after + loop.body;
    return {};
  }
  if (depth_ == FR_LOOP_DEPTH) return {FR_ERROR_LOOP, depth_};
  loops_[depth_++] = {after, loop.count, 0, loop.counter};
  registers[loop.counter] = 0;
  pc = after;
  return {};
}

LocalFault CommandStream::end_loop(std::uint64_t after) {
  if (depth_ == 0) return {FR_ERROR_LOOP, pc};
  auto& loop = loops_[depth_ - 1];
  ++loop.iteration;
  for (const auto& leap : leaps)
    if (leap.iteration == loop.iteration && leap.at == loop.body && loop.iteration < loop.count)
      loop.iteration += (loop.count - loop.iteration) / leap.period * leap.period;
  if (loop.iteration < loop.count) {
    registers[loop.counter] = loop.iteration;
    pc = loop.body;
  } else {
    --depth_;
    pc = after;
  }
  return {};
}

LocalFault CommandStream::scalar(const fr_scalar& command) {
  const auto good = [](unsigned reg) { return reg < FR_REGISTERS || reg == 255; };
  if (command.rd < FR_PARAMETERS || command.rd >= FR_REGISTERS || !good(command.ra) || !good(command.rb)) {
    return {FR_ERROR_COMMAND, command.rd};
  }
  const auto a = static_cast<std::uint64_t>(command.ra == 255 ? 0 : registers[command.ra]);
  const auto b = static_cast<std::uint64_t>(command.rb == 255 ? 0 : registers[command.rb]) +
                 static_cast<std::uint64_t>(command.imm);
  const auto sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
  const auto floor_divide = [&](std::int64_t x, std::int64_t y) {
    if (y == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
    const auto q = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
  };
  auto& d = registers[command.rd];
  const auto set = [&d](std::uint64_t value) { d = static_cast<std::int64_t>(value); };
  if ((command.op == FR_SCALAR_DIV || command.op == FR_SCALAR_CEIL_DIV || command.op == FR_SCALAR_MOD) &&
      sb == 0) {
    return {FR_ERROR_DIVIDE, pc};
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
      return {FR_ERROR_COMMAND, command.op};
  }
  return {};
}

}  // namespace forerun::ip
