// SPDX-License-Identifier: Apache-2.0
// Compiled once for each Verilated engine: DMA_HEADER, DMA_CLASS, and DMA_MAKE, the function's name.
#include DMA_HEADER

#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/dma/rtl/models.hpp"

namespace forerun::rtl {
namespace {

using ip::cosim::AxiPins;

class Block final : public DmaBlock {
 public:
  Block(AxiPins& registers, AxiPins& memory) : registers_(registers), memory_(memory), top_(&context_) {}
  ~Block() override { top_.final(); }

  void settle() override {
    top_.aclk = 0;
    top_.aresetn = !registers_.reset;
    FORERUN_AXI_SUBORDINATE_INPUTS(top_, s_axi_, registers_);
    FORERUN_AXI_MANAGER_INPUTS(top_, m_axi_, memory_);
    top_.eval();
    FORERUN_AXI_SUBORDINATE_OUTPUTS(top_, s_axi_, registers_);
    FORERUN_AXI_MANAGER_OUTPUTS(top_, m_axi_, memory_);
    interrupt_ = top_.irq;
  }
  void edge() override {
    top_.aclk = 1;
    top_.eval();
  }
  bool idle() const override { return top_.idle && interrupt_ == (top_.irq != 0); }
  bool interrupt() const override { return interrupt_; }

 private:
  AxiPins &registers_, &memory_;
  bool interrupt_ = false;
  VerilatedContext context_;
  DMA_CLASS top_;
};

}  // namespace

std::unique_ptr<DmaBlock> DMA_MAKE(AxiPins& registers, AxiPins& memory) {
  return std::make_unique<Block>(registers, memory);
}

}  // namespace forerun::rtl
