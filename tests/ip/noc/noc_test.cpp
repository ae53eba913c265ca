// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/noc.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace forerun;
using namespace forerun::ip;

namespace {

/// A memory that answers in its first call, after `delay`, or holds requests back until it has answered.
struct Memory : sc_core::sc_module {
  tlm_utils::simple_target_socket<Memory> socket{"socket"};
  std::vector<unsigned char> bytes = std::vector<unsigned char>(1 << 16);
  bool slow;
  tlm::tlm_generic_payload* held = nullptr;
  sc_core::sc_event answer;
  explicit Memory(const sc_core::sc_module_name& name, bool slow_ = false) : sc_module(name), slow(slow_) {
    socket.register_nb_transport_fw(this, &Memory::nb_transport_fw);
    socket.register_b_transport(this, &Memory::b_transport);
    socket.register_transport_dbg(this, &Memory::transport_dbg);
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&answer);
    options.dont_initialize();
    sc_core::sc_spawn(
        [this] {
          auto& payload = *held;
          held = nullptr;
          tlm::tlm_phase phase = tlm::BEGIN_RESP;  // implies END_REQ
          auto delay = sc_core::SC_ZERO_TIME;
          socket->nb_transport_bw(payload, phase, delay);
        },
        "answer", &options);
  }
  void b_transport(tlm::tlm_generic_payload& p, sc_core::sc_time&) { transport_dbg(p); }
  unsigned transport_dbg(tlm::tlm_generic_payload& p) {
    auto* here = bytes.data() + p.get_address();
    if (p.is_read()) std::memcpy(p.get_data_ptr(), here, p.get_data_length());
    if (p.is_write()) std::memcpy(here, p.get_data_ptr(), p.get_data_length());
    p.set_response_status(tlm::TLM_OK_RESPONSE);
    return p.get_data_length();
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time&) {
    transport_dbg(p);
    if (slow) {
      EXPECT_EQ(held, nullptr) << "a second request before END_REQ";
      held = &p;
      answer.notify(50, sc_core::SC_NS);
      return tlm::TLM_ACCEPTED;
    }
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  }
};

/// Sends `count` transactions to random targets, each to bytes of its own, and checks what it reads.
struct Sender : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Sender> socket{"socket"};
  PayloadPool pool{256};
  tlm::tlm_generic_payload* requesting = nullptr;
  sc_core::sc_event next;
  unsigned id, targets, left, in_flight = 0, done = 0, failed = 0;
  std::mt19937 random;
  Sender(const sc_core::sc_module_name& name, unsigned id_, unsigned targets_, unsigned count)
      : sc_module(name), id(id_), targets(targets_), left(count), random(id_) {
    socket.register_nb_transport_bw(this, &Sender::nb_transport_bw);
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&next);
    sc_core::sc_spawn([this] { issue(); }, "issue", &options);
  }
  void issue() {
    while (left > 0 && in_flight < 16 && requesting == nullptr) {
      --left, ++in_flight;
      auto& p = pool.acquire(random() % 2 == 0 ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND,
                             (random() % targets) * 0x10000ull + id * 256, 1 + random() % 256);
      std::memset(p.get_data_ptr(), static_cast<int>(id), p.get_data_length());
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = sc_core::SC_ZERO_TIME;
      requesting = &p;
      const auto answer = socket->nb_transport_fw(p, phase, delay);
      if (answer != tlm::TLM_ACCEPTED) requesting = nullptr;
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (requesting == &p) requesting = nullptr;
    next.notify(sc_core::SC_ZERO_TIME);
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    for (unsigned i = 0; i < p.get_data_length(); ++i) {
      const unsigned byte = p.get_data_ptr()[i];
      if (byte != id && byte != 0) ++failed;  // 0: not written yet
    }
    --in_flight, ++done;
    p.release();
    return tlm::TLM_COMPLETED;
  }
};

/// Something to call b_transport from.
struct Host : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Host> socket{"socket"};
  explicit Host(const sc_core::sc_module_name& name) : sc_module(name) {}
};

NocParameters mesh(unsigned columns, unsigned rows, unsigned buffer = 16) {
  NocParameters p;
  p.clock = {1e9};
  p.columns = columns;
  p.rows = rows;
  p.buffer_flits = buffer;
  return p;
}

TEST(Noc, ZeroLoadLatencyIsTheClosedForm) {
  Noc noc("noc", mesh(8, 8));
  Memory memory("memory");
  auto& target = noc.add_target("memory", 7, 7);
  target.bind(memory.socket);
  noc.map(0, 0x10000, target);
  Host host("host");
  auto& socket = host.socket;
  socket.bind(noc.add_initiator("host", 0, 0));
  std::int64_t read_ns = 0;
  sc_core::sc_spawn([&] {
    std::array<unsigned char, 256> data{};
    tlm::tlm_generic_payload p;
    p.set_read();
    p.set_address(0);
    p.set_data_ptr(data.data());
    p.set_data_length(256);
    p.set_streaming_width(256);
    auto delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(p, delay);
    EXPECT_TRUE(p.is_response_ok());
    read_ns = now_picoseconds() / 1000;
  });
  sc_core::sc_start(1, sc_core::SC_US);
  const int routers = 15;
  const auto latency = [&](int flits) { return 6 + 4 * (routers - 1) + flits - 1; };
  EXPECT_EQ(read_ns, latency(1) + latency(5))
      << "a header there, a header and 256 bytes in 64-byte flits back";
}

/// A sender and a memory at every router of a 3 x 3 mesh with buffers of one flit.
struct HeavyTraffic {
  static constexpr unsigned nodes = 9, count = 400;
  Noc noc{"noc", mesh(3, 3, 1)};
  std::vector<std::unique_ptr<Memory>> memories;
  std::vector<std::unique_ptr<Sender>> senders;
  HeavyTraffic() {
    for (unsigned i = 0; i < nodes; ++i) {
      memories.push_back(std::make_unique<Memory>(("memory" + std::to_string(i)).c_str(), i % 3 == 0));
      auto& target = noc.add_target("memory" + std::to_string(i), i % 3, i / 3);
      target.bind(memories.back()->socket);
      noc.map(i * 0x10000ull, 0x10000, target);
      senders.push_back(
          std::make_unique<Sender>(("sender" + std::to_string(i)).c_str(), i + 1, nodes, count));
      senders.back()->socket.bind(noc.add_initiator("sender" + std::to_string(i), i % 3, i / 3));
    }
  }
  void expect_all_done() {
    for (const auto& sender : senders) {
      EXPECT_EQ(sender->done, count) << noc.describe_stall();
      EXPECT_EQ(sender->failed, 0u);
    }
  }
};

TEST(Noc, HeavyTrafficWithTinyBuffersNeitherLosesNorLocks) {
  HeavyTraffic traffic;
  sc_core::sc_start(5, sc_core::SC_MS);
  traffic.expect_all_done();
  EXPECT_EQ(traffic.noc.packets.value(), 2 * HeavyTraffic::nodes * HeavyTraffic::count);
  for (const auto& link : traffic.noc.links())
    EXPECT_LE(link.busy_ps, static_cast<std::uint64_t>(now_picoseconds())) << link.name;
}

TEST(Noc, ResetBeginsReportsAnewAndDeliversWhatIsUnderWay) {
  HeavyTraffic traffic;
  struct Driver : sc_core::sc_module {
    LevelOut reset{"reset"};
    explicit Driver(const sc_core::sc_module_name& name) : sc_module(name) {}
  } driver("driver");
  driver.reset.bind(traffic.noc.reset_line);
  sc_core::sc_start(3, sc_core::SC_US);
  const auto before = traffic.noc.packets.value();
  ASSERT_GT(before, 0u);
  const auto start = now_picoseconds();
  driver.reset.set(true);
  driver.reset.set(false);
  EXPECT_EQ(traffic.noc.packets.value(), 0u);
  sc_core::sc_start(5, sc_core::SC_MS);
  traffic.expect_all_done();
  EXPECT_EQ(traffic.noc.packets.value(), 2 * HeavyTraffic::nodes * HeavyTraffic::count - before);
  for (const auto& link : traffic.noc.links())
    EXPECT_LE(link.busy_ps + link.blocked_ps, static_cast<std::uint64_t>(now_picoseconds() - start))
        << link.name;
}

/// Two requests `gap` apart from an idle network: whether the second gets END_REQ at once. It is made in the
/// first evaluation of its time, or (`later`) when all others have run.
TEST(Noc, EndsOfRequestsDoNotDependOnTheOrderOfProcesses) {
  Noc noc("noc", mesh(2, 1));
  Memory memory("memory");
  auto& target = noc.add_target("memory", 1, 0);
  target.bind(memory.socket);
  noc.map(0, 0x10000, target);
  Sender sender("sender", 1, 1, 0);
  sender.socket.bind(noc.add_initiator("sender", 0, 0));
  std::vector<bool> ends[2];
  sc_core::sc_event go;
  int pauses = 0;
  bool later = false;
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.set_sensitivity(&go);
  options.dont_initialize();
  sc_core::sc_spawn(
      [&] {
        if (pauses-- > 0) return go.notify(sc_core::SC_ZERO_TIME);
        auto& p = sender.pool.acquire(tlm::TLM_WRITE_COMMAND, 0, 256);
        std::memset(p.get_data_ptr(), 1, 256);
        tlm::tlm_phase phase = tlm::BEGIN_REQ;
        auto delay = sc_core::SC_ZERO_TIME;
        ends[later].push_back(sender.socket->nb_transport_fw(p, phase, delay) != tlm::TLM_ACCEPTED);
      },
      "request", &options);
  sc_core::sc_spawn([&] {
    const sc_core::sc_time after(1, sc_core::SC_PS);
    sc_core::wait(after);
    for (later = false;; later = true) {
      for (int gap = 1; gap <= 20; ++gap)
        for (const auto wait : {200, gap}) {
          pauses = later ? 3 : 0;
          go.notify(sc_core::sc_time(wait, sc_core::SC_NS) - after);
          sc_core::wait(go);
          sc_core::wait(after);
        }
      if (later) return;
    }
  });
  sc_core::sc_start(20, sc_core::SC_US);
  EXPECT_EQ(ends[0].size(), 40u);
  EXPECT_EQ(ends[0], ends[1]);
  EXPECT_FALSE(ends[0][1]);
  EXPECT_TRUE(ends[0].back());
}

TEST(Noc, UnmappedAddressesAndCrossingsAreRefused) {
  Noc noc("noc", mesh(2, 1));
  Memory first("first"), second("second");
  auto &a = noc.add_target("first", 0, 0), &b = noc.add_target("second", 1, 0);
  a.bind(first.socket);
  b.bind(second.socket);
  noc.map_interleaved(0x1000, 0x1000, 256, {&a, &b});
  EXPECT_THROW(noc.map(0x1800, 0x10, a), std::invalid_argument) << "within another window";
  EXPECT_THROW(noc.map(0x0, 0x1001, a), std::invalid_argument) << "reaches into the next window";
  noc.map(0x2000, 0x10, b);
  Host host("host");
  auto& socket = host.socket;
  socket.bind(noc.add_initiator("host", 0, 0));
  const auto status = [&](std::uint64_t address, unsigned length) {
    static std::array<unsigned char, 512> data{};
    tlm::tlm_generic_payload p;
    p.set_read();
    p.set_address(address);
    p.set_data_ptr(data.data());
    p.set_data_length(length);
    p.set_streaming_width(length);
    auto delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(p, delay);
    return p.get_response_status();
  };
  bool done = false;
  sc_core::sc_spawn([&] {
    EXPECT_EQ(status(0x1000, 256), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(status(0x10f0, 32), tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(status(0x2000, 4), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(status(0x2010, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(status(0xffc, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(status(0x1fff, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
    done = true;
  });
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_TRUE(done);
}

}  // namespace

TEST(Noc, EndsWithPacketsOnTheirWay) {
  struct Kept {
    std::unique_ptr<Noc> noc;
    std::unique_ptr<Memory> memory;
    std::unique_ptr<Sender> sender;
    bool network_first;
  };
  std::vector<Kept> benches;
  for (const bool network_first : {false, true}) {
    auto noc = std::make_unique<Noc>(sc_core::sc_gen_unique_name("noc"), NocParameters{});
    auto memory = std::make_unique<Memory>(sc_core::sc_gen_unique_name("memory"));
    auto sender = std::make_unique<Sender>(sc_core::sc_gen_unique_name("sender"), 0u, 1u, 100u);
    auto& target = noc->add_target("memory", 0, 0);
    target.bind(memory->socket);
    noc->map(0, 0x10000, target);
    sender->socket.bind(noc->add_initiator("sender", 3, 3));
    benches.push_back({std::move(noc), std::move(memory), std::move(sender), network_first});
  }
  sc_core::sc_start(20, sc_core::SC_NS);
  for (auto& bench : benches) {
    EXPECT_GT(bench.sender->in_flight, 0u);
    if (bench.network_first) bench.noc.reset();
    bench.sender.reset();
    bench.noc.reset();
  }
}
