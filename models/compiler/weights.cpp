// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <utility>

#include "firmware/abi/command.h"
#include "ip/base/numbers.hpp"
#include "models/compiler/quantise.hpp"

namespace forerun::models {
namespace {

/// Rows of a model's matrix that a cluster computes, in the order of its output columns.
struct Piece {
  const Tensor* tensor;
  Range rows;
};

/// Output columns of a projection as rows of binary32, divided by their scales if the format has them.
class Columns {
 public:
  Columns(const std::vector<Piece>& pieces, NumberFormat format) {
    for (const auto& piece : pieces)
      for (auto row = piece.rows.begin; row < piece.rows.end; ++row) {
        std::vector<float> values(piece.tensor->cols);
        piece.tensor->read_row(row, values);
        scales_.push_back(divide_by_scales(values, format));
        rows_.push_back(std::move(values));
      }
  }
  /// The transposed of a piece: its columns are the rows of this.
  explicit Columns(const Piece& piece) : rows_(piece.tensor->cols, std::vector<float>(piece.rows.size())) {
    std::vector<float> values(piece.tensor->cols);
    for (auto row = piece.rows.begin; row < piece.rows.end; ++row) {
      piece.tensor->read_row(row, values);
      for (std::size_t i = 0; i < values.size(); ++i) rows_[i][row - piece.rows.begin] = values[i];
    }
  }
  /// Those of all outputs, if each has one.
  std::vector<float> output_scales() const {
    std::vector<float> all;
    for (const auto& scales : scales_) all.insert(all.end(), scales.begin(), scales.end());
    return all;
  }
  /// A tile as [k][n] elements of `type` at `to`, and [groups][n] scales of `scale_type` behind them.
  void pack(const WeightTile& tile, const TileFormat& format, unsigned type, unsigned scale_type,
            unsigned char* to) const {
    pack_rows(rows_, tile.n, tile.k, type, to);
    if (format.scale_bytes == 0) return;
    pack_rows(scales_, tile.n, {tile.k.begin / format.group, divide_up(tile.k.end, format.group)}, scale_type,
              to + format.scale_offset(tile.k.size(), tile.n.size()));
  }

 private:
  static void pack_rows(const std::vector<std::vector<float>>& columns, Range n, Range k, unsigned type,
                        unsigned char* to) {
    std::vector<float> line(n.size());
    for (auto row = k.begin; row < k.end; ++row, to += ip::row_bytes(type, line.size())) {
      for (auto i = n.begin; i < n.end; ++i) line[i - n.begin] = columns[i][row];
      ip::write_row(type, line.data(), to, line.size());
    }
  }
  std::vector<std::vector<float>> rows_, scales_;
};

class Packer {
 public:
  Packer(const Plan& plan, const Model& model) : plan_(plan), model_(model) {}

  void cluster(std::uint32_t index, Segment& weights, Segment& constants, Segment& head_scales) {
    const auto& m = plan_.model;
    const auto& share = plan_.share(index);
    const auto& tiles = plan_.tiles(index);
    const auto& at = plan_.constants;
    auto* to = weights.bytes.data() + (plan_.memory.lanes[index].base - plan_.memory.weights);
    for (std::uint32_t l = 0; l < m.layers; ++l) {
      const auto& layer = model_.layers[l];
      auto* block = constants.bytes.data() + std::uint64_t{l} * at.bytes;
      const auto project = [&](const std::vector<Piece>& pieces, const std::vector<WeightTile>& list,
                               std::uint32_t scales) {
        to =
            pack(plan_.memory.lanes[index], Columns(pieces, plan_.formats.weights), list, to, block + scales);
      };
      norms(layer, block);
      biases(layer, share, block);
      slopes(share, block);
      if (m.is_latent())
        to = latent(layer, index, to);
      else
        project({{&layer.wq.weight, share.queries},
                 {&layer.wk.weight, share.keys},
                 {&layer.wv.weight, share.values}},
                tiles.query_key_value, at.query_key_value);
      project({{&layer.wo.weight, share.hidden}}, tiles.attention_output, at.attention_output);
      const auto feed_forward = [&](const FeedForward& ffn, Range own, const std::vector<WeightTile>& gate_up,
                                    const std::vector<WeightTile>& down) {
        std::vector<Piece> up{{&ffn.up.weight, own}};
        if (m.gated) up.insert(up.begin(), {&ffn.gate.weight, own});
        project(up, gate_up, at.gate_up);
        project({{&ffn.down.weight, share.hidden}}, down, at.down);
      };
      if (!m.has_experts(l)) {
        feed_forward(layer.ffn, share.ffn, tiles.gate_up, tiles.down);
        continue;
      }
      if (m.experts.corrected) column(layer.router_correction, block + at.router_correction);
      project({{&layer.router, share.experts}}, tiles.router, 0);
      if (m.experts.shared_ffn != 0)
        feed_forward(layer.shared_expert, share.shared_ffn, tiles.shared_gate_up, tiles.shared_down);
      for (const auto& expert : layer.experts)
        feed_forward(expert, share.expert_ffn, tiles.expert_gate_up, tiles.expert_down);
    }
    auto* last = constants.bytes.data() + std::uint64_t{m.layers} * at.bytes;
    norm(model_.final_norm.weight, last + at.attention_norm);
    if (m.norm == NormKind::layer) vector(model_.final_norm.bias, last + at.attention_norm_bias);
    const auto& classifier = m.tied_embeddings ? model_.embedding : model_.classifier;
    pack(plan_.memory.lanes[index], Columns({{&classifier, share.vocabulary}}, plan_.formats.weights),
         tiles.classifier, to, head_scales.bytes.data());
  }

  /// The first `rows` rows of a table, in the format of activations.
  void table(const Tensor& e, std::uint64_t rows, Segment& segment) const {
    const auto row_bytes = e.cols * plan_.activation_bytes();
    std::vector<float> row(e.cols);
    for (std::uint64_t r = 0; r < rows; ++r) {
      e.read_row(r, row);
      ip::write_row(plan_.numerics.activation, row.data(), segment.bytes.data() + r * row_bytes, e.cols);
    }
  }

  void embedding_norm(Segment& segment) const {
    if (!plan_.model.embedding_norm) return;
    norm(model_.embedding_norm.weight, segment.bytes.data());
    if (model_.embedding_norm.bias)
      vector(model_.embedding_norm.bias, segment.bytes.data() + plan_.model.hidden * 4ull);
  }

  void rotation(Segment& cosines, Segment& sines) const {
    const auto& m = plan_.model;
    if (plan_.rotated() == 0) return;
    const std::uint32_t half = m.rotary.dims / 2;
    const auto frequencies = rotary_frequencies(m.rotary, plan_.context);
    for (std::uint64_t position = 0; position < plan_.context; ++position)
      for (std::uint32_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(position) * frequencies[i];
        const float values[] = {static_cast<float>(std::cos(angle) * m.rotary.amplitude),
                                static_cast<float>(std::sin(angle) * m.rotary.amplitude)};
        std::memcpy(cosines.bytes.data() + (position * half + i) * 4, &values[0], 4);
        std::memcpy(sines.bytes.data() + (position * half + i) * 4, &values[1], 4);
      }
  }

 private:
  void vector(const Tensor& tensor, unsigned char* to, double offset = 0) const {
    std::vector<float> row(tensor.cols);
    tensor.read_row(0, row);
    for (auto& w : row) w += static_cast<float>(offset);
    std::memcpy(to, row.data(), row.size() * 4);
  }
  static void column(const Tensor& tensor, unsigned char* to) {
    for (std::uint64_t row = 0; row < tensor.rows; ++row) {
      float value = 0;
      tensor.read_row(row, {&value, 1});
      std::memcpy(to + row * 4, &value, 4);
    }
  }
  void norm(const Tensor& tensor, unsigned char* to) const { vector(tensor, to, plan_.model.norm_offset); }
  void norms(const Layer& layer, unsigned char* block) const {
    const auto& m = plan_.model;
    const auto& at = plan_.constants;
    norm(layer.attention_norm.weight, block + at.attention_norm);
    norm(layer.ffn_norm.weight, block + at.ffn_norm);
    if (m.norm == NormKind::layer) {
      vector(layer.attention_norm.bias, block + at.attention_norm_bias);
      vector(layer.ffn_norm.bias, block + at.ffn_norm_bias);
    }
    if (m.post_norms) {
      norm(layer.post_attention_norm.weight, block + at.post_attention_norm);
      norm(layer.post_ffn_norm.weight, block + at.post_ffn_norm);
    }
    if (m.is_latent()) {
      if (m.latent.q_rank != 0) norm(layer.q_down_norm, block + at.q_down_norm);
      norm(layer.kv_down_norm, block + at.kv_down_norm);
    }
    if (m.qk_norm) {
      norm(layer.q_norm, block + at.query_norm);
      norm(layer.k_norm, block + at.key_norm);
    }
  }
  /// Of latent attention all but the output projection, in the order of use.
  unsigned char* latent(const Layer& layer, std::uint32_t index, unsigned char* to) const {
    const auto& l = plan_.model.latent;
    const auto& share = plan_.share(index);
    const auto& tiles = plan_.tiles(index);
    const auto& lane = plan_.memory.lanes[index];
    const auto put = [&](const Columns& columns, const std::vector<WeightTile>& list) {
      to = pack(lane, columns, list, to, nullptr);
    };
    const auto clamp = [&](std::uint64_t from, std::uint64_t count) {  // own outputs among these
      const auto within = [&](std::uint64_t column) { return std::clamp(column, from, from + count) - from; };
      return Range{within(share.latent.begin), within(share.latent.end)};
    };
    const auto rows_of = [](Range heads, std::uint64_t rows) {
      return Range{heads.begin * rows, heads.end * rows};
    };
    put(Columns({{&layer.q_down, clamp(0, l.q_rank)},
                 {&layer.kv_down, clamp(l.q_rank, std::uint64_t{l.kv_rank} + l.rotary_dim)}},
                plan_.formats.weights),
        tiles.latent);
    put(Columns({{&layer.wq.weight, share.queries}}, plan_.formats.weights), tiles.query_key_value);
    for (auto h = share.heads.begin; h < share.heads.end; ++h)
      put(Columns({&layer.wk.weight, rows_of({h, h + 1}, l.plain_dim)}), tiles.absorb);
    for (auto h = share.heads.begin; h < share.heads.end; ++h)
      put(Columns({{&layer.wv.weight, rows_of({h, h + 1}, plan_.model.value_dim)}}, plan_.formats.weights),
          tiles.expand);
    return to;
  }
  /// Scores are scaled behind what is added to them.
  void slopes(const Share& share, unsigned char* block) const {
    const auto& m = plan_.model;
    if (m.positions != Positions::alibi) return;
    const auto of_heads = alibi_slopes(m.heads);
    for (auto h = share.heads.begin; h < share.heads.end; ++h) {
      const auto slope = static_cast<float>(of_heads[h] / m.score_scale);
      std::memcpy(block + plan_.constants.slopes + (h - share.heads.begin) * 4, &slope, 4);
    }
  }
  void biases(const Layer& layer, const Share& share, unsigned char* block) const {
    const auto& m = plan_.model;
    const auto& at = plan_.constants;
    const auto put = [](const std::vector<Piece>& pieces, unsigned char* to) {
      for (const auto& piece : pieces)
        for (auto row = piece.rows.begin; row < piece.rows.end; ++row, to += 4) {
          float value = 0;
          piece.tensor->read_row(row, {&value, 1});
          std::memcpy(to, &value, 4);
        }
    };
    if (m.qkv_bias)
      put({{&layer.wq.bias, share.queries}, {&layer.wk.bias, share.keys}, {&layer.wv.bias, share.values}},
          block + at.query_key_value_bias);
    if (m.output_bias) put({{&layer.wo.bias, share.hidden}}, block + at.attention_output_bias);
    if (m.ffn_bias) {
      std::vector<Piece> up{{&layer.ffn.up.bias, share.ffn}};
      if (m.gated) up.insert(up.begin(), {&layer.ffn.gate.bias, share.ffn});
      put(up, block + at.gate_up_bias);
      put({{&layer.ffn.down.bias, share.hidden}}, block + at.down_bias);
    }
  }
  unsigned char* pack(const Lane& lane, const Columns& columns, const std::vector<WeightTile>& tiles,
                      unsigned char* to, unsigned char* scales) const {
    std::vector<unsigned char> whole;
    for (const auto& tile : tiles) {
      const auto bytes = plan_.tile_bytes(tile), part = lane.part_bytes(bytes);
      whole.resize(bytes);
      columns.pack(tile, plan_.tile_format(), plan_.numerics.weight, plan_.numerics.group_scale,
                   whole.data());
      for (std::uint64_t i = 0, done = 0; done < bytes; ++i, done += part)
        std::memcpy(to + lane.part_offset(i), whole.data() + done, std::min(part, bytes - done));
      to += lane.advance(bytes);
    }
    if (plan_.numerics.output_scales) {
      const auto all = columns.output_scales();
      std::memcpy(scales, all.data(), all.size() * 4);
    }
    return to;
  }
  const Plan& plan_;
  const Model& model_;
};

/// For steps of each number of tokens, and some draws of each: every token takes as many experts as it does,
/// any with the same probability, and independent of the others. Always the same.
Segment draw_experts(const Plan& plan) {
  const auto& e = plan.model.experts;
  const auto row = plan.expert_list_bytes();
  Segment segment{
      "experts", plan.memory.drawn_experts, plan.max_tokens * Plan::expert_draws * row, {}, false};
  segment.bytes.resize(segment.memory_bytes);
  std::mt19937_64 random(1);
  std::vector<std::uint32_t> experts(e.count);
  for (std::uint64_t draw = 0; draw < Plan::expert_draws; ++draw) {
    std::vector<bool> taken(e.count);
    for (std::uint64_t token = 0; token < plan.max_tokens; ++token) {
      std::iota(experts.begin(), experts.end(), 0u);
      for (std::uint32_t i = 0; i < e.used; ++i) {
        std::swap(experts[i], experts[i + random() % (e.count - i)]);
        taken[experts[i]] = true;
      }
      auto* to = segment.bytes.data() + (token * Plan::expert_draws + draw) * row;
      const auto put = [&to](std::uint32_t expert) { std::memcpy(std::exchange(to, to + 4), &expert, 4); };
      for (std::uint32_t i = 0; i < e.count; ++i)
        if (taken[i]) put(i);
      for (auto i = static_cast<std::uint32_t>(std::count(taken.begin(), taken.end(), true)); i < e.count;
           ++i)
        put(e.count);
    }
  }
  return segment;
}

}  // namespace

std::vector<Segment> empty_weights(const Plan& plan) {
  const auto& m = plan.model;
  const auto& memory = plan.memory;
  std::vector<Segment> segments;
  const auto add = [&segments](std::string name, std::uint64_t address, std::uint64_t bytes) {
    segments.push_back({std::move(name), address, bytes, {}});
  };
  const std::uint64_t table = std::uint64_t{plan.context} * plan.rotated() * 2;
  add("cosines", memory.cosines, table);
  add("sines", memory.sines, table);
  add("embedding", memory.embedding, std::uint64_t{m.vocabulary} * m.hidden * plan.activation_bytes());
  add("embedding_norm", memory.embedding_norm, m.embedding_norm ? m.hidden * 8ull : 0);
  add("positions", memory.positions, plan.learned_positions() * m.hidden * plan.activation_bytes());
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    add(fmt::format("cluster{}.constants", c), memory.constants[c],
        (std::uint64_t{m.layers} + 1) * plan.constants.bytes);
    add(fmt::format("cluster{}.head_scales", c), memory.head_scales[c],
        plan.numerics.output_scales ? plan.share(c).vocabulary.size() * 4 : 0);
  }
  if (plan.draws_experts) segments.push_back(draw_experts(plan));
  add("weights", memory.weights, memory.weight_bytes);
  return segments;
}

std::vector<Segment> pack_weights(const Plan& plan, const Model& model) {
  auto segments = empty_weights(plan);
  for (auto& segment : segments) segment.bytes.resize(segment.memory_bytes);
  Packer packer(plan, model);
  packer.rotation(segments[0], segments[1]);
  packer.table(model.embedding, model.embedding.rows, segments[2]);
  packer.embedding_norm(segments[3]);
  packer.table(model.positions, plan.learned_positions(), segments[4]);
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    auto* of_cluster = &segments[5 + 2 * c];
    packer.cluster(c, segments.back(), of_cluster[0], of_cluster[1]);
  }
  return segments;
}

}  // namespace forerun::models
