// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/onnx/chip.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"
#include "ip/vector/operations.hpp"

namespace forerun::onnx_test {
namespace {

using onnx::TensorProto;

std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }
std::int32_t i32(std::int64_t value) { return static_cast<std::int32_t>(value); }
std::uint8_t u8(unsigned value) { return static_cast<std::uint8_t>(value); }

/// Element strides of a contiguous tensor seen with `rank` dimensions, 0 where it is repeated.
Dims broadcast_strides(const Dims& dims, std::size_t rank) {
  Dims strides(rank, 0);
  std::int64_t stride = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[rank - dims.size() + i] = dims[i] == 1 ? 0 : stride;
    stride *= dims[i];
  }
  return strides;
}

/// Calls `each` with every index over `dims`.
void for_each(const Dims& dims, const std::function<void(const Dims&)>& each) {
  Dims index(dims.size(), 0);
  for (std::int64_t n = product(dims); n > 0; --n) {
    each(index);
    for (std::size_t i = dims.size(); i-- > 0 && ++index[i] == dims[i];) index[i] = 0;
  }
}

std::int64_t dot(const Dims& a, const Dims& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), std::int64_t{0});
}

/// The elements as raw bytes, whichever field of the message holds them.
std::string raw_data(const TensorProto& proto, std::size_t element) {
  if (proto.has_raw_data()) return proto.raw_data();
  std::string bytes;
  const auto append = [&](const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), element);
  };
  for (const float value : proto.float_data()) append(value);
  for (const std::int32_t value : proto.int32_data()) append(value);
  for (const std::int64_t value : proto.int64_data()) append(value);
  return bytes;
}

}  // namespace

std::int64_t product(const Dims& dims, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t i = first; i < std::min(last, dims.size()); ++i) result *= dims[i];
  return result;
}
std::int64_t Tensor::count() const { return product(dims); }
std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

Tensor Chip::load(const TensorProto& proto) {
  const Dims dims(proto.dims().begin(), proto.dims().end());
  const auto onnx_type = static_cast<TensorProto::DataType>(proto.data_type());
  if (onnx_type == TensorProto::INT64) {
    const auto bytes = raw_data(proto, 8);
    std::vector<std::int64_t> values(bytes.size() / 8);
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    Tensor tensor;
    tensor.dims = dims;
    tensor.host = std::move(values);
    return tensor;
  }
  unsigned type = 0;
  switch (onnx_type) {
    case TensorProto::FLOAT:
      type = FR_TYPE_F32;
      break;
    case TensorProto::FLOAT16:
      type = FR_TYPE_F16;
      break;
    case TensorProto::BFLOAT16:
      type = FR_TYPE_BF16;
      break;
    case TensorProto::INT8:
    case TensorProto::UINT8:
      type = FR_TYPE_I8;
      break;
    case TensorProto::INT32:
      type = FR_TYPE_I32;
      break;
    case TensorProto::UINT32:
      type = FR_TYPE_U32;
      break;
    default:
      throw NotApplicable("element type", TensorProto::DataType_Name(onnx_type));
  }
  auto tensor = allocate(dims, type, onnx_type == TensorProto::UINT8);
  const auto bytes = raw_data(proto, ip::element_bytes(type));
  if (bytes.size() != static_cast<std::size_t>(tensor.count()) * ip::element_bytes(type))
    throw std::runtime_error("tensor of unexpected size");
  std::memcpy(memory_.data() + tensor.address, bytes.data(), bytes.size());
  if (tensor.biased)
    for (std::size_t i = 0; i < bytes.size(); ++i) memory_[tensor.address + i] ^= 0x80;
  if (type == FR_TYPE_I32 || type == FR_TYPE_U32)
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      std::uint32_t word = 0;
      std::memcpy(&word, memory_.data() + tensor.address + 4 * i, 4);
      if (static_cast<double>(static_cast<std::int32_t>(word)) != at(tensor, i))
        throw NotApplicable("value", "an integer that binary32 does not hold exactly");
    }
  return tensor;
}

Tensor Chip::allocate(const Dims& dims, unsigned type, bool biased) {
  Tensor tensor;
  tensor.dims = dims, tensor.type = type, tensor.biased = biased,
  tensor.address = static_cast<std::uint32_t>(used_);
  const auto bytes = static_cast<std::size_t>(tensor.count()) * ip::element_bytes(type);
  if (used_ + bytes > memory_.size()) throw std::runtime_error("the test needs more local memory");
  std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(used_), bytes, static_cast<unsigned char>(0xff));
  used_ += (bytes + 63) / 64 * 64;
  return tensor;
}

double Chip::at(const Tensor& tensor, std::int64_t index) const {
  if (tensor.host) return static_cast<double>(tensor.host->at(static_cast<std::size_t>(index)));
  const auto* from = memory_.data() + tensor.address + index * ip::element_bytes(tensor.type);
  if (tensor.type == FR_TYPE_U32) {
    std::uint32_t word = 0;
    std::memcpy(&word, from, 4);
    return word;
  }
  float value = 0;
  ip::read_row(tensor.type, from, &value, 1);
  return static_cast<double>(value) + (tensor.biased ? 128 : 0);
}

void Chip::run(const fr_vector& command) {
  if (const auto fault = ip::check_vector(command, memory_.size()))
    throw std::runtime_error("vector command refused: error " + std::to_string(fault->error));
  ip::vector_operation(command, memory_);
  ++commands_;
}

void Chip::run(const fr_matmul& command) {
  if (const auto fault = ip::check_matmul(command, memory_.size()))
    throw std::runtime_error("matmul command refused: error " + std::to_string(fault->error));
  ip::matmul(command, memory_);
  ++commands_;
}

Tensor Chip::unary(unsigned op, const Tensor& a, std::uint32_t arg0, std::uint32_t arg1,
                   std::optional<unsigned> type) {
  auto d = allocate(a.dims, type.value_or(a.type));
  fr_vector command{};
  command.op = u8(op), command.a_type = u8(a.type), command.d_type = u8(d.type);
  command.cols = u32(a.dims.empty() ? 1 : a.dims.back());
  command.rows = command.cols == 0 ? 0 : u32(a.count()) / command.cols;
  command.a = a.address, command.d = d.address;
  command.a_stride = i32(command.cols * ip::element_bytes(a.type)),
  command.d_stride = i32(command.cols * ip::element_bytes(d.type));
  command.arg0 = arg0, command.arg1 = arg1;
  run(command);
  return d;
}

Tensor Chip::binary(unsigned op, const Tensor& a, const Tensor& b, std::optional<unsigned> type,
                    bool biased) {
  const auto rank = std::max({a.dims.size(), b.dims.size(), std::size_t{2}});
  Dims out(rank, 1);
  for (const auto* t : {&a, &b})
    for (std::size_t i = 0; i < t->dims.size(); ++i) {
      auto& dim = out[rank - t->dims.size() + i];
      dim = dim == 1 ? t->dims[i] : dim;
    }
  const auto a_strides = broadcast_strides(a.dims, rank), b_strides = broadcast_strides(b.dims, rank);
  if (a_strides.back() == 0 && out.back() > 1) {
    if (op != FR_VECTOR_SUB && op != FR_VECTOR_DIV) return binary(op, b, a, type, biased);
    throw NotApplicable("broadcast", "the first source of a difference or quotient repeated along columns");
  }
  const Dims result(out.end() - static_cast<std::ptrdiff_t>(std::max(a.dims.size(), b.dims.size())),
                    out.end());
  auto d = allocate(result, type.value_or(a.type), biased);
  const auto d_strides = broadcast_strides(out, rank);
  fr_vector command{};
  command.op = u8(op);
  command.a_type = u8(a.type), command.b_type = u8(b.type), command.d_type = u8(d.type);
  command.rows = u32(out[rank - 2]), command.cols = u32(out[rank - 1]);
  const std::int64_t a_bytes = ip::element_bytes(a.type), b_bytes = ip::element_bytes(b.type),
                     d_bytes = ip::element_bytes(d.type);
  command.a_stride = i32(a_strides[rank - 2] * a_bytes),
  command.b_stride = i32(b_strides[rank - 2] * b_bytes);
  command.d_stride = i32(out[rank - 1] * d_bytes);
  if (b_strides.back() == 0) command.flags = FR_VECTOR_FLAG_B_SCALAR;
  for_each(Dims(out.begin(), out.end() - 2), [&](const Dims& outer) {
    command.a = a.address + u32(dot(outer, a_strides) * a_bytes);
    command.b = b.address + u32(dot(outer, b_strides) * b_bytes);
    command.d = d.address + u32(dot(outer, d_strides) * d_bytes);
    run(command);
  });
  return d;
}

Tensor Chip::reduce(unsigned op, const Tensor& a, std::int64_t rows, unsigned type) {
  auto d = allocate({rows}, type);
  fr_vector command{};
  command.op = u8(op), command.a_type = u8(a.type), command.d_type = u8(type);
  command.rows = u32(rows), command.cols = u32(a.count() / rows);
  command.a = a.address, command.d = d.address;
  command.a_stride = i32(command.cols * ip::element_bytes(a.type)),
  command.d_stride = i32(ip::element_bytes(type));
  run(command);
  return d;
}

Tensor Chip::rows(unsigned op, const Tensor& a, std::int64_t rows, std::uint32_t arg0, const Tensor* b,
                  const Tensor* c) {
  auto d = allocate(a.dims, a.type);
  fr_vector command{};
  command.op = u8(op), command.a_type = command.d_type = u8(a.type);
  command.rows = u32(rows), command.cols = u32(a.count() / rows);
  command.a = a.address, command.d = d.address;
  command.a_stride = command.d_stride = i32(command.cols * ip::element_bytes(a.type));
  command.arg0 = arg0;
  if (b != nullptr) command.b = b->address, command.b_type = u8(b->type);
  if (c != nullptr) command.c = c->address, command.c_type = u8(c->type);
  run(command);
  return d;
}

Tensor Chip::permute(const Tensor& a, const std::vector<std::size_t>& axes) {
  const auto rank = axes.size();
  if (std::is_sorted(axes.begin(), axes.end())) return a;
  Dims dims(rank);
  for (std::size_t i = 0; i < rank; ++i) dims[i] = a.dims[axes[i]];
  auto d = allocate(dims, a.type, a.biased);
  const std::int64_t bytes = ip::element_bytes(a.type);
  Dims in(rank, 1), out(rank, 1);  // strides by input axis
  for (std::size_t i = rank - 1; i-- > 0;) in[i] = in[i + 1] * a.dims[i + 1];
  std::int64_t stride = 1;
  for (std::size_t i = rank; i-- > 0; stride *= dims[i]) out[axes[i]] = stride;
  const auto last = rank - 1;
  const bool copy =
      axes.back() == last;  // else the axis that becomes the last one and the last one change places
  const auto row_axis = copy ? axes[rank - 2] : axes.back();
  fr_vector command{};
  command.op = copy ? FR_VECTOR_COPY : FR_VECTOR_TRANSPOSE;
  command.a_type = command.d_type = u8(a.type);
  command.rows = u32(a.dims[row_axis]), command.cols = u32(a.dims[last]);
  command.a_stride = i32(in[row_axis] * bytes),
  command.d_stride = i32((copy ? out[row_axis] : out[last]) * bytes);
  auto others = a.dims;
  others[row_axis] = others[last] = 1;
  for_each(others, [&](const Dims& index) {
    command.a = a.address + u32(dot(index, in) * bytes);
    command.d = d.address + u32(dot(index, out) * bytes);
    run(command);
  });
  return d;
}

Tensor Chip::fill(const Dims& dims, float value) {
  auto d = allocate(dims);
  fr_vector command{};
  command.op = FR_VECTOR_FILL;
  command.rows = 1, command.cols = u32(d.count());
  command.d = d.address;
  command.arg0 = bits_of(value);
  run(command);
  return d;
}

Tensor Chip::reshape(const Tensor& a, const Dims& dims) {
  if (product(dims) != a.count()) throw std::runtime_error("a shape with another number of elements");
  auto d = a;
  d.dims = dims;
  return d;
}

}  // namespace forerun::onnx_test
