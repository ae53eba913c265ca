// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/cpu.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "platform/rtl/command.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {

std::string cpu_model(const chip::Chip& chip, Waves waves) {
  if (!chip.rtl.cpu.text.empty()) return chip.rtl.cpu.text;
  const auto folder = std::filesystem::path(FORERUN_INCLUDE_DIR) / "ip/cpu/rtl";
  VerilateRequest request;
  request.top = "riscv_core";
  for (const auto* part : {"expand", "alu", "divider", "csr", "core"})
    request.sources.push_back(folder / fmt::format("riscv_{}.sv", part));
  request.waves = waves;
  request.pins = read_text(folder / "riscv_core.yaml");
  return verilated(request).string();
}

void check_cpu(const Device& device) {
  const auto refuse = [&](const std::string& text) {
    throw std::runtime_error(fmt::format("rtl.cpu: {}: {}", device.file(), text));
  };
  for (const auto& face : device.map().interfaces)
    if (face.role != Role::manager)
      refuse(fmt::format("interface {} is no manager, expected managers only", face.name));
  if (device.map().interfaces.empty() || device.map().interfaces.size() > 2)
    refuse(fmt::format("{} interfaces, expected one with role manager, or two, for instructions and data",
                       device.map().interfaces.size()));
  for (const auto* name : {"reset_vector", "machine_external", "machine_timer", "machine_software"})
    if (!device.has_signal(name)) refuse(fmt::format("expected signals: {{{}: ...}} in its pin map", name));
}

}  // namespace forerun::rtl
