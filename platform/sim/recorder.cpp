// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "ip/base/numbers.hpp"
#include "ip/base/time.hpp"
#include "ip/tensor/matmul.hpp"
#include "platform/rtl/dma.hpp"

namespace forerun::sim {
namespace record = ip::record;
namespace {

constexpr std::string_view tensor_suffix = ".tensor";

bool is_tensor(const std::string& block) { return block.ends_with(tensor_suffix); }
bool is_dma(const std::string& block) { return block.ends_with(".load") || block.ends_with(".store"); }

record::Kind kind_of(const std::string& block) {
  return is_tensor(block) ? record::Kind::products
         : is_dma(block)  ? record::Kind::copies
                          : record::Kind::transactions;
}

rtl::RtlDma& engine_of(const soc::Soc& soc, const std::string& block) {
  for (auto* engine : soc.dma_rtl)
    if (engine->device().label() == block) return *engine;
  throw std::invalid_argument(
      soc.dma_rtl.empty()
          ? fmt::format("'{}': DMA engines are recorded where they are RTL: clusters.dma.model is tlm, "
                        "expected rtl or "
                        "lockstep",
                        block)
          : fmt::format("'{}' is no DMA engine of this chip; it has cluster0.load and cluster0.store to "
                        "cluster{}.store",
                        block, soc.clusters.size() - 1));
}

std::optional<std::uint8_t> tile_format(const fr_matmul& command) {
  if (command.a_type != command.b_type) return std::nullopt;
  switch (command.a_type) {
    case FR_TYPE_I8:
      return std::uint8_t{0};
    case FR_TYPE_BF16:
      return std::uint8_t{1};
    case FR_TYPE_F16:
      return std::uint8_t{2};
    default:
      return std::nullopt;
  }
}

/// Copies a matrix out of a memory, row after row.
std::vector<std::uint8_t> gather(std::span<const unsigned char> memory, std::uint64_t address,
                                 std::int64_t stride, std::uint32_t rows, std::uint32_t row_bytes) {
  std::vector<std::uint8_t> bytes(std::uint64_t{rows} * row_bytes);
  for (std::uint32_t row = 0; row < rows; ++row)
    std::memcpy(bytes.data() + std::uint64_t{row} * row_bytes,
                &memory[address + static_cast<std::uint64_t>(row * stride)], row_bytes);
  return bytes;
}

std::vector<std::uint8_t> transposed(const std::vector<std::uint8_t>& from, std::uint32_t rows,
                                     std::uint32_t columns, std::uint32_t element) {
  std::vector<std::uint8_t> to(from.size());
  for (std::uint32_t r = 0; r < rows; ++r)
    for (std::uint32_t c = 0; c < columns; ++c)
      std::memcpy(&to[(std::uint64_t{c} * rows + r) * element],
                  &from[(std::uint64_t{r} * columns + c) * element], element);
  return to;
}

std::vector<std::uint32_t> words(const std::vector<std::uint8_t>& bytes) {
  std::vector<std::uint32_t> values(bytes.size() / 4);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// The command's operands, and its results as they leave the arrays: in 32 bits, whatever is stored.
record::Product product_of(const fr_matmul& command, std::uint8_t format, std::span<unsigned char> memory) {
  record::Product p;
  p.m = command.m, p.n = command.n, p.k = command.k;
  p.format = format;
  const auto element = p.element_bytes();
  p.a = gather(memory, command.a, command.a_stride, p.m, p.k * element);
  p.b = (command.flags & FR_MATMUL_B_TRANSPOSED) != 0
            ? transposed(gather(memory, command.b, command.b_stride, p.n, p.k * element), p.n, p.k, element)
            : gather(memory, command.b, command.b_stride, p.k, p.n * element);
  if ((command.flags & FR_MATMUL_ACCUMULATE) != 0) {
    p.flags = record::Product::accumulates;
    p.before = words(gather(memory, command.c, command.c_stride, p.m, p.n * 4));
  }
  fr_matmul packed = command;
  const auto aligned = [](std::uint64_t bytes) { return (bytes + 15) / 16 * 16; };
  packed.flags = command.flags & FR_MATMUL_ACCUMULATE;
  packed.c_type = format == 0 ? FR_TYPE_I32 : FR_TYPE_F32;
  packed.a = 0;
  packed.a_stride = static_cast<std::int32_t>(p.k * element);
  packed.b = static_cast<std::uint32_t>(aligned(p.a.size()));
  packed.b_stride = static_cast<std::int32_t>(p.n * element);
  packed.c = static_cast<std::uint32_t>(packed.b + aligned(p.b.size()));
  packed.c_stride = static_cast<std::int32_t>(p.n * 4);
  std::vector<unsigned char> own(packed.c + std::uint64_t{p.m} * p.n * 4);
  std::copy(p.a.begin(), p.a.end(), own.begin());
  std::copy(p.b.begin(), p.b.end(), own.begin() + packed.b);
  if (!p.before.empty()) std::memcpy(&own[packed.c], p.before.data(), p.before.size() * 4);
  ip::matmul(packed, own);
  p.after.resize(std::uint64_t{p.m} * p.n);
  std::memcpy(p.after.data(), &own[packed.c], p.after.size() * 4);
  return p;
}

}  // namespace

Recording parse_recording(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw std::invalid_argument(fmt::format("'{}': expected BLOCK=FILE", text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::string> taps_of(const std::vector<Recording>& recordings) {
  std::vector<std::string> names;
  for (const auto& recording : recordings)
    if (kind_of(recording.block) == record::Kind::transactions) names.push_back(recording.block);
  return names;
}

Recorder::Recorder(Simulation& simulation, const std::vector<Recording>& recordings, std::uint64_t most)
    : simulation_(simulation), most_(most == 0 ? ~std::uint64_t{0} : most) {
  auto& soc = simulation.soc;
  for (const auto& recording : recordings) {
    for (const auto& other : streams_)
      if (other->recording.block == recording.block || other->recording.path == recording.path)
        throw std::invalid_argument(
            fmt::format("{}={}: the block or the file is named twice", recording.block, recording.path));
    const bool tensor = is_tensor(recording.block);
    const auto& chip = soc.chip();
    unsigned cluster = 0;
    const auto owner =
        recording.block.substr(0, recording.block.size() - (tensor ? tensor_suffix.size() : 0));
    if (tensor) {
      while (cluster < soc.clusters.size() && owner != fmt::format("cluster{}", cluster)) ++cluster;
      if (cluster == soc.clusters.size())
        throw std::invalid_argument(
            fmt::format("'{}' is no tensor engine of this chip; it has cluster0.tensor to cluster{}.tensor",
                        recording.block, soc.clusters.size() - 1));
    }
    const auto clock = owner.starts_with("hbm")       ? chip.hbm.clock
                       : owner.starts_with("cluster") ? chip.clusters.clock
                                                      : chip.cpu.clock;
    auto* const engine = is_dma(recording.block) ? &engine_of(soc, recording.block) : nullptr;
    const record::Header header{.kind = kind_of(recording.block),
                                .period_ps = static_cast<std::uint64_t>(ip::Clock(clock).period_ps()),
                                .rows = tensor ? chip.clusters.tensor.rows : 0,
                                .columns = tensor ? chip.clusters.tensor.columns : 0,
                                .block = recording.block};
    auto& stream = *streams_.emplace_back(
        std::make_unique<Stream>(Stream{recording, record::Writer(recording.path, header), header.kind}));
    if (tensor) {
      record_products(stream, soc.clusters[cluster]->tensor);
    } else if (engine != nullptr) {
      record_copies(stream, *engine);
    } else {
      soc.taps.at(recording.block)->on_transaction = [this, &stream](const record::Transaction& transaction) {
        if (stream.writer.count() < most_)
          stream.writer.write(transaction);
        else
          ++stream.beyond;
      };
    }
  }
}

void Recorder::record_copies(Stream& stream, rtl::RtlDma& engine) {
  engine.on_copy = [this, &stream](const record::Copy& copy) {
    if (stream.writer.count() < most_)
      stream.writer.write(copy);
    else
      ++stream.beyond;
  };
}

void Recorder::record_products(Stream& stream, ip::TensorCore& tensor) {
  tensor.before_results = [this, &stream](const ip::Command& command, std::span<unsigned char> memory,
                                          std::int64_t begin_ps) {
    const auto format =
        command.header().opcode == FR_OP_MATMUL ? tile_format(command.as<fr_matmul>()) : std::nullopt;
    if (!format) {
      ++(command.header().opcode == FR_OP_MATMUL ? stream.other_types : stream.scaled);
      return;
    }
    if (stream.writer.count() >= most_) {
      ++stream.beyond;
      return;
    }
    auto product = product_of(command.as<fr_matmul>(), *format, memory);
    product.begin_ps = static_cast<std::uint64_t>(begin_ps);
    product.end_ps = static_cast<std::uint64_t>(ip::now_picoseconds());
    stream.writer.write(product);
  };
}

bool Recorder::close() {
  bool written = true;
  for (auto& stream : streams_) {
    if (stream->kind == record::Kind::transactions)
      stream->unanswered = simulation_.soc.taps.at(stream->recording.block)->flush();
    if (stream->writer.close()) continue;
    fmt::print(stderr, "forerun: error: {}: cannot be written\n", stream->recording.path);
    written = false;
  }
  return written;
}

std::string Recorder::summary() const {
  std::string text;
  for (const auto& stream : streams_) {
    text += fmt::format("recorded {} in {}: {} {}", stream->recording.block, stream->recording.path,
                        stream->writer.count(),
                        stream->kind == record::Kind::products ? "products"
                        : stream->kind == record::Kind::copies ? "copies"
                                                               : "transactions");
    if (stream->beyond > 0) text += fmt::format(", {} more left out", stream->beyond);
    if (stream->other_types > 0)
      text += fmt::format(", {} MATMUL of other number formats left out: a tile has int8, bf16 or fp16",
                          stream->other_types);
    if (stream->scaled > 0)
      text += fmt::format(", {} MATMUL_SCALED left out: a tile has no scales", stream->scaled);
    if (stream->unanswered > 0) text += fmt::format(", {} without an answer left out", stream->unanswered);
    text += "\n";
  }
  return text;
}

}  // namespace forerun::sim
