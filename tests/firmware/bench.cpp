// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/bench.hpp"

#include <bit>
#include <boost/crc.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "firmware/abi/registers.h"
#include "platform/sim/elf.hpp"

namespace forerun {
namespace map = chip::address_map;

TestProgram::TestProgram(std::uint64_t offset, float factor) {
  header.magic = FR_PROGRAM_MAGIC;
  header.version = FR_PROGRAM_VERSION;
  header.load_address = at + offset;
  header.clusters = 2;
  header.max_tokens = 4;
  header.context = 64;
  header.vocabulary = 100;
  header.parameters = parameters + offset;
  header.token_ids = token_ids + offset;
  header.next_ids = next_ids + offset;
  header.requests = requests + offset;
  header.sequences = 1;
  header.choices = header.max_tokens;
  header.layers = 3;
  header.memory_end = end + offset;
  header.scratchpad_bytes = 4096;
  std::strcpy(header.name, "increment");
  commands.resize(2);
  const auto position = FR_PARAMETER_POSITION, tokens = FR_PARAMETER_TOKENS;
  fr_copy copy{};
  copy.size1 = copy.size2 = copy.size3 = 1;
  copy.global = header.token_ids;
  commands[0].add(FR_OP_LOAD, copy, {{}, {{0, 1}}},
                  {FR_PATCH(fr_copy, global, position, 4), FR_PATCH(fr_copy, bytes, tokens, 4)});
  fr_vector add{};
  add.op = FR_VECTOR_AFFINE;
  add.a_type = add.d_type = FR_TYPE_U32;
  add.rows = 1;
  add.d = 1024;
  add.arg0 = std::bit_cast<std::uint32_t>(factor);
  add.arg1 = std::bit_cast<std::uint32_t>(1.0F);
  commands[0].add(FR_OP_VECTOR, add, {{{0, 1}}, {{1, 1}}}, {FR_PATCH(fr_vector, cols, tokens, 1)});
  copy.global = header.next_ids;
  copy.local = 1024;
  commands[0].add(FR_OP_STORE, copy, {{{1, 1}}, {}},
                  {FR_PATCH(fr_copy, global, position, 4), FR_PATCH(fr_copy, bytes, tokens, 4)});
  commands[0].add(FR_OP_END);
  commands[1].add(FR_OP_END);
}

void TestProgram::load(soc::Soc& soc, const std::function<void(std::vector<std::uint8_t>&)>& damage) {
  auto offset = sizeof header;
  const auto place = [&](std::size_t bytes) {
    return static_cast<std::uint32_t>(std::exchange(offset, offset + bytes));
  };
  header.streams_offset = place(header.clusters * sizeof(fr_program_stream));
  header.tags = static_cast<std::uint32_t>(tags.size());
  header.tags_offset = place(tags.size() * sizeof(fr_program_tag));
  header.segments_offset = place(0);
  streams.resize(header.clusters);
  std::vector<std::uint8_t> bytes(0x4000);
  for (std::size_t i = 0; i < commands.size() && i < streams.size(); ++i) {
    const auto& stream = commands[i].bytes();
    offset = (offset + 255) / 256 * 256;  // a fetch does not cross pieces of the interleaving
    streams[i] = {header.load_address + place(stream.size()), stream.size()};
    std::memcpy(bytes.data() + (streams[i].address - header.load_address), stream.data(), stream.size());
  }
  header.bytes = offset;
  header.crc32 = 0;
  if (!streams.empty())
    std::memcpy(bytes.data() + header.streams_offset, streams.data(), streams.size() * sizeof streams[0]);
  std::memcpy(bytes.data() + header.tags_offset, tags.data(), tags.size() * sizeof tags[0]);
  std::memcpy(bytes.data(), &header, sizeof header);
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), header.segments_offset);
  header.crc32 = crc.checksum();
  std::memcpy(bytes.data(), &header, sizeof header);
  if (damage) damage(bytes);
  soc.write(header.load_address, bytes);
}

Board::Board(const sc_core::sc_module_name& name, const chip::Chip& chip, bool with_cpu)
    : sc_module(name), soc("soc", chip, {.with_cpu = with_cpu}) {
  soc.uart.on_transmit = [this](unsigned char character) { log.push_back(static_cast<char>(character)); };
  soc.on_exit = [this](int code) { exit_code = code; };
}

Bench::Bench(const sc_core::sc_module_name& name, Program program, const chip::Chip& chip)
    : Board(name, chip, false),
      cpu("cpu", {std::move(program), soc::device_tree_address(chip), chip.cpu.clock}) {
  cpu.bus.bind(soc.bus.socket);
  soc.clint.software.bind(cpu.machine_software);
  soc.clint.timer.bind(cpu.machine_timer);
  soc.plic.machine.bind(cpu.machine_external);
}

std::string firmware_file(const std::string& name) {
  return std::filesystem::path(FORERUN_BINARY_DIR "/firmware") / name;
}

Computer::Computer(const sc_core::sc_module_name& name, const std::string& application,
                   const chip::Chip& chip)
    : Board(name, chip, true) {
  std::ifstream file(firmware_file("boot_rom.bin"), std::ios::binary);
  const std::vector<char> rom{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  soc.load_boot_rom({reinterpret_cast<const std::uint8_t*>(rom.data()), rom.size()});
  sim::ElfProgram::read(firmware_file(application))
      .load([this](std::uint64_t address, std::span<const std::byte> bytes) {
        soc.write(address, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
        return true;
      });
}

void Board::send(const ip::Message& message) { EXPECT_TRUE(soc.mailbox.host_send(message)); }

ip::Message Board::receive() {
  const auto until = sc_core::sc_time_stamp() + sc_core::sc_time(patience_seconds, sc_core::SC_SEC);
  while (sc_core::sc_time_stamp() < until) {
    if (const auto message = soc.mailbox.host_receive()) return *message;
    sc_core::sc_start(1, sc_core::SC_US);
  }
  ADD_FAILURE() << "no message from firmware; its log:\n" << log << soc.describe_stall();
  return {};
}

ip::Message Board::run(const std::vector<std::uint32_t>& prompt, std::uint64_t generate, std::uint64_t flags,
                       std::uint64_t timeout, std::uint64_t temperature, std::uint64_t seed) {
  if (!prompt.empty())
    soc.write(TestProgram::token_ids,
              {reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size() * 4});
  send({FR_MESSAGE_RUN, TestProgram::at, prompt.size(), generate, flags, temperature, seed, timeout});
  return take_steps();
}

ip::Message Board::run_with_draft(const std::vector<std::uint32_t>& prompt, std::uint64_t generate,
                                  std::uint64_t offset, std::uint64_t tokens, std::uint64_t flags) {
  soc.write(TestProgram::token_ids + offset,
            {reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size() * 4});
  send({FR_MESSAGE_DRAFT, TestProgram::at + offset, tokens});
  return run(prompt, generate, flags);
}

ip::Message Board::take_steps() {
  steps.clear(), drafts.clear();
  for (;;) {
    const auto message = receive();
    if (message[0] != FR_MESSAGE_STEP && message[0] != FR_MESSAGE_DRAFTED) return message;
    (message[0] == FR_MESSAGE_STEP ? steps : drafts).push_back(message);
  }
}

void Board::write_requests(const std::vector<fr_sequence_request>& requests) {
  soc.write(TestProgram::requests, {reinterpret_cast<const std::uint8_t*>(requests.data()),
                                    requests.size() * sizeof(fr_sequence_request)});
}

ip::Message Board::request(const std::vector<fr_sequence_request>& requests, std::uint64_t layers) {
  write_requests(requests);
  send({FR_MESSAGE_RUN, TestProgram::at, requests.size(), layers, FR_RUN_SEQUENCES, 0, 0, 0});
  return take_steps();
}

std::vector<std::uint32_t> Board::read_ids(std::uint64_t address, std::size_t count) {
  std::vector<std::uint32_t> ids(count);
  soc.read(address, {reinterpret_cast<std::uint8_t*>(ids.data()), count * 4});
  return ids;
}

std::vector<std::int64_t> Board::read_parameters() {
  std::vector<std::int64_t> values(FR_PARAMETERS);
  soc.read(TestProgram::parameters, {reinterpret_cast<std::uint8_t*>(values.data()), values.size() * 8});
  return values;
}

}  // namespace forerun
