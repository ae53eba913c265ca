// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/dma_player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace forerun::replay {
using ip::cosim::AxiBurst;
using ip::cosim::AxiPins;
using ip::cosim::Response;
using ip::record::Transaction;
using rtl::DmaValue;
using rtl::DmaWrite;
namespace {

constexpr unsigned cycles_between_looks = 8;
constexpr const char* response_names[] = {"OKAY", "EXOKAY", "SLVERR", "DECERR"};
/// In the order of rtl::DmaValue.
constexpr const char* value_names[] = {"number", "source",        "destination",        "bytes",
                                       "rows",   "source_stride", "destination_stride", "descriptor"};

}  // namespace

std::string DmaProgram::text() const {
  std::string lines;
  const auto writes = [&](const char* when, const std::vector<DmaWrite>& list) {
    for (const auto& w : list)
      lines += fmt::format("{} {} {} {}\n", when, w.at,
                           w.value == DmaValue::number ? std::to_string(w.number)
                                                       : value_names[static_cast<unsigned>(w.value)],
                           w.bits);
  };
  writes("setup", map.setup), writes("start", map.start), writes("end", map.end);
  if (map.status)
    lines += fmt::format("status {} {} {}\n", map.status->at, map.status->done, map.status->error);
  if (interrupt) lines += fmt::format("interrupt {}\n", interrupt_high ? 1 : 0);
  return lines;
}

void DmaProgram::add(const std::string& line) {
  std::istringstream words(line);
  std::string what, value;
  words >> what;
  if (what == "status") {
    rtl::DmaMap::Status status;
    words >> status.at >> status.done >> status.error;
    map.status = status;
  } else if (what == "interrupt") {
    interrupt = true;
    words >> interrupt_high;
  } else if (what == "setup" || what == "start" || what == "end") {
    DmaWrite write;
    words >> write.at >> value >> write.bits;
    const auto* const named = std::find(std::begin(value_names) + 1, std::end(value_names), value);
    if (named != std::end(value_names))
      write.value = static_cast<DmaValue>(named - std::begin(value_names));
    else if (!(std::istringstream(value) >> write.number))
      words.setstate(std::ios::failbit);
    (what == "setup" ? map.setup : what == "start" ? map.start : map.end).push_back(write);
  } else {
    words.setstate(std::ios::failbit);
  }
  if (!words) throw std::invalid_argument(fmt::format("'{}' is no line of a DMA engine's program", line));
}

DmaPlayer::DmaPlayer(const std::string& recording, const DmaProgram& program,
                     const ip::cosim::AxiShape& subordinate, const ip::cosim::AxiShape& manager,
                     const DmaPlaySettings& settings)
    : reader_(recording),
      program_(program),
      shape_(subordinate),
      settings_(settings),
      requester_(subordinate, {.stall = {settings.stall_share, settings.seed, 1}}),
      server_(manager, {.stall = {settings.stall_share, settings.seed + 1, 1}}),
      subordinate_checker_(subordinate, "registers"),
      manager_checker_(manager, "memory") {
  if (reader_.header().kind != ip::record::Kind::copies)
    throw ip::record::FileError(recording + ": expected copies of a DMA engine");
}

std::string DmaPlayer::name() const {
  return fmt::format("copy {} ({} row{} of {} bytes from {:#x} to {:#x}, begun at {} ps)",
                     reader_.count() - 1, copy_.rows, copy_.rows == 1 ? "" : "s", copy_.bytes, copy_.source,
                     copy_.destination, copy_.begin_ps);
}

void DmaPlayer::fail(const std::string& what) {
  if (status_ == Status::running) message_ = fmt::format("{}: in cycle {}: {}", name(), cycle_, what);
  status_ = Status::different;
}

bool DmaPlayer::next_copy() {
  if (copies_ >= settings_.most || !reader_.next(copy_)) return false;
  reads_ = writes_ = {};
  for (const auto& t : copy_.transactions)
    for (std::uint32_t i = 0; i < t.length; ++i) {
      if (!t.enables.empty() && t.enables[i] == 0) continue;
      const Byte byte{t.address + i, i < t.data.size() ? t.data[i] : std::uint8_t{0}, t.response};
      auto& bytes = t.write != 0 ? writes_ : reads_;
      if (settings_.any_order)
        bytes.anywhere[byte.address] = byte;
      else
        bytes.next.push_back(byte);
    }
  return true;
}

std::uint64_t DmaPlayer::value_of(const DmaWrite& write) const {
  switch (write.value) {
    case DmaValue::source:
      return copy_.source;
    case DmaValue::destination:
      return copy_.destination;
    case DmaValue::bytes:
      return copy_.bytes;
    case DmaValue::rows:
      return copy_.rows;
    case DmaValue::source_stride:
      return static_cast<std::uint64_t>(copy_.source_stride);
    case DmaValue::destination_stride:
      return static_cast<std::uint64_t>(copy_.destination_stride);
    default:
      return write.number;
  }
}

void DmaPlayer::tell(const std::vector<DmaWrite>& writes) {
  for (const auto& w : writes) accesses_.push_back({true, w.at, value_of(w), w.bits / 8});
}

void DmaPlayer::access() {
  const auto& next = accesses_.front();
  data_ = next.write ? next.value : 0;
  bursts_.clear();
  ip::cosim::split({.write = next.write,
                    .address = next.address,
                    .data = reinterpret_cast<unsigned char*>(&data_),
                    .length = next.bytes},
                   shape_, {}, bursts_);
  bursts_left_ = bursts_.size();
  for (auto& burst : bursts_) requester_.issue(burst);
}

/// What the recording has for a byte that the engine asks for or writes; nothing, with a message, if it has
/// not.
std::optional<DmaPlayer::Byte> DmaPlayer::take(Bytes& bytes, std::uint64_t address, const char* verb) {
  if (settings_.any_order) {
    const auto found = bytes.anywhere.find(address);
    if (found != bytes.anywhere.end()) return found->second;
    fail(fmt::format("byte {:#x} is {}, in the recording it is not", address, verb));
    return std::nullopt;
  }
  if (bytes.next.empty() || bytes.next.front().address != address) {
    fail(fmt::format(
        "byte {:#x} is {}, in the recording {}", address, verb,
        bytes.next.empty() ? "no further one is" : fmt::format("{:#x} is next", bytes.next.front().address)));
    return std::nullopt;
  }
  const auto byte = bytes.next.front();
  bytes.next.pop_front();
  return byte;
}

void DmaPlayer::serve(AxiBurst& burst) {
  progress_ = cycle_;
  burst.response = Response::okay;
  if (burst.kind != ip::cosim::BurstKind::incr && burst.beats > 1)
    fail("a burst of FIXED or WRAP kind, expected INCR");
  else if (step_ == Step::begin || step_ == Step::idle)
    fail(fmt::format("a {} of {:#x} before a copy begins", burst.write ? "write" : "read", burst.address));
  else
    for (unsigned i = 0; i < burst.length && status_ == Status::running; ++i) {
      if (burst.write && !burst.enabled(i)) continue;
      const auto address = burst.address + i;
      const auto want = take(burst.write ? writes_ : reads_, address, burst.write ? "written" : "read");
      if (!want) break;
      if (burst.write && burst.data[i] != want->value)
        fail(fmt::format("byte {:#x} is written as {:02x}, recorded {:02x}", address, burst.data[i],
                         want->value));
      if (!burst.write) burst.data[i] = want->value;
      burst.response = ip::cosim::worse(burst.response, static_cast<Response>(want->response));
      ++bytes_;
      if (burst.write && settings_.any_order) writes_.anywhere.erase(address);
    }
  answers_.emplace_back(cycle_ + settings_.latency, &burst);
}

void DmaPlayer::finish_copy() {
  if (failed_ != (copy_.failed != 0))
    return fail(fmt::format("the engine says that it {}, recorded that it {}",
                            failed_ ? "failed" : "succeeded", failed_ ? "succeeded" : "failed"));
  const auto left = writes_.next.size() + writes_.anywhere.size();
  if (copy_.failed == 0 && left > 0) {
    const auto& first = settings_.any_order ? writes_.anywhere.begin()->second : writes_.next.front();
    return fail(fmt::format(
        "the engine says that it is done, but byte {:#x}, recorded {:02x}, is not written; {} byte{} "
        "missing",
        first.address, first.value, left, left == 1 ? " is" : "s are"));
  }
  ++copies_;
}

void DmaPlayer::step(bool interrupt) {
  if (bursts_left_ > 0) return;
  if (!accesses_.empty()) return access();
  switch (step_) {
    case Step::begin:
      failed_ = bad_access_ = false;
      if (!next_copy()) {
        step_ = Step::idle;
        status_ = Status::finished;
        message_ = fmt::format("{} copies, {} bytes read and written, {} cycles: all equal", copies_, bytes_,
                               cycle_);
        return;
      }
      if (!set_up_) tell(program_.map.setup);
      set_up_ = true;
      tell(program_.map.start);
      step_ = Step::telling;
      progress_ = cycle_;
      return;
    case Step::telling:
      step_ = Step::running;
      look_at_ = cycle_;
      return;
    case Step::running:
      if (program_.interrupt ? !interrupt : cycle_ < look_at_) return;
      if (program_.map.status) accesses_.push_back({false, program_.map.status->at, 0, 4});
      step_ = Step::looking;
      return;
    case Step::looking: {
      const auto& status = program_.map.status;
      failed_ = status && (data_ & status->error) != 0;
      const bool done = !status || failed_ || (data_ & status->done) != 0;
      if (!program_.interrupt && !done) {
        look_at_ = cycle_ + cycles_between_looks;
        step_ = Step::running;
        return;
      }
      finish_copy();
      tell(program_.map.end);
      step_ = Step::ending;
      return;
    }
    case Step::ending:
      // The interrupt of this copy must not be taken for that of the next.
      if (!program_.interrupt || !interrupt) step_ = Step::begin;
      return;
    case Step::idle:
      return;
  }
}

Status DmaPlayer::cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt) {
  if (status_ != Status::running) return status_;
  subordinate_checker_.sample(subordinate, cycle_);
  manager_checker_.sample(manager, cycle_);
  for (const auto* checker : {&subordinate_checker_, &manager_checker_})
    if (checker->log().total() > 0) {
      fail(checker->log().kept().front().message());
      return status_;
    }
  requester_.edge(subordinate);
  server_.edge(manager);
  while (auto* burst = requester_.take_done()) {
    progress_ = cycle_;
    if (burst->response != Response::okay && burst->response != Response::exokay)
      fail(fmt::format("the register at {:#x} answers with {}", burst->address,
                       response_names[static_cast<unsigned>(burst->response)]));
    if (--bursts_left_ == 0) accesses_.pop_front();
  }
  while (auto* burst = server_.take()) serve(*burst);
  while (!answers_.empty() && answers_.front().first <= cycle_) {
    server_.complete(*answers_.front().second);
    answers_.pop_front();
    progress_ = cycle_;
  }
  if (subordinate.reset) progress_ = cycle_;
  if (!subordinate.reset && status_ == Status::running)
    step(program_.interrupt_high ? interrupt : !interrupt);
  if (status_ == Status::running && cycle_ > progress_ + settings_.patience)
    fail(fmt::format("nothing has moved for {} cycles", settings_.patience));
  ++cycle_;
  requester_.drive(subordinate, cycle_);
  server_.drive(manager, cycle_);
  return status_;
}

}  // namespace forerun::replay
