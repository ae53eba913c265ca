// SPDX-License-Identifier: Apache-2.0
// Multicast and reduction windows on a whole chip: stores of clusters and of the bus master.
#include <gmock/gmock.h>

#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "models/compiler/stream.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using models::StreamBuilder;

constexpr unsigned clusters = 9, words = 300, bytes = 4 * words;  // no multiple of a burst
constexpr std::uint32_t operand = 0x1000, place = 0x2040;         // in a scratchpad
constexpr std::uint64_t in_memory = 0x30'0000;

chip::Chip chip_with_windows(chip::Timing timing = chip::Timing::approximate,
                             chip::NocModel model = chip::NocModel::packet) {
  auto chip = small_chip(clusters);
  chip.timing = timing;
  chip.noc.model = model;
  chip.hbm.stacks = 2;
  chip.hbm.interleave = chip.clusters.dma.burst = {256};
  chip.noc.multicast = {{"everyone", {}}, {"some", {1, 2, 7}}};
  chip.noc.reduction = {{.name = "total", .clusters = {}, .target = 4},
                        {.name = "far",
                         .clusters = {0, 3, 5, 8},
                         .element = chip::Element::bf16,
                         .to_memory = true,
                         .offset = {in_memory},
                         .size = {64 << 10}}};
  return chip;
}

fr_copy store_to(std::uint64_t global, unsigned length = bytes) {
  fr_copy c{};
  c.global = global;
  c.local = operand;
  c.bytes = length;
  c.size1 = c.size2 = c.size3 = 1;
  return c;
}

std::uint64_t stream_of(unsigned cluster) { return map::hbm + cluster * 0x4000; }

StreamBuilder stores(const std::vector<std::uint64_t>& targets) {
  StreamBuilder s;
  for (const auto target : targets) s.add(FR_OP_STORE, store_to(target));
  s.add(FR_OP_END);
  return s;
}

void start(Bench& b, unsigned cluster, const StreamBuilder& stream) {
  const auto registers = map::cluster_registers(cluster);
  b.soc.write(stream_of(cluster), stream.bytes());
  b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM, stream_of(cluster));
  b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM_BYTES, stream.bytes().size());
  b.put<std::uint64_t>(registers + FR_CLUSTER_PARAMETERS, map::hbm + 0x10'0000);
  b.put(registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START);
}

void finish(Bench& b) {
  for (const auto& cluster : b.soc.clusters)
    while (cluster->running()) sc_core::wait(50, sc_core::SC_NS);
}

template <typename T>
std::vector<T> read(Soc& soc, std::uint64_t address, unsigned length = bytes) {
  std::vector<std::uint8_t> raw(length);
  soc.read(address, raw);
  std::vector<T> values(length / sizeof(T));
  std::memcpy(values.data(), raw.data(), length);
  return values;
}

/// What cluster i holds: values whose sum depends on the order of the additions.
std::vector<std::uint32_t> input(unsigned cluster) {
  std::vector<std::uint32_t> values(words);
  for (unsigned i = 0; i < words; ++i) {
    const float value = (cluster % 2 == 0 ? 1e4f : -1e4f) / static_cast<float>(1 + cluster + i);
    std::memcpy(&values[i], &value, sizeof value);
  }
  return values;
}

void load_inputs(Soc& soc) {
  for (unsigned i = 0; i < clusters; ++i) {
    const auto values = input(i);
    soc.write(map::scratchpad(i) + operand, {reinterpret_cast<const std::uint8_t*>(values.data()), bytes});
  }
}

struct Way {
  const char* name;
  chip::Timing timing;
  chip::NocModel model;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
class SocWindows : public testing::TestWithParam<Way> {
 protected:
  static chip::Chip chip() { return chip_with_windows(GetParam().timing, GetParam().model); }
};
INSTANTIATE_TEST_SUITE_P(Ways, SocWindows,
                         testing::Values(Way{"packet", chip::Timing::approximate, chip::NocModel::packet},
                                         Way{"flit", chip::Timing::approximate, chip::NocModel::flit},
                                         Way{"loose", chip::Timing::loose, chip::NocModel::packet}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST_P(SocWindows, CarryAStoreToTheScratchpadsOfAllClusters) {
  Bench bench("bench", chip(), [](Bench& b) {
    load_inputs(b.soc);
    start(b, 5, stores({map::multicast(0) + place, map::multicast(1) + 0x8000}));
    finish(b);
    EXPECT_EQ(b.soc.clusters[5]->store.transactions.value(), 2u * 5) << "each burst is sent once";
    for (unsigned i = 0; i < clusters; ++i) {
      EXPECT_EQ(read<std::uint32_t>(b.soc, map::scratchpad(i) + place), input(5)) << "cluster " << i;
      const bool member = i == 1 || i == 2 || i == 7;
      EXPECT_EQ(read<std::uint32_t>(b.soc, map::scratchpad(i) + 0x8000),
                member ? input(5) : std::vector<std::uint32_t>(words))
          << "cluster " << i;
    }
    b.put<std::uint64_t>(map::multicast(1) + 0x9000, 0x1234'5678'9abc'def0);
    for (unsigned i = 0; i < clusters; ++i)
      EXPECT_EQ(b.get<std::uint64_t>(map::scratchpad(i) + 0x9000),
                i == 1 || i == 2 || i == 7 ? 0x1234'5678'9abc'def0 : 0u);
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished) << bench.soc.describe_stall();
}

TEST_P(SocWindows, CarryAPostToAllClustersBehindTheStoresBeforeIt) {
  constexpr std::uint64_t seen = map::hbm + 0x20'0000;
  Bench bench("bench", chip(), [](Bench& b) {
    load_inputs(b.soc);
    for (const unsigned i : {1u, 2u, 7u}) {  // what is there when they are told
      StreamBuilder s;
      s.add(FR_OP_STORE_NOP, {{{3, 2}}, {}});
      auto copy = store_to(seen + i * 0x2000);
      copy.local = place;
      s.add(FR_OP_STORE, copy);
      s.add(FR_OP_END);
      start(b, i, s);
    }
    StreamBuilder s;
    s.add(FR_OP_STORE, store_to(map::multicast(1) + place));
    fr_post post{};
    post.address = map::multicast_registers(1) + FR_CLUSTER_POST;
    post.count = 1;
    post.skip = 0xffffffff;
    post.semaphore = 3;
    post.amount = 2;
    s.add(FR_OP_POST, post);
    s.add(FR_OP_END);
    start(b, 5, s);
    finish(b);
    for (const unsigned i : {1u, 2u, 7u})
      EXPECT_EQ(read<std::uint32_t>(b.soc, seen + i * 0x2000), input(5)) << "cluster " << i;
    for (unsigned i = 0; i < clusters; ++i)
      EXPECT_EQ(b.soc.clusters[i]->posts.value(), i == 1 || i == 2 || i == 7 ? 1u : 0u) << "cluster " << i;
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished) << bench.soc.describe_stall();
}

TEST_P(SocWindows, StartAllClustersByOneWrite) {
  Bench bench("bench", chip(), [](Bench& b) {
    StreamBuilder s;
    s.add(FR_OP_STORE_NOP);
    s.add(FR_OP_END);
    b.soc.write(map::hbm, s.bytes());
    const auto registers = map::multicast_registers(0);
    b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM, map::hbm);
    b.put<std::uint64_t>(registers + FR_CLUSTER_STREAM_BYTES, s.bytes().size());
    b.put<std::uint64_t>(registers + FR_CLUSTER_PARAMETERS, map::hbm + 0x10'0000);
    b.put(registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START);
    finish(b);
    for (unsigned i = 0; i < clusters; ++i) {
      EXPECT_EQ(b.get<std::uint64_t>(map::cluster_registers(i) + FR_CLUSTER_COMMANDS), 2u) << "cluster " << i;
      EXPECT_EQ(b.get<std::uint32_t>(map::cluster_registers(i) + FR_CLUSTER_ERROR), 0u) << "cluster " << i;
    }
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished) << bench.soc.describe_stall();
}

TEST_P(SocWindows, SumWhatClustersStoreIntoAScratchpadOrMemory) {
  Bench bench("bench", chip(), [](Bench& b) {
    load_inputs(b.soc);
    std::vector<std::uint16_t> halves(2 * words);
    for (unsigned i = 0; i < 2 * words; ++i) halves[i] = ip::to_bfloat(static_cast<float>(i % 60));
    for (const unsigned i : {0u, 3u, 5u, 8u})
      b.soc.write(map::scratchpad(i) + 0x6000, {reinterpret_cast<const std::uint8_t*>(halves.data()), bytes});
    for (unsigned i = 0; i < clusters; ++i) {
      StreamBuilder s;
      s.add(FR_OP_STORE, store_to(map::reduction(0) + place));
      if (i == 0 || i == 3 || i == 5 || i == 8) {
        auto far = store_to(map::reduction(1) + 0x100);
        far.local = 0x6000;
        s.add(FR_OP_STORE, far);
      }
      s.add(FR_OP_END);
      start(b, i, s);
    }
    finish(b);
    for (unsigned i = 0; i < clusters; ++i)
      EXPECT_EQ(b.get(map::cluster_registers(i) + FR_CLUSTER_STATUS), FR_CLUSTER_STATUS_DONE);
    const auto sums = read<float>(b.soc, map::scratchpad(4) + place);
    for (unsigned i = 0; i < words; ++i) {
      double sum = 0;
      for (unsigned c = 0; c < clusters; ++c) {
        float part;
        std::memcpy(&part, &input(c)[i], sizeof part);
        sum += part;
      }
      EXPECT_NEAR(sums[i], sum, 0.01) << i;  // nine roundings of numbers of up to 1e4
    }
    const auto far = read<std::uint16_t>(b.soc, map::hbm + in_memory + 0x100);
    for (unsigned i = 0; i < 2 * words; ++i)
      EXPECT_EQ(ip::from_bfloat(far[i]), static_cast<float>(4 * (i % 60))) << i;
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished) << bench.soc.describe_stall();
}

TEST(SocWindowsTogether, RoundSumsAlikeInBothTimings) {
  std::vector<std::unique_ptr<Bench>> benches;
  std::vector<std::vector<std::uint32_t>> sums;
  for (const auto timing : {chip::Timing::approximate, chip::Timing::loose})
    benches.push_back(std::make_unique<Bench>(
        sc_core::sc_gen_unique_name("bench"), chip_with_windows(timing), [&sums](Bench& b) {
          load_inputs(b.soc);
          for (unsigned i = 0; i < clusters; ++i) start(b, i, stores({map::reduction(0)}));
          finish(b);
          sums.push_back(read<std::uint32_t>(b.soc, map::scratchpad(4)));
        }));
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0], sums[1]);
}

/// Flits over all links between routers, and flits times the links that they crossed.
struct Load {
  std::uint64_t links = 0, hops = 0;
  static Load of(ip::Noc& noc) {
    Load load{0, noc.flit_hops.value()};
    for (const auto& link : noc.links())
      if (link.name.starts_with('(') && link.name.ends_with(')') &&
          link.name.find("unit") == std::string::npos)
        load.links += link.flits;
    return load;
  }
};

TEST(SocWindowsTogether, UseFewerLinksThanCopiesOneByOne) {
  Load copies, multicast;
  Bench bench("bench", chip_with_windows(), [&](Bench& b) {
    load_inputs(b.soc);
    std::vector<std::uint64_t> all;
    for (unsigned i = 0; i < clusters; ++i) all.push_back(map::scratchpad(i) + place);
    const auto cost = [&](const StreamBuilder& stream) {
      const auto before = Load::of(b.soc.noc);
      start(b, 0, stream);
      finish(b);
      const auto after = Load::of(b.soc.noc);
      return Load{after.links - before.links, after.hops - before.hops};
    };
    copies = cost(stores(all));
    EXPECT_EQ(b.soc.noc.copies.value(), 0u);
    multicast = cost(stores({map::multicast(0) + place}));
    EXPECT_GE(b.soc.noc.copies.value(), 5u * clusters) << "a packet for each member and burst";
    EXPECT_EQ(b.soc.noc.sums.value(), 0u);
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_TRUE(bench.finished);
  EXPECT_EQ(copies.links, copies.hops);
  EXPECT_EQ(multicast.links, multicast.hops);
  // A packet of 5 flits to each of 8 others on a mesh, or once over each link of a tree that spans them.
  EXPECT_LT(3 * multicast.links, 2 * copies.links);
  RecordProperty("copies", static_cast<int>(copies.links));
  RecordProperty("multicast", static_cast<int>(multicast.links));
}

TEST(SocWindowsTogether, TakeTheSameTimeWithoutData) {
  std::vector<std::unique_ptr<Bench>> benches;
  for (const auto data : {chip::Data::real, chip::Data::none}) {
    auto chip = chip_with_windows();
    chip.data = data;
    benches.push_back(std::make_unique<Bench>(sc_core::sc_gen_unique_name("bench"), chip, [](Bench& b) {
      for (unsigned i = 0; i < clusters; ++i)
        start(b, i, stores({map::reduction(0) + place, map::multicast(0) + 0x4000 + i * 0x800}));
      finish(b);
    }));
  }
  sc_core::sc_start(1, sc_core::SC_MS);
  const auto &a = benches[0]->soc.statistics(), &b = benches[1]->soc.statistics();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].value(), b[i].value()) << a[i].name;
  EXPECT_TRUE(benches[0]->finished && benches[1]->finished);
  EXPECT_GT(benches[0]->soc.noc.sums.value(), 0u);
}

TEST(SocWindowsTogether, RefuseWhatTheyAreNotFor) {
  Bench bench("bench", chip_with_windows(), [](Bench& b) {
    std::uint32_t word = 0;
    const auto answer = [&](tlm::tlm_command command, std::uint64_t address) {
      return b.access(command, address, &word, sizeof word);
    };
    EXPECT_EQ(answer(tlm::TLM_READ_COMMAND, map::multicast(0)), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(answer(tlm::TLM_READ_COMMAND, map::reduction(0)), tlm::TLM_COMMAND_ERROR_RESPONSE);
    EXPECT_EQ(answer(tlm::TLM_WRITE_COMMAND, map::reduction(0)), tlm::TLM_COMMAND_ERROR_RESPONSE)
        << "the bus master is no member";
    EXPECT_EQ(answer(tlm::TLM_WRITE_COMMAND, map::multicast(0) + (64 << 10)),
              tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(answer(tlm::TLM_WRITE_COMMAND, map::multicast(2)), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    start(b, 1, stores({map::reduction(1) + 0x40}));
    finish(b);
    EXPECT_EQ(b.get(map::cluster_registers(1) + FR_CLUSTER_ERROR), FR_ERROR_BUS);
    EXPECT_EQ(b.get<std::uint64_t>(map::cluster_registers(1) + FR_CLUSTER_ERROR_ADDRESS),
              map::reduction(1) + 0x40)
        << "cluster 1 is no member";
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
}

TEST(SocWindowsTogether, BeginAfreshAfterAReset) {
  Bench bench("bench", chip_with_windows(), [](Bench& b) {
    load_inputs(b.soc);
    for (const unsigned i : {0u, 3u, 8u}) start(b, i, stores({map::reduction(0) + place}));
    sc_core::wait(5, sc_core::SC_US);
    EXPECT_TRUE(b.soc.clusters[3]->running()) << "six contributions are missing";
    EXPECT_THAT(b.soc.describe_stall(), testing::HasSubstr("contributions to address 0x6000002040"));
    b.put(map::sysctl + FR_SYSCTL_RESET, 1);
    sc_core::wait(5, sc_core::SC_US);
    EXPECT_EQ(b.soc.describe_stall(), "");
    std::vector<std::uint32_t> ones(words, 0x3f80'0000);
    for (unsigned i = 0; i < clusters; ++i)
      b.soc.write(map::scratchpad(i) + operand, {reinterpret_cast<const std::uint8_t*>(ones.data()), bytes});
    for (unsigned i = 0; i < clusters; ++i) start(b, i, stores({map::reduction(0) + place}));
    finish(b);
    EXPECT_EQ(read<float>(b.soc, map::scratchpad(4) + place), std::vector<float>(words, clusters));
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished) << bench.soc.describe_stall();
}

}  // namespace
}  // namespace forerun::soc
