// SPDX-License-Identifier: Apache-2.0
// The runtime and the llm and hello applications on a whole chip.
#include <gmock/gmock.h>
#include <libfdt.h>

#include "tests/firmware/bench.hpp"

extern "C" {
#include "firmware/hal/hal.h"
#include "firmware/runtime/interrupts.h"
#include "firmware/runtime/messages.h"
#include "firmware/runtime/runtime.h"
}

using namespace forerun;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr std::uint32_t one_half = 0x3f000000;

void expect_ready(Bench& bench) {
  const auto ready = bench.receive();
  ASSERT_EQ(ready[0], FR_MESSAGE_READY) << bench.log;
  EXPECT_EQ(ready[1], 2u);
  EXPECT_EQ(ready[2], chip::memory_size(bench.soc.chip()).count);
  EXPECT_EQ(ready[3], RUNTIME_VERSION);
}

std::vector<std::uint64_t> column(const std::vector<ip::Message>& messages, unsigned word) {
  std::vector<std::uint64_t> values;
  for (const auto& message : messages) values.push_back(message[word]);
  return values;
}

TEST(Runtime, SaysWhatItFindsAndThatItIsReady) {
  Bench bench("bench");
  expect_ready(bench);
  EXPECT_THAT(bench.log, HasSubstr("chip: small\r\n"));
  EXPECT_THAT(bench.log, HasSubstr("clusters 2, the first at 0x20000000 with 64 KiB of scratchpad"));
  EXPECT_THAT(bench.log, HasSubstr("sram     0x80000000, 1024 KiB"));
}

TEST(Runtime, GeneratesTokens) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  const auto done = bench.run({10, 20, 30, 40, 50, 60}, 4);
  ASSERT_EQ(done[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(done[1], 5u);
  EXPECT_THAT(column(bench.steps, 1), ElementsAre(0, 4, 6, 7, 8)) << "positions";
  EXPECT_THAT(column(bench.steps, 2), ElementsAre(4, 2, 1, 1, 1)) << "tokens";
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(41, 61, 62, 63, 64)) << "ids";
  EXPECT_THAT(bench.read_ids(TestProgram::token_ids, 10),
              ElementsAre(10, 20, 30, 40, 50, 60, 61, 62, 63, 64));
  std::uint64_t before = 0;
  for (const auto& step : bench.steps) {
    EXPECT_LE(before, step[4]);
    EXPECT_LE(step[4], step[5]);
    before = step[5];
  }
  EXPECT_GT(before, 0u);
  EXPECT_THAT(bench.log, HasSubstr("run: increment on 2 clusters, 6 tokens given, 4 to generate\r\n"));
  EXPECT_THAT(bench.log, HasSubstr("done: 5 steps\r\n"));
}

TEST(Runtime, FillsInTheParameters) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  std::vector<std::vector<std::int64_t>> parameters;
  bench.soc.mailbox.on_message = [&] { parameters.push_back(bench.read_parameters()); };
  ASSERT_EQ(bench.run({1, 2, 3, 4, 5}, 2, FR_RUN_SAMPLE, 0, one_half, 0x1234567890abcdef)[0],
            FR_MESSAGE_DONE);
  ASSERT_EQ(bench.run({1, 2, 3}, 1, FR_RUN_ALL_LOGITS)[0], FR_MESSAGE_DONE);
  ASSERT_EQ(parameters.size(), 6u);  // three steps and DONE, one step and DONE
  const auto row = [](std::int64_t position, std::int64_t tokens, std::int64_t rows, std::int64_t sample,
                      std::int64_t temperature, std::int64_t low, std::int64_t high) {
    std::vector<std::int64_t> values{position, tokens, rows, sample, temperature, low, high, 3, 1};
    values.resize(FR_PARAMETERS);
    return values;
  };
  EXPECT_EQ(parameters[0], row(0, 4, 1, 1, one_half, 0x90abcdef, 0x12345678));
  EXPECT_EQ(parameters[1], row(4, 1, 1, 1, one_half, 0x90abcdef, 0x12345678));
  EXPECT_EQ(parameters[2], row(5, 1, 1, 1, one_half, 0x90abcdef, 0x12345678));
  EXPECT_EQ(parameters[4], row(0, 3, 3, 0, 0, 0, 0));
}

TEST(Runtime, GoesOnWhereTheCacheEnds) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  std::vector<std::vector<std::int64_t>> parameters;
  bench.soc.mailbox.on_message = [&] { parameters.push_back(bench.read_parameters()); };
  bench.request({{40, 1, 3}}, 2);
  ASSERT_EQ(bench.steps.size(), 3u) << bench.log;
  EXPECT_THAT(column(bench.steps, 1), ElementsAre(40, 41, 42));
  EXPECT_THAT(column(bench.steps, 2), ElementsAre(1, 1, 1));
  EXPECT_THAT(column(bench.steps, 6), ElementsAre(0, 0, 0));
  EXPECT_THAT(column(bench.steps, 7), ElementsAre(0, 0, 0));
  EXPECT_EQ(parameters[0][FR_PARAMETER_POSITION], 40);
  EXPECT_EQ(parameters[0][FR_PARAMETER_LAYERS], 2) << "as asked for, of three";
}

TEST(Runtime, TeacherFeedsTheGivenIdsOnly) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  const auto done = bench.run({10, 20, 30, 40, 50, 60}, 9, FR_RUN_TEACHER);
  ASSERT_EQ(done[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_EQ(done[1], 2u);
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(41, 61));
  EXPECT_THAT(bench.read_ids(TestProgram::next_ids, 6), ElementsAre(11, 21, 31, 41, 51, 61));
  EXPECT_THAT(bench.read_ids(TestProgram::token_ids, 7), ElementsAre(10, 20, 30, 40, 50, 60, 0));
}

TEST(Runtime, FillsTheWholeContext) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  ASSERT_EQ(bench.run({7}, 63)[0], FR_MESSAGE_DONE) << bench.log;
  ASSERT_EQ(bench.steps.size(), 63u);
  EXPECT_EQ(bench.steps.back()[3], 70u);
  ASSERT_EQ(bench.run(std::vector<std::uint32_t>(64, 3), 0)[0], FR_MESSAGE_DONE) << "only a prompt";
  EXPECT_EQ(bench.steps.size(), 16u);
}

struct Bad {
  const char* name;
  std::uint64_t failure;
  std::function<void(Bench&, TestProgram&)> load;
  ip::Message message{FR_MESSAGE_RUN, TestProgram::at, 1, 1, 0, 0, 0, 0};
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
class Refused : public testing::TestWithParam<Bad> {};

TEST_P(Refused, ThenRunsAGoodProgram) {
  const auto& bad = GetParam();
  Bench bench("bench");
  expect_ready(bench);
  TestProgram program;
  bad.load(bench, program);
  bench.send(bad.message);
  const auto failed = bench.receive();
  EXPECT_EQ(failed[0], FR_MESSAGE_FAILED) << bench.log;
  EXPECT_EQ(failed[1], bad.failure) << bench.log;
  TestProgram().load(bench.soc);
  EXPECT_EQ(bench.run({1}, 2)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(2, 3));
}

void good(Bench& bench, TestProgram& program) { program.load(bench.soc); }
template <typename Value>
auto with(Value fr_program_header::*field, std::type_identity_t<Value> value) {
  return [=](Bench& bench, TestProgram& program) {
    program.header.*field = value;
    program.load(bench.soc);
  };
}
/// A cache of so many pages of 8 positions.
auto paged(std::uint32_t pages, std::uint64_t table) {
  return [=](Bench& bench, TestProgram& program) {
    program.header.page_positions = 8, program.header.pages = pages, program.header.page_table = table;
    program.load(bench.soc);
  };
}
auto damaged(std::size_t offset) {
  return [=](Bench& bench, TestProgram& program) {
    program.load(bench.soc, [&](std::vector<std::uint8_t>& bytes) { bytes[offset] ^= 1; });
  };
}
ip::Message request(std::uint64_t prompt, std::uint64_t generate, std::uint64_t flags = 0,
                    std::uint64_t temperature = 0) {
  return {FR_MESSAGE_RUN, TestProgram::at, prompt, generate, flags, temperature, 0, 0};
}
ip::Message request_table(std::uint64_t sequences, std::uint64_t layers) {
  return {FR_MESSAGE_RUN, TestProgram::at, sequences, layers, FR_RUN_SEQUENCES, 0, 0, 0};
}
/// The program, and a request in its table.
std::function<void(Bench&, TestProgram&)> with_request(const fr_sequence_request& wanted) {
  return [wanted](Bench& bench, TestProgram& program) {
    program.load(bench.soc);
    bench.write_requests({wanted});
  };
}
ip::Message run_at(std::uint64_t address) { return {FR_MESSAGE_RUN, address, 1, 1}; }
constexpr auto no_end = ~std::uint64_t{0};

const Bad bad_runs[] = {
    {"NoProgram", FR_FAILURE_PROGRAM_MAGIC, [](Bench&, TestProgram&) {}},
    {"UnalignedAddress", FR_FAILURE_PROGRAM_MAGIC, good, run_at(TestProgram::at + 4)},
    {"OtherLoadAddress", FR_FAILURE_PROGRAM_MAGIC,
     with(&fr_program_header::load_address, TestProgram::at + 8)},
    {"Version", FR_FAILURE_PROGRAM_VERSION, with(&fr_program_header::version, 99)},
    {"DamagedHeader", FR_FAILURE_PROGRAM_CRC, damaged(offsetof(fr_program_header, name))},
    {"DamagedStreamTable", FR_FAILURE_PROGRAM_CRC, damaged(sizeof(fr_program_header))},
    {"DamagedTag", FR_FAILURE_PROGRAM_CRC,
     damaged(sizeof(fr_program_header) + 2 * sizeof(fr_program_stream))},
    {"ManyTags", FR_FAILURE_PROGRAM_CRC, damaged(offsetof(fr_program_header, tags) + 3)},
    {"TooManyClusters", FR_FAILURE_PROGRAM_CLUSTERS, with(&fr_program_header::clusters, 3)},
    {"NoClusters", FR_FAILURE_PROGRAM_CLUSTERS, with(&fr_program_header::clusters, 0)},
    {"TooMuchMemory", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::memory_end, no_end)},
    {"EndBeforeBegin", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::memory_end, TestProgram::at - 8)},
    {"ParametersElsewhere", FR_FAILURE_PROGRAM_MEMORY,
     with(&fr_program_header::parameters, chip::address_map::sram)},
    {"ParametersUnaligned", FR_FAILURE_PROGRAM_MEMORY,
     with(&fr_program_header::parameters, TestProgram::parameters + 4)},
    {"TokensElsewhere", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::token_ids, no_end - 3)},
    {"NextIdsElsewhere", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::next_ids, 0)},
    {"LogitsElsewhere", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::logits, no_end - 3)},
    {"HugeContext", FR_FAILURE_PROGRAM_MEMORY, with(&fr_program_header::context, 0xffffffff)},
    {"Scratchpad", FR_FAILURE_PROGRAM_SCRATCHPAD, with(&fr_program_header::scratchpad_bytes, (64 << 10) + 1)},
    {"NoTokensInAStep", FR_FAILURE_REQUEST, with(&fr_program_header::max_tokens, 0)},
    {"NoPrompt", FR_FAILURE_REQUEST, good, request(0, 1)},
    {"LongPrompt", FR_FAILURE_REQUEST, good, request(65, 0)},
    {"TooManyTokens", FR_FAILURE_REQUEST, good, request(1, 64)},
    {"HugeNumbers", FR_FAILURE_REQUEST, good, request(1, no_end)},
    {"UnknownFlag", FR_FAILURE_REQUEST, good, request(1, 1, 16)},
    {"NoSequences", FR_FAILURE_REQUEST, with_request({0, 1, 1}), request_table(0, 0)},
    {"TooManySequences", FR_FAILURE_REQUEST, with_request({0, 1, 1}), request_table(2, 0)},
    {"TooManyLayers", FR_FAILURE_REQUEST, with_request({0, 1, 1}), request_table(1, 4)},
    {"LongCache", FR_FAILURE_REQUEST, with_request({64, 1, 0}), request_table(1, 0)},
    {"HugeCache", FR_FAILURE_REQUEST, with_request({~std::uint64_t{0}, 2, 0}), request_table(1, 0)},
    {"NothingAfterTheCache", FR_FAILURE_REQUEST, with_request({3, 0, 1}), request_table(1, 0)},
    {"NoTemperature", FR_FAILURE_REQUEST, good, request(1, 1, FR_RUN_SAMPLE)},
    {"NegativeTemperature", FR_FAILURE_REQUEST, good, request(1, 1, FR_RUN_SAMPLE, 0xbf800000)},
    {"PageTableElsewhere", FR_FAILURE_PROGRAM_MEMORY, paged(8, chip::address_map::sram)},
    {"PageTableUnaligned", FR_FAILURE_PROGRAM_MEMORY, paged(8, TestProgram::page_table + 4)},
    {"TooFewPages", FR_FAILURE_PAGES, paged(2, TestProgram::page_table), request(8, 10)},
    {"BusError", FR_FAILURE_BUS, good, run_at(0x5000'0000)},
    {"Message", FR_FAILURE_MESSAGE, good, {99}},
};
INSTANTIATE_TEST_SUITE_P(All, Refused, testing::ValuesIn(bad_runs),
                         [](const auto& bad) { return bad.param.name; });

TEST(Runtime, GivesASequencePagesAsItGrows) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram program;
  paged(3, TestProgram::page_table)(bench, program);
  const auto table = [&] {
    std::vector<std::uint64_t> pages(8, 99);
    bench.soc.read(TestProgram::page_table, {reinterpret_cast<std::uint8_t*>(pages.data()), 8 * 8});
    return pages;
  };
  const std::vector<std::uint64_t> none(8, 99);
  // The last token has no place in the cache.
  for (const auto& [generate, last] : {std::pair{1u, 1u}, {10u, 3u}, {2u, 2u}}) {
    bench.soc.write(TestProgram::page_table, {reinterpret_cast<const std::uint8_t*>(none.data()), 8 * 8});
    ASSERT_EQ(bench.run({1, 2, 3, 4, 5, 6, 7, 8}, generate)[0], FR_MESSAGE_DONE) << bench.log;
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(table()[i], i < last ? i : 99) << generate;
  }
}

TEST(Runtime, ReportsAnErrorOfAClusterAndGoesOn) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram program;
  program.commands[1] = {};
  program.commands[1].add(FR_OP_SYNC);
  program.commands[1].add(0x77);
  program.load(bench.soc);
  const auto failed = bench.run({1, 2}, 3);
  EXPECT_EQ(failed, (ip::Message{FR_MESSAGE_FAILED, FR_FAILURE_CLUSTER, 1, FR_ERROR_OPCODE, 0x77, 16,
                                 FR_ENGINE_COMMAND, TestProgram::at}));
  EXPECT_THAT(
      bench.log,
      HasSubstr(
          "cluster 1: error OPCODE of engine COMMAND in the command at byte 16, address or value 0x77"));
  TestProgram().load(bench.soc);
  EXPECT_EQ(bench.run({1}, 2)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(2, 3));
}

TEST(Runtime, EndsAStepThatHangsAndGoesOn) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram program;
  program.commands[1] = {};
  program.commands[1].add(FR_OP_TENSOR_NOP, {{{9, 3}}, {}});
  program.commands[1].add(FR_OP_END);
  program.load(bench.soc);
  const auto failed = bench.run({1, 2}, 3, 0, 500);
  EXPECT_EQ(failed, (ip::Message{FR_MESSAGE_FAILED, FR_FAILURE_TIMEOUT, 1, 0, 0, 0, 0, TestProgram::at}));
  EXPECT_THAT(bench.log, HasSubstr("1 of 2 clusters have not ended, the first is 1"));
  TestProgram().load(bench.soc);
  EXPECT_EQ(bench.run({1}, 2, 0, 1000000)[0], FR_MESSAGE_DONE) << bench.log;
  EXPECT_THAT(column(bench.steps, 3), ElementsAre(2, 3));
}

TEST(Runtime, LosesNoMessageWhenTheHostIsSlow) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  const std::uint32_t prompt = 100;
  bench.soc.write(TestProgram::token_ids, {reinterpret_cast<const std::uint8_t*>(&prompt), 4});
  bench.send({FR_MESSAGE_RUN, TestProgram::at, 1, 60});
  sc_core::sc_start(5, sc_core::SC_MS);  // long enough for all, but the mailbox is full
  EXPECT_EQ(bench.soc.mailbox.host_receive().value()[3], 101u);
  for (std::uint64_t i = 1; i < 60; ++i) {
    sc_core::sc_start(30, sc_core::SC_US);
    const auto step = bench.receive();
    ASSERT_EQ(step[0], FR_MESSAGE_STEP);
    ASSERT_EQ(step[3], 101 + i);
  }
  EXPECT_EQ(bench.receive()[0], FR_MESSAGE_DONE);
}

TEST(Runtime, TakesMessagesThatCameDuringARun) {
  Bench bench("bench");
  expect_ready(bench);
  TestProgram().load(bench.soc);
  for (int i = 0; i < 3; ++i) bench.send({FR_MESSAGE_RUN, TestProgram::at, 1, 2});
  bench.send({FR_MESSAGE_STOP, 0});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.receive()[0], FR_MESSAGE_STEP);
    EXPECT_EQ(bench.receive()[0], FR_MESSAGE_STEP);
    EXPECT_EQ(bench.receive()[0], FR_MESSAGE_DONE);
  }
}

TEST(Runtime, StopsWithTheGivenCode) {
  Bench bench("bench");
  expect_ready(bench);
  bench.send({FR_MESSAGE_STOP, 42});
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.exit_code, 42);
  EXPECT_TRUE(bench.cpu.halted());
}

TEST(Runtime, ReportsATrap) {
  Bench bench("bench", [](std::uint64_t device_tree) {
    const auto* const hardware = runtime_start(device_tree);
    interrupts_start({hardware->plic.base, hardware->plic_context});
    messages_start(hardware->mailbox.base, hardware->mailbox.interrupt);
    return static_cast<int>(hal_read32(0x5000'0000));
  });
  EXPECT_EQ(bench.receive(), (ip::Message{FR_MESSAGE_TRAP, HAL_CAUSE_LOAD_ACCESS, 0, 0x5000'0000}));
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.exit_code, RUNTIME_EXIT_TRAP);
  EXPECT_THAT(bench.log, HasSubstr("trap: load access fault, mcause 0x5 mepc 0x0 mtval 0x50000000"));
}

class DamagedTree : public testing::TestWithParam<std::uint32_t> {};
TEST_P(DamagedTree, EndsFirmware) {
  Bench bench("bench");
  const auto address = soc::device_tree_address(bench.soc.chip());
  std::vector<std::uint8_t> tree(bench.soc.device_tree().begin(), bench.soc.device_tree().end());
  for (auto at = GetParam(); at < tree.size(); at += 97) tree[at] ^= 0x5a;
  bench.soc.write(address, tree);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_TRUE(bench.cpu.halted()) << bench.log;
}
INSTANTIATE_TEST_SUITE_P(At, DamagedTree, testing::Values(0, 4, 64, 300, 1000));

struct Contradiction {
  const char* name;
  const char* message;
  const char* node;
  std::function<int(void* tree, int node)> change;
};
void PrintTo(const Contradiction& contradiction, std::ostream* out) { *out << contradiction.name; }
class WrongTree : public testing::TestWithParam<Contradiction> {};

TEST_P(WrongTree, EndsFirmwareWithAReason) {
  Bench bench("bench");
  std::vector<std::uint8_t> tree(bench.soc.device_tree().begin(), bench.soc.device_tree().end());
  const auto node = fdt_path_offset(tree.data(), GetParam().node);
  ASSERT_GE(node, 0);
  ASSERT_EQ(GetParam().change(tree.data(), node), 0);
  bench.soc.write(soc::device_tree_address(bench.soc.chip()), tree);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.exit_code, RUNTIME_EXIT_NO_HARDWARE);
  EXPECT_THAT(bench.log, HasSubstr(GetParam().message));
}

auto index_is(std::uint32_t value) {
  return [=](void* tree, int node) { return fdt_setprop_inplace_u32(tree, node, "forerun,index", value); };
}
auto interrupt_is(std::uint32_t value) {
  return [=](void* tree, int node) { return fdt_setprop_inplace_u32(tree, node, "interrupts", value); };
}
auto without(const char* property) {
  return [=](void* tree, int node) { return fdt_nop_property(tree, node, property); };
}
constexpr auto second_cluster = "/soc/cluster@20010000";

const Contradiction contradictions[] = {
    {"SameIndex", "cannot start: two clusters of the same forerun,index", second_cluster, index_is(0)},
    {"Gap", "cannot start: a gap in forerun,index of the clusters", second_cluster, index_is(5)},
    {"FarGap", "cannot start: a gap in forerun,index of the clusters", second_cluster, index_is(900)},
    {"TooMany", "cannot start: more clusters than this firmware can serve", second_cluster, index_is(5000)},
    {"NoIndex", "cannot start: a cluster without forerun,index", second_cluster, without("forerun,index")},
    {"NoReg", "cannot start: a cluster without reg or interrupts", second_cluster, without("reg")},
    {"NoInterrupt", "cannot start: a cluster without reg or interrupts", second_cluster,
     without("interrupts")},
    {"BadInterrupt", "cannot start: bad interrupt number", second_cluster, interrupt_is(5000)},
    {"NoAnswer", "cannot start: a cluster does not answer", second_cluster,
     [](void* tree, int node) {
       const fdt32_t reg[] = {0, cpu_to_fdt32(0x5000'0000), 0, cpu_to_fdt32(0x1000), 0, 0, 0, 0};
       return fdt_setprop_inplace(tree, node, "reg", reg, sizeof reg);
     }},
    {"NoMailbox", "cannot start: the device tree has no mailbox", "/soc/mailbox@10020000",
     without("compatible")},
    {"NoHbm", "cannot start: the device tree has no HBM", "/memory@10000000000", without("device_type")},
};
INSTANTIATE_TEST_SUITE_P(All, WrongTree, testing::ValuesIn(contradictions),
                         [](const auto& c) { return c.param.name; });

TEST(Hello, ShowsTheHardwareAndEnds) {
  Bench bench("bench", forerun_hello_main);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.exit_code, 0);
  EXPECT_THAT(bench.log, HasSubstr("Hello from the control CPU!\r\nchip: small\r\n"));
  EXPECT_THAT(bench.log, HasSubstr("performance counters"));
}

TEST(HostCpu, ExistsOnlyOnce) {
  Bench bench("bench");
  EXPECT_THROW(sim::HostCpu("second", {forerun_hello_main, 0}), std::logic_error);
}

}  // namespace
