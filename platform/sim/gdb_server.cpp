// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/gdb_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <cstring>
#include <stdexcept>

#include "ip/cpu/register_names.hpp"

namespace forerun::sim {
namespace {

using boost::asio::ip::tcp;

constexpr std::string_view error = "E01", good = "OK";
constexpr std::size_t packet_bytes = 0x4000;   // announced to the debugger
constexpr std::size_t most_pending = 1 << 20;  // bytes from a debugger that does not wait for answers
constexpr auto look_interval = std::chrono::milliseconds(5);

// gdb's register numbers (gdb/riscv-tdep.h)
constexpr unsigned pc_number = 32, first_float = 33, first_csr = 65, csr_end = first_csr + 4096,
                   privilege_number = csr_end;

/// gdb calls s0 by its other name.
const char* integer_name(unsigned i) { return i == 8 ? "fp" : ip::riscv::register_name(i); }
constexpr std::array float_names = {"ft0", "ft1", "ft2",  "ft3",  "ft4", "ft5", "ft6",  "ft7",
                                    "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
                                    "fa6", "fa7", "fs2",  "fs3",  "fs4", "fs5", "fs6",  "fs7",
                                    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};
struct Csr {
  unsigned number;
  const char* name;
};
constexpr std::array float_csrs = {Csr{1, "fflags"}, Csr{2, "frm"}, Csr{3, "fcsr"}};
constexpr std::array csrs = {
    Csr{0xc00, "cycle"},     Csr{0xc01, "time"},       Csr{0xc02, "instret"},    Csr{0x100, "sstatus"},
    Csr{0x104, "sie"},       Csr{0x105, "stvec"},      Csr{0x106, "scounteren"}, Csr{0x10a, "senvcfg"},
    Csr{0x140, "sscratch"},  Csr{0x141, "sepc"},       Csr{0x142, "scause"},     Csr{0x143, "stval"},
    Csr{0x144, "sip"},       Csr{0x180, "satp"},       Csr{0xf11, "mvendorid"},  Csr{0xf12, "marchid"},
    Csr{0xf13, "mimpid"},    Csr{0xf14, "mhartid"},    Csr{0xf15, "mconfigptr"}, Csr{0x300, "mstatus"},
    Csr{0x301, "misa"},      Csr{0x302, "medeleg"},    Csr{0x303, "mideleg"},    Csr{0x304, "mie"},
    Csr{0x305, "mtvec"},     Csr{0x306, "mcounteren"}, Csr{0x30a, "menvcfg"},    Csr{0x320, "mcountinhibit"},
    Csr{0x340, "mscratch"},  Csr{0x341, "mepc"},       Csr{0x342, "mcause"},     Csr{0x343, "mtval"},
    Csr{0x344, "mip"},       Csr{0xb00, "mcycle"},     Csr{0xb02, "minstret"},   Csr{0x3a0, "pmpcfg0"},
    Csr{0x3a2, "pmpcfg2"},   Csr{0x3b0, "pmpaddr0"},   Csr{0x3b1, "pmpaddr1"},   Csr{0x3b2, "pmpaddr2"},
    Csr{0x3b3, "pmpaddr3"},  Csr{0x3b4, "pmpaddr4"},   Csr{0x3b5, "pmpaddr5"},   Csr{0x3b6, "pmpaddr6"},
    Csr{0x3b7, "pmpaddr7"},  Csr{0x3b8, "pmpaddr8"},   Csr{0x3b9, "pmpaddr9"},   Csr{0x3ba, "pmpaddr10"},
    Csr{0x3bb, "pmpaddr11"}, Csr{0x3bc, "pmpaddr12"},  Csr{0x3bd, "pmpaddr13"},  Csr{0x3be, "pmpaddr14"},
    Csr{0x3bf, "pmpaddr15"}};

/// fflags, frm and fcsr are described with 32 bits, everything else has 64.
unsigned bytes_of(std::uint64_t number) { return number > first_csr && number <= first_csr + 3 ? 4 : 8; }

std::optional<std::uint64_t> value_of(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  if (bytes.size() > sizeof value || bytes.empty()) return std::nullopt;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

}  // namespace

struct GdbServer::Network {
  boost::asio::io_context context;
  tcp::acceptor acceptor{context};
  tcp::socket socket{context};
};

GdbServer::GdbServer(ip::DebugTarget& target, std::uint16_t port)
    : target_(target), network_(std::make_unique<Network>()) {
  const tcp::endpoint here(boost::asio::ip::address_v4::loopback(), port);
  try {
    network_->acceptor.open(here.protocol());
    network_->acceptor.set_option(tcp::acceptor::reuse_address(true));
    network_->acceptor.bind(here);
    network_->acceptor.listen(1);
    network_->acceptor.non_blocking(true);
  } catch (const boost::system::system_error& failure) {
    throw std::runtime_error(
        fmt::format("cannot listen for a debugger on 127.0.0.1:{}: {}", port, failure.code().message()));
  }
  target_.on_stop = [this](const ip::StopReason& reason) { stopped(reason); };
  target_.poll = [this] { look(); };
}

GdbServer::~GdbServer() {
  drop();
  target_.on_stop = nullptr;
  target_.poll = nullptr;
}

std::uint16_t GdbServer::port() const { return network_->acceptor.local_endpoint().port(); }
bool GdbServer::connected() const { return network_->socket.is_open(); }

// Connection

void GdbServer::wait_for_debugger() {
  while (!connected()) {
    boost::system::error_code failure;
    network_->acceptor.wait(tcp::acceptor::wait_read, failure);
    accept_waiting();
  }
  target_.halt();
}

bool GdbServer::accept_waiting() {
  boost::system::error_code failure;
  network_->acceptor.accept(network_->socket, failure);
  if (failure) return false;
  network_->socket.set_option(tcp::no_delay(true), failure);
  network_->socket.non_blocking(true, failure);
  reader_ = {};
  last_sent_.clear();
  acknowledge_ = true;
  names_breakpoints_ = reply_due_ = false;
  reason_ = {};
  return true;
}

void GdbServer::drop() {
  boost::system::error_code ignored;
  network_->socket.close(ignored);
  for (const auto& [address, type] : breakpoints_) target_.remove_breakpoint(address);
  for (const auto& [address, length, kind] : watchpoints_) target_.remove_watchpoint(address, length, kind);
  breakpoints_.clear();
  watchpoints_.clear();
  reply_due_ = false;
}

/// Takes what has come, if wanted after waiting for something. False: nothing has, or the connection is lost.
bool GdbServer::fill(bool wait) {
  std::array<char, 4096> bytes;
  boost::system::error_code failure;
  if (wait) network_->socket.wait(tcp::socket::wait_read, failure);
  const auto count = network_->socket.read_some(boost::asio::buffer(bytes), failure);
  if (failure == boost::asio::error::would_block || failure == boost::asio::error::interrupted) return false;
  if (failure || reader_.pending() > most_pending) {
    drop();
    return false;
  }
  reader_.append({bytes.data(), count});
  return true;
}

void GdbServer::write(std::string_view bytes) {
  while (!bytes.empty() && connected()) {
    boost::system::error_code failure;
    const auto count = network_->socket.write_some(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure == boost::asio::error::would_block)
      network_->socket.wait(tcp::socket::wait_write, failure);
    else if (failure && failure != boost::asio::error::interrupted)
      return drop();
    bytes.remove_prefix(count);
  }
}

void GdbServer::send(std::string_view text) {
  last_sent_ = gdb::packet(text);
  write(last_sent_);
}

void GdbServer::report_exit(int code) {
  if (!connected()) return;
  send(fmt::format("W{:02x}", code & 0xff));
  drop();
}

// The CPU's side

void GdbServer::look() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  if (!connected()) {
    if (accept_waiting()) target_.halt();
  } else if (fill(false) && reader_.interrupted()) {
    target_.halt();
  }
}

void GdbServer::stopped(const ip::StopReason& reason) {
  if (!connected()) return;
  reason_ = reason;
  if (std::exchange(reply_due_, false)) send(stop_reply());
  for (go_ = false; !go_ && connected();) {
    const auto token = reader_.next();
    if (!token)
      fill(true);
    else if (token->kind == gdb::Token::Kind::bad)
      write("-");
    else if (token->kind == gdb::Token::Kind::nack)
      write(last_sent_);
    else if (token->kind == gdb::Token::Kind::packet)
      handle(token->text);
  }
}

void GdbServer::handle(const std::string& text) {
  if (acknowledge_) write("+");
  const auto reply = answer(text);
  if (connected() && !reply_due_) send(reply);
  if (!go_ || reply_due_ || !connected()) return;
  drop();  // detached
}

std::string GdbServer::stop_reply() const {
  using Kind = ip::StopReason::Kind;
  switch (reason_.kind) {
    case Kind::halt_request:
      return "T02thread:1;";
    case Kind::watchpoint: {
      const char* name = reason_.watch == ip::WatchKind::write  ? "watch"
                         : reason_.watch == ip::WatchKind::read ? "rwatch"
                                                                : "awatch";
      return fmt::format("T05thread:1;{}:{:x};", name, reason_.address);
    }
    case Kind::breakpoint:
      if (!names_breakpoints_) break;
      return fmt::format("T05thread:1;{}:;",
                         breakpoints_.contains({reason_.address, 0}) ? "swbreak" : "hwbreak");
    case Kind::step:
      break;
  }
  return "T05thread:1;";
}

// Packets

struct GdbServer::Command {
  std::string_view name;  ///< how the packet begins; what follows is given to `run`
  std::string (GdbServer::*run)(std::string_view);
  std::string_view constant = {};  ///< answer of those without a function
};

/// The first whose name fits counts.
const GdbServer::Command GdbServer::commands[] = {
    {"vCont?", nullptr, "vCont;c;C;s;S"},
    {"vCont", &GdbServer::resume_actions},
    {"vKill", &GdbServer::kill},
    {"qSupported", &GdbServer::supported},
    {"qXfer:features:read:target.xml:", &GdbServer::features},
    {"qRcmd,", &GdbServer::run_monitor},
    {"qfThreadInfo", nullptr, "m1"},
    {"qsThreadInfo", nullptr, "l"},
    {"qAttached", nullptr, "1"},
    {"qC", nullptr, "QC1"},
    {"QStartNoAckMode", &GdbServer::no_acknowledge},
    {"q", nullptr, ""},
    {"Q", nullptr, ""},
    {"v", nullptr, ""},
    {"H", nullptr, good},
    {"T", nullptr, good},
    {"g", &GdbServer::all_registers},
    {"G", &GdbServer::write_all_registers},
    {"p", &GdbServer::read_register},
    {"P", &GdbServer::write_register},
    {"m", &GdbServer::read_memory},
    {"M", &GdbServer::write_memory},
    {"X", &GdbServer::write_binary},
    {"Z", &GdbServer::insert},
    {"z", &GdbServer::remove},
    {"D", &GdbServer::detach},
    {"k", &GdbServer::kill},
};

std::string GdbServer::answer(std::string_view text) {
  if (text == "?") return stop_reply();
  if (!text.empty() && std::string_view("cCsS").find(text.front()) != std::string_view::npos) {
    const bool step = text.front() == 's' || text.front() == 'S';
    const bool signal = text.front() == 'C' || text.front() == 'S';
    const auto address = signal ? text.find(';') : std::size_t{0};
    return go_on(address == std::string_view::npos ? "" : text.substr(address + 1), step);
  }
  for (const auto& command : commands)
    if (text.starts_with(command.name))
      return command.run != nullptr ? (this->*command.run)(text.substr(command.name.size()))
                                    : std::string(command.constant);
  return "";
}

std::string GdbServer::go_on(std::string_view address, bool step) {
  if (!address.empty()) {
    gdb::Cursor cursor(address);
    const auto pc = cursor.number();
    if (!pc || !cursor.done()) return std::string(error);
    target_.write_pc(*pc);
  }
  step ? target_.step() : target_.resume();
  go_ = reply_due_ = true;
  return "";
}

/// vCont;ACTION[:THREAD][;...]: with one thread, the first action is it.
std::string GdbServer::resume_actions(std::string_view text) {
  if (text.size() < 2 || text[0] != ';' || std::string_view("cCsS").find(text[1]) == std::string_view::npos)
    return std::string(error);
  return go_on("", text[1] == 's' || text[1] == 'S');
}

std::string GdbServer::all_registers(std::string_view) {
  std::string text;
  for (unsigned i = 0; i < 32; ++i) text += gdb::to_hex(target_.read_x(i), 8);
  text += gdb::to_hex(target_.read_pc(), 8);
  for (unsigned i = 0; i < 32; ++i) text += gdb::to_hex(target_.read_f(i), 8);
  return text;
}

std::string GdbServer::write_all_registers(std::string_view text) {
  const auto bytes = gdb::from_hex(text);
  if (!bytes || bytes->size() % 8 != 0 || bytes->size() > 8 * first_csr) return std::string(error);
  for (std::size_t i = 0; 8 * i < bytes->size(); ++i)
    write_numbered(i, *value_of(std::span(*bytes).subspan(8 * i, 8)));
  return std::string(good);
}

std::string GdbServer::read_register(std::string_view text) {
  gdb::Cursor cursor(text);
  const auto number = cursor.number();
  if (!number || !cursor.done() || *number > privilege_number) return std::string(error);
  const auto n = static_cast<unsigned>(*number);
  std::optional<std::uint64_t> value;
  if (n < pc_number)
    value = target_.read_x(n);
  else if (n == pc_number)
    value = target_.read_pc();
  else if (n < first_csr)
    value = target_.read_f(n - first_float);
  else if (n < csr_end)
    value = target_.read_csr(n - first_csr);
  else
    value = target_.read_privilege();
  return value ? gdb::to_hex(*value, bytes_of(n)) : std::string(error);
}

bool GdbServer::write_numbered(std::uint64_t number, std::uint64_t value) {
  if (number > privilege_number) return false;
  const auto n = static_cast<unsigned>(number);
  if (n >= first_csr && n < csr_end) return target_.write_csr(n - first_csr, value);
  if (n < pc_number)
    target_.write_x(n, value);
  else if (n == pc_number)
    target_.write_pc(value);
  else if (n < first_csr)
    target_.write_f(n - first_float, value);
  else
    target_.write_privilege(static_cast<unsigned>(value));
  return true;
}

std::string GdbServer::write_register(std::string_view text) {
  gdb::Cursor cursor(text);
  const auto number = cursor.number();
  if (!number || !cursor.skip('=')) return std::string(error);
  const auto bytes = gdb::from_hex(cursor.rest());
  if (!bytes || bytes->size() != bytes_of(*number)) return std::string(error);
  return std::string(write_numbered(*number, *value_of(*bytes)) ? good : error);
}

std::string GdbServer::read_memory(std::string_view text) {
  gdb::Cursor cursor(text);
  const auto address = cursor.number();
  if (!address || !cursor.skip(',')) return std::string(error);
  const auto length = cursor.number();
  if (!length || !cursor.done()) return std::string(error);
  std::vector<std::byte> bytes(std::min<std::uint64_t>(*length, packet_bytes / 2));
  bytes.resize(target_.read_memory(*address, bytes));
  return bytes.empty() ? std::string(error) : gdb::to_hex(bytes);
}

namespace {

/// ADDRESS,LENGTH:DATA, where `decode` says how data are written.
template <typename Decode>
std::string store(ip::DebugTarget& target, std::string_view text, Decode decode) {
  gdb::Cursor cursor(text);
  const auto address = cursor.number();
  if (!address || !cursor.skip(',')) return std::string(error);
  const auto length = cursor.number();
  if (!length || !cursor.skip(':')) return std::string(error);
  const auto bytes = decode(cursor.rest());
  if (!bytes || bytes->size() != *length) return std::string(error);
  return std::string(bytes->empty() || target.write_memory(*address, *bytes) == bytes->size() ? good : error);
}

/// TYPE,ADDRESS,KIND of a breakpoint or watchpoint; for watchpoints the kind is the length.
struct Point {
  std::uint64_t type, address, length;
};
std::optional<Point> parse_point(std::string_view text) {
  gdb::Cursor cursor(text);
  const auto type = cursor.number();
  if (!type || !cursor.skip(',')) return std::nullopt;
  const auto address = cursor.number();
  if (!address || !cursor.skip(',')) return std::nullopt;
  const auto length = cursor.number();
  if (!length || !(cursor.done() || cursor.skip(';'))) return std::nullopt;
  return Point{*type, *address, *length};
}
ip::WatchKind watch_kind(std::uint64_t type) {
  return type == 2 ? ip::WatchKind::write : type == 3 ? ip::WatchKind::read : ip::WatchKind::access;
}

}  // namespace

std::string GdbServer::write_memory(std::string_view text) { return store(target_, text, gdb::from_hex); }
std::string GdbServer::write_binary(std::string_view text) { return store(target_, text, gdb::from_binary); }

std::string GdbServer::insert(std::string_view text) {
  const auto point = parse_point(text);
  if (!point) return std::string(error);
  if (point->type > 4) return "";
  if (point->type <= 1) {
    breakpoints_.emplace(point->address, static_cast<unsigned>(point->type));
    target_.insert_breakpoint(point->address);
    return std::string(good);
  }
  const auto kind = watch_kind(point->type);
  if (!target_.insert_watchpoint(point->address, point->length, kind)) return std::string(error);
  watchpoints_.emplace(point->address, point->length, kind);
  return std::string(good);
}

std::string GdbServer::remove(std::string_view text) {
  const auto point = parse_point(text);
  if (!point) return std::string(error);
  if (point->type > 4) return "";
  if (point->type <= 1) {
    const auto type = static_cast<unsigned>(point->type);
    if (breakpoints_.erase({point->address, type}) == 0) return std::string(error);
    if (!breakpoints_.contains({point->address, 1 - type})) target_.remove_breakpoint(point->address);
    return std::string(good);
  }
  const auto kind = watch_kind(point->type);
  if (watchpoints_.erase({point->address, point->length, kind}) == 0) return std::string(error);
  return std::string(target_.remove_watchpoint(point->address, point->length, kind) ? good : error);
}

std::string GdbServer::supported(std::string_view text) {
  names_breakpoints_ =
      text.find("swbreak+") != std::string_view::npos && text.find("hwbreak+") != std::string_view::npos;
  return fmt::format(
      "PacketSize={:x};qXfer:features:read+;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+",
      packet_bytes);
}

std::string GdbServer::no_acknowledge(std::string_view) {
  acknowledge_ = false;
  return std::string(good);
}

std::string GdbServer::features(std::string_view text) {
  gdb::Cursor cursor(text);
  const auto offset = cursor.number();
  if (!offset || !cursor.skip(',')) return std::string(error);
  const auto length = cursor.number();
  if (!length || !cursor.done()) return std::string(error);
  const auto xml = description();
  if (*offset > xml.size()) return std::string(error);
  const auto piece = xml.substr(*offset, std::min<std::uint64_t>(*length, packet_bytes / 2));
  return (*offset + piece.size() < xml.size() ? 'm' : 'l') + piece;
}

std::string GdbServer::description() const {
  std::string xml =
      "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
      "<architecture>riscv:rv64</architecture>";
  const auto reg = [&](const char* name, unsigned bits, std::string_view type, unsigned number) {
    xml +=
        fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" regnum=\"{}\"/>", name, bits, type, number);
  };
  const auto feature = [&](const char* name, const auto& registers) {
    xml += fmt::format("<feature name=\"org.gnu.gdb.riscv.{}\">", name);
    registers();
    xml += "</feature>";
  };
  const auto present = [&](const auto& list) {
    for (const auto& csr : list)
      if (target_.read_csr(csr.number))
        reg(csr.name, 8 * bytes_of(first_csr + csr.number), "int", first_csr + csr.number);
  };
  feature("cpu", [&] {
    for (unsigned i = 0; i < 32; ++i)
      reg(integer_name(i), 64, i == 1 ? "code_ptr" : i >= 2 && i <= 4 ? "data_ptr" : "int", i);
    reg("pc", 64, "code_ptr", pc_number);
  });
  feature("fpu", [&] {
    for (unsigned i = 0; i < 32; ++i) reg(float_names[i], 64, "ieee_double", first_float + i);
    present(float_csrs);
  });
  feature("csr", [&] { present(csrs); });
  feature("virtual", [&] { reg("priv", 64, "int", privilege_number); });
  return xml + "</target>";
}

std::string GdbServer::run_monitor(std::string_view text) {
  const auto bytes = gdb::from_hex(text);
  if (!bytes) return std::string(error);
  std::string name;
  for (const auto byte : *bytes) name += static_cast<char>(byte);
  if (const auto found = monitor.find(name); found != monitor.end()) {
    const auto shown = found->second();
    return shown.empty() ? std::string(good) : gdb::to_hex(shown);
  }
  std::string known = "help";
  for (const auto& [known_name, run] : monitor) known += ", " + known_name;
  return gdb::to_hex(name == "help" ? "commands: " + known + "\n"
                                    : "unknown command '" + name + "'; known: " + known + "\n");
}

std::string GdbServer::detach(std::string_view) {
  target_.resume();
  go_ = true;
  return std::string(good);
}

std::string GdbServer::kill(std::string_view) {
  target_.resume();
  go_ = true;
  if (on_kill) on_kill();
  return std::string(good);
}

}  // namespace forerun::sim
