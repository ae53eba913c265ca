// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/cosim/rtl/bare_tile.hpp"

#include "Vtensor_tile.h"

namespace forerun::ip::cosim {
namespace {

class Tile final : public BareTile {
 public:
  ~Tile() override { top_.final(); }
  void reset() override {
    for (const bool level : {false, false, true}) {
      top_.rst_n = level;
      cycle({});
    }
  }
  std::uint32_t run(const TileInputs* cycles, std::size_t count) override {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      cycle(cycles[i]);
      if (top_.c_valid) sum += top_.c_data[0];
    }
    return sum;
  }

 private:
  void cycle(const TileInputs& in) {
    top_.w_valid = in.w_valid;
    top_.w_last = in.w_last;
    for (unsigned i = 0; i < in.w_data.size(); ++i) top_.w_data[i] = in.w_data[i];
    top_.a_valid = in.a_valid;
    top_.a_last = in.a_last;
    top_.a_start = in.a_start & 3;
    top_.a_emit = in.a_emit;
    for (unsigned i = 0; i < in.a_data.size(); ++i) top_.a_data[i] = in.a_data[i];
    top_.c_ready = 1;
    top_.clk = 0;
    top_.eval();
    top_.clk = 1;
    top_.eval();
  }
  VerilatedContext context_;
  Vtensor_tile top_{&context_};
};

}  // namespace

std::unique_ptr<BareTile> make_bare_tile() { return std::make_unique<Tile>(); }

}  // namespace forerun::ip::cosim
