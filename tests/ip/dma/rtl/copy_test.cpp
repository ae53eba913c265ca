// SPDX-License-Identifier: Apache-2.0
// Verilated DMA engines: random copies against a plain memory, every rule of the bus watched.
#include <cstring>
#include <iostream>

#include "tests/ip/dma/rtl/bench.hpp"

using namespace forerun::rtl;
using forerun::ip::cosim::Response;
using testing::ElementsAre;

namespace {

std::vector<std::string> sound_models() {
  std::vector<std::string> names;
  for (const auto& [name, model] : dma_models())
    if (!name.starts_with("planted")) names.push_back(name);
  return names;
}

/// Source in the lower half of the memory, destination in the upper; strides of both signs, rows that touch
/// or are apart, ends on both sides of 4 KiB boundaries.
Copy random_copy(std::mt19937& random, std::size_t memory_bytes) {
  const auto number = [&](std::uint64_t most) { return random() % (most + 1); };
  Copy copy;
  const auto half = memory_bytes / 2;
  copy.rows = number(2) == 0 ? 1 : static_cast<std::uint32_t>(1 + number(12));
  const auto room = half / copy.rows;
  copy.bytes =
      static_cast<std::uint32_t>(1 + number(number(2) == 0 ? std::min<std::size_t>(room, 9000) - 1 : 80));
  const auto place = [&](std::uint64_t from, std::uint64_t& address, std::int64_t& stride) {
    const auto step = copy.bytes + (number(1) == 0 ? 0 : number(room - copy.bytes));
    const auto extent = (copy.rows - 1) * step + copy.bytes;
    auto first = number(half - extent);
    if (number(1) == 0) first &= ~std::uint64_t{63};  // aligned, too
    const bool up = number(3) != 0;
    address = Memory::base + from + (up ? first : first + (copy.rows - 1) * step);
    stride = up ? static_cast<std::int64_t>(step) : -static_cast<std::int64_t>(step);
  };
  place(0, copy.source, copy.source_stride);
  place(half, copy.destination, copy.destination_stride);
  return copy;
}

/// The bursts of one side, as the specification cuts them.
std::vector<SeenBurst> expected_bursts(const Copy& copy, const DmaModel& model, bool write) {
  std::vector<SeenBurst> bursts;
  for (std::uint32_t row = 0; row < copy.rows; ++row) {
    auto address = write ? copy.destination + static_cast<std::uint64_t>(row * copy.destination_stride)
                         : copy.source + static_cast<std::uint64_t>(row * copy.source_stride);
    for (std::uint64_t left = copy.bytes; left > 0;) {
      const auto length = std::min<std::uint64_t>(left, model.burst_bytes - address % model.burst_bytes);
      const auto lane = address % model.data_bytes;
      bursts.push_back(
          {write, address, static_cast<unsigned>((lane + length + model.data_bytes - 1) / model.data_bytes)});
      address += length;
      left -= length;
    }
  }
  return bursts;
}

std::vector<SeenBurst> of_kind(const std::vector<SeenBurst>& seen, bool write) {
  std::vector<SeenBurst> some;
  for (const auto& burst : seen)
    if (burst.write == write) some.push_back(burst);
  return some;
}

class DmaEngine : public testing::TestWithParam<std::string> {
 protected:
  const DmaModel& model() const { return dma_models().at(GetParam()); }
};

TEST_P(DmaEngine, CopiesEqualThoseOfAPlainMemory) {
  unsigned copies = 0;
  std::uint64_t bytes = 0, cycles = 0, bursts = 0;
  for (unsigned setting = 0; setting < 4; ++setting) {
    const forerun::ip::cosim::StallParameters stalls[] = {{}, {0.3, 5, 1}, {0.6, 6, 1}, {0.5, 7, 20}};
    Bench bench(model(), stalls[setting], setting + 1);
    for (unsigned number = 0; number < 100; ++number) {
      bench.memory.latency = number % 3 == 0 ? 0 : 40;
      bench.memory.jitter = number % 4 == 0 ? 0 : 30;
      const auto copy = random_copy(bench.random, bench.memory.bytes.size());
      auto expected = bench.memory.bytes;
      copy_bytes(copy, expected);
      bench.memory.seen.clear();
      bench.start(copy);
      ASSERT_TRUE(bench.wait()) << bench.memory_checker.under_way();
      ASSERT_TRUE(bench.memory.bytes == expected) << "setting " << setting << " copy " << number;
      ASSERT_EQ(of_kind(bench.memory.seen, false), expected_bursts(copy, model(), false));
      ASSERT_EQ(of_kind(bench.memory.seen, true), expected_bursts(copy, model(), true));
      ASSERT_EQ(bench.read(FR_DMA_STATUS), unsigned{FR_DMA_STATUS_DONE});
      ASSERT_EQ(bench.read(FR_DMA_WRITTEN, 64), std::uint64_t{copy.bytes} * copy.rows);
      cycles += bench.read(FR_DMA_CYCLES, 64);
      bench.write(FR_DMA_INTERRUPT_STATUS, FR_DMA_INTERRUPT_DONE, 32);
      bench.step();
      ASSERT_FALSE(bench.block->interrupt());
      ++copies;
      bytes += std::uint64_t{copy.bytes} * copy.rows;
      bursts += bench.memory.seen.size();
    }
    bench.expect_clean();
  }
  std::cout << copies << " copies, " << bytes << " bytes, " << bursts << " bursts, " << cycles << " cycles\n";
}

/// The engine stops at an error: the bytes before the failing burst's are right, nothing else has changed.
TEST_P(DmaEngine, ErrorsEndACopy) {
  unsigned read_errors = 0, write_errors = 0, decode_errors = 0;
  for (unsigned setting = 0; setting < 2; ++setting) {
    Bench bench(
        model(),
        setting == 0 ? forerun::ip::cosim::StallParameters{} : forerun::ip::cosim::StallParameters{0.4, 9, 1},
        setting + 50);
    for (unsigned number = 0; number < 60; ++number) {
      bench.memory.latency = number % 30;
      bench.memory.jitter = number % 3 == 0 ? 12 : 0;
      auto copy = random_copy(bench.random, bench.memory.bytes.size());
      const bool write = number % 2 == 1;
      bench.memory.fault_reads = !write;
      bench.memory.fault_writes = write;
      bench.memory.fault = number % 3 == 0 ? Response::decerr : Response::slverr;
      const auto bursts = expected_bursts(copy, model(), write);
      const auto failing = bursts[bench.random() % bursts.size()];
      bench.memory.fault_at = failing.address;
      auto whole = bench.memory.bytes;
      const auto before = whole;
      copy_bytes(copy, whole);
      bench.memory.faults = 0;
      bench.start(copy);
      ASSERT_TRUE(bench.wait()) << bench.memory_checker.under_way();
      ASSERT_EQ(bench.memory.faults, 1u);
      ASSERT_EQ(bench.read(FR_DMA_STATUS), unsigned{FR_DMA_STATUS_ERROR});
      ASSERT_EQ(bench.read(FR_DMA_INTERRUPT_STATUS), unsigned{FR_DMA_INTERRUPT_ERROR});
      ASSERT_EQ(bench.read(FR_DMA_ERROR), unsigned{FR_ERROR_BUS});
      ASSERT_EQ(bench.read(FR_DMA_ERROR_ADDRESS, 64), failing.address);
      // In the order of the copy: right, up to some burst; then as before.
      std::uint64_t position = 0, changed_until = 0, fault_at = 0;
      for (std::uint32_t row = 0; row < copy.rows; ++row)
        for (std::uint32_t i = 0; i < copy.bytes; ++i, ++position) {
          const auto to =
              copy.destination - Memory::base + static_cast<std::uint64_t>(row * copy.destination_stride) + i;
          const auto from = copy.source + static_cast<std::uint64_t>(row * copy.source_stride) + i;
          if ((write ? to + Memory::base : from) == failing.address) fault_at = position;
          const auto now = bench.memory.bytes[to];
          if (now != before[to]) {
            ASSERT_EQ(now, whole[to]);
            changed_until = position + 1;
          }
        }
      if (!write) {
        ASSERT_LE(changed_until, fault_at) << "bytes at or behind a failed read were written";
      }
      ASSERT_EQ(bench.read(FR_DMA_WRITTEN, 64) <= std::uint64_t{copy.bytes} * copy.rows, true);
      bench.write(FR_DMA_INTERRUPT_STATUS, 3, 32);
      (write ? write_errors : read_errors)++;
      decode_errors += bench.memory.fault == Response::decerr;

      // The next copy works.
      bench.memory.fault_at = 0;
      copy = random_copy(bench.random, bench.memory.bytes.size());
      auto expected = bench.memory.bytes;
      copy_bytes(copy, expected);
      bench.start(copy);
      ASSERT_TRUE(bench.wait());
      ASSERT_TRUE(bench.memory.bytes == expected);
      ASSERT_EQ(bench.read(FR_DMA_STATUS), unsigned{FR_DMA_STATUS_DONE});
      ASSERT_EQ(bench.read(FR_DMA_ERROR), unsigned{FR_ERROR_NONE});
      bench.write(FR_DMA_INTERRUPT_STATUS, 3, 32);
    }
    bench.expect_clean();
  }
  EXPECT_EQ(read_errors, 60u);
  EXPECT_EQ(write_errors, 60u);
  EXPECT_EQ(decode_errors, 40u);
}

TEST_P(DmaEngine, NothingEndsAtOnce) {
  Bench bench(model(), {}, 1);
  for (const auto& copy : {Copy{Memory::base, Memory::base, 0, 5}, Copy{Memory::base, Memory::base, 7, 0}}) {
    bench.start(copy);
    ASSERT_TRUE(bench.wait(10));
    EXPECT_EQ(bench.read(FR_DMA_STATUS), unsigned{FR_DMA_STATUS_DONE});
    EXPECT_EQ(bench.read(FR_DMA_WRITTEN, 64), 0u);
    bench.write(FR_DMA_INTERRUPT_STATUS, FR_DMA_INTERRUPT_DONE, 32);
  }
  EXPECT_TRUE(bench.memory.seen.empty());
  bench.expect_clean();
}

/// One beat a cycle each way once it runs, whatever the alignment, if the buffer covers the latency and some
/// bursts.
TEST(DmaEngineSpeed, IsThatOfTheBus) {
  for (const auto* name : {"standard", "wide"}) {
    const auto& model = dma_models().at(name);
    Bench bench(model, {}, 1);
    bench.memory.latency = 10;
    for (const unsigned offset : {0u, 1u}) {
      bench.start({Memory::base + offset, Memory::base + 32768 + 3 * offset, 16384});
      ASSERT_TRUE(bench.wait());
      const auto beats = 16384 / model.data_bytes, burst = model.burst_bytes / model.data_bytes;
      const auto cycles = bench.read(FR_DMA_CYCLES, 64);
      // Unaligned, each row has a beat more than its bytes fill.
      EXPECT_GE(cycles, beats);
      EXPECT_LE(cycles, beats + 2 * burst + bench.memory.latency * 2 + 12) << name << " offset " << offset;
      bench.write(FR_DMA_INTERRUPT_STATUS, FR_DMA_INTERRUPT_DONE, 32);
    }
  }
}

TEST_P(DmaEngine, StartIsRefusedWhileItRuns) {
  Bench bench(model(), {}, 1);
  bench.memory.latency = 500;
  const Copy copy{Memory::base, Memory::base + 32768, 4096};
  auto expected = bench.memory.bytes;
  copy_bytes(copy, expected);
  bench.start(copy);
  std::uint32_t one = 1;
  EXPECT_EQ(bench.access(true, FR_DMA_CONTROL, one), Response::slverr);
  bench.write(FR_DMA_SOURCE, 0);  // for the next copy
  EXPECT_EQ(bench.read(FR_DMA_STATUS), unsigned{FR_DMA_STATUS_RUNNING});
  ASSERT_TRUE(bench.wait());
  EXPECT_TRUE(bench.memory.bytes == expected);
  bench.expect_clean();
}

/// Every register of the ABI's table: its reset value, and what may be written.
TEST_P(DmaEngine, RegistersAreThoseOfTheAbi) {
  Bench bench(model(), {}, 1);
  bench.write(FR_DMA_INTERRUPT_ENABLE, 0, 32);
  std::uint32_t end = 0;
  const auto check = [&](const char* name, std::uint32_t offset, unsigned bits, std::string_view access,
                         std::uint64_t reset) {
    EXPECT_EQ(bench.read(offset, bits), reset) << name;
    for (std::uint32_t half = 0; half < bits / 32; ++half) {
      std::uint32_t word = name == std::string_view("CONTROL") ? 0 : 0xa5a5'a5a7 + half;
      EXPECT_EQ(bench.access(true, offset + 4 * half, word),
                access == "RO" ? Response::slverr : Response::okay)
          << name;
      word = 0x1234'5678;
      EXPECT_EQ(bench.access(true, offset + 4 * half, word, 0x7), Response::slverr)
          << name << ": three bytes";
    }
    const auto value = bench.read(offset, bits);
    if (access != "RW")
      EXPECT_EQ(value, reset) << name;
    else if (offset == FR_DMA_INTERRUPT_ENABLE)
      EXPECT_EQ(value, 3u);
    else
      EXPECT_EQ(value, bits == 64 ? 0xa5a5'a5a8'a5a5'a5a7 : 0xa5a5'a5a7) << name;
    end = offset + bits / 8;
  };
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) check(#NAME, OFFSET, BITS, #ACCESS, RESET);
  FR_DMA_REGISTERS(FR_X)
#undef FR_X
  for (std::uint32_t offset = end; offset < 0x1000; offset += offset < 0x80 ? 4 : 0x100) {
    std::uint32_t word = 0;
    EXPECT_EQ(bench.access(false, offset, word), Response::decerr) << offset;
    EXPECT_EQ(bench.access(true, offset, word), Response::decerr) << offset;
  }
  bench.expect_clean();
}

INSTANTIATE_TEST_SUITE_P(Models, DmaEngine, testing::ValuesIn(sound_models()),
                         [](const auto& one) { return one.param; });

/// Faults planted into the RTL: what finds the first of them, in words.
std::string find(const std::string& name) {
  const auto& model = dma_models().at(name);
  Bench bench(model, {0.3, 5, 1}, 1);
  for (unsigned number = 0; number < 60; ++number) {
    const auto copy = random_copy(bench.random, bench.memory.bytes.size());
    auto expected = bench.memory.bytes;
    copy_bytes(copy, expected);
    bench.start(copy);
    const bool ends = bench.wait(50'000);
    if (bench.memory_checker.log().total() > 0) return bench.memory_checker.log().kept().front().message();
    if (!ends) return "no end";
    if (bench.memory.bytes != expected) return "bytes differ";
    bench.write(FR_DMA_INTERRUPT_STATUS, 3, 32);
  }
  return {};
}
TEST(PlantedDmaFault, ABurstAcross4KiBIsNamed) {
  EXPECT_THAT(find("planted_boundary"), testing::HasSubstr("crosses_4k"));
}
TEST(PlantedDmaFault, AStrobeTooManyIsFoundInTheBytes) { EXPECT_EQ(find("planted_strobe"), "bytes differ"); }
TEST(PlantedDmaFault, DataThatAreOverwrittenBeforeTheyLeaveAreNamed) {
  EXPECT_THAT(find("planted_room"), testing::HasSubstr("payload_changed"));
}
TEST(PlantedDmaFault, ADroppedAddressIsNamed) {
  EXPECT_THAT(find("planted_valid"), testing::HasSubstr("valid_dropped"));
}

}  // namespace
