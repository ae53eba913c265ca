// SPDX-License-Identifier: Apache-2.0
// Engines of RTL told what to copy as a cluster's DMA tells them: by registers with an interrupt, by
// registers that are polled, and by a descriptor on ports.
#include <unistd.h>

#include <filesystem>

#include "tests/platform/rtl/dma_bench.hpp"

namespace forerun::rtl {
namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

void expect_copies(const std::string& file, unsigned grain) {
  Bench bench("bench", file);
  add_random(bench, 40, grain);
  bench.add(true, copy(0xc000, 0, 0x8000));  // across 2 GiB
  bench.run();
  bench.expect_equal();
  EXPECT_EQ(bench.cluster.load.left_to_model() + bench.cluster.store.left_to_model(), 0u);
  EXPECT_GE(bench.engines[0]->copies(), 28u);
  EXPECT_GE(bench.engines[1]->copies(), 14u);
}

TEST(RtlDma, CopiesByRegistersAndInterrupt) { expect_copies(interrupting(), 1); }
TEST(RtlDma, CopiesByRegistersThatArePolled) { expect_copies(polled(), 1); }
TEST(RtlDma, CopiesByDescriptorsOfAnotherStyle) { expect_copies(plain(), 8); }

TEST(RtlDma, CopiesThroughAManagerThatReadsAndOneThatWrites) {
  expect_copies(styled("SPLIT_DMA", "split_dma.v", "split_dma"), 8);
}
TEST(RtlDma, CopiesThroughThemPolled) {
  expect_copies(styled("SPLIT_DMA", "split_dma.v", "split_dma_polled"), 8);
}
TEST(RtlDma, CopiesThroughTwoWholeManagersWithoutReset) {
  expect_copies(styled("two_port_dma", "two_port_dma.sv", "two_port_dma"), 8);
}

TEST(RtlDma, CopiesByDescriptorsThatTheEngineFetches) {
  expect_copies(styled("doorbell_dma", "doorbell_dma.v", "doorbell_dma"), 8);
}

TEST(RtlDma, NamesACopyThatDoesNotEnd) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("forerun_endless." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string from = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/dma/";
  auto text = read_text(from + "split_dma.v");
  const std::string sound = "if (finished) {error, done}";
  ASSERT_NE(text.find(sound), std::string::npos);
  write_text(folder / "split_dma.v", text.replace(text.find(sound), sound.size(), "if (0) {error, done}"));
  VerilateRequest request;
  request.top = "SPLIT_DMA";
  request.sources = {from + "mover.v", folder / "split_dma.v"};
  request.pins = read_text(from + "split_dma.yaml");
  verilate(request, folder / "endless.so");
  Bench bench("bench", (folder / "endless.so").string());
  bench.add(true, copy(0x40, 0x80, 64));
  try {
    bench.run();
    FAIL() << "it ends";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("load: a copy of 1 row of 64 bytes from 0x1007fff0040 to 0x80 of the "
                                   "scratchpad does not end: no transaction for 1000000 clock cycles"));
    EXPECT_THAT(error.what(), testing::HasSubstr("the model is " + (folder / "endless.so").string()));
  }
  std::filesystem::remove_all(folder);
}

TEST(RtlDma, LeavesToTheModelWhatIsNotAligned) {
  Bench bench("bench", plain());
  bench.add(true, copy(0, 0, 24));
  bench.add(true, copy(64, 64, 20));
  bench.add(false, copy(128, 9, 8));
  bench.run();
  bench.expect_equal();
  EXPECT_EQ(bench.engines[0]->copies(), 1u);
  EXPECT_EQ(bench.cluster.load.left_to_model(), 1u);
  EXPECT_EQ(bench.cluster.store.left_to_model(), 1u);
}

TEST(RtlDma, GathersTheRowsThatTheListNames) {
  Bench bench("bench", interrupting());
  const std::uint32_t indices[] = {3, 0, 9, 3};
  std::memcpy(bench.memory.data() + 0x8000, indices, sizeof indices);
  std::memcpy(bench.expected_memory.data() + 0x8000, indices, sizeof indices);
  fr_gather gather{};
  gather.indices = memory_base + 0x8000, gather.table = memory_base + 5, gather.table_stride = 333;
  gather.local = 100, gather.local_stride = 200, gather.bytes = 150, gather.count = 4, gather.limit = 10;
  bench.chain(FR_OP_GATHER, gather);
  for (unsigned i = 0; i < 4; ++i)
    std::memcpy(bench.expected_scratchpad.data() + 100 + 200 * i, bench.memory.data() + 5 + 333 * indices[i],
                150);
  bench.run();
  bench.expect_equal();
  EXPECT_EQ(bench.engines[0]->copies(), 4u);
}

void expect_bus_error(const std::string& file) {
  Bench bench("bench", file);
  auto bad = copy(0, 0, 64);
  bad.global = memory_base - 0x1000;
  bench.stream.add(FR_OP_LOAD, bad);
  bench.run();
  EXPECT_EQ(bench.peek(FR_CLUSTER_ERROR, 4), static_cast<unsigned>(FR_ERROR_BUS));
  EXPECT_EQ(bench.peek(FR_CLUSTER_ERROR_ADDRESS, 8), bad.global);
}
TEST(RtlDma, TellsABusErrorByRegisters) { expect_bus_error(interrupting()); }
TEST(RtlDma, TellsABusErrorByDescriptor) { expect_bus_error(plain()); }

TEST(RtlDma, AResetOfTheClusterEndsACopyWithoutEffectAndTheNextIsRight) {
  Bench bench("bench", interrupting());
  const auto before = bench.scratchpad;
  bench.stream.add(FR_OP_LOAD, copy(0, 0, 0x8000));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.begin();
  sc_core::sc_start(1, sc_core::SC_US);
  ASSERT_TRUE(bench.cluster.running());
  bench.poke(FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_RESET, 4);
  auto at_reset = before;
  bench.access(false, Bench::window, at_reset.data(), local_bytes);
  sc_core::sc_start(1, sc_core::SC_MS);
  bench.access(false, Bench::window, bench.scratchpad.data(), local_bytes);
  EXPECT_TRUE(bench.scratchpad == at_reset) << "bytes arrived after the reset";
  EXPECT_TRUE(std::equal(before.begin() + 0x8000, before.end(), at_reset.begin() + 0x8000));
  bench.stream = {};
  bench.expected_scratchpad = at_reset;
  bench.add(true, copy(0x100, 0x9000, 0x400));
  bench.run();
  bench.expect_equal();
}

TEST(RtlDma, SaysWhatIsNoSuchEngine) {
  VerilateRequest request;
  request.top = "axi_memory_2001";
  request.sources = {FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v"};
  request.pins = read_text(FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/memory.yaml");
  request.parameters = PinMap::parse(request.pins, "memory.yaml").parameters;
  const auto file = verilated(request).string();
  try {
    const RtlDma dma("dma", file, {.label = "dma"});
    FAIL() << "an exception was expected";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("its pin map has no section 'dma'"));
  }
}

}  // namespace
}  // namespace forerun::rtl
