// SPDX-License-Identifier: Apache-2.0
#include "Vstream_slice.h"
#include "ip/cosim/verilated_pins.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

namespace forerun::ip::cosim {

namespace {
class Block : public RtlBlock {
 public:
  Block(StreamPins& in, StreamPins& out) : in_(in), out_(out) {}
  void settle() override {
    top_.aclk = 0;
    top_.aresetn = !in_.reset;
    FORERUN_STREAM_RECEIVER_INPUTS(top_, s_axis_, in_);
    FORERUN_STREAM_TRANSMITTER_INPUTS(top_, m_axis_, out_);
    top_.eval();
    FORERUN_STREAM_RECEIVER_OUTPUTS(top_, s_axis_, in_);
    FORERUN_STREAM_TRANSMITTER_OUTPUTS(top_, m_axis_, out_);
  }
  void edge() override {
    top_.aclk = 1;
    top_.eval();
  }
  bool idle() const override { return top_.m_axis_tvalid == 0; }

 private:
  StreamPins &in_, &out_;
  Vstream_slice top_;
};
}  // namespace

std::unique_ptr<RtlBlock> make_stream_slice(StreamPins& in, StreamPins& out) {
  return std::make_unique<Block>(in, out);
}

}  // namespace forerun::ip::cosim
