// SPDX-License-Identifier: Apache-2.0
// One memory behind ports of many styles, plugged in by a pin map alone.
#include <gmock/gmock.h>

#include <numeric>

#include "platform/rtl/device.hpp"
#include "platform/rtl/mapped_block.hpp"
#include "platform/rtl/verilate.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using testing::HasSubstr;

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

struct Style {
  const char* top;
  const char* pins;
  const char* name = top;
};

void PrintTo(const Style& style, std::ostream* out) { *out << style.name; }

const Style with_types{
    "struct_memory",
    "clock: clk_i\nreset: rst_ni\n"
    "parameters: {axi_req_t: 'style_types::req_t', axi_resp_t: 'style_types::resp_t'}\n"
    "interfaces: {axi: {protocol: axi4, role: subordinate, prefix: [axi_req_i., axi_resp_o.]}}\n"};
const Style in_array{
    "array_memory",
    "clock: clk_i\nreset: rst_ni\n"
    "interfaces: {axi: {protocol: axi4, role: subordinate, prefix: ['req_i[2].', 'resp_o[2].'],\n"
    "  ports: {awaddr: 'req_i[2].aw.addr', rdata: 'resp_o[2].r.data[63:0]'}}}\n"};
const Style joined{
    "joined_memory",
    "clock: clock\nreset: reset\nreset_active: high\n"
    "interfaces:\n"
    "  axi:\n"
    "    protocol: axi4\n"
    "    role: subordinate\n"
    "    ports: {awvalid: 'to_memory[145]', awaddr: 'to_memory[144:125]', awlen: 'to_memory[124:117]',\n"
    "      awsize: 'to_memory[116:114]', awburst: 'to_memory[113:112]', wvalid: 'to_memory[111]',\n"
    "      wdata: 'to_memory[110:47]', wstrb: 'to_memory[46:39]', wlast: 'to_memory[38]', bready: "
    "'to_memory[37]',\n"
    "      arvalid: 'to_memory[36]', araddr: 'to_memory[35:16]', arlen: 'to_memory[15:8]', arsize: "
    "'to_memory[7:5]',\n"
    "      arburst: 'to_memory[4:3]', rready: 'to_memory[2]', awready: 'from_memory[0]', wready: "
    "'from_memory[1]',\n"
    "      bvalid: 'from_memory[2]', bresp: 'from_memory[3:4]', arready: 'from_memory[5]', rvalid: "
    "'from_memory[6]',\n"
    "      rdata: 'from_memory[7:70]', rlast: 'from_memory[71]'}\n"};
const Style capitals{
    "capital_memory",
    "clock: [S_AXI_ACLK, MEM_CLK]\nreset: [S_AXI_ARESETN, MEM_RESETN]\n"
    "interfaces: {axi: {protocol: axi4, role: subordinate, prefix: S_AXI_, suffix: [_I, _O]}}\n"};
const Style unpacked{"unpacked_memory",
                     "interfaces: {axi: {protocol: axi4, role: subordinate, suffix: '[2]'}}\n"};
const Style bus{"bus_memory",
                "clock: clk_i\nreset: rst_ni\nparameters: {WIDTH: '$bits(style_types::w_chan_t) - 10'}\n"
                "bundles: {bus: {interface: style_bus, parameters: {DATA_WIDTH: 64}, ports: {clk: clk_i}}}\n"
                "interfaces: {axi: {protocol: axi4, role: subordinate, prefix: bus.}}\n"};

#define QUIRKY(PARAMETERS)                                                 \
  "clock: ACLK\nreset: ARST\nreset_active: high\nparameters: {" PARAMETERS \
  "}\ninterfaces: {axi: {protocol: axi4, role: subordinate}}\n"
const Style ready_after_valid{"QUIRKY_RAM",
                              QUIRKY("C_DATA: 32, C_LOG: 2, C_ADDRESS: 32, C_ID: 8, READY: 0, INTERLEAVE: 1"),
                              "ready_after_valid"};
const Style data_before_address{
    "QUIRKY_RAM",
    QUIRKY("C_DATA: 1024, C_LOG: 7, C_ADDRESS: 64, C_ID: 1, READY: 1, DATA_FIRST: 1, LATENCY: 500"),
    "data_before_address"};
const Style registered_ready{"QUIRKY_RAM",
                             QUIRKY("C_DATA: 128, C_LOG: 4, C_ID: 2, READY: 2, INTERLEAVE: 1, LATENCY: 9"),
                             "registered_ready"};

std::string model(const Style& style) {
  rtl::VerilateRequest request;
  request.top = style.top;
  request.sources = {FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/styles.sv",
                     FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v",
                     FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/quirky_ram.v"};
  request.includes = {FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/include"};
  request.defines = {"STYLE_ID_BITS=2"};
  request.pins = style.pins;
  request.parameters = rtl::PinMap::parse(request.pins, "pins.yaml").parameters;
  return rtl::verilated(request).string();
}

struct PortStyles : testing::TestWithParam<Style> {};

TEST_P(PortStyles, CarryWholeAndPartialBeatsBothWays) {
  auto chip = small_chip(1);
  chip.rtl.sram = {model(GetParam())};
  std::vector<std::uint8_t> image(5001);
  std::iota(image.begin(), image.end(), std::uint8_t{1});
  Bench bench("bench", chip, [&](Bench& b) {
    b.put<std::uint64_t>(map::sram + (1 << 20) - 8, 0x1122334455667788);
    EXPECT_EQ(b.get<std::uint64_t>(map::sram + (1 << 20) - 8), 0x1122334455667788u);
    b.put<std::uint8_t>(map::sram + 0x2003, 0xab);
    b.put<std::uint8_t>(map::sram + 0x2004, 0xcd);
    EXPECT_EQ(b.get<std::uint16_t>(map::sram + 0x2003), 0xcdabu);
    auto sent = image;
    EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, map::sram + 0x1fff, sent.data(), 5001), tlm::TLM_OK_RESPONSE);
    std::vector<std::uint8_t> bytes(image.size());
    EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, map::sram + 0x1fff, bytes.data(), 5001), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bytes, image);
    b.soc.read(map::sram + 0x100, bytes);
    EXPECT_EQ(bytes, image) << "loaded before the simulation started";
  });
  bench.soc.write(map::sram + 0x100, image);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
  EXPECT_EQ(bench.soc.sram_rtl->broken_rules(), 0u);
  EXPECT_GT(bench.soc.sram_rtl->transactions(), 4u);
}

INSTANTIATE_TEST_SUITE_P(, PortStyles,
                         testing::Values(with_types, in_array, joined, capitals, unpacked, bus,
                                         ready_after_valid, data_before_address, registered_ready),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

/// What is wrong with the map of `style` with another text in the place of one.
std::string why_not(const Style& style, const std::string& text, const std::string& other) {
  std::string pins = style.pins;
  pins.replace(pins.find(text), text.size(), other);
  try {
    rtl::MappedBlock block(std::make_shared<ip::cosim::SharedModel>(model(style)),
                           rtl::PinMap::parse(pins, "pins.yaml"));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

std::string why_not_made(const Style& style) {
  try {
    model(style);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(PortStyleErrors, NameTheNearestFieldOrPort) {
  EXPECT_THAT(why_not(in_array, "req_i[2].aw.addr", "req_i[2].aw.adr"),
              HasSubstr("module array_memory: req_i[2].aw has no field adr; did you mean req_i[2].aw.addr?"));
  EXPECT_THAT(why_not(in_array, "req_i[2].aw.addr", "req_i[0].aw.addr"),
              HasSubstr("req_i has no [0], expected [2:1] or a part of it"));
  EXPECT_THAT(why_not(in_array, "req_i[2].aw.addr", "req_i.aw.addr"),
              HasSubstr("req_i is an array, expected an index before .aw: req_i[2] to req_i[1]"));
  EXPECT_THAT(why_not(in_array, "req_i[2].aw.addr", "reg_i[2].aw.addr"),
              HasSubstr("no port 'reg_i[2].aw.addr'"));
  EXPECT_THAT(why_not(in_array, "[63:0]", "[64:0]"),
              HasSubstr("resp_o[2].r.data has no [64:0], expected [63:0] or a part of it"));
  EXPECT_THAT(why_not(in_array, "[63:0]", "[0:63]"), HasSubstr("the wrong way round"));
  EXPECT_THAT(why_not(in_array, "[63:0]", ".low"),
              HasSubstr("resp_o[2].r.data has no fields, so no .low: it is 64 bits"));
  EXPECT_THAT(why_not(capitals, "prefix: S_AXI_", "prefix: M_AXI_"),
              HasSubstr("no port begins with 'M_AXI_'"));
  EXPECT_THAT(
      why_not(capitals, "MEM_CLK", "MEM_CLOCK"),
      HasSubstr("no port 'MEM_CLOCK', which its pin map means by the key clock; did you mean MEM_CLK?"));
  EXPECT_THAT(why_not(joined, " wready: 'from_memory[1]',", ""),
              HasSubstr("there is to_memory[145], but nothing for wready"));
  EXPECT_THAT(why_not(joined, ", rlast: 'from_memory[71]'", ""), HasSubstr("but nothing for rlast"));
  EXPECT_THAT(why_not(unpacked, "suffix: '[2]'", "suffix: '[3]'"), HasSubstr("has no [3], expected [0:2]"));
}

TEST(PortStyleErrors, SayWhatSystemVerilogInterfacesNeed) {
  EXPECT_THAT(why_not_made({"bus_memory", "clock: clk_i\nreset: rst_ni\n"}),
              HasSubstr("bundles: {s_axi: {interface: AXI_BUS.Slave"));
  EXPECT_THAT(
      why_not_made({"bus_memory", "bundles: {bus: {interface: style_bus, ports: {clk: clock}}}\n"}),
      HasSubstr(
          "bundles: bus: port clk of style_bus is to be clock, which is no input of module bus_memory"));
}

}  // namespace
}  // namespace forerun::soc
