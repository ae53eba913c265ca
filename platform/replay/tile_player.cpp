// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/tile_player.hpp"

#include <fmt/format.h>

namespace forerun::replay {

TilePlayer::TilePlayer(const std::string& path, const TileShape& shape, const PlaySettings& settings)
    : reader_(path),
      shape_(shape),
      settings_(settings),
      stall_w_({settings.stall_share, settings.seed, 1}, 0),
      stall_a_({settings.stall_share, settings.seed, 1}, 1),
      stall_c_({settings.stall_share, settings.seed, 3}, 2) {
  shape_.check();
}

std::string TilePlayer::product_name() const {
  return fmt::format("product {} ({} x {} x {}, begun at {} ps)", reader_.count() - 1, product_.m, product_.n,
                     product_.k, product_.begin_ps);
}

Status TilePlayer::fail(std::string what) {
  message_ = fmt::format("{} in cycle {}: {}", product_name(), cycle_, what);
  return status_ = Status::different;
}

bool TilePlayer::next_product() {
  beats_.reset();
  while (products_ < settings_.most && reader_.next(product_)) {
    if (!shape_.takes(product_)) {
      ++left_out_;
      continue;
    }
    beats_.emplace(product_, shape_);
    weight_ = activation_ = result_ = 0;
    begun_ = progress_ = cycle_ + 1;
    return true;
  }
  status_ = Status::finished;
  message_ =
      fmt::format("{} products, {} rows of results, {} cycles: all equal", products_, results_, busy_cycles_);
  if (shape_.own_timing) message_ += "; cycles are its own, and not compared";
  if (left_out_ > 0)
    message_ +=
        fmt::format("; {} products left out, in other formats or with more sums than it keeps", left_out_);
  return false;
}

Status TilePlayer::take_result(const TilePins& pins) {
  const auto& expected = beats_->results[result_];
  for (unsigned lane = 0; lane < expected.used; ++lane)
    if (pins.c_data[lane] != expected.lanes[lane])
      return fail(fmt::format("C[{}][{}] is {:08x}, recorded {:08x}", expected.row, expected.column + lane,
                              pins.c_data[lane], expected.lanes[lane]));
  if (shape_.last && pins.c_last != expected.last)
    return fail(fmt::format("c_last of row {} is {}, expected {}", expected.row, int{pins.c_last},
                            int{expected.last}));
  ++result_;
  ++results_;
  return Status::running;
}

void TilePlayer::drive(TilePins& pins) {
  // What is offered stays until it is taken.
  if (pins.weights == nullptr && weight_ < beats_->weights.size() && !stall_w_(cycle_))
    pins.weights = &beats_->weights[weight_];
  if (pins.activations == nullptr && activation_ < beats_->activations.size() && !stall_a_(cycle_))
    pins.activations = &beats_->activations[activation_];
  pins.c_ready = !stall_c_(cycle_);
}

Status TilePlayer::cycle(TilePins& pins) {
  if (status_ != Status::running) return status_;
  if (!beats_ && !next_product()) return status_;
  if (pins.weights != nullptr && pins.w_ready) {
    pins.weights = nullptr;
    ++weight_;
    progress_ = cycle_;
  }
  if (pins.activations != nullptr && pins.a_ready) {
    pins.activations = nullptr;
    ++activation_;
    progress_ = cycle_;
  }
  if (pins.c_valid && pins.c_ready) {
    if (result_ == beats_->results.size()) return fail("a row of results more than expected");
    if (take_result(pins) == Status::different) return status_;
    progress_ = cycle_;
  }
  if (result_ == beats_->results.size()) {
    const auto cycles = cycle_ + 1 - begun_;
    if (weight_ < beats_->weights.size() || activation_ < beats_->activations.size())
      return fail("all results have come before all operands were taken");
    if (settings_.stall_share == 0 && !shape_.own_timing && cycles != beats_->cycles)
      return fail(
          fmt::format("bits are equal, but it took {} cycles, by the model {}", cycles, beats_->cycles));
    ++products_;
    busy_cycles_ += cycles;
    if (!next_product()) return status_;
  }
  if (cycle_ > progress_ + settings_.patience)
    return fail(fmt::format(
        "nothing has moved for {} cycles: {} of {} weights, {} of {} activations and {} of {} results so far",
        settings_.patience, weight_, beats_->weights.size(), activation_, beats_->activations.size(), result_,
        beats_->results.size()));
  drive(pins);
  ++cycle_;
  return Status::running;
}

}  // namespace forerun::replay
