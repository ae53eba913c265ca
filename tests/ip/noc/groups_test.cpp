// SPDX-License-Identifier: Apache-2.0
/// Sockets of the network beyond plain traffic: both models, all topologies, groups, clock crossings,
/// annotated delays.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ip/base/numbers.hpp"
#include "tests/ip/noc/sockets.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::tests;

namespace {

class Sockets : public testing::TestWithParam<Case> {
 protected:
  NocParameters p() const { return parameters(GetParam().model, GetParam().topology); }
};
INSTANTIATE_TEST_SUITE_P(All, Sockets, testing::ValuesIn(cases()), case_name);

TEST_P(Sockets, AnswerInTheClosedFormOfBothPackets) {
  Chip chip(p(), {}, sc_core::sc_time(7, sc_core::SC_NS));
  chip.ports[1]->read(14 * 0x10000, 256);
  sc_core::sc_start(1, sc_core::SC_US);
  ASSERT_EQ(chip.ports[1]->answers.size(), 1u);
  const auto& graph = chip.network.graph();
  const auto there = zero_load_cycles(graph, 3, 28, 1), back = zero_load_cycles(graph, 28, 3, 5);
  EXPECT_EQ(chip.ports[1]->answers[0].ps, (there + 7 + back) * 1000);
  EXPECT_EQ(chip.network.packets.value(), 2u);
}

TEST_P(Sockets, ReachAllMembersOfAMulticastAndAnswerOnce) {
  Chip chip(p());
  chip.group({0, 3, 5, 6, 12, 15}, 0, noc::Element::f32);
  const std::string text = "operands that all share";
  chip.ports[9]->write(Chip::all + 0x20, text.data(), static_cast<unsigned>(text.size()));
  chip.memories[12]->delay = sc_core::sc_time(100, sc_core::SC_NS);
  sc_core::sc_start(2, sc_core::SC_US);
  ASSERT_EQ(chip.ports[9]->answers.size(), 1u) << chip.network.describe_stall();
  EXPECT_EQ(chip.ports[9]->answers[0].status, tlm::TLM_OK_RESPONSE);
  EXPECT_GT(chip.ports[9]->answers[0].ps, 100'000) << "the slowest member has answered";
  for (unsigned i = 0; i < 16; ++i) {
    const bool member = i == 0 || i == 3 || i == 5 || i == 6 || i == 12 || i == 15;
    EXPECT_EQ(chip.memories[i]->writes, member ? 1u : 0u);
    if (!member) continue;
    EXPECT_EQ(std::memcmp(chip.memories[i]->bytes.data() + 0x100 * i + 0x20, text.data(), text.size()), 0);
  }
  chip.memories[5]->status = tlm::TLM_GENERIC_ERROR_RESPONSE;
  chip.ports[9]->write(Chip::all, text.data(), 4);
  chip.ports[2]->read(Chip::all, 4);
  sc_core::sc_start(2, sc_core::SC_US);
  EXPECT_EQ(chip.ports[9]->answers.back().status, tlm::TLM_GENERIC_ERROR_RESPONSE) << "one member failed";
  EXPECT_EQ(chip.ports[2]->answers.back().status, tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST_P(Sockets, SumWhatAllMembersWrite) {
  Chip chip(p());
  const std::vector<unsigned> members{0, 3, 5, 6, 12, 15};
  chip.group(members, 10, noc::Element::f32);
  for (unsigned round = 0; round < 3; ++round)
    for (const auto m : members) {
      const float values[] = {static_cast<float>(m), 0.5f, static_cast<float>(round)};
      chip.ports[m]->write(Chip::sum + 0x40, values, sizeof values);
    }
  const float late = 1;
  chip.ports[1]->write(Chip::sum, &late, 4);
  sc_core::sc_start(5, sc_core::SC_US);
  EXPECT_EQ(chip.memories[10]->writes, 3u) << chip.network.describe_stall();
  EXPECT_EQ(chip.memories[10]->at<float>(0x8040), 41.0f);
  EXPECT_EQ(chip.memories[10]->at<float>(0x8044), 3.0f);
  EXPECT_EQ(chip.memories[10]->at<float>(0x8048), 12.0f) << "rounds do not mix";
  for (const auto m : members) EXPECT_EQ(chip.ports[m]->answers.size(), 3u);
  EXPECT_EQ(chip.ports[1]->answers.at(0).status, tlm::TLM_COMMAND_ERROR_RESPONSE) << "no member";
}

TEST_P(Sockets, SumIntoTargetsThatShareAMemory) {
  Chip chip(p());
  const std::vector<const Noc::Target*> targets{chip.targets[2], chip.targets[7], chip.targets[13]};
  const std::vector<const Noc::Initiator*> members{chip.initiators[0], chip.initiators[6],
                                                   chip.initiators[15]};
  chip.network.map_reduction_interleaved(Chip::sum, 0x1000, 0x400, 0x100, targets, members,
                                         noc::Element::i32);
  for (const auto m : {0u, 6u, 15u}) {
    for (std::uint64_t at = 0; at < 0x400; at += 0x100) {
      const std::int32_t value = static_cast<std::int32_t>(m * 1000 + at);
      chip.ports[m]->write(Chip::sum + at + 4, &value, 4);
    }
    const std::int64_t beyond = 0;
    chip.ports[m]->write(Chip::sum + 0xfc, &beyond, 8);
  }
  sc_core::sc_start(5, sc_core::SC_US);
  // Pieces 4, 5, 6 and 7 of the memory: the second target holds the first and the last of them.
  EXPECT_EQ(chip.memories[7]->at<std::int32_t>(0x404), 21000) << chip.network.describe_stall();
  EXPECT_EQ(chip.memories[13]->at<std::int32_t>(0x504), 21000 + 3 * 0x100);
  EXPECT_EQ(chip.memories[2]->at<std::int32_t>(0x604), 21000 + 3 * 0x200);
  EXPECT_EQ(chip.memories[7]->at<std::int32_t>(0x704), 21000 + 3 * 0x300);
  for (const auto m : {0u, 6u, 15u}) {
    EXPECT_EQ(chip.ports[m]->answers.size(), 5u);
    const auto refused = std::count_if(
        chip.ports[m]->answers.begin(), chip.ports[m]->answers.end(),
        [](const Port::Answer& answer) { return answer.status == tlm::TLM_BURST_ERROR_RESPONSE; });
    EXPECT_EQ(refused, 1) << "a write across two targets";
  }
}

TEST_P(Sockets, AnswerContributionsThatWaitWithAnErrorAtAReset) {
  Chip chip(p());
  const std::vector<unsigned> members{0, 3, 5, 12};
  chip.group(members, 10, noc::Element::i32);
  const std::int32_t one = 1, ten = 10;
  for (const auto m : {0u, 3u, 12u}) chip.ports[m]->write(Chip::sum, &one, 4);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_TRUE(chip.ports[0]->answers.empty()) << "one member has not written";
  chip.ports[3]->write(Chip::sum, &one, 4);  // under way when the reset comes
  chip.network.reset_line->set_level(true);
  chip.network.reset_line->set_level(false);
  sc_core::sc_start(1, sc_core::SC_US);
  for (const auto m : {0u, 3u, 12u}) {
    ASSERT_FALSE(chip.ports[m]->answers.empty()) << chip.network.describe_stall();
    for (const auto& answer : chip.ports[m]->answers)
      EXPECT_EQ(answer.status, tlm::TLM_GENERIC_ERROR_RESPONSE);
  }
  for (const auto m : members) chip.ports[m]->write(Chip::sum, &ten, 4);
  sc_core::sc_start(2, sc_core::SC_US);
  EXPECT_EQ(chip.memories[10]->writes, 1u) << chip.network.describe_stall();
  EXPECT_EQ(chip.memories[10]->at<std::int32_t>(0x8000), 40) << "nothing from before the reset is in the sum";
}

TEST_P(Sockets, TakeTheSameTimeWithoutData) {
  std::vector<std::vector<std::int64_t>> times(2);
  std::vector<std::unique_ptr<Chip>> chips;
  for (const bool timing_only : {false, true}) {
    chips.push_back(std::make_unique<Chip>(p()));
    auto& chip = *chips.back();
    chip.group({0, 3, 5, 6}, 10, noc::Element::bf16);
    std::vector<unsigned char> data(256);
    for (unsigned round = 0; round < 4; ++round)
      for (unsigned m : {0u, 3u, 5u, 6u}) {
        chip.ports[m]->write(Chip::sum, data.data(), 256, timing_only);
        chip.ports[m]->write(Chip::all, data.data(), 200, timing_only);
        chip.ports[m]->write((m + round) % 16 * 0x10000, data.data(), 256, timing_only);
      }
  }
  sc_core::sc_start(10, sc_core::SC_US);
  for (unsigned i = 0; i < 2; ++i)
    for (const auto& port : chips[i]->ports)
      for (const auto& answer : port->answers) times[i].push_back(answer.ps);
  EXPECT_EQ(times[0].size(), 48u);
  EXPECT_EQ(times[0], times[1]);
}

class BothModels : public testing::TestWithParam<noc::Model> {};
std::string model_name(const testing::TestParamInfo<noc::Model>& which) {
  return which.param == noc::Model::flit ? "flit" : "packet";
}
INSTANTIATE_TEST_SUITE_P(Both, BothModels, testing::Values(noc::Model::packet, noc::Model::flit), model_name);

TEST_P(BothModels, CrossClocksInWholeCyclesOfTheReceiver) {
  noc::EndpointParameters endpoint;
  endpoint.clock = {800e6};  // 1250 ps
  endpoint.synchroniser_stages = 2;
  Chip chip(parameters(GetParam()), endpoint);
  chip.ports[0]->read(15 * 0x10000, 64);
  sc_core::sc_start(1, sc_core::SC_US);
  ASSERT_EQ(chip.ports[0]->answers.size(), 1u);
  const auto edge = [](std::int64_t ps) { return (ps + 1249) / 1250 * 1250; };
  // 7 routers; 2 cycles of synchroniser into the network; out of it the next edge and 2 slower cycles.
  const auto request = edge((2 + 6 + 4 * 6) * 1000) + 2500;
  const auto start = (request + 999) / 1000 * 1000;
  // The second flit follows at the pace of the slower clock, 1.25 cycles, which is 2 whole ones.
  const auto response = edge(start + (2 + 6 + 4 * 6 + 2) * 1000) + 2500;
  EXPECT_EQ(chip.ports[0]->answers[0].ps, response);
}

TEST_P(BothModels, AnswerPostedWritesWithoutAPacket) {
  auto p = parameters(GetParam());
  p.virtual_networks = 1, p.virtual_channels = 4;
  Chip chip(p);
  std::vector<unsigned char> data(256);
  for (unsigned i = 0; i < 3; ++i) chip.ports[1]->write(14 * 0x10000, data.data(), 256, false, true);
  sc_core::sc_start(1, sc_core::SC_US);
  ASSERT_EQ(chip.ports[1]->answers.size(), 3u);
  const auto alone = zero_load_cycles(chip.network.graph(), 3, 28, 5);
  for (unsigned i = 0; i < 3; ++i)
    EXPECT_EQ(chip.ports[1]->answers[i].ps, (alone + 5 * i) * 1000) << "packets leave one behind the other";
  EXPECT_EQ(chip.network.packets.value(), 3u);
}

TEST_P(BothModels, NameTheEndpointThatTakesNothing) {
  auto p = parameters(GetParam());
  p.buffer_flits = 2;
  Chip chip(p);
  chip.memories[3]->takes = false;
  std::vector<unsigned char> data(256);
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned m = 0; m < 3; ++m) chip.ports[m]->write(3 * 0x10000, data.data(), 256);
  sc_core::sc_start(10, sc_core::SC_US);
  const auto text = chip.network.describe_stall();
  EXPECT_NE(text.find("memory3 has not taken a request from port"), std::string::npos) << text;
  EXPECT_NE(text.find("for (2,0)->(3,0)"), std::string::npos) << text;
}

TEST_P(BothModels, LetLooseTimingReachGroupsToo) {
  auto p = parameters(GetParam());
  p.timing = Timing::loose;
  Chip chip(p);
  chip.group({1, 2}, 3, noc::Element::i32);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto write = [&](unsigned from, std::uint64_t address, std::int32_t value) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    auto delay = sc_core::SC_ZERO_TIME;
    chip.ports[from]->socket->b_transport(payload, delay);
    EXPECT_TRUE(payload.is_response_ok());
    return delay;
  };
  EXPECT_GT(write(0, Chip::all, 5), sc_core::SC_ZERO_TIME);
  EXPECT_EQ(chip.memories[1]->at<std::int32_t>(0x100), 5);
  EXPECT_EQ(chip.memories[2]->at<std::int32_t>(0x200), 5);
  write(1, Chip::sum + 8, 30);
  EXPECT_EQ(chip.memories[3]->writes, 0u);
  write(2, Chip::sum + 8, 12);
  EXPECT_EQ(chip.memories[3]->at<std::int32_t>(0x8008), 42);
}

TEST_P(BothModels, RoundSumsInLooseTimingAsOnTheTree) {
  // Numbers whose sum depends on the order of the additions; each member writes twice before the next does.
  const std::vector<unsigned> members{0, 3, 5, 6, 9, 12, 15};
  std::vector<std::unique_ptr<Chip>> chips;
  for (const auto timing : {Timing::approximate, Timing::loose}) {
    auto p = parameters(GetParam());
    p.timing = timing;
    chips.push_back(std::make_unique<Chip>(p));
    chips.back()->group(members, 10, noc::Element::f32);
  }
  using Values = std::array<float, 64>;
  const auto values = [](unsigned member, unsigned round) {
    Values v;
    for (unsigned i = 0; i < v.size(); ++i)
      v[i] = (member % 2 == 0 ? 1e4f : -1e4f) / static_cast<float>(1 + member * (round + 1) + i);
    return v;
  };
  constexpr unsigned both = 0x400;  // written in each round
  for (const auto m : members)
    for (unsigned round = 0; round < 2; ++round) {
      const auto v = values(m, round);
      for (const auto at : {0x200 * round, both})
        chips[0]->ports[m]->write(Chip::sum + at, v.data(), sizeof v);
    }
  sc_core::sc_start(5, sc_core::SC_US);
  for (const auto m : members)
    for (unsigned round = 0; round < 2; ++round)
      for (const auto at : {0x200 * round, both}) {
        auto v = values(m, round);
        tlm::tlm_generic_payload payload;
        payload.set_write();
        payload.set_address(Chip::sum + at);
        payload.set_data_ptr(reinterpret_cast<unsigned char*>(v.data()));
        payload.set_data_length(sizeof v);
        payload.set_streaming_width(sizeof v);
        auto delay = sc_core::SC_ZERO_TIME;
        chips[1]->ports[m]->socket->b_transport(payload, delay);
        EXPECT_TRUE(payload.is_response_ok());
      }
  for (const auto& chip : chips) EXPECT_EQ(chip->memories[10]->writes, 4u);
  for (const auto at : {0x8000u, 0x8200u, 0x8000u + both})
    EXPECT_EQ(chips[0]->memories[10]->at<Values>(at), chips[1]->memories[10]->at<Values>(at));
  Values straight{};
  for (const auto m : members)
    for (unsigned i = 0; i < straight.size(); ++i) straight[i] += values(m, 0)[i];
  EXPECT_NE(chips[1]->memories[10]->at<Values>(0x8000), straight) << "the order matters here";
}

TEST(NocElements, AreAddedInTheirOwnType) {
  const auto half = [](float a, float b) {
    std::uint16_t x = to_half(a), y = to_half(b);
    noc::add_elements(noc::Element::f16, reinterpret_cast<unsigned char*>(&x),
                      reinterpret_cast<unsigned char*>(&y), 2);
    return from_half(x);
  };
  EXPECT_EQ(half(2048, 1), 2048.0f) << "11 bits of mantissa, ties to even";
  EXPECT_EQ(half(2048, 3), 2052.0f);
  std::uint16_t x = to_bfloat(256), y = to_bfloat(1);
  noc::add_elements(noc::Element::bf16, reinterpret_cast<unsigned char*>(&x),
                    reinterpret_cast<unsigned char*>(&y), 2);
  EXPECT_EQ(from_bfloat(x), 256.0f);
}

}  // namespace
