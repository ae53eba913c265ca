// SPDX-License-Identifier: Apache-2.0
// The command processor in SystemVerilog on random streams, against an interpreter of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "firmware/abi/opcodes.hpp"
#include "ip/command/command_processor.hpp"
#include "ip/command/lockstep_commands.hpp"
#include "platform/rtl/command_front.hpp"
#include "platform/rtl/mapped_pins.hpp"

namespace forerun::rtl {
namespace {

using Words = std::vector<std::uint64_t>;
constexpr std::uint64_t stream_at = 0x1000'0008, parameters_at = 0x2000'0080, data_at = 0x3000'0000;
const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

std::uint64_t memory_word(std::uint64_t address) { return address * 0x9e3779b97f4a7c15 ^ address >> 7; }

/// A stream of loops, scalar arithmetic, reads and commands to engines with patches.
class Program {
 public:
  explicit Program(unsigned seed) : random_(seed) {
    body(0, 20 + below(40));
    header(FR_OP_END, 0);
    for (auto& p : parameters) p = random_() >> below(60);
  }
  Words stream;
  Words parameters = Words(FR_PARAMETERS);

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void header(unsigned opcode, std::uint64_t patches) {
    const std::uint64_t words = abi::opcodes[opcode].words + patches;
    stream.push_back(opcode | words << 8 | patches << 16 | below(1000) << 32);
    std::uint64_t uses = 0;
    for (int i = 0; i < 4; ++i)
      uses |= ((below(2) != 0 ? std::uint64_t{FR_NO_SEMAPHORE} : below(FR_SEMAPHORES)) | below(9) << 8)
              << 16 * i;
    stream.push_back(uses);
  }
  std::uint64_t destination() { return FR_PARAMETERS + below(FR_REGISTERS - FR_PARAMETERS); }
  std::uint64_t source() { return below(6) != 0 ? below(FR_REGISTERS) : 255; }
  void scalar() {
    header(FR_OP_SCALAR, 0);
    const auto op = below(FR_SCALAR_OR + 1);
    const bool divides = op == FR_SCALAR_DIV || op == FR_SCALAR_CEIL_DIV || op == FR_SCALAR_MOD;
    auto immediate = static_cast<std::int64_t>(random_()) >> below(60);
    if (divides && immediate == 0) immediate = -7;
    stream.push_back(op | destination() << 8 | source() << 16 | (divides ? 255 : source()) << 24);
    stream.push_back(static_cast<std::uint64_t>(immediate));
  }
  void loop(int depth) {
    header(FR_OP_LOOP, 0);
    stream.push_back(below(5) - 1);
    const auto place = stream.size();
    stream.push_back(destination());
    body(depth + 1, below(5));
    header(FR_OP_ENDLOOP, 0);
    stream[place] |= (stream.size() - place - 1) * 8 << 32;
  }
  void read() {
    header(FR_OP_READ, 0);
    const auto count = 1 + below(16);
    stream.push_back(data_at + below(100) * 256 + below(33 - count) * 8);
    stream.push_back((FR_PARAMETERS + below(FR_REGISTERS - FR_PARAMETERS + 1 - count)) | count << 32);
  }
  void to_engine() {
    constexpr unsigned opcodes[] = {FR_OP_LOAD,          FR_OP_STORE,      FR_OP_VECTOR,
                                    FR_OP_GATHER,        FR_OP_POST,       FR_OP_MATMUL,
                                    FR_OP_MATMUL_SCALED, FR_OP_ALL_GATHER, FR_OP_LOAD_NOP};
    const auto opcode = opcodes[below(std::size(opcodes))];
    const auto words = abi::opcodes[opcode].words;
    const auto patches = words > 2 ? below(5) : 0;
    header(opcode, patches);
    for (unsigned i = 2; i < words; ++i) stream.push_back(random_());
    for (std::uint64_t i = 0; i < patches; ++i) {
      const auto width = std::uint64_t{1} << below(4);
      stream.push_back((16 + below(words * 8 - width - 15)) | width << 8 | below(FR_REGISTERS) << 16 |
                       random_() << 32);
    }
  }
  void body(int depth, std::uint64_t commands) {
    for (std::uint64_t i = 0; i < commands; ++i) switch (below(8)) {
        case 0:
        case 1:
          scalar();
          break;
        case 2:
          if (depth < 4) loop(depth);
          break;
        case 3:
          read();
          break;
        case 4:
          header(FR_OP_SYNC, 0);
          break;
        default:
          to_engine();
      }
  }
  std::mt19937_64 random_;
};

std::int64_t divide(std::int64_t x, std::int64_t y) {
  if (y == -1) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
  return x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
}

std::uint64_t scalar(unsigned op, std::uint64_t a, std::uint64_t b) {
  const auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
  switch (op) {
    case FR_SCALAR_ADD:
      return a + b;
    case FR_SCALAR_SUB:
      return a - b;
    case FR_SCALAR_MUL:
      return a * b;
    case FR_SCALAR_DIV:
      return static_cast<std::uint64_t>(divide(x, y));
    case FR_SCALAR_CEIL_DIV:
      return 0 - static_cast<std::uint64_t>(divide(static_cast<std::int64_t>(0 - a), y));
    case FR_SCALAR_MOD:
      return a - b * static_cast<std::uint64_t>(divide(x, y));
    case FR_SCALAR_MIN:
      return x < y ? a : b;
    case FR_SCALAR_MAX:
      return x > y ? a : b;
    case FR_SCALAR_LESS:
      return x < y ? 1 : 0;
    case FR_SCALAR_EQUAL:
      return a == b ? 1 : 0;
    case FR_SCALAR_SHL:
      return a << (b & 63);
    case FR_SCALAR_SHR:
      return static_cast<std::uint64_t>(x >> (b & 63));
    case FR_SCALAR_AND:
      return a & b;
    default:
      return a | b;
  }
}

/// What engines are to get: offset and words of each command, the engine's number in front.
std::vector<Words> interpret(const Program& program) {
  std::vector<Words> out;
  Words registers(FR_REGISTERS);
  std::copy(program.parameters.begin(), program.parameters.end(), registers.begin());
  struct Loop {
    std::uint64_t body;
    std::int64_t count, iteration;
    std::uint64_t counter;
  };
  std::vector<Loop> loops;
  for (std::uint64_t pc = 0;;) {
    const auto* at = &program.stream[pc / 8];
    const auto opcode = static_cast<unsigned>(at[0] & 0xff);
    const auto words = at[0] >> 8 & 0xff, patches = at[0] >> 16 & 0xff, after = pc + words * 8;
    Words command(at, at + words);
    for (auto i = words - patches; i < words; ++i) {
      const auto patch = command[i];
      auto* field = reinterpret_cast<unsigned char*>(command.data()) + (patch & 0xff);
      std::uint64_t value = 0;
      std::memcpy(&value, field, patch >> 8 & 0xff);
      value += registers[patch >> 16 & 0xff] *
               static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(patch >> 32)});
      std::memcpy(field, &value, patch >> 8 & 0xff);
    }
    const auto from = pc;
    pc = after;
    switch (opcode) {
      case FR_OP_END:
        return out;
      case FR_OP_SYNC:
        break;
      case FR_OP_LOOP:
        if (static_cast<std::int64_t>(command[2]) <= 0) {
          pc += command[3] >> 32;
          break;
        }
        loops.push_back({after, static_cast<std::int64_t>(command[2]), 0, command[3] & 0xffffffff});
        registers[loops.back().counter] = 0;
        break;
      case FR_OP_ENDLOOP:
        if (auto& loop = loops.back(); ++loop.iteration < loop.count) {
          registers[loop.counter] = static_cast<std::uint64_t>(loop.iteration);
          pc = loop.body;
        } else {
          loops.pop_back();
        }
        break;
      case FR_OP_READ:
        if ((command[1] & 0xff00ff) != 0xff00ff) {  // it waits for semaphores
          auto request = command;
          request.insert(request.begin(), {0, from});
          out.push_back(request);
        }
        for (std::uint64_t i = 0; i < command[3] >> 32; ++i)
          registers[(command[3] & 0xff) + i] = memory_word(command[2] + 8 * i);
        break;
      case FR_OP_SCALAR: {
        const auto value = [&](std::uint64_t number) { return number == 255 ? 0 : registers[number]; };
        registers[command[2] >> 8 & 0xff] =
            scalar(static_cast<unsigned>(command[2] & 0xff), value(command[2] >> 16 & 0xff),
                   value(command[2] >> 24 & 0xff) + command[3]);
        break;
      }
      default:
        command.insert(command.begin(), {opcode >> 4, from});
        out.push_back(command);
    }
  }
}

/// The module, with memory and engines that take their time.
class Bench {
 public:
  Bench()
      : pins_(std::make_shared<ip::cosim::SharedModel>(command_model(chip_with_short_buffer(), Waves::none)),
              PinMap{}) {}

  /// What engines got, in the form of interpret(); ends at done, fault, or after too many cycles.
  std::vector<Words> run(const Program& program, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<Words> got;
    Words packet;
    std::vector<unsigned> under_way, requests;  // cycles left of each command, and until each is granted
    std::uint32_t granted = 0;
    std::uint32_t ended = 0, left = 0, wait = 0;
    std::uint64_t address = 0;
    check_.start(stream_at, program.stream.size() * 8, parameters_at);
    set("stream", stream_at, 64), set("stream_bytes", program.stream.size() * 8, 64);
    set("parameters", parameters_at, 64);
    for (unsigned cycle = 0; cycle < 1'000'000; ++cycle) {
      set("clk", 0, 1), set("rst_n", cycle > 3, 1), set("start", cycle > 6, 1), set("ended", ended, 32),
          set("granted", granted, 32);
      set("m_arready", left == 0 && random() % 3 != 0, 1);
      const bool valid = left > 0 && wait == 0 && random() % 4 != 0;
      set("m_rvalid", valid, 1), set("m_rlast", left == 1, 1), set("m_rresp", 0, 2);
      if (valid) set("m_rdata", word(program, address), 64);
      set("d_ready", random() % 3 != 0, 1);
      pins_.evaluate();
      if (get("done", 1) != 0) note(check_.ended(ended));
      if (get("fault", 1) != 0)
        note(check_.failed(get("fault_offset", 64),
                           {static_cast<std::uint32_t>(get("fault_error", 8)), get("fault_value", 64)}));
      if (get("done", 1) != 0 || get("fault", 1) != 0) break;
      const bool asked = get("m_arvalid", 1) != 0 && in("m_arready", 1) != 0;
      const bool taken = valid && get("m_rready", 1) != 0;
      const auto new_address = get("m_araddr", 64);
      const auto length = static_cast<std::uint32_t>(get("m_arlen", 8)) + 1;
      if (get("d_valid", 1) != 0 && in("d_ready", 1) != 0) {
        if (packet.empty()) packet.push_back(get("d_dest", 3));
        packet.push_back(get("d_data", 64));
        if (get("d_last", 1) != 0) {
          (packet[0] == 0 ? requests : under_way).push_back(static_cast<unsigned>(random() % 200));
          ip::Command command{};
          command.offset = packet[1];
          std::memcpy(command.bytes, packet.data() + 2, (packet.size() - 2) * 8);
          note(check_.sent(static_cast<unsigned>(packet[0]), command, ended));
          got.push_back(std::exchange(packet, {}));
        }
      }
      set("clk", 1, 1);
      pins_.evaluate();
      ended += static_cast<std::uint32_t>(std::erase(under_way, 0u));
      if (const auto now = std::erase(requests, 0u); now != 0)
        granted += static_cast<std::uint32_t>(now), check_.granted();
      for (auto* list : {&under_way, &requests})
        for (auto& cycles : *list) --cycles;
      if (wait > 0) --wait;
      if (taken) {
        const auto data = word(program, address);
        check_.read(address, reinterpret_cast<const unsigned char*>(&data), 8, true);
        address += 8, --left;
      }
      if (asked) address = new_address, left = length, wait = static_cast<std::uint32_t>(random() % 20);
    }
    done = get("done", 1) != 0;
    error = get("fault", 1) != 0 ? get("fault_error", 8) : 0;
    offset = get("fault_offset", 64), bad_value = get("fault_value", 64);
    EXPECT_TRUE(!done || under_way.empty()) << "done before the engines";
    return got;
  }
  std::string difference;  ///< the first that lockstep has told
  std::uint64_t compared() const { return check_.compared(); }
  bool done = false;
  std::uint64_t error = 0, offset = 0, bad_value = 0;

 private:
  void note(const ip::LockstepCommands::Result& found) {
    if (found && difference.empty()) difference = found->command + ": " + found->what;
  }
  static chip::Chip chip_with_short_buffer() {
    chip::Chip chip;
    chip.clusters.command.fetch_buffer = {2048};
    return chip;
  }
  static std::uint64_t word(const Program& program, std::uint64_t address) {
    if (address - stream_at < program.stream.size() * 8) return program.stream[(address - stream_at) / 8];
    if (address - parameters_at < FR_PARAMETERS * 8) return program.parameters[(address - parameters_at) / 8];
    EXPECT_LT(address - data_at, 100u * 256) << "a read of nothing it was told of";
    return memory_word(address);
  }
  void set(const char* name, std::uint64_t value, unsigned bits) {
    std::memcpy(pin(name, true, bits), &value, (bits + 7) / 8);
  }
  std::uint64_t read(const char* name, bool input, unsigned bits) {
    std::uint64_t value = 0;
    std::memcpy(&value, pin(name, input, bits), (bits + 7) / 8);
    return value;
  }
  std::uint64_t get(const char* name, unsigned bits) { return read(name, false, bits); }
  std::uint64_t in(const char* name, unsigned bits) { return read(name, true, bits); }
  unsigned char* pin(const std::string& name, bool input, unsigned bits) {
    const auto found = known_.find(name);
    return found != known_.end() ? found->second : known_[name] = pins_.pin(name, input, bits);
  }
  MappedPins pins_;
  ip::LockstepCommands check_;
  std::map<std::string, unsigned char*> known_;
};

TEST(CommandRtl, CarriesOutRandomStreams) {
  std::size_t commands = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const Program program(seed);
    Bench bench;
    const auto got = bench.run(program, seed), want = interpret(program);
    EXPECT_TRUE(bench.done) << "seed " << seed << ", error " << bench.error << " at " << bench.offset;
    EXPECT_EQ(got, want) << "seed " << seed;
    EXPECT_EQ(bench.difference, "") << "seed " << seed;
    EXPECT_EQ(bench.compared(), want.size());
    commands += want.size();
  }
  EXPECT_GT(commands, 2000u);
}

/// What another implementation might do with a LOAD_NOP, a READ that waits for semaphores, SYNC and END.
class Lockstep : public testing::Test {
 protected:
  Lockstep() {
    check.start(0x1000, stream.size() * 8, 0x2000);
    for (std::uint64_t i = 0; i < FR_PARAMETERS; ++i) read(0x2000 + 8 * i, 7);
    for (std::uint64_t i = 0; i < stream.size(); ++i) read(0x1000 + 8 * i, stream[i]);
  }
  void read(std::uint64_t address, std::uint64_t value, bool good = true) {
    check.read(address, reinterpret_cast<const unsigned char*>(&value), 8, good);
  }
  static std::string text(const ip::LockstepCommands::Result& found) {
    return found ? found->command + ": " + found->what : "";
  }
  std::string sent(unsigned engine, std::uint64_t at, std::uint64_t ended, Words words = {}) {
    ip::Command command{};
    command.offset = at;
    if (words.empty()) words.assign(stream.begin() + static_cast<std::ptrdiff_t>(at / 8), stream.end());
    std::memcpy(command.bytes, words.data(), (words[0] >> 8 & 0xff) * 8);
    return text(check.sent(engine, command, ended));
  }
  const std::uint64_t none = 0x00ff00ff00ff00ff;
  const Words stream{FR_OP_LOAD_NOP | 2 << 8,
                     none,
                     FR_OP_SYNC | 2 << 8,
                     none,
                     FR_OP_READ | 4 << 8,
                     0x00ff00ff00ff0103,
                     0x3000,
                     20 | std::uint64_t{1} << 32,
                     FR_OP_STORE_NOP | 2 << 8,
                     none,
                     FR_OP_END | 2 << 8,
                     none};
  ip::LockstepCommands check;
};

TEST_F(Lockstep, TakesTheRightOrder) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0), "");
  EXPECT_EQ(sent(0, 32, 1), "");
  check.granted();
  read(0x3000, 5);
  EXPECT_EQ(sent(FR_ENGINE_STORE, 64, 1), "");
  EXPECT_EQ(text(check.ended(2)), "");
}

TEST_F(Lockstep, FindsTheWrongOne) {
  EXPECT_EQ(sent(FR_ENGINE_STORE, 64, 0),
            "STORE_NOP at byte 64 of the stream: it is handed over, by the model LOAD_NOP at byte 0 of the "
            "stream is next");
}
TEST_F(Lockstep, FindsTheWrongEngine) {
  EXPECT_EQ(sent(FR_ENGINE_STORE, 0, 0),
            "LOAD_NOP at byte 0 of the stream: it goes to engine 2, by the model to engine 1");
}
TEST_F(Lockstep, FindsAWrongField) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0, {stream[0], none ^ 0x2}),
            "LOAD_NOP at byte 0 of the stream: its field wait[0] is 0xfd, by the model 0xff");
}
TEST_F(Lockstep, FindsOneThatDoesNotWaitForSync) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0), "");
  EXPECT_EQ(sent(0, 32, 0),
            "READ at byte 32 of the stream: it is handed over when engines have ended 0 commands, by the "
            "model after the 1 before SYNC");
}
TEST_F(Lockstep, FindsAReadBeforeItsSemaphores) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0), "");
  EXPECT_EQ(sent(0, 32, 1), "");
  read(0x3000, 5);
  check.granted();
  EXPECT_EQ(sent(FR_ENGINE_STORE, 64, 1),
            "STORE_NOP at byte 64 of the stream: it is handed over, by the model READ at byte 32 of the "
            "stream would read 1 words at 0x3000 first");
}
TEST_F(Lockstep, FindsAnEndTooEarlyAndErrorsThatAreNone) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0), "");
  EXPECT_EQ(
      text(check.ended(1)),
      "READ at byte 32 of the stream: the run ends, by the model READ at byte 32 of the stream is next");
  EXPECT_EQ(text(check.failed(32, {FR_ERROR_LOOP, 8})),
            "READ at byte 32 of the stream: there is error 4 (LOOP) with 0x8 at byte 32, by the model READ "
            "at byte 32 of the stream is next");
}
TEST_F(Lockstep, FindsAnErrorThatIsNotTold) {
  EXPECT_EQ(sent(FR_ENGINE_LOAD, 0, 0), "");
  EXPECT_EQ(sent(0, 32, 1), "");
  check.granted();
  read(0x3000, 5, false);
  EXPECT_EQ(sent(FR_ENGINE_STORE, 64, 1),
            "STORE_NOP at byte 64 of the stream: it is handed over, by the model there is error 5 (FETCH) "
            "with 0x3000 at byte 64");
}

TEST(CommandRtl, FindsTheErrorsOfTheModel) {
  const auto fails = [](std::size_t word, std::uint64_t value, std::uint64_t error, std::uint64_t bad) {
    Program program(1);
    program.stream = {
        FR_OP_SCALAR | 4 << 8, ~std::uint64_t{0}, FR_SCALAR_DIV | 20 << 8 | 255 << 16 | 255u << 24, 3,
        FR_OP_END | 2 << 8,    ~std::uint64_t{0}};
    program.stream[1] = program.stream[5] = 0x00ff00ff00ff00ff;  // no semaphores
    program.stream[word] = value;
    Bench bench;
    bench.run(program, 1);
    EXPECT_FALSE(bench.done) << "word " << word;
    EXPECT_EQ(bench.error, error) << "word " << word;
    EXPECT_EQ(bench.bad_value, bad) << "word " << word;
    EXPECT_EQ(bench.difference, "") << "word " << word;
  };
  fails(0, 0x77 | 4 << 8, FR_ERROR_OPCODE, 0x77);
  fails(0, FR_OP_SCALAR | 5 << 8, FR_ERROR_COMMAND, 5);
  fails(1, 0x00ff00ff00ff0040, FR_ERROR_SEMAPHORE, 0x40);
  fails(2, FR_SCALAR_DIV | 3 << 8 | 255 << 16 | 255u << 24, FR_ERROR_COMMAND, 3);
  fails(3, 0, FR_ERROR_DIVIDE, 0);
  fails(4, FR_OP_ENDLOOP | 2 << 8, FR_ERROR_LOOP, 32);
  fails(4, FR_OP_SYNC | 2 << 8, FR_ERROR_STREAM_END, 48);
}

}  // namespace
}  // namespace forerun::rtl
