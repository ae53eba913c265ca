// SPDX-License-Identifier: Apache-2.0
// A Verilated DMA engine behind the bridges, and the SystemC model of a cluster's DMA beside it: the same
// bytes, the same bursts, and cycles that differ by a constant.
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <functional>
#include <iostream>

#include "ip/base/method.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "ip/dma/dma.hpp"
#include "tests/ip/dma/rtl/bench.hpp"

using namespace forerun;
using namespace forerun::ip::cosim;
using rtl::Copy;

namespace {

constexpr std::int64_t period_ps = 1000;
constexpr unsigned bus_bytes = 16;
constexpr std::uint64_t base = rtl::Memory::base;

/// A memory that answers each burst `latency` cycles after its request. With `shared_bus` the beats of all
/// bursts pass one after another, as on the data wires of a bus; without, the wires are somewhere else.
struct BusMemory : sc_core::sc_module {
  struct Seen {
    bool write;
    std::uint64_t address;
    unsigned length;
    bool operator==(const Seen&) const = default;
  };
  BusMemory(const sc_core::sc_module_name& name, bool shared_bus) : sc_module(name), shared(shared_bus) {
    socket.register_nb_transport_fw(this, &BusMemory::nb_transport_fw);
    ip::add_method("answer", {&event}, [this] { answer(); });
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_COMPLETED;
    const auto address = payload.get_address(), at = address - base;
    const auto length = payload.get_data_length();
    seen.push_back({payload.is_write(), address, length});
    payload.set_response_status(at == fault_at - base ? tlm::TLM_ADDRESS_ERROR_RESPONSE
                                                      : tlm::TLM_OK_RESPONSE);
    if (payload.is_response_ok()) {
      ip::for_enabled_bytes(payload, [&](unsigned offset, unsigned count) {
        auto* const here = payload.get_data_ptr() + offset;
        auto* const there = bytes.data() + at + offset;
        payload.is_write() ? std::memcpy(there, here, count) : std::memcpy(here, there, count);
      });
    }
    auto& free = payload.is_write() ? write_free : read_free;
    const auto beats = static_cast<std::int64_t>((address % bus_bytes + length + bus_bytes - 1) / bus_bytes);
    const auto now = ip::now_picoseconds();
    auto when = now + latency * period_ps;
    if (shared) {
      free = std::max(free, payload.is_write() ? now : when) + beats * period_ps;
      when = payload.is_write() ? free + latency * period_ps : free;
    }
    payload.acquire();
    waiting.push_back({when, &payload});
    event.notify(ip::to_sc_time({0}));
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  }
  void answer() {
    const auto now = ip::now_picoseconds();
    while (!waiting.empty()) {
      const auto first = std::min_element(waiting.begin(), waiting.end(),
                                          [](const auto& a, const auto& b) { return a.first < b.first; });
      if (first->first > now) return event.notify(ip::to_sc_time({first->first - now}));
      auto* const payload = first->second;
      waiting.erase(first);
      tlm::tlm_phase phase = tlm::BEGIN_RESP;
      auto delay = sc_core::SC_ZERO_TIME;
      socket->nb_transport_bw(*payload, phase, delay);
      payload->release();
    }
  }
  tlm_utils::simple_target_socket<BusMemory> socket{"socket"};
  bool shared;
  std::int64_t latency = 0, read_free = 0, write_free = 0;
  std::uint64_t fault_at = 0;
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 17);
  std::vector<Seen> seen;
  std::deque<std::pair<std::int64_t, tlm::tlm_generic_payload*>> waiting;
  sc_core::sc_event event;
};

/// The engine in RTL, programmed through a TLM socket.
struct RtlSide : sc_core::sc_module {
  SC_HAS_PROCESS(RtlSide);
  RtlSide(const sc_core::sc_module_name& name, const rtl::DmaModel& model)
      : sc_module(name),
        register_pins(rtl::dma_register_shape),
        memory_pins(model.memory_shape()),
        register_checker(rtl::dma_register_shape, "registers"),
        memory_checker(model.memory_shape(), "memory"),
        block(model.make(register_pins, memory_pins)),
        to_registers("to_registers", clock, register_pins, {.shape = rtl::dma_register_shape}),
        to_memory("to_memory", clock, memory_pins,
                  {.shape = model.memory_shape(), .subordinate = {.most_reads = 64, .most_writes = 64}}) {
    clock.add(*block);
    clock.add(register_pins);
    clock.add(memory_pins);
    clock.watch([this](std::uint64_t cycle) {
      register_checker.sample(register_pins, cycle);
      memory_checker.sample(memory_pins, cycle);
    });
    socket.bind(to_registers.socket);
    to_memory.socket.bind(memory.socket);
    SC_THREAD(run);
  }
  void access(tlm::tlm_command command, std::uint32_t offset, void* data, unsigned length) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(offset);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    auto delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE) << "register " << offset;
  }
  template <typename T>
  void write(std::uint32_t offset, T value) {
    access(tlm::TLM_WRITE_COMMAND, offset, &value, sizeof value);
  }
  std::uint64_t read(std::uint32_t offset) {
    std::uint64_t value = 0;
    access(tlm::TLM_READ_COMMAND, offset, &value, 8);
    return value;
  }
  void run() {
    write(FR_DMA_INTERRUPT_ENABLE, std::uint32_t{3});
    while (true) {
      while (ended) wait(go);
      write(FR_DMA_SOURCE, copy.source);
      write(FR_DMA_DESTINATION, copy.destination);
      write(FR_DMA_ROW_BYTES, copy.bytes);
      write(FR_DMA_ROWS, copy.rows);
      write(FR_DMA_SOURCE_STRIDE, copy.source_stride);
      write(FR_DMA_DESTINATION_STRIDE, copy.destination_stride);
      write(FR_DMA_CONTROL, std::uint32_t{FR_DMA_CONTROL_START});
      while (!block->interrupt()) wait(period_ps, sc_core::SC_PS);
      cycles = read(FR_DMA_CYCLES);
      status = static_cast<std::uint32_t>(read(FR_DMA_STATUS));
      error_address = read(FR_DMA_ERROR_ADDRESS);
      write(FR_DMA_INTERRUPT_STATUS, std::uint32_t{3});
      ended = true;
    }
  }
  /// Runs a copy to its end.
  void carry_out(const Copy& what) {
    copy = what;
    ended = false;
    go.notify(sc_core::SC_ZERO_TIME);
    for (unsigned i = 0; i < 1000 && !ended; ++i) sc_core::sc_start(1, sc_core::SC_US);
    ASSERT_TRUE(ended) << memory_checker.under_way();
  }

  PinClock clock{"clock", {.period = {period_ps}}};
  AxiPins register_pins, memory_pins;
  AxiChecker register_checker, memory_checker;
  std::unique_ptr<rtl::DmaBlock> block;
  TlmToAxi to_registers;
  AxiToTlm to_memory;
  BusMemory memory{"memory", false};
  tlm_utils::simple_initiator_socket<RtlSide> socket{"socket"};
  sc_core::sc_event go;
  Copy copy;
  bool ended = true;
  std::uint64_t cycles = 0, error_address = 0;
  std::uint32_t status = 0;
};

struct LocalMemory : sc_core::sc_module {
  explicit LocalMemory(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_b_transport(this, &LocalMemory::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    auto* const there = bytes.data() + payload.get_address();
    auto* const here = payload.get_data_ptr();
    payload.is_write() ? std::memcpy(there, here, payload.get_data_length())
                       : std::memcpy(here, there, payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::simple_target_socket<LocalMemory> socket{"socket"};
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 17);
};

/// A cluster's DMA: a copy in memory is a LOAD and then a STORE.
struct ModelSide : sc_core::sc_module {
  ModelSide(const sc_core::sc_module_name& name, const rtl::DmaModel& model)
      : sc_module(name),
        dma("dma",
            {.burst = Bytes{model.burst_bytes},
             .outstanding = model.outstanding,
             .overhead = 0,
             .clock = Frequency{1e12 / period_ps}},
            1 << 17) {
    dma.global.bind(memory.socket);
    dma.local.bind(local.socket);
    dma.connect(
        semaphores, turns, [this] { ended = ip::now_picoseconds(); },
        [this](const ip::Command&, ip::LocalFault fault) {
          ended = ip::now_picoseconds();
          failure = fault.value;
        });
  }
  /// Cycles from the start of a LOAD or STORE to its end.
  std::uint64_t carry_out(std::uint8_t opcode, const Copy& copy) {
    const bool load = opcode == FR_OP_LOAD;
    fr_copy fields{};
    fields.header.opcode = opcode;
    fields.header.words = sizeof fields / 8;
    for (auto* use : {fields.header.wait, fields.header.signal})
      use[0].semaphore = use[1].semaphore = FR_NO_SEMAPHORE;
    fields.global = load ? copy.source : copy.destination;
    fields.bytes = copy.bytes;
    fields.size1 = copy.rows;
    fields.size2 = fields.size3 = 1;
    fields.global_stride1 = load ? copy.source_stride : copy.destination_stride;
    fields.local_stride1 = copy.bytes;
    ip::Command command{};
    std::memcpy(command.bytes, &fields, sizeof fields);
    ended = -1;
    failure = 0;
    const auto begin = ip::now_picoseconds();
    memory.read_free = memory.write_free = begin;
    dma.push(command);
    for (unsigned i = 0; i < 1000 && ended < 0; ++i) sc_core::sc_start(1, sc_core::SC_US);
    EXPECT_GE(ended, 0);
    return static_cast<std::uint64_t>((ended - begin) / period_ps);
  }
  BusMemory memory{"memory", true};
  LocalMemory local{"local"};
  ip::Semaphores semaphores;
  ip::Turns turns{"turns"};
  ip::Dma dma;
  std::int64_t ended = -1;
  std::uint64_t failure = 0;
};

struct Sides {
  explicit Sides(const char* name) : model(rtl::dma_models().at(name)) {
    std::mt19937 random(3);
    for (std::size_t i = 0; i < in_rtl.memory.bytes.size(); ++i)
      in_rtl.memory.bytes[i] = in_model.memory.bytes[i] = static_cast<unsigned char>(random());
  }
  void expect_clean() {
    for (const auto* checker : {&in_rtl.register_checker, &in_rtl.memory_checker})
      for (const auto& violation : checker->log().kept()) ADD_FAILURE() << violation.message();
  }
  const rtl::DmaModel& model;
  RtlSide in_rtl{"rtl", model};
  ModelSide in_model{"model", model};
};

std::vector<BusMemory::Seen> of_kind(const std::vector<BusMemory::Seen>& seen, bool write) {
  std::vector<BusMemory::Seen> some;
  for (const auto& one : seen)
    if (one.write == write) some.push_back(one);
  return some;
}

TEST(DmaEngineAndModel, TheSameBytesByTheSameBursts) {
  Sides sides("standard");
  std::mt19937 random(17);
  for (unsigned number = 0; number < 60; ++number) {
    sides.in_rtl.memory.latency = sides.in_model.memory.latency = static_cast<std::int64_t>(random() % 60);
    Copy copy;
    copy.rows = 1 + static_cast<std::uint32_t>(random() % 7);
    copy.bytes = 1 + static_cast<std::uint32_t>(random() % 1500);
    copy.source = base + random() % 4096;
    copy.destination = base + 65536 + random() % 4096;
    // Apart: rows that touch are one run in the model.
    copy.source_stride = copy.bytes + 1 + static_cast<std::int64_t>(random() % 999);
    copy.destination_stride = copy.bytes + 1 + static_cast<std::int64_t>(random() % 999);
    sides.in_rtl.memory.seen.clear();
    sides.in_model.memory.seen.clear();
    sides.in_rtl.carry_out(copy);
    sides.in_model.carry_out(FR_OP_LOAD, copy);
    sides.in_model.carry_out(FR_OP_STORE, copy);
    ASSERT_EQ(sides.in_rtl.status, unsigned{FR_DMA_STATUS_DONE});
    ASSERT_TRUE(sides.in_rtl.memory.bytes == sides.in_model.memory.bytes) << "copy " << number;
    auto reads = of_kind(sides.in_rtl.memory.seen, false), writes = of_kind(sides.in_rtl.memory.seen, true);
    const auto model_reads = of_kind(sides.in_model.memory.seen, false),
               model_writes = of_kind(sides.in_model.memory.seen, true);
    // On the bus a burst is whole beats: its end is that of a beat.
    ASSERT_EQ(reads.size(), model_reads.size());
    ASSERT_EQ(writes.size(), model_writes.size());
    const auto end = [](const BusMemory::Seen& one) {
      return (one.address + one.length + bus_bytes - 1) / bus_bytes;
    };
    for (std::size_t i = 0; i < reads.size(); ++i) {
      ASSERT_EQ(reads[i].address, model_reads[i].address);
      ASSERT_EQ(end(reads[i]), end(model_reads[i]));
    }
    for (std::size_t i = 0; i < writes.size(); ++i) {
      ASSERT_EQ(writes[i].address, model_writes[i].address);
      ASSERT_EQ(end(writes[i]), end(model_writes[i]));
    }
  }
  sides.expect_clean();
}

TEST(DmaEngineAndModel, AnErrorNamesTheSameAddress) {
  Sides sides("standard");
  const Copy copy{base + 40, base + 65536, 5000};
  for (const std::uint64_t fault : {base + 40, base + 1024, base + 65536 + 2048}) {
    sides.in_rtl.memory.fault_at = sides.in_model.memory.fault_at = fault;
    sides.in_rtl.carry_out(copy);
    sides.in_model.carry_out(fault < base + 65536 ? FR_OP_LOAD : FR_OP_STORE, copy);
    EXPECT_EQ(sides.in_rtl.status, unsigned{FR_DMA_STATUS_ERROR});
    EXPECT_EQ(sides.in_rtl.error_address, fault);
    EXPECT_EQ(sides.in_model.failure, fault);
  }
  sides.expect_clean();
}

/// A copy of whole bursts lasts as long as the model's LOAD of all and STORE of the last burst, and 5 cycles.
/// Where the number of bursts under way is the limit, the place of a burst is free 2 cycles later than in the
/// model.
TEST(DmaEngineAndModel, CyclesDifferByWhatTheDocumentSays) {
  Sides sides("standard");
  const auto window = sides.model.outstanding, burst = sides.model.burst_bytes;
  unsigned limited = 0, runs = 0;
  for (const std::uint32_t row : {256u, 768u, 4096u, 16384u, 59904u})
    for (const std::uint32_t rows : {1u, 3u, 8u})
      for (const std::int64_t latency : {0, 5, 20, 100, 200, 400}) {
        if (row * rows > 60000) continue;
        sides.in_rtl.memory.latency = sides.in_model.memory.latency = latency;
        const Copy copy{base, base + 65536, row, rows, row + 256, row + 512};
        sides.in_rtl.carry_out(copy);
        const auto load = sides.in_model.carry_out(FR_OP_LOAD, copy);
        const auto store = sides.in_model.carry_out(FR_OP_STORE, {base, base + 65536, burst});
        const auto bursts = rows * row / burst;
        // `window` bursts last as long on the bus as the first of them is under way?
        const bool waits = bursts > window && latency * bus_bytes > burst * (window - 1);
        const auto extra = waits ? 2 * ((bursts - 1) / window) : 0;
        EXPECT_EQ(sides.in_rtl.cycles, load + store + 5 + extra)
            << rows << " rows of " << row << " bytes, latency " << latency;
        limited += waits;
        ++runs;
      }
  EXPECT_GE(limited, 10u);
  std::cout << runs << " copies, " << limited << " of them limited by the bursts under way\n";
  sides.expect_clean();
}

}  // namespace
