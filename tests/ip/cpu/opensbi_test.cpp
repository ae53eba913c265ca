// SPDX-License-Identifier: Apache-2.0
/// OpenSBI, as Debian ships it, on our CPU, CLINT, PLIC and UART.
#include <gmock/gmock.h>
#include <libfdt.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "child.hpp"
#include "ip/uart/uart.hpp"
#include "machine.hpp"

using namespace forerun;
using namespace forerun::ip::test;

namespace {

/// Writes a device tree, node by node.
class Tree {
 public:
  Tree() : blob_(16384) {
    check(fdt_create(blob_.data(), static_cast<int>(blob_.size())));
    check(fdt_finish_reservemap(blob_.data()));
  }
  void begin(const char* name) { check(fdt_begin_node(blob_.data(), name)); }
  void end() { check(fdt_end_node(blob_.data())); }
  void text(const char* name, std::string value) {
    value += '\0';
    check(fdt_property(blob_.data(), name, value.data(), static_cast<int>(value.size())));
  }
  void cells(const char* name, std::initializer_list<std::uint32_t> values) {
    std::vector<fdt32_t> big;
    for (const auto value : values) big.push_back(cpu_to_fdt32(value));
    check(fdt_property(blob_.data(), name, big.data(), static_cast<int>(big.size() * 4)));
  }
  const std::vector<char>& finish() {
    check(fdt_finish(blob_.data()));
    return blob_;
  }

 private:
  static void check(int result) { ASSERT_EQ(result, 0) << fdt_strerror(result); }
  std::vector<char> blob_;
};

std::vector<char> device_tree() {
  Tree tree;
  tree.begin("");
  tree.cells("#address-cells", {2});
  tree.cells("#size-cells", {2});
  tree.text("compatible", "forerun,test");
  tree.text("model", "test machine");
  tree.begin("chosen");
  tree.text("stdout-path", "/soc/serial@10002000");
  tree.end();
  tree.begin("memory@80000000");
  tree.text("device_type", "memory");
  tree.cells("reg", {0, 0x80000000, 0, Machine::ram_size});
  tree.end();
  tree.begin("cpus");
  tree.cells("#address-cells", {1});
  tree.cells("#size-cells", {0});
  tree.cells("timebase-frequency", {10'000'000});
  tree.begin("cpu@0");
  tree.text("device_type", "cpu");
  tree.cells("reg", {0});
  tree.text("status", "okay");
  tree.text("compatible", "riscv");
  tree.text("riscv,isa", "rv64imafdc");
  tree.text("mmu-type", "riscv,sv39");
  tree.begin("interrupt-controller");
  tree.cells("#interrupt-cells", {1});
  tree.cells("interrupt-controller", {});
  tree.text("compatible", "riscv,cpu-intc");
  tree.cells("phandle", {1});
  tree.end();
  tree.end();
  tree.end();
  tree.begin("soc");
  tree.cells("#address-cells", {2});
  tree.cells("#size-cells", {2});
  tree.text("compatible", "simple-bus");
  tree.cells("ranges", {});
  tree.begin("clint@2000000");
  tree.text("compatible", "riscv,clint0");
  tree.cells("reg", {0, 0x2000000, 0, 0x10000});
  tree.cells("interrupts-extended", {1, 3, 1, 7});
  tree.end();
  tree.begin("plic@c000000");
  tree.text("compatible", "riscv,plic0");
  tree.cells("reg", {0, 0xc000000, 0, 0x4000000});
  tree.cells("#interrupt-cells", {1});
  tree.cells("#address-cells", {0});
  tree.cells("interrupt-controller", {});
  tree.cells("interrupts-extended", {1, 11, 1, 9});
  tree.cells("riscv,ndev", {64});
  tree.cells("phandle", {2});
  tree.end();
  tree.begin("serial@10002000");
  tree.text("compatible", "ns16550a");
  tree.cells("reg", {0, 0x10002000, 0, 0x100});
  tree.cells("clock-frequency", {1843200});
  tree.cells("interrupt-parent", {2});
  tree.cells("interrupts", {10});
  tree.end();
  tree.end();
  tree.end();
  return tree.finish();
}

/// Boots and returns what was printed, and what it took.
std::string boot(std::int64_t quantum_us) {
  constexpr std::uint64_t tree_address = Machine::ram_base + 0x220'0000, start_address = 0x1000'1000;
  auto parameters = Machine::defaults();
  parameters.reset_vector = start_address;
  parameters.quantum = {quantum_us * 1'000'000};
  Machine machine("machine", parameters);
  ip::Uart uart("uart", {Frequency{1.8432e6}, 0});
  ip::Memory rom("rom", {Bytes{4096}, {}, true});
  machine.bus.map(0x1000'2000, 0x100)
      .bind(uart.socket);  // beside the console of the other tests, which is no real UART
  machine.bus.map(start_address, 4096).bind(rom.socket);
  uart.interrupt.bind(machine.plic.source(10));
  uart.on_transmit = [&](unsigned char character) { machine.output.push_back(static_cast<char>(character)); };

  std::ifstream file(OPENSBI, std::ios::binary);
  const std::vector<char> firmware((std::istreambuf_iterator<char>(file)), {});
  machine.load(std::string(CPU_PROGRAMS) + "/sbi_payload.elf");
  machine.write(Machine::ram_base, firmware.data(), firmware.size());
  const auto tree = device_tree();
  machine.write(tree_address, tree.data(), tree.size());
  // li a0, 0; auipc t0, 0; ld a1, 20(t0); ld t0, 28(t0); jr t0; nop; then the two addresses
  const std::uint32_t code[] = {0x00000513,
                                0x00000297,
                                0x0142b583,
                                0x01c2b283,
                                0x00028067,
                                0x13,
                                static_cast<std::uint32_t>(tree_address),
                                0,
                                static_cast<std::uint32_t>(Machine::ram_base),
                                0};
  machine.write(start_address, code, sizeof code);
  machine.run(sc_core::sc_time(1, sc_core::SC_SEC));
  return machine.output + fmt::format("\nfinished {} with {} after {} instructions, {} ps", machine.finished,
                                      machine.exit_code, machine.finish_instructions,
                                      ip::to_picoseconds(machine.finish_time));
}

TEST(OpenSbi, BootsAndHandsOverToSupervisorModeTheSameAtEveryQuantum) {
  if (!std::filesystem::exists(OPENSBI)) GTEST_SKIP() << "no " << OPENSBI;
  const auto text = in_child([] { return boot(10); });
  EXPECT_THAT(text, testing::HasSubstr("OpenSBI v"));
  EXPECT_THAT(text, testing::HasSubstr("Base ISA        : rv64imafdc\r"));
  EXPECT_THAT(text, testing::HasSubstr("PMP Count       : 16\r"));
  EXPECT_THAT(text, testing::HasSubstr("Platform Timer Device     : aclint-mtimer @ 10000000Hz"));
  EXPECT_THAT(text, testing::HasSubstr("supervisor\r\nT"));
  EXPECT_THAT(text, testing::HasSubstr("finished true with 0 after"));
  RecordProperty("took", text.substr(text.rfind("finished")));
  EXPECT_EQ(in_child([] { return boot(1); }), text);
  EXPECT_EQ(in_child([] { return boot(1000); }), text);
}

}  // namespace
