// SPDX-License-Identifier: Apache-2.0
// Writes files for record_llama_cpp.mjs: the models of llama_cpp.json, and one for each vocabulary of
// tests/models/tokenizer/llama_cpp.json. Usage: write_gguf FOLDER
#include <cstdio>
#include <exception>

#include "tests/models/support/gguf_convert.hpp"
#include "tests/models/support/vocabularies.hpp"

using namespace forerun::tests;

namespace {

/// A model that has as many words as the vocabulary.
GgufContent model_with(const nlohmann::json& vocabulary) {
  const GoldenModel golden("llama");
  auto config = golden.text["config"];
  auto tensors = golden.tensors;
  const auto words = vocabulary["tokenizer.ggml.tokens"].size();
  for (auto& [name, tensor] : tensors)
    if (tensor.shape[0] == config["vocab_size"])
      tensor.shape[0] = words, tensor.values.resize(words * tensor.shape[1]);
  config["vocab_size"] = words;
  auto content = to_gguf(config, tensors);
  content.metadata.update(vocabulary);
  return content;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: write_gguf FOLDER\n", stderr);
    return 2;
  }
  try {
    const auto write = [&](const std::string& name, const GgufContent& content) {
      write_gguf(std::filesystem::path(arguments[1]) / (name + ".gguf"), content.metadata, content.tensors);
    };
    for (const auto& [name, content] : gguf_models()) write(name, content);
    for (const char* pre : {"gpt-2", "llama-bpe", "qwen2", "bloom"})
      write(std::string("vocabulary-") + pre, model_with(byte_level_vocabulary(pre)));
    write("vocabulary-sentencepiece", model_with(sentence_piece_vocabulary()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_gguf: %s\n", error.what());
    return 1;
  }
}
