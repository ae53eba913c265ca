// SPDX-License-Identifier: Apache-2.0
// Firmware and a transformer with RTL in the places of the control CPU's peripherals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/platform/cli/program.hpp"
#include "tests/platform/rtl/peripheral_models.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

using forerun::rtl::peripheral_model;

const std::vector<std::string> names{"uart", "clint", "plic", "timer", "mailbox", "sysctl", "perf"};

std::string all(const std::string& uart) {
  std::string settings;
  for (const auto& name : names)
    settings += " --set rtl." + name + "=" + peripheral_model(name, name == "uart" ? uart : "");
  return settings;
}

/// What firmware prints, up to where counts of counters and cycles come.
std::string before_counts(const std::string& text) { return text.substr(0, text.find("of scratchpad")); }

}  // namespace

TEST(PeripheralsRtl, GiveTheTokensOfTheModels) {
  const Scratch scratch;
  const auto rtl = all("uart_line") + " --set peripherals.uart_baud=3125000";
  const auto model = report_of("--prompt We --chip edge --steps 2 --ids " + scratch.file("models"));
  const auto with = report_of("--prompt We --chip edge --steps 2 --ids " + scratch.file("ids") + rtl);
  EXPECT_EQ(read_ids(scratch.file("ids")), read_ids(scratch.file("models")));
  ASSERT_EQ(with["rtl"].size(), names.size());
  for (const auto& use : with["rtl"]) {
    EXPECT_EQ(use["broken_axi_rules"], 0) << use["name"];
    EXPECT_GT(use["cycles"], 0) << use["name"];
    if (use["name"] != "perf") {
      EXPECT_GT(use["commands"], 0) << use["name"];
    }
  }
}

TEST(PeripheralsRtl, PrintWhatFirmwarePrints) {
  const auto rtl = all("uart_line") + " --set peripherals.uart_baud=3125000";
  const std::string hello = "boot " FORERUN_BINARY_DIR "/firmware/hello.elf --chip edge";
  const auto model = launch(hello), with = launch(hello + rtl);
  EXPECT_EQ(with.code, model.code) << with.err;
  EXPECT_EQ(before_counts(with.out), before_counts(model.out));
  EXPECT_THAT(with.out, HasSubstr("of scratchpad"));
}

TEST(PeripheralsRtl, AreComparedWithTheModels) {
  const auto rtl = all("uart_stream") + " --set rtl.lockstep=true";
  const auto with = report_of("--prompt We --chip edge --steps 1" + rtl);
  EXPECT_THAT(with["rtl"][0]["model"].get<std::string>(), HasSubstr("compared with the model"));
  const auto differs = [&](const std::string& name, const std::string& pins, const std::string& from,
                           const std::string& to) {
    const auto result = launch("run --prompt We --chip edge --steps 1 --set rtl.lockstep=true --set rtl." +
                               name + "=" + peripheral_model(name, pins, {}, {{from, to}}));
    EXPECT_NE(result.code, 0) << name;
    return result.err;
  };
  EXPECT_THAT(differs("mailbox", "mailbox", "present ? in[read_address[5:3]]",
                      "present ? in[read_address[5:3]] + 64'd1"),
              HasSubstr("RTL and models differ in mailbox, first in cycle"));
  EXPECT_THAT(differs("uart", "uart_stream", "tx[tx_first]}", "tx[tx_first] & 8'hdf}"),
              HasSubstr("differ in uart, first in cycle"));
  EXPECT_THAT(differs("plic", "plic", "eip = {1'b0, best != 0}", "eip = {1'b0, best == 1}"),
              HasSubstr("signal machine"));
  EXPECT_THAT(differs("sysctl", "sysctl", "2: read_data = tree;", "2: read_data = tree + 8;"),
              HasSubstr("of read of 8 bytes at 0x10, begun at"));
}

TEST(CpuRtl, BootsFirmwareAndGivesTheTokensOfTheModel) {
  const Scratch scratch;
  report_of("--prompt We --chip edge --steps 2 --ids " + scratch.file("models"));
  const auto with =
      report_of("--prompt We --chip edge --steps 2 --set cpu.model=rtl --ids " + scratch.file("ids"));
  EXPECT_EQ(read_ids(scratch.file("ids")), read_ids(scratch.file("models")));
  ASSERT_EQ(with["rtl"].size(), 1u);
  EXPECT_EQ(with["rtl"][0]["name"], "cpu");
  EXPECT_EQ(with["rtl"][0]["broken_axi_rules"], 0);
  EXPECT_GT(with["rtl"][0]["cycles"], 10'000);
}

TEST(CpuRtl, WithPeripheralsOfRtl) {
  const auto rtl = all("uart_stream") + " --set cpu.model=rtl";
  const std::string hello = "boot " FORERUN_BINARY_DIR "/firmware/hello.elf --chip edge";
  const auto model = launch(hello), with = launch(hello + rtl);
  EXPECT_EQ(with.code, model.code) << with.err;
  EXPECT_EQ(before_counts(with.out), before_counts(model.out));
}

TEST(CpuRtl, IsRefusedWhereItCannotBe) {
  const auto refused =
      launch("boot " FORERUN_BINARY_DIR "/firmware/hello.elf --chip edge --set cpu.model=rtl --gdb 0");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("--gdb needs cpu.model: tlm"));
  const auto timer = launch("run --chip edge --set cpu.model=rtl --set rtl.cpu=" + peripheral_model("timer"));
  EXPECT_NE(timer.code, 0);
  EXPECT_THAT(timer.err, HasSubstr("interface registers is no manager, expected managers only"));
}
