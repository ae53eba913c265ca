// SPDX-License-Identifier: Apache-2.0
/// The Verilated DMA engines of the tests, by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/rtl_block.hpp"

namespace forerun::rtl {

class DmaBlock : public ip::cosim::RtlBlock {
 public:
  virtual bool interrupt() const = 0;  ///< as of the last settle()
};

/// The parameters of dma_engine, and how to make one.
struct DmaModel {
  unsigned data_bytes, burst_bytes, outstanding, buffer_bytes;
  std::function<std::unique_ptr<DmaBlock>(ip::cosim::AxiPins& registers, ip::cosim::AxiPins& memory)> make;

  ip::cosim::AxiShape memory_shape() const { return {.data_bytes = data_bytes, .id_bits = 0}; }
};
inline constexpr ip::cosim::AxiShape dma_register_shape{.data_bytes = 4, .address_bits = 12, .lite = true};

/// All engines of this program; the build writes the list.
const std::map<std::string, DmaModel>& dma_models();

}  // namespace forerun::rtl
