// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "ip/base/time.hpp"
#include "platform/rtl/remote_device.hpp"

namespace forerun::rtl {
namespace {

namespace cosim = ip::cosim;

constexpr unsigned most_debug_cycles = 100'000;  // of one access, and as many for each burst

}  // namespace

RtlDevice::RtlDevice(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place)
    : Device(name, file, place.label),
      boundary_(place.boundary),
      stream_packets_(place.stream_packets),
      translate_(place.translate),
      block_(std::make_shared<cosim::SharedModel>(file)),
      frequency_(block_.map().frequency.hertz > 0 ? block_.map().frequency : place.frequency),
      clock_("clock", {.period = period(frequency_), .reset_cycles = block_.map().reset_cycles}) {
  block_.period_ps = period(frequency_).picoseconds;
  block_.open_waves(place.waves, label_);
  clock_.add(static_cast<cosim::RtlBlock&>(timed_));
  clock_.add_reset(block_.reset);
  for (auto& face : block_.interfaces()) add(*face);
  if (!block_.map().interrupt.empty())
    clock_.watch([this](std::uint64_t) { interrupt.set(interrupt_pin()); });
  for (auto& [signal, pin] : block_.signals())
    wires_[signal] = {.pin = &pin, .told = SignalValue(pin.value.size())};
  if (!wires_.empty()) clock_.watch([this](std::uint64_t) { tell_signals(); });
}

const RtlDevice::Wire& RtlDevice::wire(const std::string& name) const {
  const auto found = wires_.find(name);
  if (found == wires_.end()) no_signal(name);
  return found->second;
}

void RtlDevice::drive_signal(const std::string& name, const SignalValue& value, std::int64_t from_ps) {
  auto& to = wire(name);
  to.due.push_back({from_ps, value});
  to.due.back().value.resize(to.pin->value.size());
  clock_.wake();
}

void RtlDevice::provide_signal(const std::string& name, bool always_on,
                               std::function<SignalValue(std::int64_t)> function) {
  wire(name).provide = std::move(function);
  always_on_ = always_on_ || always_on;
}

void RtlDevice::watch_signal(const std::string& name, std::function<void(const SignalValue&)> function) {
  wire(name).watchers.push_back(std::move(function));
}

void RtlDevice::watch_retired(
    std::function<void(std::uint64_t cycle, const std::vector<ip::riscv::Retired>&)> function) {
  clock_.watch([this, function = std::move(function)](std::uint64_t cycle) {
    if (block_.reset) return;
    retired_.clear();
    block_.sample_retired(retired_);
    if (!retired_.empty()) function(cycle, retired_);
  });
}

/// What came at or before the beginning of this cycle.
void RtlDevice::drive_signals() {
  const auto visible = clock_.visible_ps();
  for (auto& [name, w] : wires_) {
    if (w.provide) {
      auto value = w.provide(visible);
      value.resize(w.pin->value.size());
      std::copy(value.begin(), value.end(), w.pin->value.begin());
    }
    for (; !w.due.empty() && w.due.front().from_ps <= visible; w.due.pop_front())
      std::copy(w.due.front().value.begin(), w.due.front().value.end(), w.pin->value.begin());
  }
}

void RtlDevice::tell_signals() {
  for (auto& [name, w] : wires_)
    for (std::size_t i = 0; i < w.told.size() && !w.pin->input; ++i) {
      const auto now = block_.reset ? 0 : w.pin->value[i];
      w.changed = w.changed || now != w.told[i];
      w.told[i] = now;
    }
  for (auto& [name, w] : wires_)  // which may look at the others
    if (std::exchange(w.changed, false))
      for (const auto& watcher : w.watchers) watcher(w.told);
}

bool RtlDevice::signals_idle() const {
  return !always_on_ &&
         std::all_of(wires_.begin(), wires_.end(), [](const auto& w) { return w.second.due.empty(); });
}

void RtlDevice::add(MappedInterface& face) {
  const auto* const name = face.map.name.c_str();
  if (face.map.protocol == Protocol::axi4_stream) {
    auto& pins = face.stream_pins;
    auto& checker = *stream_checkers_.emplace_back(
        std::make_unique<cosim::StreamChecker>(face.stream, label_ + "." + name));
    clock_.add(pins);
    clock_.watch([&](std::uint64_t cycle) { checker.sample(pins, cycle); });
    const cosim::StreamAddress address{.base = face.map.role == Role::receiver ? 0 : face.map.offset,
                                       .dest_shift = 12};
    if (face.map.role == Role::receiver)
      targets.push_back({&face, std::make_unique<cosim::TlmToStream>(
                                    name, clock_, pins,
                                    cosim::TlmToStreamParameters{.shape = face.stream, .address = address})});
    else
      initiators.push_back(
          {&face, std::make_unique<cosim::StreamToTlm>(
                      name, clock_, pins,
                      cosim::StreamToTlmParameters{.shape = face.stream,
                                                   .receiver = {.most_packets = stream_packets_},
                                                   .address = address})});
    return;
  }
  auto& pins = face.axi_pins;
  auto& checker =
      *axi_checkers_.emplace_back(std::make_unique<cosim::AxiChecker>(face.axi, label_ + "." + name));
  clock_.add(pins);
  clock_.watch([&, this](std::uint64_t cycle) {
    checker.sample(pins, cycle);
    if (!told_broken_ && checker.log().total() > 0) tell_broken();
  });
  if (face.map.role == Role::manager) {
    initiators.push_back({&face, std::make_unique<cosim::AxiToTlm>(
                                     name, clock_, pins,
                                     cosim::AxiToTlmParameters{.shape = face.axi, .boundary = boundary_})});
    return;
  }
  auto bridge = std::make_unique<cosim::TlmToAxi>(
      name, clock_, pins, cosim::TlmToAxiParameters{.shape = face.axi, .translate = translate_});
  bridge->debug = [this, &face, &bridge = *bridge](tlm::tlm_generic_payload& payload) {
    return debug(face, bridge, payload);
  };
  bridge->explain = [this] { return broken(); };
  targets.push_back({&face, std::move(bridge)});
}

/// The first broken rules, a line each, for an error.
std::string RtlDevice::broken() const {
  std::string text;
  for (const auto& line : first_broken_rules(3)) text += "\n  broken before: " + line;
  return text;
}

/// At once: what follows may never end.
void RtlDevice::tell_broken() {
  told_broken_ = true;
  for (const auto& line : first_broken_rules(1))
    fmt::print(stderr, "forerun: {}: a rule of AXI is broken, the report has more: {}\n", file_, line);
}

void RtlDevice::Timed::settle() {
  auto& block = device.block_;
  block.now_ps = ip::now_picoseconds();
  device.drive_signals();
  const bool timed = device.settle_time_.begin();
  block.settle();
  if (timed) device.settle_time_.end();
}

void RtlDevice::Timed::edge() {
  auto& block = device.block_;
  const bool timed = device.edge_time_.begin();
  block.edge();
  if (timed) device.edge_time_.end();
}

/// Clocks the module by itself with a manager of its own on the pins; all interfaces are quiet otherwise.
unsigned RtlDevice::debug(MappedInterface& face, const cosim::TargetBridge& bridge,
                          tlm::tlm_generic_payload& payload) {
  const auto length = payload.get_data_length();
  const auto first = translate_ ? translate_(payload.get_address()) : payload.get_address();
  const auto last = first + length - 1;
  if (length == 0 || !bridge.idle() || (face.axi.address_bits < 64 && last >> face.axi.address_bits != 0))
    return 0;
  cosim::AxiManager manager(face.axi);
  cosim::AxiChecker checker(face.axi, label_ + "." + face.map.name);
  std::vector<cosim::AxiBurst> bursts;
  cosim::split(
      {.write = payload.is_write(), .address = first, .data = payload.get_data_ptr(), .length = length},
      face.axi, {}, bursts);
  const auto cycle = [&](bool reset) {
    block_.reset = face.axi_pins.reset = reset;
    manager.drive(face.axi_pins, 0);
    block_.settle();
    checker.sample(face.axi_pins, ++debug_cycles_);
    manager.edge(face.axi_pins);
    block_.edge();
  };
  const auto cycles_before = block_.cycles;
  block_.silent = true;
  if (clock_.evaluated.value() == 0 && !was_reset_) {
    for (unsigned i = 0; i < block_.map().reset_cycles; ++i) cycle(true);
    was_reset_ = true;
    clock_.skip_reset();  // it might clear what is loaded
  }
  for (auto& burst : bursts) manager.issue(burst);
  std::size_t done = 0;
  bool good = true;
  for (std::size_t i = 0; i < (bursts.size() + 1) * most_debug_cycles && done < bursts.size(); ++i) {
    cycle(false);
    for (; const auto* burst = manager.take_done(); ++done)
      good = good && burst->response == cosim::Response::okay;
  }
  cycle(false);  // VALID is low again
  block_.silent = false;
  block_.cycles = cycles_before;
  if (done < bursts.size()) {
    std::string rules;
    for (const auto& violation : checker.log().kept()) rules += "\n  broken before: " + violation.message();
    const auto text = fmt::format(
        "{}: {}: no answer to {} of {} bursts of an access of {} bytes at {:#x}, outside of simulated time{}",
        file_, label_, bursts.size() - done, bursts.size(), length, first, rules);
    if (on_loss) on_loss(text);  // nobody can go on without it
    return 0;
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return good ? length : 0;
}

void Device::no_signal(const std::string& name) const {
  throw std::logic_error(fmt::format("{}: no signal {}", file_, name));
}
void Device::drive_signal(const std::string& name, const SignalValue&, std::int64_t) { no_signal(name); }
void Device::provide_signal(const std::string& name, bool, std::function<SignalValue(std::int64_t)>) {
  no_signal(name);
}
void Device::watch_signal(const std::string& name, std::function<void(const SignalValue&)>) {
  no_signal(name);
}
void Device::watch_retired(std::function<void(std::uint64_t, const std::vector<ip::riscv::Retired>&)>) {
  no_signal("rvfi");
}
const SignalValue& Device::signal_value(const std::string& name) const { no_signal(name); }
unsigned Device::signal_bits(const std::string& name) const { no_signal(name); }

std::uint64_t Device::transactions() const {
  std::uint64_t sum = 0;
  for (const auto& target : targets) sum += target.bridge->transactions.value();
  for (const auto& initiator : initiators) sum += initiator.bridge->transactions.value();
  return sum;
}

std::uint64_t RtlDevice::broken_rules() const {
  std::uint64_t sum = 0;
  for (const auto& checker : axi_checkers_) sum += checker->log().total();
  for (const auto& checker : stream_checkers_) sum += checker->log().total();
  return sum;
}

std::vector<std::string> RtlDevice::first_broken_rules(std::size_t most) const {
  std::vector<std::string> lines;
  const auto take = [&](const cosim::ViolationLog& log) {
    for (const auto& violation : log.kept())
      if (lines.size() < most) lines.push_back(violation.message());
  };
  for (const auto& checker : axi_checkers_) take(checker->log());
  for (const auto& checker : stream_checkers_) take(checker->log());
  return lines;
}

Device::Target& Device::subordinate() {
  const auto is_one = [](const Target& t) { return t.face->map.role == Role::subordinate; };
  if (std::count_if(targets.begin(), targets.end(), is_one) != 1)
    throw std::runtime_error(fmt::format("{}: expected one interface with role subordinate", file_));
  return *std::find_if(targets.begin(), targets.end(), is_one);
}

std::unique_ptr<Device> make_device(const std::string& name, const std::string& file, const RtlPlace& place) {
  if (file.ends_with(".yaml") || file.ends_with(".yml"))
    return std::make_unique<RemoteDevice>(name.c_str(), file, place);
  return std::make_unique<RtlDevice>(name.c_str(), file, place);
}

}  // namespace forerun::rtl
