// SPDX-License-Identifier: Apache-2.0
// From a run of a transformer to benches in three simulators, and differences that must be named.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <regex>

#include "ip/record/reader.hpp"
#include "ip/record/writer.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
namespace record = forerun::ip::record;
using testing::HasSubstr;

namespace {

const std::string rtl = FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/";

/// Runs a script of a bench.
Result run(const std::string& script, const std::string& arguments = {}) {
  const Scratch scratch;
  const int status =
      std::system(fmt::format("{} {} >{} 2>&1 </dev/null", script, arguments, scratch.file("out")).c_str());
  return {status == 0 ? 0 : 1, read_file(scratch.file("out")), {}};
}

void expect_equal(const Result& result, const std::string& what) {
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr(what + ","));
  EXPECT_THAT(result.out, HasSubstr("all equal"));
}

/// The recording of a short run, made once for all tests of this process.
std::string recorded(const std::string& block, const std::string& options = {}) {
  static Scratch scratch;
  const auto path = scratch.file(block);
  const auto result =
      launch(fmt::format("run --chip edge --steps 2 --prompt Hello {} --record {}={}", options, block, path));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("recorded " + block));
  return path;
}

void make(const std::string& arguments) {
  const auto result = launch("replay " + arguments);
  ASSERT_EQ(result.code, 0) << result.err;
}

TEST(ReplayTile, AllSimulatorsAgreeWithTheRun) {
  const auto recording = recorded("cluster0.tensor");
  EXPECT_THAT(launch("replay " + recording + " --list 1").out, HasSubstr("fp16 5 x 320 x 192"));
  const Scratch scratch;
  const auto folder = scratch.file("bench");
  make(fmt::format("{} --to {} --tile 4x4 --count 2", recording, folder));
  expect_equal(run(folder + "/icarus.sh"), "2 products");
  expect_equal(run(folder + "/verilator.sh"), "2 products");
  expect_equal(run(folder + "/verilator.sh", "+stalls"), "2 products");
  expect_equal(run(folder + "/verilator_dpi.sh"), "2 products");
  expect_equal(run(folder + "/verilator_dpi.sh", "+most=20 +stall_percent=30"), "20 products");
}

TEST(ReplayTile, IntegersToo) {
  const auto recording = recorded("cluster0.tensor", "--dtype int8");
  const Scratch scratch;
  const auto folder = scratch.file("bench");
  make(fmt::format("{} --to {} --tile 4x4 --format int8 --count 1", recording, folder));
  expect_equal(run(folder + "/verilator.sh"), "1 products");
  expect_equal(run(folder + "/icarus.sh"), "1 products");
  EXPECT_THAT(run(folder + "/verilator_dpi.sh", "+most=0").out,
              HasSubstr("left out, in other formats or with more sums than it keeps"));
}

/// The same products with one bit of one result changed, the same position of each file.
std::string with_a_wrong_bit(const std::string& recording, const std::string& to, std::uint64_t number) {
  record::Reader reader(recording);
  record::Writer writer(to, reader.header());
  record::Product product;
  while (reader.next(product)) {
    if (reader.count() - 1 == number) product.after[product.after.size() / 2] ^= 1;
    writer.write(product);
  }
  EXPECT_TRUE(writer.close());
  return to;
}

TEST(ReplayTile, AWrongBitIsNamed) {
  const Scratch scratch;
  const auto recording = with_a_wrong_bit(recorded("cluster0.tensor"), scratch.file("wrong"), 1);
  const auto folder = scratch.file("bench");
  make(fmt::format("{} --to {} --tile 4x4 --count 2", recording, folder));
  for (const auto* script : {"/icarus.sh", "/verilator.sh", "/verilator_dpi.sh"}) {
    const auto result = run(folder + script);
    EXPECT_NE(result.code, 0) << script;
    EXPECT_THAT(result.out, HasSubstr("DIFFERENT: ")) << script;
    EXPECT_THAT(result.out, HasSubstr("product 1")) << script;
    EXPECT_THAT(result.out, HasSubstr("recorded ")) << script;
  }
}

/// A tile of somebody else, with a mistake: ties are rounded away from zero.
TEST(ReplayTile, AFaultInTheRtlIsFound) {
  const Scratch scratch;
  const std::string folder = scratch.file("bench"), tile = FORERUN_SOURCE_DIR "/ip/tensor/rtl/tensor_";
  auto text = read_file(tile + "arithmetic.sv");
  const std::string sound = "x[26] & (x[27] | below | x[25:0] != 0)";
  ASSERT_NE(text.find(sound), std::string::npos);
  scratch.write("arithmetic.sv", text.replace(text.find(sound), sound.size(), "x[26]"));
  make(
      fmt::format("{0} --to {1} --tile 4x4 --top tensor_tile --rtl {2} {3}cell.sv {3}delay.sv "
                  "{3}accumulators.sv {3}tile.sv",
                  recorded("cluster0.tensor"), folder, scratch.file("arithmetic.sv"), tile));
  const auto result = run(folder + "/verilator_dpi.sh");
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("DIFFERENT: product "));
}

/// A unit with ports of its own names, without c_last, and with cycles of its own.
TEST(ReplayTile, AUnitOfAnotherStyleIsPlayedByItsPinMap) {
  const auto recording = recorded("cluster0.tensor", "--dtype int8");
  const std::string unit = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/matrix/dot_unit";
  const Scratch scratch;
  const auto folder = scratch.file("bench");
  const auto options =
      fmt::format("{} --to {} --pins {}.yaml --top DOT_UNIT --rtl ", recording, folder, unit);
  make(options + unit + ".v --count 1");
  for (const auto* script : {"/icarus.sh", "/icarus.sh +stalls", "/verilator.sh", "/verilator.sh +stalls",
                             "/verilator_dpi.sh", "/verilator_dpi.sh +stall_percent=30"}) {
    const auto result = run(folder + script);
    expect_equal(result, "1 products");
    EXPECT_THAT(result.out, HasSubstr("cycles are its own, and not compared")) << script;
  }
  auto text = read_file(unit + ".v");
  const std::string sound = "if (RES_VLD_O & RES_RDY_I)";
  ASSERT_NE(text.find(sound), std::string::npos);
  scratch.write("hasty.v", text.replace(text.find(sound), sound.size(), "if (RES_VLD_O)"));
  make(options + scratch.file("hasty.v") + " --count 1");
  expect_equal(run(folder + "/verilator_dpi.sh"), "1 products");
  for (const auto* script : {"/verilator.sh +stalls", "/verilator_dpi.sh +stall_percent=30"}) {
    const auto result = run(folder + script);
    EXPECT_NE(result.code, 0) << script;
    EXPECT_THAT(result.out, HasSubstr("DIFFERENT: ")) << script;
  }
}

TEST(ReplayTile, SaysWhatIsWrongWithAPinMap) {
  const Scratch scratch;
  const std::string unit = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/matrix/dot_unit";
  const auto said = [&](const std::string& text, const std::string& other, const std::string& more = "") {
    auto map = read_file(unit + ".yaml");
    EXPECT_NE(map.find(text), std::string::npos);
    scratch.write("map.yaml", map.replace(map.find(text), text.size(), other));
    const auto result = launch(fmt::format("replay {} --to {} --pins {} --top DOT_UNIT --rtl {}.v {}",
                                           recorded("cluster0.tensor"), scratch.file("bench"),
                                           scratch.file("map.yaml"), unit, more));
    EXPECT_NE(result.code, 0);
    EXPECT_FALSE(std::filesystem::exists(scratch.file("bench")));
    return result.err;
  };
  EXPECT_THAT(said("WT_VLD_I", "WT_VALID_I"),
              HasSubstr("map.yaml:5:13: module DOT_UNIT: no port 'WT_VALID_I'"));
  EXPECT_THAT(said("tile: {format: int8, depth: 128, timing: own}", ""),
              HasSubstr("map.yaml:1:1: the pin map has no section 'tile', so this is no matrix unit"));
  EXPECT_THAT(said("int8", "int8", "--tile 8x8"),
              HasSubstr("--tile: the pin map and the ports of the unit say it"));
}

TEST(ReplayAxi, TheTrafficOfTheSramFitsAMemoryInRtl) {
  const auto recording = recorded("sram");
  EXPECT_THAT(launch("replay " + recording).out, HasSubstr("0 answered with an error"));
  const Scratch scratch;
  const auto folder = scratch.file("bench"), old = scratch.file("old");
  make(fmt::format("{} --to {} --rtl {}axi_memory.sv --top axi_memory --size 0xf000 --count 2000", recording,
                   folder, rtl));
  expect_equal(run(folder + "/verilator.sh"), "2000 transactions");
  expect_equal(run(folder + "/verilator_dpi.sh"), "2000 transactions");
  expect_equal(run(folder + "/verilator_dpi.sh", "+most=0 +stall_percent=40 +under_way=3"), "transactions");
  // Verilog-2001, active-high reset, a narrow bus: and a second simulator.
  make(
      fmt::format("{} --to {} --rtl {}axi_memory_2001.v --top axi_memory_2001 --bus-bits 32 --id-bits 3 "
                  "--address-bits 16 --prefix s_ "
                  "--clock clk --reset rst --reset-high --size 0x8000 --count 2000",
                  recording, old, rtl));
  expect_equal(run(old + "/icarus.sh"), "2000 transactions");
  expect_equal(run(old + "/verilator_dpi.sh"), "2000 transactions");
}

/// Random accesses to the registers of lite_registers.sv, as its header describes them. A wrong answer at
/// `wrong`.
std::string lite_recording(const std::string& path, std::size_t wrong) {
  std::mt19937 random(5);
  std::uint32_t registers[16] = {};
  record::Writer writer(path, {record::Kind::transactions, 1000, 0, 0, "registers"});
  for (std::size_t i = 0; i < 400; ++i) {
    record::Transaction t;
    t.begin_ps = t.end_ps = i * 1000;
    const auto index = static_cast<std::uint32_t>(random() % 18);
    t.address = 4 * index;
    t.length = t.streaming_width = 4;
    t.write = random() % 2;
    t.response = index > 15                    ? record::Transaction::decode_error
                 : t.write == 1 && index == 15 ? record::Transaction::slave_error
                                               : record::Transaction::okay;
    auto value = t.write == 1 ? static_cast<std::uint32_t>(random()) : index < 16 ? registers[index] : 0;
    if (t.write == 1 && index < 15) {
      registers[index] = value;
      ++registers[15];
    }
    if (i == wrong) t.write == 1 ? void(t.response ^= 2) : void(value ^= 0x10000);
    for (unsigned byte = 0; byte < 4; ++byte) t.data.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
    writer.write(t);
  }
  EXPECT_TRUE(writer.close());
  return path;
}

TEST(ReplayAxi, RegistersBehindAxi4Lite) {
  const Scratch scratch;
  const auto arguments = fmt::format(
      " --rtl {}lite_registers.sv --top lite_registers --bus-bits 32 --address-bits 12 --lite --prefix "
      "s_axil_",
      rtl);
  const auto right = scratch.file("right"), wrong = scratch.file("wrong");
  // Nothing may be written before, since the block counts writes: it starts as in the recording.
  make(lite_recording(scratch.file("all"), ~std::size_t{0}) + " --no-initial --to " + right + arguments);
  expect_equal(run(right + "/verilator.sh"), "400 transactions");
  expect_equal(run(right + "/verilator_dpi.sh", "+under_way=1"), "400 transactions");
  // 1000 ps from one to the next are ten cycles.
  const auto apart = run(right + "/verilator_dpi.sh", "+under_way=1 +cycle_ps=100");
  expect_equal(apart, "400 transactions");
  std::smatch cycles;
  ASSERT_TRUE(std::regex_search(apart.out, cycles, std::regex("bytes, ([0-9]+) cycles"))) << apart.out;
  EXPECT_GE(std::stoul(cycles[1]), 3990u);
  EXPECT_LE(std::stoul(cycles[1]), 4050u);
  make(lite_recording(scratch.file("one"), 200) + " --no-initial --to " + wrong + arguments);
  for (const auto* script : {"/verilator.sh", "/verilator_dpi.sh"}) {
    const auto result = run(wrong + script, "+under_way=1");
    EXPECT_NE(result.code, 0) << script;
    EXPECT_THAT(result.out, HasSubstr("DIFFERENT: ")) << script;
    EXPECT_THAT(result.out, HasSubstr("transaction 200")) << script;
  }
}

TEST(ReplayAxi, ABrokenRuleIsNamed) {
  const Scratch scratch;
  auto text = read_file(rtl + "axi_memory.sv");
  const std::string name = "input logic [2:0] fault,";
  ASSERT_NE(text.find(name), std::string::npos);
  // The fault is planted: RVALID is dropped before RREADY.
  text.replace(text.find(name), name.size(), "");
  const std::string module_end = ");\n";
  const auto at = text.find(module_end, text.find("module axi_memory"));
  text.insert(text.find(");", at) + 2, "\n  localparam logic [2:0] fault = 3'b010;\n");
  scratch.write("faulty.sv", text);
  const auto folder = scratch.file("bench");
  make(fmt::format("{} --to {} --rtl {} --top axi_memory --size 0xf000 --count 2000", recorded("sram"),
                   folder, scratch.file("faulty.sv")));
  const auto result = run(folder + "/verilator_dpi.sh", "+stall_percent=50");
  EXPECT_NE(result.code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("sram: RVALID dropped before RREADY"));
}

TEST(Replay, RefusesWithAReason) {
  const Scratch scratch;
  const auto file = lite_recording(scratch.file("file"), ~std::size_t{0});
  const auto refuses = [&](const std::string& arguments, const std::string& why) {
    const auto result = launch("replay " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    EXPECT_THAT(result.err, HasSubstr(why)) << arguments;
  };
  refuses("/no/such/file", "/no/such/file: cannot be read");
  refuses(std::string(FORERUN_SOURCE_DIR) + "/README.md", "is no recording");
  refuses(file + " --to " + scratch.file("x"), "holds transactions of registers: expected the block");
  const auto block = " --rtl " + rtl + "lite_registers.sv --top lite_registers --lite";
  refuses(file + " --to " + scratch.file("x") + block + " --prefix s_axil_ --clock clk",
          "do not contain the name 'clk'");
  refuses(file + " --to " + scratch.file("x") + block + " --prefix t_", "do not contain a port 't_awvalid'");
  refuses(file + " --to " + scratch.file("x") + block + " --bus-bits 24",
          "a data bus has 1, 2, 4, ... 128 bytes, not 3");
  refuses(file + " --to " + scratch.file("x") + block + " --prefix s_axil_ --bus-bits 32 --address-bits 4",
          "beyond 4 bits of address");
  refuses(file + " --to " + scratch.file("x") + block + " --base 12k", "'12k' is no number");
  refuses(file + " --to " + scratch.file("x") + " --rtl /no/such.v --top x",
          "/no/such.v: there is no such file");
  refuses(file + " --to /proc/x" + block + " --prefix s_axil_", "the folder cannot be made");
}

TEST(Record, RefusesWithAReason) {
  const auto refuses = [&](const std::string& arguments, const std::string& why) {
    const auto result = launch("run --chip edge --steps 1 " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    EXPECT_THAT(result.err, HasSubstr(why)) << arguments;
  };
  refuses("--record sram", "expected BLOCK=FILE");
  refuses("--record noc=/tmp/x", "'noc' is no boundary of this chip; it has boot_rom, sram,");
  refuses("--record cluster9.tensor=/tmp/x", "'cluster9.tensor' is no tensor engine of this chip");
  refuses("--record sram=/no/such/file", "/no/such/file: cannot be written");
  refuses("--record sram=/tmp/x --data none", "--record needs real data");
  const Scratch scratch;
  refuses("--record sram=" + scratch.file("x") + " --record sram=" + scratch.file("y"), "is named twice");
}

/// Recording changes neither results nor times, but where direct memory access had to be refused.
TEST(Record, ChangesNothing) {
  const Scratch scratch;
  const auto plain = report_of("--chip edge --steps 2 --prompt Hello");
  const auto taps =
      report_of(fmt::format("--chip edge --steps 2 --prompt Hello --record-count 5 --record "
                            "cluster0.tensor={} --record cluster0={} "
                            "--record hbm0.port0={} --record uart={}",
                            scratch.file("a"), scratch.file("b"), scratch.file("c"), scratch.file("d")));
  EXPECT_EQ(plain, taps);
  for (const auto* name : {"a", "b", "c", "d"}) {
    record::Reader reader(scratch.file(name));
    record::Product product;
    record::Transaction transaction;
    while (*name == 'a' ? reader.next(product) : reader.next(transaction)) {
    }
    EXPECT_EQ(reader.count(), 5u) << name;
  }
}

}  // namespace
