// SPDX-License-Identifier: Apache-2.0
/// A cluster whose DMA engines are RTL, on a memory, with a stream of copies and the same copies by plain
/// loops.
#pragma once

#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/base/payload.hpp"
#include "ip/cluster/cluster.hpp"
#include "models/compiler/stream.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/dma.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {

constexpr std::uint64_t memory_base = 0x100'7fff'0000;  // a copy may cross 2 GiB
constexpr std::uint64_t memory_bytes = 1 << 17, local_bytes = 1 << 16, stream_at = memory_bytes - (32 << 10);

inline std::string own_engine(const std::string& pins,
                              const std::string& folder = FORERUN_SOURCE_DIR "/ip/dma/rtl/",
                              Waves waves = Waves::none) {
  VerilateRequest request;
  request.top = "dma_engine";
  request.waves = waves;
  for (const auto* part : {"buffer", "flights", "read", "write", "registers", "walk", "engine"})
    request.sources.emplace_back(folder + "dma_" + part + ".sv");
  request.parameters = {
      {"DATA_BYTES", "8"}, {"BURST_BYTES", "128"}, {"OUTSTANDING", "2"}, {"BUFFER_BYTES", "512"}};
  request.pins = pins;
  return verilated(request).string();
}
inline std::string interrupting() {
  return own_engine(read_text(FORERUN_SOURCE_DIR "/ip/dma/rtl/dma_engine.yaml"));
}
/// The same without its interrupt, and without rows.
inline std::string polled() {
  return own_engine(
      "clock: aclk\nreset: aresetn\nidle: idle\nconstants: {}\n"
      "interfaces:\n  r: {protocol: axi4-lite, role: subordinate, prefix: s_axi_}\n"
      "  m: {protocol: axi4, role: manager, prefix: m_axi_}\n"
      "dma:\n  setup: [{at: 0x2c, write: 1}]\n"
      "  start:\n    - {at: 0x18, write: source, bits: 64}\n    - {at: 0x20, write: destination, bits: 64}\n"
      "    - {at: 0x28, write: bytes}\n    - {at: 4, write: 1}\n"
      "  status: {at: 8, done: 2, error: 4}\n  most_bytes: 4096\n");
}
/// One of verilog/dma, with its pin map of this name.
inline std::string styled(const std::string& top, const std::string& file, const std::string& pins) {
  VerilateRequest request;
  request.top = top;
  const std::string folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/dma/";
  request.sources = {folder + "mover.v", folder + file};
  request.pins = read_text(folder + pins + ".yaml");
  request.pins_file = pins + ".yaml";
  return verilated(request).string();
}
inline std::string plain() {
  VerilateRequest request;
  request.top = "plain_dma";
  const std::string folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/";
  request.sources = {folder + "plain_dma.v"};
  request.pins = read_text(folder + "plain_dma.yaml");
  return verilated(request).string();
}

/// A cluster with such engines on a memory that answers late, a stream of copies, and the same copies by
/// plain loops.
struct Bench : sc_core::sc_module {
  Bench(const sc_core::sc_module_name& name, const std::string& file)
      : sc_module(name), cluster("cluster", parameters()) {
    std::mt19937 random(1);
    for (auto* bytes : {&memory, &scratchpad})
      for (auto& byte : *bytes) byte = static_cast<unsigned char>(random());
    expected_memory = memory;
    expected_scratchpad = scratchpad;
    for (auto* dma : {&cluster.load, &cluster.store}) {
      auto engine = std::make_unique<RtlDma>(
          dma == &cluster.load ? "load_rtl" : "store_rtl", file,
          RtlPlace{.label = dma == &cluster.load ? "load" : "store", .frequency = {1e9}, .boundary = 256});
      engines.push_back(engine.get());
      dma->use(std::move(engine));
    }
    socket.register_b_transport(this, &Bench::b_transport);
    socket.register_transport_dbg(this, &Bench::transport_dbg);
    cluster.mux.out.bind(socket);
    host.bind(cluster.target);
  }
  static ip::ClusterParameters parameters() {
    ip::ClusterParameters p;
    p.scratchpad.size = {local_bytes};
    return p;
  }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const auto address = payload.get_address();
    EXPECT_TRUE(address / 256 == (address + payload.get_data_length() - 1) / 256 ||
                address - memory_base > stream_at)
        << "a transaction crosses the boundary";
    delay += sc_core::sc_time(static_cast<double>(20 + address % 32), sc_core::SC_NS);
    transport_dbg(payload);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
    const auto at = payload.get_address() - memory_base;
    if (at >= memory_bytes || payload.get_data_length() > memory_bytes - at) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return 0;
    }
    ip::copy_data(payload, memory.data() + at);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return payload.get_data_length();
  }

  /// One after another, in the order of these calls.
  template <typename Command>
  void chain(unsigned opcode, const Command& command) {
    models::Sync uses;
    if (count > 0) uses.wait = {{static_cast<std::uint8_t>((count - 1) % FR_SEMAPHORES), 1}};
    uses.signal = {{static_cast<std::uint8_t>(count % FR_SEMAPHORES), 1}};
    stream.add(opcode, command, uses);
    ++count;
  }
  void add(bool load, fr_copy c) {
    chain(load ? FR_OP_LOAD : FR_OP_STORE, c);
    for (std::uint32_t x = 0; x < c.size3; ++x)
      for (std::uint32_t y = 0; y < c.size2; ++y)
        for (std::uint32_t z = 0; z < c.size1; ++z) {
          const auto global = static_cast<std::int64_t>(c.global - memory_base) + x * c.global_stride3 +
                              y * c.global_stride2 + z * c.global_stride1;
          const auto local = static_cast<std::int64_t>(c.local) + x * std::int64_t{c.local_stride3} +
                             y * std::int64_t{c.local_stride2} + z * std::int64_t{c.local_stride1};
          auto *g = expected_memory.data() + global, *l = expected_scratchpad.data() + local;
          std::memcpy(load ? l : g, load ? g : l, c.bytes);
        }
  }
  void access(bool write, std::uint64_t address, void* data, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    EXPECT_EQ(host->transport_dbg(payload), bytes);
  }
  void poke(std::uint64_t address, std::uint64_t value, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    auto delay = sc_core::SC_ZERO_TIME;
    host->b_transport(payload, delay);
    EXPECT_TRUE(payload.is_response_ok()) << "register " << address;
  }
  std::uint64_t peek(std::uint64_t address, unsigned bytes) {
    std::uint64_t value = 0;
    access(false, address, &value, bytes);
    return value;
  }
  /// The stream lies at the end of the memory.
  void begin() {
    constexpr auto at = stream_at;
    stream.add(FR_OP_END);
    ASSERT_LE(stream.bytes().size(), std::size_t{28 << 10});
    std::memcpy(memory.data() + at, stream.bytes().data(), stream.bytes().size());
    std::memcpy(expected_memory.data() + at, stream.bytes().data(), stream.bytes().size());
    access(true, window, scratchpad.data(), local_bytes);
    poke(FR_CLUSTER_STREAM, memory_base + at, 8);
    poke(FR_CLUSTER_STREAM_BYTES, stream.bytes().size(), 8);
    poke(FR_CLUSTER_PARAMETERS, memory_base + memory_bytes - 4096, 8);
    poke(FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START, 4);
  }
  void run() {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    begin();
    for (unsigned i = 0; i < 200 && cluster.running(); ++i) sc_core::sc_start(50, sc_core::SC_US);
    EXPECT_FALSE(cluster.running()) << cluster.describe_stall();
    access(false, window, scratchpad.data(), local_bytes);
  }
  void expect_equal() {
    EXPECT_EQ(peek(FR_CLUSTER_ERROR, 4), 0u) << "at " << std::hex << peek(FR_CLUSTER_ERROR_ADDRESS, 8);
    EXPECT_TRUE(memory == expected_memory);
    EXPECT_TRUE(scratchpad == expected_scratchpad);
    for (const auto* engine : engines)
      EXPECT_EQ(engine->device().broken_rules(), 0u)
          << testing::PrintToString(engine->device().first_broken_rules(3));
  }
  static constexpr std::uint64_t window = 0x1000'0000;

  tlm_utils::simple_target_socket<Bench> socket{"socket"};
  tlm_utils::simple_initiator_socket<Bench> host{"host"};
  ip::Cluster cluster;
  std::vector<RtlDma*> engines;
  models::StreamBuilder stream;
  unsigned count = 0;
  std::vector<unsigned char> memory = std::vector<unsigned char>(memory_bytes),
                             scratchpad = std::vector<unsigned char>(local_bytes), expected_memory,
                             expected_scratchpad;
};

inline fr_copy copy(std::uint64_t global, std::uint32_t local, std::uint32_t bytes) {
  fr_copy c{};
  c.global = memory_base + global;
  c.local = local;
  c.bytes = bytes;
  c.size1 = c.size2 = c.size3 = 1;
  return c;
}

/// Copies of one to four dimensions, some rows upside down, aligned to `grain`, around the 2 GiB in the
/// middle of the memory.
inline void add_random(Bench& bench, unsigned copies, unsigned grain) {
  std::mt19937 random(7);
  const auto pick = [&](unsigned low, unsigned high) {
    return low + static_cast<unsigned>(random()) % (high - low + 1);
  };
  for (unsigned i = 0; i < copies; ++i) {
    const auto bytes = grain * pick(1, 300 / grain);
    auto c = copy(grain * pick(0x8000 / grain, 0xffff / grain), grain * pick(0x4000 / grain, 0x7fff / grain),
                  bytes);
    c.size1 = pick(1, 4), c.size2 = pick(1, 3), c.size3 = pick(1, 2);
    const auto apart = [&](unsigned least) { return static_cast<std::int32_t>(least + grain * pick(0, 9)); };
    c.global_stride1 = pick(0, 3) == 0 ? -apart(bytes) : apart(bytes),
    c.local_stride1 = pick(0, 3) == 0 ? -apart(bytes) : apart(bytes);
    c.global_stride2 = apart(2000), c.local_stride2 = apart(2000);
    c.global_stride3 = apart(8000), c.local_stride3 = apart(8000);
    c.global_stride2 -= c.global_stride2 % static_cast<int>(grain),
        c.local_stride2 -= c.local_stride2 % static_cast<int>(grain);
    c.global_stride3 -= c.global_stride3 % static_cast<int>(grain),
        c.local_stride3 -= c.local_stride3 % static_cast<int>(grain);
    bench.add(i % 3 != 0, c);
  }
}

}  // namespace forerun::rtl
