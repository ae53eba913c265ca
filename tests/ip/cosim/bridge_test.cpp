// SPDX-License-Identifier: Apache-2.0
// Bridge, checker and bridge on the same pins; then Verilated RTL between them.
#include "ip/base/units.hpp"
#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/stream_checker.hpp"
#include "ip/cosim/stream_to_tlm.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "ip/cosim/tlm_to_stream.hpp"
#include "tests/ip/cosim/bench.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::ip::cosim;
using sc_core::sc_start;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

sc_core::sc_time limit() { return {20, sc_core::SC_MS}; }

/// An interface with a checker on it.
struct Wire {
  Wire(PinClock& clock, const AxiShape& shape, const char* name) : pins(shape), checker(shape, name) {
    clock.add(pins);
    clock.watch([this](std::uint64_t cycle) { checker.sample(pins, cycle); });
  }
  void expect_clean() const {
    for (const auto& violation : checker.log().kept()) ADD_FAILURE() << violation.message();
    EXPECT_TRUE(checker.quiet()) << checker.under_way();
  }
  AxiPins pins;
  AxiChecker checker;
};

/// TLM, pins, TLM, and a late memory.
struct BackToBack {
  explicit BackToBack(const AxiShape& shape, const StallParameters& stall = {}, std::int64_t latency_ps = 0,
                      const SplitParameters& split = {})
      : wire(clock, shape, "axi"),
        to_axi("to_axi", clock, wire.pins, {.shape = shape, .manager = {.stall = stall}, .split = split}),
        to_tlm("to_tlm", clock, wire.pins,
               {.shape = shape,
                .subordinate = {.stall = {stall.share, stall.seed + 1, 1}, .interleave = stall.share > 0}}),
        memory("memory", 64 * 1024, latency_ps) {
    to_tlm.socket.bind(memory.socket);
  }
  PinClock clock{"clock"};
  Wire wire;
  TlmToAxi to_axi;
  AxiToTlm to_tlm;
  LateMemory memory;
};

struct List {
  explicit List(TargetBridge& bridge) { initiator.socket.bind(bridge.socket); }
  void run(std::vector<Transaction> transactions) {
    initiator.list = std::move(transactions);
    sc_start(limit());
    EXPECT_TRUE(initiator.finished);
  }
  ListInitiator initiator{"initiator"};
};

TEST(AxiBridges, carry_lists_of_transactions_there_and_back) {
  const AxiShape shape{.data_bytes = 8, .address_bits = 32};
  BackToBack bench(shape);
  bench.memory.end_of_writes = 0xf000;
  List list(bench.to_axi);
  list.run({
      Write(0x100, counting(8), "a full beat"),
      Read(0x100, counting(8)),
      Write(0x103, {0xaa}, "one byte, unaligned"),
      Read(0x102, {3, 0xaa, 5}),
      Write(0xff1, counting(100), "across 4 KiB, unaligned at both ends"),
      Read(0xff1, counting(100)),
      Write(0x2000, counting(5000), "longer than a burst"),
      Read(0x2000, counting(5000)),
      Write(0x300, {1, 2, 3, 4}).only({0xff, 0}),
      Read(0x300, {1, 0, 3, 0}, "byte enables repeat"),
      Write(0x400, counting(32)).stream(4),
      Read(0x400, {29, 30, 31, 32, 0}, "a streaming width writes the same place again"),
      Write(0x500, counting(80)).stream(20),
      Read(0x500, counting(20, 61), "wider than a beat"),
      Write(0xf000, counting(8), "read-only").gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
      Read(0x1'0000, counting(4), "nobody").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
      Read(0x1'0000'0000, counting(4), "beyond the address bus").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
      Write(0xfffff000, counting(2 * 4096), "half of it beyond").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
      Write(0x10, {}).gets(tlm::TLM_BURST_ERROR_RESPONSE),
  });
  bench.wire.expect_clean();
  using Seen = LateMemory::Seen;
  EXPECT_EQ(bench.memory.seen[0], (Seen{true, 0x100, 8, 8}));
  EXPECT_EQ(bench.memory.seen[2], (Seen{true, 0x103, 1, 1}));
  EXPECT_EQ(bench.memory.seen[4].address, 0xff1u);
  EXPECT_EQ(bench.memory.seen[5].address, 0x1000u);
  EXPECT_EQ(bench.to_axi.errors.value(), 5u);
  EXPECT_EQ(bench.to_tlm.errors.value(), 2u);
}

TEST(AxiBridges, a_fixed_burst_is_one_transaction_with_a_streaming_width) {
  BackToBack bench({.data_bytes = 8});
  List list(bench.to_axi);
  list.run({Write(0x400, counting(32)).stream(4)});
  EXPECT_THAT(bench.memory.seen, ElementsAre(LateMemory::Seen{true, 0x400, 32, 4}));
}

TEST(AxiBridges, lite_carries_lists_too) {
  const AxiShape shape{.data_bytes = 4, .address_bits = 32, .lite = true};
  BackToBack bench(shape, {0.3, 4, 2}, 3000);
  bench.memory.end_of_writes = 0xf000;
  List list(bench.to_axi);
  list.run({
      Write(0x100, counting(4)),
      Write(0x101, {9}),
      Read(0x100, {1, 9, 3, 4}),
      Write(0x202, counting(21)),
      Read(0x202, counting(21)),
      Write(0xf000, counting(4)).gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
      Read(0x1'0000, counting(4)).gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
  });
  bench.wire.expect_clean();
}

void expect_finished(const RandomInitiator& initiator) {
  EXPECT_TRUE(initiator.finished()) << initiator.sent << " sent, " << initiator.under_way.size()
                                    << " under way";
  EXPECT_EQ(initiator.mismatches, 0u);
  EXPECT_EQ(initiator.errors, 0u);
}

TEST(AxiBridges, random_traffic_equals_a_plain_memory_with_stalls_and_answers_out_of_order) {
  BackToBack bench({.data_bytes = 16}, {0.4, 7, 3}, 200'000);
  RandomInitiator initiator("initiator", {.size = 16 * 1024, .count = 2000, .window = 12, .longest = 700});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  bench.wire.expect_clean();
  EXPECT_GT(initiator.overtakings, 100u);
  EXPECT_GT(initiator.most_under_way, 4u);
}

TEST(AxiBridges, random_traffic_at_the_widest_bus) {
  BackToBack wide({.data_bytes = 128}, {0.2, 3, 1}, 20'000);
  RandomInitiator a("a", {.size = 16 * 1024, .count = 500, .longest = 5000});
  a.socket.bind(wide.to_axi.socket);
  sc_start(limit());
  expect_finished(a);
  wide.wire.expect_clean();
}

TEST(AxiBridges, random_traffic_on_a_byte_wide_bus_with_one_id) {
  BackToBack bench({.data_bytes = 1, .id_bits = 0}, {0.2, 3, 1}, 20'000);
  RandomInitiator initiator("initiator", {.size = 8 * 1024, .count = 500});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  bench.wire.expect_clean();
}

TEST(AxiBridges, more_transactions_than_are_taken_wait_before_end_req) {
  const AxiShape shape{.data_bytes = 4};
  PinClock clock("clock");
  Wire wire(clock, shape, "axi");
  TlmToAxi to_axi("to_axi", clock, wire.pins, {.shape = shape, .most_transactions = 2});
  AxiToTlm to_tlm("to_tlm", clock, wire.pins, {.shape = shape});
  LateMemory memory("memory", 4096, 50'000);
  to_tlm.socket.bind(memory.socket);
  RandomInitiator initiator("initiator", {.window = 16});
  initiator.socket.bind(to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  EXPECT_LE(initiator.most_under_way, 3u);
}

TEST(AxiBridges, overlapping_transactions_stay_in_order) {
  // A write and a read of the same place, sent without waiting, on a bus that answers out of order.
  const AxiShape shape{.data_bytes = 8};
  BackToBack bench(shape, {0.3, 2, 1}, 100'000);
  struct Pair : sc_core::sc_module {
    explicit Pair(const sc_core::sc_module_name& name) : sc_module(name) {
      socket.register_nb_transport_bw(this, &Pair::nb_transport_bw);
      add_method("send", {&start}, [this] { send(); });
      start.notify(sc_core::SC_ZERO_TIME);
    }
    void send() {
      for (unsigned i = 0; i < 8; ++i) {
        auto& payload = pool.acquire(i % 2 == 0 ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, 0x40, 8);
        std::fill_n(payload.get_data_ptr(), 8, static_cast<unsigned char>(i + 1));
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        auto delay = sc_core::SC_ZERO_TIME;
        EXPECT_EQ(socket->nb_transport_fw(payload, phase, delay), tlm::TLM_UPDATED);
      }
    }
    tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase&,
                                       sc_core::sc_time&) {
      if (payload.is_read()) read.push_back(payload.get_data_ptr()[5]);
      payload.release();
      return tlm::TLM_COMPLETED;
    }
    tlm_utils::simple_initiator_socket<Pair> socket{"socket"};
    PayloadPool pool{8};
    ByteList read;
    sc_core::sc_event start;
  } pair("pair");
  pair.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  EXPECT_THAT(pair.read, ElementsAre(1, 3, 5, 7));
}

/// A bench with a list of its own; two of them live in one simulation, as SystemC elaborates once.
struct Gated : sc_core::sc_module {
  Gated(const sc_core::sc_module_name& name, bool gate) : sc_module(name) {
    bench.clock.gate(gate);
    for (unsigned i = 0; i < 20; ++i) {  // at all moments of a cycle, some of them edges
      list.initiator.list.push_back(Write(i * 100, counting(77)).after(i * 17'300, i % 7 * 500));
      list.initiator.list.push_back(Read(i * 100, counting(77)).after(i % 5 * 1000, 0));
    }
  }
  BackToBack bench{{.data_bytes = 8}, {0.4, 9, 2}, 5000};
  List list{bench.to_axi};
};

TEST(AxiBridges, the_clock_stands_still_while_nothing_is_to_do_and_nothing_changes_by_it) {
  Gated gated("gated", true), free("free", false);
  sc_start(sc_core::sc_time(100, sc_core::SC_US));
  for (const auto* one : {&gated, &free}) EXPECT_TRUE(one->list.initiator.finished);
  EXPECT_EQ(gated.list.initiator.ends_ps, free.list.initiator.ends_ps);
  EXPECT_EQ(free.bench.clock.evaluated.value(), 99'999u) << "the edge at the end is left to the next start";
  EXPECT_LT(gated.bench.clock.evaluated.value(), 10'000u);
}

TEST(AxiBridges, debug_and_direct_access_go_by_the_hooks_or_are_refused) {
  BackToBack bench({});
  List list(bench.to_axi);
  tlm::tlm_generic_payload payload;
  ByteList data(4);
  payload.set_data_ptr(data.data());
  payload.set_data_length(4);
  payload.set_address(0x20);
  sc_start(sc_core::SC_ZERO_TIME);
  tlm::tlm_dmi dmi;
  EXPECT_EQ(list.initiator.socket->transport_dbg(payload), 0u);
  EXPECT_FALSE(list.initiator.socket->get_direct_mem_ptr(payload, dmi));
  bench.to_axi.debug = [&](tlm::tlm_generic_payload& access) {
    std::copy_n(bench.memory.bytes.begin() + static_cast<std::ptrdiff_t>(access.get_address()), 4,
                access.get_data_ptr());
    return 4u;
  };
  bench.to_axi.direct_memory = [](tlm::tlm_generic_payload&, tlm::tlm_dmi&) { return true; };
  bench.memory.bytes[0x22] = 7;
  EXPECT_EQ(list.initiator.socket->transport_dbg(payload), 4u);
  EXPECT_EQ(data[2], 7);
  EXPECT_TRUE(list.initiator.socket->get_direct_mem_ptr(payload, dmi));
}

TEST(AxiBridges, a_reset_ends_transactions_with_an_error_and_the_next_ones_work) {
  BackToBack bench({.data_bytes = 8}, {}, 20'000);
  List list(bench.to_axi);
  list.initiator.list = {Write(0x100, counting(2000)).gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
                         Write(0x100, counting(8)), Read(0x100, counting(8))};
  sc_start(sc_core::sc_time(30, sc_core::SC_NS));
  bench.clock.reset(3);
  sc_start(limit());
  EXPECT_TRUE(list.initiator.finished);
  bench.wire.expect_clean();
}

/// Bursts as RTL would make them, from a bus model alone.
struct PinManager : PinUser {
  PinManager(PinClock& clock, AxiPins& pins_in, const AxiShape& shape) : pins(pins_in), manager(shape) {
    clock.add(*this);
  }
  void drive(std::uint64_t cycle) override { manager.drive(pins, cycle); }
  void edge(std::uint64_t) override { manager.edge(pins); }
  bool idle() const override { return manager.idle(); }
  AxiPins& pins;
  AxiManager manager;
};

struct ToTlm {
  explicit ToTlm(const AxiShape& shape_in) : shape(shape_in) {
    to_tlm.socket.bind(memory.socket);
    for (std::size_t i = 0; i < memory.bytes.size(); ++i) memory.bytes[i] = static_cast<unsigned char>(i);
  }
  AxiBurst& add(bool write, std::uint64_t address, unsigned beats, unsigned size, BurstKind kind) {
    auto& burst = *bursts.emplace_back(std::make_unique<AxiBurst>());
    burst.write = write;
    burst.address = address;
    burst.beats = beats;
    burst.size = size;
    burst.kind = kind;
    burst.length = burst.full_length();
    data.push_back(std::make_unique<ByteList>(counting(burst.length, 100)));
    burst.data = data.back()->data();
    manager.manager.issue(burst);
    return burst;
  }
  AxiShape shape;
  PinClock clock{"clock"};
  Wire wire{clock, shape, "axi"};
  PinManager manager{clock, wire.pins, shape};
  AxiToTlm to_tlm{"to_tlm", clock, wire.pins, {.shape = shape, .subordinate = {}}};
  LateMemory memory{"memory", 4096, 10'000};
  std::vector<std::unique_ptr<AxiBurst>> bursts;
  std::vector<std::unique_ptr<ByteList>> data;
};

TEST(AxiToTlm, wrap_bursts_become_their_container_in_order) {
  ToTlm bench({.data_bytes = 8});
  auto& read = bench.add(false, 0x118, 4, 3, BurstKind::wrap);
  auto& write = bench.add(true, 0x214, 4, 2, BurstKind::wrap);
  ByteList enables(16, 0xff);
  enables[15] = 0;  // the byte at 0x213
  write.enables = enables.data();
  write.enables_period = 16;
  sc_start(limit());
  EXPECT_EQ(read.data[0], 0x18);
  EXPECT_EQ(read.data[8], 0x00);
  EXPECT_EQ(read.data[31], 0x17);
  EXPECT_EQ(bench.memory.bytes[0x214], 100);
  EXPECT_EQ(bench.memory.bytes[0x21f], 111);
  EXPECT_EQ(bench.memory.bytes[0x210], 112);
  EXPECT_EQ(bench.memory.bytes[0x213], 0x13) << "its strobe was low";
  bench.wire.expect_clean();
}

TEST(AxiToTlm, exclusive_access_is_refused_with_okay) {
  ToTlm bench({.data_bytes = 8});
  auto& read = bench.add(false, 0x40, 1, 3, BurstKind::incr);
  auto& write = bench.add(true, 0x40, 1, 3, BurstKind::incr);
  auto& plain = bench.add(true, 0x80, 1, 3, BurstKind::incr);
  read.lock = write.lock = true;
  sc_start(limit());
  EXPECT_EQ(read.response, Response::okay);
  EXPECT_EQ(read.data[3], 0x43);
  EXPECT_EQ(write.response, Response::okay);
  EXPECT_EQ(bench.memory.bytes[0x40], 0x40) << "an exclusive write that fails changes nothing";
  EXPECT_EQ(bench.memory.bytes[0x80], 100);
  EXPECT_EQ(plain.response, Response::okay);
  EXPECT_EQ(bench.to_tlm.refused.value(), 2u);
  bench.wire.expect_clean();
}

TEST(AxiToTlm, errors_become_slverr_and_decerr) {
  ToTlm bench({.data_bytes = 8});
  bench.memory.end_of_writes = 0x800;
  auto& locked = bench.add(true, 0x800, 2, 3, BurstKind::incr);
  auto& nobody = bench.add(false, 0x1000, 2, 3, BurstKind::incr);
  sc_start(limit());
  EXPECT_EQ(locked.response, Response::slverr);
  EXPECT_EQ(nobody.response, Response::decerr);
}

TEST(Responses, every_status_has_its_place) {
  EXPECT_EQ(to_axi(tlm::TLM_OK_RESPONSE), Response::okay);
  EXPECT_EQ(to_axi(tlm::TLM_ADDRESS_ERROR_RESPONSE), Response::decerr);
  for (const auto status :
       {tlm::TLM_INCOMPLETE_RESPONSE, tlm::TLM_GENERIC_ERROR_RESPONSE, tlm::TLM_COMMAND_ERROR_RESPONSE,
        tlm::TLM_BURST_ERROR_RESPONSE, tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE})
    EXPECT_EQ(to_axi(status), Response::slverr);
  EXPECT_EQ(to_tlm(Response::exokay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(to_tlm(Response::slverr), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(to_tlm(Response::decerr), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

// ---- Verilated RTL ----

struct RtlMemory {
  explicit RtlMemory(const StallParameters& stall = {})
      : block(make_axi_memory(wire.pins, fault)),
        to_axi("to_axi", clock, wire.pins, {.shape = axi_memory_shape, .manager = {.stall = stall}}) {
    clock.add(*block);
  }
  PinClock clock{"clock"};
  Wire wire{clock, axi_memory_shape, "memory"};
  unsigned fault = 0;
  std::unique_ptr<RtlBlock> block;
  TlmToAxi to_axi;
};

TEST(RtlAxiMemory, carries_a_list) {
  RtlMemory bench;
  List list(bench.to_axi);
  list.run({
      Write(0x100, counting(16)),
      Read(0x100, counting(16)),
      Write(0x203, counting(100)),
      Read(0x203, counting(100)),
      Write(0x300, {1, 2, 3, 4}).only({0xff, 0}),
      Read(0x300, {1, 0, 3, 0}),
      Write(0x400, counting(32)).stream(4),
      Read(0x400, {29, 30, 31, 32}),
      Write(0xf000, counting(16), "SLVERR").gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
      Read(0x1'0000, counting(16), "DECERR").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
  });
  bench.wire.expect_clean();
}

TEST(RtlAxiMemory, random_traffic_equals_a_plain_memory_and_reads_interleave) {
  RtlMemory bench({0.3, 11, 2});
  unsigned switches = 0;
  bool within = false;
  std::uint32_t last_id = 0;
  bench.clock.watch([&](std::uint64_t) {
    const auto& r = bench.wire.pins.r;
    if (!r.valid || !r.ready) return;
    switches += within && r.id != last_id ? 1 : 0;
    within = !r.last;
    last_id = r.id;
  });
  RandomInitiator initiator("initiator", {.size = 32 * 1024, .count = 2000, .window = 12, .longest = 900});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  bench.wire.expect_clean();
  EXPECT_GT(switches, 100u) << "read data of different IDs interleave";
  EXPECT_GT(initiator.overtakings, 20u);
}

TEST(RtlAxiMemory, a_lane_that_ignores_its_strobe_is_found) {
  RtlMemory bench;
  bench.fault = 1;
  RandomInitiator initiator("initiator", {.size = 4096, .count = 500});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  EXPECT_GT(initiator.mismatches, 0u);
}

TEST(RtlAxiMemory, an_rvalid_that_drops_is_named) {
  RtlMemory bench({0.4, 3, 1});
  bench.fault = 2;
  RandomInitiator initiator("initiator", {.size = 4096, .count = 20});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(sc_core::sc_time(100, sc_core::SC_US));
  ASSERT_GT(bench.wire.checker.log().count(AxiRule::valid_dropped), 0u);
  EXPECT_THAT(bench.wire.checker.log().kept()[0].message(),
              HasSubstr("memory: RVALID dropped before RREADY"));
  EXPECT_THAT(bench.wire.checker.under_way(), HasSubstr("read with")) << "the stuck reads are named";
  EXPECT_GT(initiator.errors, 0u) << "a lost beat brings RLAST too early";
}

TEST(RtlAxiMemory, a_missing_rlast_is_named) {
  RtlMemory bench;
  bench.fault = 4;
  RandomInitiator initiator("initiator", {.size = 4096, .count = 20});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  EXPECT_GT(bench.wire.checker.log().count(AxiRule::rlast_missing), 0u);
  EXPECT_TRUE(initiator.finished()) << "the bridge counts beats itself";
  EXPECT_EQ(initiator.errors, 0u);
}

TEST(RtlAxiMemory2001, random_traffic_equals_a_plain_memory) {
  PinClock clock("clock");
  Wire wire(clock, axi_memory_2001_shape, "memory");
  auto block = make_axi_memory_2001(wire.pins);
  clock.add(*block);
  TlmToAxi to_axi("to_axi", clock, wire.pins,
                  {.shape = axi_memory_2001_shape, .manager = {.stall = {0.3, 5, 1}}});
  RandomInitiator initiator("initiator", {.base = 0x4000, .size = 32 * 1024, .count = 2000, .longest = 900});
  initiator.socket.bind(to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  wire.expect_clean();
}

TEST(RtlAxiMemory2001, data_before_their_address_and_narrow_bursts) {
  PinClock clock("clock");
  Wire wire(clock, axi_memory_2001_shape, "memory");
  auto block = make_axi_memory_2001(wire.pins);
  clock.add(*block);
  TlmToAxi to_axi("to_axi", clock, wire.pins,
                  {.shape = axi_memory_2001_shape,
                   .manager = {.stall = {0.5, 5, 4}, .data_may_lead = true},
                   .split = {.most_beats = 16, .most_beat_bytes = 2}});
  RandomInitiator initiator("initiator", {.size = 8 * 1024, .count = 1000});
  initiator.socket.bind(to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  wire.expect_clean();
}

/// TLM, pins, a register slice of RTL, pins, TLM: RTL on the manager's side of a bridge too.
struct RtlSlice {
  RtlSlice(const StallParameters& stall, std::int64_t latency_ps)
      : block(make_axi_slice(in.pins, out.pins, fault)),
        to_axi("to_axi", clock, in.pins, {.shape = axi_slice_shape, .manager = {.stall = stall}}),
        to_tlm("to_tlm", clock, out.pins,
               {.shape = axi_slice_shape,
                .subordinate = {.stall = {stall.share, stall.seed + 1, 2}, .interleave = true}}),
        memory("memory", 64 * 1024, latency_ps) {
    clock.add(*block);
    to_tlm.socket.bind(memory.socket);
  }
  PinClock clock{"clock"};
  Wire in{clock, axi_slice_shape, "in"}, out{clock, axi_slice_shape, "out"};
  unsigned fault = 0;
  std::unique_ptr<RtlBlock> block;
  TlmToAxi to_axi;
  AxiToTlm to_tlm;
  LateMemory memory;
};

TEST(RtlAxiSlice, random_traffic_passes_through_rtl_between_two_bridges) {
  RtlSlice bench({0.4, 21, 1}, 100'000);
  RandomInitiator initiator("initiator", {.size = 32 * 1024, .count = 2000, .window = 12, .longest = 900});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  expect_finished(initiator);
  bench.in.expect_clean();
  bench.out.expect_clean();
  EXPECT_GT(initiator.overtakings, 50u);
}

TEST(RtlAxiSlice, errors_pass_through) {
  RtlSlice bench({}, 5000);
  bench.memory.end_of_writes = 0x8000;
  List list(bench.to_axi);
  list.run({Write(0x8000, counting(64)).gets(tlm::TLM_GENERIC_ERROR_RESPONSE), Write(0x20, counting(64)),
            Read(0x20, counting(64)), Read(0x10'0000, counting(64)).gets(tlm::TLM_ADDRESS_ERROR_RESPONSE)});
}

TEST(RtlAxiSlice, a_flipped_bit_is_found) {
  RtlSlice bench({}, 5000);
  bench.fault = 1;
  RandomInitiator initiator("initiator", {.size = 4096, .count = 100});
  initiator.socket.bind(bench.to_axi.socket);
  sc_start(limit());
  EXPECT_GT(initiator.mismatches, 0u);
}

TEST(RtlAxiSlice, valid_in_reset_is_named) {
  RtlSlice bench({}, 5000);
  bench.fault = 2;
  List list(bench.to_axi);
  list.run({Write(0, counting(8))});
  const auto& log = bench.out.checker.log();
  EXPECT_EQ(log.count(AxiRule::valid_in_reset), 4u);
  EXPECT_THAT(log.kept().at(0).message(), HasSubstr("out: AWVALID is high"));
}

TEST(RtlAxiSlice, an_answer_for_a_foreign_id_is_named) {
  RtlSlice bench({}, 5000);
  bench.fault = 4;
  ListInitiator initiator("initiator");
  initiator.socket.bind(bench.to_axi.socket);
  initiator.list = {Write(0, counting(8))};
  sc_start(sc_core::sc_time(10, sc_core::SC_US));
  EXPECT_FALSE(initiator.finished);
  EXPECT_EQ(bench.in.checker.log().count(AxiRule::b_without_request), 1u);
  EXPECT_THAT(bench.in.checker.under_way(), HasSubstr("write with 1 beats of data sent"));
}

TEST(RtlLiteRegisters, carry_a_list) {
  PinClock clock("clock");
  Wire wire(clock, lite_registers_shape, "registers");
  auto block = make_lite_registers(wire.pins);
  clock.add(*block);
  TlmToAxi to_axi("to_axi", clock, wire.pins,
                  {.shape = lite_registers_shape, .manager = {.stall = {0.3, 2, 1}}});
  List list(to_axi);
  list.run({
      Write(0x00, {1, 2, 3, 4}),
      Write(0x06, {9}, "a byte by its strobe"),
      Read(0x00, {1, 2, 3, 4, 0, 0, 9, 0}),
      Read(0x3c, {2, 0, 0, 0}, "the count of writes"),
      Write(0x3c, {1, 1, 1, 1}, "read-only").gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
      Read(0x40, {0, 0, 0, 0}, "beyond").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
      Write(0x10, counting(40), "ten registers"),
      Read(0x10, counting(40)),
      Read(0x1000, {0}, "beyond the address bus").gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
  });
  wire.expect_clean();
}

struct StreamEnd : sc_core::sc_module {
  explicit StreamEnd(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_b_transport(this, &StreamEnd::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    addresses.push_back(payload.get_address());
    ByteList bytes;
    for_enabled_bytes(payload, [&](unsigned offset, unsigned count) {
      bytes.insert(bytes.end(), payload.get_data_ptr() + offset, payload.get_data_ptr() + offset + count);
    });
    packets.push_back(bytes);
    delay += to_sc_time({static_cast<std::int64_t>(packets.size()) % 4 * 30'000});
    payload.set_response_status(payload.get_address() == 0xf000 ? tlm::TLM_GENERIC_ERROR_RESPONSE
                                                                : tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::simple_target_socket<StreamEnd> socket{"socket"};
  std::vector<std::uint64_t> addresses;
  std::vector<ByteList> packets;
};

TEST(RtlStreamSlice, packets_pass_through_rtl_between_two_bridges) {
  PinClock clock("clock");
  StreamPins in(stream_slice_shape), out(stream_slice_shape);
  StreamChecker check_in(stream_slice_shape, "in"), check_out(stream_slice_shape, "out");
  clock.add(in);
  clock.add(out);
  clock.watch([&](std::uint64_t cycle) {
    check_in.sample(in, cycle);
    check_out.sample(out, cycle);
  });
  auto block = make_stream_slice(in, out);
  clock.add(*block);
  TlmToStream to_stream("to_stream", clock, in,
                        {.shape = stream_slice_shape, .stall = {0.3, 1, 1}, .address = {}});
  StreamToTlm to_tlm("to_tlm", clock, out,
                     {.shape = stream_slice_shape,
                      .receiver = {.most_bytes = 256, .most_packets = 3, .stall = {0.4, 2, 2}},
                      .address = {.base = 0, .dest_shift = 12}});
  StreamEnd end("end");
  to_tlm.socket.bind(end.socket);
  List list(to_stream);
  std::vector<Transaction> transactions;
  for (unsigned i = 1; i <= 100; ++i) transactions.push_back(Write((i % 16) << 12, counting(i * 2, i)));
  transactions.push_back(Write(0x1000, {1, 2, 3}).only({0xff, 0, 0xff}));
  transactions.push_back(Write(0x2000, counting(600), "more than the receiver gathers"));
  transactions.push_back(Read(0, {0}, "streams are not read").gets(tlm::TLM_COMMAND_ERROR_RESPONSE));
  list.run(transactions);
  ASSERT_EQ(end.packets.size(), 104u);
  for (unsigned i = 1; i <= 100; ++i) {
    EXPECT_EQ(end.packets[i - 1], counting(i * 2, i));
    EXPECT_EQ(end.addresses[i - 1], (i % 16) << 12);
  }
  EXPECT_THAT(end.packets[100], ElementsAre(1, 3));
  EXPECT_EQ(end.packets[101].size(), 256u);
  EXPECT_EQ(end.packets[103].size(), 88u);
  EXPECT_EQ(to_tlm.errors.value(), 6u) << "those to stream 15";
  for (const auto* log : {&check_in.log(), &check_out.log()})
    for (const auto& violation : log->kept()) ADD_FAILURE() << violation.message();
}

}  // namespace
