// SPDX-License-Identifier: Apache-2.0
// Whole devices joined by links, whose clusters run all-gather, reduce-scatter and all-reduce by streams.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "ip/link/link.hpp"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

using namespace forerun;
using models::StreamBuilder;
namespace map = chip::address_map;

namespace {

constexpr std::uint64_t parameters_at = map::hbm, streams_at = map::hbm + 0x10000,
                        source_at = map::hbm + 0x100000, result_at = map::hbm + 0x200000,
                        buffer_at = map::hbm + 0x300000;
constexpr unsigned clusters = 2;

struct Shape {
  chip::LinkTopology topology = chip::LinkTopology::ring;
  unsigned devices = 3;
  chip::Timing timing = chip::Timing::approximate;
};

chip::Chip chip_of(const Shape& shape) {
  chip::Chip chip;
  chip.devices = shape.devices;
  chip.link.topology = shape.topology;
  chip.timing = shape.timing;
  chip.clusters.count = clusters;
  chip.hbm.channels = chip.hbm.ports = 4;
  return chip;
}

struct System : sc_core::sc_module {
  chip::Chip chip;
  std::vector<std::unique_ptr<soc::Soc>> devices;
  ip::LinkNetwork link;
  std::vector<std::unique_ptr<tlm_utils::simple_initiator_socket<System>>> masters;
  std::vector<std::vector<StreamBuilder>> streams;

  explicit System(const Shape& shape)
      : sc_module("system"), chip(chip_of(shape)), link("link", soc::link_parameters(chip, false)) {
    for (unsigned d = 0; d < chip.devices; ++d) {
      devices.push_back(std::make_unique<soc::Soc>(("chip" + std::to_string(d)).c_str(), chip,
                                                   soc::SocOptions{.with_cpu = false, .device = d}));
      devices[d]->to_link->bind(link.in[d]);
      link.out[d].bind(*devices[d]->from_link);
      masters.push_back(std::make_unique<tlm_utils::simple_initiator_socket<System>>(
          ("master" + std::to_string(d)).c_str()));
      masters[d]->bind(devices[d]->bus.socket);
    }
    streams.resize(chip.devices, std::vector<StreamBuilder>(clusters));
  }
  void poke(unsigned device, std::uint64_t address, std::uint64_t value, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    auto delay = sc_core::SC_ZERO_TIME;
    (*masters[device])->b_transport(payload, delay);
    sc_core::wait(delay);
    ASSERT_TRUE(payload.is_response_ok()) << address;
  }
  void run(unsigned device) {
    for (unsigned c = 0; c < clusters; ++c) {
      const auto& bytes = streams[device][c].bytes();
      const auto at = streams_at + c * 0x1000, registers = map::cluster_registers(c);
      devices[device]->write(at, bytes);
      poke(device, registers + FR_CLUSTER_STREAM, at, 8);
      poke(device, registers + FR_CLUSTER_STREAM_BYTES, bytes.size(), 8);
      poke(device, registers + FR_CLUSTER_PARAMETERS, parameters_at, 8);
      poke(device, registers + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START, 4);
    }
    for (auto& cluster : devices[device]->clusters)
      while (cluster->running()) sc_core::wait(100, sc_core::SC_NS);
  }
  void simulate() {
    for (unsigned d = 0; d < chip.devices; ++d)
      sc_core::sc_spawn([this, d] { run(d); }, sc_core::sc_gen_unique_name("host"));
    sc_core::sc_start();
  }
  std::vector<float> get(unsigned device, std::uint64_t address, std::size_t count) {
    std::vector<float> values(count);
    devices[device]->read(address, {reinterpret_cast<std::uint8_t*>(values.data()), count * 4});
    return values;
  }
  std::uint32_t error(unsigned device, unsigned cluster) {
    std::uint32_t value = 0;
    devices[device]->read(map::cluster_registers(cluster) + FR_CLUSTER_ERROR,
                          {reinterpret_cast<std::uint8_t*>(&value), 4});
    return value;
  }
};

constexpr std::uint32_t rows = 3, columns = 100;  // of a cluster's piece: 400 bytes, not in whole bursts

fr_collective base(const System& system, unsigned device) {
  fr_collective c{};
  c.window = map::devices;
  c.window_stride = map::device_stride;
  c.post = map::cluster_registers(0) + FR_CLUSTER_POST;
  c.post_stride = map::cluster_stride;
  c.post_count = clusters;
  c.semaphore = 9;
  c.members = system.chip.devices;
  c.columns = system.chip.link.topology == chip::LinkTopology::torus ? system.chip.link.columns : c.members;
  c.own = device;
  c.rows = rows;
  c.bytes = columns * 4;
  return c;
}

/// Load, collective, store.
void add_stream(StreamBuilder& out, unsigned cluster, unsigned opcode, const fr_collective& c,
                std::uint64_t source_bytes, std::uint64_t result_bytes) {
  fr_copy copy{};
  copy.size1 = copy.size2 = copy.size3 = 1;
  copy.global = source_at + cluster * 0x10000;
  copy.local = c.source;
  copy.bytes = static_cast<std::uint32_t>(source_bytes);
  out.add(FR_OP_LOAD, copy, {{}, {{0, 1}}});
  out.add(opcode, c, {{{0, 1}}, {{1, 1}}});
  copy.global = result_at + cluster * 0x10000;
  copy.local = c.result;
  copy.bytes = static_cast<std::uint32_t>(result_bytes);
  out.add(FR_OP_STORE, copy, {{{1, 1}}, {}});
  out.add(FR_OP_END);
}

std::vector<float> numbers(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1e3F, 1e3F);
  std::vector<float> values(count);
  for (auto& value : values) value = uniform(random);
  return values;
}

/// What cluster c of device d contributes: [rows][width].
std::vector<float> piece(unsigned d, unsigned c, std::size_t width) {
  return numbers(100 * d + c, rows * width);
}

void put_pieces(System& system, std::size_t width) {
  for (unsigned d = 0; d < system.chip.devices; ++d)
    for (unsigned c = 0; c < clusters; ++c) {
      const auto values = piece(d, c, width);
      system.devices[d]->write(source_at + c * 0x10000,
                               {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4});
    }
}

class Collectives : public testing::TestWithParam<Shape> {};

/// With the pieces of all clusters of all devices side by side, in both layouts of the buffer.
void check_all_gather(const Shape& shape, bool in_slots) {
  System system(shape);
  const auto n = system.chip.devices;
  const std::uint32_t width = n * clusters * columns, slot = clusters * columns * 4;
  put_pieces(system, columns);
  for (unsigned d = 0; d < n; ++d)
    for (unsigned cluster = 0; cluster < clusters; ++cluster) {
      auto c = base(system, d);
      c.global = buffer_at + cluster * columns * 4 + (in_slots ? 0 : d * slot);
      c.read = buffer_at;
      c.row_stride = width * 4;
      c.slot_stride = in_slots ? slot : 0;
      c.wait = n * clusters;
      c.source_stride = columns * 4;
      c.result = 0x8000;
      c.result_stride = static_cast<std::int32_t>(width * 4);
      c.slots = in_slots ? n : 0;
      c.slot_bytes = in_slots ? slot : width * 4;
      add_stream(system.streams[d][cluster], cluster, FR_OP_ALL_GATHER, c, rows * columns * 4,
                 rows * width * 4);
    }
  system.simulate();
  std::vector<float> expected(rows * width);
  for (unsigned d = 0; d < n; ++d)
    for (unsigned c = 0; c < clusters; ++c)
      for (std::size_t r = 0; r < rows; ++r) {
        const auto values = piece(d, c, columns);
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r * columns), columns,
                    expected.begin() + static_cast<std::ptrdiff_t>(r * width + (d * clusters + c) * columns));
      }
  for (unsigned d = 0; d < n; ++d)
    for (unsigned c = 0; c < clusters; ++c) {
      EXPECT_EQ(system.error(d, c), 0u);
      EXPECT_EQ(system.get(d, result_at + c * 0x10000, rows * width), expected) << d << ", " << c;
    }
}
TEST_P(Collectives, AllGatherPutsPiecesSideBySide) { check_all_gather(GetParam(), true); }
TEST_P(Collectives, AllGatherLeavesPiecesInTheirPlaces) { check_all_gather(GetParam(), false); }

/// Clusters of the same number, one of each device, make a sum. `scatter`: of the piece for each.
void check_sums(const Shape& shape, bool scatter) {
  System system(shape);
  const auto n = system.chip.devices;
  const std::uint32_t width = scatter ? n * columns : columns;
  put_pieces(system, width);
  for (unsigned d = 0; d < n; ++d)
    for (unsigned cluster = 0; cluster < clusters; ++cluster) {
      auto c = base(system, d);
      c.global = c.read = buffer_at + cluster * 0x10000;
      c.row_stride = columns * 4;
      c.slot_stride = rows * columns * 4;
      c.post += cluster * c.post_stride;
      c.post_count = 1;
      c.wait = n;
      c.source_stride = static_cast<std::int32_t>(width * 4);
      c.result = 0x8000;
      c.result_stride = columns * 4;
      c.slots = n;
      c.slot_bytes = columns * 4;
      add_stream(system.streams[d][cluster], cluster, scatter ? FR_OP_REDUCE_SCATTER : FR_OP_ALL_REDUCE, c,
                 rows * width * 4, rows * columns * 4);
    }
  system.simulate();
  for (unsigned d = 0; d < n; ++d)
    for (unsigned c = 0; c < clusters; ++c) {
      std::vector<float> expected(rows * columns);
      for (unsigned m = 0; m < n; ++m) {
        const auto values = piece(m, c, width);
        for (std::size_t r = 0; r < rows; ++r)
          for (std::size_t i = 0; i < columns; ++i) {
            const auto value = values[r * width + (scatter ? d * columns : 0) + i];
            auto& sum = expected[r * columns + i];
            sum = m == 0 ? value : sum + value;
          }
      }
      EXPECT_EQ(system.error(d, c), 0u);
      EXPECT_EQ(system.get(d, result_at + c * 0x10000, rows * columns), expected) << d << ", " << c;
    }
}
TEST_P(Collectives, AllReduceSumsInTheOrderOfMembers) { check_sums(GetParam(), false); }
TEST_P(Collectives, ReduceScatterSumsEachPieceInTheOrderOfMembers) { check_sums(GetParam(), true); }

INSTANTIATE_TEST_SUITE_P(Systems, Collectives,
                         testing::Values(Shape{}, Shape{chip::LinkTopology::ring, 2},
                                         Shape{chip::LinkTopology::torus, 4},
                                         Shape{chip::LinkTopology::switched, 5},
                                         Shape{chip::LinkTopology::fully_connected, 4},
                                         Shape{chip::LinkTopology::ring, 3, chip::Timing::loose}));

std::vector<std::uint32_t> errors_after(const std::function<void(fr_collective&)>& change) {
  System system(Shape{});
  for (unsigned d = 0; d < 3; ++d) {
    auto c = base(system, d);
    c.global = c.read = buffer_at;
    c.row_stride = c.source_stride = c.result_stride = columns * 4;
    c.slot_stride = rows * columns * 4;
    c.result = 0x8000;
    c.slots = 3;
    c.slot_bytes = columns * 4;
    c.post_count = 1;
    c.wait = 3;
    change(c);
    add_stream(system.streams[d][0], 0, FR_OP_ALL_REDUCE, c, 64, 64);
    system.streams[d][1].add(FR_OP_END);
  }
  system.simulate();
  return {system.error(0, 0), system.error(1, 0), system.error(2, 0)};
}
const std::vector<std::uint32_t> no_error(3, FR_ERROR_NONE);

TEST(CollectiveErrors, NoneInARightCommand) {
  EXPECT_EQ(errors_after([](fr_collective&) {}), no_error);
}
TEST(CollectiveErrors, NoSuchDevice) {
  EXPECT_EQ(errors_after([](fr_collective& c) { c.members = c.columns = c.slots = c.wait = 4; })[0],
            +FR_ERROR_BUS);
}
TEST(CollectiveErrors, OutsideTheScratchpad) {
  EXPECT_EQ(errors_after([](fr_collective& c) { c.result = 4 << 20; }),
            std::vector<std::uint32_t>(3, FR_ERROR_LOCAL_RANGE));
}
TEST(CollectiveErrors, MembersThatMakeNoRows) {
  EXPECT_EQ(errors_after([](fr_collective& c) { c.columns = 2; }),
            std::vector<std::uint32_t>(3, FR_ERROR_COMMAND));
}
TEST(CollectiveErrors, SumsOfHalfNumbers) {
  EXPECT_EQ(errors_after([](fr_collective& c) { c.slot_bytes = 6; }),
            std::vector<std::uint32_t>(3, FR_ERROR_COMMAND));
}

}  // namespace
