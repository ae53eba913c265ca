// SPDX-License-Identifier: Apache-2.0
/// What a debugger sees of a CPU and may do to it: the whole contract between the CPU model and, for example,
/// a gdb server.
///
/// While the CPU is stopped, simulated time stands still: `on_stop` is called inside the CPU's own process,
/// after simulated time has caught up with the CPU, and nothing else happens in the simulation until it
/// returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace forerun::ip {

/// Which accesses a watchpoint stops at.
enum class WatchKind { read, write, access };

/// Why the CPU stopped.
struct StopReason {
  enum class Kind {
    halt_request,  ///< halt() was called
    breakpoint,    ///< the next instruction is at `address`; it has not been executed
    watchpoint,    ///< the instruction before pc made a watched access; it is complete
    step,          ///< step() is done
  };
  Kind kind = Kind::halt_request;
  std::uint64_t address = 0;           ///< breakpoint: pc. watchpoint: first watched byte that was touched
  WatchKind watch = WatchKind::write;  ///< watchpoint: the kind given at insert_watchpoint
};

/// One hart, stopped or running.
///
/// Registers may be used at any time from the simulation's thread, that is from `on_stop`, from `poll`,
/// before the simulation starts and between two sc_start; memory from the end of elaboration on. Only halt()
/// may be called from another thread.
class DebugTarget {
 public:
  virtual ~DebugTarget() = default;

  /// Integer register 0 .. 31 (taken modulo 32); writes of x0 do nothing.
  virtual std::uint64_t read_x(unsigned number) const = 0;
  virtual void write_x(unsigned number, std::uint64_t value) = 0;
  /// Floating-point register 0 .. 31 (taken modulo 32) as 64 raw bits; a single has ones above it.
  virtual std::uint64_t read_f(unsigned number) const = 0;
  virtual void write_f(unsigned number, std::uint64_t value) = 0;
  /// The next instruction to be executed. Bit 0 of a written value is ignored.
  virtual std::uint64_t read_pc() const = 0;
  virtual void write_pc(std::uint64_t value) = 0;
  /// A CSR by its number (0 .. 4095), with the rights of machine mode. Nothing / false: there is no such
  /// register, or it is read-only.
  virtual std::optional<std::uint64_t> read_csr(unsigned number) const = 0;
  virtual bool write_csr(unsigned number, std::uint64_t value) = 0;
  /// 0 user, 1 supervisor, 3 machine. Other values written are ignored.
  virtual unsigned read_privilege() const = 0;
  virtual void write_privilege(unsigned privilege) = 0;

  /// Copies memory at a virtual address as the CPU's present mode sees it, by transport_dbg: without
  /// simulated time, side effects, access rights or faults. Returns how many bytes could be copied, which is
  /// fewer than asked where an address is not mapped or nothing answers. Written code takes effect at once.
  virtual std::size_t read_memory(std::uint64_t address, std::span<std::byte> bytes) = 0;
  virtual std::size_t write_memory(std::uint64_t address, std::span<const std::byte> bytes) = 0;

  /// Stops before the instruction at a virtual address is executed. Inserting twice is one; false from
  /// remove: there is none. Memory is not changed. Without breakpoints and watchpoints the CPU runs at full
  /// speed.
  virtual void insert_breakpoint(std::uint64_t address) = 0;
  virtual bool remove_breakpoint(std::uint64_t address) = 0;
  /// Stops after an instruction that touches [address, address + length), virtual. False from insert: length
  /// is 0.
  virtual bool insert_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) = 0;
  virtual bool remove_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) = 0;

  /// Asks for a stop before the next instruction of the next slice (at most a quantum of simulated time away,
  /// also in WFI). Called before the simulation starts, it stops the CPU before its first instruction. May be
  /// called from another thread.
  virtual void halt() = 0;
  /// Says, within `on_stop`, how execution goes on when `on_stop` returns: freely (also the default) or for
  /// one instruction. A breakpoint at the present pc does not stop either again. A step that finds an
  /// interrupt pending ends at the first instruction of the handler; a step over WFI does not wait.
  virtual void resume() = 0;
  virtual void step() = 0;

  /// Called when the CPU has stopped; execution goes on when it returns. Without it, nothing stops the CPU.
  std::function<void(const StopReason&)> on_stop;
  /// Called at each slice, at least once a quantum; a server looks here for an interrupt request and calls
  /// halt(). Must be cheap.
  std::function<void()> poll;
};

}  // namespace forerun::ip
