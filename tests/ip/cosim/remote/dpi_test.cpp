// SPDX-License-Identifier: Apache-2.0
// The DMA engine in a simulator of its own with DPI-C, against the same in this process.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "tests/ip/cosim/remote/bench.hpp"

using namespace forerun::rtl;
using testing::HasSubstr;

namespace {

TEST(RemoteDpi, IsTheSameAsInThisProcess) {
  constexpr std::int64_t longest_ps = 200'000;
  const auto folder = testing::TempDir() + "forerun_remote_dpi_" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  std::string sources;
  for (const auto* part : {"engine", "registers", "walk", "buffer", "flights", "read", "write"})
    sources += fmt::format(" " FORERUN_SOURCE_DIR "/ip/dma/rtl/dma_{}.sv", part);
  ASSERT_EQ(
      std::system(
          fmt::format(
              "cd {} && verilator --binary -j 2 -Wno-lint --top-module dma_tb -o dma {} " FORERUN_SOURCE_DIR
              "/ip/cosim/remote/forerun_remote.sv " FORERUN_SOURCE_DIR
              "/tests/ip/cosim/remote/dma_tb.sv {} -LDFLAGS -Wl,-rpath,{} > log 2>&1 || (cat log; false)",
              folder, sources, DPI_LIBRARY, std::filesystem::path(DPI_LIBRARY).parent_path().string())
              .c_str()),
      0);
  const auto expected = local_notes(longest_ps);
  ASSERT_THAT(expected.substr(0, 9), "finished\n");
  std::string printed;
  {
    auto remote = std::make_unique<Remote>(link_parameters("tcp:localhost:0"));
    remote->memory.longest = longest_ps;
    Process process(folder + "/obj_dir/dma", {"+forerun=" + remote->link.address()});
    sc_core::sc_start(5, sc_core::SC_MS);
    EXPECT_TRUE(notes(remote->driver, remote->memory) == expected);
    std::cout << remote->link.cycles.value() << " cycles in " << remote->link.exchanges.value()
              << " exchanges\n";
    EXPECT_GT(remote->link.cycles.value(), 10'000u);
    remote.reset();
    printed = process.wait();
  }
  EXPECT_THAT(printed, HasSubstr("the peer ends: the simulation has ended"));
  EXPECT_THAT(printed, testing::Not(HasSubstr("broken rule")));
  std::filesystem::remove_all(folder);
}

}  // namespace
