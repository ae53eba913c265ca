// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/dma.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "firmware/abi/registers.h"
#include "ip/base/time.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace {

constexpr unsigned cycles_between_polls = 8;
constexpr unsigned patience = 100'000;     // cycles
constexpr unsigned most_still_times = 10;  // of as many cycles without a transaction

const char* const engine = "ip/dma/rtl/dma_engine.sv";

std::string describe(bool local, const tlm::tlm_generic_payload& payload) {
  return fmt::format("{} of {} bytes at {:#x}{}", payload.is_read() ? "read" : "write",
                     payload.get_data_length(), payload.get_address(), local ? " of the scratchpad" : "");
}

unsigned clamp_power(std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  return static_cast<unsigned>(std::clamp(std::bit_floor(value), low, high));
}

}  // namespace

std::string dma_model(const chip::Chip& chip, Waves waves) {
  if (!chip.rtl.dma.text.empty()) return chip.rtl.dma.text;
  const auto& d = chip.clusters.dma;
  const auto folder = std::filesystem::path(FORERUN_INCLUDE_DIR) / "ip/dma/rtl";
  VerilateRequest request;
  request.top = "dma_engine";
  for (const auto* part : {"buffer", "flights", "read", "write", "registers", "walk", "engine"})
    request.sources.push_back(folder / fmt::format("dma_{}.sv", part));
  const auto burst = d.burst.count;
  const auto beat = clamp_power(chip.noc.link_width.count, 4, std::min<std::uint64_t>(128, burst / 2));
  const auto buffer = std::bit_ceil(std::max<std::uint64_t>(burst * d.outstanding, 4 * burst));
  request.parameters = {{"DATA_BYTES", std::to_string(beat)},
                        {"BURST_BYTES", std::to_string(burst)},
                        {"OUTSTANDING", std::to_string(d.outstanding)},
                        {"BUFFER_BYTES", std::to_string(buffer)}};
  request.waves = waves;
  if (waves != Waves::none) request.arguments = {"--trace-max-array", "32"};  // not the bytes of the buffer
  request.pins = read_text(folder / "dma_engine.yaml");
  return verilated(request).string();
}

std::string describe_dma(const chip::Chip& chip) {
  return fmt::format("{}, a load and a store engine a cluster",
                     chip.rtl.dma.text.empty() ? engine : chip.rtl.dma.text);
}

RtlDma::RtlDma(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place)
    : sc_module(name),
      device_("engine", file, place),
      label_(place.label),
      interrupt_("interrupt",
                 [this](bool level) {
                   if (level) told_.notify(sc_core::SC_ZERO_TIME);
                 }),
      in_("in", device_.initiators.size()),
      waves_(place.waves) {
  auto& block = device_.block();
  if (!block.map().dma)
    throw std::runtime_error(fmt::format("rtl.dma: {}: its pin map has no section 'dma'", file));
  map_ = *block.map().dma;
  if (device_.initiators.empty())
    throw std::runtime_error(fmt::format("rtl.dma: {}: no interface with role manager", file));
  device_.interrupt.bind(interrupt_);
  unsigned bits = 64;
  for (std::size_t i = 0; i < device_.initiators.size(); ++i) {
    in_[i].register_nb_transport_fw(this, &RtlDma::nb_transport_fw, static_cast<int>(i));
    device_.initiators[i].bridge->socket.bind(in_[i]);
    bits = std::min(bits, device_.initiators[i].face->axi.address_bits);
  }
  unsigned size_bits = 64;
  const auto narrow = [&](DmaValue value, unsigned width) {
    if (value == DmaValue::source || value == DmaValue::destination || value == DmaValue::descriptor)
      bits = std::min(bits, width);
    if (value == DmaValue::bytes) size_bits = std::min(size_bits, width);
  };
  for (const auto& w : map_.start) narrow(w.value, w.bits);
  for (const auto& w : map_.descriptor) narrow(w.value, w.bits);
  const auto port = [&](const char* pin) {
    const auto named = map_.ports.find(pin);
    return named == map_.ports.end() ? 64 : block.port_bits(named->second);
  };
  narrow(DmaValue::source, std::min(port("source"), port("destination")));
  narrow(DmaValue::bytes, port("bytes"));
  if (bits < 30)
    throw std::runtime_error(
        fmt::format("rtl.dma: {}: addresses of {} bits, expected 30 or more", file, bits));
  local_bit_ = std::uint64_t{1} << (bits - 1);
  const auto holds = size_bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size_bits) - 1;
  most_bytes_ = map_.most_bytes == 0 ? holds : std::min(map_.most_bytes, holds);
  most_bytes_ -= most_bytes_ % map_.alignment;
  if (most_bytes_ == 0)
    throw std::runtime_error(
        fmt::format("rtl.dma: {}: {} bits for the bytes of a copy hold less than its "
                    "alignment of {}",
                    file, size_bits, map_.alignment));
  if (map_.ports.empty()) {
    bus_ = std::make_unique<tlm_utils::simple_initiator_socket<RtlDma>>("bus");
    bus_->bind(device_.subordinate().bridge->socket);
  } else {
    device_.clock().add(descriptor_);
  }
  SC_HAS_PROCESS(RtlDma);
  SC_THREAD(work);
}

void RtlDma::start(const ip::DmaCopy& copy) {
  job_ = copy;
  begin_.notify(sc_core::SC_ZERO_TIME);
}

void RtlDma::abandon() { draining_ = true; }

void RtlDma::reset() {
  device_.reset();
  set_up_ = false;
  if (!job_) return;
  cut_ = true;
  cut_event_.notify(sc_core::SC_ZERO_TIME);
}

void RtlDma::work() {
  for (;;) {
    while (!job_) wait(begin_);
    fault_.reset();
    cut_ = false;
    if (!draining_) copy(*job_);
    if (cut_ && !draining_ && !fault_) fault_ = ip::LocalFault{FR_ERROR_BUS, job_->global};
    while (!owners_.empty()) wait(landed_event_);
    draining_ = false;
    descriptor_.offered = descriptor_.taken = false;
    job_.reset();
    host_->copied(fault_);
  }
}

/// Cuts what the engine cannot take at once.
void RtlDma::copy(const ip::DmaCopy& all) {
  const auto last = static_cast<std::int64_t>(all.rows - 1) * all.global_stride;
  const auto low = all.global + static_cast<std::uint64_t>(std::min<std::int64_t>(last, 0));
  const auto high = all.global + static_cast<std::uint64_t>(std::max<std::int64_t>(last, 0)) + all.bytes - 1;
  const bool whole = all.bytes <= most_bytes_ && low / local_bit_ == high / local_bit_;
  if (whole && (all.rows == 1 || map_.takes(DmaValue::rows))) return tell(all);
  for (std::uint64_t row = 0; row < all.rows; ++row) {
    auto piece = all;
    piece.rows = 1;
    piece.global += row * static_cast<std::uint64_t>(all.global_stride);
    piece.local += row * static_cast<std::uint64_t>(all.local_stride);
    for (auto left = all.bytes; left > 0; left -= piece.bytes) {
      piece.bytes = std::min({left, most_bytes_, local_bit_ - seen(piece.global)});
      tell(piece);
      if (over()) return;
      piece.global += piece.bytes;
      piece.local += piece.bytes;
    }
  }
}

void RtlDma::tell(const ip::DmaCopy& rows) {
  ++copies_;
  told_copy_ = rows;
  page_ = rows.global & ~(local_bit_ - 1);
  const auto begun = ip::now_picoseconds();
  if (checker_) checker_->begin(rows);
  if (on_copy)
    recording_ = {.begin_ps = static_cast<std::uint64_t>(begun),
                  .source = source(rows),
                  .destination = destination(rows),
                  .bytes = rows.bytes,
                  .rows = rows.rows,
                  .source_stride = rows.load ? rows.global_stride : rows.local_stride,
                  .destination_stride = rows.load ? rows.local_stride : rows.global_stride};
  if (map_.ports.empty())
    by_registers(rows);
  else
    by_descriptor(rows);
  if (comparing() && !fault_) check_end(begun);
  if (!on_copy || cut_ || draining_) return;
  recording_.end_ps = static_cast<std::uint64_t>(ip::now_picoseconds());
  recording_.failed = fault_ ? 1 : 0;
  for (auto& t : recording_.transactions) {  // those of a failed copy may be without an answer
    if (t.data.empty()) t.flags = 0;
    t.end_ps = std::max(t.begin_ps, t.end_ps);
  }
  on_copy(recording_);
}

std::uint64_t RtlDma::value_of(const DmaWrite& write, const ip::DmaCopy& rows) const {
  switch (write.value) {
    case DmaValue::number:
      return write.number;
    case DmaValue::source:
      return source(rows);
    case DmaValue::destination:
      return destination(rows);
    case DmaValue::bytes:
      return rows.bytes;
    case DmaValue::rows:
      return rows.rows;
    case DmaValue::source_stride:
      return static_cast<std::uint64_t>(rows.load ? rows.global_stride : rows.local_stride);
    case DmaValue::destination_stride:
      return static_cast<std::uint64_t>(rows.load ? rows.local_stride : rows.global_stride);
    case DmaValue::descriptor:
      return descriptor_address();
  }
  return 0;
}

void RtlDma::access(tlm::tlm_command command, std::uint64_t address, unsigned char* data, unsigned bytes) {
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  auto delay = sc_core::SC_ZERO_TIME;
  (*bus_)->b_transport(payload, delay);
  wait(delay);
  if (payload.is_response_error() && !cut_)
    throw std::runtime_error(fmt::format("{}: {} of the register at {:#x} is answered with {}", label_,
                                         command == tlm::TLM_READ_COMMAND ? "a read" : "a write", address,
                                         payload.get_response_string()));
}

void RtlDma::write(const DmaWrite& write, const ip::DmaCopy& rows) {
  if (cut_) return;
  const auto value = value_of(write, rows);
  unsigned char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  access(tlm::TLM_WRITE_COMMAND, write.at, bytes, write.bits / 8);
}

void RtlDma::write_descriptor(const ip::DmaCopy& rows) {
  if (map_.descriptor.empty()) return;
  descriptor_bytes_.assign(DmaMap::descriptor_bytes, 0);
  for (const auto& w : map_.descriptor) {
    const auto value = value_of(w, rows);
    std::memcpy(&descriptor_bytes_[w.at], &value, w.bits / 8);
  }
}

/// What the engine writes there is of no use to anybody: it says that it has ended.
tlm::tlm_sync_enum RtlDma::access_descriptor(tlm::tlm_generic_payload& payload) {
  const auto at = payload.get_address() - descriptor_address();
  const bool inside = at + payload.get_data_length() <= descriptor_bytes_.size();
  if (inside && payload.is_read())
    std::memcpy(payload.get_data_ptr(), &descriptor_bytes_[at], payload.get_data_length());
  payload.set_response_status(inside ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  ++moves_;
  return tlm::TLM_COMPLETED;
}

std::uint32_t RtlDma::status() {
  unsigned char bytes[4] = {};
  access(tlm::TLM_READ_COMMAND, map_.status->at, bytes, sizeof bytes);
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// A moment to look again: an event, a while, or a reset.
void RtlDma::wait_for_end(const sc_core::sc_event& event) {
  const auto cycle = ip::to_sc_time(forerun::period(device_.frequency()));
  for (unsigned still = 0; still < most_still_times; ++still) {
    const auto before = moves_;
    wait(cycle * patience, event | cut_event_);
    if (event.triggered() || cut_) return;
    if (moves_ != before) still = 0;
  }
  endless(fmt::format("no transaction for {} clock cycles", patience * most_still_times));
}

std::string RtlDma::describe_copy() const {
  const auto& c = told_copy_;
  const auto global = fmt::format("{:#x}", c.global), local = fmt::format("{:#x} of the scratchpad", c.local);
  auto text = fmt::format("copy of {} row{} of {} bytes from {} to {}", c.rows, c.rows == 1 ? "" : "s",
                          c.bytes, c.load ? global : local, c.load ? local : global);
  if (c.rows > 1)
    text += fmt::format(" (strides {} and {})", c.load ? c.global_stride : c.local_stride,
                        c.load ? c.local_stride : c.global_stride);
  return text;
}

void RtlDma::endless(const std::string& why) {
  auto waves = comparing() ? device_.rolled_waves() : "none";
  if (waves == "none" && waves_.format != Waves::none) waves = waves_.file(label_);
  throw std::runtime_error(
      fmt::format("{}: a {} does not end: {}\n  the model is {}\n  waves: {}", label_, describe_copy(), why,
                  device_.file(),
                  waves == "none" ? "none; --waves FOLDER writes some of a model made with WAVES" : waves));
}

void RtlDma::by_registers(const ip::DmaCopy& rows) {
  if (!set_up_) {
    set_up_ = true;
    for (const auto& w : map_.setup) write(w, rows);
  }
  write_descriptor(rows);
  for (const auto& w : map_.start) write(w, rows);
  bool failed = false;
  const auto look = [&] {
    const auto value = status();
    failed = (value & map_.status->error) != 0;
    return failed || (value & map_.status->done) != 0;
  };
  if (!device_.block().map().interrupt.empty()) {
    while (!cut_ && !interrupt_.level()) wait_for_end(told_);
    if (!cut_ && map_.status) look();
  } else {
    const auto pause = ip::to_sc_time(forerun::period(device_.frequency())) * cycles_between_polls;
    for (std::uint64_t polls = 0, before = moves_; !cut_ && !look(); ++polls) {
      if (moves_ != before) polls = 0, before = moves_;
      if (polls == std::uint64_t{patience})
        endless(fmt::format("its status says so {} times in a row", polls));
      wait(pause);
    }
  }
  for (const auto& w : map_.end) write(w, rows);
  if (failed && !fault_) fault_ = ip::LocalFault{FR_ERROR_BUS, rows.global};
}

void RtlDma::by_descriptor(const ip::DmaCopy& rows) {
  auto& d = device_.block().descriptor;
  d.source = source(rows);
  d.destination = destination(rows);
  d.bytes = rows.bytes;
  d.rows = rows.rows;
  d.source_stride = value_of({0, DmaValue::source_stride, 0, 64}, rows);
  d.destination_stride = value_of({0, DmaValue::destination_stride, 0, 64}, rows);
  descriptor_.offered = true;
  device_.clock().wake();
  while (!cut_ && !descriptor_.idle()) wait_for_end(told_);
  if (d.error != 0 && !cut_ && !fault_) fault_ = ip::LocalFault{FR_ERROR_BUS, rows.global};
}

void RtlDma::Descriptor::drive(std::uint64_t) { dma.device_.block().descriptor.start = offered; }

void RtlDma::Descriptor::edge(std::uint64_t) {
  const auto& pins = dma.device_.block().descriptor;
  if (dma.device_.block().reset) return;
  if (taken && pins.done) {
    taken = false;
    dma.told_.notify(sc_core::SC_ZERO_TIME);
  }
  if (offered && pins.ready) offered = false, taken = true;
}

void RtlDma::compare(const DmaTimeModel& model, std::function<void(const Difference&)> on_difference) {
  checker_ = std::make_unique<DmaChecker>(model);
  on_difference_ = std::move(on_difference);
}

std::uint64_t RtlDma::cycles_since(std::int64_t ps) const {
  return static_cast<std::uint64_t>((ip::now_picoseconds() - ps) /
                                    forerun::period(device_.frequency()).picoseconds);
}

/// The first one only.
void RtlDma::differ(const std::string& transaction, const std::string& what) {
  checker_.reset();
  on_difference_({label_, fmt::format("{} in the {}, by {}", transaction, describe_copy(), device_.file()),
                  cycles_since(0), ip::now_picoseconds(), what});
}

void RtlDma::check_write(bool local, const tlm::tlm_generic_payload& payload) {
  if (!comparing() || !payload.is_write()) return;
  const auto wrong =
      checker_->write(local, payload.get_address(), payload.get_data_ptr(), payload.get_data_length(),
                      payload.get_byte_enable_ptr(), payload.get_byte_enable_length());
  if (wrong) differ(describe(local, payload), *wrong);
}

void RtlDma::check_read(bool local, const tlm::tlm_generic_payload& payload) {
  if (comparing() && payload.is_read() && payload.is_response_ok())
    checker_->read(local, payload.get_address(), payload.get_data_ptr(), payload.get_data_length());
}

void RtlDma::check_end(std::int64_t begun_ps) {
  const auto text = fmt::format("the whole (begun at {} ps)", begun_ps);
  if (const auto missing = checker_->missing()) return differ(text, *missing);
  const auto& tolerance = device_.block().map().tolerance;
  if (!tolerance) return;
  const auto took = cycles_since(begun_ps), model = checker_->model_cycles(), most = tolerance->of(model);
  if (took > model + most || took + most < model)
    differ(text,
           fmt::format("it takes {} cycles, by the model {}, and the tolerance is {}", took, model, most));
}

void RtlDma::note(const tlm::tlm_generic_payload& payload) {
  ++moves_;
  if (payload.is_response_error() && !fault_) fault_ = ip::LocalFault{FR_ERROR_BUS, payload.get_address()};
}

std::size_t RtlDma::record(const tlm::tlm_generic_payload& payload) {
  if (!on_copy) return 0;
  using ip::record::Transaction;
  Transaction t;
  t.begin_ps = static_cast<std::uint64_t>(ip::now_picoseconds());
  t.address = payload.get_address();
  t.length = t.streaming_width = payload.get_data_length();
  t.write = payload.is_write() ? 1 : 0;
  if (payload.is_write()) t.data.assign(payload.get_data_ptr(), payload.get_data_ptr() + t.length);
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() > 0) {
    t.flags |= Transaction::has_enables;
    for (std::uint32_t i = 0; i < t.length; ++i)
      t.enables.push_back(payload.get_byte_enable_ptr()[i % payload.get_byte_enable_length()] != 0 ? 1 : 0);
  }
  recording_.transactions.push_back(std::move(t));
  return recording_.transactions.size() - 1;
}

void RtlDma::record_answer(const tlm::tlm_generic_payload& payload, std::size_t which) {
  if (!on_copy || which >= recording_.transactions.size()) return;
  using ip::record::Transaction;
  auto& t = recording_.transactions[which];
  t.end_ps = static_cast<std::uint64_t>(ip::now_picoseconds());
  t.response = payload.is_response_ok()                                           ? Transaction::okay
               : payload.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE ? Transaction::decode_error
                                                                                  : Transaction::slave_error;
  if (payload.is_read()) t.data.assign(payload.get_data_ptr(), payload.get_data_ptr() + t.length);
}

/// A transaction into memory is answered.
void RtlDma::landed(const tlm::tlm_generic_payload& payload, const Owner& owner) {
  const auto begun_ps = owner.begun_ps;
  record_answer(payload, owner.recorded);
  check_read(false, payload);
  if (comparing()) checker_->took(payload.get_address(), payload.get_data_length(), cycles_since(begun_ps));
  note(payload);
}

tlm::tlm_sync_enum RtlDma::nb_transport_fw(int input, tlm::tlm_generic_payload& payload,
                                           tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return host_->to_global(payload, phase, delay);
  if (!job_ && payload.is_write())
    throw std::runtime_error(
        fmt::format("{}: a write to {:#x} after the end of a copy", label_, payload.get_address()));
  if (draining_ || !job_) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  const auto address = payload.get_address();
  if (!map_.descriptor.empty() && address >= descriptor_address()) return access_descriptor(payload);
  if ((address & local_bit_) != 0) {
    const auto which = record(payload);
    payload.set_address(address & (local_bit_ - 1));
    check_write(true, payload);
    host_->to_local(payload, delay);
    check_read(true, payload);
    record_answer(payload, which);
    note(payload);
    return tlm::TLM_COMPLETED;
  }
  const auto which = record(payload);
  payload.set_address(page_ | address);
  check_write(false, payload);
  owners_.push_back({&payload, input, ip::now_picoseconds(), which});
  const auto answer = host_->to_global(payload, phase, delay);
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) {
    landed(payload, Owner(owners_.back()));
    std::erase_if(owners_, [&](const Owner& o) { return o.payload == &payload; });
  }
  return answer;
}

tlm::tlm_sync_enum RtlDma::from_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) {
  const auto owner =
      std::find_if(owners_.begin(), owners_.end(), [&](const Owner& o) { return o.payload == &payload; });
  const auto input = static_cast<std::size_t>(owner->input);
  if (phase == tlm::BEGIN_RESP) {
    landed(payload, *owner);
    owners_.erase(owner);
    if (owners_.empty()) landed_event_.notify(sc_core::SC_ZERO_TIME);
  }
  return in_[input]->nb_transport_bw(payload, phase, delay);
}

}  // namespace forerun::rtl
