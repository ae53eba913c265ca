// SPDX-License-Identifier: Apache-2.0
// Multicast windows of the network under load: links, time, room in units, and that nothing locks up.
#include <gmock/gmock.h>

#include <array>
#include <random>

#include "tests/ip/noc/sockets.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::tests;

namespace {

class Multicast : public testing::TestWithParam<Case> {
 protected:
  NocParameters p() const { return parameters(GetParam().model, GetParam().topology); }
};
INSTANTIATE_TEST_SUITE_P(All, Multicast, testing::ValuesIn(cases()), case_name);

/// Windows of 64 KiB at Chip::all: what is written to them begins at 0 in each member.
void map_windows(Chip& chip, const std::vector<std::vector<unsigned>>& windows) {
  for (std::uint64_t i = 0; i < windows.size(); ++i) {
    std::vector<Noc::Member> members;
    for (const auto m : windows[i]) members.push_back({chip.targets[m], 0});
    chip.network.map_multicast(Chip::all + i * 0x10000, 0x10000, members);
  }
}

std::vector<unsigned> all_but(unsigned one) {
  std::vector<unsigned> members;
  for (unsigned i = 0; i < 16; ++i)
    if (i != one) members.push_back(i);
  return members;
}

TEST_P(Multicast, CrossesEachLinkOnce) {
  Chip chip(p());
  map_windows(chip, {all_but(5)});
  chip.ports[5]->write(Chip::all, nullptr, 256, true);
  sc_core::sc_start(5, sc_core::SC_US);
  ASSERT_EQ(chip.ports[5]->answers.size(), 1u) << chip.network.describe_stall();
  unsigned between_routers = 0, to_members = 0;
  for (const auto& link : chip.network.links()) {
    // Requests have five flits, responses one.
    const auto requests = (link.flits - link.packets) / 4;
    if (link.name.find("unit") != std::string::npos) continue;
    EXPECT_LE(requests, 1u) << link.name;
    const auto to = link.name.substr(link.name.find("->") + 2);
    if (to.starts_with("memory"))
      to_members += static_cast<unsigned>(requests);
    else if (!link.name.starts_with("port"))
      between_routers += static_cast<unsigned>(requests);
  }
  EXPECT_EQ(to_members, 15u);
  if (GetParam().topology == noc::Topology::mesh) {
    EXPECT_EQ(between_routers, 15u) << "a tree over 16 routers";
  }
}

TEST_P(Multicast, AnswersAllWhateverElseIsUnderWay) {
  auto parameters = p();
  parameters.buffer_flits = 2;
  parameters.unit_buffer = {4096};
  Chip chip(parameters);
  std::mt19937 random(GetParam().topology == noc::Topology::mesh ? 7 : 11);
  std::vector<std::vector<unsigned>> windows{all_but(16)};
  for (unsigned w = 0; w < 7; ++w) {
    std::vector<unsigned> members;
    for (unsigned i = 0; i < 16; ++i)
      if (random() % 3 == 0) members.push_back(i);
    if (members.empty()) members.push_back(w);
    windows.push_back(members);
  }
  map_windows(chip, windows);
  const std::array<unsigned, 4> sizes{4, 64, 1000, 4096};
  constexpr unsigned writes = 40;
  std::vector<unsigned> expected(16);
  for (auto& port : chip.ports)
    for (unsigned i = 0; i < writes; ++i) {
      const auto size = sizes[random() % sizes.size()];
      if (random() % 2 == 0) {
        const auto window = random() % windows.size();
        for (const auto m : windows[window]) ++expected[m];
        port->write(Chip::all + window * 0x10000, nullptr, size, true);
      } else {
        const auto target = random() % 16;
        ++expected[target];
        port->write(target * 0x10000ull, nullptr, size, true);
      }
    }
  sc_core::sc_start(1, sc_core::SC_MS);
  for (unsigned i = 0; i < 16; ++i) {
    EXPECT_EQ(chip.ports[i]->answers.size(), writes) << chip.network.describe_stall();
    EXPECT_EQ(chip.memories[i]->writes, expected[i]);
  }
  EXPECT_GT(chip.network.unit_waits.value(), 0u) << "room was scarce";
  EXPECT_EQ(chip.network.describe_stall(), "");
}

class OnALine : public testing::TestWithParam<noc::Model> {
 protected:
  NocParameters p() const {
    auto line = parameters(GetParam());
    line.columns = 4, line.rows = 1;
    return line;
  }
};
INSTANTIATE_TEST_SUITE_P(Both, OnALine, testing::Values(noc::Model::packet, noc::Model::flit),
                         [](const auto& which) {
                           return std::string(which.param == noc::Model::flit ? "flit" : "packet");
                         });

TEST_P(OnALine, TakesTheTimeOfEachPieceOfItsWay) {
  Chip chip(p());
  map_windows(chip, {{1, 2, 3}});
  chip.ports[0]->write(Chip::all, nullptr, 256, true);
  sc_core::sc_start(1, sc_core::SC_US);
  ASSERT_EQ(chip.ports[0]->answers.size(), 1u);
  // Endpoints: a memory and a port of each place, then two units of each router. Ways part at 1 and at 2.
  const auto memory = [](std::uint32_t place) { return 2 * place; };
  const auto unit = [](std::uint32_t place) { return 8 + 2 * place; };
  const std::uint32_t port = 1;
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 3> way{
      {{port, unit(1)}, {unit(1), unit(2)}, {unit(2), memory(3)}}};
  std::int64_t cycles = 0;
  for (const auto& [from, to] : way)
    cycles += zero_load_cycles(chip.network.graph(), from, to, 5) +
              zero_load_cycles(chip.network.graph(), to, from, 1);
  EXPECT_EQ(chip.ports[0]->answers[0].ps, cycles * 1000);
}

TEST_P(OnALine, IsFasterThanCopies) {
  std::array<std::int64_t, 2> ended{};
  std::vector<std::unique_ptr<Chip>> chips;
  for (const bool window : {true, false}) {
    auto& chip = *chips.emplace_back(std::make_unique<Chip>(p()));
    map_windows(chip, {{1, 2, 3}});
    for (unsigned i = 0; i < 8; ++i)
      for (unsigned to = window ? 3 : 1; to <= 3; ++to)
        chip.ports[0]->write(window ? Chip::all : to * 0x10000ull, nullptr, 4096, true);
  }
  sc_core::sc_start(10, sc_core::SC_US);
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_EQ(chips[i]->ports[0]->answers.size(), i == 0 ? 8u : 24u);
    ended[i] = chips[i]->ports[0]->answers.back().ps;
  }
  // Eight packets of 65 flits and two pieces of the way more, against 24 packets through one link.
  EXPECT_LT(ended[0], 10 * 65 * 1000 + 100'000);
  EXPECT_GT(ended[1], 24 * 65 * 1000);
}

TEST_P(OnALine, WaitsAtItsInitiatorWhereAMemberTakesNothing) {
  auto parameters = p();
  parameters.unit_buffer = {8192};
  Chip chip(parameters);
  map_windows(chip, {{2, 3}});
  chip.memories[3]->takes = false;
  for (unsigned i = 0; i < 12; ++i) chip.ports[0]->write(Chip::all, nullptr, 4096, true);
  for (unsigned i = 0; i < 12; ++i) chip.ports[1]->write(0, nullptr, 64, true);
  sc_core::sc_start(20, sc_core::SC_US);
  EXPECT_TRUE(chip.ports[0]->answers.empty());
  EXPECT_EQ(chip.ports[1]->answers.size(), 12u) << "others go on";
  // The unit holds two; what it has sent to the member that takes nothing is in the buffers on the way.
  EXPECT_GE(chip.memories[2]->writes, 2u);
  EXPECT_LE(chip.memories[2]->writes, 4u);
  EXPECT_THAT(chip.network.describe_stall(),
              testing::HasSubstr("from port0 to address 0x1000000 waits for room"));
}

}  // namespace
