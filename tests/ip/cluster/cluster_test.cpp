// SPDX-License-Identifier: Apache-2.0
// A cluster, a mesh and a stack of HBM: streams run from memory, registers are driven over the mesh.
#include "ip/cluster/cluster.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "ip/hbm/hbm_stack.hpp"
#include "ip/noc/noc.hpp"
#include "models/compiler/stream.hpp"

using namespace forerun;
using namespace forerun::ip;
using forerun::models::StreamBuilder;

namespace {

constexpr std::uint64_t hbm_base = 0x100'0000'0000, cluster_base = 0x2000'0000, parameters_at = hbm_base + 0x1000;
constexpr std::uint64_t stream_at = hbm_base + 0x10000, data_at = hbm_base + 0x100000;

hbm::Parameters hbm_parameters(Timing timing) {
  hbm::Parameters p;
  p.timing = timing;
  p.channels = 4;
  p.ports = 4;
  p.rows = 1024;
  return p;
}

ClusterParameters cluster_parameters(Timing timing, bool data, Time post_overhead) {
  ClusterParameters p;
  p.scratchpad.size = {1 << 20};
  p.scratchpad.timing = p.dma.timing = p.command.timing = timing;
  p.dma.data = p.tensor.data = p.vector.data = data;
  p.dma.post_overhead = post_overhead;
  p.tensor.rows = p.tensor.columns = 16;
  return p;
}

/// One chip of one cluster, and a host that pokes it.
struct Bench : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Bench> host{"host"};
  hbm::Parameters memory_parameters;
  SparseMemory store;
  HbmStack memory;
  Noc noc;
  Cluster cluster;
  StreamBuilder stream;
  std::array<std::int64_t, FR_PARAMETERS> parameters{};
  std::int64_t ended = 0;
  std::uint64_t stream_begins = stream_at;

  explicit Bench(const sc_core::sc_module_name& name, Timing timing = Timing::approximate, bool data = true,
                 Time post_overhead = {})
      : sc_module(name),
        memory_parameters(hbm_parameters(timing)),
        store(memory_parameters.capacity()),
        memory("memory", memory_parameters, store),
        noc("noc", [&] { NocParameters p; p.timing = timing; p.columns = 3; p.rows = 2; return p; }()),
        cluster("cluster", cluster_parameters(timing, data, post_overhead)) {
    std::vector<const Noc::Target*> ports;
    for (unsigned i = 0; i < 4; ++i) {
      auto& target = noc.add_target("memory" + std::to_string(i), i < 2 ? 0 : 2, i % 2);
      target.bind(memory.port[i]);
      ports.push_back(&target);
    }
    noc.map_interleaved(hbm_base, store.size(), 256, ports);
    auto& registers = noc.add_target("cluster", 1, 0);
    registers.bind(cluster.target);
    noc.map(cluster_base, 0x1000, registers);
    cluster.mux.out.bind(noc.add_initiator("cluster", 1, 0));
    host.bind(noc.add_initiator("host", 1, 1));
    sc_core::sc_spawn([this] { run(); }, sc_core::sc_gen_unique_name("host"));
  }

  void poke(std::uint64_t address, std::uint64_t value, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(cluster_base + address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    auto delay = sc_core::SC_ZERO_TIME;
    host->b_transport(payload, delay);
    sc_core::wait(delay);
    EXPECT_TRUE(payload.is_response_ok()) << "register " << address;
  }
  std::uint64_t peek(std::uint32_t address, unsigned bytes) {
    std::uint64_t value = 0;
    tlm::tlm_generic_payload payload;
    payload.set_read();
    payload.set_address(cluster_base + address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    EXPECT_EQ(host->transport_dbg(payload), bytes);
    return value;
  }
  void run() {
    store.write(parameters_at - hbm_base, parameters.data(), sizeof parameters);
    store.write(stream_begins - hbm_base, stream.bytes().data(), stream.bytes().size());
    poke(FR_CLUSTER_STREAM, stream_begins, 8);
    poke(FR_CLUSTER_STREAM_BYTES, stream.bytes().size(), 8);
    poke(FR_CLUSTER_PARAMETERS, parameters_at, 8);
    poke(FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START, 4);
    while (cluster.running()) sc_core::wait(100, sc_core::SC_NS);
    ended = static_cast<std::int64_t>(peek(FR_CLUSTER_CYCLES, 8));
  }
  template <typename T>
  std::vector<T> read(std::uint64_t address, std::size_t count) {
    std::vector<T> values(count);
    store.read(address - hbm_base, values.data(), count * sizeof(T));
    return values;
  }
  template <typename T>
  void write(std::uint64_t address, const std::vector<T>& values) {
    store.write(address - hbm_base, values.data(), values.size() * sizeof(T));
  }
};

fr_copy copy(std::uint64_t global, std::uint32_t local, std::uint32_t bytes) {
  fr_copy c{};
  c.global = global;
  c.local = local;
  c.bytes = bytes;
  c.size1 = c.size2 = c.size3 = 1;
  return c;
}

/// Loads A and B, multiplies, adds a bias of 1 and stores: a little of every engine.
void add_work(Bench& bench, unsigned m, unsigned n, unsigned k) {
  auto& s = bench.stream;
  s.add(FR_OP_LOAD, copy(data_at, 0, m * k * 4), {{}, {{0, 1}}});
  s.add(FR_OP_LOAD, copy(data_at + 0x10000, 0x10000, n * k * 4), {{}, {{0, 1}}});
  fr_matmul multiply{};
  multiply.b = 0x10000;
  multiply.c = 0x20000;
  multiply.a_stride = static_cast<std::int32_t>(k * 4);
  multiply.b_stride = multiply.c_stride = static_cast<std::int32_t>(n * 4);
  multiply.m = m, multiply.n = n, multiply.k = k;
  s.add(FR_OP_MATMUL, multiply, {{{0, 2}}, {{1, 1}}});
  fr_vector bias{};
  bias.op = FR_VECTOR_AFFINE;
  bias.rows = m, bias.cols = n;
  bias.a = 0x20000, bias.d = 0x30000;
  bias.a_stride = bias.d_stride = static_cast<std::int32_t>(n * 4);
  bias.arg0 = bias.arg1 = 0x3f800000;
  s.add(FR_OP_VECTOR, bias, {{{1, 1}}, {{2, 1}}});
  s.add(FR_OP_STORE, copy(data_at + 0x20000, 0x30000, m * n * 4), {{{2, 1}}, {}});
  s.add(FR_OP_END);
}

std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (auto& v : values) v = static_cast<float>(static_cast<int>(random() % 17)) - 8;
  return values;
}

TEST(Cluster, RunsAStreamOfEveryEngine) {
  Bench bench("bench");
  const unsigned m = 5, n = 40, k = 70;
  const auto a = random_floats(m * k, 1), b = random_floats(k * n, 2);
  bench.write(data_at, a);
  bench.write(data_at + 0x10000, b);
  add_work(bench, m, n, k);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE) << bench.cluster.describe_stall();
  const auto c = bench.read<float>(data_at + 0x20000, m * n);
  for (unsigned i = 0; i < m; ++i)
    for (unsigned j = 0; j < n; ++j) {
      double sum = 1;
      for (unsigned x = 0; x < k; ++x) sum += static_cast<double>(a[i * k + x]) * static_cast<double>(b[x * n + j]);
      ASSERT_EQ(static_cast<double>(c[i * n + j]), sum) << "row " << i << " column " << j;  // small integers: exact
    }
  EXPECT_EQ(bench.cluster.tensor.macs.value(), m * n * k);
}

TEST(Cluster, QuantisesAndMultipliesMicroscalingBlocks) {
  // A and B (stored as columns) are loaded, quantised to MXFP4 with their scales, and multiplied in a loop
  // over rows of A that patches the addresses of elements and scales.
  Bench bench("bench");
  const unsigned m = 4, n = 8, k = 64, groups = k / 32;
  std::vector<float> a(m * k), b(n * k);
  for (unsigned i = 0; i < a.size(); ++i)
    a[i] = i % k < 32 ? static_cast<float>(i % 4) : static_cast<float>(i % 3) * 64;
  for (unsigned i = 0; i < b.size(); ++i)
    b[i] = i % k < 32 ? static_cast<float>(i % 3) : static_cast<float>(i % 4) / 8;
  bench.write(data_at, a);
  bench.write(data_at + 0x10000, b);
  bench.parameters[1] = m;
  auto& s = bench.stream;
  s.add(FR_OP_LOAD, copy(data_at, 0, m * k * 4), {{}, {{0, 1}}});
  s.add(FR_OP_LOAD, copy(data_at + 0x10000, 0x10000, n * k * 4), {{}, {{0, 1}}});
  fr_vector quantise{};
  quantise.op = FR_VECTOR_QUANTIZE_MX, quantise.d_type = FR_TYPE_F4E2M1;
  quantise.rows = m, quantise.cols = k;
  quantise.a_stride = k * 4, quantise.c_stride = groups, quantise.d_stride = k / 2;
  quantise.c = 0x20000, quantise.d = 0x30000;
  s.add(FR_OP_VECTOR, quantise, {{{0, 2}}, {}});
  quantise.rows = n, quantise.a = 0x10000, quantise.c = 0x21000, quantise.d = 0x31000;
  s.add(FR_OP_VECTOR, quantise, {{}, {{1, m}}});
  fr_matmul_scaled multiply{};
  multiply.a = 0x30000, multiply.b = 0x31000, multiply.c = 0x40000;
  multiply.b_stride = k / 2, multiply.c_stride = n * 4;
  multiply.m = 1, multiply.n = n, multiply.k = k, multiply.group = 32;
  multiply.a_type = multiply.b_type = FR_TYPE_F4E2M1, multiply.flags = FR_MATMUL_B_TRANSPOSED;
  multiply.a_scale = 0x20000, multiply.b_scale = 0x21000, multiply.b_scale_stride = groups;
  multiply.a_scale_type = multiply.b_scale_type = FR_TYPE_E8M0, multiply.b_zero_type = FR_NO_TYPE;
  s.begin_loop(16, 0, {FR_PATCH(fr_loop, count, 1, 1)});
  s.add(FR_OP_MATMUL_SCALED, multiply, {{{1, 1}}, {{2, 1}}},
        {FR_PATCH(fr_matmul_scaled, a, 16, k / 2), FR_PATCH(fr_matmul_scaled, a_scale, 16, groups),
         FR_PATCH(fr_matmul_scaled, c, 16, n * 4)});
  s.end_loop();
  s.add(FR_OP_STORE, copy(data_at + 0x20000, 0x40000, m * n * 4), {{{2, m}}, {}});
  s.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE) << bench.cluster.describe_stall();
  const auto c = bench.read<float>(data_at + 0x20000, m * n);
  for (unsigned i = 0; i < m; ++i)
    for (unsigned j = 0; j < n; ++j) {
      double sum = 0;
      for (unsigned x = 0; x < k; ++x)
        sum += static_cast<double>(a[i * k + x]) * static_cast<double>(b[j * k + x]);
      EXPECT_EQ(static_cast<double>(c[i * n + j]), sum)
          << "row " << i << " column " << j;  // all values are MXFP4's
    }
  EXPECT_EQ(bench.cluster.tensor.macs.value(), m * n * k);
}

TEST(Cluster, TimeDoesNotDependOnTheDataMode) {
  Bench real("real"), none("none", Timing::approximate, false);
  for (auto* bench : {&real, &none}) {
    bench->write(data_at, random_floats(8 * 64, 3));
    add_work(*bench, 8, 64, 64);
  }
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_GT(real.ended, 0);
  EXPECT_EQ(real.ended, none.ended);
}

TEST(Cluster, ACopyBeginsWhileTheOneBeforeComesBack) {
  Bench one("one"), apart("apart");
  for (auto* bench : {&one, &apart})
    for (unsigned i = 0; i < 8; ++i) {
      bench->stream.add(FR_OP_LOAD, copy(data_at + i * 512, i * 512, 512));
      if (bench == &apart) bench->stream.add(FR_OP_LOAD_NOP);
    }
  for (auto* bench : {&one, &apart}) bench->stream.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(one.cluster.load.bytes_moved.value(), 8 * 512u);
  EXPECT_LT(one.ended * 3, apart.ended * 2) << "commands that only wait come after the end of what is before them";
  EXPECT_LE(one.cluster.load.busy_time.value(), static_cast<std::uint64_t>(one.ended) * 800)
      << "no time counts for two commands";
}

TEST(Cluster, CopiesThatOverlapEndInOrder) {
  Bench bench("bench");
  std::vector<std::uint32_t> values(4096);
  for (std::uint32_t i = 0; i < values.size(); ++i) values[i] = i * 7 + 1;
  bench.write(data_at, values);
  bench.stream.add(FR_OP_LOAD, copy(data_at, 0, 16384));
  bench.stream.add(FR_OP_LOAD, copy(data_at, 0x8000, 4), {{}, {{0, 1}}});
  bench.stream.add(FR_OP_STORE, copy(data_at + 0x20000, 0, 16384), {{{0, 1}}, {}});
  bench.stream.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.read<std::uint32_t>(data_at + 0x20000, values.size()), values);
}

TEST(Cluster, AnErrorOfACopyComesAfterTheCopiesBeforeIt) {
  Bench bench("bench");
  bench.stream.add(FR_OP_LOAD, copy(data_at, 0, 4096));
  const auto bad = bench.stream.bytes().size();
  bench.stream.add(FR_OP_LOAD, copy(data_at, 1 << 20, 4));
  bench.stream.add(FR_OP_LOAD, copy(data_at, 0, 4096));
  bench.stream.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peek(FR_CLUSTER_ERROR, 4), std::uint64_t{FR_ERROR_LOCAL_RANGE});
  EXPECT_EQ(bench.peek(FR_CLUSTER_ERROR_COMMAND, 8), bad);
  EXPECT_EQ(bench.cluster.load.bytes_moved.value(), 4096u);
}

TEST(Cluster, LooseTimingMovesTheSameData) {
  Bench loose("loose", Timing::loose), approximate("approximate");
  for (auto* bench : {&loose, &approximate}) {
    bench->write(data_at, random_floats(4 * 32, 5));
    bench->write(data_at + 0x10000, random_floats(32 * 48, 6));
    add_work(*bench, 4, 48, 32);
  }
  sc_core::sc_start(1, sc_core::SC_MS);
  const auto c = loose.read<float>(data_at + 0x20000, 4 * 48);
  EXPECT_EQ(c, approximate.read<float>(data_at + 0x20000, 4 * 48));
  EXPECT_NE(c, std::vector<float>(4 * 48, 0.0F));
}

TEST(Cluster, LoopsScalarsAndPatchesFollowTheParameters) {
  Bench bench("bench");
  bench.parameters[1] = 5;  // rows to copy
  std::vector<std::uint32_t> rows(5 * 16);
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
  bench.write(data_at, rows);
  auto& s = bench.stream;
  s.begin_loop(16, 0, {FR_PATCH(fr_loop, count, 1, 1)});
  s.scalar(FR_SCALAR_SUB, 17, 1, 16, 1);   // r17 = r1 - (r16 + 1): the rows in reverse
  s.add(FR_OP_LOAD, copy(data_at, 0, 64), {{}, {{3, 1}}}, {FR_PATCH(fr_copy, global, 16, 64), FR_PATCH(fr_copy, local, 16, 64)});
  s.add(FR_OP_STORE, copy(data_at + 0x1000, 0, 64), {{{3, 1}}, {}},
        {FR_PATCH(fr_copy, global, 17, 64), FR_PATCH(fr_copy, local, 16, 64)});
  s.end_loop();
  s.begin_loop(18, 0);  // no iteration: the bad command inside is skipped
  s.add(0x77);
  s.end_loop();
  s.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE);
  const auto back = bench.read<std::uint32_t>(data_at + 0x1000, 5 * 16);
  for (std::uint32_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], (4 - i / 16) * 16 + i % 16);
}

TEST(Cluster, GatherTakesTheRowsThatTheIndicesName) {
  Bench bench("bench");
  std::vector<std::uint32_t> table(100 * 32);
  for (std::uint32_t i = 0; i < table.size(); ++i) table[i] = i;
  bench.write(data_at, table);
  const std::vector<std::uint32_t> indices = {99, 0, 42, 42, 7};
  bench.write(data_at + 0x10000, indices);
  fr_gather gather{};
  gather.table = data_at;
  gather.indices = data_at + 0x10000;
  gather.table_stride = 128;
  gather.limit = 100;
  gather.count = 5;
  gather.bytes = 128;
  gather.local_stride = 128;
  bench.stream.add(FR_OP_GATHER, gather, {{}, {{0, 1}}});
  bench.stream.add(FR_OP_STORE, copy(data_at + 0x20000, 0, 5 * 128), {{{0, 1}}, {}});
  bench.stream.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  const auto rows = bench.read<std::uint32_t>(data_at + 0x20000, 5 * 32);
  for (std::uint32_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], indices[i / 32] * 32 + i % 32) << i;
}

TEST(Cluster, StridedCopiesInFourDimensions) {
  Bench bench("bench");
  std::vector<unsigned char> source(1 << 16);
  std::mt19937 random(9);
  for (auto& byte : source) byte = static_cast<unsigned char>(random());
  bench.write(data_at, source);
  auto in = copy(data_at + 5000, 60000, 24);
  in.size1 = 3, in.size2 = 4, in.size3 = 2;
  in.global_stride1 = 300, in.global_stride2 = -40, in.global_stride3 = 7000;
  in.local_stride1 = 24, in.local_stride2 = 100, in.local_stride3 = -5000;
  bench.stream.add(FR_OP_LOAD, in, {{}, {{0, 1}}});
  bench.stream.add(FR_OP_STORE, copy(data_at + 0x20000, 0, 1 << 16), {{{0, 1}}, {}});
  bench.stream.add(FR_OP_END);
  std::vector<unsigned char> expected(1 << 16);
  for (int z = 0; z < 2; ++z)
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 3; ++x)
        for (int b = 0; b < 24; ++b)
          expected[static_cast<std::size_t>(60000 + b + x * 24 + y * 100 - z * 5000)] =
              source[static_cast<std::size_t>(5000 + b + x * 300 - y * 40 + z * 7000)];
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.read<unsigned char>(data_at + 0x20000, 1 << 16), expected);
}

/// Runs that follow one another in memory alone go in long bursts, and come to their places all the same.
struct ScatteredRuns {
  std::uint32_t bytes, runs;
  std::int32_t stride;    ///< in the scratchpad
  std::uint32_t repeats;  ///< of all of them, 5000 bytes on in memory
  std::int32_t repeat_stride;
  std::uint32_t at = 30000;  ///< in the scratchpad
};
class ScatteredCopies : public testing::TestWithParam<ScatteredRuns> {};
TEST_P(ScatteredCopies, MoveTheBytesOfEachRun) {
  const auto& p = GetParam();
  Bench bench("bench");
  std::vector<unsigned char> source(1 << 16), other(1 << 16);
  std::mt19937 random(10);
  for (auto* bytes : {&source, &other})
    for (auto& byte : *bytes) byte = static_cast<unsigned char>(random());
  bench.write(data_at, source);
  bench.write(data_at + 0x10000, other);
  auto c = copy(data_at + 4099, p.at, p.bytes);
  c.size1 = p.runs, c.size2 = p.repeats;
  c.global_stride1 = p.bytes, c.global_stride2 = 5000;
  c.local_stride1 = p.stride, c.local_stride2 = p.repeat_stride;
  auto back = c;
  back.global += 0x30000;
  auto& s = bench.stream;
  s.add(FR_OP_LOAD, copy(data_at + 0x10000, 0, 1 << 16), {{}, {{0, 1}}});
  s.add(FR_OP_LOAD_NOP);
  s.add(FR_OP_LOAD, c, {{}, {{0, 1}}});
  s.add(FR_OP_STORE, copy(data_at + 0x20000, 0, 1 << 16), {{{0, 2}}, {}});
  s.add(FR_OP_STORE, back);
  s.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE);
  auto expected = other;
  const auto local_of = [&](std::uint32_t y, std::uint32_t x, std::uint32_t b) {
    return static_cast<std::size_t>(std::int64_t{p.at} + b + std::int64_t{x} * p.stride + std::int64_t{y} * p.repeat_stride);
  };
  for (std::uint32_t y = 0; y < p.repeats; ++y)
    for (std::uint32_t x = 0; x < p.runs; ++x)
      for (std::uint32_t b = 0; b < p.bytes; ++b) expected[local_of(y, x, b)] = source[4099 + b + x * p.bytes + y * 5000];
  EXPECT_EQ(bench.read<unsigned char>(data_at + 0x20000, 1 << 16), expected);
  const auto stored = bench.read<unsigned char>(data_at + 0x30000, 1 << 15);
  for (std::uint32_t y = 0; y < p.repeats; ++y)
    for (std::uint32_t x = 0; x < p.runs; ++x)
      for (std::uint32_t b = 0; b < p.bytes; ++b)
        ASSERT_EQ(stored[4099 + b + x * p.bytes + y * 5000], expected[local_of(y, x, b)]) << y << " " << x << " " << b;
}
INSTANTIATE_TEST_SUITE_P(Strides, ScatteredCopies,
                         testing::Values(ScatteredRuns{24, 40, 100, 3, 6000}, ScatteredRuns{24, 40, -40, 3, 6000},
                                         ScatteredRuns{300, 9, 310, 1, 0}, ScatteredRuns{700, 7, 1024, 2, -9000},
                                         ScatteredRuns{1, 500, 3, 4, 2000}));

void add_read(StreamBuilder& s, std::uint64_t address, std::uint32_t rd, std::uint32_t count) {
  fr_read read{};
  read.address = address;
  read.rd = rd;
  read.count = count;
  s.add(FR_OP_READ, read);
  s.add(FR_OP_END);
}

struct BadCommand {
  const char* what;
  std::uint32_t error;
  void (*add)(StreamBuilder&);
};
class ClusterErrors : public testing::TestWithParam<BadCommand> {};

TEST_P(ClusterErrors, StopTheClusterAndSayWhy) {
  Bench bench("bench");
  GetParam().add(bench.stream);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_ERROR) << GetParam().what;
  EXPECT_EQ(bench.peek(FR_CLUSTER_ERROR, 4), GetParam().error) << GetParam().what;
}

const BadCommand bad_commands[] = {
    {"unknown opcode", FR_ERROR_OPCODE, [](StreamBuilder& s) { s.add(0x77); }},
    {"no END", FR_ERROR_STREAM_END, [](StreamBuilder& s) { s.add(FR_OP_SYNC); }},
    {"ENDLOOP alone", FR_ERROR_LOOP, [](StreamBuilder& s) { s.add(FR_OP_ENDLOOP); }},
    {"division by zero", FR_ERROR_DIVIDE, [](StreamBuilder& s) { s.scalar(FR_SCALAR_DIV, 20, 255, 255, 0); }},
    {"semaphore number", FR_ERROR_SEMAPHORE, [](StreamBuilder& s) { s.add(FR_OP_LOAD_NOP, {{{200, 1}}, {}}); }},
    {"DMA to nowhere", FR_ERROR_BUS,
     [](StreamBuilder& s) {
       s.add(FR_OP_LOAD, copy(0x5000'0000, 0, 64));
       s.add(FR_OP_END);
     }},
    {"beyond the scratchpad", FR_ERROR_LOCAL_RANGE,
     [](StreamBuilder& s) {
       s.add(FR_OP_LOAD, copy(data_at, (1 << 20) - 8, 64));
       s.add(FR_OP_END);
     }},
    {"unknown vector operation", FR_ERROR_COMMAND,
     [](StreamBuilder& s) {
       fr_vector v{};
       v.op = 0xee;
       s.add(FR_OP_VECTOR, v);
       s.add(FR_OP_END);
     }},
    {"READ into parameters", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at, 3, 1); }},
    {"READ of no register", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at, ~0u, 1); }},
    {"READ beyond the registers", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at, FR_REGISTERS - 1, 2); }},
    {"READ of nothing", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at, 20, 0); }},
    {"READ between words", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at + 4, 20, 1); }},
    {"READ across a line", FR_ERROR_COMMAND, [](StreamBuilder& s) { add_read(s, data_at + 0xf8, 20, 2); }},
    {"READ from nowhere", FR_ERROR_FETCH, [](StreamBuilder& s) { add_read(s, 0x5000'0000, 20, 1); }},
    {"gather index", FR_ERROR_INDEX,
     [](StreamBuilder& s) {
       fr_gather g{};
       g.table = data_at;
       g.indices = stream_at;
       g.limit = 1;
       g.count = 4;
       g.bytes = 4;
       g.local_stride = 4;
       s.add(FR_OP_GATHER, g);
       s.add(FR_OP_END);
     }},
};
void PrintTo(const BadCommand& command, std::ostream* out) { *out << command.what; }

INSTANTIATE_TEST_SUITE_P(All, ClusterErrors, testing::ValuesIn(bad_commands), [](const auto& bad) {
  return "Error" + std::to_string(bad.param.error) + "Case" + std::to_string(bad.index);
});

/// Where to copy from, and how much, is in memory.
void read_registers(Timing timing) {
  Bench bench("bench", timing);
  bench.write(data_at, std::vector<std::int64_t>{0x300, 24, 0x310, 8});
  std::vector<std::uint32_t> values(32);
  std::iota(values.begin(), values.end(), 100u);
  bench.write(data_at + 0x300, values);
  auto& s = bench.stream;
  s.begin_loop(16, 2);
  fr_read read{};
  read.address = data_at;
  read.rd = 40;
  read.count = 2;
  s.add(FR_OP_READ, read, {}, {FR_PATCH(fr_read, address, 16, 16)});
  s.add(FR_OP_LOAD, copy(data_at, 0, 0), {{}, {{0, 1}}},
        {FR_PATCH(fr_copy, global, 40, 1), FR_PATCH(fr_copy, bytes, 41, 1), FR_PATCH(fr_copy, local, 16, 64)});
  s.add(FR_OP_STORE, copy(data_at + 0x1000, 0, 24), {{{0, 1}}, {}},
        {FR_PATCH(fr_copy, global, 16, 64), FR_PATCH(fr_copy, local, 16, 64)});
  s.end_loop();
  s.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE);
  EXPECT_EQ(bench.read<std::uint32_t>(data_at + 0x1000, 6),
            (std::vector<std::uint32_t>{100, 101, 102, 103, 104, 105}));
  EXPECT_EQ(bench.read<std::uint32_t>(data_at + 0x1040, 3), (std::vector<std::uint32_t>{104, 105, 0}));
}
TEST(Cluster, ReadsRegisters) { read_registers(Timing::approximate); }
TEST(Cluster, ReadsRegistersInLooseTiming) { read_registers(Timing::loose); }

/// What is read is written by a command before: without the wait the old bytes count.
void read_what_was_written(Timing timing) {
  Bench bench("bench", timing);
  bench.write(data_at, std::vector<std::int64_t>{4, 12});
  bench.write(data_at + 0x300, std::vector<std::uint32_t>{7, 8, 9});
  auto& s = bench.stream;
  s.add(FR_OP_LOAD, copy(data_at + 8, 0, 8), {{}, {{0, 1}}});
  s.add(FR_OP_LOAD, copy(data_at + 0x300, 64, 12));
  s.add(FR_OP_STORE, copy(data_at, 0, 8), {{{0, 1}}, {{1, 1}}});
  fr_read read{};
  read.address = data_at;
  read.rd = 40;
  read.count = 1;
  s.add(FR_OP_READ, read, {{{1, 1}}, {}});
  s.add(FR_OP_STORE, copy(data_at + 0x1000, 64, 0), {}, {FR_PATCH(fr_copy, bytes, 40, 1)});
  s.add(FR_OP_END);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE);
  EXPECT_EQ(bench.read<std::uint32_t>(data_at + 0x1000, 3), (std::vector<std::uint32_t>{7, 8, 9}));
}
TEST(Cluster, ReadsWhatWasWritten) { read_what_was_written(Timing::approximate); }
TEST(Cluster, ReadsWhatWasWrittenInLooseTiming) { read_what_was_written(Timing::loose); }

TEST(Cluster, NamesAReadThatWaits) {
  Bench bench("bench");
  fr_read read{};
  read.address = data_at;
  read.rd = 40;
  read.count = 1;
  bench.stream.add(FR_OP_READ, read, {{{1, 1}}, {}});
  bench.stream.add(FR_OP_END);
  sc_core::sc_start(100, sc_core::SC_US);
  ASSERT_TRUE(bench.cluster.running());
  EXPECT_NE(bench.cluster.describe_stall().find("which waits for a semaphore"), std::string::npos)
      << bench.cluster.describe_stall();
}

TEST(Cluster, NamesWhatItWaitsFor) {
  Bench bench("bench");
  bench.stream.add(FR_OP_TENSOR_NOP, {{{9, 3}}, {}});
  bench.stream.add(FR_OP_END);
  sc_core::sc_start(100, sc_core::SC_US);
  ASSERT_TRUE(bench.cluster.running());
  EXPECT_NE(bench.cluster.describe_stall().find("tensor waits for semaphore 9 (holds 0, wants 3)"), std::string::npos)
      << bench.cluster.describe_stall();
}

}  // namespace

TEST(Cluster, RunsAStreamThatBeginsAnywhere) {
  Bench bench("bench");
  bench.stream_begins = stream_at + 0xf8;  // its first command crosses into the next interleaved piece
  add_work(bench, 4, 8, 16);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peek(FR_CLUSTER_STATUS, 4), FR_CLUSTER_STATUS_DONE);
}

TEST(Cluster, PostsCostTheirOverhead) {
  Bench plain("plain"), slow("slow", Timing::approximate, true, {4'000'000});
  for (auto* bench : {&plain, &slow}) {
    fr_post post{};
    post.address = cluster_base + FR_CLUSTER_POST;
    post.count = 1;
    post.skip = 0xffffffff;
    post.semaphore = 5;
    post.amount = 1;
    bench->stream.add(FR_OP_POST, post);
    bench->stream.add(FR_OP_LOAD_NOP, {{{5, 1}}, {}});
    bench->stream.add(FR_OP_END);
  }
  sc_core::sc_start(100, sc_core::SC_US);
  EXPECT_EQ(slow.cluster.posts.value(), 1u);
  EXPECT_GT(plain.ended, 0);
  EXPECT_EQ(slow.ended, plain.ended + 5000);  // 4 us at 1.25 GHz
}
