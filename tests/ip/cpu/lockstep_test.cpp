// SPDX-License-Identifier: Apache-2.0
// The hart beside another one: what counts as the same, and what does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "ip/cpu/disassemble.hpp"
#include "ip/cpu/lockstep_hart.hpp"

namespace forerun::ip::riscv {
namespace {

using testing::HasSubstr;
constexpr std::uint64_t start = 0x1000, data = 0x8000'0000;

constexpr std::uint32_t addi(unsigned rd, unsigned rs1, int immediate) {
  return 0x13 | rd << 7 | rs1 << 15 | static_cast<std::uint32_t>(immediate) << 20;
}
constexpr std::uint32_t load(unsigned funct3, unsigned rd, unsigned rs1) {
  return 0x03 | funct3 << 12 | rd << 7 | rs1 << 15;
}
constexpr std::uint32_t store(unsigned funct3, unsigned rs2, unsigned rs1) {
  return 0x23 | funct3 << 12 | rs1 << 15 | rs2 << 20;
}
constexpr std::uint32_t csrrw(unsigned rd, unsigned csr, unsigned rs1) {
  return 0x1073 | rd << 7 | rs1 << 15 | csr << 20;
}

/// A hart of which the test says what it does; instructions pass its bus one by one.
class Bench {
 public:
  explicit Bench(Extensions extensions = {}) : hart({}, extensions) {}

  std::string retire(std::uint32_t insn, Retired r = {}) {
    r.insn = insn;
    if (r.pc == 0) r.pc = hart.state().pc;
    unsigned char bytes[4];
    std::memcpy(bytes, &insn, 4);
    hart.memory.passed(false, r.pc, {bytes, 4}, {}, true);
    return hart.retire(r).value_or("");
  }
  void pass(bool write, std::uint64_t address, std::uint64_t value, unsigned bytes, bool good = true) {
    unsigned char raw[8];
    std::memcpy(raw, &value, 8);
    hart.memory.passed(write, address, {raw, bytes}, {}, good);
  }
  /// x5 holds the address of data.
  void point() {
    EXPECT_EQ(retire(0x800002b7, {.rd = 5, .rd_value = 0xffff'ffff'8000'0000}), "");  // lui
    EXPECT_EQ(retire(0x02029293, {.rd = 5, .rd_value = 0x8000'0000'0000'0000}), "");  // slli 32
    EXPECT_EQ(retire(0x0202d293, {.rd = 5, .rd_value = data}), "");                   // srli 32
  }
  LockstepHart hart;
};

TEST(CpuLockstep, ComparesRegistersAddressesAndOrder) {
  Bench bench;
  EXPECT_EQ(bench.retire(addi(1, 0, 5), {.rd = 1, .rd_value = 5, .order = 7}), "");
  EXPECT_EQ(bench.retire(addi(1, 0, 5), {.rd = 1, .rd_value = 5, .order = 9}),
            "its rvfi_order is 9, expected 8");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5), {.rd = 1, .rd_value = 6}), "it writes 0x6 to ra, by the model 0x5");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5), {.rd = 2, .rd_value = 5}),
            "it writes 0x5 to sp, by the model it writes 0x5 to ra");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5)), "it writes no register, by the model it writes 0x5 to ra");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5), {.rd = 1, .rd_value = 5, .pc = 0x1004}),
            "it is at 0x1004, by the model at 0x1000");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5), {.rd = 1, .rd_value = 5, .next_pc = 0x1008}),
            "it goes on at 0x1008, by the model at 0x1004");
  EXPECT_EQ(Bench().retire(addi(1, 0, 5), {.trap = true}), "it traps, by the model it does not");
}

TEST(CpuLockstep, InstructionsAreThoseThatPassedTheBus) {
  Bench bench;
  bench.pass(false, start, addi(1, 0, 5), 4);
  const auto what = bench.hart.retire({.insn = addi(1, 0, 6), .rd = 1, .rd_value = 6, .pc = start});
  EXPECT_EQ(what, "it is that instruction, but memory holds li ra, 5 (00500093)");
  Bench never;
  EXPECT_THAT(*never.hart.retire({.insn = addi(1, 0, 6), .rd = 1, .rd_value = 6, .pc = start}),
              HasSubstr("never passed the bus"));
}

TEST(CpuLockstep, LoadsGetWhatTheBusReadLastOrALittleBefore) {
  const auto loads = [](std::initializer_list<std::uint64_t> read, std::uint64_t got, std::uint64_t rd) {
    Bench bench;
    bench.point();
    for (const auto value : read) bench.pass(false, data, value, 4);
    return bench.retire(load(2, 6, 5),
                        {.rd = 6, .rd_value = rd, .address = data, .reads = 15, .read_data = got});
  };
  EXPECT_EQ(loads({0x80000001}, 0x80000001, 0xffff'ffff'8000'0001), "");
  EXPECT_EQ(loads({1, 2}, 1, 1), "");  // the next one is on its way
  EXPECT_EQ(loads({0x80000001}, 0x80000001, 0x80000001),
            "it writes 0x80000001 to t1, by the model 0xffffffff80000001");
  EXPECT_EQ(loads({1, 2}, 3, 3), "the byte that it loads from 0x80000000 is 03, but memory holds 02");
  EXPECT_THAT(loads({}, 3, 3), HasSubstr("has never passed the bus"));
}

TEST(CpuLockstep, StoresMayReachTheBusBeforeTheyRetireOrAfter) {
  Bench before, after, other, stale;
  for (auto* bench : {&before, &after, &other, &stale}) {
    bench->point();
    EXPECT_EQ(bench->retire(addi(7, 0, 9), {.rd = 7, .rd_value = 9}), "");
  }
  const Retired nine{.address = data, .writes = 1, .write_data = 9};
  before.pass(true, data, 9, 1);
  EXPECT_EQ(before.retire(store(0, 7, 5), nine), "");
  before.pass(false, data, 4, 1);  // somebody else has written since
  EXPECT_EQ(
      before.retire(load(4, 6, 5), {.rd = 6, .rd_value = 4, .address = data, .reads = 1, .read_data = 4}),
      "");

  EXPECT_EQ(after.retire(store(0, 7, 5), nine), "");
  after.pass(false, data, 4, 1);  // what memory held before
  EXPECT_EQ(
      after.retire(load(4, 6, 5), {.rd = 6, .rd_value = 9, .address = data, .reads = 1, .read_data = 9}), "");
  after.pass(true, data, 9, 1);

  other.pass(true, data, 8, 1);
  EXPECT_EQ(other.retire(store(0, 7, 5), nine),
            "it stores 09 to 0x80000000, but its bus has written 08 there");

  EXPECT_EQ(stale.retire(store(0, 7, 5), nine), "");
  stale.pass(false, data, 4, 1);
  EXPECT_EQ(
      stale.retire(load(4, 6, 5), {.rd = 6, .rd_value = 4, .address = data, .reads = 1, .read_data = 4}),
      "the byte that it loads from 0x80000000 is 04, but memory holds 09");
}

TEST(CpuLockstep, WritesThatNoInstructionStoresAreTold) {
  Bench bench;
  bench.pass(true, data, 0x5a, 1);
  std::string what;
  for (int i = 0; i < 100 && what.empty(); ++i) what = bench.retire(addi(0, 0, 0));
  EXPECT_THAT(what,
              HasSubstr("its bus has written 5a to 0x80000000, which no instruction up to here has stored"));
}

TEST(CpuLockstep, StoresAreCompared) {
  Bench bench;
  bench.point();
  EXPECT_EQ(bench.retire(store(3, 5, 5), {.address = data, .writes = 0xff, .write_data = data + 1}),
            "it stores 8 bytes at 0x80000000 (0x80000001), by the model 8 bytes at 0x80000000 (0x80000000)");
}

TEST(CpuLockstep, ErrorsOfTheBusAreAccessFaults) {
  Bench traps, goes_on;
  for (auto* bench : {&traps, &goes_on}) {
    bench->point();
    bench->pass(false, data, 0, 4, false);
  }
  EXPECT_EQ(traps.retire(load(2, 6, 5), {.trap = true, .address = data}), "");
  EXPECT_EQ(traps.hart.state().mcause, 5u);
  EXPECT_THAT(goes_on.retire(load(2, 6, 5), {.rd = 6, .address = data, .reads = 15}),
              HasSubstr("it does not trap, by the model it does, with cause 5 and the value 0x80000000"));
}

TEST(CpuLockstep, WhatImplementationsMayChooseIsTakenOver) {
  Bench bench({.a = false, .f = false, .d = false, .supervisor = false, .user = false});
  bench.point();
  EXPECT_EQ(bench.retire(csrrw(6, 0xb00, 0), {.rd = 6, .rd_value = 12345}), "");  // mcycle
  EXPECT_EQ(bench.retire(csrrw(6, 0x306, 0), {.trap = true}), "");                // no mcounteren
  EXPECT_EQ(bench.retire(csrrw(6, 0x300, 0), {.rd = 6, .rd_value = 0xa'0000'1800}), "");
  EXPECT_THAT(bench.retire(csrrw(6, 0x342, 0), {.rd = 6, .rd_value = 3}),
              HasSubstr("it reads 0x3 from CSR 0x342, by the model 0x2"));
  Bench misaligned;
  misaligned.point();
  EXPECT_EQ(misaligned.retire(addi(5, 5, 1), {.rd = 5, .rd_value = data + 1}), "");
  EXPECT_EQ(misaligned.retire(load(2, 6, 5), {.trap = true}), "");
  EXPECT_EQ(misaligned.hart.state().mcause, 4u);
  Bench without({.m = false});
  EXPECT_EQ(without.retire(0x022081b3, {.trap = true}), "");  // mul
  EXPECT_THAT(Bench({.m = false}).retire(0x022081b3, {.rd = 3}),
              HasSubstr("it does not trap, by the model it does"));
  EXPECT_THAT(Bench().retire(0x022081b3, {.trap = true}), HasSubstr("it traps, by the model it does not"));
}

TEST(CpuLockstep, InterruptsComeWhenTheOtherOneTakesThem) {
  const auto ready = [](Bench& bench) {
    bench.hart.set_line(interrupt::machine_timer, true);
    EXPECT_EQ(bench.retire(0x00002337, {.rd = 6, .rd_value = 0x2000}), "");  // lui
    EXPECT_EQ(bench.retire(csrrw(0, 0x305, 6)), "");
    EXPECT_EQ(bench.retire(addi(6, 0, 0x80), {.rd = 6, .rd_value = 0x80}), "");
    EXPECT_EQ(bench.retire(csrrw(0, 0x304, 6)), "");
    EXPECT_EQ(bench.retire(addi(6, 0, 8), {.rd = 6, .rd_value = 8}), "");
    EXPECT_EQ(bench.retire(csrrw(0, 0x300, 6)), "");
    EXPECT_EQ(bench.retire(addi(0, 0, 0)), "");
  };
  Bench taken, masked, never;
  ready(taken);
  EXPECT_EQ(taken.retire(csrrw(6, 0x342, 0),
                         {.intr = true, .rd = 6, .rd_value = 0x8000'0000'0000'0007, .pc = 0x2000}),
            "");
  Bench jumps;
  ready(jumps);
  EXPECT_EQ(jumps.retire(addi(0, 0, 0), {.intr = true, .pc = 0x2004}),
            "it is at 0x2004, by the model at 0x2000");
  EXPECT_THAT(masked.retire(addi(0, 0, 0), {.intr = true}), HasSubstr("no interrupt is pending and enabled"));
  ready(never);
  std::string what;
  for (int i = 0; i < 200 && what.empty(); ++i) what = never.retire(addi(0, 0, 0));
  EXPECT_THAT(what, HasSubstr("the machine timer interrupt is pending and was enabled at 100 instructions"));
}

TEST(CpuLockstep, WritesInstructionsAsAssemblersDo) {
  EXPECT_EQ(disassemble(0x00059503, 0), "lh a0, 0(a1)");
  EXPECT_EQ(disassemble(0xfef047e3, 0x1000), "blt zero, a5, 0xfee");
  EXPECT_EQ(disassemble(0x439c, 0), "lw a5, 0(a5)");
  EXPECT_EQ(disassemble(0x800002b7, 0), "lui t0, 0x80000");
  EXPECT_EQ(disassemble(0x341025f3, 0), "csrrs a1, 0x341, zero");
  EXPECT_EQ(disassemble(0x43f5d513, 0), "srai a0, a1, 63");
  EXPECT_EQ(disassemble(0x02a5d533, 0), "divu a0, a1, a0");
  EXPECT_EQ(disassemble(0x30200073, 0), "mret");
  EXPECT_EQ(disassemble(0x0000, 0), "no instruction");
}

}  // namespace
}  // namespace forerun::ip::riscv
