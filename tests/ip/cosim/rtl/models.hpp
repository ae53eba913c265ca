// SPDX-License-Identifier: Apache-2.0
/// The Verilated models of the tests. Each lives in a library of its own, away from SystemC.
#pragma once

#include <memory>

#include "ip/cosim/pins.hpp"
#include "ip/cosim/rtl_block.hpp"

namespace forerun::ip::cosim {

inline constexpr AxiShape axi_memory_shape{.data_bytes = 16, .id_bits = 4, .address_bits = 32};
inline constexpr AxiShape axi_memory_2001_shape{.data_bytes = 4, .id_bits = 3, .address_bits = 16};
inline constexpr AxiShape axi_slice_shape{.data_bytes = 8, .id_bits = 4, .address_bits = 40};
inline constexpr AxiShape lite_registers_shape{.data_bytes = 4, .address_bits = 12, .lite = true};
inline constexpr StreamShape stream_slice_shape{.data_bytes = 8};

/// @param fault the faults planted in the model, as its source says; 0: none
std::unique_ptr<RtlBlock> make_axi_memory(AxiPins& pins, const unsigned& fault);
std::unique_ptr<RtlBlock> make_axi_memory_2001(AxiPins& pins);
std::unique_ptr<RtlBlock> make_axi_slice(AxiPins& in, AxiPins& out, const unsigned& fault);
std::unique_ptr<RtlBlock> make_stream_slice(StreamPins& in, StreamPins& out);
std::unique_ptr<RtlBlock> make_lite_registers(AxiPins& pins);

}  // namespace forerun::ip::cosim
