// SPDX-License-Identifier: Apache-2.0
#include "Vaxi_slice.h"
#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

namespace forerun::ip::cosim {

namespace {
class Block : public RtlBlock {
 public:
  Block(AxiPins& in, AxiPins& out, const unsigned& fault) : in_(in), out_(out), fault_(fault) {}
  void settle() override {
    top_.aclk = 0;
    top_.aresetn = !in_.reset;
    top_.fault = static_cast<CData>(fault_);
    FORERUN_AXI_SUBORDINATE_INPUTS(top_, s_axi_, in_);
    FORERUN_AXI_MANAGER_INPUTS(top_, m_axi_, out_);
    top_.eval();
    FORERUN_AXI_SUBORDINATE_OUTPUTS(top_, s_axi_, in_);
    FORERUN_AXI_MANAGER_OUTPUTS(top_, m_axi_, out_);
  }
  void edge() override {
    top_.aclk = 1;
    top_.eval();
  }
  bool idle() const override { return true; }

 private:
  AxiPins &in_, &out_;
  const unsigned& fault_;
  Vaxi_slice top_;
};
}  // namespace

std::unique_ptr<RtlBlock> make_axi_slice(AxiPins& in, AxiPins& out, const unsigned& fault) {
  return std::make_unique<Block>(in, out, fault);
}

}  // namespace forerun::ip::cosim
