// SPDX-License-Identifier: Apache-2.0
/// The CPU as a DebugTarget: stopping, stepping, and looking around.
#include <algorithm>

#include "ip/cpu/core.hpp"

namespace forerun::ip {

void Cpu::Core::debug_requests() {
  if (poll) poll();
  std::uint64_t address = 0;
  auto kind = WatchKind::write;
  if (!on_stop) {  // nobody wants to know
    hart_.mmu.take_watch_hit(address, kind);
    hart_.skip_breakpoint();
    return;
  }
  if (hart_.mmu.take_watch_hit(address, kind))
    stopped({StopReason::Kind::watchpoint, address, kind});
  else if (hart_.at_breakpoint())
    stopped({StopReason::Kind::breakpoint, hart_.state.pc, {}});
  if (halt_requested_.exchange(false)) stopped({StopReason::Kind::halt_request, hart_.state.pc, {}});
}

/// Stands still until the debugger lets go; single steps lead to the next stop.
void Cpu::Core::stopped(StopReason reason) {
  for (;;) {
    publish();
    synchronise();
    if (reset_requested_) return;
    step_requested_ = false;
    on_stop(reason);
    hart_.skip_breakpoint();
    if (!step_requested_) return;
    hart_.wake();
    hart_.step();
    reason = {StopReason::Kind::step, hart_.state.pc, {}};
    std::uint64_t address = 0;
    auto kind = WatchKind::write;
    if (hart_.mmu.take_watch_hit(address, kind)) reason = {StopReason::Kind::watchpoint, address, kind};
  }
}

void Cpu::Core::write_x(unsigned number, std::uint64_t value) {
  if (number % 32 != 0) hart_.state.x[number % 32] = value;
}

void Cpu::Core::write_privilege(unsigned privilege) {
  if (privilege == 0 || privilege == 1 || privilege == 3)
    hart_.state.privilege = static_cast<riscv::Privilege>(privilege);
}

template <typename Byte, typename Transport>
std::size_t Cpu::Core::copy_memory(std::uint64_t address, std::span<Byte> bytes, Transport transport) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto at = address + done;
    const auto length = std::min<std::size_t>(bytes.size() - done, 4096 - (at & 4095));
    std::uint64_t physical = 0;
    if (!hart_.mmu.debug_translate(at, physical)) break;
    if (transport(physical, bytes.data() + done, static_cast<unsigned>(length))) {
      done += length;
      continue;
    }
    std::size_t part = 0;  // the page may end early
    while (part < length && transport(physical + part, bytes.data() + done + part, 1u)) ++part;
    done += part;
    if (part < length) break;
  }
  return done;
}

std::size_t Cpu::Core::read_memory(std::uint64_t address, std::span<std::byte> bytes) {
  return copy_memory(address, bytes, [this](std::uint64_t at, std::byte* data, unsigned n) {
    return debug_read(at, data, n);
  });
}

std::size_t Cpu::Core::write_memory(std::uint64_t address, std::span<const std::byte> bytes) {
  const auto done = copy_memory(address, bytes, [this](std::uint64_t at, const std::byte* data, unsigned n) {
    return debug_write(at, data, n);
  });
  hart_.code.fence();
  return done;
}

bool Cpu::Core::remove_breakpoint(std::uint64_t address) {
  if (!hart_.code.breakpoints().contains(address)) return false;
  hart_.code.set_breakpoint(address, false);
  return true;
}

bool Cpu::Core::insert_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) {
  if (length == 0) return false;
  auto watches = hart_.mmu.watches();
  const riscv::Mmu::Watch watch{address, length, kind};
  if (std::find(watches.begin(), watches.end(), watch) == watches.end()) watches.push_back(watch);
  hart_.mmu.set_watches(std::move(watches));
  return true;
}

bool Cpu::Core::remove_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) {
  auto watches = hart_.mmu.watches();
  const auto found = std::find(watches.begin(), watches.end(), riscv::Mmu::Watch{address, length, kind});
  if (found == watches.end()) return false;
  watches.erase(found);
  hart_.mmu.set_watches(std::move(watches));
  return true;
}

}  // namespace forerun::ip
