// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/cpu.hpp"

#include <algorithm>
#include <stdexcept>

#include "ip/cpu/core.hpp"

namespace forerun::ip {
namespace {

namespace line = riscv::interrupt;

constexpr std::size_t stack_bytes = 1 << 20;  // a debugger's server runs on it too
constexpr int most_deltas = 8;
constexpr std::uint64_t hopeless_traps = 1000;  // more than probing for what is there needs

sc_core::sc_time from_picoseconds(std::int64_t picoseconds) {
  static const auto unit = sc_core::sc_time(1, sc_core::SC_PS).value();
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(picoseconds) * unit);
}

Frequency checked(const CpuParameters& parameters) {
  if (!(parameters.clock.hertz >= 1 && parameters.clock.hertz <= 1e12))
    throw std::invalid_argument("the CPU's clock must be between 1 Hz and 1 THz");
  if (parameters.pmp_entries > 16) throw std::invalid_argument("the CPU has at most 16 PMP entries");
  return parameters.clock;
}

}  // namespace

Cpu::Cpu(const sc_core::sc_module_name& name, const CpuParameters& parameters)
    : sc_module(name),
      bus("bus"),
      machine_software("machine_software",
                       [this](bool level) { core_->set_line(line::machine_software, level); }),
      machine_timer("machine_timer", [this](bool level) { core_->set_line(line::machine_timer, level); }),
      machine_external("machine_external",
                       [this](bool level) { core_->set_line(line::machine_external, level); }),
      supervisor_external("supervisor_external",
                          [this](bool level) { core_->set_line(line::supervisor_external, level); }),
      reset_line("reset", [this](bool level) { core_->set_reset(level); }),
      core_(std::make_unique<Core>(*this, parameters)) {
  bus.register_invalidate_direct_mem_ptr(this, &Cpu::invalidate_direct_mem_ptr);
  sc_core::sc_spawn_options options;
  options.set_stack_size(stack_bytes);
  sc_core::sc_spawn([this] { core_->run(); }, "run", &options);
}

Cpu::~Cpu() = default;

DebugTarget& Cpu::debug() { return *core_; }
std::uint64_t Cpu::pc() const { return core_->hart().state.pc; }
std::uint64_t Cpu::x(unsigned number) const { return core_->read_x(number); }
unsigned Cpu::privilege() const { return core_->read_privilege(); }
bool Cpu::sleeping() const { return core_->hart().sleeping(); }
std::string Cpu::stuck() const {
  const auto& hart = core_->hart();
  if (hart.sleeping() && hart.state.mie == 0) return "sleeps with every interrupt masked (mie is 0)";
  if (hart.futile_traps() >= hopeless_traps)
    return "traps over and over: " + std::to_string(hart.futile_traps()) +
           " times in a row without getting on";
  return {};
}
sc_core::sc_time Cpu::local_time() const { return sc_core::sc_time_stamp() + core_->local_offset(); }
void Cpu::invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) { core_->invalidate(start, end); }

Cpu::Core::Core(Cpu& cpu, const CpuParameters& parameters)
    : cpu_(cpu),
      clock_(checked(parameters)),
      quantum_(from_picoseconds(std::max<std::int64_t>(parameters.quantum.picoseconds, clock_.period_ps()))),
      hart_(*this, parameters) {}

void Cpu::Core::set_line(unsigned bit, bool level) {
  hart_.set_line(bit, level);
  if (waiting_) wake_.notify();
}

void Cpu::Core::set_reset(bool level) {
  if (level) reset_requested_ = true;
  hart_.end_slice();
  if (waiting_) wake_.notify();
}

void Cpu::Core::run() {
  for (;;) {
    if (reset_requested_) hold_in_reset();
    debug_requests();
    if (hart_.sleeping())
      sleep();
    else
      slice();
  }
}

void Cpu::Core::hold_in_reset() {
  publish();
  synchronise();
  waiting_ = true;
  while (cpu_.reset_line.level()) sc_core::wait(wake_);
  waiting_ = false;
  reset_requested_ = false;
  settle();
  hart_.set_cycle(std::max(present_cycle(), hart_.cycle()));
  hart_.reset();
  published_.cycles = hart_.cycle();
}

void Cpu::Core::slice() {
  if (hart_.cycle() >= limit_cycle()) {
    synchronise();
    if (hart_.sleeping() || reset_requested_) return;
  }
  ++cpu_.slices;
  hart_.run(std::max(limit_cycle(),
                     hart_.cycle() + 1));  // at least one instruction, whatever else goes on at this moment
  publish();
}

void Cpu::Core::sleep() {
  synchronise();
  if (!hart_.sleeping() || reset_requested_) return;
  publish();
  waiting_ = true;
  if (on_stop || poll)
    sc_core::wait(quantum_, wake_);  // so that a debugger can interrupt
  else
    sc_core::wait(wake_);
  waiting_ = false;
  const auto before = hart_.cycle();
  hart_.set_cycle(std::max(present_cycle(), before));
  cpu_.sleep_cycles += hart_.cycle() - before;
  settle();
  publish();
}

void Cpu::Core::synchronise() {
  const auto ahead = local_offset();
  if (ahead > sc_core::SC_ZERO_TIME) sc_core::wait(ahead);
  settle();
}

/// Lets everything else happen that happens at this moment. Two harts at the same moment would wait for one
/// another for ever.
void Cpu::Core::settle() {
  for (int i = 0; i < most_deltas && sc_core::sc_pending_activity_at_current_time(); ++i)
    sc_core::wait(sc_core::SC_ZERO_TIME);
}

/// Instructions may start before this cycle: nothing else happens earlier.
std::uint64_t Cpu::Core::limit_cycle() const {
  const auto now = now_picoseconds();
  const auto until_event =
      std::min(sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext()), quantum_);
  return static_cast<std::uint64_t>(clock_.ps_to_cycles(now + to_picoseconds(until_event)));
}

std::uint64_t Cpu::Core::present_cycle() const {
  return static_cast<std::uint64_t>(clock_.ps_to_cycles(now_picoseconds()));
}

sc_core::sc_time Cpu::Core::local_offset() const {
  const auto ahead = clock_.cycles_to_ps(static_cast<std::int64_t>(hart_.cycle())) - now_picoseconds();
  return ahead > 0 ? from_picoseconds(ahead) : sc_core::SC_ZERO_TIME;
}

/// Brings the counters up to date.
void Cpu::Core::publish() {
  const auto update = [](Counter& counter, std::uint64_t& last, std::uint64_t now) {
    counter += now - last;
    last = now;
  };
  update(cpu_.instructions, published_.instructions, hart_.retired());
  update(cpu_.cycles, published_.cycles, hart_.cycle());
  update(cpu_.traps, published_.traps, hart_.traps());
  update(cpu_.interrupts, published_.interrupts, hart_.interrupts());
  update(cpu_.tlb_misses, published_.tlb_misses, hart_.mmu.misses());
}

}  // namespace forerun::ip
