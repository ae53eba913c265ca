// SPDX-License-Identifier: Apache-2.0
// Models in each number format on the chip, against the golden executor in the same formats: what differs
// are sums in binary32 and, where one of those lies between two values of a format, the way it is rounded.
#include "models/reference/loss.hpp"
#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;

namespace {

NumberFormats formats_of(std::string_view w, std::string_view a, std::string_view kv) {
  return {*parse_format(w), *parse_format(a), *parse_format(kv)};
}

struct Losses {
  LogitLoss chip;    ///< of the chip, against the golden executor in the formats
  LogitLoss golden;  ///< of the golden executor in the formats, against full precision
};

Losses losses(const Model& model, const chip::Chip& chip, CompileOptions options,
              const std::vector<std::uint32_t>& text, std::size_t prefill) {
  Bench bench("bench", chip, compile(model, chip, options));
  prefill = std::min<std::size_t>(prefill, bench.program.header.max_tokens);
  bench.put(bench.program.header.token_ids, text);
  bench.script = [&] {
    bench.step(0, prefill, prefill);
    for (std::size_t p = prefill; p < text.size(); ++p) bench.step(p, 1, 1);
  };
  sc_core::sc_start();
  ReferenceExecutor full(model, options.context), rounded(model, options.context, options.format);
  LogitMeter of_chip, of_golden;
  for (std::size_t p = 0; p < text.size(); ++p) {
    const auto exact = full.step(text[p]), expected = rounded.step(text[p]);
    const auto row = bench.peek<float>(bench.program.header.logits + p * exact.size() * 4, exact.size());
    of_chip.add(expected, std::vector<double>(row.begin(), row.end()), nullptr);
    of_golden.add(exact, expected, nullptr);
  }
  return {of_chip.loss(), of_golden.loss()};
}

const std::vector<std::uint32_t> text{0, 53, 73, 70, 540, 269, 261, 512, 446, 13, 285, 261, 53, 73, 70, 540};

struct Case {
  const char *weights, *activations, *kv;
  double chip, golden;  ///< relative error of the logits at most, of `Losses`
};

class CompiledFormats : public testing::TestWithParam<Case> {};

/// On three clusters, so that shares are no round numbers; the prompt first, then token by token.
TEST_P(CompiledFormats, GiveTheLogitsOfTheGoldenExecutor) {
  const auto& c = GetParam();
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m");
  const auto l = losses(model, chip_with(3),
                        {.format = formats_of(c.weights, c.activations, c.kv), .context = 64}, text, 6);
  RecordProperty("chip", std::to_string(l.chip.relative_error));
  RecordProperty("golden", std::to_string(l.golden.relative_error));
  EXPECT_LT(l.chip.relative_error, c.chip);
  EXPECT_LT(l.golden.relative_error, c.golden);
  EXPECT_GT(l.golden.relative_error, c.golden / 4) << "the bound is near";
}

// Where a value that is rounded lies between two of its format, both sides may go another way: hence errors
// of the chip near those of the format in some cases and none in others.
constexpr Case cases[] = {{"fp32", "fp32", "fp32", 1e-06, 4e-08},
                          {"fp16", "fp16", "fp16", 0.0004, 0.0003},
                          {"bf16", "bf16", "bf16", 0.002, 0.003},
                          {"int8", "int8", "fp16", 0.0001, 0.02},
                          {"fp8_e4m3", "fp8_e4m3", "bf16", 0.009, 0.03},
                          {"fp8_e4m3", "fp8_e4m3", "fp8_e4m3", 0.0001, 0.03},
                          {"fp8_e5m2", "fp8_e5m2", "fp8_e5m2", 0.0001, 0.07},
                          {"fp8_e4m3", "bf16", "bf16", 0.0001, 0.02},
                          {"int8", "fp16", "fp16", 0.0002, 0.007},
                          {"int8_g32", "fp16", "fp16", 0.0003, 0.005},
                          {"int4_g128", "fp16", "fp16", 0.0002, 0.09},
                          {"int4_g16", "fp16", "fp16", 0.0005, 0.07},
                          {"int4_g32", "bf16", "fp8_e4m3", 0.0001, 0.08},
                          {"int4_g64", "int8", "fp16", 0.005, 0.09},
                          {"mxfp8", "mxfp8", "bf16", 0.0001, 0.05},
                          {"mxfp6", "mxfp6", "bf16", 0.0001, 0.05},
                          {"mxfp4", "bf16", "bf16", 0.0001, 0.1},
                          {"mxfp4", "mxfp8", "bf16", 0.0001, 0.1},
                          {"mxfp4", "fp8_e4m3", "bf16", 0.0001, 0.1},
                          {"fp8_e4m3", "mxfp8", "bf16", 0.02, 0.04},
                          {"mxint8", "mxint8", "bf16", 0.0001, 0.01},
                          {"bf16", "bf16", "fp8_e4m3", 0.0001, 0.01},
                          {"fp16", "fp16", "fp8_e5m2", 0.009, 0.03},
                          {"fp16", "fp32", "bf16", 0.0001, 0.0008},
                          {"fp16", "fp16", "int8", 0.001, 0.002},
                          {"fp8_e4m3", "fp8_e4m3", "int8", 0.01, 0.03}};
INSTANTIATE_TEST_SUITE_P(All, CompiledFormats, testing::ValuesIn(cases), [](const auto& test) {
  return std::string(test.param.weights) + "_" + test.param.activations + "_" + test.param.kv;
});

/// Biases, layer norms and no gates: gpt2; head norms: qwen3; fused and partly rotated: phi3.
class FamilyInFormats : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
TEST_P(FamilyInFormats, GivesTheLogitsOfTheGoldenExecutor) {
  const auto& [family, name] = GetParam();
  const tests::GoldenModel golden(family);
  const tests::ScratchFolder folder;
  golden.write(folder.path());
  const auto model = load_model(folder.path().string());
  auto formats = *parse_formats(name);
  if (name == std::string("int8")) formats.kv = {chip::Format::i8};
  const auto l = losses(model, chip_with(2), {.format = formats, .context = 16}, golden.ids, 3);
  RecordProperty("chip", std::to_string(l.chip.relative_error));
  EXPECT_LT(l.chip.relative_error, 1e-3);
}
INSTANTIATE_TEST_SUITE_P(All, FamilyInFormats,
                         testing::Combine(testing::Values("gpt2", "qwen3", "phi3", "gemma2"),
                                          testing::Values("fp8", "int4", "mxfp8", "int8")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" + std::get<1>(test.param);
                         });

}  // namespace
