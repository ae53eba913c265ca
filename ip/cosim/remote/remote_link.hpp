// SPDX-License-Identifier: Apache-2.0
/// A block of RTL in a simulator of its own, as a part of a simulation in another process: the chip's side.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/cosim/axi_ports.hpp"
#include "ip/cosim/pin_clock.hpp"
#include "ip/cosim/remote/message.hpp"

namespace forerun::ip::cosim {

struct RemoteLinkParameters {
  std::string address = "tcp:localhost:0";  ///< to listen at
  AxiShape subordinate{};                   ///< of the port by which the block is reached
  std::optional<AxiShape> manager{};        ///< of the port by which it reaches others
  double connect_timeout = 30;              ///< seconds in which the block must have joined
  double answer_timeout = 60;               ///< seconds of silence after which it counts as lost; 0: never
  std::uint64_t most_ahead = 1000;          ///< cycles that it may run before it reports, 1 or more
};

/// Stands on a PinClock in the place of the block. Give subordinate() to a TlmToAxi and manager() to an
/// AxiToTlm on the same clock: the block then sees the same bursts in the same cycles as in this process.
/// Where nothing in this simulation can happen before some cycle, the block runs up to it without asking.
///
/// Loss: when the peer ends, is silent for too long or says what is not understood, on_loss is called once
/// (without it, a message goes to standard error), what is under way and all that follows ends with SLVERR,
/// and the simulation goes on.
class RemoteLink : public sc_core::sc_module, public RtlBlock {
 public:
  /// Throws ChannelError if the address cannot be listened at.
  RemoteLink(const sc_core::sc_module_name& name, PinClock& clock, const RemoteLinkParameters& parameters);
  ~RemoteLink() override;

  /// Where the block must connect to.
  const std::string& address() const { return listener_.address(); }
  /// Waits for the block; otherwise the first cycle does. Throws ChannelError if it does not come or has
  /// other ports.
  void join();
  /// Lets the block carry out bursts in clock cycles outside of simulated time, before the simulation starts
  /// as well. Nothing else may be under way. A loss is told as always; the responses are then SLVERR.
  void carry_out(std::vector<AxiBurst>& bursts);
  AxiRequester& subordinate() { return requester_; }
  AxiServer& manager() { return server_; }
  std::function<void(bool)> on_interrupt;
  std::function<void(const std::string& why)> on_loss;
  bool lost() const { return lost_; }
  /// Rules of AXI that the checkers at the block's pins have found broken, and their words for the first
  /// ones, as far as the block has told.
  std::uint64_t broken_rules() const { return broken_rules_; }
  const std::vector<std::string>& broken() const { return broken_; }
  /// Time, not CPU time, for which the simulation waited for the block.
  double waited_seconds() const { return waited_seconds_; }

  CounterGroup counters;
  Counter cycles{counters, "cycles", "cycle", "clock cycles that the block ran"};
  Counter exchanges{counters, "exchanges", "exchange", "times that the block was let run"};

 private:
  class Requester final : public AxiRequester {
   public:
    explicit Requester(RemoteLink& link) : link_(link) {}
    void issue(AxiBurst& burst) override;
    AxiBurst* take_done() override;
    void drive(std::uint64_t) override {}
    void edge() override;
    bool idle() const override { return under_way_.empty() && done_.empty(); }

    /// Takes over answers; false for one to a burst that is not under way.
    bool take(const std::vector<remote::Answer>& answers);

   private:
    RemoteLink& link_;
    std::map<std::uint32_t, AxiBurst*> under_way_;
    std::deque<AxiBurst*> done_;
    std::uint32_t next_handle_ = 0;
  };
  class Server final : public AxiServer {
   public:
    explicit Server(RemoteLink& link) : link_(link) {}
    AxiBurst* take() override;
    void complete(AxiBurst& burst) override;
    void drive(std::uint64_t) override {}
    void edge() override;
    bool idle() const override { return under_way_.empty(); }
    void arrive(std::vector<remote::Request>& requests);

   private:
    RemoteLink& link_;
    std::map<std::uint32_t, std::unique_ptr<remote::Request>> under_way_;
    std::deque<AxiBurst*> arrived_;
  };
  void settle() override;
  void edge() override;
  bool idle() const override { return lost_ || (ran_.idle && !undelivered_); }
  void lose(const std::string& why);
  void note(const remote::Ran& ran);
  /// What the block has told belongs to the edge at hand.
  bool due() const;

  PinClock& clock_;
  RemoteLinkParameters parameters_;
  Listener listener_;
  std::optional<Channel> channel_;
  Requester requester_{*this};
  Server server_{*this};
  remote::Run run_;  ///< being collected
  remote::Ran ran_;  ///< the last one
  std::uint64_t broken_rules_ = 0;
  double waited_seconds_ = 0;
  std::vector<std::string> broken_;
  std::int64_t reached_ = -1;  ///< time of the last edge that the block has run
  bool reset_ = false, undelivered_ = false, interrupt_ = false, lost_ = false;
};

}  // namespace forerun::ip::cosim
