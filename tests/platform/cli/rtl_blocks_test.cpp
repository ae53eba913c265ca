// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of DMA engines and of memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/models/support/model_files.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

struct Ran {
  nlohmann::json report;
  std::vector<std::uint32_t> ids;
};

Ran run(const std::string& arguments) {
  const Scratch scratch;
  Ran ran;
  ran.report = report_of("--prompt We " + arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  return ran;
}

constexpr const char* folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/";

void expect_same_tokens(const std::string& chip, const std::string& rtl, const std::string& name,
                        unsigned instances) {
  const auto model = run(chip), with = run(chip + rtl);
  EXPECT_EQ(with.ids, model.ids);
  ASSERT_EQ(with.report["rtl"].size(), 1u);
  const auto& use = with.report["rtl"][0];
  EXPECT_EQ(use["name"], name);
  EXPECT_EQ(use["instances"], instances);
  EXPECT_GT(use["commands"], 50);
  EXPECT_GT(use["cycles"], 10'000);
  EXPECT_EQ(use["broken_axi_rules"], 0);
  EXPECT_TRUE(use["left_to_the_model"].empty());
}

}  // namespace

TEST(DmaRtl, GivesTokensOfTheModel) {
  expect_same_tokens("--chip edge --steps 2", " --set clusters.dma.model=rtl", "dma", 2);
}

TEST(DmaRtl, GivesTokensOfTheModelOnManyClustersAndInterleavedMemory) {
  expect_same_tokens("--chip reference --set clusters.count=2 --set hbm.ports=2 --steps 1",
                     " --set clusters.dma.model=rtl", "dma", 4);
}

TEST(DmaRtl, AnEngineOfAnotherStyleSaysWhatItLeavesToTheModel) {
  const Scratch scratch;
  const auto made = launch("rtl --top plain_dma --pins " + std::string(folder) + "plain_dma.yaml -o " +
                           scratch.file("dma.so") + " " + folder + "plain_dma.v");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("DMA engine: told by ports, a row at a time, aligned to 8 bytes"));
  const auto model = run("--chip edge --steps 1");
  const auto with =
      run("--chip edge --steps 1 --set clusters.dma.model=rtl --set rtl.dma=" + scratch.file("dma.so"));
  EXPECT_EQ(with.ids, model.ids);
  const auto& use = with.report["rtl"][0];
  EXPECT_GT(use["commands"], 100);
  EXPECT_EQ(use["broken_axi_rules"], 0);
}

TEST(DmaRtl, IsRefusedWhereItCannotBe) {
  const auto refused = [](const std::string& arguments) {
    const auto result = launch("run --chip edge " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(refused("--set clusters.dma.model=rtl --data none"),
              HasSubstr("clusters.dma.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set rtl.dma=x.so"), HasSubstr("rtl.dma is"));
  EXPECT_THAT(refused("--set clusters.dma.model=rtl --set rtl.dma=nowhere.so"),
              HasSubstr("rtl.dma is nowhere.so, which is no file; expected a model that forerun rtl"));
}

namespace {

/// The chip with an HBM of 16 MiB, and Verilog-2001 memory of so many address bits behind each port.
void expect_memory_holds_a_run(const std::string& chip, unsigned address_bits, unsigned ports) {
  const Scratch scratch;
  const auto made =
      launch("rtl --top axi_memory_2001 --pins " + std::string(folder) +
             "memory.yaml --parameter ADDRESS_BITS=" + std::to_string(address_bits) + " -o " +
             scratch.file("memory.so") + " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  const auto model = run(chip), with = run(chip + " --set rtl.hbm=" + scratch.file("memory.so"));
  EXPECT_EQ(with.ids, model.ids);
  ASSERT_EQ(with.report["rtl"].size(), ports);
  for (unsigned i = 0; i < ports; ++i) {
    const auto& use = with.report["rtl"][i];
    EXPECT_EQ(use["name"], "hbm0.port" + std::to_string(i));
    EXPECT_GT(use["commands"], 500);
    EXPECT_EQ(use["broken_axi_rules"], 0);
  }
  const auto bytes = [](const Ran& ran) { return ran.report["phases"][0]["hbm_bytes_read"].get<double>(); };
  EXPECT_NEAR(bytes(with), bytes(model), 0.01 * bytes(model));
}

}  // namespace

TEST(HbmRtl, AMemoryBehindTheOnePortGivesTokensOfTheModel) {
  expect_memory_holds_a_run("--chip edge --set hbm.rows=128 --steps 1", 24, 1);
}

TEST(HbmRtl, MemoriesBehindInterleavedPortsGiveTokensOfTheModel) {
  expect_memory_holds_a_run("--chip edge --set hbm.rows=128 --set hbm.ports=2 --steps 1", 23, 2);
}

TEST(HbmRtl, IsRefusedWhereItCannotBe) {
  const Scratch scratch;
  const auto made =
      launch("rtl --top axi_memory_2001 --pins " + std::string(folder) + "memory.yaml -o " +
             scratch.file("memory.so") + " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  const auto refused = [&](const std::string& arguments) {
    const auto result =
        launch("run --chip edge --set rtl.hbm=" + scratch.file("memory.so") + " " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(refused(""),
              HasSubstr("its address bus of 20 bits reaches 1048576 bytes, but each port has 8589934592"));
  EXPECT_THAT(refused("--data none"), HasSubstr("which needs data: real"));
  EXPECT_THAT(refused("--set timing=loose"), HasSubstr("which needs timing: approximate"));
}

namespace {

/// A Verilog-2001 memory as the SRAM in lockstep, with another text in the place of one.
Result memory_in_lockstep(const Scratch& scratch, const std::string& text, const std::string& other,
                          const std::string& tolerance = "") {
  auto source = read_file(FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  const auto at = source.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at != std::string::npos) source.replace(at, text.size(), other);
  std::ofstream(scratch.file("memory.v")) << source;
  std::ofstream(scratch.file("memory.yaml")) << read_file(std::string(folder) + "memory.yaml") << tolerance;
  const auto made = launch("rtl --top axi_memory_2001 --waves fst --pins " + scratch.file("memory.yaml") +
                           " -o " + scratch.file("memory.so") + " " + scratch.file("memory.v"));
  EXPECT_EQ(made.code, 0) << made.err;
  return launch(
      "run --chip edge --steps 1 --prompt We --set 'sram.size=1 MiB' --set rtl.lockstep=true --set "
      "rtl.sram=" +
      scratch.file("memory.so") + " --ids " + scratch.file("ids"));
}

}  // namespace

TEST(MemoryLockstep, FindsNothingInAMemoryThatIsRight) {
  const Scratch scratch;
  const auto ran = memory_in_lockstep(scratch, "module axi_memory_2001", "module axi_memory_2001");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("compared with the model"));
  EXPECT_EQ(read_ids(scratch.file("ids")), run("--chip edge --steps 1").ids);
}

TEST(MemoryLockstep, FindsALostByte) {
  const Scratch scratch;
  const auto ran = memory_in_lockstep(scratch, "if (s_wstrb[lane])", "if (s_wstrb[lane] & lane != 5)");
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(
      ran.err,
      testing::ContainsRegex(
          "RTL and models differ in sram, first in cycle [0-9]+ of read of [0-9]+ bytes? at 0x[0-9a-f]+, "
          "begun at [0-9]+ ps \\(at [0-9]+ ps\\)\n  byte [0-9]+ \\(0x[0-9a-f]*[5d]\\) is 00, by the "
          "model [0-9a-f]{2}\n  waves: "));
  EXPECT_THAT(ran.err, HasSubstr("lockstep.sram."));
}

TEST(MemoryLockstep, FindsAnAnswerThatComesTooLate) {
  const Scratch scratch;
  const auto ran = memory_in_lockstep(
      scratch, "assign s_arready = !rst & (",
      "reg [6:0] slow;\n  always @(posedge clk) slow <= s_arvalid & !s_arready ? slow + 1'b1 : 0;\n"
      "  assign s_arready = !rst & (&slow) & (",
      "tolerance: {cycles: 40, percent: 100}\n");
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, testing::ContainsRegex(
                           "it takes 1[0-9][0-9] cycles, by the model [0-9]+, and the tolerance is [0-9]+"));
}

TEST(MemoryLockstep, HbmPortsRunBesideTheirModels) {
  const Scratch scratch;
  const auto made = launch("rtl --top axi_memory_2001 --pins " + std::string(folder) +
                           "memory.yaml --parameter ADDRESS_BITS=23 -o " + scratch.file("memory.so") +
                           " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string chip = "--chip edge --set hbm.rows=128 --set hbm.ports=2 --steps 1";
  const auto model = run(chip),
             with = run(chip + " --set rtl.lockstep=true --set rtl.hbm=" + scratch.file("memory.so"));
  EXPECT_EQ(with.ids, model.ids);
  EXPECT_EQ(with.report["rtl"].size(), 2u);
  EXPECT_GT(with.report["phases"][0]["hbm_bytes_read"], 0);
}

namespace {

/// A memory for the scratchpads of `edge`, with another text in the place of one.
std::string scratchpad(const Scratch& scratch, const std::string& text, const std::string& other) {
  auto source = read_file(FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  const auto at = source.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at != std::string::npos) source.replace(at, text.size(), other);
  std::ofstream(scratch.file("memory.v")) << source;
  const auto made =
      launch("rtl --top axi_memory_2001 --waves fst --pins " + std::string(folder) +
             "memory.yaml --parameter DATA_BITS=256 --parameter SHIFT=5 --parameter ADDRESS_BITS=20 -o " +
             scratch.file("scratchpad.so") + " " + scratch.file("memory.v"));
  EXPECT_EQ(made.code, 0) << made.err;
  return " --set rtl.scratchpad=" + scratch.file("scratchpad.so");
}

}  // namespace

TEST(ScratchpadRtl, GivesTheTokensOfTheModel) {
  const Scratch scratch;
  const auto rtl = scratchpad(scratch, "module axi_memory_2001", "module axi_memory_2001");
  const std::string chip = "--chip edge --steps 2";
  const auto model = run(chip), with = run(chip + rtl + " --set clusters.scratchpad.model=rtl");
  EXPECT_EQ(with.ids, model.ids);
  ASSERT_EQ(with.report["rtl"].size(), 1u);
  EXPECT_EQ(with.report["rtl"][0]["name"], "scratchpad");
  EXPECT_EQ(with.report["rtl"][0]["broken_axi_rules"], 0);
  EXPECT_GT(with.report["rtl"][0]["commands"], 1000);
}

TEST(ScratchpadRtl, IsInThePathOfEveryByte) {
  const Scratch scratch;
  const auto rtl = scratchpad(scratch, "if (s_wstrb[lane])", "if (s_wstrb[lane] & lane != 5)");
  const std::string chip = "--chip edge --steps 2";
  EXPECT_NE(run(chip + rtl + " --set clusters.scratchpad.model=rtl").ids, run(chip).ids);
}

TEST(ScratchpadRtl, IsComparedWithTheModel) {
  const Scratch scratch;
  const std::string chip = "--chip edge --steps 1 --set clusters.scratchpad.model=lockstep";
  const auto good = run(chip + scratchpad(scratch, "module axi_memory_2001", "module axi_memory_2001"));
  EXPECT_EQ(good.ids, run("--chip edge --steps 1").ids);
  EXPECT_GT(good.report["rtl"][0]["compared"], 500);
  const auto bad = launch("run --prompt We " + chip +
                          scratchpad(scratch, "if (s_wstrb[lane])", "if (s_wstrb[lane] & lane != 5)"));
  EXPECT_EQ(bad.code, 1) << bad.out;
  EXPECT_THAT(bad.err, testing::ContainsRegex(
                           "RTL and models differ in cluster0.scratchpad, first in cycle [0-9]+ of read of "
                           "[0-9]+ bytes at 0x[0-9a-f]+"));
  EXPECT_THAT(bad.err, HasSubstr("lockstep.cluster0.scratchpad."));
}

TEST(ScratchpadRtl, SaysWhatIsWrongWithAnAnswer) {
  const auto said = [](const std::string& model, const std::string& text, const std::string& other) {
    const Scratch scratch;
    const auto ran = launch("run --prompt We --chip edge --steps 1 --set clusters.scratchpad.model=" + model +
                            scratchpad(scratch, text, other));
    EXPECT_EQ(ran.code, 1) << ran.out;
    return ran.err;
  };
  const std::string response = "assign s_bresp = 2'b00";
  EXPECT_THAT(
      said("lockstep", response, "assign s_bresp = 2'd2"),
      testing::ContainsRegex("differ in cluster0.scratchpad, first in cycle [0-9]+ of write of [0-9]+ bytes "
                             "at 0x[0-9a-f]+ \\(at [0-9]+ ps\\)\n  the write burst of [0-9]+ beats? of "
                             "[0-9]+ bytes at 0x[0-9a-f]+ is answered with SLVERR: "));
  EXPECT_THAT(
      said("rtl", response, "assign s_bresp = 2'd3"),
      testing::ContainsRegex("cluster0.scratchpad: write of [0-9]+ bytes at 0x[0-9a-f]+, in cycle [0-9]+: "
                             "the write burst of [^\n]* is answered with DECERR: the module has nothing "
                             "there, expected memory at every address below 0x[0-9a-f]+"));
  EXPECT_THAT(said("rtl", response, "assign s_bresp = 2'd1"),
              HasSubstr("EXOKAY, which is for exclusive accesses, expected OKAY\n  broken before: cycle"));
}

TEST(ScratchpadRtl, IsRefusedWithoutItsVerilogOrData) {
  const auto refused = [](const std::string& arguments) {
    return launch("run --chip edge " + arguments).err;
  };
  EXPECT_THAT(refused("--set clusters.scratchpad.model=rtl"),
              HasSubstr("clusters.scratchpad.model is rtl, expected a model of Verilog in rtl.scratchpad"));
  EXPECT_THAT(refused("--set rtl.scratchpad=x.so"),
              HasSubstr("but clusters.scratchpad.model is tlm, expected rtl or lockstep"));
}

TEST(MemoryLockstep, NeedsSomethingToCompare) {
  const auto refused = launch("run --chip edge --set rtl.lockstep=true");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err,
              HasSubstr("rtl.lockstep is true, but no key from rtl.hbm to rtl.perf names RTL to compare"));
}

TEST(DmaLockstep, GivesTokensOfTheModelWithinItsTolerance) {
  const auto model = run("--chip edge --steps 1"),
             with = run("--chip edge --steps 1 --set clusters.dma.model=lockstep");
  EXPECT_EQ(with.ids, model.ids);
  EXPECT_THAT(with.report["rtl"][0]["model"].get<std::string>(), HasSubstr("compared with the model"));
}

TEST(CommandRtl, GivesTheTokensOfTheModel) {
  expect_same_tokens("--chip edge --steps 2", " --set clusters.command.model=rtl", "command", 1);
}

TEST(CommandRtl, GivesTheTokensOfTheModelOnManyClusters) {
  expect_same_tokens("--chip reference --set clusters.count=3 --set hbm.ports=2 --steps 1",
                     " --set clusters.command.model=rtl", "command", 3);
}

/// It reads which experts a step takes when they have been chosen.
TEST(CommandRtl, ChoosesTheExpertsOfTheModel) {
  const forerun::tests::ScratchFolder folder;
  const forerun::tests::GoldenModel golden("mixtral");
  golden.write(folder.path());
  std::string ids;
  for (const auto id : golden.ids) ids += std::to_string(id) + "\n";
  forerun::tests::spill(folder / "teacher", ids);
  const auto logits = [&](const std::string& chip) {
    const auto path = folder.path().string();
    const auto result = launch("run --chip edge --dtype fp16 --model " + path + " --teacher " + path +
                               "/teacher --logits " + path + "/logits" + chip);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_file(path + "/logits");
  };
  const auto model = logits("");
  EXPECT_FALSE(model.empty());
  EXPECT_TRUE(logits(" --set clusters.command.model=rtl") == model);
}

TEST(CommandLockstep, GivesTheTokensOfTheModel) {
  const auto with = run("--chip edge --steps 1 --set clusters.command.model=lockstep");
  EXPECT_EQ(with.ids, run("--chip edge --steps 1").ids);
  EXPECT_GT(with.report["rtl"][0]["compared"], 200);
}

namespace {

/// What a run in lockstep says of a command processor with another text in the place of one.
std::string command_difference(const std::string& text, const std::string& other) {
  const Scratch scratch;
  const std::string rtl = FORERUN_SOURCE_DIR "/ip/command/rtl/";
  auto source = read_file(rtl + "command_processor.sv");
  const auto at = source.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at != std::string::npos) source.replace(at, text.size(), other);
  std::ofstream(scratch.file("command.sv")) << source;
  const auto made =
      launch("rtl --top command_processor --waves fst --pins " + rtl + "command_processor.yaml -o " +
             scratch.file("command.so") + " " + scratch.file("command.sv") +
             " " FORERUN_SOURCE_DIR "/ip/cpu/rtl/riscv_divider.sv");
  EXPECT_EQ(made.code, 0) << made.err;
  const auto ran = launch(
      "run --prompt We --chip edge --steps 1 --set clusters.command.model=lockstep --set rtl.command=" +
      scratch.file("command.so"));
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, testing::ContainsRegex("waves: [0-9]+ to [0-9]+ ps in lockstep.cluster0.command.fst"));
  return ran.err;
}

}  // namespace

TEST(CommandLockstep, FindsAWrongCountOfALoop) {
  EXPECT_THAT(command_difference("registers[counters[top]] <= next_iteration",
                                 "registers[counters[top]] <= iterations[top]"),
              testing::ContainsRegex(
                  "RTL and models differ in cluster0.command, first in cycle [0-9]+ of [A-Z_]+ at byte "
                  "[0-9]+ of the stream of [^\n]* \\(at [0-9]+ ps\\)\n  its field [a-z0-9_]+ is "
                  "0x[0-9a-f]+, by the model 0x[0-9a-f]+\n"));
}

TEST(CommandLockstep, FindsAnEndThatDoesNotWait) {
  EXPECT_THAT(command_difference("if (ended == dispatched) begin", "if (ended + 32'd1 >= dispatched) begin"),
              testing::ContainsRegex("the run ends when engines have ended [0-9]+ commands of [0-9]+\n"));
}

TEST(CommandRtl, IsRefusedWhereItCannotBe) {
  const auto refused = [](const std::string& arguments) {
    return launch("run --chip edge --set clusters.command.model=rtl " + arguments).err;
  };
  EXPECT_THAT(refused("--data none"), HasSubstr("clusters.command.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set timing=loose"),
              HasSubstr("clusters.command.model is rtl, which needs timing: approximate"));
}
