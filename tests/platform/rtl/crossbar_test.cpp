// SPDX-License-Identifier: Apache-2.0
// The AXI4 crossbar of ip/noc/rtl between random initiators and late memories, with stalls on all channels.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/mapped_block.hpp"
#include "platform/rtl/noc.hpp"
#include "platform/rtl/verilate.hpp"
#include "tests/ip/cosim/bench.hpp"

namespace forerun::rtl {
namespace {

using namespace ip::cosim;

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

constexpr unsigned subordinates = 3, managers = 4, refused = 2;  // the port whose addresses are nobody's
constexpr std::uint64_t granule = 512, slice = 0x10000;

/// Pieces of 512 bytes of each initiator's addresses go to targets as if drawn.
std::uint64_t spread(unsigned initiator, std::uint64_t offset) {
  const auto piece = offset / granule;
  const auto target = (piece * 2654435761u >> 7) % managers;
  return target << 48 | (initiator * slice + offset);
}

struct Bench {
  /// @param ids that initiators use, all on this many; 0: 16
  Bench(const std::string& model, double share, unsigned seed, unsigned ids)
      : block(std::make_shared<SharedModel>(model)), clock("clock", {.period = {1000}}) {
    clock.add(static_cast<RtlBlock&>(block));
    clock.add_reset(block.reset);
    const StallParameters stall{.share = share, .seed = seed, .run_cycles = 1 + seed % 3};
    for (auto& face : block.interfaces()) {
      auto& pins = face->axi_pins;
      const auto* name = face->map.name.c_str();
      auto& checker = *checkers.emplace_back(std::make_unique<AxiChecker>(face->axi, name));
      clock.add(pins);
      clock.watch([&](std::uint64_t cycle) { checker.sample(pins, cycle); });
      if (face->map.role == Role::manager) {
        auto& in = *targets.emplace_back(std::make_unique<AxiToTlm>(
            name, clock, pins,
            AxiToTlmParameters{.shape = face->axi, .subordinate = {.stall = stall, .interleave = true}}));
        auto& memory = *memories.emplace_back(std::make_unique<LateMemory>(
            sc_core::sc_gen_unique_name("memory"), subordinates * slice, share > 0 ? 90'000 : 20'000, seed));
        in.socket.bind(
            strips.emplace_back(std::make_unique<Strip>(sc_core::sc_gen_unique_name("strip")))->in);
        strips.back()->out.bind(memory.socket);
        continue;
      }
      const auto number = static_cast<unsigned>(initiators.size() + lists.size());
      auto& out = *bridges.emplace_back(std::make_unique<TlmToAxi>(
          name, clock, pins,
          TlmToAxiParameters{.shape = face->axi,
                             .manager = {.stall = stall},
                             .ids = ids,
                             .translate = [number](std::uint64_t address) {
                               return number == refused ? address : spread(number, address);
                             }}));
      if (number == refused) {
        auto& list = *lists.emplace_back(std::make_unique<ListInitiator>("list"));
        for (std::uint64_t i = 0; i < 40; ++i) {
          const auto address =
              (i % 2 == 0 ? std::uint64_t{managers} : std::uint64_t{0xffff}) << 48 | (i * 64);
          list.list.push_back(Write(address, counting(1 + i * 5)).gets(tlm::TLM_ADDRESS_ERROR_RESPONSE));
          list.list.push_back(Read(address, ByteList(1 + i * 7)).gets(tlm::TLM_ADDRESS_ERROR_RESPONSE));
        }
        list.socket.bind(out.socket);
        continue;
      }
      auto& initiator = *initiators.emplace_back(std::make_unique<RandomInitiator>(
          sc_core::sc_gen_unique_name("initiator"), RandomInitiator::Settings{.size = 0x4000,
                                                                              .count = 1500,
                                                                              .longest = 300,
                                                                              .seed = seed * 10 + number,
                                                                              .granule = granule}));
      initiator.socket.bind(out.socket);
    }
  }
  /// Takes the target's number from the address.
  struct Strip : sc_core::sc_module {
    explicit Strip(const sc_core::sc_module_name& name) : sc_module(name) {
      in.register_nb_transport_fw(this, &Strip::fw);
      out.register_nb_transport_bw(this, &Strip::bw);
    }
    tlm::tlm_sync_enum fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
      payload.set_address(payload.get_address() & ((std::uint64_t{1} << 48) - 1));
      return out->nb_transport_fw(payload, phase, delay);
    }
    tlm::tlm_sync_enum bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
      return in->nb_transport_bw(payload, phase, delay);
    }
    tlm_utils::simple_target_socket<Strip> in{"in"};
    tlm_utils::simple_initiator_socket<Strip> out{"out"};
  };
  std::uint64_t broken_rules() const {
    std::uint64_t sum = 0;
    for (const auto& checker : checkers) sum += checker->log().total();
    return sum;
  }

  MappedBlock block;
  PinClock clock;
  std::vector<std::unique_ptr<AxiChecker>> checkers;
  std::vector<std::unique_ptr<AxiToTlm>> targets;
  std::vector<std::unique_ptr<TlmToAxi>> bridges;
  std::vector<std::unique_ptr<LateMemory>> memories;
  std::vector<std::unique_ptr<Strip>> strips;
  std::vector<std::unique_ptr<RandomInitiator>> initiators;
  std::vector<std::unique_ptr<ListInitiator>> lists;
};

std::string sound() {
  chip::Chip chip;
  chip.noc.link_width = {16};
  return noc_model(chip, subordinates, managers, Waves::none);
}

void expect_carried(double share, unsigned seed, unsigned ids) {
  Bench bench(sound(), share, seed, ids);
  sc_core::sc_start(2, sc_core::SC_MS);
  for (const auto& initiator : bench.initiators) {
    EXPECT_TRUE(initiator->finished())
        << initiator->sent << " sent, " << initiator->under_way.size() << " under way";
    EXPECT_EQ(initiator->mismatches, 0u);
    EXPECT_EQ(initiator->errors, 0u);
    EXPECT_GT(initiator->most_under_way, 4u);
    if (ids != 1) {
      EXPECT_GT(initiator->overtakings, 10u) << "answers come out of order";
    }
  }
  EXPECT_TRUE(bench.lists.front()->finished);
  EXPECT_EQ(bench.broken_rules(), 0u);
  for (const auto& memory : bench.memories) EXPECT_GT(memory->seen.size(), 200u);
  EXPECT_TRUE(bench.block.idle()) << "the clock may stand";
}

TEST(Crossbar, CarriesRandomTransactions) { expect_carried(0, 1, 0); }
TEST(Crossbar, CarriesThemWithStallsAndFewIds) { expect_carried(0.4, 2, 2); }
TEST(Crossbar, CarriesThemWithLongStallsAndOneId) { expect_carried(0.7, 5, 1); }

TEST(Crossbar, APlantedFaultInTheOrderOfAnswersIsFound) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("forerun-crossbar-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path rtl = FORERUN_SOURCE_DIR "/ip/noc/rtl";
  VerilateRequest request;
  request.top = "axi_crossbar";
  for (const auto* file : {"stage", "queue", "arbiter", "choice", "refusal", "crossbar"})
    request.sources.push_back(rtl / ("axi_" + std::string(file) + ".sv"));
  auto text = read_text(rtl / "axi_orders.sv");
  const std::string kept = "(where[id] == target && ";
  ASSERT_NE(text.find(kept), std::string::npos);
  text.replace(text.find(kept), kept.size(), "(");
  write_text(folder / "axi_orders.sv", text);
  request.sources.push_back(folder / "axi_orders.sv");
  request.parameters = {{"S", "3"}, {"M", "4"}, {"DATA", "128"}};
  request.arguments = {"-Wno-UNUSEDSIGNAL"};
  request.pins =
      "idle: idle\ninterfaces:\n  s: {protocol: axi4, role: subordinate, count: 3, prefix: s_, suffix: \"[{n}]\"}\n"
      "  m: {protocol: axi4, role: manager, count: 4, prefix: m_, suffix: \"[{n}]\"}\n";
  Bench bench(verilated(request).string(), 0.4, 2, 1);  // one ID for all: their answers must come in order
  std::filesystem::remove_all(folder);
  sc_core::sc_start(2, sc_core::SC_MS);
  unsigned wrong = 0;
  for (const auto& initiator : bench.initiators)
    wrong += initiator->mismatches + (initiator->finished() ? 0 : 1);
  EXPECT_GT(wrong + bench.broken_rules(), 0u);
}

}  // namespace
}  // namespace forerun::rtl
