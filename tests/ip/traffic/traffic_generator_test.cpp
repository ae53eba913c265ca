// SPDX-License-Identifier: Apache-2.0
#include "ip/traffic/traffic_generator.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <stdexcept>

#include "ip/base/method.hpp"
#include "ip/traffic/traffic_sink.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

constexpr std::int64_t ns = 1000;

/// Takes a request every `gap` and answers it `latency` after that, told at once by annotation or at its
/// time.
struct Server : sc_core::sc_module {
  Server(const sc_core::sc_module_name& name, std::int64_t gap_ns, std::int64_t latency_ns, bool annotate)
      : sc_module(name), gap(gap_ns * ns), latency(latency_ns * ns), annotated(annotate) {
    socket.register_nb_transport_fw(this, &Server::nb_transport_fw);
    add_method("take", {&take_event}, [this] { take(); });
    add_method("answer", {&answer_event}, [this] { answer(); });
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase&, sc_core::sc_time&) {
    payload.acquire();
    held = &payload;
    seen.push_back(payload.get_address());
    take_event.notify(to_sc_time({std::max<std::int64_t>(next - now_picoseconds(), 0)}));
    return tlm::TLM_ACCEPTED;
  }
  void take() {
    next = now_picoseconds() + gap;
    auto& payload = *held;
    under_way.push_back({now_picoseconds() + latency, &payload});
    most_under_way = std::max(most_under_way, under_way.size());
    if (!annotated) answer_event.notify(to_sc_time({under_way.front().when - now_picoseconds()}));
    tlm::tlm_phase phase = tlm::END_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    socket->nb_transport_bw(payload, phase, delay);
    if (annotated) respond(to_sc_time({latency}));
  }
  void answer() {
    respond(sc_core::SC_ZERO_TIME);
    if (!under_way.empty()) answer_event.notify(to_sc_time({under_way.front().when - now_picoseconds()}));
  }
  void respond(sc_core::sc_time delay) {
    auto& payload = *under_way.front().payload;
    under_way.pop_front();
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    EXPECT_EQ(socket->nb_transport_bw(payload, phase, delay), tlm::TLM_COMPLETED);
    payload.release();
  }
  struct Job {
    std::int64_t when;
    tlm::tlm_generic_payload* payload;
  };
  std::int64_t gap, latency, next = 0;
  bool annotated;
  tlm::tlm_generic_payload* held = nullptr;
  std::deque<Job> under_way;
  std::size_t most_under_way = 0;
  std::vector<std::uint64_t> seen;
  sc_core::sc_event take_event, answer_event;
  tlm_utils::simple_target_socket<Server> socket{"socket"};
};

struct Bench {
  Bench(const TrafficParameters& p, std::int64_t gap, std::int64_t latency, bool annotated)
      : server("server", gap, latency, annotated), generator("generator", p) {
    generator.socket.bind(server.socket);
    generator.measure(1000 * ns, 11000 * ns);
    generator.on_finished = [] { sc_core::sc_stop(); };
    sc_core::sc_start(sc_core::sc_time(100, sc_core::SC_US));
  }
  Server server;
  TrafficGenerator generator;
};

TEST(TrafficGenerator, SaturatingSendsWhenTheTargetTakes) {
  const Bench bench({}, 4, 20, false);
  const auto& m = bench.generator.measurement();
  EXPECT_EQ(m.completed, 2500u);
  EXPECT_EQ(m.bytes_read, 2500u * 32);
  EXPECT_EQ(m.taken_reads.mean(), 20 * ns);
  EXPECT_EQ(m.reads.mean(), 24 * ns) << "and waits for the target to take it";
  EXPECT_TRUE(bench.generator.finished());
  EXPECT_EQ(bench.server.seen[1], 32u);
}

TEST(TrafficGenerator, WindowBoundsWhatIsUnderWay) {
  TrafficParameters p;
  p.window = 2;
  const Bench bench(p, 1, 20, false);
  EXPECT_EQ(bench.server.most_under_way, 2u);
  EXPECT_EQ(bench.generator.measurement().completed, 1000u) << "two each 20 ns";
}

TEST(TrafficGenerator, AnnotatedResponsesCountAtTheirTime) {
  TrafficParameters p;
  p.window = 2;
  const Bench bench(p, 1, 20, true);
  EXPECT_EQ(bench.generator.measurement().completed, 1000u);
  EXPECT_EQ(bench.generator.measurement().taken_reads.mean(), 20 * ns);
}

TEST(TrafficGenerator, SourceQueueCountsForLatency) {
  TrafficParameters p;
  p.arrivals = TrafficArrivals::periodic;
  p.rate = 0.5;
  p.window = 1;  // serves one in 20 ns, a tenth of what is generated
  const Bench bench(p, 1, 20, false);
  const auto& m = bench.generator.measurement();
  EXPECT_EQ(m.completed, 500u);
  EXPECT_FALSE(bench.generator.finished()) << "5000 were generated, and 100 us are not enough for them";
  EXPECT_GT(m.reads.most(), 50000u * ns);
  EXPECT_EQ(m.taken_reads.most(), 20u * ns);
}

TEST(TrafficGenerator, GapKeepsRequestsApart) {
  TrafficParameters p;
  p.gap = 9;
  const Bench bench(p, 1, 20, false);
  const auto& m = bench.generator.measurement();
  EXPECT_EQ(m.completed, 1111u) << "one in 9 ns, taken at once";
  EXPECT_EQ(m.sent_reads.mean(), 20 * ns);
  EXPECT_EQ(m.reads.mean(), 20 * ns) << "a saturating source generates a request when it may send it";
}

TEST(TrafficGenerator, LowLoadHasTheLatencyOfTheTarget) {
  TrafficParameters p;
  p.arrivals = TrafficArrivals::bernoulli;
  p.rate = 0.01;
  p.reads = 0.5;
  const Bench bench(p, 1, 20, true);
  const auto& m = bench.generator.measurement();
  EXPECT_TRUE(bench.generator.finished());
  EXPECT_NEAR(static_cast<double>(m.generated), 100, 30);
  EXPECT_EQ(m.reads.count() + m.writes.count(), m.generated);
  EXPECT_EQ(m.writes.quantile(0.5), 20u * ns);
  EXPECT_EQ(m.errors, 0u);
}

TEST(TrafficGenerator, RefusesATargetWithoutBackPressureInSaturation) {
  TrafficGenerator generator("generator", {});
  TrafficSink sink("sink");
  generator.socket.bind(sink.socket);
  EXPECT_THROW(sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_US)), std::exception);
}

TEST(Latency, QuantilesAreWithinTwoPercent) {
  Latency latency;
  for (std::int64_t i = 1; i <= 100000; ++i) latency.add(i);
  EXPECT_EQ(latency.mean(), 50000.5);
  EXPECT_EQ(latency.least(), 1u);
  EXPECT_EQ(latency.most(), 100000u);
  for (const double share : {0.01, 0.5, 0.95, 0.99})
    EXPECT_NEAR(static_cast<double>(latency.quantile(share)), share * 100000, share * 1600) << share;
  EXPECT_NEAR(static_cast<double>(latency.quantile(1)), 100000, 1600);
}

}  // namespace
