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

#include "models/import/formats.hpp"
#include "models/import/gguf.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {

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

Model load_model(const std::string& path, bool shapes_only) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw ModelError(path + ": no such file or folder");
  const auto ending = fs::path(path).extension().string();
  if (fs::is_directory(status) || ending == ".json") return load_hugging_face(path, shapes_only);
  if (ending == ".yaml") return load_shape(path);
  return is_gguf(path) ? load_gguf(path) : load_llama2c(path);
}

}  // namespace forerun::models
