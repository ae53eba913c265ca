// SPDX-License-Identifier: Apache-2.0
// The DMA engine in another process, against the same in this one: the same bytes, at the same times; and
// peers that fail.
#include <chrono>
#include <iostream>

#include "tests/ip/cosim/remote/bench.hpp"

using namespace forerun::rtl;
using testing::HasSubstr;

namespace {

TEST(Remote, IsTheSameAsInThisProcessOverTcp) {
  Remote remote(link_parameters("tcp:127.0.0.1:0"));
  Local local;
  Process process(REMOTE_DMA, {remote.link.address(), "run"});
  remote.link.join();
  sc_core::sc_start(5, sc_core::SC_MS);
  expect_same(remote, local);
  std::cout << remote.link.cycles.value() << " cycles in " << remote.link.exchanges.value() << " exchanges\n";
  EXPECT_GT(remote.link.cycles.value(), 3000u);
}

/// Answers come late: for hundreds of cycles nothing else happens, and the block is not asked.
TEST(Remote, RunsAheadAndIsStillTheSame) {
  constexpr std::int64_t longest_ps = 2'000'000;
  const auto expected = local_notes(longest_ps);
  ASSERT_THAT(expected.substr(0, 9), "finished\n");
  Remote remote(link_parameters(unix_address()));
  remote.memory.longest = longest_ps;
  Process process(REMOTE_DMA, {remote.link.address(), "run"});
  const auto begin = std::chrono::steady_clock::now();
  sc_core::sc_start(5, sc_core::SC_MS);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(notes(remote.driver, remote.memory) == expected);
  EXPECT_LT(remote.link.exchanges.value() * 20, remote.link.cycles.value());
  std::cout << remote.link.cycles.value() << " cycles in " << remote.link.exchanges.value() << " exchanges, "
            << took.count() << " s\n";
}

/// The chip ends first: the block's program is told, and ends too.
TEST(Remote, TheBlockEndsWithTheChip) {
  auto remote = std::make_unique<RemoteLink>("alone", *new PinClock("clock", {.period = {period_ps}}),
                                             link_parameters("tcp:localhost:0"));
  Process process(REMOTE_DMA, {remote->address(), "run"});
  remote->join();
  remote.reset();
  EXPECT_THAT(process.wait(), HasSubstr("the peer ends: the simulation has ended"));
}

void expect_loss(const std::vector<std::string>& what, const std::string& why, double answer_timeout = 20) {
  auto parameters = link_parameters(unix_address());
  parameters.answer_timeout = answer_timeout;
  Remote remote(parameters);
  std::vector<std::string> losses;
  remote.link.on_loss = [&](const std::string& reason) { losses.push_back(reason); };
  std::vector<std::string> arguments{remote.link.address()};
  arguments.insert(arguments.end(), what.begin(), what.end());
  Process process(REMOTE_DMA, arguments);
  const auto begin = std::chrono::steady_clock::now();
  sc_core::sc_start(5, sc_core::SC_MS);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_THAT(losses[0], HasSubstr(why));
  EXPECT_TRUE(remote.link.lost());
  EXPECT_TRUE(remote.driver.finished) << "all that waited has got an answer";
  EXPECT_EQ(remote.driver.statuses.back(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_LT(took.count(), 15);
}

TEST(RemoteLoss, OfAProgramThatCrashes) { expect_loss({"crash", "500"}, "the peer is gone"); }
TEST(RemoteLoss, OfAProgramThatHangs) { expect_loss({"hang", "500"}, "has not answered for 1.0 s", 1); }
TEST(RemoteLoss, OfAProgramThatTalksNonsense) { expect_loss({"nonsense"}, "does not speak this protocol"); }
TEST(RemoteLoss, OfABlockWithOtherPorts) {
  expect_loss(
      {"narrow"},
      "the block's manager port is AXI4 of 64 bits, addresses of 64, IDs of 0, expected AXI4 of 128 bits");
}

TEST(RemoteLoss, OfABlockThatNeverComes) {
  auto parameters = link_parameters("tcp:localhost:0");
  parameters.connect_timeout = 0.2;
  Remote remote(parameters);
  std::string reason;
  remote.link.on_loss = [&](const std::string& why) { reason = why; };
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_THAT(reason, HasSubstr("nobody has connected for 0.2 s"));
  EXPECT_TRUE(remote.driver.finished);
}

TEST(RemoteAddress, MustBeOne) {
  PinClock clock("clock", {.period = {period_ps}});
  const auto refuses = [&](const std::string& address, const std::string& why) {
    try {
      RemoteLink link(sc_core::sc_gen_unique_name("link"), clock, link_parameters(address));
      ADD_FAILURE() << address;
    } catch (const ChannelError& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  };
  refuses("somewhere", "'somewhere': expected tcp:HOST:PORT or unix:PATH");
  refuses("tcp:localhost", "expected tcp:HOST:PORT");
  refuses("unix:/no/such/folder/socket", "cannot listen there");
  EXPECT_THROW(Channel::connect("tcp:localhost:1", 0.1), ChannelError);
}

}  // namespace
