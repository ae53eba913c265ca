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

chip::Chip chip_of_four() {
  chip::Chip chip;
  chip.clusters.count = 4;
  return chip;
}

/// Generates after the model's own prompt, and compares.
void continue_the_prompt(Board& board) {
  const auto program =
      models::compile(models::load_model(bundled), board.soc.chip(), {chip::Format::f32, 64, true});
  board.soc.write(program.header.load_address, models::make_head(program, true));
  for (const auto& segment : program.segments) board.soc.write(segment.address, segment.bytes);
  const auto prompt = golden("prompt_ids");
  auto expected = golden("greedy_ids");
  expected.resize(8);
  board.soc.write(program.header.token_ids,
                  {reinterpret_cast<const std::uint8_t*>(prompt.data()), prompt.size() * sizeof prompt[0]});
  ASSERT_EQ(board.receive()[0], FR_MESSAGE_READY);
  board.send({FR_MESSAGE_RUN, program.header.load_address, prompt.size(), expected.size()});
  std::vector<std::uint32_t> ids;
  for (auto message = board.receive(); message[0] != FR_MESSAGE_DONE; message = board.receive()) {
    ASSERT_EQ(message[0], FR_MESSAGE_STEP) << board.log;
    if (message[1] + message[2] >= prompt.size()) ids.push_back(static_cast<std::uint32_t>(message[3]));
  }
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(board.read_ids(program.header.token_ids + prompt.size() * 4, expected.size()), expected);
}

TEST(Model, ContinuesAPromptAsTheOriginalDoesOnTheHost) {
  Bench bench("bench", forerun_llm_main, chip_of_four());
  continue_the_prompt(bench);
}

TEST(Model, ContinuesAPromptAsTheOriginalDoesOnTheCpu) {
  Computer computer("computer", "llm.elf", chip_of_four());
  continue_the_prompt(computer);
}

}  // namespace
