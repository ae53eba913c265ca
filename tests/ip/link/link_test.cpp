// SPDX-License-Identifier: Apache-2.0
#include "ip/link/link.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

using namespace forerun;
using namespace forerun::ip;
using link::Topology;

namespace {

constexpr std::int64_t latency = 500'000, hop = 100'000;
constexpr double bandwidth = 100e9;  // 10 ps a byte
constexpr std::int64_t byte_ps = 10;
constexpr std::uint64_t overhead = 24, stride = 1 << 20;

LinkParameters parameters(Topology topology, unsigned devices, unsigned columns = 2) {
  LinkParameters p;
  p.devices = devices;
  p.topology = topology;
  p.columns = columns;
  p.bandwidth = {bandwidth};
  p.latency = {latency};
  p.hop = {hop};
  p.overhead = {overhead};
  p.payload = {256};
  p.window_base = stride;
  p.window_stride = stride;
  return p;
}

std::int64_t wire(std::uint64_t data) {
  const auto packets = std::max<std::uint64_t>(1, (data + 255) / 256);
  return static_cast<std::int64_t>(data + packets * overhead) * byte_ps;
}

/// Devices with a memory of 64 KiB each, which answers at once, and a master.
struct Bench : sc_core::sc_module {
  struct Device {
    std::unique_ptr<tlm_utils::simple_initiator_socket_tagged<Bench>> master;
    std::unique_ptr<tlm_utils::simple_target_socket_tagged<Bench>> memory;
    std::vector<unsigned char> bytes = std::vector<unsigned char>(0x10000);
    std::uint64_t written = 0;
  };
  LinkNetwork network;
  std::vector<Device> devices;
  PayloadPool pool{4096};
  std::map<tlm::tlm_generic_payload*, std::int64_t> answered;
  std::int64_t last_request = 0;
  bool busy = false;  // the memories hold requests back for 1 us each

  explicit Bench(const LinkParameters& p)
      : sc_module("bench"), network("network", p), devices(network.in.size()) {
    for (std::size_t i = 0; i < devices.size(); ++i) {
      auto& d = devices[i];
      d.master = std::make_unique<tlm_utils::simple_initiator_socket_tagged<Bench>>(
          ("master" + std::to_string(i)).c_str());
      d.memory = std::make_unique<tlm_utils::simple_target_socket_tagged<Bench>>(
          ("memory" + std::to_string(i)).c_str());
      d.master->register_nb_transport_bw(this, &Bench::nb_transport_bw, static_cast<int>(i));
      d.memory->register_nb_transport_fw(this, &Bench::nb_transport_fw, static_cast<int>(i));
      d.memory->register_b_transport(this, &Bench::b_transport, static_cast<int>(i));
      d.memory->register_transport_dbg(this, &Bench::transport_dbg, static_cast<int>(i));
      d.master->bind(network.in[i]);
      network.out[i].bind(*d.memory);
    }
  }
  void access(int id, tlm::tlm_generic_payload& p) {
    auto& device = devices[static_cast<std::size_t>(id)];
    if (p.get_address() + p.get_data_length() > device.bytes.size())
      return p.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    copy_data(p, device.bytes.data() + p.get_address());
    if (p.is_write()) device.written += p.get_data_length();
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  void b_transport(int id, tlm::tlm_generic_payload& p, sc_core::sc_time&) { access(id, p); }
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& p) {
    access(id, p);
    return p.is_response_ok() ? p.get_data_length() : 0;
  }
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& p, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_COMPLETED;
    access(id, p);
    last_request = now_picoseconds();
    if (busy) {
      sc_core::sc_spawn([this, id, &p] {
        sc_core::wait(sc_core::sc_time(1, sc_core::SC_US));
        tlm::tlm_phase response = tlm::BEGIN_RESP;
        auto delay = sc_core::SC_ZERO_TIME;
        (*devices[static_cast<std::size_t>(id)].memory)->nb_transport_bw(p, response, delay);
      });
      return tlm::TLM_ACCEPTED;
    }
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  tlm::tlm_sync_enum nb_transport_bw(int, tlm::tlm_generic_payload& p, tlm::tlm_phase&, sc_core::sc_time&) {
    answered[&p] = now_picoseconds();
    return tlm::TLM_COMPLETED;
  }
  tlm::tlm_generic_payload& send(unsigned from, unsigned to, tlm::tlm_command command, std::uint32_t length,
                                 std::uint64_t address = 0) {
    auto& p = pool.acquire(command, stride * (to + 1) + address, length);
    for (std::uint32_t i = 0; i < length && command == tlm::TLM_WRITE_COMMAND; ++i)
      p.get_data_ptr()[i] = static_cast<unsigned char>(i * 7 + from);
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    if ((*devices[from].master)->nb_transport_fw(p, phase, delay) == tlm::TLM_COMPLETED)
      answered[&p] = now_picoseconds();
    return p;
  }
  std::int64_t when(tlm::tlm_generic_payload& p) { return answered.at(&p); }
};

/// Both messages of a write and of a read between any two devices, one at a time.
void check_unloaded(const LinkParameters& p, const std::map<std::pair<unsigned, unsigned>, int>& links) {
  Bench bench(p);
  for (const auto& [ends, count] : links)
    for (const auto command : {tlm::TLM_WRITE_COMMAND, tlm::TLM_READ_COMMAND}) {
      const auto before = now_picoseconds();
      auto& payload = bench.send(ends.first, ends.second, command, 1000);
      sc_core::sc_start();
      EXPECT_TRUE(payload.is_response_ok());
      const auto expected = 2 * (count * latency + (count - 1) * hop) + wire(1000) + wire(0);
      EXPECT_EQ(bench.when(payload) - before, expected) << ends.first << " to " << ends.second;
    }
}

TEST(LinkTiming, UnloadedInARing) {
  check_unloaded(parameters(Topology::ring, 6), {{{0, 1}, 1}, {{0, 5}, 1}, {{1, 3}, 2}, {{5, 2}, 3}});
}
TEST(LinkTiming, UnloadedFullyConnected) {
  check_unloaded(parameters(Topology::fully_connected, 8), {{{0, 1}, 1}, {{7, 2}, 1}});
}
TEST(LinkTiming, UnloadedThroughASwitch) {
  check_unloaded(parameters(Topology::switched, 8), {{{0, 1}, 2}, {{7, 2}, 2}});
}
TEST(LinkTiming, UnloadedInATorus) {
  check_unloaded(parameters(Topology::torus, 8, 4),
                 {{{0, 1}, 1}, {{0, 4}, 1}, {{0, 3}, 1}, {{0, 6}, 3}, {{7, 0}, 2}});
}

/// Each flow writes `count` x 256 bytes, all at once. The last has arrived when the link where they meet has
/// carried `share` of the flows without a gap; `before`: links on the way of its first message to it.
void check_saturated(const LinkParameters& p, const std::vector<std::pair<unsigned, unsigned>>& flows,
                     int count, int share, int before = 0) {
  Bench bench(p);
  for (int i = 0; i < count; ++i)
    for (const auto& [from, to] : flows) bench.send(from, to, tlm::TLM_WRITE_COMMAND, 256);
  sc_core::sc_start();
  EXPECT_EQ(bench.answered.size(), flows.size() * static_cast<std::size_t>(count));
  EXPECT_EQ(bench.last_request, before * (latency + hop) + share * count * wire(256) + latency);
  for (const auto& report : bench.network.links())
    EXPECT_EQ(report.busy_ps, report.bytes * byte_ps) << report.name;
}

TEST(LinkTiming, NeighboursInARingGetTheWholeBandwidth) {
  check_saturated(parameters(Topology::ring, 4), {{0, 1}, {1, 2}, {2, 3}, {3, 0}}, 200, 1);
}
TEST(LinkTiming, FlowsShareALinkOfARing) {
  check_saturated(parameters(Topology::ring, 8), {{0, 3}, {1, 3}, {2, 3}}, 500, 3);
}
TEST(LinkTiming, FullyConnectedFlowsDoNotMeet) {
  check_saturated(parameters(Topology::fully_connected, 4), {{0, 3}, {1, 3}, {2, 3}}, 200, 1);
}
TEST(LinkTiming, FlowsThroughASwitchMeetAtTheirTarget) {
  check_saturated(parameters(Topology::switched, 4), {{0, 3}, {1, 3}, {2, 3}}, 100, 3, 1);
}
TEST(LinkTiming, FlowsThroughASwitchToDifferentTargetsDoNotMeet) {
  check_saturated(parameters(Topology::switched, 4), {{0, 1}, {1, 2}, {2, 3}, {3, 0}}, 200, 1, 1);
}
TEST(LinkTiming, RowsOfATorusDoNotMeet) {
  check_saturated(parameters(Topology::torus, 8, 4), {{0, 1}, {4, 5}, {1, 2}, {2, 6}}, 200, 1);
}
TEST(LinkTiming, FlowsShareALinkOfATorus) {
  check_saturated(parameters(Topology::torus, 8, 4), {{0, 5}, {1, 5}}, 500, 2);
}

TEST(LinkTiming, EquallyLongWaysAreTakenInTurn) {
  Bench bench(parameters(Topology::ring, 4));
  for (int i = 0; i < 10; ++i) bench.send(0, 2, tlm::TLM_WRITE_COMMAND, 256);
  sc_core::sc_start();
  std::map<std::string, std::uint64_t> carried;
  for (const auto& report : bench.network.links()) carried[report.name] = report.messages;
  for (const auto* name : {"0->1", "1->2", "0->3", "3->2"}) EXPECT_EQ(carried[name], 5u) << name;
}

TEST(Link, CarriesDataBothWays) {
  Bench bench(parameters(Topology::ring, 3));
  bench.send(2, 1, tlm::TLM_WRITE_COMMAND, 300, 0x40);
  sc_core::sc_start();
  auto& back = bench.send(0, 1, tlm::TLM_READ_COMMAND, 300, 0x40);
  sc_core::sc_start();
  for (unsigned i = 0; i < 300; ++i) {
    EXPECT_EQ(bench.devices[1].bytes[0x40 + i], static_cast<unsigned char>(i * 7 + 2));
    EXPECT_EQ(back.get_data_ptr()[i], static_cast<unsigned char>(i * 7 + 2));
  }
  EXPECT_EQ(back.get_address(), stride * 2 + 0x40) << "as it was sent";
  EXPECT_EQ(bench.network.messages.value(), 4u);
  EXPECT_EQ(bench.network.bytes.value(), 600u);
}

TEST(Link, ErrorsComeBack) {
  Bench bench(parameters(Topology::switched, 2));
  EXPECT_EQ(bench.send(0, 1, tlm::TLM_WRITE_COMMAND, 64, 0x10000).get_response_status(),
            tlm::TLM_INCOMPLETE_RESPONSE);
  EXPECT_EQ(bench.send(0, 0, tlm::TLM_WRITE_COMMAND, 64).get_response_status(),
            tlm::TLM_ADDRESS_ERROR_RESPONSE)
      << "its own window";
  EXPECT_EQ(bench.send(0, 5, tlm::TLM_READ_COMMAND, 64).get_response_status(),
            tlm::TLM_ADDRESS_ERROR_RESPONSE);
  sc_core::sc_start();
  unsigned errors = 0;
  for (const auto& [payload, at] : bench.answered) errors += payload->is_response_error();
  EXPECT_EQ(errors, 3u);
}

TEST(Link, OneRequestAtATimeEntersADeviceThatHoldsThemBack) {
  Bench bench(parameters(Topology::ring, 2));
  bench.busy = true;
  std::vector<tlm::tlm_generic_payload*> sent;
  for (int i = 0; i < 3; ++i) sent.push_back(&bench.send(0, 1, tlm::TLM_WRITE_COMMAND, 256));
  sc_core::sc_start();
  const auto first = wire(256) + latency + 1'000'000 + latency + wire(0);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(bench.when(*sent[static_cast<std::size_t>(i)]), first + i * 1'000'000) << i;
}

TEST(Link, LooseTimingAddsTheUnloadedTimes) {
  auto p = parameters(Topology::ring, 4);
  p.timing = Timing::loose;
  Bench bench(p);
  auto& payload = bench.pool.acquire(tlm::TLM_READ_COMMAND, stride * 3, 512);
  auto delay = sc_core::SC_ZERO_TIME;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  (*bench.devices[0].master)->b_transport(payload, delay);
  EXPECT_TRUE(payload.is_response_ok());
  EXPECT_EQ(to_picoseconds(delay), 2 * (2 * latency + hop) + wire(512) + wire(0));
}

/// One device stands for all: it is answered at the same times as in the midst of others that do the same.
class Symmetric : public testing::TestWithParam<std::pair<Topology, unsigned>> {};

std::vector<std::int64_t> times_of_device_0(const LinkParameters& p) {
  Bench bench(p);
  std::vector<tlm::tlm_generic_payload*> own;
  for (unsigned round = 0; round < 6; ++round) {
    for (unsigned r = 1; r < p.devices; ++r)
      for (unsigned from = 0; from < bench.devices.size(); ++from) {
        unsigned to = 0;
        while (bench.network.graph().relative(to, from) != r) ++to;
        auto& payload =
            bench.send(from, to, r % 2 == 0 ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND, 64 + 100 * r);
        if (from == 0) own.push_back(&payload);
      }
    sc_core::sc_start(sc_core::sc_time(3 + round, sc_core::SC_NS));
  }
  sc_core::sc_start();
  std::vector<std::int64_t> times;
  for (auto* payload : own) times.push_back(bench.when(*payload));
  times.push_back(static_cast<std::int64_t>(bench.devices[0].written));
  return times;
}

TEST_P(Symmetric, OneDeviceStandsForAll) {
  auto p = parameters(GetParam().first, GetParam().second);
  // SystemC elaborates once a process: the full simulation is the child's, whose times come through a pipe.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto child = fork();
  p.symmetric = child != 0;
  const auto times = times_of_device_0(p);
  const auto bytes = times.size() * sizeof times[0];
  if (child == 0) {
    const bool sent = write(ends[1], times.data(), bytes) == static_cast<ssize_t>(bytes);
    _exit(sent ? 0 : 1);
  }
  std::vector<std::int64_t> full(times.size());
  ASSERT_EQ(read(ends[0], full.data(), bytes), static_cast<ssize_t>(bytes));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(times, full);
}
INSTANTIATE_TEST_SUITE_P(Topologies, Symmetric,
                         testing::Values(std::pair(Topology::ring, 4u), std::pair(Topology::ring, 7u),
                                         std::pair(Topology::fully_connected, 5u),
                                         std::pair(Topology::switched, 8u), std::pair(Topology::torus, 8u)));

}  // namespace
