// SPDX-License-Identifier: Apache-2.0
/// A Verilated DMA engine between bus models, without SystemC: registers on one side, a memory on the other,
/// a checker on both.
#pragma once

#include <gmock/gmock.h>

#include <random>
#include <utility>
#include <vector>

#include "firmware/abi/registers.h"
#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_subordinate.hpp"
#include "tests/ip/dma/rtl/models.hpp"

namespace forerun::rtl {

struct Copy {
  std::uint64_t source = 0, destination = 0;
  std::uint32_t bytes = 0, rows = 1;
  std::int64_t source_stride = 0, destination_stride = 0;
};

/// A burst as the memory saw it; reads in the order of AR, writes in that of AW.
struct SeenBurst {
  bool write;
  std::uint64_t address;
  unsigned beats;
  bool operator==(const SeenBurst&) const = default;
};

/// Answers bursts in order after `latency` cycles and a random number of up to `jitter` more. A burst that
/// begins at `fault_at` gets `fault`.
class Memory {
 public:
  static constexpr std::uint64_t base = 0x8'0000'0000;  // beyond 32 bits
  Memory(ip::cosim::AxiSubordinate& subordinate, std::size_t size) : bytes(size), subordinate_(subordinate) {}

  void cycle(std::uint64_t now, std::mt19937& random);
  std::vector<unsigned char> bytes;
  unsigned latency = 0, jitter = 0;
  bool fault_reads = true, fault_writes = true;
  std::uint64_t fault_at = 0;
  ip::cosim::Response fault = ip::cosim::Response::slverr;
  std::vector<SeenBurst> seen;
  std::uint64_t faults = 0;

 private:
  void carry_out(ip::cosim::AxiBurst& burst);
  ip::cosim::AxiSubordinate& subordinate_;
  std::vector<std::pair<std::uint64_t, ip::cosim::AxiBurst*>> waiting_;
};

struct Bench {
  Bench(const DmaModel& model, ip::cosim::StallParameters stall, unsigned seed, std::size_t size = 65536);
  /// Fails the test for each rule broken on the pins.
  void expect_clean();

  void step();
  void write(std::uint32_t offset, std::uint64_t value, unsigned bits = 64);
  std::uint64_t read(std::uint32_t offset, unsigned bits = 32);
  ip::cosim::Response access(bool write, std::uint32_t offset, std::uint32_t& value, unsigned strobes = 0xf);
  void start(const Copy& copy);
  /// Steps to the interrupt; false if it does not come.
  bool wait(std::uint64_t most_cycles = 200'000);

  std::mt19937 random;
  ip::cosim::AxiPins register_pins, memory_pins;
  ip::cosim::AxiChecker register_checker, memory_checker;
  ip::cosim::AxiManager manager;
  ip::cosim::AxiSubordinate subordinate;
  Memory memory;
  std::unique_ptr<DmaBlock> block;
  std::uint64_t cycle = 0;
};

/// What a copy makes of a memory's bytes, row after row; source and destination do not overlap.
void copy_bytes(const Copy& copy, std::vector<unsigned char>& bytes);

}  // namespace forerun::rtl
