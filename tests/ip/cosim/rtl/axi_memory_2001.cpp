// SPDX-License-Identifier: Apache-2.0
#include "Vaxi_memory_2001.h"
#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

namespace forerun::ip::cosim {

namespace {
class Block : public RtlBlock {
 public:
  Block(AxiPins& pins) : pins_(pins) {}
  void settle() override {
    top_.clk = 0;
    top_.rst = pins_.reset;
    FORERUN_AXI_SUBORDINATE_INPUTS(top_, s_, pins_);
    top_.eval();
    FORERUN_AXI_SUBORDINATE_OUTPUTS(top_, s_, pins_);
  }
  void edge() override {
    top_.clk = 1;
    top_.eval();
  }
  bool idle() const override { return true; }

 private:
  AxiPins& pins_;
  Vaxi_memory_2001 top_;
};
}  // namespace

std::unique_ptr<RtlBlock> make_axi_memory_2001(AxiPins& pins) { return std::make_unique<Block>(pins); }

}  // namespace forerun::ip::cosim
