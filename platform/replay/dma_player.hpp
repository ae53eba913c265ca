// SPDX-License-Identifier: Apache-2.0
/// Plays recorded copies into a DMA engine alone: tells it each copy, answers its managers, and compares what
/// they ask for and write.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_subordinate.hpp"
#include "ip/record/reader.hpp"
#include "platform/replay/player.hpp"
#include "platform/rtl/pin_map.hpp"

namespace forerun::replay {

struct DmaPlaySettings : PlaySettings {
  bool any_order = false;  ///< bytes may be asked for and written in another order than in the recording
  unsigned latency = 20;   ///< cycles until the memory answers
};

/// How the engine is told, as a text: lines "setup|start|end ADDRESS VALUE BITS", where VALUE is a number or
/// the name of a part of a copy, "status ADDRESS DONE ERROR" and "interrupt LEVEL".
struct DmaProgram {
  rtl::DmaMap map;
  bool interrupt = false, interrupt_high = true;

  std::string text() const;
  /// Throws std::invalid_argument with the line.
  void add(const std::string& line);
};

/// Register accesses are those that the chip makes (docs/rtl/own.md), one after another. Reads are answered
/// with the recorded bytes and responses. Compared are, byte by byte in the order of each direction, what is
/// read and what is written (address, value), and at the end of a copy that nothing is missing and that it
/// failed or not. The rules of AXI are watched on both ports. Bursts of FIXED and WRAP kind are refused.
class DmaPlayer {
 public:
  /// Throws ip::record::FileError.
  DmaPlayer(const std::string& recording, const DmaProgram& program, const ip::cosim::AxiShape& subordinate,
            const ip::cosim::AxiShape& manager, const DmaPlaySettings& settings);

  /// Once a cycle, before its rising edge.
  Status cycle(ip::cosim::AxiPins& subordinate, ip::cosim::AxiPins& manager, bool interrupt);
  /// One line: what is different first, or what was compared.
  const std::string& message() const { return message_; }

 private:
  struct Byte {
    std::uint64_t address;
    std::uint8_t value, response;
  };
  /// The bytes of one direction.
  struct Bytes {
    std::deque<Byte> next;                   ///< in the order of the recording
    std::map<std::uint64_t, Byte> anywhere;  ///< with any_order
  };
  struct Access {
    bool write;
    std::uint64_t address, value;
    unsigned bytes;
  };
  enum class Step { begin, telling, running, looking, ending, idle };
  void step(bool interrupt);
  bool next_copy();
  void tell(const std::vector<rtl::DmaWrite>& writes);
  std::uint64_t value_of(const rtl::DmaWrite& write) const;
  void access();  ///< starts the next one of accesses_
  void serve(ip::cosim::AxiBurst& burst);
  std::optional<Byte> take(Bytes& bytes, std::uint64_t address, const char* verb);
  void finish_copy();
  void fail(const std::string& what);
  std::string name() const;

  ip::record::Reader reader_;
  DmaProgram program_;
  ip::cosim::AxiShape shape_;
  DmaPlaySettings settings_;
  ip::cosim::AxiManager requester_;
  ip::cosim::AxiSubordinate server_;
  ip::cosim::AxiChecker subordinate_checker_, manager_checker_;

  ip::record::Copy copy_;
  Bytes reads_, writes_;
  Step step_ = Step::begin, after_ = Step::begin;  ///< what follows the accesses
  std::deque<Access> accesses_;
  std::uint64_t data_ = 0;  ///< of the access under way
  std::vector<ip::cosim::AxiBurst> bursts_;
  std::size_t bursts_left_ = 0;
  bool bad_access_ = false, set_up_ = false, failed_ = false;
  std::deque<std::pair<std::uint64_t, ip::cosim::AxiBurst*>> answers_;  ///< by the cycle in which they come
  std::uint64_t cycle_ = 0, progress_ = 0, look_at_ = 0, copies_ = 0, bytes_ = 0;
  Status status_ = Status::running;
  std::string message_;
};

}  // namespace forerun::replay
