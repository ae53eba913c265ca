// SPDX-License-Identifier: Apache-2.0
/// Fetches a cluster's command stream, runs its loops and scalar arithmetic, and feeds the engines.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ip/base/payload.hpp"
#include "ip/command/command_front.hpp"
#include "ip/command/command_stream.hpp"
#include "ip/command/engine.hpp"

namespace forerun::ip {

struct CommandParameters {
  Bytes fetch_buffer{64 << 10};  ///< lines kept, so that a loop that fits is fetched once; 1 KiB or more
  unsigned dispatch_cycles = 1;  ///< cycles for each command
  Frequency clock{1.25e9};
  Timing timing = Timing::approximate;
};

/// Reads aligned 256-byte lines of the stream over `global`, one ahead of need. Errors (FR_ERROR_*) go to
/// `on_fault` with the byte offset of the command; the end of the stream, after all engines have drained, to
/// `on_end`.
class CommandProcessor : public sc_core::sc_module {
 public:
  static constexpr std::uint32_t line_bytes = CommandStream::line_bytes;

  CommandProcessor(const sc_core::sc_module_name& name, const CommandParameters& parameters);

  tlm_utils::simple_initiator_socket<CommandProcessor> global;
  CounterGroup counters;
  Counter dispatched{counters, "dispatched", "command",
                     "commands read and carried out or handed to an engine"};
  Counter fetched{counters, "fetched", "byte", "bytes of commands and parameters fetched"};
  Counter fetch_time{counters, "fetch_time", "ps", "time that the next command waited for its fetch"};
  Counter semaphore_time{counters, "semaphore_time", "ps", "time that a READ waited for a semaphore"};
  Counter queue_time{counters, "queue_time", "ps",
                     "time that the next command waited for room in its engine's queue"};

  /// @param engines by FR_ENGINE_*; entry 0 is unused
  void connect(std::array<Engine*, FR_ENGINE_COUNT> engines, Semaphores& semaphores, Turns& turns,
               std::function<void()> on_end, std::function<void(std::uint64_t offset, LocalFault)> on_fault);
  void start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters);
  void stop();
  bool running() const { return running_; }
  /// An engine has moved on: look again.
  void progress() { front_ ? front_->progress() : step_.now(); }
  std::uint64_t offset() const { return front_ ? front_->offset() : stream_.pc; }
  /// The next command waits for a semaphore.
  bool waits() const { return running_ && waiting_semaphore_ >= 0; }
  /// From now on `front` fetches, loops and dispatches; before the simulation starts. `fetched` then counts
  /// what it reads, `fetch_time` and `queue_time` stay 0.
  void use(std::unique_ptr<CommandFront> front);

  /// Of the loop whose body begins there; -1: it is not in that loop.
  std::int64_t iteration(std::uint64_t body) const { return stream_.iteration(body); }
  /// For simulations that count what repeats instead of carrying it out.
  std::vector<CommandStream::Leap>& leaps() { return stream_.leaps; }

 private:
  struct Line {
    std::uint64_t number = ~std::uint64_t{0};
    bool valid = false;
    unsigned char bytes[line_bytes];
  };

  tlm::tlm_sync_enum fetch_for_front(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void step();
  bool available(std::uint64_t from, std::uint64_t bytes);
  void request(std::uint64_t line);
  void copy(std::uint64_t from, unsigned char* to, std::uint64_t bytes) const;
  void send(std::uint64_t address, std::uint32_t length);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void complete(tlm::tlm_generic_payload& payload, std::int64_t delay_ps);
  void deliver();
  void fault(std::uint32_t error, std::uint64_t value);
  bool good(LocalFault found);
  bool execute(const Command& command, const fr_command_header& header);
  bool engines_idle() const;

  std::unique_ptr<tlm_utils::simple_target_socket<CommandProcessor>> from_front_;
  std::unique_ptr<CommandFront> front_;
  CommandParameters parameters_;
  Clock clock_;
  PayloadPool pool_;
  std::array<Engine*, FR_ENGINE_COUNT> engines_{};
  Semaphores* semaphores_ = nullptr;
  std::function<void()> on_end_;
  std::function<void(std::uint64_t, LocalFault)> on_fault_;
  std::vector<Line> lines_;
  CommandStream stream_;
  std::uint64_t base_ = 0, stream_bytes_ = 0, parameter_address_ = 0;
  bool running_ = false, have_parameters_ = false;
  bool reading_ = false;  // registers, from read_to_ on
  std::uint32_t read_to_ = 0;
  tlm::tlm_generic_payload* flight_ = nullptr;  // one read at a time
  bool stale_ = false;                          // the read under way belongs to an earlier start
  std::uint64_t flight_line_ = 0;
  std::int64_t arrival_ = 0, waiting_fetch_ = -1, waiting_queue_ = -1, waiting_semaphore_ = -1,
               next_dispatch_ = 0;
  Turns::Turn step_, arrive_;
};

}  // namespace forerun::ip
