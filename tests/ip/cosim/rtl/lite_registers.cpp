// SPDX-License-Identifier: Apache-2.0
#include "Vlite_registers.h"
#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

namespace forerun::ip::cosim {

namespace {
class Block : public RtlBlock {
 public:
  Block(AxiPins& pins) : pins_(pins) {}
  void settle() override {
    top_.aclk = 0;
    top_.aresetn = !pins_.reset;
    FORERUN_AXI_SUBORDINATE_INPUTS(top_, s_axil_, pins_);
    top_.eval();
    FORERUN_AXI_SUBORDINATE_OUTPUTS(top_, s_axil_, pins_);
  }
  void edge() override {
    top_.aclk = 1;
    top_.eval();
  }
  bool idle() const override { return true; }

 private:
  AxiPins& pins_;
  Vlite_registers top_;
};
}  // namespace

std::unique_ptr<RtlBlock> make_lite_registers(AxiPins& pins) { return std::make_unique<Block>(pins); }

}  // namespace forerun::ip::cosim
