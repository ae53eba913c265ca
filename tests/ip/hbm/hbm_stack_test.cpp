// SPDX-License-Identifier: Apache-2.0
// The whole stack through its sockets.
#include "ip/hbm/hbm_stack.hpp"

#include <gmock/gmock.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <map>
#include <random>

#include "ip/base/payload.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

hbm::Parameters small(hbm::Model model = hbm::Model::burst) {
  hbm::Parameters p;
  p.model = model;
  p.channels = 2;
  p.rows = 256;
  p.ports = 1;
  return p;
}

/// Keeps up to `outstanding` transactions under way and checks what comes back against a plain array.
struct Traffic : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Traffic> socket{"socket"};
  PayloadPool pool{4096};
  std::vector<unsigned char> shadow;
  std::map<tlm::tlm_generic_payload*, std::vector<unsigned char>> expected;
  tlm::tlm_generic_payload* requesting = nullptr;
  sc_core::sc_event next;
  unsigned left, in_flight = 0, outstanding, wrong = 0, done = 0;
  std::uint64_t bytes = 0, position = 0;
  bool linear, end_resp_later;
  std::mt19937_64 random{7};

  Traffic(const sc_core::sc_module_name& name, unsigned count, unsigned outstanding_, bool linear_,
          bool later)
      : sc_module(name),
        shadow(small().capacity()),
        left(count),
        outstanding(outstanding_),
        linear(linear_),
        end_resp_later(later) {
    socket.register_nb_transport_bw(this, &Traffic::nb_transport_bw);
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&next);
    sc_core::sc_spawn([this] { issue(); }, "issue", &options);
  }
  bool overlaps(std::uint64_t address, std::uint64_t length) const {
    for (const auto& [p, data] : expected)
      if (p->get_address() < address + length && address < p->get_address() + p->get_data_length())
        return true;
    return false;
  }
  void issue() {
    while (left > 0 && in_flight < outstanding && requesting == nullptr) {
      const auto length = linear ? 256u : static_cast<unsigned>(1 + random() % 256);
      const auto address = linear ? position : random() % (shadow.size() - 256);
      if (overlaps(address, length)) return next.notify(10, sc_core::SC_NS);
      position += length;
      const bool write = !linear && random() % 2 == 0;
      auto& p = pool.acquire(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, address, length);
      if (write)
        for (unsigned i = 0; i < length; ++i)
          p.get_data_ptr()[i] = shadow[address + i] = static_cast<unsigned char>(random());
      expected[&p] = {shadow.begin() + static_cast<std::ptrdiff_t>(address),
                      shadow.begin() + static_cast<std::ptrdiff_t>(address + length)};
      --left, ++in_flight;
      bytes += length;
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = sc_core::SC_ZERO_TIME;
      requesting = &p;
      if (socket->nb_transport_fw(p, phase, delay) != tlm::TLM_ACCEPTED) requesting = nullptr;
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (requesting == &p) requesting = nullptr;
    next.notify(sc_core::SC_ZERO_TIME);
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    if (!p.is_response_ok() || !std::equal(expected[&p].begin(), expected[&p].end(), p.get_data_ptr()))
      ++wrong;
    expected.erase(&p);
    --in_flight, ++done;
    if (!end_resp_later) return p.release(), tlm::TLM_COMPLETED;
    sc_core::sc_spawn([this, &p] {
      sc_core::wait(3, sc_core::SC_NS);
      tlm::tlm_phase end = tlm::END_RESP;
      auto delay = sc_core::SC_ZERO_TIME;
      socket->nb_transport_fw(p, end, delay);
      p.release();
    });
    return tlm::TLM_ACCEPTED;
  }
};

struct StackBench {
  SparseMemory store{small().capacity()};
  HbmStack stack;
  Traffic traffic;
  StackBench(unsigned count, unsigned outstanding, bool linear, bool later,
             hbm::Model model = hbm::Model::burst)
      : stack("stack", small(model), store), traffic("traffic", count, outstanding, linear, later) {
    traffic.socket.bind(stack.port[0]);
  }
};

TEST(HbmStack, RandomTrafficKeepsEveryByte) {
  StackBench bench(3000, 16, false, false);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.traffic.done, 3000u);
  EXPECT_EQ(bench.traffic.wrong, 0u);
}

TEST(HbmStack, RandomTrafficKeepsEveryByteInTheRowModel) {
  StackBench bench(3000, 16, false, true, hbm::Model::row);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.traffic.done, 3000u);
  EXPECT_EQ(bench.traffic.wrong, 0u);
}

TEST(HbmStack, ResetAnswersWhatIsUnderWayAndBeginsCountersAnew) {
  StackBench bench(3000, 16, false, true);
  struct Driver : sc_core::sc_module {
    LevelOut reset{"reset"};
    explicit Driver(const sc_core::sc_module_name& name) : sc_module(name) {}
  } driver("driver");
  driver.reset.bind(bench.stack.reset_line);
  sc_core::sc_start(2, sc_core::SC_US);
  ASSERT_GT(bench.traffic.in_flight, 0u);
  const auto before = bench.stack.requests.value();
  ASSERT_GT(before, 0u);
  driver.reset.set(true);
  driver.reset.set(false);
  EXPECT_EQ(bench.stack.bytes_read.value() + bench.stack.requests.value() + bench.stack.burst_bytes(0), 0u);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.traffic.done, 3000u);
  EXPECT_EQ(bench.traffic.wrong, 0u);
  EXPECT_EQ(bench.stack.requests.value(), 3000 - before);
}

TEST(HbmStack, AcceptsALateEndOfResponse) {
  StackBench bench(500, 16, false, true);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.traffic.done, 500u);
  EXPECT_EQ(bench.traffic.wrong, 0u);
}

TEST(HbmStack, NeverPassesItsPeak) {
  StackBench bench(400, 64, true, false);
  while (bench.traffic.done < 400 && sc_core::sc_time_stamp() < sc_core::sc_time(1, sc_core::SC_MS))
    sc_core::sc_start(10, sc_core::SC_NS);
  ASSERT_EQ(bench.traffic.done, 400u);
  const double rate = static_cast<double>(bench.traffic.bytes) / sc_core::sc_time_stamp().to_seconds();
  EXPECT_LE(rate, small().peak_bandwidth());
  EXPECT_GT(rate, 0.5 * small().peak_bandwidth());
}

TEST(HbmStack, RefusesWhatLiesBeyond) {
  StackBench bench(0, 1, true, false);
  sc_core::sc_start(1, sc_core::SC_NS);
  unsigned char byte = 0;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(small().capacity());
  payload.set_data_ptr(&byte);
  payload.set_data_length(1);
  payload.set_streaming_width(1);
  auto delay = sc_core::SC_ZERO_TIME;
  bench.traffic.socket->b_transport(payload, delay);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.traffic.socket->transport_dbg(payload), 0u);
  payload.set_address(~std::uint64_t{0});
  EXPECT_EQ(bench.traffic.socket->transport_dbg(payload), 0u) << "no wrap around";
}

TEST(HbmStack, ObeysByteEnablesInBothDirections) {
  StackBench bench(0, 1, true, false);
  sc_core::sc_start(1, sc_core::SC_NS);
  unsigned char data[] = {1, 2, 3, 4}, enables[] = {TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(64);
  payload.set_data_ptr(data);
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(2);
  EXPECT_EQ(bench.traffic.socket->transport_dbg(payload), 4u);
  unsigned char stored[4] = {};
  bench.store.read(64, stored, 4);
  EXPECT_THAT(stored, testing::ElementsAre(0, 2, 0, 4));
  unsigned char got[] = {9, 9, 9, 9};
  payload.set_read();
  payload.set_data_ptr(got);
  EXPECT_EQ(bench.traffic.socket->transport_dbg(payload), 4u);
  EXPECT_THAT(got, testing::ElementsAre(9, 2, 9, 4));
}

}  // namespace
