// SPDX-License-Identifier: Apache-2.0
// A tap between an initiator and a memory changes nothing, and what it records is what happened.
#include "ip/record/tap.hpp"

#include "tests/ip/cosim/bench.hpp"

using namespace forerun::ip::cosim;
using forerun::ip::record::Tap;
using Recorded = forerun::ip::record::Transaction;

namespace {

/// The bytes of a memory after some recorded transactions.
void carry_out(const Recorded& t, ByteList& bytes) {
  if (t.write == 0 || t.response != Recorded::okay) return;
  for (std::uint32_t i = 0; i < t.length; ++i)
    if (t.enables.empty() || t.enables[i] != 0) bytes[t.address + i % t.streaming_width] = t.data[i];
}

TEST(Tap, RecordsManyUnderWay) {
  RandomInitiator initiator("initiator", {.count = 2000, .window = 8, .late_end_response = false});
  LateMemory memory("memory", 4096, 40'000, 3);
  Tap tap("tap");
  initiator.socket.bind(tap.in);
  tap.out.bind(memory.socket);
  std::vector<Recorded> seen;
  tap.on_transaction = [&](const Recorded& t) { seen.push_back(t); };
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_TRUE(initiator.finished());
  EXPECT_EQ(initiator.mismatches, 0u);
  EXPECT_GT(initiator.overtakings, 100u) << "answers come in another order than requests";
  ASSERT_EQ(seen.size(), 2000u);
  ASSERT_EQ(memory.seen.size(), 2000u);
  ByteList bytes(4096);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto& t = seen[i];
    EXPECT_EQ((LateMemory::Seen{t.write != 0, t.address, t.length, t.streaming_width}), memory.seen[i])
        << "in the order of requests";
    EXPECT_GE(t.end_ps, t.begin_ps);
    if (t.write == 0)
      for (std::uint32_t j = 0; j < t.length; ++j)
        if (t.enables.empty() || t.enables[j] != 0) {
          ASSERT_EQ(t.data[j], bytes[t.address + j % t.streaming_width]) << i;
        }
    carry_out(t, bytes);
  }
  EXPECT_EQ(bytes, memory.bytes);
  EXPECT_EQ(tap.flush(), 0u);
}

TEST(Tap, RecordsBlockingTransactionsAndErrors) {
  ListInitiator initiator("initiator");
  LateMemory memory("memory", 256, 10'000);
  memory.end_of_writes = 128;
  Tap tap("tap");
  initiator.socket.bind(tap.in);
  tap.out.bind(memory.socket);
  std::vector<Recorded> seen;
  tap.on_transaction = [&](const Recorded& t) { seen.push_back(t); };
  initiator.list = {
      Write(0x10, {1, 2, 3, 4}).only({0xff, 0}).after(1000, 500),
      Read(0x10, {1, 0, 3, 0}),
      Write(0x90, {1}).gets(tlm::TLM_GENERIC_ERROR_RESPONSE),
      Read(0x100, {0}).gets(tlm::TLM_ADDRESS_ERROR_RESPONSE),
  };
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].begin_ps, 1500u);
  EXPECT_EQ(seen[0].enables, (std::vector<std::uint8_t>{1, 0, 1, 0}));
  EXPECT_EQ(seen[1].data, (std::vector<std::uint8_t>{1, 0, 3, 0}));
  EXPECT_EQ(seen[1].response, Recorded::okay);
  EXPECT_EQ(seen[2].response, Recorded::slave_error);
  EXPECT_EQ(seen[3].response, Recorded::decode_error);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<std::int64_t>(seen[i].end_ps), initiator.ends_ps[i]);
}

/// A target that never answers its first request.
struct Silent : sc_core::sc_module {
  explicit Silent(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_nb_transport_fw(this, &Silent::nb_transport_fw);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (requests++ > 0) return tlm::TLM_COMPLETED;
    payload.acquire();
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  }
  tlm_utils::simple_target_socket<Silent> socket{"socket"};
  unsigned requests = 0;
};

TEST(Tap, GivesOutAtTheEndWhatWaitedForAnAnswer) {
  RandomInitiator initiator("initiator", {.count = 5, .window = 2});
  Silent target("target");
  Tap tap("tap");
  initiator.socket.bind(tap.in);
  tap.out.bind(target.socket);
  unsigned seen = 0;
  tap.on_transaction = [&](const Recorded&) { ++seen; };
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(seen, 0u);
  EXPECT_EQ(tap.flush(), 1u);
  EXPECT_EQ(seen, target.requests - 1);
  EXPECT_GT(seen, 0u);
}

}  // namespace
