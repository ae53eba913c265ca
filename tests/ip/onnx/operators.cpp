// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/onnx/operators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ip/base/numbers.hpp"

namespace forerun::onnx_test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }
std::int32_t i32(std::int64_t value) { return static_cast<std::int32_t>(value); }
std::uint8_t u8(unsigned value) { return static_cast<std::uint8_t>(value); }

std::size_t axis_of(std::int64_t axis, const Tensor& a) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(a.dims.size()) : axis);
}

Tensor affine(Chip& chip, const Tensor& a, float scale, float shift, std::optional<unsigned> type = {}) {
  return chip.unary(FR_VECTOR_AFFINE, a, bits_of(scale), bits_of(shift), type);
}
Tensor clip(Chip& chip, const Tensor& a, float low, float high) {
  return chip.unary(FR_VECTOR_CLIP, a, bits_of(low), bits_of(high));
}

auto unary(unsigned op) {
  return [op](Chip& chip, const Node& node) { return std::vector{chip.unary(op, node.in(0))}; };
}
auto binary(unsigned op) {
  return [op](Chip& chip, const Node& node) { return std::vector{chip.binary(op, node.in(0), node.in(1))}; };
}
/// Any number of sources, one command less than these.
Tensor fold(Chip& chip, const Node& node, unsigned op) {
  auto result = node.in(0);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) result = chip.binary(op, result, node.in(i));
  return result;
}

/// alpha * (e^min(gamma * x, 0) - 1) + beta * max(x, 0)
Tensor exponential_unit(Chip& chip, const Tensor& x, float alpha, float gamma, float beta) {
  const auto negative = chip.unary(FR_VECTOR_EXP, affine(chip, clip(chip, x, -infinity, 0), gamma, 0));
  return chip.binary(FR_VECTOR_ADD, affine(chip, negative, alpha, -alpha),
                     affine(chip, chip.unary(FR_VECTOR_RELU, x), beta, 0));
}

/// Rows over the wanted axes, which are moved to the end; then the shape without them, or with ones.
struct Reduction {
  Tensor moved;
  std::int64_t rows;
  Dims kept;
};
Reduction reduction(Chip& chip, const Node& node, const Tensor& a) {
  auto axes = node.integers("axes");
  if (const auto* input = node.optional(1))
    axes.assign(input->host.value().begin(), input->host.value().end());
  if (const auto* axis = node.attribute("axis")) axes = {axis->i()};
  if (node.proto.op_type().starts_with("Arg") && axes.empty()) axes = {0};
  const bool keep = node.integer("keepdims", 1) != 0;
  std::vector<bool> reduced(a.dims.size(), axes.empty());
  for (const auto axis : axes) reduced.at(axis_of(axis, a)) = true;
  std::vector<std::size_t> order;
  Dims kept;
  for (const bool wanted : {false, true})
    for (std::size_t i = 0; i < a.dims.size(); ++i)
      if (reduced[i] == wanted) order.push_back(i);
  std::int64_t rows = 1;
  for (std::size_t i = 0; i < a.dims.size(); ++i) {
    if (!reduced[i])
      rows *= a.dims[i], kept.push_back(a.dims[i]);
    else if (keep)
      kept.push_back(1);
  }
  return {chip.permute(a, order), rows, kept};
}
Tensor reduce(Chip& chip, const Node& node, unsigned op, const Tensor& a, unsigned type) {
  const auto r = reduction(chip, node, a);
  return Chip::reshape(chip.reduce(op, r.moved, r.rows, type), r.kept);
}
auto reduce(unsigned op, std::optional<unsigned> before = {}, std::optional<unsigned> after = {}) {
  return [=](Chip& chip, const Node& node) {
    if (node.integer("noop_with_empty_axes", 0) != 0 &&
        (node.optional(1) == nullptr || node.in(1).count() == 0))
      throw NotApplicable("attribute", "no axes, nothing to reduce");
    auto result =
        reduce(chip, node, op, before ? chip.unary(*before, node.in(0)) : node.in(0), node.in(0).type);
    return std::vector{after ? chip.unary(*after, result) : result};
  };
}

auto argument(std::optional<unsigned> before) {
  return [before](Chip& chip, const Node& node) {
    if (node.integer("select_last_index", 0) != 0) throw NotApplicable("attribute", "select_last_index");
    const auto a = before ? chip.unary(*before, node.in(0)) : node.in(0);
    return std::vector{reduce(chip, node, FR_VECTOR_ARGMAX, a, FR_TYPE_U32)};
  };
}

/// Softmax and its logarithm along one axis, which is moved to the end and back.
auto along_axis(unsigned op) {
  return [op](Chip& chip, const Node& node) {
    const auto& a = node.in(0);
    const auto axis = axis_of(node.integer("axis", -1), a);
    std::vector<std::size_t> order(a.dims.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::swap(order[axis], order.back());  // its own inverse
    const auto moved = chip.permute(a, order);
    return std::vector{chip.permute(chip.rows(op, moved, moved.count() / moved.dims.back()), order)};
  };
}

std::vector<Tensor> layer_normalization(Chip& chip, const Node& node) {
  const auto& x = node.in(0);
  const auto axis = axis_of(node.integer("axis", -1), x);
  const float epsilon = node.real("epsilon", 1e-5F);
  const auto count = product(x.dims, 0, axis), width = product(x.dims, axis);
  const auto zeros = chip.fill({width}, 0);
  const auto* bias = node.optional(2);
  std::vector<Tensor> out{chip.rows(FR_VECTOR_LAYERNORM, x, count, bits_of(epsilon), &node.in(1),
                                    bias != nullptr ? bias : &zeros)};
  Dims reduced = x.dims;
  std::fill(reduced.begin() + static_cast<std::ptrdiff_t>(axis), reduced.end(), 1);
  const auto mean = Chip::reshape(chip.reduce(FR_VECTOR_MEAN, x, count), {count, 1});
  const auto centred = chip.binary(FR_VECTOR_SUB, Chip::reshape(x, {count, width}), mean);
  const auto variance = affine(chip, chip.reduce(FR_VECTOR_SUM_SQUARES, centred, count),
                               1 / static_cast<float>(width), epsilon);
  out.push_back(Chip::reshape(mean, reduced));
  out.push_back(Chip::reshape(chip.unary(FR_VECTOR_RSQRT, variance), reduced));
  return out;
}

/// d = a * b[channel] + c[channel] or a layer normalization so weighted, for a[n][channel][...].
Tensor by_channel(Chip& chip, unsigned op, const Tensor& a, const Tensor& b, const Tensor& c, float epsilon) {
  auto d = chip.allocate(a.dims);
  const auto channels = a.dims.at(1), width = product(a.dims, 2);
  fr_vector command{};
  command.op = u8(op);
  command.flags = FR_VECTOR_FLAG_B_SCALAR | FR_VECTOR_FLAG_C_SCALAR;
  command.rows = u32(channels), command.cols = u32(width);
  command.a_stride = command.d_stride = i32(width * 4);
  command.b = b.address, command.c = c.address;
  command.b_stride = command.c_stride = 4;
  command.arg0 = bits_of(epsilon);
  for (std::int64_t n = 0; n < a.dims.at(0); ++n) {
    command.a = a.address + u32(n * channels * width * 4);
    command.d = d.address + u32(n * channels * width * 4);
    chip.run(command);
  }
  return d;
}

std::vector<Tensor> batch_normalization(Chip& chip, const Node& node) {
  if (node.integer("training_mode", 0) != 0) throw NotApplicable("attribute", "training mode");
  const auto deviation =
      chip.unary(FR_VECTOR_RSQRT, affine(chip, node.in(4), 1, node.real("epsilon", 1e-5F)));
  const auto scale = chip.binary(FR_VECTOR_MUL, node.in(1), deviation);
  const auto shift = chip.binary(FR_VECTOR_SUB, node.in(2), chip.binary(FR_VECTOR_MUL, node.in(3), scale));
  return {by_channel(chip, FR_VECTOR_FMA, node.in(0), scale, shift, 0)};
}

std::vector<Tensor> mean_variance_normalization(Chip& chip, const Node& node) {
  const auto& x = node.in(0);
  if (x.dims.size() != 4 || !node.integers("axes").empty()) throw NotApplicable("attribute", "axes");
  const std::vector<std::size_t> order = {1, 0, 2, 3};
  const auto moved = chip.permute(x, order);
  const auto ones = chip.fill({moved.count()}, 1), zeros = chip.fill({moved.count()}, 0);
  return {chip.permute(chip.rows(FR_VECTOR_LAYERNORM, moved, moved.dims[0], 0, &ones, &zeros), order)};
}

auto global_pool(unsigned op) {
  return [op](Chip& chip, const Node& node) {
    const auto& x = node.in(0);
    auto dims = x.dims;
    std::fill(dims.begin() + 2, dims.end(), 1);
    return std::vector{Chip::reshape(chip.reduce(op, x, x.dims[0] * x.dims[1]), dims)};
  };
}

/// A[m][k] * B[k][n] at given places, into C or on top of it.
void multiply(Chip& chip, const Tensor& a, std::uint32_t a_at, const Tensor& b, std::uint32_t b_at,
              const Tensor& c, std::uint32_t c_at, std::int64_t m, std::int64_t n, std::int64_t k,
              unsigned flags) {
  fr_matmul command{};
  command.a = a_at, command.b = b_at, command.c = c_at;
  command.m = u32(m), command.n = u32(n), command.k = u32(k);
  command.a_type = u8(a.type), command.b_type = u8(b.type), command.c_type = u8(c.type);
  command.a_stride = i32(k * ip::element_bytes(a.type));
  command.b_stride = i32(((flags & FR_MATMUL_B_TRANSPOSED) != 0 ? k : n) * ip::element_bytes(b.type));
  command.c_stride = i32(n * ip::element_bytes(c.type));
  command.flags = u8(flags);
  chip.run(command);
}

/// Products of the last two dimensions, one command each; the others are equal.
Tensor batched(Chip& chip, const Tensor& a, const Tensor& b, unsigned type) {
  const auto rank = a.dims.size();
  if (rank < 2 || b.dims.size() != rank || !std::equal(a.dims.begin(), a.dims.end() - 2, b.dims.begin()))
    throw NotApplicable("broadcast", "batches of different shapes");
  const auto m = a.dims[rank - 2], k = a.dims[rank - 1], n = b.dims[rank - 1];
  auto dims = a.dims;
  dims.back() = n;
  const auto c = chip.allocate(dims, type);
  for (std::int64_t i = 0; i < product(a.dims, 0, rank - 2); ++i)
    multiply(chip, a, a.address + u32(i * m * k * ip::element_bytes(a.type)), b,
             b.address + u32(i * k * n * ip::element_bytes(b.type)), c,
             c.address + u32(i * m * n * ip::element_bytes(type)), m, n, k, 0);
  return c;
}

std::vector<Tensor> matmul(Chip& chip, const Node& node) {
  if (node.in(0).type == FR_TYPE_I32) throw NotApplicable("element type", "INT32");
  return {batched(chip, node.in(0), node.in(1), node.in(0).type)};
}

std::vector<Tensor> gemm(Chip& chip, const Node& node) {
  const auto a_stored = node.integer("transA", 0) != 0 ? chip.permute(node.in(0), {1, 0}) : node.in(0);
  const auto a = affine(chip, a_stored, node.real("alpha", 1), 0);
  const bool transposed = node.integer("transB", 0) != 0;
  const auto& b = node.in(1);
  const auto m = a.dims[0], k = a.dims[1], n = b.dims[transposed ? 0 : 1];
  unsigned flags = transposed ? FR_MATMUL_B_TRANSPOSED : 0;
  auto c = chip.allocate({m, n});
  if (const auto* addend = node.optional(2)) {
    c = chip.binary(FR_VECTOR_ADD, chip.fill({m, n}, 0), affine(chip, *addend, node.real("beta", 1), 0));
    flags |= FR_MATMUL_ACCUMULATE;
  }
  multiply(chip, a, a.address, b, b.address, c, c.address, m, n, k, flags);
  return {c};
}

/// The zero point as the chip holds the tensor: of a biased one 128 lower. All its values must be equal.
float zero_point(const Chip& chip, const Tensor* zero, bool biased) {
  if (zero == nullptr) return biased ? -128 : 0;
  if (zero->count() != 1) throw NotApplicable("attribute", "a zero point a row");
  return chip.constant(*zero) - (biased ? 128.0F : 0.0F);
}

/// sum over k of (a - za) * (b - zb) = sum a * b - zb * (row sums of a) - za * (column sums of b) + k * za *
/// zb: an I8 MATMUL and sums by the vector unit.
Tensor integer_product(Chip& chip, const Tensor& a, float za, const Tensor& b, float zb, unsigned type) {
  const auto rank = a.dims.size();
  const auto products = batched(chip, a, b, FR_TYPE_I32);
  const auto k = static_cast<float>(a.dims.back());
  auto row_dims = products.dims, column_dims = products.dims;
  row_dims[rank - 1] = 1, column_dims[rank - 2] = 1;
  const auto row_sums = Chip::reshape(chip.reduce(FR_VECTOR_SUM, a, a.count() / a.dims.back()), row_dims);
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[rank - 1], order[rank - 2]);
  const auto columns = chip.permute(b, order);
  const auto column_sums =
      Chip::reshape(chip.reduce(FR_VECTOR_SUM, columns, columns.count() / columns.dims.back()), column_dims);
  const auto partly =
      chip.binary(FR_VECTOR_ADD, products, affine(chip, row_sums, -zb, k * za * zb), FR_TYPE_F32);
  return chip.binary(FR_VECTOR_ADD, partly, affine(chip, column_sums, -za, 0), type);
}

std::vector<Tensor> matmul_integer(Chip& chip, const Node& node) {
  const auto &a = node.in(0), &b = node.in(1);
  return {integer_product(chip, a, zero_point(chip, node.optional(2), a.biased), b,
                          zero_point(chip, node.optional(3), b.biased), FR_TYPE_I32)};
}

std::vector<Tensor> qlinear_matmul(Chip& chip, const Node& node) {
  for (const std::size_t scale : {1, 4, 6})
    if (node.in(scale).count() != 1) throw NotApplicable("attribute", "a scale a row");
  const auto &a = node.in(0), &b = node.in(3), &y_zero = node.in(7);
  const auto product = integer_product(chip, a, zero_point(chip, &node.in(2), a.biased), b,
                                       zero_point(chip, &node.in(5), b.biased), FR_TYPE_F32);
  const float divisor = chip.constant(node.in(6)) / (chip.constant(node.in(1)) * chip.constant(node.in(4)));
  auto y = chip.unary(FR_VECTOR_QUANTIZE_STATIC, product, bits_of(divisor),
                      u32(std::lround(zero_point(chip, &y_zero, y_zero.biased))), FR_TYPE_I8);
  y.biased = y_zero.biased;
  return {y};
}

/// Calls `run(command, channel)` with the a and d of each channel along the axis; a scalar scale has one
/// channel.
void for_channels(const Node& node, const Tensor& x, const Tensor& scale, const Tensor& y,
                  const std::function<void(fr_vector&, std::int64_t)>& run) {
  const bool whole = scale.count() == 1;
  const auto axis = axis_of(node.integer("axis", 1), x);
  const auto channels = whole ? 1 : x.dims.at(axis), width = whole ? x.count() : product(x.dims, axis + 1);
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    fr_vector command{};
    command.a_type = u8(x.type), command.d_type = u8(y.type);
    command.rows = u32(x.count() / channels / width), command.cols = u32(width);
    command.a = x.address + u32(channel * width * ip::element_bytes(x.type));
    command.d = y.address + u32(channel * width * ip::element_bytes(y.type));
    command.a_stride = i32(channels * width * ip::element_bytes(x.type));
    command.d_stride = i32(channels * width * ip::element_bytes(y.type));
    run(command, channel);
  }
}

float zero_at(const Chip& chip, const Tensor* zero, std::int64_t channel, bool biased) {
  return (zero == nullptr ? 0.0F : chip.constant(*zero, channel)) - (biased ? 128.0F : 0.0F);
}

std::vector<Tensor> quantize_linear(Chip& chip, const Node& node) {
  const auto* zero = node.optional(2);
  const bool biased = zero == nullptr || zero->biased;
  const auto y = chip.allocate(node.in(0).dims, FR_TYPE_I8, biased);
  for_channels(node, node.in(0), node.in(1), y, [&](fr_vector& command, std::int64_t channel) {
    command.op = FR_VECTOR_QUANTIZE_STATIC;
    command.arg0 = bits_of(chip.constant(node.in(1), channel));
    command.arg1 = u32(std::lround(zero_at(chip, zero, channel, biased)));
    chip.run(command);
  });
  return {y};
}

std::vector<Tensor> dequantize_linear(Chip& chip, const Node& node) {
  const auto &x = node.in(0), &scale = node.in(1);
  const auto centred = chip.allocate(x.dims), y = chip.allocate(x.dims);
  for_channels(node, x, scale, centred, [&](fr_vector& command, std::int64_t channel) {
    command.op = FR_VECTOR_AFFINE;
    command.arg0 = bits_of(1), command.arg1 = bits_of(-zero_at(chip, node.optional(2), channel, x.biased));
    chip.run(command);
  });
  const auto ones = chip.fill({x.count()}, 1);
  for_channels(node, centred, scale, y, [&](fr_vector& command, std::int64_t channel) {
    command.op = FR_VECTOR_DEQUANTIZE;
    command.b = scale.address + u32(channel * 4), command.c = ones.address;
    chip.run(command);
  });
  return {y};
}

std::vector<Tensor> dynamic_quantize_linear(Chip& chip, const Node& node) {
  const auto& x = node.in(0);
  const auto high = clip(chip, chip.reduce(FR_VECTOR_ROW_MAX, x, 1), 0, infinity);
  const auto low = clip(chip, chip.reduce(FR_VECTOR_ROW_MIN, x, 1), -infinity, 0);
  const auto scale = chip.binary(FR_VECTOR_DIV, chip.binary(FR_VECTOR_SUB, high, low), chip.fill({1}, 255));
  const auto exact = chip.unary(FR_VECTOR_NEG, chip.binary(FR_VECTOR_DIV, low, scale));
  auto zero = affine(chip, chip.unary(FR_VECTOR_COPY, clip(chip, exact, 0, 255), 0, 0, FR_TYPE_I32), 1, -128,
                     FR_TYPE_I8);
  zero.biased = true;
  const auto steps = chip.binary(FR_VECTOR_DIV, x, scale, FR_TYPE_I32);
  const auto y = chip.binary(FR_VECTOR_ADD, steps, zero, FR_TYPE_I8, true);
  return {y, Chip::reshape(scale, {}), Chip::reshape(zero, {})};
}

std::vector<Tensor> clip_between(Chip& chip, const Node& node) {
  const auto *low = node.optional(1), *high = node.optional(2);
  return {clip(chip, node.in(0), low != nullptr ? chip.constant(*low) : -infinity,
               high != nullptr ? chip.constant(*high) : infinity)};
}

std::vector<Tensor> power(Chip& chip, const Node& node) {
  const auto &x = node.in(0), &y = node.in(1);
  for (const auto* t : {&x, &y})
    if (t->type != FR_TYPE_F32) throw NotApplicable("element type", "power of integers");
  for (std::int64_t i = 0; i < x.count(); ++i)
    if (chip.at(x, i) < 0) throw NotApplicable("value", "a logarithm of a negative base");
  return {chip.unary(FR_VECTOR_EXP, chip.binary(FR_VECTOR_MUL, chip.unary(FR_VECTOR_LOG, x), y))};
}

std::vector<Tensor> cast(Chip& chip, const Node& node) {
  unsigned type = 0;
  if (const auto* like = node.optional(1))
    type = like->type;
  else
    switch (node.integer("to", 0)) {
      case onnx::TensorProto::FLOAT:
        type = FR_TYPE_F32;
        break;
      case onnx::TensorProto::FLOAT16:
        type = FR_TYPE_F16;
        break;
      case onnx::TensorProto::BFLOAT16:
        type = FR_TYPE_BF16;
        break;
      default:
        throw NotApplicable("element type",
                            onnx::TensorProto::DataType_Name(static_cast<int>(node.integer("to", 0))));
    }
  return {chip.unary(FR_VECTOR_COPY, node.in(0), 0, 0, type)};
}

std::vector<Tensor> transpose(Chip& chip, const Node& node) {
  const auto& a = node.in(0);
  std::vector<std::size_t> order;
  for (const auto axis : node.integers("perm")) order.push_back(axis_of(axis, a));
  for (std::size_t i = a.dims.size(); order.size() < a.dims.size();) order.push_back(--i);
  if (std::is_sorted(order.begin(), order.end())) throw NotApplicable("layout only", "axes keep their order");
  return {chip.permute(a, order)};
}

std::vector<Tensor> same_bytes(Chip&, const Node& node) { return {node.in(0)}; }

constexpr Tolerance rounded{1e-6, 1e-7};      // a few roundings of binary32
constexpr Tolerance accumulated{1e-5, 1e-6};  // sums of rounded values in another order
constexpr Tolerance powers{1e-5, 1e-7};       // the error of an exponent times its size

}  // namespace

const Tensor& Node::in(std::size_t i) const {
  const auto* tensor = optional(i);
  if (tensor == nullptr) throw std::runtime_error("input " + std::to_string(i) + " is missing");
  if (tensor->host) throw NotApplicable("element type", "INT64");
  return *tensor;
}
const onnx::AttributeProto* Node::attribute(const std::string& name) const {
  for (const auto& a : proto.attribute())
    if (a.name() == name) return &a;
  return nullptr;
}
std::int64_t Node::integer(const std::string& name, std::int64_t otherwise) const {
  const auto* a = attribute(name);
  return a != nullptr ? a->i() : otherwise;
}
float Node::real(const std::string& name, float otherwise) const {
  const auto* a = attribute(name);
  return a != nullptr ? a->f() : otherwise;
}
std::vector<std::int64_t> Node::integers(const std::string& name) const {
  const auto* a = attribute(name);
  return a != nullptr ? std::vector<std::int64_t>(a->ints().begin(), a->ints().end())
                      : std::vector<std::int64_t>{};
}

const std::map<std::string, Operator>& operators() {
  static const std::map<std::string, Operator> table = {
      {"Abs", {"ABS", unary(FR_VECTOR_ABS)}},
      {"Neg", {"NEG", unary(FR_VECTOR_NEG)}},
      {"Relu", {"RELU", unary(FR_VECTOR_RELU)}},
      {"Exp", {"EXP", unary(FR_VECTOR_EXP), rounded}},
      {"Log", {"LOG", unary(FR_VECTOR_LOG), rounded}},
      {"Sqrt", {"SQRT", unary(FR_VECTOR_SQRT), rounded}},
      {"Reciprocal", {"RECIPROCAL", unary(FR_VECTOR_RECIPROCAL), rounded}},
      {"Tanh", {"TANH", unary(FR_VECTOR_TANH), rounded}},
      {"Erf", {"ERF", unary(FR_VECTOR_ERF), rounded}},
      {"Sigmoid", {"SIGMOID", unary(FR_VECTOR_SIGMOID), rounded}},
      {"Round",
       {"COPY to I32, COPY",
        [](Chip& chip, const Node& node) {
          return std::vector{chip.unary(
              FR_VECTOR_COPY, chip.unary(FR_VECTOR_COPY, node.in(0), 0, 0, FR_TYPE_I32), 0, 0, FR_TYPE_F32)};
        }}},
      {"Add", {"ADD", binary(FR_VECTOR_ADD)}},
      {"Sub", {"SUB", binary(FR_VECTOR_SUB)}},
      {"Mul", {"MUL", binary(FR_VECTOR_MUL)}},
      {"Div", {"DIV", binary(FR_VECTOR_DIV), rounded}},
      {"Max",
       {"MAX", [](Chip& chip, const Node& node) { return std::vector{fold(chip, node, FR_VECTOR_MAX)}; }}},
      {"Min",
       {"MIN", [](Chip& chip, const Node& node) { return std::vector{fold(chip, node, FR_VECTOR_MIN)}; }}},
      {"Sum",
       {"ADD", [](Chip& chip, const Node& node) { return std::vector{fold(chip, node, FR_VECTOR_ADD)}; },
        rounded}},
      {"Mean",
       {"ADD, AFFINE",
        [](Chip& chip, const Node& node) {
          return std::vector{
              affine(chip, fold(chip, node, FR_VECTOR_ADD), 1 / static_cast<float>(node.inputs.size()), 0)};
        },
        rounded}},
      {"Pow", {"LOG, MUL, EXP", power, powers}},
      {"Clip", {"CLIP", clip_between}},
      {"Elu",
       {"CLIP, AFFINE, EXP, RELU, ADD",
        [](Chip& chip, const Node& node) {
          return std::vector{exponential_unit(chip, node.in(0), node.real("alpha", 1), 1, 1)};
        },
        accumulated}},
      {"Celu",
       {"CLIP, AFFINE, EXP, RELU, ADD",
        [](Chip& chip, const Node& node) {
          const float alpha = node.real("alpha", 1);
          return std::vector{exponential_unit(chip, node.in(0), alpha, 1 / alpha, 1)};
        },
        accumulated}},
      {"Selu",
       {"CLIP, AFFINE, EXP, RELU, ADD",
        [](Chip& chip, const Node& node) {
          const float gamma = node.real("gamma", 1.05070102F);
          return std::vector{
              exponential_unit(chip, node.in(0), gamma * node.real("alpha", 1.67326319F), 1, gamma)};
        },
        accumulated}},
      {"LeakyRelu",
       {"CLIP, AFFINE, RELU, ADD",
        [](Chip& chip, const Node& node) {
          const auto negative =
              affine(chip, clip(chip, node.in(0), -infinity, 0), node.real("alpha", 0.01F), 0);
          return std::vector{chip.binary(FR_VECTOR_ADD, negative, chip.unary(FR_VECTOR_RELU, node.in(0)))};
        },
        rounded}},
      {"PRelu",
       {"CLIP, MUL, RELU, ADD",
        [](Chip& chip, const Node& node) {
          const auto negative = chip.binary(FR_VECTOR_MUL, clip(chip, node.in(0), -infinity, 0), node.in(1));
          return std::vector{chip.binary(FR_VECTOR_ADD, negative, chip.unary(FR_VECTOR_RELU, node.in(0)))};
        },
        rounded}},
      {"HardSigmoid",
       {"AFFINE, CLIP",
        [](Chip& chip, const Node& node) {
          return std::vector{
              clip(chip, affine(chip, node.in(0), node.real("alpha", 0.2F), node.real("beta", 0.5F)), 0, 1)};
        },
        rounded}},
      {"HardSwish",
       {"AFFINE, CLIP, MUL",
        [](Chip& chip, const Node& node) {
          return std::vector{chip.binary(FR_VECTOR_MUL, node.in(0),
                                         clip(chip, affine(chip, node.in(0), 1.0F / 6, 0.5F), 0, 1))};
        },
        rounded}},
      {"Softplus",
       {"EXP, AFFINE, LOG",
        [](Chip& chip, const Node& node) {
          return std::vector{
              chip.unary(FR_VECTOR_LOG, affine(chip, chip.unary(FR_VECTOR_EXP, node.in(0)), 1, 1))};
        },
        accumulated}},
      {"Softsign",
       {"ABS, AFFINE, DIV",
        [](Chip& chip, const Node& node) {
          return std::vector{chip.binary(FR_VECTOR_DIV, node.in(0),
                                         affine(chip, chip.unary(FR_VECTOR_ABS, node.in(0)), 1, 1))};
        },
        rounded}},
      {"ReduceSum", {"SUM", reduce(FR_VECTOR_SUM), accumulated}},
      {"ReduceMean", {"MEAN", reduce(FR_VECTOR_MEAN), accumulated}},
      {"ReduceMax", {"ROW_MAX", reduce(FR_VECTOR_ROW_MAX)}},
      {"ReduceMin", {"ROW_MIN", reduce(FR_VECTOR_ROW_MIN)}},
      {"ReduceSumSquare", {"SUM_SQUARES", reduce(FR_VECTOR_SUM_SQUARES), accumulated}},
      {"ReduceL1", {"ABS, SUM", reduce(FR_VECTOR_SUM, FR_VECTOR_ABS), accumulated}},
      {"ReduceL2", {"SUM_SQUARES, SQRT", reduce(FR_VECTOR_SUM_SQUARES, {}, FR_VECTOR_SQRT), accumulated}},
      {"ReduceLogSum", {"SUM, LOG", reduce(FR_VECTOR_SUM, {}, FR_VECTOR_LOG), accumulated}},
      {"ArgMax", {"ARGMAX", argument({})}},
      {"ArgMin", {"NEG, ARGMAX", argument(FR_VECTOR_NEG)}},
      {"Softmax", {"SOFTMAX", along_axis(FR_VECTOR_SOFTMAX), accumulated}},
      {"LogSoftmax", {"LOG_SOFTMAX", along_axis(FR_VECTOR_LOG_SOFTMAX), accumulated}},
      {"LayerNormalization",
       {"LAYERNORM, MEAN, SUB, SUM_SQUARES, AFFINE, RSQRT", layer_normalization, accumulated}},
      {"BatchNormalization", {"AFFINE, RSQRT, MUL, SUB, FMA", batch_normalization, accumulated}},
      {"InstanceNormalization",
       {"LAYERNORM",
        [](Chip& chip, const Node& node) {
          return std::vector{by_channel(chip, FR_VECTOR_LAYERNORM, node.in(0), node.in(1), node.in(2),
                                        node.real("epsilon", 1e-5F))};
        },
        accumulated}},
      {"MeanVarianceNormalization", {"LAYERNORM", mean_variance_normalization, accumulated}},
      {"GlobalAveragePool", {"MEAN", global_pool(FR_VECTOR_MEAN), accumulated}},
      {"GlobalMaxPool", {"ROW_MAX", global_pool(FR_VECTOR_ROW_MAX)}},
      {"MatMul", {"MATMUL", matmul, accumulated}},
      {"Gemm", {"AFFINE, ADD, TRANSPOSE, MATMUL", gemm, accumulated}},
      {"MatMulInteger", {"MATMUL (I8), SUM, AFFINE, ADD", matmul_integer, {}, false, true}},
      {"QLinearMatMul", {"MATMUL (I8), SUM, AFFINE, ADD, QUANTIZE_STATIC", qlinear_matmul, {}, false, true}},
      {"QuantizeLinear", {"QUANTIZE_STATIC", quantize_linear, {}, false, true}},
      {"DequantizeLinear", {"AFFINE, DEQUANTIZE", dequantize_linear, {}, false, true}},
      {"DynamicQuantizeLinear",
       {"ROW_MAX, ROW_MIN, CLIP, SUB, DIV, NEG, COPY, AFFINE, ADD",
        dynamic_quantize_linear,
        {},
        false,
        true}},
      {"Cast", {"COPY", cast}},
      {"CastLike", {"COPY", cast}},
      {"Transpose", {"TRANSPOSE or COPY", transpose}},
      {"Identity", {"", same_bytes, {}, true, true}},
  };
  return table;
}

}  // namespace forerun::onnx_test
