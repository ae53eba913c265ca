// SPDX-License-Identifier: Apache-2.0
// The CPU of RTL beside the interpreter, with bugs planted in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::ContainsRegex;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
const std::string sources = FORERUN_SOURCE_DIR "/ip/cpu/rtl/";
const std::string pins = sources + "riscv_core.yaml";
constexpr const char* run = "run --prompt We --chip edge --steps 1 --set cpu.model=lockstep";

/// The core with another text in the place of one, as a model; `options` of forerun rtl.
Result make(const Scratch& scratch, const std::string& file, const std::string& text,
            const std::string& other, const std::string& map = pins, const std::string& options = "") {
  std::string files;
  for (const auto* part : {"expand", "alu", "divider", "csr", "core"}) {
    const auto name = "riscv_" + std::string(part) + ".sv";
    auto source = read_file(sources + name);
    if (name == file) {
      const auto at = source.find(text);
      EXPECT_NE(at, std::string::npos) << text;
      if (at != std::string::npos) source.replace(at, text.size(), other);
    }
    std::ofstream(scratch.file(name)) << source;
    files += " " + scratch.file(name);
  }
  return launch("rtl --top riscv_core --pins " + map + " -o " + scratch.file("cpu.so") + options + files);
}

/// What a run says with such a core.
std::string difference(const std::string& file, const std::string& text, const std::string& other) {
  const Scratch scratch;
  const auto made = make(scratch, file, text, other);
  EXPECT_EQ(made.code, 0) << made.err;
  const auto ran = launch(std::string(run) + " --set rtl.cpu=" + scratch.file("cpu.so"));
  EXPECT_EQ(ran.code, 1) << ran.out;
  return ran.err;
}

}  // namespace

TEST(CpuLockstep, FindsNothingInACoreThatIsRight) {
  const Scratch scratch;
  report_of("--prompt We --chip edge --steps 1 --ids " + scratch.file("models"));
  const auto with = report_of(
      std::string("--prompt We --chip edge --steps 1 --set cpu.model=lockstep --ids ") + scratch.file("ids"));
  EXPECT_EQ(read_ids(scratch.file("ids")), read_ids(scratch.file("models")));
  EXPECT_GT(with["rtl"][0]["compared"], 100'000);
  EXPECT_THAT(with["rtl"][0]["model"].get<std::string>(), HasSubstr("compared with the interpreter"));
}

TEST(CpuLockstep, FindsAWrongSignOfALoad) {
  const Scratch scratch;
  const auto made = make(scratch, "riscv_core.sv", "loaded = {{32{lanes[31]}}, lanes[31:0]}",
                         "loaded = {{32{1'b0}}, lanes[31:0]}", pins, " --waves fst");
  ASSERT_EQ(made.code, 0) << made.err;
  const auto found = launch(std::string(run) + " --set rtl.cpu=" + scratch.file("cpu.so"));
  EXPECT_EQ(found.code, 1);
  EXPECT_THAT(found.err,
              ContainsRegex("RTL and models differ in cpu, first in cycle [0-9]+ of instruction [0-9]+, "
                            "lw [a-z0-9]+, -?[0-9]+\\([a-z0-9]+\\) \\([0-9a-f]+\\) at 0x[0-9a-f]+ "
                            "<[a-z_]+\\+0x[0-9a-f]+> \\(at [0-9]+ ps\\)\n"
                            "  it writes 0x[89a-f][0-9a-f]{7} to [a-z0-9]+, by the model "
                            "0xffffffff[89a-f][0-9a-f]{7}\n  after "));
  EXPECT_THAT(found.err, ContainsRegex("waves: [0-9]+ to [0-9]+ ps in lockstep.cpu.fst"));
  EXPECT_GT(std::filesystem::file_size("lockstep.cpu.fst"), 1000u);
}

TEST(CpuLockstep, FindsAWrongCompareOfABranch) {
  EXPECT_THAT(
      difference("riscv_core.sv", "2'd2: branches = $signed(a) < $signed(b)", "2'd2: branches = a < b"),
      ContainsRegex(", (blt|bge) [^\n]*\n  it goes on at 0x[0-9a-f]+, by the model at 0x[0-9a-f]+\n"));
}

TEST(CpuLockstep, FindsALostStrobeAtTheStore) {
  EXPECT_THAT(
      difference("riscv_core.sv", "assign m_wstrb = lane_mask", "assign m_wstrb = (lane_mask & 8'hdf)"),
      ContainsRegex(", sd [^\n]*\n  it stores [0-9a-f]{2} to 0x[0-9a-f]+, but its bus has written nothing "
                    "there\n"));
}

TEST(CpuLockstep, FindsAWrongAddressOfAnInterrupt) {
  EXPECT_THAT(difference("riscv_csr.sv", "mepc <= pc;", "mepc <= cause[63] ? pc + 64'd4 : pc;"),
              ContainsRegex("\n  it reads 0x[0-9a-f]+ from CSR 0x341, by the model 0x[0-9a-f]+\n"));
}

TEST(CpuLockstep, FindsAnInterruptThatIsNeverTaken) {
  EXPECT_THAT(difference("riscv_csr.sv", "assign interrupt = pending && mie_bit", "assign interrupt = 0"),
              HasSubstr("the machine external interrupt is pending and was enabled at 100 instructions"));
}

TEST(CpuLockstep, NeedsThePinsThatTell) {
  const Scratch scratch;
  auto map = read_file(pins);
  map.replace(map.find("rvfi:"), map.find('\n', map.find("rvfi:")) + 1 - map.find("rvfi:"), "");
  std::ofstream(scratch.file("without.yaml")) << map;
  const auto made = make(scratch, "", "", "", scratch.file("without.yaml"));
  ASSERT_EQ(made.code, 0) << made.err;
  const auto refused = launch(std::string(run) + " --set rtl.cpu=" + scratch.file("cpu.so"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("expected rvfi: {prefix: ...} in its pin map"));
}

TEST(CpuLockstep, MistakesInThePinMapAreTold) {
  const auto refused = [](const std::string& rvfi) {
    const Scratch scratch;
    auto map = read_file(pins);
    const auto at = map.find("rvfi:");
    map.replace(at, map.find('\n', at) - at, rvfi);
    std::ofstream(scratch.file("map.yaml")) << map;
    const auto made = make(scratch, "", "", "", scratch.file("map.yaml"));
    EXPECT_NE(made.code, 0) << rvfi;
    return made.err;
  };
  EXPECT_THAT(refused("rvfi: {prefix: rvfx_}"),
              HasSubstr("no port begins with 'rvfx_'; did you mean rvfi_?"));
  EXPECT_THAT(refused("rvfi: {prefix: rvfi_, isa: rv32imc}"), HasSubstr("found 'rv32imc', expected rv64i"));
  EXPECT_THAT(refused("rvfi: {prefix: rvfi_, mode: m}"),
              HasSubstr("unknown key 'mode'; did you mean modes?"));
  EXPECT_THAT(refused("rvfi: {prefix: rvfi_, ports: {rd_wdat: x}}"),
              HasSubstr("unknown pin 'rd_wdat'; did you mean rd_wdata?"));
  EXPECT_THAT(refused("rvfi: {prefix: rvfi_, ports: {insn: rvfi_order}}"),
              HasSubstr("port rvfi_order has 64 bits, expected 32"));
  EXPECT_THAT(refused("rvfi: {isa: rv64imc}"), HasSubstr("expected the prefix of its pins"));
}
