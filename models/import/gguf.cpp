// SPDX-License-Identifier: Apache-2.0
#include "models/import/gguf.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

#include "models/import/mapped_file.hpp"
#include "models/import/model.hpp"

namespace forerun::models {
namespace {

using nlohmann::json;

constexpr char magic[] = {'G', 'G', 'U', 'F'};
constexpr int deepest = 4;  // arrays within arrays
constexpr std::uint64_t most_elements = std::uint64_t{1} << 48;

/// Of the elements of metadata.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

struct TypeName {
  const char* name;
  std::optional<TensorType> type;
};
/// ggml's tensor types by number; those that it has given up are not listed.
const std::map<std::uint32_t, TypeName>& tensor_types() {
  static const std::map<std::uint32_t, TypeName> table{{0, {"F32", TensorType::f32}},
                                                       {1, {"F16", TensorType::f16}},
                                                       {2, {"Q4_0", TensorType::q4_0}},
                                                       {3, {"Q4_1", TensorType::q4_1}},
                                                       {6, {"Q5_0", TensorType::q5_0}},
                                                       {7, {"Q5_1", TensorType::q5_1}},
                                                       {8, {"Q8_0", TensorType::q8_0}},
                                                       {9, {"Q8_1", {}}},
                                                       {10, {"Q2_K", {}}},
                                                       {11, {"Q3_K", {}}},
                                                       {12, {"Q4_K", TensorType::q4_k}},
                                                       {13, {"Q5_K", TensorType::q5_k}},
                                                       {14, {"Q6_K", TensorType::q6_k}},
                                                       {15, {"Q8_K", {}}},
                                                       {16, {"IQ2_XXS", {}}},
                                                       {17, {"IQ2_XS", {}}},
                                                       {18, {"IQ3_XXS", {}}},
                                                       {19, {"IQ1_S", {}}},
                                                       {20, {"IQ4_NL", {}}},
                                                       {21, {"IQ3_S", {}}},
                                                       {22, {"IQ2_S", {}}},
                                                       {23, {"IQ4_XS", {}}},
                                                       {24, {"I8", {}}},
                                                       {25, {"I16", {}}},
                                                       {26, {"I32", {}}},
                                                       {27, {"I64", {}}},
                                                       {28, {"F64", {}}},
                                                       {29, {"IQ1_M", {}}},
                                                       {30, {"BF16", TensorType::bf16}}};
  return table;
}

class Reader {
 public:
  Reader(std::string path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}

  GgufFile read() {
    GgufFile file;
    file.path = path_;
    file.metadata = json::object();
    if (bytes_.size() < 4 || std::memcmp(bytes_.data(), magic, 4) != 0)
      fail("not a GGUF file: it does not begin with 'GGUF'");
    at_ = 4;
    what_ = "the header";
    const auto version = take<std::uint32_t>();
    if (version != 2 && version != 3)
      fail(version == 0x02000000 || version == 0x03000000
               ? std::string("big-endian files are not supported")
               : fmt::format("version {} is not supported; supported are 2 and 3", version));
    const auto tensors = take<std::uint64_t>(), keys = take<std::uint64_t>();
    // The shortest key has 13 bytes, the shortest tensor 24.
    if (keys > left() / 13 || tensors > left() / 24)
      fail(fmt::format("{} keys and {} tensors cannot fit into {} bytes", keys, tensors, left()));
    for (std::uint64_t i = 0; i < keys; ++i) {
      what_ = fmt::format("key {} of {}", i + 1, keys);
      const auto key = text();
      what_ = fmt::format("'{}'", key);
      auto read = value(take<std::uint32_t>(), 0);
      if (!file.metadata.emplace(key, std::move(read)).second) fail("the key is there twice");
    }
    std::uint64_t alignment = 32;
    if (const auto given = file.metadata.find("general.alignment"); given != file.metadata.end()) {
      alignment = given->is_number_unsigned() ? given->get<std::uint64_t>() : 0;
      if (!std::has_single_bit(alignment) || alignment > 1u << 20) {
        what_ = "'general.alignment'";
        fail(fmt::format("{} is no alignment, expected a power of two", given->dump()));
      }
    }
    struct Pending {
      std::string name;
      Tensor shape;
      std::string type;
      std::uint64_t bytes, offset, described_at;
    };
    std::vector<Pending> pending;
    for (std::uint64_t i = 0; i < tensors; ++i) {
      what_ = fmt::format("tensor {} of {}", i + 1, tensors);
      const auto described_at = at_;
      const auto name = text();
      what_ = fmt::format("tensor '{}'", name);
      pending.push_back({name, {}, {}, 0, 0, described_at});
      auto& p = pending.back();
      describe(p.shape, p.type, p.bytes);
      p.offset = take<std::uint64_t>();
    }
    const auto data = (at_ + alignment - 1) / alignment * alignment;
    const auto size = data <= bytes_.size() ? bytes_.size() - data : 0;
    for (auto& p : pending) {
      what_ = fmt::format("tensor '{}'", p.name);
      at_ = p.described_at;
      if (p.offset % alignment != 0)
        fail(fmt::format("its data at {} is not aligned to {} bytes", p.offset, alignment));
      if (p.offset > size || p.bytes > size - p.offset)
        fail(fmt::format("its data, bytes {} to {}, lies outside of the file, which has {} bytes of data",
                         p.offset, p.offset + p.bytes, size));
      GgufFile::Entry entry;
      entry.type = p.type;
      if (p.bytes != 0)
        entry.tensor = Tensor::stored(p.name, p.shape.type, p.shape.rows, p.shape.cols,
                                      bytes_.subspan(data + p.offset, p.bytes));
      if (!file.tensors.emplace(p.name, std::move(entry)).second) fail("the tensor is there twice");
    }
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ModelError(
        fmt::format("{}: at byte {}: {}{}{}", path_, at_, what_, what_.empty() ? "" : ": ", what));
  }
  std::uint64_t left() const { return bytes_.size() - at_; }
  void need(std::uint64_t count) const {
    if (count > left()) fail(fmt::format("the file is cut short: {} bytes expected, {} left", count, left()));
  }
  template <typename T>
  T take() {
    need(sizeof(T));
    T v;
    std::memcpy(&v, bytes_.data() + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::string text() {
    const auto size = take<std::uint64_t>();
    need(size);
    std::string t(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
    return t;
  }
  static std::uint64_t least_bytes(ValueType type) {
    switch (type) {
      case ValueType::u8:
      case ValueType::i8:
      case ValueType::boolean:
        return 1;
      case ValueType::u16:
      case ValueType::i16:
        return 2;
      case ValueType::u32:
      case ValueType::i32:
      case ValueType::f32:
        return 4;
      case ValueType::array:
        return 12;
      default:
        return 8;
    }
  }
  json value(std::uint32_t number, int depth) {
    const auto type = static_cast<ValueType>(number);
    switch (type) {
      case ValueType::u8:
        return take<std::uint8_t>();
      case ValueType::i8:
        return whole(take<std::int8_t>());
      case ValueType::u16:
        return take<std::uint16_t>();
      case ValueType::i16:
        return whole(take<std::int16_t>());
      case ValueType::u32:
        return take<std::uint32_t>();
      case ValueType::i32:
        return whole(take<std::int32_t>());
      case ValueType::f32:
        return static_cast<double>(take<float>());
      case ValueType::boolean:
        return take<std::uint8_t>() != 0;
      case ValueType::text:
        return text();
      case ValueType::u64:
        return take<std::uint64_t>();
      case ValueType::i64:
        return whole(take<std::int64_t>());
      case ValueType::f64:
        return take<double>();
      case ValueType::array: {
        if (depth >= deepest) fail(fmt::format("more than {} arrays within one another", deepest));
        const auto element = take<std::uint32_t>();
        const auto count = take<std::uint64_t>();
        if (element > static_cast<std::uint32_t>(ValueType::f64))
          fail(fmt::format("value type {} is not known", element));
        if (count > left() / least_bytes(static_cast<ValueType>(element)))
          fail(fmt::format("the file is cut short: an array of {} elements, {} bytes left", count, left()));
        json list = json::array();
        for (std::uint64_t i = 0; i < count; ++i) list.push_back(value(element, depth + 1));
        return list;
      }
    }
    fail(fmt::format("value type {} is not known", number));
  }
  /// Signed types hold counts too; a count is unsigned for those who read it.
  static json whole(std::int64_t v) { return v >= 0 ? json(static_cast<std::uint64_t>(v)) : json(v); }

  /// Dimensions and type: shape.rows, shape.cols, shape.type; bytes stay 0 for a type that cannot be read.
  void describe(Tensor& shape, std::string& type_name, std::uint64_t& bytes) {
    const auto dimensions = take<std::uint32_t>();
    if (dimensions == 0 || dimensions > 4) fail(fmt::format("{} dimensions, expected 1 to 4", dimensions));
    shape.rows = 1;
    std::uint64_t elements = 1;
    for (std::uint32_t d = 0; d < dimensions; ++d) {
      const auto length = take<std::uint64_t>();
      if (length == 0 || length > most_elements / elements)
        fail(fmt::format("dimension {} has {} elements", d, length));
      elements *= length;
      if (d == 0)
        shape.cols = length;
      else
        shape.rows *= length;
    }
    const auto number = take<std::uint32_t>();
    const auto at = tensor_types().find(number);
    if (at == tensor_types().end()) fail(fmt::format("tensor type {} is not known", number));
    type_name = at->second.name;
    if (!at->second.type) return;
    shape.type = *at->second.type;
    const auto block = block_of(shape.type);
    if (shape.cols % block.elements != 0)
      fail(fmt::format("rows of {} elements are no whole blocks of {} in {}", shape.cols, block.elements,
                       type_name));
    bytes = elements / block.elements * block.bytes;
  }

  std::string path_;
  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
  std::string what_;
};

}  // namespace

bool is_gguf(const std::string& path) {
  if (path.ends_with(".gguf")) return true;
  char begin[4] = {};
  std::ifstream(path, std::ios::binary).read(begin, 4);
  return std::memcmp(begin, magic, 4) == 0;
}

GgufFile read_gguf(const std::string& path) {
  const auto mapped = map_file(path);
  auto file = Reader(path, mapped.bytes).read();
  file.owner = mapped.owner;
  return file;
}

Tensor GgufFile::take(const std::string& name, std::uint64_t rows, std::uint64_t cols) const {
  const auto at = tensors.find(name);
  if (at == tensors.end()) throw ModelError(fmt::format("{}: tensor '{}' is missing", path, name));
  const auto& [tensor, type] = at->second;
  if (!tensor)
    throw ModelError(fmt::format(
        "{}: tensor '{}' has the type {}, which is not supported; supported are F32, F16, BF16, Q4_0, "
        "Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K",
        path, name, type));
  if (tensor.rows != rows || tensor.cols != cols)
    throw ModelError(fmt::format("{}: tensor '{}' is {} x {}, expected {} x {}", path, name, tensor.rows,
                                 tensor.cols, rows, cols));
  return tensor;
}

}  // namespace forerun::models
