// SPDX-License-Identifier: Apache-2.0
// In-line ECC: the bursts into which a stack cuts requests, each at the tick of the plain scheduler of
// oracle.hpp, which is given bursts cut by the rule of docs/memory-system.md.
#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <map>
#include <random>

#include "ip/base/payload.hpp"
#include "ip/base/sparse_memory.hpp"
#include "ip/hbm/hbm_stack.hpp"
#include "tests/ip/hbm/oracle.hpp"

namespace forerun::ip {
namespace {

struct Request {
  std::uint64_t address;
  std::uint32_t bytes;
  bool write;
  std::int64_t wait;                     ///< cycles after the request before it has been accepted
  std::int64_t offered = -1, done = -1;  ///< cycles
};

/// Sends requests one after the other, and notes when their last bursts have passed.
struct Sender : sc_core::sc_module {
  Sender(const sc_core::sc_module_name& name, std::vector<Request> list, Clock clock)
      : sc_module(name), requests(std::move(list)), clock_(clock) {
    socket.register_nb_transport_bw(this, &Sender::nb_transport_bw);
    sc_core::sc_spawn([this] { send(); }, sc_core::sc_gen_unique_name("send"));
  }
  tlm_utils::simple_initiator_socket<Sender> socket{"socket"};
  std::vector<Request> requests;

 private:
  void send() {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto& r = requests[i];
      if (r.wait > 0) wait(clock_.cycles(r.wait));
      auto& payload =
          pool_.acquire(r.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, r.address, r.bytes);
      index_[&payload] = i;
      r.offered = clock_.ps_to_cycles(now_picoseconds());
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      auto delay = sc_core::SC_ZERO_TIME;
      if (socket->nb_transport_fw(payload, phase, delay) == tlm::TLM_ACCEPTED) wait(accepted_);
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) {
    if (phase == tlm::END_REQ) {
      accepted_.notify();
      return tlm::TLM_ACCEPTED;
    }
    EXPECT_TRUE(payload.is_response_ok());
    requests[index_.at(&payload)].done = clock_.ps_to_cycles(now_picoseconds() + to_picoseconds(delay));
    payload.release();
    return tlm::TLM_COMPLETED;
  }

  Clock clock_;
  PayloadPool pool_{4096};
  sc_core::sc_event accepted_;
  std::map<const tlm::tlm_generic_payload*, std::size_t> index_;
};

hbm::Parameters parameters(std::mt19937_64& random) {
  hbm::Parameters p;
  p.channels = 1;
  p.ports = 1;
  p.rows = 1024;
  p.ecc = hbm::Ecc::in_line;
  p.ecc_data_bursts = std::array{1u, 3u, 8u, 16u}[random() % 4];
  p.queue_depth = std::array{4u, 8u, 16u, 64u, 1000u}[random() % 5];
  using F = hbm::Field;
  p.address = hbm::plain_masks(
      p, std::array{F::pseudo_channel, F::bank_group, F::bank, F::rank, F::column, F::row, F::channel});
  p.timings.half_cycle_rows = random() % 2 == 0;
  p.power_down_cycles = random() % 2 == 0 ? 100 : 0;
  p.timings.tXP = 13, p.timings.tCKE = 13, p.timings.tXS = 576;
  p.self_refresh_cycles = random() % 3 == 0 ? 900 : 0;
  return p;
}

std::vector<Request> requests(std::mt19937_64& random, std::uint64_t capacity) {
  std::vector<Request> list;
  std::uint64_t address = 0;
  while (list.size() < 200) {
    if (random() % 3 == 0) address = random() % (capacity - 8192);
    const auto bytes =
        static_cast<std::uint32_t>(random() % 2 == 0 ? 1 + random() % 64 : 1 + random() % 2048);
    const auto wait = random() % 20 == 0 ? random() % 4000 : random() % 30;
    list.push_back({address, bytes, random() % 2 == 0, static_cast<std::int64_t>(wait)});
    address += bytes;
  }
  return list;
}

/// Data bursts and, behind those of each group, its check burst; one more to read before a write that leaves
/// a part of the group as it was.
std::vector<hbm::Burst> cut(const Request& r, std::uint32_t owner, const hbm::Parameters& p,
                            const hbm::AddressMap& map) {
  const auto size = p.burst_bytes.count, group = std::uint64_t{p.ecc_data_bursts} * size;
  std::vector<hbm::Burst> bursts;
  const auto add = [&](std::uint64_t address, bool write, bool check) {
    const auto place = map.place(address);
    bursts.push_back({owner, place.unit(), place.row(), write, check, false});
  };
  const auto begin = r.address / size * size, end = (r.address + r.bytes + size - 1) / size * size;
  for (auto first = begin; first < end;) {
    const auto behind = std::min(end, (first / group + 1) * group);
    for (auto at = first; at < behind; at += size) add(at, r.write, false);
    if (r.write && behind - first < group) add(behind - size, false, true);
    add(behind - size, r.write, true);
    first = behind;
  }
  return bursts;
}

class HbmInLineEcc : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, HbmInLineEcc, testing::Range<std::uint64_t>(1, 41));

TEST_P(HbmInLineEcc, PassesEveryBurstAtTheTickOfTheOracle) {
  const auto seed = GetParam();
  std::mt19937_64 random(seed);
  const auto p = parameters(random);
  SparseMemory store(std::uint64_t{p.pseudo_channels} * p.bank_groups * p.banks_per_group * p.rows *
                     p.row_bytes.count);
  HbmStack stack(sc_core::sc_gen_unique_name("stack"), p, store);
  Sender sender(sc_core::sc_gen_unique_name("sender"), requests(random, store.size()), Clock(p.clock));
  sender.socket.bind(stack.port[0]);
  sc_core::sc_start(1, sc_core::SC_MS);

  const hbm::AddressMap map(p);
  const hbm::Tick per_cycle = p.timings.half_cycle_rows ? 2 : 1;
  hbm::Oracle oracle(p);
  std::uint64_t checks = 0;
  for (std::uint32_t i = 0; i < sender.requests.size(); ++i) {
    ASSERT_GE(sender.requests[i].done, 0) << "seed " << seed << ", request " << i << " was not answered";
    for (const auto& burst : cut(sender.requests[i], i, p, map)) {
      oracle.offer(burst, sender.requests[i].offered * per_cycle);
      checks += burst.check;
    }
  }
  for (hbm::Tick now = 0; !oracle.empty(); ++now) oracle.tick(now);
  std::vector<hbm::Tick> done(sender.requests.size());
  for (const auto& d : oracle.done) done[d.owner] = std::max(done[d.owner], d.when);
  for (std::size_t i = 0; i < done.size(); ++i)
    ASSERT_EQ(sender.requests[i].done, (done[i] + per_cycle - 1) / per_cycle)
        << "seed " << seed << ", request " << i;
  EXPECT_EQ(stack.statistics(0).check_bursts, checks) << "seed " << seed;
}

}  // namespace
}  // namespace forerun::ip
