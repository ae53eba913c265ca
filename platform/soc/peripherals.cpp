// SPDX-License-Identifier: Apache-2.0
// RTL in the places of the control CPU's peripherals: what is on their pins beside the bus.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "ip/base/time.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/rtl/host_mailbox.hpp"
#include "platform/rtl/lockstep_memory.hpp"
#include "platform/rtl/lockstep_outputs.hpp"
#include "platform/rtl/output_line.hpp"
#include "platform/rtl/peripheral.hpp"
#include "platform/rtl/serial.hpp"
#include "platform/soc/lockstep_waves.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

constexpr std::size_t name_words = ip::PerformanceCounters::name_bytes / 8;

/// A 64-byte name, its first character in the lowest byte.
rtl::SignalValue packed(const std::string& name) {
  rtl::SignalValue words(name_words);
  for (std::size_t i = 0; i < name.size(); ++i)
    words[i / 8] |= std::uint64_t{static_cast<unsigned char>(name[i])} << 8 * (i % 8);
  return words;
}

/// As firmware sets up the divisor for peripherals.uart_baud.
Time bit_time(const chip::Peripherals& p) {
  const double divisor =
      p.uart_baud == 0
          ? 0
          : static_cast<double>(static_cast<std::uint64_t>(p.uart_clock.hertz / 16 + p.uart_baud / 2.0) /
                                p.uart_baud);
  return Time{static_cast<std::int64_t>(16 * divisor / p.uart_clock.hertz * 1e12 + 0.5)};
}

}  // namespace

RtlPeripheral* Soc::rtl_peripheral(const std::string& key) {
  const auto found = rtl_peripherals.find(key);
  return found == rtl_peripherals.end() ? nullptr : &found->second;
}

void Soc::put_rtl_into_peripherals(const rtl::WaveOptions& waves) {
  const auto& r = chip_.rtl;
  const std::map<std::string, const chip::Path*> files{
      {"uart", &r.uart},       {"clint", &r.clint},   {"plic", &r.plic}, {"timer", &r.timer},
      {"mailbox", &r.mailbox}, {"sysctl", &r.sysctl}, {"perf", &r.perf}};
  for (const auto& kind : rtl::peripheral_kinds()) {
    const auto& file = *files.at(kind.name);
    if (file.text.empty()) continue;
    auto& peripheral = rtl_peripherals[kind.name];
    peripheral.device =
        rtl::make_device(kind.name + "_rtl", file.text,
                         {.label = kind.name,
                          .frequency = kind.name == "uart" ? chip_.peripherals.uart_clock : chip_.cpu.clock,
                          .waves = waves,
                          .translate = [this, key = kind.name](std::uint64_t address) {
                            return address + rtl_peripherals.at(key).device->subordinate().face->map.offset;
                          }});
    rtl::check_peripheral(*peripheral.device, kind);
    watch(*peripheral.device);
    if (r.lockstep) {
      peripheral.other_waves = keep_waves(*peripheral.device, waves);
      peripheral.lockstep = beside(*peripheral.device, "lockstep_" + kind.name, peripheral.other_waves);
    }
    connect_peripheral(kind.name, peripheral);
  }
}

void Soc::connect_peripheral(const std::string& key, RtlPeripheral& peripheral) {
  auto& device = *peripheral.device;
  const auto told = [this, &peripheral](const rtl::Difference& difference) {
    differ(difference, *peripheral.device, peripheral.other_waves);
  };
  const auto wide_enough = [&](const std::string& signal, unsigned bits) {
    if (device.signal_bits(signal) < bits)
      throw std::invalid_argument(fmt::format("rtl.{}: {}: signal {} has {} bits, expected {} or more", key,
                                              device.file(), signal, device.signal_bits(signal), bits));
  };
  const auto constant = [&](const char* signal, std::uint64_t value) {
    if (device.has_signal(signal)) device.drive_signal(signal, {value}, 0);
  };
  const auto rate = [&](const char* signal, Frequency value) {
    constant(signal, static_cast<std::uint64_t>(value.hertz));
  };
  if (device.has_signal("timebase")) {
    const auto tick = period(chip_.peripherals.timebase).picoseconds;
    device.provide_signal("timebase", true, [tick](std::int64_t ps) {
      return rtl::SignalValue{ps % tick < tick / 2 ? 1u : 0u};
    });
  }
  if (key == "uart") {
    const auto bit = bit_time(chip_.peripherals);
    if (bit.picoseconds == 0 && (device.has_signal("transmit") || device.has_signal("receive")))
      throw std::invalid_argument(fmt::format(
          "rtl.uart: {}: its characters go over serial lines, which needs peripherals.uart_baud, found {} of "
          "peripherals.uart_clock {}",
          device.file(), chip_.peripherals.uart_baud, chip_.peripherals.uart_clock.hertz));
    rtl_serial_ = std::make_unique<rtl::RtlSerial>("uart_line", device, bit);
    if (!peripheral.lockstep) return;
    auto both = std::make_unique<rtl::LockstepSerial>(uart, *rtl_serial_, device);
    both->check.on_difference = told;
    serial_ = std::move(both);
  } else if (key == "mailbox") {
    rtl_host_ = std::make_unique<rtl::RtlMailbox>("mailbox_host", device, chip_.peripherals.mailbox_depth);
    if (!peripheral.lockstep) return;
    auto both = std::make_unique<rtl::LockstepMailbox>(mailbox, *rtl_host_, device);
    both->check.on_difference = told;
    host_ = std::move(both);
  } else if (key == "plic") {
    const auto sources = plic_parameters(chip_).sources;
    if (device.has_signal("sources")) wide_enough("sources", sources + 1);
    if (device.has_signal("sources_from_1")) wide_enough("sources_from_1", sources);
    source_levels_.resize(sources / 64 + 1);
    for (unsigned i = 1; i <= sources; ++i)
      sources_.push_back(std::make_unique<ip::LevelIn>(fmt::format("source{}", i).c_str(),
                                                       [this, i](bool level) { set_source(i, level); }));
  } else if (key == "sysctl") {
    const auto p = sysctl_parameters(chip_);
    const auto resets = static_cast<unsigned>(sysctl.cluster_reset.size());
    wide_enough("cluster_reset", resets);
    constant("boot_address", p.boot_address);
    constant("clusters", p.clusters);
    constant("device_tree", p.device_tree);
    rate("cpu_hz", p.cpu);
    rate("timebase_hz", p.timebase);
    rate("cluster_hz", p.cluster);
    if (peripheral.lockstep) return;  // the model does it
    device.watch_signal("cluster_reset", [this, resets](const rtl::SignalValue& value) {
      for (unsigned i = 0; i < resets; ++i) sysctl.cluster_reset[i].set((value[0] >> i & 1) != 0);
    });
    device.watch_signal("exit", [this, &device](const rtl::SignalValue& value) {
      if (value[0] != 0 && on_exit) on_exit(static_cast<int>(device.signal_value("exit_code")[0]));
    });
    device.watch_signal("reset_request", [this](const rtl::SignalValue& value) {
      if (value[0] != 0) reset();
    });
  } else if (key == "perf") {
    wide_enough("name", 8 * ip::PerformanceCounters::name_bytes);
    wide_enough("value", 64);
    const auto selected = [this, &device]() -> const Statistic* {
      const auto number = device.signal_value("select")[0];
      return number < statistics_.size() ? &statistics_[number] : nullptr;
    };
    device.provide_signal("value", false, [selected](std::int64_t) {
      const auto* one = selected();
      return rtl::SignalValue{one == nullptr ? 0 : one->value()};
    });
    device.provide_signal("name", false, [selected](std::int64_t) {
      const auto* one = selected();
      return one == nullptr ? rtl::SignalValue(name_words) : packed(one->name);
    });
    device.provide_signal("count", false,
                          [this](std::int64_t) { return rtl::SignalValue{statistics_.size()}; });
  }
}

ip::LevelOut& Soc::output(const std::string& key, const std::string& signal, ip::LevelOut& model) {
  auto* const rtl = rtl_peripheral(key);
  if (rtl == nullptr || (!signal.empty() && !rtl->device->has_signal(signal))) return model;
  auto& line = outputs_[key + "_" + (signal.empty() ? "interrupt" : signal)];
  if (line) return line->out;
  line = std::make_unique<rtl::OutputLine>(("line_" + key + "_" + signal).c_str(), *rtl->device, signal,
                                           rtl->lockstep ? &model : nullptr);
  line->on_difference = [this, rtl](const rtl::Difference& difference) {
    differ(difference, *rtl->device, rtl->other_waves);
  };
  return line->out;
}

ip::LevelIn& Soc::interrupt_source(unsigned number) {
  return sources_.empty() ? plic.source(number) : *sources_.at(number - 1);
}

void Soc::set_source(unsigned number, bool level) {
  auto& rtl = *rtl_peripheral("plic");
  const auto bit = std::uint64_t{1} << number % 64;
  auto& word = source_levels_[number / 64];
  word = level ? word | bit : word & ~bit;
  const auto now = ip::now_picoseconds();
  if (rtl.device->has_signal("sources")) rtl.device->drive_signal("sources", source_levels_, now);
  if (rtl.device->has_signal("sources_from_1")) {
    auto shifted = source_levels_;
    for (std::size_t i = 0; i < shifted.size(); ++i)
      shifted[i] = shifted[i] >> 1 | (i + 1 < shifted.size() ? shifted[i + 1] << 63 : 0);
    rtl.device->drive_signal("sources_from_1", shifted, now);
  }
  if (rtl.lockstep) plic.source(number)->set_level(level);
}

ip::SerialPort& Soc::serial() { return serial_ ? *serial_ : rtl_serial_ ? *rtl_serial_ : uart; }
ip::HostMailbox& Soc::host() { return host_ ? *host_ : rtl_host_ ? *rtl_host_ : mailbox; }

void Soc::set_boot_address(std::uint64_t address) {
  sysctl.set_boot_address(address);
  if (auto* const rtl = rtl_peripheral("sysctl")) rtl->device->drive_signal("boot_address", {address}, 0);
}

}  // namespace forerun::soc
