// SPDX-License-Identifier: Apache-2.0
#include "ip/command/lockstep_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "firmware/abi/opcodes.hpp"

namespace forerun::ip {
namespace {

const char* error_name(std::uint32_t error) {
  switch (error) {
#define FR_X(NAME, NUMBER, DESCRIPTION) \
  case NUMBER:                          \
    return #NAME;
    FR_ERRORS(FR_X)
#undef FR_X
    default:
      return "unknown";
  }
}

std::string text(LocalFault fault) {
  return fmt::format("error {} ({}) with {:#x}", fault.error, error_name(fault.error), fault.value);
}

std::string title(const Command& command) {
  const auto name = abi::opcodes[command.header().opcode].name;
  return fmt::format("{} at byte {} of the stream", name.empty() ? "no command" : name, command.offset);
}

std::uint64_t number(const unsigned char* at, unsigned bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, bytes);
  return value;
}

}  // namespace

void LockstepCommands::start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters) {
  stream_.begin(bytes);
  base_ = stream;
  bytes_ = bytes;
  words_.clear();
  data_.clear();
  sent_ = drained_ = 0;
  command_ = {};
  expect_data(parameters, 0, FR_PARAMETERS);
}

void LockstepCommands::read(std::uint64_t address, const unsigned char* data, std::uint64_t bytes,
                            bool good) {
  for (std::uint64_t i = 0; i + 8 <= bytes; i += 8) {
    const Word word{number(data + i, 8), good};
    if (address + i - base_ < bytes_)
      words_[address + i] = word;
    else
      data_.push_back({address + i, word});
  }
  advance();
}

void LockstepCommands::fail(LocalFault fault) {
  fault_ = fault;
  state_ = State::fault;
}

void LockstepCommands::expect_data(std::uint64_t address, unsigned first, unsigned count) {
  state_ = State::data;
  data_from_ = address;
  data_first_ = first;
  data_count_ = count;
}

/// Bytes of the stream that have been read; false: not all, or not without an error.
bool LockstepCommands::load(std::uint64_t from, std::uint64_t bytes, unsigned char* to) {
  for (std::uint64_t i = 0; i < bytes; i += 8) {
    const auto found = words_.find(base_ + from + i);
    if (found == words_.end()) {
      state_ = State::words;
      missing_ = from + i;
      return false;
    }
    if (!found->second.good) {
      fail({FR_ERROR_FETCH, base_ + from + i});
      return false;
    }
    std::memcpy(to + i, &found->second.value, 8);
  }
  return true;
}

/// Each word from the first read of it that no other READ has had.
bool LockstepCommands::take_data() {
  const auto before = data_;
  for (unsigned i = 0; i < data_count_; ++i) {
    const auto found = std::find_if(data_.begin(), data_.end(), [&](const auto& word) {
      return word.first == data_from_ + std::uint64_t{i} * 8;
    });
    if (found == data_.end()) {
      data_ = before;
      return false;
    }
    if (!found->second.good) {
      fail({FR_ERROR_FETCH, data_from_});
      return true;
    }
    stream_.registers[data_first_ + i] = static_cast<std::int64_t>(found->second.value);
    data_.erase(data_.begin(), found + 1);
  }
  state_ = State::words;
  return true;
}

void LockstepCommands::advance() {
  for (;;) switch (state_) {
      case State::data:
        if (!take_data()) return;
        break;
      case State::words:
        if (!look_at_command()) return;
        break;
      default:
        return;
    }
}

/// The next one; false: it is to be handed over, or cannot be looked at yet.
bool LockstepCommands::look_at_command() {
  const auto wrong = [this](LocalFault found) {
    if (found.error != 0) fail(found);
    return found.error != 0;
  };
  Command command{};
  command.offset = stream_.pc;
  if (!stream_.header_fits()) return !wrong({FR_ERROR_STREAM_END, stream_.pc});
  if (!load(stream_.pc, sizeof(fr_command_header), command.bytes)) return false;
  const auto header = command.header();
  if (wrong(stream_.check(header)) || !load(stream_.pc, header.words * 8u, command.bytes) ||
      wrong(stream_.patch(command)))
    return false;
  command_ = command;
  if (abi::opcodes[header.opcode].engine != FR_ENGINE_COMMAND) {
    state_ = State::command;
    return false;
  }
  if (header.opcode == FR_OP_END || header.opcode == FR_OP_SYNC) drained_ = sent_;
  if (header.opcode == FR_OP_END) {
    state_ = State::end;
    return false;
  }
  if (wrong(stream_.execute(command))) return false;
  if (header.opcode != FR_OP_READ) return true;
  const auto read = command.as<fr_read>();
  expect_data(read.address, read.rd, read.count);
  const bool waits =
      header.wait[0].semaphore != FR_NO_SEMAPHORE || header.wait[1].semaphore != FR_NO_SEMAPHORE;
  if (waits) state_ = State::command;
  return !waits;
}

/// What the model waits for, for a message.
std::string LockstepCommands::wanted() const {
  switch (state_) {
    case State::words:
      return fmt::format("it would read the stream first, at byte {}", missing_);
    case State::data:
      return command_.offset == 0 && sent_ == 0 && stream_.pc == 0
                 ? fmt::format("it would read the parameters first, {} words at {:#x}", data_count_,
                               data_from_)
                 : fmt::format("{} would read {} words at {:#x} first", title(command_), data_count_,
                               data_from_);
    case State::command:
      return fmt::format("{} is next", title(command_));
    case State::grant:
      return fmt::format("{} waits for its semaphores", title(command_));
    case State::end:
      return fmt::format("the stream ends at byte {}", command_.offset);
    default:
      return fmt::format("there is {} at byte {}", text(fault_), stream_.pc);
  }
}

LockstepCommands::Difference LockstepCommands::differ(const Command& command, std::string what) const {
  return {title(command), command.header().tag, std::move(what)};
}

LockstepCommands::Result LockstepCommands::compare(unsigned engine, const Command& command) const {
  const auto want = command_.header(), got = command.header();
  if (command.offset != command_.offset)
    return differ(command, fmt::format("it is handed over, by the model {} is next", title(command_)));
  if (const auto to = abi::opcodes[want.opcode].engine; engine != to)
    return differ(command, fmt::format("it goes to engine {}, by the model to engine {}", engine, to));
  unsigned at = 0;
  const auto same = [&](std::string_view name, unsigned bytes) -> Result {
    const auto a = number(command.bytes + at, bytes), b = number(command_.bytes + at, bytes);
    at += bytes;
    if (a == b) return std::nullopt;
    return differ(command, fmt::format("its field {} is {:#x}, by the model {:#x}", name, a, b));
  };
  for (const auto& [name, bytes] : std::initializer_list<std::pair<const char*, unsigned>>{{"opcode", 1},
                                                                                           {"words", 1},
                                                                                           {"patches", 1},
                                                                                           {"reserved", 1},
                                                                                           {"tag", 4},
                                                                                           {"wait[0]", 2},
                                                                                           {"wait[1]", 2},
                                                                                           {"signal[0]", 2},
                                                                                           {"signal[1]", 2}})
    if (auto found = same(name, bytes)) return found;
  for (const auto& field : abi::opcodes[want.opcode].fields)
    if (auto found = same(field.name, field.bytes)) return found;
  for (; at < got.words * 8u;)
    if (auto found = same("patch", 8)) return found;
  return std::nullopt;
}

LockstepCommands::Result LockstepCommands::sent(unsigned engine, const Command& command,
                                                std::uint64_t ended) {
  advance();
  if (state_ != State::command)
    return differ(command, fmt::format("it is handed over, by the model {}", wanted()));
  if (auto found = compare(engine, command)) return found;
  if (ended < drained_)
    return differ(command,
                  fmt::format("it is handed over when engines have ended {} commands, by the model after "
                              "the {} before SYNC",
                              ended, drained_));
  ++compared_;
  if (engine == FR_ENGINE_COMMAND) {
    state_ = State::grant;
    return std::nullopt;
  }
  ++sent_;
  stream_.skip(command_.header());
  state_ = State::words;
  advance();
  return std::nullopt;
}

/// What was read before does not count.
void LockstepCommands::granted() {
  if (state_ != State::grant) return;
  data_.clear();
  state_ = State::data;
}

LockstepCommands::Result LockstepCommands::ended(std::uint64_t ended) {
  advance();
  if (state_ != State::end) return differ(command_, fmt::format("the run ends, by the model {}", wanted()));
  if (ended < drained_)
    return differ(command_,
                  fmt::format("the run ends when engines have ended {} commands of {}", ended, drained_));
  return std::nullopt;
}

LockstepCommands::Result LockstepCommands::failed(std::uint64_t offset, LocalFault fault) {
  advance();
  const auto said = fmt::format("{} at byte {}", text(fault), offset);
  if (state_ != State::fault)
    return differ(command_, fmt::format("there is {}, by the model {}", said, wanted()));
  const bool same_value =
      fault.value == fault_.value || fault.error == FR_ERROR_FETCH;  // reads may be cut otherwise
  if (fault.error != fault_.error || offset != stream_.pc || !same_value)
    return differ(command_, fmt::format("there is {}, by the model {}", said, wanted()));
  return std::nullopt;
}

}  // namespace forerun::ip
