// SPDX-License-Identifier: Apache-2.0
/// Copies pins to and from the ports of a model made by `verilator --cc`. Knows Verilator's types only by
/// their size, so it includes nothing of Verilator; use it in a source file that includes the model's header
/// and not SystemC.
///
/// The macros expect the names of the AXI specification in lower case behind a prefix (`s_axi_` gives
/// `s_axi_awvalid`). A port that the model does not have is left out: IDs, LOCK, CACHE, PROT, QOS, REGION,
/// all of LEN, SIZE, BURST and LAST (AXI4-Lite), a whole direction. No port VALID at all under the prefix
/// does not compile. USER signals stay as they are. Ports of other names: `put` and `get`.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "ip/cosim/pins.hpp"

namespace forerun::ip::cosim {

static_assert(std::endian::native == std::endian::little,
              "the lanes of a port are the bytes of its words in ascending order");

template <typename Port, typename Value>
requires(std::is_arithmetic_v<Value> || std::is_enum_v<Value>) void put(Port& port, Value value) {
  port = static_cast<Port>(value);
}
template <typename Port>
void put(Port& port, const Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(static_cast<void*>(&port), lanes.data(), sizeof(Port));
}
template <typename Port>
void put(Port& port, const Strobes& strobes) {
  static_assert(sizeof(Port) <= sizeof(strobes.words));
  std::memcpy(static_cast<void*>(&port), strobes.words.data(), sizeof(Port));
}
template <typename Port, typename Value>
requires(std::is_arithmetic_v<Value> || std::is_enum_v<Value>) void get(const Port& port, Value& value) {
  value = static_cast<Value>(port);
}
template <typename Port>
void get(const Port& port, Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(lanes.data(), static_cast<const void*>(&port), sizeof(Port));
}
template <typename Port>
void get(const Port& port, Strobes& strobes) {
  static_assert(sizeof(Port) <= sizeof(strobes.words));
  std::memcpy(strobes.words.data(), static_cast<const void*>(&port), sizeof(Port));
}

}  // namespace forerun::ip::cosim

// NOLINTBEGIN(cppcoreguidelines-macro-usage): names of ports are made here, which only the preprocessor can
// do.
#define FORERUN_PUT(model, port, value)                                                   \
  [&](auto& model_) {                                                                     \
    if constexpr (requires { model_.port; }) forerun::ip::cosim::put(model_.port, value); \
  }(model)
#define FORERUN_GET(model, port, value)                                                   \
  [&](auto& model_) {                                                                     \
    if constexpr (requires { model_.port; }) forerun::ip::cosim::get(model_.port, value); \
  }(model)
#define FORERUN_NEEDS(model, one, other)                                                                 \
  [](auto& model_) {                                                                                     \
    static_assert(                                                                                       \
        requires { model_.one; } || requires { model_.other; }, "no port " #one " and no port " #other); \
  }(model)
#define FORERUN_ADDRESS(direction, model, prefix, channel) \
  direction(model, prefix##valid, (channel).valid);        \
  direction(model, prefix##id, (channel).id);              \
  direction(model, prefix##addr, (channel).address);       \
  direction(model, prefix##len, (channel).len);            \
  direction(model, prefix##size, (channel).size);          \
  direction(model, prefix##burst, (channel).burst);        \
  direction(model, prefix##lock, (channel).lock);          \
  direction(model, prefix##cache, (channel).cache);        \
  direction(model, prefix##prot, (channel).prot);          \
  direction(model, prefix##qos, (channel).qos);            \
  direction(model, prefix##region, (channel).region)
#define FORERUN_AXI_REQUESTS(direction, model, prefix, pins) \
  FORERUN_NEEDS(model, prefix##awvalid, prefix##arvalid);    \
  FORERUN_ADDRESS(direction, model, prefix##aw, (pins).aw);  \
  FORERUN_ADDRESS(direction, model, prefix##ar, (pins).ar);  \
  direction(model, prefix##wvalid, (pins).w.valid);          \
  direction(model, prefix##wdata, (pins).w.data);            \
  direction(model, prefix##wstrb, (pins).w.strobes);         \
  direction(model, prefix##wlast, (pins).w.last);            \
  direction(model, prefix##bready, (pins).b.ready);          \
  direction(model, prefix##rready, (pins).r.ready)
#define FORERUN_AXI_ANSWERS(direction, model, prefix, pins) \
  direction(model, prefix##awready, (pins).aw.ready);       \
  direction(model, prefix##wready, (pins).w.ready);         \
  direction(model, prefix##arready, (pins).ar.ready);       \
  direction(model, prefix##bvalid, (pins).b.valid);         \
  direction(model, prefix##bid, (pins).b.id);               \
  direction(model, prefix##bresp, (pins).b.response);       \
  direction(model, prefix##rvalid, (pins).r.valid);         \
  direction(model, prefix##rid, (pins).r.id);               \
  direction(model, prefix##rdata, (pins).r.data);           \
  direction(model, prefix##rresp, (pins).r.response);       \
  direction(model, prefix##rlast, (pins).r.last)
#define FORERUN_STREAM_BEAT(direction, model, prefix, pins) \
  FORERUN_NEEDS(model, prefix##tvalid, prefix##tvalid);     \
  direction(model, prefix##tvalid, (pins).valid);           \
  direction(model, prefix##tdata, (pins).data);             \
  direction(model, prefix##tkeep, (pins).keep);             \
  direction(model, prefix##tlast, (pins).last);             \
  direction(model, prefix##tid, (pins).id);                 \
  direction(model, prefix##tdest, (pins).dest)

/// The model is the subordinate: inputs before eval(), outputs after it.
#define FORERUN_AXI_SUBORDINATE_INPUTS(model, prefix, pins) \
  FORERUN_AXI_REQUESTS(FORERUN_PUT, model, prefix, pins)
#define FORERUN_AXI_SUBORDINATE_OUTPUTS(model, prefix, pins) \
  FORERUN_AXI_ANSWERS(FORERUN_GET, model, prefix, pins)
/// The model is the manager.
#define FORERUN_AXI_MANAGER_INPUTS(model, prefix, pins) FORERUN_AXI_ANSWERS(FORERUN_PUT, model, prefix, pins)
#define FORERUN_AXI_MANAGER_OUTPUTS(model, prefix, pins) \
  FORERUN_AXI_REQUESTS(FORERUN_GET, model, prefix, pins)
/// The model receives a stream.
#define FORERUN_STREAM_RECEIVER_INPUTS(model, prefix, pins) \
  FORERUN_STREAM_BEAT(FORERUN_PUT, model, prefix, pins);    \
  FORERUN_PUT(model, prefix##tstrb, (pins).strobes)
#define FORERUN_STREAM_RECEIVER_OUTPUTS(model, prefix, pins) FORERUN_GET(model, prefix##tready, (pins).ready)
/// The model transmits a stream. Without TSTRB, all bytes that TKEEP keeps are data.
#define FORERUN_STREAM_TRANSMITTER_INPUTS(model, prefix, pins) \
  FORERUN_PUT(model, prefix##tready, (pins).ready)
#define FORERUN_STREAM_TRANSMITTER_OUTPUTS(model, prefix, pins) \
  FORERUN_STREAM_BEAT(FORERUN_GET, model, prefix, pins);        \
  (pins).strobes = (pins).keep;                                 \
  FORERUN_GET(model, prefix##tstrb, (pins).strobes)
// NOLINTEND(cppcoreguidelines-macro-usage)
