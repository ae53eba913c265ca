// SPDX-License-Identifier: Apache-2.0
// A compiled model, run by the firmware, against the ids that the model's training framework chose.
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/compiler/compiler.hpp"
#include "tests/firmware/bench.hpp"

using namespace forerun;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

std::vector<std::uint32_t> golden(const char* name) {
  return nlohmann::json::parse(std::ifstream(bundled + "/golden.json"))
      .at(name)
      .get<std::vector<std::uint32_t>>();
}

TEST(Model, ContinuesAPromptAsTheOriginalDoes) {
  chip::Chip chip;
  chip.clusters.count = 4;
  Bench bench("bench", forerun_llm_main, chip);
  const auto program = models::compile(models::load_model(bundled), chip, {chip::Format::f32, 64, true});
  bench.soc.write(program.header.load_address, models::make_head(program, true));
  for (const auto& segment : program.segments) bench.soc.write(segment.address, segment.bytes);
  const auto prompt = golden("prompt_ids");
  auto expected = golden("greedy_ids");
  expected.resize(20);
  bench.soc.write(program.header.token_ids,
                  {reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size() * sizeof prompt[0]});
  ASSERT_EQ(bench.receive()[0], FR_MESSAGE_READY);
  bench.send({FR_MESSAGE_RUN, program.header.load_address, prompt.size(), expected.size()});
  std::vector<std::uint32_t> ids;
  for (auto message = bench.receive(); message[0] != FR_MESSAGE_DONE; message = bench.receive()) {
    ASSERT_EQ(message[0], FR_MESSAGE_STEP) << bench.log;
    if (message[1] + message[2] >= prompt.size()) ids.push_back(static_cast<std::uint32_t>(message[3]));
  }
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(bench.read_ids(program.header.token_ids + prompt.size() * 4, expected.size()), expected);
}

}  // namespace
