// SPDX-License-Identifier: Apache-2.0
// The server by itself: raw packets, good and bad, from a socket, for a target without a CPU.
#include "platform/sim/gdb_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <cstring>
#include <random>
#include <thread>

using namespace forerun;
using namespace forerun::sim;
using boost::asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

/// Registers and 4 KiB of memory; running means nothing but looking at the debugger.
struct Target : ip::DebugTarget {
  static constexpr std::uint64_t base = 0x8000'0000;
  std::array<std::uint64_t, 32> x{}, f{};
  std::uint64_t pc = base, mepc = 0, privilege = 3;
  std::array<std::byte, 4096> memory{};
  std::set<std::uint64_t> breakpoints;
  std::set<std::pair<std::uint64_t, std::uint64_t>> watchpoints;
  std::atomic<bool> halted = false;
  bool stepping = false;
  unsigned stops = 0;

  std::uint64_t read_x(unsigned n) const override { return x[n % 32]; }
  void write_x(unsigned n, std::uint64_t value) override {
    if (n % 32 != 0) x[n % 32] = value;
  }
  std::uint64_t read_f(unsigned n) const override { return f[n % 32]; }
  void write_f(unsigned n, std::uint64_t value) override { f[n % 32] = value; }
  std::uint64_t read_pc() const override { return pc; }
  void write_pc(std::uint64_t value) override { pc = value; }
  std::optional<std::uint64_t> read_csr(unsigned n) const override {
    return n == 0x341         ? std::optional(mepc)
           : n >= 1 && n <= 3 ? std::optional<std::uint64_t>(n)
                              : std::nullopt;
  }
  bool write_csr(unsigned n, std::uint64_t value) override { return n == 0x341 && (mepc = value, true); }
  unsigned read_privilege() const override { return static_cast<unsigned>(privilege); }
  void write_privilege(unsigned value) override { privilege = value; }
  std::span<std::byte> at(std::uint64_t address, std::size_t length) {
    if (address < base || address - base >= memory.size()) return {};
    return std::span(memory).subspan(address - base,
                                     std::min<std::size_t>(length, memory.size() - (address - base)));
  }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> bytes) override {
    const auto here = at(address, bytes.size());
    std::copy(here.begin(), here.end(), bytes.begin());
    return here.size();
  }
  std::size_t write_memory(std::uint64_t address, std::span<const std::byte> bytes) override {
    const auto here = at(address, bytes.size());
    std::copy_n(bytes.begin(), here.size(), here.begin());
    return here.size();
  }
  void insert_breakpoint(std::uint64_t address) override { breakpoints.insert(address); }
  bool remove_breakpoint(std::uint64_t address) override { return breakpoints.erase(address) > 0; }
  bool insert_watchpoint(std::uint64_t address, std::uint64_t length, ip::WatchKind) override {
    if (length > 0) watchpoints.emplace(address, length);
    return length > 0;
  }
  bool remove_watchpoint(std::uint64_t address, std::uint64_t length, ip::WatchKind) override {
    return watchpoints.erase({address, length}) > 0;
  }
  void halt() override { halted = true; }
  void resume() override { stepping = false; }
  void step() override { stepping = true; }

  /// One slice of the simulation.
  void slice() {
    poll();
    const bool wanted = halted.exchange(false);
    if (!wanted && !stepping) return;
    ++stops;
    const auto kind = std::exchange(stepping, false) && !wanted ? ip::StopReason::Kind::step
                                                                : ip::StopReason::Kind::halt_request;
    on_stop({kind, pc, ip::WatchKind::write});
  }
};

/// A simulation in a thread of its own, and the debugger here.
struct Bench {
  Target target;
  GdbServer server{target};
  std::atomic<bool> done = false;
  std::atomic<unsigned> killed = 0;
  std::thread simulation;
  boost::asio::io_context context;
  tcp::socket socket{context};
  std::string received;

  Bench() {
    server.on_kill = [this] { ++killed; };
    server.monitor["reset"] = [] { return std::string("done\n"); };
    simulation = std::thread([this] {
      while (!done) target.slice(), std::this_thread::sleep_for(100us);
    });
  }
  ~Bench() {
    boost::system::error_code ignored;
    socket.close(ignored);
    done = true;
    simulation.join();
  }
  void connect() {
    socket.close();
    received.clear();
    socket.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  }
  void put(const std::string& bytes) { boost::asio::write(socket, boost::asio::buffer(bytes)); }
  /// The next packet's text, or "closed", or a single + or -.
  std::string get() {
    for (;;) {
      if (!received.empty() && received[0] != '$') {
        const auto sign = received.substr(0, 1);
        received.erase(0, 1);
        return sign;
      }
      if (const auto end = received.find('#'); end != std::string::npos && received.size() >= end + 3) {
        const auto text = received.substr(1, end - 1);
        received.erase(0, end + 3);
        return text;
      }
      std::array<char, 4096> bytes;
      boost::system::error_code failure;
      const auto count = socket.read_some(boost::asio::buffer(bytes), failure);
      if (failure) return "closed";
      received.append(bytes.data(), count);
    }
  }
  std::string ask(const std::string& text) {
    put(gdb::packet(text));
    EXPECT_EQ(get(), "+") << text;
    return get();
  }
  /// Until the simulation's side has seen that nobody is connected any more.
  void wait_until_free() {
    while (server.connected()) std::this_thread::sleep_for(1ms);
  }
};

TEST(GdbServer, AnswersWhatADebuggerAsks) {
  Bench bench;
  bench.connect();
  EXPECT_EQ(bench.ask("?"), "T02thread:1;");
  EXPECT_NE(bench.ask("qSupported:multiprocess+;swbreak+;hwbreak+").find("qXfer:features:read+"),
            std::string::npos);
  const auto xml = bench.ask("qXfer:features:read:target.xml:0,fff0");
  EXPECT_EQ(xml.substr(0, 6), "l<?xml");
  EXPECT_NE(xml.find("\"mepc\""), std::string::npos);
  EXPECT_EQ(xml.find("\"mcause\""), std::string::npos) << "only registers that the target has";
  EXPECT_EQ(bench.ask("qXfer:features:read:target.xml:0,4"), "m<?xm");
  EXPECT_EQ(bench.ask("g").size(), 65u * 16);
  EXPECT_EQ(bench.ask("P2=8877665544332211"), "OK");
  EXPECT_EQ(bench.ask("p2"), "8877665544332211");
  EXPECT_EQ(bench.target.x[2], 0x1122334455667788u);
  EXPECT_EQ(bench.ask("p44"), "03000000") << "fcsr has 32 bits";
  EXPECT_EQ(bench.ask("P382=0100000000000000"), "OK");
  EXPECT_EQ(bench.target.mepc, 1u);
  EXPECT_EQ(bench.ask("M80000010,4:01020304"), "OK");
  EXPECT_EQ(bench.ask("m80000010,4"), "01020304");
  EXPECT_EQ(bench.ask("m80000ffe,8"), "0000") << "as much as there is";
  const std::string escaped = "X80000010,2:}\x03z";
  unsigned sum = 0;
  for (const char c : escaped) sum += static_cast<unsigned char>(c);
  bench.put("$" + escaped + "#" + gdb::to_hex(sum & 0xff, 1));
  EXPECT_EQ(bench.get(), "+");
  EXPECT_EQ(bench.get(), "OK");
  EXPECT_EQ(bench.ask("m80000010,2"), "237a") << "an escaped #";
  EXPECT_EQ(bench.ask("Z0,80000020,2"), "OK");
  EXPECT_EQ(bench.ask("Z1,80000020,2"), "OK");
  EXPECT_EQ(bench.ask("z0,80000020,2"), "OK");
  EXPECT_EQ(bench.target.breakpoints.size(), 1u) << "the other type still stands there";
  EXPECT_EQ(bench.ask("Z2,80000100,8"), "OK");
  EXPECT_EQ(bench.ask("z3,80000100,8"), "E01") << "another kind";
  EXPECT_EQ(bench.ask("vCont?"), "vCont;c;C;s;S");
  EXPECT_EQ(bench.ask("vCont;s:1;c"), "T05thread:1;");
  EXPECT_EQ(bench.ask("s80000040"), "T05thread:1;");
  EXPECT_EQ(bench.target.pc, 0x8000'0040u);
  const auto shown = [&](const std::string& command) {
    const auto bytes = gdb::from_hex(bench.ask("qRcmd," + gdb::to_hex(std::string_view(command)))).value();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  EXPECT_EQ(shown("reset"), "done\n");
  EXPECT_EQ(shown("help"), "commands: help, reset\n");
  EXPECT_EQ(shown("explode"), "unknown command 'explode'; known: help, reset\n");
  EXPECT_EQ(bench.ask("QStartNoAckMode"), "OK");
  bench.put(gdb::packet("qC"));
  EXPECT_EQ(bench.get(), "QC1") << "no + any more";
}

TEST(GdbServer, RefusesMalformedPacketsAndGoesOn) {
  Bench bench;
  bench.connect();
  for (const auto* text : {"m",
                           "m80000000",
                           "m80000000,",
                           "m,4",
                           "mzz,4",
                           "m80000000,4x",
                           "m80000000,0",
                           "m0,4",
                           "mfffffffffffffffff,1",
                           "mffffffffffffffff,ffffffffffffffff",
                           "M80000000,4:0102",
                           "M80000000,1:0g",
                           "M80000000,4",
                           "M0,1:00",
                           "M80000fff,2:0000",
                           "X80000000,4:ab",
                           "p",
                           "p1042",
                           "pffffffff",
                           "p380",
                           "pxx",
                           "P",
                           "P2",
                           "P2=",
                           "P2=11",
                           "P2=zz00000000000000",
                           "P42=00000000",
                           "P1042=0000000000000000",
                           "G1",
                           "Gzz",
                           "Z",
                           "Z0",
                           "Z0,",
                           "Z0,80000000",
                           "Z0,zz,2",
                           "Z2,80000000,0",
                           "z0,80000000,2",
                           "vCont;",
                           "vCont;x",
                           "vCont",
                           "qXfer:features:read:target.xml:",
                           "qXfer:features:read:target.xml:0",
                           "qXfer:features:read:target.xml:ffffffffffffffff,1",
                           "qRcmd,1",
                           "qRcmd,zz",
                           "cxyz",
                           "s80000000x"})
    EXPECT_EQ(bench.ask(text), "E01") << text;
  for (const auto* text : {"", "!", "b", "vMustReplyEmpty", "qXfer:features:read:other.xml:0,10", "Z5,0,4",
                           "z9,0,4", "\x7f\x01", "Qsomething"})
    EXPECT_EQ(bench.ask(text), "") << text;
  bench.put("$?#00");
  EXPECT_EQ(bench.get(), "-") << "wrong check sum";
  bench.put("$?#zz");
  EXPECT_EQ(bench.get(), "-");
  bench.put("$m8000$?#3f");
  EXPECT_EQ(bench.get(), "+") << "a packet begins again";
  EXPECT_EQ(bench.get(), "T02thread:1;");
  bench.put("-");
  EXPECT_EQ(bench.get(), "T02thread:1;") << "once more";
  bench.put("$" + std::string(100'000, 'a') + "#00");
  EXPECT_EQ(bench.get(), "-") << "too long";
  bench.put("noise\x03\x04+++");
  EXPECT_EQ(bench.ask("?"), "T02thread:1;");
}

TEST(GdbServer, SurvivesRandomPackets) {
  Bench bench;
  std::mt19937 random(7);
  const std::string alphabet = "?gGpPmMXzZcCsSDkHTvqQ0123456789abcdef,:;=+-$#}*\x03";
  for (int connection = 0; connection < 8; ++connection) {
    bench.connect();
    std::thread reader([&] {
      std::array<char, 4096> bytes;
      boost::system::error_code failure;
      while (!failure) bench.socket.read_some(boost::asio::buffer(bytes), failure);
    });
    for (int i = 0; i < 300; ++i) {
      std::string text;
      for (auto n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
      if (random() % 4 == 0)
        text =
            std::array{
                "m80000000,", "vCont;", "Z0,", "qXfer:features:read:target.xml:", "P1", "qRcmd,"}[random() %
                                                                                                  6] +
            text;
      boost::system::error_code failure;
      boost::asio::write(bench.socket, boost::asio::buffer(random() % 4 == 0 ? text : gdb::packet(text)),
                         failure);
      if (failure) break;
    }
    boost::system::error_code failure;
    bench.socket.shutdown(tcp::socket::shutdown_both, failure);
    reader.join();
    bench.wait_until_free();
  }
  bench.connect();
  EXPECT_EQ(bench.ask("qC"), "QC1");
}

TEST(GdbServer, InterruptsARunningProgram) {
  Bench bench;
  bench.connect();
  EXPECT_EQ(bench.ask("?"), "T02thread:1;");
  bench.put(gdb::packet("c"));
  EXPECT_EQ(bench.get(), "+");
  std::this_thread::sleep_for(20ms);
  bench.put("\x03");
  EXPECT_EQ(bench.get(), "T02thread:1;");
  EXPECT_EQ(bench.target.stops, 2u);
}

TEST(GdbServer, GoesOnWhenTheDebuggerLeavesOrIsLost) {
  Bench bench;
  for (const std::string how : {"close while stopped", "close while running", "detach", "kill"}) {
    bench.connect();
    EXPECT_EQ(bench.ask("Z0,80000020,2"), "OK") << how;
    EXPECT_EQ(bench.ask("Z4,80000020,2"), "OK") << how;
    if (how == "close while running") {
      bench.put(gdb::packet("c"));
    } else if (how != "close while stopped") {
      EXPECT_EQ(bench.ask(how == "detach" ? "D" : "vKill;1"), "OK");
      EXPECT_EQ(bench.get(), "closed");
    }
    bench.socket.close();
    bench.wait_until_free();
    EXPECT_TRUE(bench.target.breakpoints.empty()) << how;
    EXPECT_TRUE(bench.target.watchpoints.empty()) << how;
  }
  EXPECT_EQ(bench.killed, 1u);
}

TEST(GdbServer, TellsTheExitCode) {
  Target target;
  GdbServer server(target);
  boost::asio::io_context context;
  tcp::socket socket(context);
  std::thread debugger([&] {
    socket.connect({boost::asio::ip::address_v4::loopback(), server.port()});
    boost::asio::write(socket, boost::asio::buffer(gdb::packet("c")));
  });
  server.wait_for_debugger();
  EXPECT_TRUE(target.halted);
  target.slice();
  debugger.join();
  server.report_exit(42);
  std::string text;
  boost::system::error_code failure;
  boost::asio::read(socket, boost::asio::dynamic_buffer(text), failure);
  EXPECT_EQ(text, "+" + gdb::packet("W2a"));
}

TEST(GdbServer, SaysThatThePortIsInUse) {
  Target target, other;
  GdbServer server(target);
  try {
    GdbServer second(other, server.port());
    FAIL() << "must throw";
  } catch (const std::runtime_error& failure) {
    EXPECT_NE(std::string(failure.what()).find(std::to_string(server.port())), std::string::npos)
        << failure.what();
  }
}

}  // namespace
