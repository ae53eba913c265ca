// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/cpu_lockstep.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "ip/base/time.hpp"
#include "ip/cpu/decode.hpp"
#include "ip/cpu/disassemble.hpp"

namespace forerun::rtl {
namespace {

constexpr std::size_t told_before = 3;  // instructions

const ip::riscv::Extensions& extensions_of(const Device& device) {
  if (!device.map().rvfi)
    throw std::runtime_error(
        fmt::format("rtl.cpu: {}: expected rvfi: {{prefix: ...}} in its pin map, by whose pins lockstep sees "
                    "what it carries out",
                    device.file()));
  return device.map().rvfi->extensions;
}

}  // namespace

CpuLockstep::CpuLockstep(Device& device, const ip::CpuParameters& parameters)
    : device_(device), hart_(parameters, extensions_of(device)) {
  for (auto& initiator : device.initiators)
    initiator.bridge->on_answer = [this](const tlm::tlm_generic_payload& payload) {
      const auto length = payload.get_data_length();
      const auto* const enables = payload.get_byte_enable_ptr();
      hart_.memory.passed(payload.is_write(), payload.get_address(), {payload.get_data_ptr(), length},
                          enables == nullptr
                              ? std::span<const unsigned char>{}
                              : std::span<const unsigned char>{enables, payload.get_byte_enable_length()},
                          payload.is_response_ok());
    };
  device.watch_retired([this](std::uint64_t cycle, const std::vector<ip::riscv::Retired>& instructions) {
    for (const auto& instruction : instructions) {
      if (found_) return;
      if (const auto what = hart_.retire(instruction)) return differ(cycle, instruction, *what);
      before_.push_back({instruction.pc, instruction.insn});
      if (before_.size() > told_before) before_.pop_front();
    }
  });
}

std::string CpuLockstep::describe(std::uint64_t pc, std::uint32_t insn) const {
  const auto where = place ? place(pc) : "";
  return fmt::format("{} ({:0{}x}) at {:#x}{}", ip::riscv::disassemble(insn, pc), insn,
                     ip::riscv::is_compressed(insn) ? 4 : 8, pc, where.empty() ? "" : " <" + where + ">");
}

void CpuLockstep::differ(std::uint64_t cycle, const ip::riscv::Retired& instruction,
                         const std::string& what) {
  found_ = true;
  auto text = what;
  for (auto one = before_.rbegin(); one != before_.rend(); ++one)
    text +=
        fmt::format("\n  {} {}", one == before_.rbegin() ? "after" : "     ", describe(one->pc, one->insn));
  if (on_difference)
    on_difference(
        {device_.label(),
         fmt::format("instruction {}, {}", hart_.retired(), describe(instruction.pc, instruction.insn)),
         cycle, ip::now_picoseconds(), std::move(text)});
}

}  // namespace forerun::rtl
