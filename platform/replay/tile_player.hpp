// SPDX-License-Identifier: Apache-2.0
/// Plays the products of a recording into a tensor tile, cycle by cycle, and compares its results.
#pragma once

#include <optional>
#include <string>

#include "ip/cosim/stall.hpp"
#include "ip/record/reader.hpp"
#include "platform/replay/player.hpp"
#include "platform/replay/tile_beats.hpp"

namespace forerun::replay {

/// The pins of tensor_tile but clock and reset.
struct TilePins {
  bool w_ready = false, a_ready = false, c_valid = false, c_last = false, idle = false;  ///< of the tile
  std::vector<std::uint32_t> c_data;
  const WeightBeat* weights = nullptr;          ///< offered; null: w_valid is low
  const ActivationBeat* activations = nullptr;  ///< offered
  bool c_ready = false;
};

/// A product begins when the one before has given its last result. Compared are each used lane of each row of
/// results, c_last if there is one, and, without stalls and unless the tile has a timing of its own, the
/// cycles from the first weights to the last result, with the closed form (ip/tensor/tile_timing.hpp).
/// Products that the tile does not take (TileShape::takes) are left out and counted.
class TilePlayer {
 public:
  /// Throws ip::record::FileError, std::invalid_argument.
  TilePlayer(const std::string& path, const TileShape& shape, const PlaySettings& settings = {});

  /// Once a cycle out of reset, before its rising edge: takes what the tile answers to the pins of the last
  /// call, and sets them for the next cycle. The first call finds nothing offered.
  Status cycle(TilePins& pins);
  /// One line: what is different first, or what was compared.
  const std::string& message() const { return message_; }

 private:
  bool next_product();
  Status fail(std::string what);
  Status take_result(const TilePins& pins);
  void drive(TilePins& pins);
  std::string product_name() const;

  ip::record::Reader reader_;
  TileShape shape_;
  PlaySettings settings_;
  ip::cosim::Stall stall_w_, stall_a_, stall_c_;
  ip::record::Product product_;
  std::optional<TileBeats> beats_;
  std::size_t weight_ = 0, activation_ = 0, result_ = 0;  // the next of each
  std::uint64_t cycle_ = 0, begun_ = 0, progress_ = 0;
  std::uint64_t products_ = 0, results_ = 0, busy_cycles_ = 0, left_out_ = 0;
  Status status_ = Status::running;
  std::string message_;
};

}  // namespace forerun::replay
