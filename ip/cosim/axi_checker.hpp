// SPDX-License-Identifier: Apache-2.0
/// Watches an AXI4 or AXI4-Lite interface and names each rule that is broken.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ip/cosim/axi_burst.hpp"
#include "ip/cosim/ring.hpp"
#include "ip/cosim/violation.hpp"

namespace forerun::ip::cosim {

/// Sample the pins once a cycle, settled, before the edge. Data may lead their address, reads of several IDs
/// may interleave, answers of different IDs may come in any order: all that AXI4 allows is silent. An answer
/// may come in the same cycle as the handshake that it needs.
class AxiChecker {
 public:
  /// @param name of the interface, for messages
  explicit AxiChecker(const AxiShape& shape, std::string_view name = "axi");

  void sample(const AxiPins& pins, std::uint64_t cycle);
  const ViolationLog& log() const { return log_; }
  ViolationLog& log() { return log_; }
  /// True if no answer is owed and no write is half done.
  bool quiet() const { return reads_.empty() && writes_.empty() && ahead_.empty(); }
  /// Reads and writes whose last answer is missing: what to look at when an interface hangs.
  std::string under_way() const;

 private:
  struct Request {
    AxiBurst burst;  // without data
    unsigned beat = 0;
  };
  struct Beat {
    bool last;
    Strobes strobes;
  };
  template <typename Channel>
  bool starts(const Channel& channel, Channel& before, bool& waiting, const char* name);
  void address(const AddressChannel& channel, const char* name, bool write);
  void data(const Beat& beat);
  void answer(const AnswerChannel& channel, bool taken);
  void read(const ReadChannel& channel, bool starts, bool taken);
  void broken(AxiRule rule, std::string detail);

  AxiShape shape_;
  std::string name_;
  ViolationLog log_;
  std::uint64_t cycle_ = 0;
  bool in_reset_ = false;
  bool aw_waits_ = false, w_waits_ = false, b_waits_ = false, ar_waits_ = false, r_waits_ = false;
  AddressChannel aw_, ar_;
  WriteChannel w_;
  AnswerChannel b_;
  ReadChannel r_;
  std::vector<Request> reads_, writes_;  // under way, oldest first
  std::size_t filled_ = 0;               // writes with all data: the first so many
  Ring<Beat> ahead_;                     // data before their address
};

}  // namespace forerun::ip::cosim
