// SPDX-License-Identifier: Apache-2.0
// Manager and subordinate on the same pins, a checker between them, a plain memory behind: no SystemC.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_subordinate.hpp"
#include "ip/cosim/stream_checker.hpp"
#include "ip/cosim/stream_models.hpp"

using namespace forerun::ip::cosim;

namespace {

constexpr std::size_t memory_bytes = 64 * 1024;

/// Carries out bursts after a random number of cycles, those of different IDs in any order.
struct Memory {
  explicit Memory(AxiSubordinate& subordinate_in, unsigned seed, unsigned longest_in)
      : subordinate(subordinate_in), random(seed), longest(longest_in) {}
  void cycle(std::uint64_t now) {
    while (auto* burst = subordinate.take()) {
      move(*burst);
      waiting.push_back({now + random() % (longest + 1), burst});
    }
    std::erase_if(waiting, [&](const auto& one) {
      if (one.first > now) return false;
      subordinate.complete(*one.second);
      return true;
    });
  }
  void move(AxiBurst& burst) {
    burst.response = Response::okay;
    for (unsigned beat = 0; beat < burst.beats; ++beat) {
      const auto span = beat_span(burst, beat, subordinate.shape().data_bytes);
      for (unsigned i = 0; i < span.count; ++i) {
        auto& byte = bytes[(span.address + i) % memory_bytes];
        if (!burst.write)
          burst.data[span.offset + i] = byte;
        else if (burst.enabled(span.offset + i))
          byte = burst.data[span.offset + i];
      }
    }
  }
  AxiSubordinate& subordinate;
  std::mt19937 random;
  unsigned longest;
  std::vector<unsigned char> bytes = std::vector<unsigned char>(memory_bytes);
  std::vector<std::pair<std::uint64_t, AxiBurst*>> waiting;
};

struct Settings {
  AxiShape shape;
  AxiManagerParameters manager;
  AxiSubordinateParameters subordinate;
  unsigned latency = 20;
};

struct Bench {
  explicit Bench(const Settings& settings, unsigned seed = 1)
      : pins(settings.shape),
        checker(settings.shape),
        manager(settings.shape, settings.manager),
        subordinate(settings.shape, settings.subordinate),
        memory(subordinate, seed, settings.latency) {}
  ~Bench() {
    for (const auto& violation : checker.log().kept()) ADD_FAILURE() << violation.message();
    EXPECT_EQ(manager.unexpected(), 0u);
  }
  void step() {
    manager.drive(pins, cycle);
    subordinate.drive(pins, cycle);
    checker.sample(pins, cycle);
    if (on_sample) on_sample();
    manager.edge(pins);
    subordinate.edge(pins);
    memory.cycle(cycle);
    ++cycle;
  }
  /// Until the manager has nothing under way.
  void finish() {
    const auto limit = cycle + 200'000;
    do step();
    while (!manager.idle() && cycle < limit);
    ASSERT_TRUE(manager.idle()) << "stuck:\n" << checker.under_way();
    EXPECT_TRUE(checker.quiet());
  }
  AxiPins pins;
  AxiChecker checker;
  AxiManager manager;
  AxiSubordinate subordinate;
  Memory memory;
  std::uint64_t cycle = 0;
  std::function<void()> on_sample;
};

/// A random access, split, and what a plain memory says of it.
struct Access {
  std::vector<unsigned char> data, enables, expected;
  std::vector<AxiBurst> bursts;
};

class RandomTraffic {
 public:
  RandomTraffic(Bench& bench, const AxiShape& shape, const SplitParameters& split_parameters, unsigned seed)
      : bench_(bench), shape_(shape), split_(split_parameters), random_(seed), plain_(memory_bytes) {}

  /// Accesses at addresses that do not overlap, all under way together; then all data are compared.
  void round(unsigned count) {
    std::vector<std::unique_ptr<Access>> accesses;
    const auto slot = memory_bytes / count;
    for (unsigned i = 0; i < count; ++i) {
      auto& access = *accesses.emplace_back(std::make_unique<Access>());
      const auto length = 1 + number(number(3) == 0 ? static_cast<unsigned>(slot) - 1 : 40);
      const auto address = i * slot + number(static_cast<unsigned>(slot) - length);
      const bool write = number(1) == 0;
      access.data.resize(length);
      for (auto& byte : access.data) byte = static_cast<unsigned char>(number(255));
      const unsigned width = number(3) == 0 && length < 200 ? 1 + number(length - 1) : length;
      if (number(2) == 0) {
        access.enables.resize(1 + number(length - 1));
        for (auto& enable : access.enables) enable = number(2) == 0 ? 0 : 0xff;
      }
      access.expected = access.data;
      for (unsigned byte = 0; byte < length; ++byte) {
        if (!access.enables.empty() && access.enables[byte % access.enables.size()] == 0) continue;
        auto& there = plain_[address + byte % width];
        if (write)
          there = access.data[byte];
        else
          access.expected[byte] = there;
      }
      split({.write = write,
             .address = address,
             .data = access.data.data(),
             .length = length,
             .streaming_width = width,
             .enables = access.enables.empty() ? nullptr : access.enables.data(),
             .enables_period = static_cast<unsigned>(access.enables.size())},
            shape_, split_, access.bursts);
      const auto id = shape_.lite ? 0 : number((1u << std::min(shape_.id_bits, 4u)) - 1);
      for (auto& burst : access.bursts) {
        burst.id = id;
        bench_.manager.issue(burst);
      }
    }
    bench_.finish();
    unsigned done = 0, issued = 0;
    while (auto* burst = bench_.manager.take_done()) {
      ++done;
      EXPECT_EQ(burst->response, Response::okay);
    }
    for (const auto& access : accesses) {
      issued += static_cast<unsigned>(access->bursts.size());
      EXPECT_EQ(access->data, access->expected);
    }
    EXPECT_EQ(done, issued);
    EXPECT_EQ(bench_.memory.bytes, plain_);
  }

 private:
  unsigned number(unsigned most) { return static_cast<unsigned>(random_() % (most + 1)); }
  Bench& bench_;
  AxiShape shape_;
  SplitParameters split_;
  std::mt19937 random_;
  std::vector<unsigned char> plain_;
};

TEST(AxiModels, random_traffic_equals_a_plain_memory_at_every_width) {
  for (unsigned bytes = 1; bytes <= 128; bytes *= 2) {
    for (unsigned seed = 1; seed <= 6; ++seed) {
      SCOPED_TRACE(testing::Message() << bytes << " bytes, seed " << seed);
      Settings settings;
      settings.shape = {.data_bytes = bytes, .id_bits = seed % 5, .address_bits = 32};
      const double share = (seed % 3) * 0.35;
      settings.manager = {.most_reads = 1 + seed * 2,
                          .most_writes = seed,
                          .stall = {share, seed, 1 + seed % 4},
                          .data_may_lead = seed % 2 == 0};
      settings.subordinate = {.most_reads = seed,
                              .most_writes = 9 - seed,
                              .stall = {0.7 - share, seed + 50, 1},
                              .interleave = seed % 2 == 1};
      Bench bench(settings, seed);
      RandomTraffic traffic(bench, settings.shape,
                            {.most_beats = seed == 3 ? 7u : 256u, .most_beat_bytes = seed == 4 ? 2u : 128u},
                            seed);
      for (const unsigned count : {1u, 8u, 40u}) traffic.round(count);
    }
  }
}

TEST(AxiModels, lite_random_traffic_equals_a_plain_memory) {
  for (const unsigned bytes : {1u, 4u, 8u, 32u}) {
    Settings settings;
    settings.shape = {.data_bytes = bytes, .lite = true};
    settings.manager.stall = {0.3, 5, 2};
    settings.subordinate.stall = {0.4, 6, 1};
    Bench bench(settings);
    RandomTraffic traffic(bench, settings.shape, {}, bytes);
    for (const unsigned count : {1u, 10u, 100u}) traffic.round(count);
  }
}

TEST(AxiModels, a_wrong_byte_in_the_memory_is_found) {
  Settings settings;
  Bench bench(settings);
  std::vector<unsigned char> data(64, 0);
  std::vector<AxiBurst> bursts;
  split({.write = false, .address = 256, .data = data.data(), .length = 64}, settings.shape, {}, bursts);
  bench.memory.bytes[300] = 1;
  for (auto& burst : bursts) bench.manager.issue(burst);
  bench.finish();
  EXPECT_EQ(std::count(data.begin(), data.end(), 0), 63);
  EXPECT_EQ(data[44], 1);
}

AxiBurst make(bool write, std::uint64_t address, unsigned beats, unsigned size, BurstKind kind,
              std::vector<unsigned char>& data) {
  AxiBurst burst;
  burst.write = write;
  burst.address = address;
  burst.beats = beats;
  burst.size = size;
  burst.kind = kind;
  burst.length = burst.full_length();
  data.resize(burst.length);
  burst.data = data.data();
  return burst;
}

TEST(AxiModels, wrap_bursts_start_in_the_middle_of_their_container) {
  Settings settings;
  settings.shape.data_bytes = 8;
  Bench bench(settings);
  for (std::size_t i = 0; i < memory_bytes; ++i) bench.memory.bytes[i] = static_cast<unsigned char>(i);
  for (unsigned size = 0; size <= 3; ++size) {
    for (const unsigned beats : {2u, 4u, 8u, 16u}) {
      const unsigned container = beats << size;
      for (unsigned start = 0; start < container; start += 1u << size) {
        std::vector<unsigned char> data;
        auto burst = make(false, 0x400 + start, beats, size, BurstKind::wrap, data);
        bench.manager.issue(burst);
        bench.finish();
        for (unsigned i = 0; i < container; ++i)
          EXPECT_EQ(data[i], static_cast<unsigned char>((start + i) % container));
      }
    }
  }
}

TEST(AxiModels, one_beat_a_cycle_without_stalls) {
  Settings settings;
  settings.latency = 0;
  for (const bool write : {true, false}) {
    Bench bench(settings);
    std::vector<std::vector<unsigned char>> data(10);
    std::vector<AxiBurst> bursts;
    for (auto& one : data) bursts.push_back(make(write, 0, 64, 3, BurstKind::incr, one));
    for (auto& burst : bursts) bench.manager.issue(burst);
    bench.finish();
    EXPECT_LE(bench.cycle, 640u + 6);
  }
}

TEST(AxiModels, single_beat_writes_run_one_a_cycle) {
  Settings settings;
  settings.latency = 0;
  Bench bench(settings);
  std::vector<std::vector<unsigned char>> data(100);
  std::vector<AxiBurst> bursts;
  for (auto& one : data) bursts.push_back(make(true, 0, 1, 3, BurstKind::incr, one));
  for (auto& burst : bursts) bench.manager.issue(burst);
  bench.finish();
  EXPECT_LE(bench.cycle, 106u);
}

TEST(AxiModels, answers_of_other_ids_overtake_and_interleave) {
  Settings settings;
  settings.shape.id_bits = 2;
  settings.latency = 60;
  settings.subordinate.interleave = true;
  Bench bench(settings, 3);
  unsigned switches = 0;
  std::uint32_t last_id = 0;
  bool within = false;
  bench.on_sample = [&] {
    const auto& r = bench.pins.r;
    if (!r.valid || !r.ready) return;
    if (within && r.id != last_id) ++switches;
    within = !r.last;
    last_id = r.id;
  };
  std::vector<std::vector<unsigned char>> data(16);
  std::vector<AxiBurst> bursts;
  for (unsigned i = 0; i < 16; ++i) {
    bursts.push_back(make(false, 256 * i, 16, 3, BurstKind::incr, data[i]));
    bursts.back().id = i % 4;
  }
  for (auto& burst : bursts) bench.manager.issue(burst);
  bench.finish();
  std::map<std::uint32_t, const AxiBurst*> latest;
  const AxiBurst* previous = nullptr;
  bool overtaken = false;
  while (auto* burst = bench.manager.take_done()) {
    EXPECT_LT(latest[burst->id], burst) << "those of one ID stay in order";
    latest[burst->id] = burst;
    overtaken |= burst < previous;
    previous = burst;
  }
  EXPECT_TRUE(overtaken);
  EXPECT_GT(switches, 10u);
}

TEST(AxiModels, reset_ends_what_was_begun_and_keeps_the_rest) {
  for (unsigned at = 1; at < 60; ++at) {
    SCOPED_TRACE(at);
    Settings settings;
    settings.manager.data_may_lead = at % 2 == 0;
    settings.manager.most_writes = 2;
    settings.manager.stall = {0.3, at, 1};
    settings.subordinate.stall = {0.3, at + 1, 1};
    Bench bench(settings);
    std::vector<std::vector<unsigned char>> data(8);
    std::vector<AxiBurst> bursts;
    for (unsigned i = 0; i < 8; ++i)
      bursts.push_back(make(i % 2 == 0, 256 * i, 4, 3, BurstKind::incr, data[i]));
    for (auto& burst : bursts) bench.manager.issue(burst);
    for (unsigned i = 0; i < at; ++i) bench.step();
    bench.pins.reset = true;
    bench.step();
    bench.step();
    bench.pins.reset = false;
    bench.finish();
    EXPECT_TRUE(bench.subordinate.idle() || !bench.memory.waiting.empty());
    unsigned done = 0;
    while (bench.manager.take_done() != nullptr) ++done;
    EXPECT_EQ(done, 8u);
    // The interface works as before.
    std::vector<unsigned char> more;
    auto burst = make(false, 0, 4, 3, BurstKind::incr, more);
    bench.manager.issue(burst);
    bench.finish();
    EXPECT_EQ(burst.response, Response::okay);
  }
}

TEST(AxiModels, an_answer_that_nobody_waits_for_is_counted) {
  AxiManager manager({});
  AxiPins pins;
  for (int i = 0; i < 2; ++i) {
    manager.drive(pins, 0);
    manager.edge(pins);
  }
  pins.r.valid = pins.r.ready = pins.b.valid = pins.b.ready = true;
  manager.edge(pins);
  EXPECT_EQ(manager.unexpected(), 2u);
}

TEST(AxiModels, shapes_outside_their_ranges_are_refused) {
  EXPECT_THROW(AxiManager({.data_bytes = 3}), std::invalid_argument);
  EXPECT_THROW(AxiManager({.data_bytes = 256}), std::invalid_argument);
  EXPECT_THROW(AxiSubordinate({.id_bits = 33}), std::invalid_argument);
  EXPECT_THROW(AxiChecker({.address_bits = 65}), std::invalid_argument);
  EXPECT_THROW(StreamReceiver({.data_bytes = 8}, {.most_bytes = 4, .stall = {}}), std::invalid_argument);
}

TEST(Split, no_burst_crosses_4_kib_and_single_words_stay_single) {
  std::vector<AxiBurst> bursts;
  std::vector<unsigned char> data(20000);
  const AxiShape shape{.data_bytes = 16};
  split({.write = true, .address = 0xff3, .data = data.data(), .length = 20000}, shape, {}, bursts);
  unsigned total = 0;
  for (const auto& burst : bursts) {
    const auto first = burst.address & ~std::uint64_t{15};
    EXPECT_EQ(first / 4096, (first + burst.beats * 16 - 1) / 4096);
    EXPECT_LE(burst.beats, 256u);
    total += burst.length;
  }
  EXPECT_EQ(total, 20000u);
  EXPECT_EQ(bursts.size(), 6u);
  for (unsigned size = 0; size <= 4; ++size) {
    bursts.clear();
    split({.write = false, .address = 0x1000 + 16 - (1u << size), .data = data.data(), .length = 1u << size},
          shape, {}, bursts);
    ASSERT_EQ(bursts.size(), 1u);
    EXPECT_EQ(bursts[0].beats, 1u);
    EXPECT_EQ(bursts[0].size, size) << "a register is read alone";
  }
}

TEST(Split, a_streaming_width_becomes_fixed_bursts) {
  std::vector<AxiBurst> bursts;
  std::vector<unsigned char> data(160);
  split({.write = true, .address = 0x104, .data = data.data(), .length = 80, .streaming_width = 4},
        {.data_bytes = 8}, {}, bursts);
  ASSERT_EQ(bursts.size(), 2u);
  EXPECT_EQ(bursts[0].kind, BurstKind::fixed);
  EXPECT_EQ(bursts[0].beats, 16u);
  EXPECT_EQ(bursts[1].beats, 4u);
  EXPECT_EQ(bursts[0].size, 2u);
}

TEST(StreamModels, packets_pass_through_stalls_with_null_and_position_bytes) {
  for (unsigned bytes = 1; bytes <= 128; bytes *= 4) {
    SCOPED_TRACE(bytes);
    const StreamShape shape{.data_bytes = bytes};
    StreamTransmitter transmitter(shape, {0.3, 2, 1});
    StreamReceiver receiver(shape, {.most_bytes = 512, .most_packets = 3, .stall = {0.5, 3, 2}});
    StreamChecker checker(shape);
    StreamPins pins(shape);
    std::mt19937 random(bytes);
    std::vector<std::vector<unsigned char>> data(50), enables(50);
    std::vector<StreamPacket> packets(50);
    for (unsigned i = 0; i < 50; ++i) {
      data[i].resize(1 + random() % 400);
      for (auto& byte : data[i]) byte = static_cast<unsigned char>(random());
      packets[i] = {.data = data[i].data(), .length = static_cast<unsigned>(data[i].size()), .dest = i};
      if (i % 3 == 0) {
        enables[i].resize(data[i].size());
        for (auto& enable : enables[i]) enable = random() % 2 == 0 ? 0xff : 0;
        packets[i].enables = enables[i].data();
        packets[i].enables_period = packets[i].length;
      }
      transmitter.send(packets[i]);
    }
    unsigned got = 0;
    for (std::uint64_t cycle = 0; cycle < 200'000 && got < 50; ++cycle) {
      transmitter.drive(pins, cycle);
      receiver.drive(pins, cycle);
      checker.sample(pins, cycle);
      transmitter.edge(pins);
      receiver.edge(pins);
      while (auto* packet = receiver.take()) {
        ASSERT_EQ(packet->length, data[got].size());
        EXPECT_EQ(packet->dest, got);
        EXPECT_TRUE(packet->last);
        for (unsigned i = 0; i < packet->length; ++i) {
          const bool sent = enables[got].empty() || enables[got][i] != 0;
          EXPECT_EQ(packet->enables == nullptr || packet->enables[i] != 0, sent);
          if (sent) {
            EXPECT_EQ(packet->data[i], data[got][i]);
          }
        }
        receiver.release(*packet);
        ++got;
      }
    }
    EXPECT_EQ(got, 50u);
    EXPECT_EQ(checker.log().total(), 0u);
  }
}

TEST(StreamModels, interleaved_streams_are_gathered_apart_and_never_lock_up) {
  const StreamShape shape{.data_bytes = 4};
  StreamReceiver receiver(shape, {.most_bytes = 64, .most_packets = 2, .stall = {}});
  StreamPins pins(shape);
  std::map<std::uint32_t, std::vector<unsigned char>> got;
  unsigned sent = 0;
  for (std::uint64_t cycle = 0; cycle < 200; ++cycle) {
    receiver.drive(pins, cycle);
    pins.valid = sent < 60;
    pins.dest = sent % 3;
    pins.last = sent >= 57;
    pins.data.fill(static_cast<unsigned char>(sent));
    const bool taken = pins.valid && pins.ready;
    receiver.edge(pins);
    if (taken) ++sent;
    while (auto* packet = receiver.take()) {
      auto& stream = got[packet->dest];
      stream.insert(stream.end(), packet->data, packet->data + packet->length);
      receiver.release(*packet);
    }
  }
  EXPECT_EQ(sent, 60u);
  for (std::uint32_t dest = 0; dest < 3; ++dest) {
    ASSERT_EQ(got[dest].size(), 80u);
    for (unsigned i = 0; i < 80; ++i) EXPECT_EQ(got[dest][i], i / 4 * 3 + dest);
  }
}

}  // namespace
