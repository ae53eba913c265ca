// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/device_tree.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

constexpr std::uint32_t cpu_phandle = 1, plic_phandle = 2;
/// Interrupts of a hart, as numbered by the mcause register.
constexpr std::uint32_t machine_software = 3, machine_timer = 7, supervisor_external = 9,
                        machine_external = 11;

struct Range {
  std::uint64_t base, size;
};

/// Writes a tree from top to bottom; a full buffer or a wrong order shows as an exception.
class Writer {
 public:
  explicit Writer(std::size_t capacity) : buffer_(capacity) {
    check(fdt_create(buffer_.data(), static_cast<int>(capacity)));
    check(fdt_finish_reservemap(buffer_.data()));
  }
  std::vector<std::uint8_t> finish() {
    check(fdt_finish(buffer_.data()));
    buffer_.resize(fdt_totalsize(buffer_.data()));
    return std::move(buffer_);
  }

  /// A node with what `fill` writes into it.
  template <typename Fill>
  void node(const std::string& name, Fill fill) {
    check(fdt_begin_node(buffer_.data(), name.c_str()));
    fill();
    check(fdt_end_node(buffer_.data()));
  }
  /// A node named after the address of its first range.
  template <typename Fill>
  void device(std::string_view name, std::initializer_list<Range> ranges, Fill fill) {
    node(fmt::format("{}@{:x}", name, ranges.begin()->base), [&] {
      std::vector<std::uint32_t> reg;
      for (const auto& range : ranges)
        for (const auto value : {range.base, range.size}) {
          reg.push_back(static_cast<std::uint32_t>(value >> 32));
          reg.push_back(static_cast<std::uint32_t>(value));
        }
      cells("reg", reg);
      fill();
    });
  }

  void flag(const char* name) { check(fdt_property(buffer_.data(), name, nullptr, 0)); }
  void strings(const char* name, std::initializer_list<std::string_view> values) {
    std::string list;
    for (const auto text : values) list.append(text).push_back('\0');
    check(fdt_property(buffer_.data(), name, list.data(), static_cast<int>(list.size())));
  }
  void cells(const char* name, const std::vector<std::uint32_t>& values) {
    std::vector<fdt32_t> bytes;
    for (const auto cell : values) bytes.push_back(cpu_to_fdt32(cell));
    check(fdt_property(buffer_.data(), name, bytes.data(), static_cast<int>(bytes.size() * sizeof(fdt32_t))));
  }
  /// In hertz, as one cell where it fits and as two otherwise.
  void frequency(const char* name, Frequency value) {
    const auto hertz = static_cast<std::uint64_t>(value.hertz);
    if (hertz <= std::numeric_limits<std::uint32_t>::max())
      check(fdt_property_u32(buffer_.data(), name, static_cast<std::uint32_t>(hertz)));
    else
      check(fdt_property_u64(buffer_.data(), name, hertz));
  }

 private:
  static void check(int result) {
    if (result < 0) throw std::runtime_error(fmt::format("device tree: {}", fdt_strerror(result)));
  }
  std::vector<std::uint8_t> buffer_;
};

void write_cpu(Writer& w, const chip::Chip& chip) {
  w.node("cpus", [&] {
    w.cells("#address-cells", {1u});
    w.cells("#size-cells", {0u});
    w.frequency("timebase-frequency", chip.peripherals.timebase);
    w.node("cpu@0", [&] {
      w.strings("device_type", {"cpu"});
      w.cells("reg", {0u});
      w.strings("status", {"okay"});
      w.strings("compatible", {"riscv"});
      w.strings("riscv,isa", {"rv64imafdc_zicsr_zifencei"});
      w.strings("mmu-type", {"riscv,sv39"});
      w.frequency("clock-frequency", chip.cpu.clock);
      w.node("interrupt-controller", [&] {
        w.cells("#address-cells", {0u});
        w.cells("#interrupt-cells", {1u});
        w.flag("interrupt-controller");
        w.strings("compatible", {"riscv,cpu-intc"});
        w.cells("phandle", {cpu_phandle});
      });
    });
  });
}

void write_interrupt_controllers(Writer& w, const chip::Chip& chip) {
  w.device("clint", {{map::clint, map::clint_size}}, [&] {
    w.strings("compatible", {"sifive,clint0", "riscv,clint0"});
    w.cells("interrupts-extended", {cpu_phandle, machine_software, cpu_phandle, machine_timer});
  });
  w.device("interrupt-controller", {{map::plic, map::plic_size}}, [&] {
    w.strings("compatible", {"sifive,plic-1.0.0", "riscv,plic0"});
    w.cells("#address-cells", {0u});
    w.cells("#interrupt-cells", {1u});
    w.flag("interrupt-controller");
    w.cells("interrupts-extended", {cpu_phandle, machine_external, cpu_phandle, supervisor_external});
    w.cells("riscv,ndev", {map::cluster_interrupt(chip.clusters.count - 1)});
    w.cells("phandle", {plic_phandle});
  });
}

void write_peripherals(Writer& w, const chip::Chip& chip) {
  w.device("serial", {{map::uart, map::uart_size}}, [&] {
    w.strings("compatible", {"ns16550a"});
    w.frequency("clock-frequency", chip.peripherals.uart_clock);
    w.cells("reg-shift", {chip.peripherals.uart_register_shift});
    if (chip.peripherals.uart_baud > 0) w.cells("current-speed", {chip.peripherals.uart_baud});
    w.cells("interrupts", {map::uart_interrupt});
  });
  w.device("timer", {{map::timer, FR_TIMER_BYTES}}, [&] {
    w.strings("compatible", {"forerun,timer"});
    w.cells("interrupts", {map::timer_interrupt});
  });
  w.device("mailbox", {{map::mailbox, FR_MAILBOX_BYTES}}, [&] {
    w.strings("compatible", {"forerun,mailbox"});
    w.cells("interrupts", {map::mailbox_interrupt});
  });
  w.device("sysctl", {{map::sysctl, FR_SYSCTL_BYTES}}, [&] { w.strings("compatible", {"forerun,sysctl"}); });
  for (unsigned i = 0; i < chip.rtl.devices.size(); ++i)
    w.device("device", {{map::rtl_device(i), map::rtl_device_size}}, [&] {
      w.strings("compatible", {"forerun,rtl-device"});
      w.cells("interrupts", {map::rtl_device_interrupt(i)});
    });
  w.device("perf", {{map::perf, FR_PERF_BYTES}}, [&] { w.strings("compatible", {"forerun,perf"}); });
}

void write_clusters(Writer& w, const chip::Chip& chip) {
  for (unsigned i = 0; i < chip.clusters.count; ++i)
    w.device("cluster",
             {{map::cluster_registers(i), FR_CLUSTER_REGISTER_BYTES},
              {map::scratchpad(i), chip.clusters.scratchpad.size.count}},
             [&] {
               w.strings("compatible", {"forerun,cluster"});
               w.cells("forerun,index", {i});
               w.cells("interrupts", {map::cluster_interrupt(i)});
             });
}

std::uint32_t element_type(chip::Element element) {
  switch (element) {
    case chip::Element::f32:
      return FR_TYPE_F32;
    case chip::Element::bf16:
      return FR_TYPE_BF16;
    case chip::Element::f16:
      return FR_TYPE_F16;
    case chip::Element::i32:
      return FR_TYPE_I32;
  }
  throw std::invalid_argument("noc.reduction: unknown element");
}

void write_windows(Writer& w, const chip::Chip& chip) {
  for (unsigned i = 0; const auto& window : chip.noc.multicast)
    w.device("multicast",
             {{map::multicast(i), window_size(chip, window).count},
              {map::multicast_registers(i), FR_CLUSTER_REGISTER_BYTES}},
             [&] {
               w.strings("compatible", {"forerun,multicast"});
               w.strings("label", {window.name});
               w.cells("forerun,clusters", window_clusters(chip, window.clusters));
               ++i;
             });
  for (unsigned i = 0; const auto& window : chip.noc.reduction)
    w.device("reduction", {{map::reduction(i++), window_size(chip, window).count}}, [&] {
      w.strings("compatible", {"forerun,reduction"});
      w.strings("label", {window.name});
      w.cells("forerun,clusters", window_clusters(chip, window.clusters));
      w.cells("forerun,element", {element_type(window.element)});
    });
}

}  // namespace

std::vector<std::uint8_t> make_device_tree(const chip::Chip& chip) {
  Writer w(chip::device_tree_bytes(chip) + chip.name.size());  // only what is used remains
  w.node("", [&] {
    w.cells("#address-cells", {2u});
    w.cells("#size-cells", {2u});
    w.strings("model", {chip.name});
    w.strings("compatible", {"forerun," + chip.name, "forerun,soc"});
    w.node("chosen", [&] { w.strings("stdout-path", {fmt::format("/soc/serial@{:x}", map::uart)}); });
    write_cpu(w, chip);
    w.device("memory", {{map::sram, chip.sram.size.count}}, [&] { w.strings("device_type", {"memory"}); });
    w.device("memory", {{map::hbm, chip::memory_size(chip).count}},
             [&] { w.strings("device_type", {"memory"}); });
    w.node("soc", [&] {
      w.cells("#address-cells", {2u});
      w.cells("#size-cells", {2u});
      w.strings("compatible", {"simple-bus"});
      w.flag("ranges");
      w.cells("interrupt-parent", {plic_phandle});
      write_interrupt_controllers(w, chip);
      write_peripherals(w, chip);
      write_clusters(w, chip);
      write_windows(w, chip);
    });
  });
  return w.finish();
}

}  // namespace forerun::soc
