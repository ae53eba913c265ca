// SPDX-License-Identifier: Apache-2.0
#include "Vaxi_memory.h"
#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

namespace forerun::ip::cosim {

namespace {
class Block : public RtlBlock {
 public:
  Block(AxiPins& pins, const unsigned& fault) : pins_(pins), fault_(fault) {}
  void settle() override {
    top_.aclk = 0;
    top_.aresetn = !pins_.reset;
    top_.fault = static_cast<CData>(fault_);
    FORERUN_AXI_SUBORDINATE_INPUTS(top_, s_axi_, pins_);
    top_.eval();
    FORERUN_AXI_SUBORDINATE_OUTPUTS(top_, s_axi_, pins_);
  }
  void edge() override {
    top_.aclk = 1;
    top_.eval();
  }
  bool idle() const override { return true; }

 private:
  AxiPins& pins_;
  const unsigned& fault_;
  Vaxi_memory top_;
};
}  // namespace

std::unique_ptr<RtlBlock> make_axi_memory(AxiPins& pins, const unsigned& fault) {
  return std::make_unique<Block>(pins, fault);
}

}  // namespace forerun::ip::cosim
