// SPDX-License-Identifier: Apache-2.0
// Writes the models of llama_cpp.json for record_llama_cpp.mjs. Usage: write_gguf FOLDER
#include <cstdio>
#include <exception>

#include "tests/models/support/gguf_convert.hpp"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: write_gguf FOLDER\n", stderr);
    return 2;
  }
  try {
    for (const auto& [name, content] : forerun::tests::gguf_models())
      forerun::tests::write_gguf(std::filesystem::path(arguments[1]) / (name + ".gguf"), content.metadata, content.tensors);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_gguf: %s\n", error.what());
    return 1;
  }
}
