// SPDX-License-Identifier: Apache-2.0
// The serial port's connections to the host, with real files, pipes and a real pseudo terminal.
#include "ip/uart/backend.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ip/uart/uart.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

/// A folder that goes with the test.
struct Folder {
  std::filesystem::path path = [] {
    std::string pattern = (std::filesystem::temp_directory_path() / "forerun_uart_XXXXXX").string();
    return std::filesystem::path(mkdtemp(pattern.data()));
  }();
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::string make(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  std::string content(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(file(name), std::ios::binary).rdbuf();
    return text.str();
  }
};

/// A driver that takes what arrives, after `lag`, and notes when it came.
struct Bench : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Bench> host{"host"};
  Uart uart{"uart", UartParameters{{1.8432e6}, 0}};
  LevelIn line{"line", [this](bool level) {
                 if (level) interrupted.notify(lag);
               }};
  UartBackend backend;
  sc_core::sc_time lag = sc_core::SC_ZERO_TIME;
  sc_core::sc_event interrupted;
  std::string in;
  std::vector<sc_core::sc_time> times;
  SC_HAS_PROCESS(Bench);
  Bench(const sc_core::sc_module_name& name, HostLine to)
      : sc_module(name), backend("backend", uart, std::move(to)) {
    host.bind(uart.socket);
    uart.interrupt.bind(line);
    SC_METHOD(take);
    sensitive << interrupted;
    dont_initialize();
  }
  void end_of_elaboration() override {
    write(3, 0x83), write(0, 1), write(1, 0),
        write(3, 0x03);           // 115200 bits a second, 8 data bits: 86.8 us a character
    write(2, 0x07), write(1, 1);  // FIFOs on, interrupt at each character
  }
  unsigned access(tlm::tlm_command command, unsigned reg, unsigned char value) {
    tlm::tlm_generic_payload p;
    p.set_command(command);
    p.set_address(reg);
    p.set_data_ptr(&value);
    p.set_data_length(1);
    p.set_streaming_width(1);
    auto delay = sc_core::SC_ZERO_TIME;
    host->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), tlm::TLM_OK_RESPONSE);
    return value;
  }
  unsigned read(unsigned reg) { return access(tlm::TLM_READ_COMMAND, reg, 0); }
  void write(unsigned reg, unsigned value) {
    access(tlm::TLM_WRITE_COMMAND, reg, static_cast<unsigned char>(value));
  }
  void take() {
    while ((read(5) & 1) != 0) {
      in += static_cast<char>(read(0));
      times.push_back(sc_core::sc_time_stamp());
    }
  }
  void say(const std::string& text) {
    if (!sc_core::sc_is_running()) sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaborated, thus set up
    for (const char c : text) {
      write(0, static_cast<unsigned char>(c));
      sc_core::sc_start(100, sc_core::SC_US);
    }
  }
};

TEST(UartBackend, WritesAFileAndDoesNotKeepTheSimulationAlive) {
  Folder folder;
  Bench bench("bench", HostLine::files(folder.file("out"), ""));
  bench.say("boot\n");
  const auto before = sc_core::sc_time_stamp();
  sc_core::sc_start();
  EXPECT_EQ(sc_core::sc_time_stamp(), before) << "there is nothing left to do";
  EXPECT_EQ(folder.content("out"), "boot\n") << "at once, not at the end";
}

TEST(UartBackend, ReadsAFileAtTheRateOfTheLineAndEndsWithIt) {
  Folder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  Bench bench("bench", HostLine::files("", folder.make("in", text)));
  sc_core::sc_start();
  EXPECT_EQ(bench.in, text);
  ASSERT_EQ(bench.times.size(), text.size());
  EXPECT_EQ(bench.times[0], sc_core::sc_time(1, sc_core::SC_MS));
  for (std::size_t i = 1; i < 256; ++i)
    EXPECT_EQ(bench.times[i] - bench.times[i - 1], bench.uart.character_time());
  EXPECT_LT(sc_core::sc_time_stamp(), sc_core::sc_time(1000 * 87 + 8000, sc_core::SC_US));
}

TEST(UartBackend, WaitsForASlowReaderAndLosesNothing) {
  Folder folder;
  const std::string text(500, 'x');
  Bench bench("bench", HostLine::files("", folder.make("in", text)));
  bench.lag = sc_core::sc_time(20, sc_core::SC_MS);
  sc_core::sc_start();
  EXPECT_EQ(bench.in, text);
  EXPECT_EQ(bench.uart.lost.value(), 0u);
}

TEST(UartBackend, ConsoleIsStdoutAndStdin) {
  int in[2], out[2];
  ASSERT_EQ(pipe(in), 0);
  ASSERT_EQ(pipe(out), 0);
  ASSERT_EQ(write(in[1], "typed", 5), 5);
  close(in[1]);
  const int old_in = dup(STDIN_FILENO), old_out = dup(STDOUT_FILENO);
  std::fflush(stdout);
  dup2(in[0], STDIN_FILENO);
  dup2(out[1], STDOUT_FILENO);
  {
    Bench bench("bench", HostLine::console(true));
    sc_core::sc_start();
    EXPECT_EQ(bench.in, "typed");
    bench.say("answer");
  }
  std::fflush(stdout);
  dup2(old_in, STDIN_FILENO);
  dup2(old_out, STDOUT_FILENO);
  close(out[1]);
  char text[64] = {};
  EXPECT_EQ(read(out[0], text, sizeof text), 6);
  EXPECT_STREQ(text, "answer");
}

TEST(UartBackend, TerminalProgramsConnectAndComeBack) {
  Bench bench("bench", HostLine::pseudo_terminal());
  bench.say("early\n");
  for (const std::string typed : {"first\r", "again\r"}) {
    const int terminal = open(bench.backend.terminal().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
    ASSERT_GE(terminal, 0) << bench.backend.terminal();
    bench.in.clear();
    ASSERT_EQ(write(terminal, typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
    sc_core::sc_start(10, sc_core::SC_MS);
    EXPECT_EQ(bench.in, typed);
    bench.say("> ");
    std::string got;
    char text[64];
    for (ssize_t count = 0; (count = read(terminal, text, sizeof text)) > 0;)
      got.append(text, static_cast<std::size_t>(count));
    EXPECT_EQ(got, typed == "first\r" ? "early\n> " : "> ") << "no echo, no translated line ends";
    close(terminal);
  }
}

TEST(UartBackend, NobodyAtTheTerminalNeverStopsTheSimulation) {
  HostLine line = HostLine::pseudo_terminal();
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(line.write(static_cast<unsigned char>('a' + i % 26)));
  const int terminal = open(line.name().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  std::string got;
  for (;;) {
    char text[4096];
    const auto count = read(terminal, text, sizeof text);
    if (count > 0) got.append(text, static_cast<std::size_t>(count));
    if (count <= 0 && !got.empty() && got.back() == 'a' + 99'999 % 26 && got.size() > HostLine::backlog)
      break;
    ASSERT_TRUE(line.flush());
  }
  EXPECT_EQ(got.substr(0, 26), "abcdefghijklmnopqrstuvwxyz");
  for (std::size_t i = 0; i < HostLine::backlog; ++i)
    ASSERT_EQ(got[got.size() - 1 - i], 'a' + static_cast<int>(99'999 - i) % 26) << "the newest are kept";
  close(terminal);
}

TEST(UartBackend, NamesFilesThatCannotBeOpened) {
  for (const auto& open_line :
       {+[] { HostLine::files("/nonexistent/out", ""); }, +[] { HostLine::files("", "/nonexistent/in"); }}) {
    try {
      open_line();
      FAIL() << "must throw";
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find("/nonexistent/"), std::string::npos) << error.what();
    }
  }
}

TEST(UartBackend, ReportsLostOutputOnceAndGoesOn) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
  Bench bench("bench", HostLine::files("/dev/full", ""));
  bench.say("lost");
  EXPECT_EQ(sc_core::sc_report_handler::get_count(sc_core::SC_WARNING), 1);
  EXPECT_EQ(bench.uart.sent.value(), 4u);
}

}  // namespace
