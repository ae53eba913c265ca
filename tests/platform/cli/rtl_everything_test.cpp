// SPDX-License-Identifier: Apache-2.0
// A chip in which every block that may be RTL is RTL at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "tests/platform/cli/program.hpp"
#include "tests/platform/rtl/peripheral_models.hpp"

using namespace forerun::test;
using forerun::rtl::peripheral_model;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

/// The Verilog-2001 memory, with so many bits of address and bytes of data.
std::string memory(const Scratch& scratch, const std::string& name, unsigned address_bits, unsigned shift) {
  const auto made =
      launch("rtl --top axi_memory_2001 --pins " FORERUN_SOURCE_DIR
             "/tests/platform/rtl/verilog/memory.yaml --parameter ADDRESS_BITS=" +
             std::to_string(address_bits) + " --parameter DATA_BITS=" + std::to_string(8u << shift) +
             " --parameter SHIFT=" + std::to_string(shift) + " -o " + scratch.file(name) +
             " " FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
  EXPECT_EQ(made.code, 0) << made.err;
  return scratch.file(name);
}

}  // namespace

TEST(EverythingRtl, GivesATokenOfTheModels) {
  const Scratch scratch;
  const std::string chip =
      "--chip edge --prompt We --steps 1 --set hbm.rows=128 --set 'sram.size=1 MiB' --set "
      "clusters.tensor.rows=8 "
      "--set clusters.tensor.columns=8 --set peripherals.uart_baud=3125000 --ids ";
  std::string rtl = " --set cpu.model=rtl --set noc.model=rtl";
  for (const std::string block : {"tensor", "vector", "dma", "command", "scratchpad"})
    rtl += " --set clusters." + block + ".model=rtl";
  rtl += " --set rtl.sram=" + memory(scratch, "sram.so", 20, 3);
  rtl += " --set rtl.hbm=" + memory(scratch, "hbm.so", 24, 3);
  rtl += " --set rtl.scratchpad=" + memory(scratch, "scratchpad.so", 20, 5);
  for (const std::string name : {"uart", "clint", "plic", "timer", "mailbox", "sysctl", "perf"})
    rtl += " --set rtl." + name + "=" + peripheral_model(name, name == "uart" ? "uart_line" : "");
  report_of(chip + scratch.file("models"));
  const auto report = report_of(chip + scratch.file("ids") + rtl);
  EXPECT_EQ(read_ids(scratch.file("ids")), read_ids(scratch.file("models")));
  std::set<std::string> names;
  for (const auto& use : report["rtl"]) {
    names.insert(use["name"]);
    EXPECT_GT(use["cycles"], 0) << use["name"];
    EXPECT_EQ(use["broken_axi_rules"], 0) << use["name"];
  }
  EXPECT_EQ(names, (std::set<std::string>{"tensor", "vector", "dma", "command", "scratchpad", "cpu", "noc",
                                          "sram", "hbm0.port0", "uart", "clint", "plic", "timer", "mailbox",
                                          "sysctl", "perf"}));
}
