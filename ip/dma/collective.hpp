// SPDX-License-Identifier: Apache-2.0
/// The collective engine of a cluster: all-gather, reduce-scatter and all-reduce between devices.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ip/base/payload.hpp"
#include "ip/command/engine.hpp"
#include "ip/dma/dma.hpp"

namespace forerun::ip {

/// Executes FR_FIELDS_COLLECTIVE step by step: send, post, wait, read. Each step begins when the last
/// transaction of the one before has been answered; the posts of a member therefore find its buffer written.
/// Pieces for different members are sent in turn, burst by burst, so that several links work at once; each
/// burst reads the scratchpad again. Sums are made as the bursts of all members arrive and take no time of
/// their own.
///
/// Sockets, timing, limits and errors are those of a Dma with the same parameters.
class Collective : public Engine {
 public:
  Collective(const sc_core::sc_module_name& name, const DmaParameters& parameters, std::uint64_t local_bytes);

  tlm_utils::simple_initiator_socket<Collective> global;
  tlm_utils::simple_initiator_socket<Collective> local;
  Counter bytes_sent{counters, "bytes_sent", "byte",
                     "bytes written into buffers, those of the own device included"};
  Counter bytes_read{counters, "bytes_read", "byte", "bytes read from the own device's buffer"};
  Counter transactions{counters, "transactions", "transaction", "bursts and posts sent"};
  Counter post_time{counters, "post_time", "ps", "time in which a command waited for the others' posts"};

  bool blocked() const override { return phase_ == Phase::wait || Engine::blocked(); }
  std::string describe_block() const override;

 private:
  enum class Phase { idle, send, post, wait, read };
  /// Runs through rows of bytes in bursts.
  struct Cursor {
    std::uint64_t base = 0;  // global
    std::uint32_t row = 0, at = 0;
  };
  /// Bursts of all members that are added up.
  struct Group {
    std::uint64_t local = 0;
    std::uint32_t length = 0, missing = 0;
    std::vector<float> values;  // [member]
  };
  struct Flight {
    tlm::tlm_generic_payload* payload = nullptr;
    std::uint64_t local = 0;
    std::uint32_t group = 0, member = 0;
  };

  void start(const Command& command) override;
  void abandon() override;
  void add_turns(Turns& turns) override;
  bool ready() const override { return in_flight_ == 0; }
  std::optional<LocalFault> prepare();
  bool reduces() const { return current().header().opcode != FR_OP_ALL_GATHER; }
  unsigned relative(unsigned other) const;
  unsigned further(unsigned distance) const;
  std::uint64_t there(unsigned member, std::uint64_t address) const;
  std::uint32_t burst(std::uint64_t address, std::uint32_t left) const;
  void begin(Phase phase);
  void next_phase();
  void issue();
  bool issue_write();
  bool issue_read();
  bool issue_post();
  void send(tlm::tlm_command direction, std::uint64_t address, std::uint64_t local_address,
            std::uint32_t length, std::uint32_t group = 0, std::uint32_t member = 0);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void complete(tlm::tlm_generic_payload& payload, std::int64_t delay_ps);
  void take(const Flight& flight, std::int64_t& delay_ps);
  void move_local(tlm::tlm_command direction, std::uint64_t address, unsigned char* data,
                  std::uint32_t length, std::int64_t& delay_ps);
  void look();

  DmaParameters parameters_;
  Clock clock_;
  std::uint64_t local_bytes_;
  PayloadPool pool_, local_pool_;
  std::vector<Flight> flights_;
  unsigned in_flight_ = 0;
  tlm::tlm_generic_payload* requesting_ = nullptr;  // sent, without END_REQ so far
  bool abandoned_ = false;
  Phase phase_ = Phase::idle;
  std::optional<LocalFault> fault_;
  std::int64_t busy_until_ = 0, waiting_since_ = 0;

  fr_collective c_{};
  std::vector<Cursor> cursors_;  // by distance of the member
  std::size_t turn_ = 0;         // cursor, or posts sent
  bool exhausted_ = false;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_groups_;
  std::uint32_t filling_ = 0;  // group of which bursts are being asked for
  Turns::Turn issue_, look_;
};

}  // namespace forerun::ip
