// SPDX-License-Identifier: Apache-2.0
#include "models/import/model.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "ip/base/numbers.hpp"
#include "models/import/formats.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {

void Tensor::read_row(std::uint64_t row, std::span<float> to) const {
  const std::size_t element = type == TensorType::f32 ? 4 : 2;
  const auto* from = data.data() + row * cols * element;
  for (std::uint64_t i = 0; i < cols; ++i) {
    if (type == TensorType::f32) {
      std::memcpy(&to[i], from + 4 * i, 4);
      continue;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + 2 * i, 2);
    to[i] = type == TensorType::f16 ? ip::from_half(bits) : ip::from_bfloat(bits);
  }
}

MappedFile map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw ModelError(fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    throw ModelError(path + ": not a regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) {
    close(file);
    throw ModelError(path + ": the file is empty");
  }
  void* const bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (bytes == MAP_FAILED) throw ModelError(fmt::format("{}: {}", path, std::strerror(errno)));
  return {std::shared_ptr<const void>(bytes, [size](const void* p) { munmap(const_cast<void*>(p), size); }),
          {static_cast<const std::byte*>(bytes), size}};
}

void check_config(const ModelConfig& c, const std::string& where) {
  const auto fail = [&](const std::string& what) { throw ModelError(where + ": " + what); };
  const auto within = [&](const char* what, std::uint32_t value, std::uint32_t most) {
    if (value == 0 || value > most) fail(fmt::format("{} is {}, expected 1 to {}", what, value, most));
  };
  within("the hidden size", c.hidden, 1u << 20);
  within("the number of layers", c.layers, 1u << 12);
  within("the number of heads", c.heads, 1u << 12);
  within("the number of key/value heads", c.kv_heads, c.heads);
  within("the head size", c.head_dim, 1u << 14);
  within("the feed-forward size", c.ffn, 1u << 22);
  within("the vocabulary", c.vocabulary, 1u << 24);
  within("the number of positions", c.max_positions, 1u << 28);
  if (c.heads % c.kv_heads != 0) fail(fmt::format("{} heads cannot share {} key/value heads evenly", c.heads, c.kv_heads));
  if (c.head_dim % 2 != 0) fail(fmt::format("the head size {} is odd; rotary embedding needs pairs", c.head_dim));
}

Model load_model(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw ModelError(path + ": no such file or folder");
  return std::filesystem::is_directory(status) ? load_hugging_face(path) : load_llama2c(path);
}

}  // namespace forerun::models
