// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/dma/rtl/models.hpp"

namespace forerun::rtl {

// dma_models.inc, from CMake: DMA_MODEL(name, data_bytes, burst_bytes, outstanding, buffer_bytes) for each
// engine.
#define DMA_MODEL(NAME, DATA, BURST, OUTSTANDING, BUFFER) \
  std::unique_ptr<DmaBlock> make_##NAME(ip::cosim::AxiPins&, ip::cosim::AxiPins&);
#include "dma_models.inc"
#undef DMA_MODEL

const std::map<std::string, DmaModel>& dma_models() {
#define DMA_MODEL(NAME, DATA, BURST, OUTSTANDING, BUFFER) \
  {#NAME, {DATA, BURST, OUTSTANDING, BUFFER, make_##NAME}},
  static const std::map<std::string, DmaModel> map{
#include "dma_models.inc"
  };
#undef DMA_MODEL
  return map;
}

}  // namespace forerun::rtl
