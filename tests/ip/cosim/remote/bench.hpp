// SPDX-License-Identifier: Apache-2.0
/// The DMA engine in another process and in this one, and who drives it.
#pragma once

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include "firmware/abi/registers.h"
#include "ip/base/method.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/remote/remote_link.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "tests/ip/cosim/bench.hpp"
#include "tests/ip/dma/rtl/models.hpp"

namespace forerun::rtl {

using namespace ip;
using namespace ip::cosim;

inline constexpr std::int64_t period_ps = 1000;

/// The block's program, killed with this.
class Process {
 public:
  Process(const std::string& program, const std::vector<std::string>& arguments) {
    out_ = (testing::TempDir() + "forerun_remote_" + std::to_string(::getpid()) + ".out");
    id_ = ::fork();
    if (id_ != 0) return;
    std::vector<char*> list{const_cast<char*>(program.c_str())};
    for (const auto& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
    list.push_back(nullptr);
    if (std::freopen(out_.c_str(), "w", stdout) == nullptr) ::_exit(3);
    ::execv(program.c_str(), list.data());
    ::_exit(4);
  }
  ~Process() {
    if (!ended_) ::kill(id_, SIGKILL), ::waitpid(id_, nullptr, 0);
    ::unlink(out_.c_str());
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Waits for its end; what it has printed.
  std::string wait() {
    ::waitpid(id_, nullptr, 0);
    ended_ = true;
    std::ifstream in(out_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  pid_t id_;
  bool ended_ = false;
  std::string out_;
};

/// Programs an engine, copies, and notes when things happen.
struct Driver : sc_core::sc_module {
  SC_HAS_PROCESS(Driver);
  explicit Driver(const sc_core::sc_module_name& name) : sc_module(name) { SC_THREAD(run); }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint32_t offset, void* data,
                                  unsigned length) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(offset);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    auto delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    times.push_back(now_picoseconds());
    return payload.get_response_status();
  }
  template <typename T>
  void write(std::uint32_t offset, T value) {
    statuses.push_back(access(tlm::TLM_WRITE_COMMAND, offset, &value, sizeof value));
  }
  void run() {
    wait(3300, sc_core::SC_PS);
    write(FR_DMA_INTERRUPT_ENABLE, std::uint32_t{3});
    for (unsigned copy = 0; copy < copies; ++copy) {
      write(FR_DMA_SOURCE, std::uint64_t{64 + 13 * copy});
      write(FR_DMA_DESTINATION, std::uint64_t{32768 + 1024 * copy + 5 * copy});
      write(FR_DMA_ROW_BYTES, std::uint32_t{1 + 97 * copy % 1500});
      write(FR_DMA_ROWS, std::uint32_t{1 + copy % 3});
      write(FR_DMA_SOURCE_STRIDE, std::int64_t{2000});
      write(FR_DMA_DESTINATION_STRIDE, std::int64_t{1700});
      write(FR_DMA_CONTROL, std::uint32_t{FR_DMA_CONTROL_START});
      if (!level && statuses.back() == tlm::TLM_OK_RESPONSE)
        wait(sc_core::sc_time(50, sc_core::SC_US), interrupt);
      std::uint64_t counted = 0;
      statuses.push_back(access(tlm::TLM_READ_COMMAND, FR_DMA_CYCLES, &counted, 8));
      cycles.push_back(counted);
      write(FR_DMA_INTERRUPT_STATUS, std::uint32_t{3});
      wait(static_cast<double>(copy % 7 * 3333), sc_core::SC_PS);  // sometimes idle, off the clock's edges
    }
    finished = true;
  }
  void set_level(bool value) {
    level = value;
    times.push_back(-now_picoseconds());
    if (value) interrupt.notify(sc_core::SC_ZERO_TIME);
  }
  tlm_utils::simple_initiator_socket<Driver> socket{"socket"};
  sc_core::sc_event interrupt;
  bool level = false, finished = false;
  unsigned copies = 40;
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> cycles;
  std::vector<tlm::tlm_response_status> statuses;
};

inline std::string unix_address() {
  return "unix:" + testing::TempDir() + "forerun_remote_" + std::to_string(::getpid());
}

inline RemoteLinkParameters link_parameters(const std::string& address) {
  return {.address = address,
          .subordinate = dma_register_shape,
          .manager = dma_models().at("standard").memory_shape(),
          .connect_timeout = 20,
          .answer_timeout = 20};
}

struct Remote {
  explicit Remote(const RemoteLinkParameters& parameters) : link("link", clock, parameters) {
    driver.socket.bind(to_registers.socket);
    to_memory.socket.bind(memory.socket);
    link.on_interrupt = [this](bool level) { driver.set_level(level); };
    for (std::size_t i = 0; i < memory.bytes.size(); ++i)
      memory.bytes[i] = static_cast<unsigned char>(i * 7 + i / 256);
  }
  PinClock clock{"remote_clock", {.period = {period_ps}}};
  RemoteLink link;
  TlmToAxi to_registers{"to_registers", clock, link.subordinate(), {.shape = dma_register_shape}};
  AxiToTlm to_memory{"to_memory", clock, link.manager()};
  Driver driver{"remote_driver"};
  LateMemory memory{"remote_memory", 1 << 17, 60'000, 3};
};

struct Local {
  Local() {
    driver.socket.bind(to_registers.socket);
    to_memory.socket.bind(memory.socket);
    clock.add(*block);
    clock.add(register_pins);
    clock.add(memory_pins);
    clock.watch([this](std::uint64_t) {
      if (block->interrupt() != driver.level) driver.set_level(block->interrupt());
    });
    for (std::size_t i = 0; i < memory.bytes.size(); ++i)
      memory.bytes[i] = static_cast<unsigned char>(i * 7 + i / 256);
  }
  AxiShape shape = dma_models().at("standard").memory_shape();
  AxiPins register_pins{dma_register_shape}, memory_pins{shape};
  std::unique_ptr<DmaBlock> block = dma_models().at("standard").make(register_pins, memory_pins);
  PinClock clock{"local_clock", {.period = {period_ps}}};
  TlmToAxi to_registers{"local_to_registers", clock, register_pins, {.shape = dma_register_shape}};
  AxiToTlm to_memory{"local_to_memory",
                     clock,
                     memory_pins,
                     {.shape = shape, .subordinate = {.most_reads = 64, .most_writes = 64}}};
  Driver driver{"local_driver"};
  LateMemory memory{"local_memory", 1 << 17, 60'000, 3};
};

inline void expect_same(Remote& remote, Local& local) {
  EXPECT_TRUE(remote.driver.finished);
  EXPECT_TRUE(local.driver.finished);
  EXPECT_EQ(remote.driver.times, local.driver.times) << "of each answer and each change of the interrupt";
  EXPECT_EQ(remote.driver.cycles, local.driver.cycles);
  EXPECT_EQ(remote.driver.statuses, local.driver.statuses);
  EXPECT_EQ(remote.memory.seen, local.memory.seen);
  EXPECT_TRUE(remote.memory.bytes == local.memory.bytes);
}

/// All that a driver and a memory have noted, as text.
inline std::string notes(const Driver& driver, const LateMemory& memory) {
  std::string text = driver.finished ? "finished\n" : "not finished\n";
  for (const auto time : driver.times) text += std::to_string(time) + "\n";
  for (const auto count : driver.cycles) text += std::to_string(count) + "\n";
  for (const auto& one : memory.seen)
    text += std::to_string(one.address) + " " + std::to_string(one.length) + "\n";
  return text + std::string(memory.bytes.begin(), memory.bytes.end());
}

/// What happens in this process alone, found out in a process of its own: a second clock here would be an
/// event in each cycle.
inline std::string local_notes(std::int64_t longest_ps) {
  const auto path = testing::TempDir() + "forerun_local_" + std::to_string(::getpid());
  const auto id = ::fork();
  if (id == 0) {
    Local local;
    local.memory.longest = longest_ps;
    sc_core::sc_start(5, sc_core::SC_MS);
    std::ofstream(path, std::ios::binary) << notes(local.driver, local.memory);
    ::_exit(0);
  }
  ::waitpid(id, nullptr, 0);
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  ::unlink(path.c_str());
  return text;
}

}  // namespace forerun::rtl
