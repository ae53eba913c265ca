// SPDX-License-Identifier: Apache-2.0
/// Plays recorded transactions into an AXI4 or AXI4-Lite subordinate, cycle by cycle, and compares its
/// answers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/record/reader.hpp"
#include "platform/replay/player.hpp"

namespace forerun::replay {

/// The part of the recorded addresses that is played; the block sees them from 0 on.
struct AddressWindow {
  std::uint64_t base = 0, size = 0;  ///< size 0: all from base on
};

/// Reads a recording for an AXI interface, in order, without what lies outside the window and without writes
/// whose data were not recorded.
class TransactionSource {
 public:
  /// Throws ip::record::FileError.
  TransactionSource(const std::string& path, const AddressWindow& window, std::uint64_t most);
  /// What the block must hold at the start: the bytes that are read before they are written, as writes.
  std::vector<ip::record::Transaction> initial_contents();
  /// With the address as the block sees it. False at the end.
  bool next(ip::record::Transaction& transaction);
  std::uint64_t count() const { return count_; }                  ///< given out
  std::uint64_t position() const { return reader_.count() - 1; }  ///< of the last one in the file
  const std::string& block() const { return reader_.header().block; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::string path_;
  ip::record::Reader reader_;
  AddressWindow window_;
  std::uint64_t most_, count_ = 0, left_out_ = 0;
};

struct AxiPlaySettings : PlaySettings {
  AddressWindow window{};
  bool initial_contents = true;  ///< false: the block is at the start as it was in the run
  unsigned under_way = 8;        ///< transactions at once, 1 or more
  /// Picoseconds of a cycle: transactions begin no earlier after the first one than they did in the run; 0:
  /// as soon as they can.
  std::uint64_t cycle_ps = 0;
};

/// First the block's initial contents are written (TransactionSource), then transactions follow in their
/// order as soon as they can; one that touches bytes of another waits for it if one of them is a write.
/// Compared are responses and read data; the rules of AXI are watched.
class AxiPlayer {
 public:
  /// Throws ip::record::FileError, std::invalid_argument.
  AxiPlayer(const std::string& path, const ip::cosim::AxiShape& shape, const AxiPlaySettings& settings = {});

  /// Once a cycle, before its rising edge: takes what the block answers to the pins of the last call, and
  /// sets them for the next cycle. `pins.reset` is as in the cycle that ends.
  Status cycle(ip::cosim::AxiPins& pins);
  /// One line: what is different first, or what was compared.
  const std::string& message() const { return message_; }

 private:
  struct Job {
    ip::record::Transaction transaction;
    std::vector<std::uint8_t> data;
    std::vector<unsigned char> enables;
    std::vector<ip::cosim::AxiBurst> bursts;
    std::size_t left = 0;
    bool initial = false;
    ip::cosim::Response response = ip::cosim::Response::exokay;
    std::uint64_t number = 0;
  };
  bool next(Job& job);
  void start(std::unique_ptr<Job> job);
  bool may_start(const Job& job) const;
  /// Whether its time has come.
  bool is_due(const Job& job);
  void finish(Job& job);
  void fail(std::string what);

  std::string path_;
  ip::cosim::AxiShape shape_;
  AxiPlaySettings settings_;
  TransactionSource source_;
  ip::cosim::AxiManager manager_;
  ip::cosim::AxiChecker checker_;
  std::vector<ip::record::Transaction> initial_;
  std::size_t initial_done_ = 0;
  std::vector<std::unique_ptr<Job>> jobs_;  // under way
  std::unique_ptr<Job> waiting_;
  bool exhausted_ = false;
  std::uint32_t next_id_ = 0;
  std::optional<std::uint64_t> first_ps_;  ///< of the first transaction, which began in this cycle:
  std::uint64_t first_cycle_ = 0;
  std::uint64_t cycle_ = 0, progress_ = 0, compared_ = 0, bytes_ = 0;
  Status status_ = Status::running;
  std::string message_;
};

}  // namespace forerun::replay
