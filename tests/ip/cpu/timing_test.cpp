// SPDX-License-Identifier: Apache-2.0
/// What takes time and how much: instruction costs, the bus, sleep, reset; and memory whose DMI comes and
/// goes.
#include <gmock/gmock.h>

#include "machine.hpp"

using namespace forerun;
using namespace forerun::ip::test;

namespace {

const std::string programs = CPU_PROGRAMS;

/// Prints the same whatever the quantum, and whether memory annotates time or lets it pass.
class Directed : public testing::TestWithParam<std::pair<std::int64_t, bool>> {};

TEST_P(Directed, PrintsWhatTheSpecificationSays) {
  auto parameters = Machine::defaults();
  parameters.quantum = {GetParam().first};
  Machine machine("machine", parameters);
  machine.slow.waits = GetParam().second;
  machine.load(programs + "/directed.elf");
  machine.run();
  ASSERT_TRUE(machine.finished);
  EXPECT_EQ(machine.exit_code, 0u);
  const std::string expected =
#include "directed_expected.inc"
      ;
  EXPECT_EQ(machine.output, expected);
}

INSTANTIATE_TEST_SUITE_P(Cpu, Directed,
                         testing::Values(std::pair{10'000'000, false}, std::pair{1'000, false},
                                         std::pair{10'000'000, true}, std::pair{1'000, true}),
                         [](const auto& instance) {
                           return std::string(instance.param.first == 1'000 ? "quantum_of_a_cycle"
                                                                            : "quantum_of_10_us") +
                                  (instance.param.second ? "_memory_waits" : "");
                         });

TEST(Parameters, AreChecked) {
  auto parameters = Machine::defaults();
  parameters.clock = {0};
  EXPECT_THROW(ip::Cpu("no_clock", parameters), std::invalid_argument);
  parameters = Machine::defaults();
  parameters.pmp_entries = 17;
  EXPECT_THROW(ip::Cpu("too_many", parameters), std::invalid_argument);
}

TEST(Costs, AreThoseOfTheParameters) {
  auto parameters = Machine::defaults();
  parameters.costs = {3, 5, 7, 11, 13, 17, 19, 23, 29};
  Machine machine("machine", parameters);
  machine.load(programs + "/costs.elf");
  machine.run();
  ASSERT_TRUE(machine.finished);
  const auto& c = parameters.costs;
  const auto results = machine.symbol("results");
  const unsigned expected[] = {c.alu,    c.load,     c.store,         c.branch,        c.multiply,
                               c.divide, c.floating, c.atomic,        c.system,        c.branch,
                               c.load,   c.floating, c.load + 2 + 37, c.store + 2 + 37};
  for (std::size_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(machine.read64(results + 8 * i), 10 * expected[i] + c.system) << "class " << i;
  EXPECT_EQ(machine.cpu.stall_cycles.value(), 20u * (2 + 37) + 2) << "the last one is that of the finisher";
  EXPECT_EQ(machine.cpu.bus_accesses.value(), 21u);
  EXPECT_EQ(machine.cpu.bus_errors.value(), 0u);
}

TEST(Costs, TheClockSetsTheTime) {
  auto parameters = Machine::defaults();
  parameters.clock = Frequency{250e6};
  Machine machine("machine", parameters);
  machine.load(programs + "/costs.elf");
  machine.run();
  ASSERT_TRUE(machine.finished);
  EXPECT_NEAR(machine.finish_time.to_seconds(), static_cast<double>(machine.finish_cycles) * 4e-9, 10e-9);
  // 39 ns are ten cycles of 4 ns: the CPU goes on at its next edge.
  EXPECT_EQ(machine.read64(machine.symbol("results") + 8 * 12),
            10 * (parameters.costs.load + 10) + parameters.costs.system);
}

TEST(Sleep, EndsAtTheTimerAndCostsNothing) {
  Machine machine("machine");
  machine.load(programs + "/sleep.elf");
  machine.run(sc_core::sc_time(1000, sc_core::SC_SEC));
  ASSERT_TRUE(machine.finished);
  const auto log = machine.symbol("log");
  std::uint64_t total = 0;
  for (unsigned i = 0; i < 20; ++i) {
    const auto time = machine.read64(log + 24 * i), compare = machine.read64(log + 24 * i + 8),
               cycle = machine.read64(log + 24 * i + 16);
    EXPECT_EQ(time, compare) << i;
    EXPECT_GE(cycle, compare * 100) << "mcycle runs on in wfi";
    EXPECT_LE(cycle, compare * 100 + 20);
    total = compare;
  }
  EXPECT_GT(machine.cpu.sleep_cycles.value(), total * 99);
  EXPECT_LT(machine.cpu.slices.value(), 300u) << "104 s of simulated time";
  EXPECT_EQ(machine.cpu.interrupts.value(), 0u);
}

TEST(Reset, HoldsAndRestarts) {
  Machine machine("machine");
  machine.load(programs + "/boots.elf");
  machine.reset.set(true);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(machine.cpu.instructions.value(), 0u);
  const auto boots = machine.symbol("boots"), count = machine.symbol("count");
  machine.reset.set(false);
  sc_core::sc_start(20, sc_core::SC_US);
  const auto first = machine.read64(count);
  EXPECT_EQ(machine.read64(boots), 1u);
  EXPECT_GT(first, 1000u);

  machine.reset.set(true);
  sc_core::sc_start(sc_core::sc_time(20, sc_core::SC_US));
  const auto stopped = machine.read64(count), instructions = machine.cpu.instructions.value();
  sc_core::sc_start(sc_core::sc_time(50, sc_core::SC_US));
  EXPECT_EQ(machine.read64(count), stopped) << "stands while the line is high";
  EXPECT_EQ(machine.cpu.instructions.value(), instructions);
  EXPECT_EQ(machine.cpu.privilege(), 3u);

  machine.cpu.debug().write_x(5, 77);
  machine.cpu.debug().write_csr(0x342, 5);
  machine.reset.set(false);
  machine.reset.set(true);
  machine.reset.set(false);
  sc_core::sc_start(sc_core::sc_time(10, sc_core::SC_US));
  EXPECT_EQ(machine.read64(boots), 2u);
  EXPECT_EQ(machine.cpu.debug().read_csr(0x342), 0u);
  EXPECT_LT(machine.read64(count + 8), 500u) << "mcycle starts anew";

  machine.reset.set(true);  // a pulse while it runs, without time
  machine.reset.set(false);
  sc_core::sc_start(sc_core::sc_time(40, sc_core::SC_US));
  EXPECT_EQ(machine.read64(boots), 3u);
}

/// RAM that grants DMI and from time to time moves to another place of the host's memory.
struct MovingMemory : sc_core::sc_module {
  tlm_utils::simple_target_socket<MovingMemory> socket{"socket"};
  std::vector<unsigned char> places[2];
  unsigned here = 0, transactions = 0, grants = 0;
  bool granting = true;
  explicit MovingMemory(const sc_core::sc_module_name& name) : sc_module(name) {
    for (auto& place : places) place.resize(1 << 20);
    socket.register_b_transport(this, &MovingMemory::b_transport);
    socket.register_transport_dbg(this, &MovingMemory::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &MovingMemory::get_direct_mem_ptr);
    sc_core::sc_spawn([this] {
      for (;;) {
        sc_core::wait(3, sc_core::SC_US);
        places[1 - here] = places[here];
        std::fill(places[here].begin(), places[here].end(),
                  static_cast<unsigned char>(0xff));  // so that stale use shows
        here = 1 - here;
        granting = !granting;
        socket->invalidate_direct_mem_ptr(0, (1 << 20) - 1);
      }
    });
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    ++transactions;
    delay += sc_core::sc_time(3, sc_core::SC_NS);
    transport_dbg(payload);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
    auto* const at = &places[here][payload.get_address()];
    if (payload.is_read())
      std::memcpy(payload.get_data_ptr(), at, payload.get_data_length());
    else
      std::memcpy(at, payload.get_data_ptr(), payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return payload.get_data_length();
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
    if (!granting) return false;
    ++grants;
    dmi.set_dmi_ptr(places[here].data());
    dmi.set_start_address(0);
    dmi.set_end_address((1 << 20) - 1);
    dmi.allow_read_write();
    return true;
  }
};

TEST(Dmi, MayBeWithdrawnAtAnyTime) {
  auto parameters = Machine::defaults();
  parameters.reset_vector = 0xa000'0000;
  Machine machine("machine", parameters);
  MovingMemory memory("memory");
  machine.bus.map(parameters.reset_vector, 1 << 20).bind(memory.socket);
  machine.load(programs + "/boots_moving.elf");
  sc_core::sc_start(100, sc_core::SC_US);
  // Four instructions each round; each round must have left its mark, wherever the memory was.
  const auto rounds = (machine.cpu.instructions.value() - 40) / 4;
  EXPECT_NEAR(static_cast<double>(machine.read64(machine.symbol("count"))), static_cast<double>(rounds), 20);
  EXPECT_EQ(machine.cpu.traps.value(), 0u);
  EXPECT_GT(memory.grants, 10u);
  EXPECT_GT(memory.transactions, 1000u);
}

TEST(TwoHarts, RunSideBySideAsEachAlone) {
  Machine first("first"), second("second");
  int finished = 0;
  for (auto* machine : {&first, &second}) {
    machine->load(programs + "/interrupts.elf");
    machine->finisher.on_write = [machine, &finished](std::uint64_t, std::uint64_t, sc_core::sc_time& delay) {
      machine->finish_instructions = machine->cpu.instructions.value();
      machine->finish_time = sc_core::sc_time_stamp() + delay;
      if (++finished == 2) sc_core::sc_stop();
    };
  }
  first.run();
  EXPECT_EQ(finished, 2);
  EXPECT_EQ(first.finish_instructions, second.finish_instructions);
  EXPECT_EQ(first.finish_time, second.finish_time);
  for (unsigned i = 0; i < 40 * 6; ++i)
    EXPECT_EQ(first.read64(first.symbol("log") + 8 * i), second.read64(second.symbol("log") + 8 * i)) << i;
}

}  // namespace
