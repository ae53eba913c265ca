// SPDX-License-Identifier: Apache-2.0
// Verilog of several styles in the chip: a memory as its SRAM, a DMA engine and a stream beside the
// peripherals.
#include <gmock/gmock.h>

#include <numeric>

#include "platform/rtl/command.hpp"
#include "platform/rtl/device.hpp"
#include "platform/rtl/verilate.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using testing::HasSubstr;

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

std::string folder() { return FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/"; }

/// The model of a source file and its pin map.
chip::Path model(const std::string& top, const std::string& source, const std::string& pins) {
  rtl::VerilateRequest request;
  request.top = top;
  request.sources = {source};
  request.pins = rtl::read_text(folder() + pins);
  request.parameters = rtl::PinMap::parse(request.pins, pins).parameters;
  return {rtl::verilated(request).string()};
}
chip::Path memory() {
  return model("axi_memory_2001", FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v", "memory.yaml");
}

void run(Bench& bench) {
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
}

std::vector<std::uint8_t> counting(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

TEST(RtlSram, HoldsWhatIsWrittenByTransactionsAndByDebugAccess) {
  auto chip = small_chip(1);
  chip.rtl.sram = memory();
  const auto image = counting(5001);
  Bench bench("bench", chip, [&](Bench& b) {
    EXPECT_EQ(b.get<std::uint32_t>(map::sram + 0x101), 0x05040302u + 0x0u)
        << "loaded before the simulation started";
    b.put<std::uint64_t>(map::sram + (1 << 20) - 8, 0x1122334455667788);
    b.put<std::uint8_t>(map::sram + 0x2003, 0xab);
    EXPECT_EQ(b.get<std::uint64_t>(map::sram + (1 << 20) - 8), 0x1122334455667788u);
    std::vector<std::uint8_t> bytes(image.size());
    b.soc.read(map::sram + 0x100, bytes);
    EXPECT_EQ(bytes, image) << "debug access while the simulation runs";
    EXPECT_EQ(b.get<std::uint8_t>(map::sram + 0x2003), 0xab) << "the bridge works on after it";
    EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, map::sram + (1 << 20), bytes.data(), 4),
              tlm::TLM_ADDRESS_ERROR_RESPONSE);
  });
  bench.soc.write(map::sram + 0x100, image);
  run(bench);
  EXPECT_EQ(bench.soc.sram_rtl->broken_rules(), 0u);
  EXPECT_GT(bench.soc.sram_rtl->transactions(), 4u);
}

TEST(RtlSram, MustReachAllOfTheChipsMemory) {
  auto chip = small_chip(1);
  chip.rtl.sram = memory();
  chip.sram.size = {2 << 20};
  try {
    const Soc soc("soc", chip, {.with_cpu = false});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("its address bus of 20 bits does not reach all 2097152 bytes of sram.size"));
  }
}

TEST(RtlDevice, ADmaEngineCopiesAndRaisesItsInterrupt) {
  auto chip = small_chip(1);
  chip.rtl.devices = {model("copier", folder() + "copier.sv", "copier.yaml")};
  const auto image = counting(256);
  Bench bench("bench", chip, [&](Bench& b) {
    const auto registers = map::rtl_device(0);
    const auto source = map::hbm + 0x1000, target = map::sram + 0x8000;
    constexpr std::uint64_t pending = map::plic + 0x1000;
    b.soc.write(source, image);
    b.put(registers + 0x00, static_cast<std::uint32_t>(source));
    b.put(registers + 0x04, static_cast<std::uint32_t>(source >> 32));
    b.put<std::uint64_t>(registers + 0x08, target);  // as two accesses
    b.put(registers + 0x10, static_cast<std::uint32_t>(image.size()));
    EXPECT_EQ(b.get(registers + 0x14), 0u);
    EXPECT_EQ(b.get(pending) & 1u << map::rtl_device_interrupt(0), 0u);
    b.put(registers + 0x14, 1);
    EXPECT_EQ(b.get(registers + 0x14), 1u) << "busy";
    sc_core::wait(50, sc_core::SC_US);
    EXPECT_EQ(b.get(registers + 0x18), 1u) << "done";
    EXPECT_NE(b.get(pending) & 1u << map::rtl_device_interrupt(0), 0u);
    std::vector<std::uint8_t> bytes(image.size());
    b.soc.read(target, bytes);
    EXPECT_EQ(bytes, image);
  });
  run(bench);
  const auto& device = *bench.soc.rtl_devices[0];
  EXPECT_EQ(device.broken_rules(), 0u);
  EXPECT_EQ(device.frequency().hertz, 400e6);
  EXPECT_LT(device.cycles(), 10'000u) << "its clock stands while it is idle: 1 ms has 400,000 cycles";
}

TEST(RtlDevice, AStreamGoesInAtItsWindowAndComesOutAtItsAddress) {
  auto chip = small_chip(1);
  chip.rtl.devices = {model("adder", folder() + "adder.v", "adder.yaml")};
  Bench bench("bench", chip, [&](Bench& b) {
    auto bytes = counting(40);
    EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, map::rtl_device(0) + 0x1000, bytes.data(), 40),
              tlm::TLM_OK_RESPONSE);
    sc_core::wait(10, sc_core::SC_US);
    std::vector<std::uint8_t> out(40);
    b.soc.read(map::hbm + 0x1000, out);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(byte + 3);
    EXPECT_EQ(out, bytes);
  });
  run(bench);
  EXPECT_EQ(bench.soc.rtl_devices[0]->broken_rules(), 0u);
}

}  // namespace
}  // namespace forerun::soc
