// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/dma/rtl/bench.hpp"

namespace forerun::rtl {

using ip::cosim::AxiBurst;
using ip::cosim::Response;

void Memory::carry_out(AxiBurst& burst) {
  const unsigned bus = subordinate_.shape().data_bytes;
  seen.push_back({burst.write, burst.address, burst.beats});
  burst.response = Response::okay;
  const auto first = burst.lowest_address(), last = burst.address / bus * bus + burst.beats * bus;
  const bool inside = first >= base / bus * bus && last <= base + bytes.size();
  if (!inside) burst.response = Response::decerr;
  if (burst.address == fault_at && (burst.write ? fault_writes : fault_reads)) burst.response = fault;
  if (burst.response != Response::okay) {
    ++faults;
    return;
  }
  for (unsigned i = 0; i < burst.length; ++i) {
    auto& byte = bytes[burst.address - base + i];
    if (!burst.write)
      burst.data[i] = byte;
    else if (burst.enabled(i))
      byte = burst.data[i];
  }
}

void Memory::cycle(std::uint64_t now, std::mt19937& random) {
  while (auto* burst = subordinate_.take()) {
    carry_out(*burst);
    waiting_.push_back({now + latency + (jitter == 0 ? 0 : random() % jitter), burst});
  }
  std::erase_if(waiting_, [&](const auto& one) {
    if (one.first > now) return false;
    subordinate_.complete(*one.second);
    return true;
  });
}

Bench::Bench(const DmaModel& model, ip::cosim::StallParameters stall, unsigned seed, std::size_t size)
    : random(seed),
      register_pins(dma_register_shape),
      memory_pins(model.memory_shape()),
      register_checker(dma_register_shape, "registers"),
      memory_checker(model.memory_shape(), "memory"),
      manager(dma_register_shape, {.stall = stall}),
      subordinate(model.memory_shape(), {.most_reads = 64, .most_writes = 64, .stall = stall}),
      memory(subordinate, size),
      block(model.make(register_pins, memory_pins)) {
  for (auto& byte : memory.bytes) byte = static_cast<unsigned char>(random());
  register_pins.reset = memory_pins.reset = true;
  step();
  step();
  register_pins.reset = memory_pins.reset = false;
  write(FR_DMA_INTERRUPT_ENABLE, FR_DMA_INTERRUPT_DONE | FR_DMA_INTERRUPT_ERROR, 32);
}

void Bench::expect_clean() {
  for (const auto* checker : {&register_checker, &memory_checker}) {
    for (const auto& violation : checker->log().kept()) ADD_FAILURE() << violation.message();
    EXPECT_TRUE(checker->quiet()) << checker->under_way();
  }
}

void Bench::step() {
  manager.drive(register_pins, cycle);
  subordinate.drive(memory_pins, cycle);
  block->settle();
  register_checker.sample(register_pins, cycle);
  memory_checker.sample(memory_pins, cycle);
  manager.edge(register_pins);
  subordinate.edge(memory_pins);
  memory.cycle(cycle, random);
  block->edge();
  ++cycle;
}

Response Bench::access(bool write, std::uint32_t offset, std::uint32_t& value, unsigned strobes) {
  unsigned char enables[4];
  for (unsigned i = 0; i < 4; ++i) enables[i] = (strobes >> i & 1) != 0 ? 0xff : 0;
  AxiBurst burst;
  burst.write = write;
  burst.address = offset;
  burst.size = 2;
  burst.data = reinterpret_cast<unsigned char*>(&value);
  burst.length = 4;
  burst.enables = write ? enables : nullptr;
  burst.enables_period = 4;
  manager.issue(burst);
  for (unsigned i = 0; i < 1000; ++i) {
    step();
    if (manager.take_done() != nullptr) return burst.response;
  }
  ADD_FAILURE() << "no answer from register " << offset;
  std::abort();  // the manager still refers to the burst
}

void Bench::write(std::uint32_t offset, std::uint64_t value, unsigned bits) {
  for (unsigned half = 0; half < bits / 32; ++half) {
    auto word = static_cast<std::uint32_t>(value >> (32 * half));
    EXPECT_EQ(access(true, offset + 4 * half, word), Response::okay) << "register " << offset;
  }
}

std::uint64_t Bench::read(std::uint32_t offset, unsigned bits) {
  std::uint64_t value = 0;
  for (unsigned half = 0; half < bits / 32; ++half) {
    std::uint32_t word = 0;
    EXPECT_EQ(access(false, offset + 4 * half, word), Response::okay) << "register " << offset;
    value |= std::uint64_t{word} << (32 * half);
  }
  return value;
}

void Bench::start(const Copy& copy) {
  write(FR_DMA_SOURCE, copy.source);
  write(FR_DMA_DESTINATION, copy.destination);
  write(FR_DMA_ROW_BYTES, copy.bytes, 32);
  write(FR_DMA_ROWS, copy.rows, 32);
  write(FR_DMA_SOURCE_STRIDE, static_cast<std::uint64_t>(copy.source_stride));
  write(FR_DMA_DESTINATION_STRIDE, static_cast<std::uint64_t>(copy.destination_stride));
  write(FR_DMA_CONTROL, FR_DMA_CONTROL_START, 32);
}

bool Bench::wait(std::uint64_t most_cycles) {
  for (std::uint64_t i = 0; i < most_cycles && !block->interrupt(); ++i) step();
  return block->interrupt();
}

void copy_bytes(const Copy& copy, std::vector<unsigned char>& bytes) {
  for (std::uint32_t row = 0; row < copy.rows; ++row)
    for (std::uint32_t i = 0; i < copy.bytes; ++i)
      bytes[copy.destination - Memory::base + static_cast<std::uint64_t>(row * copy.destination_stride) + i] =
          bytes[copy.source - Memory::base + static_cast<std::uint64_t>(row * copy.source_stride) + i];
}

}  // namespace forerun::rtl
