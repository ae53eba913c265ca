// SPDX-License-Identifier: Apache-2.0
// Programs as containers and as text.
#include "models/compiler/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "models/compiler/compiler.hpp"
#include "platform/chip/address_map.hpp"

using namespace forerun;
using namespace forerun::models;
using testing::HasSubstr;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

struct File {
  std::string path =
      (std::filesystem::temp_directory_path() / ("forerun_program_" + std::to_string(getpid()))).string();
  ~File() { std::filesystem::remove(path); }
};

}  // namespace

TEST(Program, ComesBackFromItsFile) {
  const auto program = compile(load_model(bundled), {}, {chip::Format::i8, 64, true});
  File file;
  write_container(program, file.path);
  const auto back = read_container(file.path);
  EXPECT_EQ(back.streams, program.streams);
  EXPECT_EQ(back.tags, program.tags);
  ASSERT_EQ(back.segments.size(), program.segments.size());
  for (std::size_t i = 0; i < back.segments.size(); ++i)
    EXPECT_EQ(back.segments[i].bytes, program.segments[i].bytes);
  EXPECT_EQ(make_head(back, true), make_head(program, true));
}

TEST(Program, RefusesDamagedFiles) {
  const auto program = compile(load_model(bundled), {}, {chip::Format::f16, 32, true});
  File file;
  write_container(program, file.path);
  std::ifstream in(file.path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const auto read_changed = [&](const std::string& bytes) {
    std::ofstream(file.path, std::ios::binary) << bytes;
    return error_of([&] { read_container(file.path); });
  };
  EXPECT_THAT(read_changed(good.substr(0, 100)), HasSubstr("beyond the end of the file"));
  EXPECT_THAT(read_changed(good.substr(0, good.size() - 1)), HasSubstr("its header says"));
  EXPECT_THAT(read_changed("x" + good.substr(1)), HasSubstr("is no program container"));
  auto other = good;
  other[200] = static_cast<char>(other[200] ^ 1);
  EXPECT_THAT(read_changed(other), HasSubstr("checksum"));
  EXPECT_THAT(error_of([] { read_container("/no/such/file"); }), HasSubstr("/no/such/file: cannot be read"));
}

TEST(Compile, PlacesEverythingApartAndInTheMemory) {
  const auto program = compile(load_model(bundled), {}, {chip::Format::f16, 128, true});
  std::uint64_t end = chip::address_map::hbm;
  for (const auto& segment : program.segments) {
    EXPECT_GE(segment.address, end) << segment.name;
    EXPECT_EQ(segment.bytes.size(), segment.memory_bytes);
    end = segment.address + segment.memory_bytes;
  }
  EXPECT_GE(program.header.load_address, end);
  EXPECT_EQ(program.header.memory_end, program.header.load_address + program.head_bytes());
}

TEST(Compile, LeavesTheWeightsOutButNothingElse) {
  const auto model = load_model(bundled);
  const auto with = compile(model, {}, {chip::Format::bf16, 64, true}),
             without = compile(model, {}, {chip::Format::bf16, 64, false});
  EXPECT_EQ(with.streams, without.streams);
  EXPECT_EQ(with.header.memory_end, without.header.memory_end);
  for (const auto& segment : without.segments) EXPECT_TRUE(segment.bytes.empty());
}

TEST(Compile, SaysWhatDoesNotFit) {
  const auto model = load_model(bundled);
  chip::Chip chip;
  EXPECT_THAT(error_of([&] {
                compile(model, chip, {chip::Format::f16, 257});
              }),
              HasSubstr("a context of 257 positions"));
  chip.hbm.rows = 1;
  EXPECT_THAT(error_of([&] { compile(model, chip, {chip::Format::f16, 64}); }), HasSubstr("MiB of memory"));
  chip = {};
  chip.clusters.scratchpad.size = {8 << 10};
  EXPECT_THAT(error_of([&] {
                compile(model, chip, {chip::Format::f16, 64});
              }),
              HasSubstr("bytes of a cluster's scratchpad"));
  chip = {};
  chip.clusters.tensor.formats = {chip::Format::i8};
  EXPECT_THAT(error_of([&] {
                compile(model, chip, {chip::Format::f16, 64});
              }),
              HasSubstr("clusters.tensor.formats"));
}

TEST(Compile, IsDeterministic) {
  const auto model = load_model(bundled);
  EXPECT_EQ(make_head(compile(model, {}, {}), true), make_head(compile(model, {}, {}), true));
}

TEST(Listing, NamesOperatorsCommandsAndAddresses) {
  const auto text = listing(compile(load_model(bundled), {}, {chip::Format::f16, 64, false}));
  EXPECT_THAT(text, HasSubstr("16 clusters"));
  for (const auto* name : {"layers.attention:", "GATHER", "MATMUL", "op=SOFTMAX", "op=RMSNORM", "LOOP", "+r1",
                           "wait(s", "cluster15.constants"})
    EXPECT_THAT(text, HasSubstr(name));
}

TEST(Program, KnowsWhetherDevicesGetEqualParts) {
  const auto model = load_model(bundled);  // 6 heads, 2 key/value heads
  const auto symmetric = [&](unsigned devices, unsigned clusters) {
    chip::Chip chip;
    chip.devices = devices;
    chip.clusters.count = clusters;
    return compile(model, chip, {chip::Format::f16, 64, false}).symmetric;
  };
  EXPECT_FALSE(symmetric(1, 2)) << "there is no other device";
  EXPECT_TRUE(symmetric(2, 1));
  EXPECT_TRUE(symmetric(2, 16)) << "most clusters have no head";
  EXPECT_FALSE(symmetric(3, 1)) << "the second device needs both key/value heads";
  EXPECT_FALSE(symmetric(4, 2));
}

TEST(Program, OfADeviceHoldsItsShareOfTheWeights) {
  const auto model = load_model(bundled);
  const auto weights = [&](unsigned devices, unsigned device) {
    chip::Chip chip;
    chip.devices = devices;
    chip.clusters.count = 1;
    std::uint64_t bytes = 0;
    for (const auto& segment : compile(model, chip, {.context = 64, .data = false, .device = device}).segments)
      if (segment.name == "weights") bytes += segment.memory_bytes;
    return bytes;
  };
  EXPECT_EQ(weights(2, 0), weights(2, 1));
  EXPECT_GE(weights(2, 0) + weights(2, 1), weights(1, 0)) << "with the gaps of the layout";
  EXPECT_LT(weights(2, 0), weights(1, 0) * 6 / 10);
}
