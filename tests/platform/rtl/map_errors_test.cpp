// SPDX-License-Identifier: Apache-2.0
// Mistakes in pin maps that only the module's ports show: each is told with file, line and column, and before
// anything is compiled.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "platform/rtl/command.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::rtl {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// In the place of make, so that nothing is compiled and a map without mistakes is seen.
struct NoCompiler {
  NoCompiler() {
    fs::create_directories(folder);
    write_text(folder / "make", "#!/bin/sh\n[ \"$1\" = --version ] || { echo error: compiled; exit 9; }\n");
    fs::permissions(folder / "make", fs::perms::owner_all);
    ::setenv("PATH", (folder.string() + ":" + ::getenv("PATH")).c_str(), 1);
  }
  ~NoCompiler() { fs::remove_all(folder); }
  const fs::path folder = fs::temp_directory_path() / ("forerun_map_errors." + std::to_string(::getpid()));
};

/// `given` goes over the map's parameters, as --parameter does.
std::string said_of(const std::string& top, const std::string& pins,
                    const std::map<std::string, std::string>& given = {}) {
  const NoCompiler none;
  VerilateRequest request;
  request.top = top;
  request.sources = {FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/ports_only.sv"};
  request.pins = pins;
  request.pins_file = "map.yaml";
  try {
    request.parameters = PinMap::parse(pins, request.pins_file).parameters;
    for (const auto& [name, value] : given) request.parameters[name] = value;
    verilate(request, none.folder / "x.so");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

const char* const capitals =
    "clock: S_AXI_ACLK\n"
    "reset: S_AXI_ARESETN\n"
    "idle: busy\n"
    "idle_active: low\n"
    "interrupt: irq\n"
    "parameters: {ADDR_WIDTH: 24}\n"
    "constants: {cfg_mode: 9}\n"
    "interfaces:\n"
    "  memory: {protocol: axi4, role: subordinate, prefix: S_AXI_}\n";
const char* const structs =
    "clock: clk_i\n"
    "reset: rst_ni\n"
    "parameters:\n"
    "  axi_req_t: \"ports_types::req_t\"\n"
    "  axi_resp_t: \"ports_types::resp_t\"\n"
    "interfaces:\n"
    "  memory:\n"
    "    protocol: axi4\n"
    "    role: subordinate\n"
    "    prefix: [axi_req_i., axi_resp_o.]\n"
    "    ports: {awaddr: axi_req_i.aw.addr, wdata: 'axi_req_i.w.data[63:0]'}\n";
const char* const unit =
    "ports:\n"
    "  {w_valid: wt_vld, w_ready: wt_rdy, w_last: wt_last, w_data: wt_data,\n"
    "   a_valid: act_vld, a_ready: act_rdy, a_last: act_last, a_start: act_start, a_emit: act_emit,\n"
    "   a_data: act_data, a_sum: act_sum,\n"
    "   c_valid: res_vld, c_ready: res_rdy, c_data: res_data}\n"
    "tile: {format: int8, depth: 64, timing: own}\n";
const char* const copier =
    "reset: rst\n"
    "reset_active: high\n"
    "interfaces: {m: {protocol: axi4, role: manager, prefix: m_}}\n"
    "dma:\n"
    "  ports: {start: go, source: from, destination: to, bytes: amount, done: gone, error: error}\n";
const char* const streamer =
    "interfaces:\n"
    "  in: {protocol: axi4-stream, role: receiver, prefix: in_}\n";
const char* const bundled =
    "clock: clk_i\n"
    "reset: rst_ni\n"
    "bundles:\n"
    "  bus: {interface: ports_bus, parameters: {DATA_WIDTH: 64}}\n"
    "interfaces:\n"
    "  memory: {protocol: axi4-lite, role: subordinate, prefix: bus.}\n";

struct Mistake {
  const char *name, *top, *map, *text, *other;  ///< `other` in the place of `text`
  const char* said;                             ///< behind "map.yaml:"
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

const Mistake mistakes[] = {
    {"Clock", "capitals", capitals, "S_AXI_ACLK", "S_AXI_CLK",
     "1:8: module capitals: no port 'S_AXI_CLK', which its pin map means by the key clock; did you mean "
     "S_AXI_ACLK?"},
    {"ClockLeftOut", "capitals", capitals, "clock: S_AXI_ACLK\n", "",
     "1:1: module capitals: no port 'clk', which its pin map means by leaving out the key clock; it has "
     "S_AXI_ACLK,"},
    {"ClockIsAnOutput", "capitals", capitals, "S_AXI_ACLK", "busy",
     "1:8: module capitals: port 'busy' is an output, expected an input"},
    {"ClockOfSeveralBits", "capitals", capitals, "S_AXI_ACLK", "cfg_mode",
     "1:8: module capitals: port 'cfg_mode' has 4 bits, expected 1"},
    {"SecondClock", "capitals", capitals, "S_AXI_ACLK", "[S_AXI_ACLK, test_clock]",
     "1:21: module capitals: no port 'test_clock'"},
    {"Reset", "capitals", capitals, "S_AXI_ARESETN", "s_axi_aresetn",
     "2:8: module capitals: no port 's_axi_aresetn', which its pin map means by the key reset; did you mean "
     "S_AXI_ARESETN?"},
    {"ResetLeftOut", "structs", structs, "reset: rst_ni\n", "",
     "1:1: module structs: no port 'rst_n', which its pin map means by leaving out the key reset; did you "
     "mean rst_ni?"},
    {"Idle", "capitals", capitals, "idle: busy", "idle: bussy",
     "3:7: module capitals: no port 'bussy'; did you mean busy?"},
    {"Interrupt", "capitals", capitals, "irq", "state",
     "5:12: module capitals: port 'state' has 8 bits, expected 1"},
    {"Parameter", "capitals", capitals, "ADDR_WIDTH: 24", "ADR_WIDTH: 24",
     "6:25: module capitals has no parameter 'ADR_WIDTH'; did you mean ADDR_WIDTH?"},
    {"ParameterIsNoNumber", "capitals", capitals, "ADDR_WIDTH: 24", "ADDR_WIDTH: twenty",
     "6:26: parameter ADDR_WIDTH of module capitals is twenty: "},
    {"Constant", "capitals", capitals, "cfg_mode", "cfg_mod",
     "7:22: module capitals: no port 'cfg_mod'; did you mean cfg_mode?"},
    {"ConstantTooLarge", "capitals", capitals, "9}", "16}",
     "7:23: module capitals: constant cfg_mode is 16, which does not fit in 4 bits"},
    {"ConstantOfAnOutput", "capitals", capitals, "cfg_mode", "state",
     "7:20: module capitals: port 'state' is an output, expected an input"},
    {"Prefix", "capitals", capitals, "prefix: S_AXI_", "prefix: M_AXI_",
     "9:55: module capitals: interface memory: no port begins with 'M_AXI_'; did you mean S_AXI_?"},
    {"Role", "capitals", capitals, "role: subordinate", "role: manager",
     "9:34: module capitals: interface memory: port S_AXI_AWVALID is an input, but awvalid of a manager is "
     "an output; expected role: subordinate"},
    {"Lite", "capitals", capitals, "axi4,", "axi4-lite,",
     "9:22: module capitals: interface memory: it has S_AXI_AWLEN, which AXI4-Lite does not; expected "
     "protocol: axi4"},
    {"NoInterfaces", "capitals", capitals,
     "interfaces:\n  memory: {protocol: axi4, role: subordinate, prefix: S_AXI_}\n", "",
     "1:1: module capitals: its pin map has no interfaces"},
    {"Pin", "capitals", capitals, "prefix: S_AXI_", "prefix: S_AXI_, ports: {wlast: S_AXI_WLST}",
     "9:78: module capitals: interface memory: no port 'S_AXI_WLST', which its map names for wlast; did you "
     "mean "
     "S_AXI_WLAST?"},
    {"PinOfOtherDirection", "capitals", capitals, "prefix: S_AXI_",
     "prefix: S_AXI_, ports: {bvalid: S_AXI_BREADY}",
     "9:79: module capitals: interface memory: port S_AXI_BREADY is an input, but bvalid of a subordinate is "
     "an output"},
    {"PinOfOtherWidth", "capitals", capitals, "prefix: S_AXI_", "prefix: S_AXI_, ports: {wdata: S_AXI_WSTRB}",
     "9:78: module capitals: interface memory: 8 bits of write data and 64 of read data"},
    {"Field", "structs", structs, "axi_req_i.aw.addr", "axi_req_i.aw.adr",
     "11:21: module structs: axi_req_i.aw has no field adr; did you mean axi_req_i.aw.addr?"},
    {"FieldBits", "structs", structs, "[63:0]", "[64:1]",
     "11:47: module structs: axi_req_i.w.data has no [64:1]"},
    {"PrefixOfFields", "structs", structs, "[axi_req_i., axi_resp_o.]", "[axi_req_i., axi_res_o.]",
     "10:26: module structs: interface memory: no port begins with 'axi_res_o.'; did you mean axi_resp_o.?"},
    {"Type", "structs", structs, "types::req_t", "types::reg_t",
     "4:14: parameter axi_req_t of module structs is ports_types::reg_t: Can't find definition of "
     "scope/variable: "
     "'reg_t'; did you mean req_t?"},
    {"TypeParameter", "structs", structs, "axi_resp_t:", "axi_rsp_t:",
     "5:14: module structs has no parameter 'axi_rsp_t'; did you mean axi_resp_t?"},
    {"Package", "structs", structs, "ports_types::req_t", "port_types::req_t",
     "4:14: parameter axi_req_t of module structs is port_types::req_t: Package/class 'port_types' not "
     "found"},
    {"TypesLeftOut", "structs", structs,
     "parameters:\n  axi_req_t: \"ports_types::req_t\"\n  axi_resp_t: \"ports_types::resp_t\"\n", "",
     "1:1: module structs has parameters that are types, and axi_req_t and axi_resp_t are not given; "
     "expected such as "
     "parameters: {axi_req_t: \"package_name::type_name\"}"},
    {"ParameterLeftOut", "demanding", "parameters: {}\n", "", "",
     "1:1: parameter Words of module demanding has no value of its own, and none is given"},
    {"TilePin", "unit", unit, "act_vld", "act_valid",
     "3:13: module unit: no port 'act_valid'; did you mean act_vld?"},
    {"TilePinLeftOut", "unit", unit, "a_valid: act_vld, ", "",
     "1:1: module unit: no port 'a_valid', and ports does not say which one it is"},
    {"TilePinWidth", "unit", unit, "act_start", "act_emit",
     "3:67: module unit: port 'act_emit' has 1 bit, expected 2"},
    {"TileFormat", "unit", unit, "int8", "fp16",
     "2:63: module unit: port 'wt_data' has 32 bits, expected 64"},
    {"TileTiming", "unit", unit, ", timing: own", "",
     "1:1: module unit: no port 'c_last', and ports does not say"},
    {"DescriptorPin", "copier", copier, "source: from", "source: form",
     "5:30: module copier: no port 'form'; did you mean from?"},
    {"DescriptorPinWidth", "copier", copier, "bytes: amount", "bytes: wide",
     "5:60: module copier: dma: port wide has more than 64 bits"},
    {"DescriptorPinDirection", "copier", copier, "done: gone", "done: go",
     "5:74: module copier: port 'go' is an input, expected an output"},
    {"DescriptorPinTwice", "copier", copier, "destination: to", "destination: from",
     "5:49: module copier: input 'from' is driven by another key of the pin map already, at least in part"},
    {"DescriptorBitsTwice", "copier", copier, "source: from, destination: to",
     "source: 'wide[31:0]', destination: 'wide[62:31]'",
     "5:57: module copier: input 'wide[62:31]' is driven by another key"},
    {"ConstantOfADrivenInput", "copier", copier,
     "dma:", "constants: {amount: 3}\ndma:", "4:21: module copier: input 'amount' is driven by another key"},
    {"DmaRegisterOutOfReach", "capitals", capitals, "interfaces:",
     "dma:\n  start: [{at: 0, write: source}, {at: 8, write: destination}, {at: 0x1000000, write: bytes}]\n"
     "  status: {at: 12, done: 1}\ninterfaces:",
     "9:64: module capitals: dma: there is no register at 0x1000000: interface memory has 24 bits of "
     "address"},
    {"DmaWithoutManager", "copier", copier, "role: manager", "role: subordinate",
     "3:40: module copier: interface m: port m_awvalid is an output, but awvalid of a subordinate is an "
     "input; expected role: manager"},
    {"DmaWithoutRegisters", "copier", copier,
     "ports: {start: go, source: from, destination: to, bytes: amount, done: gone, error: error}",
     "start: [{at: 0, write: source}, {at: 4, write: destination}, {at: 8, write: bytes}]\n  status: {at: "
     "12, done: 1}",
     "5:3: module copier: dma: start writes registers, but there is no interface with role subordinate"},
    {"StreamPrefix", "streamer", streamer, "prefix: in_", "prefix: inp_",
     "2:55: module streamer: interface in: no port begins with 'inp_'; did you mean in_?"},
    {"StreamWidth", "streamer", streamer, "role: receiver, prefix: in_", "role: transmitter, prefix: out_",
     "2:58: module streamer: interface in: port out_tdata has 24 bits, expected a power of two from 8 to "
     "1024"},
    {"Bundle", "bundled", bundled, "interface: ports_bus", "interface: port_bus",
     "4:3: Cannot find file containing interface: 'port_bus'"},
    {"BundleParameter", "bundled", bundled, "DATA_WIDTH", "DATA_WITH",
     "4:55: Parameter pin not found: 'DATA_WITH'"},
    {"BundlePort", "bundled", bundled, "  bus: {", "  bas: {", "4:3: module bundled has no port 'bas'"},
    {"BundleLeftOut", "bundled", bundled,
     "bundles:\n  bus: {interface: ports_bus, parameters: {DATA_WIDTH: 64}}\n", "",
     "1:1: module bundled: a port that is a SystemVerilog interface is named in the pin map"},
};

/// Of the map's text alone.
std::string said_of_text(const std::string& pins) {
  try {
    PinMap::parse(pins, "map.yaml");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Maps, OfEnginesThatFetchDescriptorsAreWhole) {
  const std::string start =
      "dma:\n  start: [{at: 0, write: descriptor, bits: 64}]\n  status: {at: 8, done: 1}\n";
  const std::string words = "[{at: 0, write: source}, {at: 4, write: destination}, {at: 8, write: bytes}";
  EXPECT_EQ(said_of_text(start + "  descriptor: " + words + "]\n"), "no error");
  EXPECT_THAT(said_of_text(start),
              HasSubstr("the address of a descriptor is written, but there is no descriptor"));
  EXPECT_THAT(
      said_of_text(start + "  descriptor: " + words + ", {at: 0xffe, write: 1}]\n"),
      HasSubstr("dma: descriptor: at 0xffe: expected a value other than descriptor, within 4096 bytes"));
  EXPECT_THAT(said_of_text("dma:\n  start: " + words + "]\n  descriptor: " + words +
                           "]\n  status: {at: 8, done: 1}\n"),
              HasSubstr("start writes its address nowhere"));
}

struct MapMistakes : testing::TestWithParam<Mistake> {};

TEST_P(MapMistakes, AreToldWithTheirPlaceBeforeACompile) {
  const auto& m = GetParam();
  std::string pins = m.map;
  const std::string text = m.text;
  ASSERT_NE(pins.find(text), std::string::npos) << text;
  pins.replace(pins.find(text), text.size(), m.other);
  EXPECT_THAT(said_of(m.top, pins), StartsWith(std::string("map.yaml:") + m.said)) << pins;
}

INSTANTIATE_TEST_SUITE_P(, MapMistakes, testing::ValuesIn(mistakes),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

TEST(Maps, WithoutMistakesAreCompiled) {
  for (const auto& [top, map] : {std::pair{"capitals", capitals},
                                 {"structs", structs},
                                 {"unit", unit},
                                 {"copier", copier},
                                 {"streamer", streamer},
                                 {"bundled", bundled}})
    EXPECT_THAT(said_of(top, map), HasSubstr("the C++ compiler failed")) << top;
}

TEST(Maps, ParametersThatGoOverThemAreNoMistakeOfTheMap) {
  EXPECT_THAT(
      said_of("capitals", capitals, {{"DATA_WITH", "32"}}),
      StartsWith(
          "parameter DATA_WITH: module capitals has no parameter 'DATA_WITH'; did you mean DATA_WIDTH?"));
  EXPECT_THAT(said_of("capital", capitals),
              StartsWith("--top: the sources have no module 'capital'; did you mean capitals?"));
}

}  // namespace
}  // namespace forerun::rtl
