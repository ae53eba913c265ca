// SPDX-License-Identifier: Apache-2.0
// Compiled once for each Verilated tile: TILE_HEADER, TILE_CLASS, TILE_NAME, TILE_FORMAT, TILE_ROWS,
// TILE_COLUMNS.
#include TILE_HEADER

#include <type_traits>

#include "tests/ip/tensor/rtl/tile.hpp"

namespace forerun::rtl {
namespace {

/// Sets a lane of 8, 16 or 32 bits, which never crosses a word.
template <typename Port>
void set_lane(Port& port, unsigned lane, unsigned width, std::uint32_t value) {
  const unsigned at = lane * width;
  if constexpr (std::is_integral_v<Port>) {
    const std::uint64_t mask = ((std::uint64_t{1} << width) - 1) << at;
    port = static_cast<Port>((port & ~mask) | (std::uint64_t{value} << at & mask));
  } else {
    const std::uint64_t mask = ((std::uint64_t{1} << width) - 1) << (at % 32);
    auto& word = port[at / 32];
    word = static_cast<std::uint32_t>((word & ~mask) | (std::uint64_t{value} << (at % 32) & mask));
  }
}

template <typename Port>
std::uint32_t word_of(const Port& port, unsigned word) {
  if constexpr (std::is_integral_v<Port>)
    return static_cast<std::uint32_t>(std::uint64_t{port} >> (32 * word));
  else
    return port[word];
}

class Model final : public Tile {
 public:
  Model() : top_(&context_) {
    format = TILE_FORMAT, rows = TILE_ROWS, columns = TILE_COLUMNS;
    top_.clk = 0;
  }
  ~Model() override { top_.final(); }

  void reset(bool active) override { top_.rst_n = !active; }
  void weights(bool valid, bool last, std::span<const std::uint16_t> lanes) override {
    top_.w_valid = valid, top_.w_last = last;
    for (unsigned i = 0; i < lanes.size(); ++i) set_lane(top_.w_data, i, width, lanes[i]);
  }
  void activations(bool valid, bool last, unsigned start, bool emit, std::span<const std::uint16_t> lanes,
                   std::span<const std::uint32_t> sums) override {
    top_.a_valid = valid, top_.a_last = last, top_.a_start = start & 3, top_.a_emit = emit;
    for (unsigned i = 0; i < lanes.size(); ++i) set_lane(top_.a_data, i, width, lanes[i]);
    for (unsigned i = 0; i < sums.size(); ++i) set_lane(top_.a_sum, i, 32, sums[i]);
  }
  void results_ready(bool ready) override { top_.c_ready = ready; }
  void settle() override {
    top_.clk = 0;
    top_.eval();
  }
  void clock() override {
    top_.clk = 1;
    top_.eval();
  }
  bool weights_ready() const override { return top_.w_ready; }
  bool activations_ready() const override { return top_.a_ready; }
  bool results_valid() const override { return top_.c_valid; }
  bool results_last() const override { return top_.c_last; }
  bool idle() const override { return top_.idle; }
  std::uint32_t result(unsigned column) const override { return word_of(top_.c_data, column); }

 private:
  static constexpr unsigned width = TILE_FORMAT == 0 ? 8 : 16;
  VerilatedContext context_;
  TILE_CLASS top_;
};

const bool registered = tiles().emplace(TILE_NAME, [] { return std::make_unique<Model>(); }).second;

}  // namespace
}  // namespace forerun::rtl
