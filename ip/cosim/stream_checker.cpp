// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/stream_checker.hpp"

namespace forerun::ip::cosim {

namespace {
bool same(const StreamPins& a, const StreamPins& b, unsigned bytes) {
  if (a.last != b.last || a.id != b.id || a.dest != b.dest || a.keep != b.keep || a.strobes != b.strobes)
    return false;
  for (unsigned lane = 0; lane < bytes; ++lane)
    if (a.strobes[lane] && a.data[lane] != b.data[lane]) return false;
  return true;
}
}  // namespace

StreamChecker::StreamChecker(const StreamShape& shape, std::string_view name)
    : shape_(shape), name_(name), before_(shape) {
  shape_.check();
}

void StreamChecker::sample(const StreamPins& pins, std::uint64_t cycle) {
  const auto broken = [&](AxiRule rule, const char* detail) { log_.add(rule, cycle, name_ + ": " + detail); };
  if (pins.valid && pins.reset) broken(AxiRule::valid_in_reset, "TVALID is high");
  if (pins.valid && !pins.reset && in_reset_) broken(AxiRule::valid_after_reset, "TVALID is high");
  in_reset_ = pins.reset;
  if (pins.reset) {
    waiting_ = false;
    return;
  }
  if (waiting_ && !pins.valid) broken(AxiRule::valid_dropped, "TVALID dropped before TREADY");
  if (waiting_ && pins.valid && !same(before_, pins, shape_.data_bytes))
    broken(AxiRule::payload_changed, "the beat changed while TVALID waited");
  if (pins.valid && !waiting_ && !(pins.strobes & ~pins.keep).none())
    broken(AxiRule::stream_strobe_without_keep, "TSTRB is high for a null byte");
  waiting_ = pins.valid && !pins.ready;
  if (waiting_) before_ = pins;
}

}  // namespace forerun::ip::cosim
