// SPDX-License-Identifier: Apache-2.0
/// Two queues of messages between the control CPU and the host (FR_MAILBOX_REGISTERS).
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"
#include "ip/mailbox/host_mailbox.hpp"

namespace forerun::ip {

struct MailboxParameters {
  unsigned depth = 16;  ///< messages in each direction, 1 or more
};

/// `on_message` is called in the process of the access.
class Mailbox : public sc_core::sc_module, public HostMailbox {
 public:
  Mailbox(const sc_core::sc_module_name& name, const MailboxParameters& parameters);

  tlm_utils::simple_target_socket<Mailbox> socket;
  LevelOut interrupt{"interrupt"};
  LevelIn reset_line;
  CounterGroup counters;
  Counter taken{counters, "taken", "message", "messages from the host that firmware took"};
  Counter sent{counters, "sent", "message", "messages that firmware sent to the host"};

  bool host_send(const Message& message) override;
  std::optional<Message> host_receive() override;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return registers_.debug_access(payload); }
  bool control(std::uint64_t value);
  void update_interrupt();

  MailboxParameters parameters_;
  RegisterFile registers_;
  std::deque<Message> to_chip_, to_host_;
};

}  // namespace forerun::ip
