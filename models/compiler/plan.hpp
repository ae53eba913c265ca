// SPDX-License-Identifier: Apache-2.0
/// Where a compiled model lies: its share on each cluster, the scratchpad of a cluster, and the chip's
/// memory.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/compiler/cache.hpp"
#include "models/compiler/multicast.hpp"
#include "models/compiler/numerics.hpp"
#include "models/compiler/placement.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/wide.hpp"
#include "models/import/model.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// The model does not fit the chip; what() says which limit and by how much.
class CompileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The chip's memory is too small.
class OutOfMemory : public CompileError {
 public:
  using CompileError::CompileError;
};

struct Program;

struct CompileOptions {
  NumberFormats format = chip::Format::f16;
  std::uint32_t context =
      0;             ///< positions of the cache of each sequence, 1 .. the model's; 0: all of the model's
  bool data = true;  ///< false: leave the weights out, for runs that simulate only time
  /// Of one sequence in a step: a shorter limit leaves more of the scratchpad to weights. 0: as many as fit.
  std::uint32_t max_tokens = 0;
  std::uint32_t sequences = 1;  ///< that may be decoded together, 1 .. FR_PROGRAM_SEQUENCES
  /// Logits of every position stay in memory; otherwise those of the last step. Of one sequence only.
  bool keep_logits = true;
  std::uint32_t device = 0;  ///< for which of the chip's devices, below chip.devices
  /// How prompts are cut over clusters in steps of many tokens (wide.hpp): into so many groups of rows, a
  /// divisor of the clusters; chosen, where there is none; 0: no such steps.
  std::optional<std::uint32_t> row_groups = std::nullopt;
  /// Positions of a tile of keys and values in the attention of such steps (wide_attention.hpp); chosen,
  /// where there are none.
  std::optional<std::uint32_t> tile_positions = std::nullopt;
  /// Into how many parts attention cuts the positions of a sequence (cache.hpp): 1, or the number of clusters
  /// for each key/value head; chosen, where there is none.
  std::optional<std::uint32_t> context_parts = std::nullopt;
  /// The cache consists of pages of so many positions, or some more (cache.hpp); 0: each sequence has room
  /// for the whole context.
  std::uint32_t page_positions = 0;
  /// Then the positions of each sequence, for which there are pages; if empty, the context for all.
  std::vector<std::uint32_t> sequence_positions = {};
  /// Rows of a step after which an id is chosen: the last ones, if logits are made for so many. A step that
  /// verifies drafted tokens has one more than these. Of one sequence only.
  std::uint32_t choices = 1;
  /// The program drafts tokens for that one: it lies behind it in memory, and its operators' names follow
  /// those of that one, as "draft.NAME".
  const Program* drafts_for = nullptr;
  /// Then memory before this stays free, too: a program must lie in the same place on all devices.
  std::uint64_t drafts_from = 0;
};

/// What one cluster computes. All clusters of all devices share the work. Key/value heads that several
/// clusters need are computed by each of them.
struct Share {
  Range heads, kv_heads, hidden, ffn, vocabulary;
  Range experts;                 ///< outputs of the router
  Range latent;                  ///< outputs of the projections down to the latent vectors
  Range expert_ffn, shared_ffn;  ///< columns of every routed expert, and of those that all tokens take
  std::uint64_t query_columns = 0,
                key_columns = 0;  ///< of its heads: queries, and keys (= values)
  Range queries, keys, values;    ///< columns of all queries, keys and values that it computes
  Range attended;                 ///< columns of what attention gives, of all heads, that it makes
  /// Of its query/key/value projection.
  std::uint64_t qkv_columns() const { return query_columns + keys.size() + values.size(); }
  /// Key/value heads that this cluster stores in the cache of its device: those of whose query heads it has
  /// the device's first; or a part of the positions of each.
  Range stored_kv_heads;
};

/// Tiles of each projection of a cluster, in the order of use.
struct Projections {
  std::vector<WeightTile> query_key_value, attention_output, gate_up, down, classifier;
  std::vector<WeightTile> latent, absorb, expand;  ///< the last two of each own head
  std::vector<WeightTile> router, shared_gate_up, shared_down;
  std::vector<WeightTile> expert_gate_up, expert_down;  ///< of each routed expert
};

/// Byte addresses in the scratchpad, the same in every cluster. Rows follow one another at the stride named
/// beside.
struct Scratch {
  std::uint32_t residual = 0;    ///< f32 [tokens][hidden]
  std::uint32_t normed = 0;      ///< [tokens][hidden]
  std::uint32_t quantised = 0;   ///< operands [tokens][widest input]
  std::uint32_t row_scales = 0;  ///< of operands: f32 [tokens], or of MX blocks [tokens][blocks]
  /// What the clusters put together, each its columns into every one's scratchpad, [tokens][width]: inputs of
  /// projections, and f32 what is added to the residual stream. They take turns, so that a cluster that is
  /// ahead writes where none reads any more.
  std::uint32_t inputs = 0, sums = 0;
  std::uint32_t cosines = 0, sines = 0;            ///< f32 [tokens][rotated elements / 2]
  std::uint32_t constants = 0;                     ///< two blocks of `constant_bytes`, layer by layer in turn
  std::uint32_t keys = 0, values = 0;              ///< [kv head][max tokens][head_dim] of this step
  std::uint32_t key_scales = 0, value_scales = 0;  ///< f32 [kv head][max tokens], of a cache in integers
  // Used in turn by attention, feed-forward and head:
  std::uint32_t product = 0;  ///< f32 or i32: result of a projection
  std::uint32_t queries = 0;  ///< by key/value head, [query head][tokens][head_dim]
  std::uint32_t scores = 0;   ///< [query head][tokens], rows of `score_stride`
  /// f32 [query head][tokens][head_dim]; of a part of the context [tokens][query head], rows of
  /// `Plan::part_row_bytes()`.
  std::uint32_t weighted = 0;
  std::uint32_t slice = 0;     ///< [tokens][own columns]: what this cluster gives to the others
  std::uint32_t last_row = 0;  ///< f32 [vocabulary]
  std::uint32_t choice = 0;    ///< u32
  std::uint32_t ring = 0;      ///< `slots` of `slot_bytes`: weights, cached keys and values on their way
  std::uint32_t slots = 0, slot_bytes = 0;
  std::uint32_t score_stride = 0;
  // Attention in parts of the context:
  std::uint32_t team_rows = 0;     ///< f32 [tokens][queries, key, value of a key/value head], put together
  std::uint32_t parts = 0;         ///< [part][tokens][combined head], from all clusters of the team
  std::uint32_t part_columns = 0;  ///< f32, two times [tokens][combined head][part]
  std::uint32_t part_sums = 0;     ///< f32 [tokens][combined head][combined column]
  // Latent attention:
  std::uint32_t latent_parts = 0;    ///< f32 [tokens][latent_width()], put together by the clusters
  std::uint32_t latent_input = 0;    ///< [tokens][rank of queries], normalised
  std::uint32_t latent_rows = 0;     ///< [tokens][head_dim], as the cache has them
  std::uint32_t latent_queries = 0;  ///< [tokens][query_columns]
  std::uint32_t latent_product = 0;  ///< f32 [tokens][rank of keys and values]
  std::uint32_t absorbed = 0;        ///< [tokens][own head][head_dim]: queries, then what attention gives
  // Experts:
  std::uint32_t router_scores = 0;   ///< f32 [tokens][experts], put together by the clusters
  std::uint32_t expert_choice = 0;   ///< f32 [tokens][experts]: by what they are chosen, then their weights
  std::uint32_t group_choice = 0;    ///< f32, three times [tokens][groups]
  std::uint32_t expert_weights = 0;  ///< f32 [experts][most tokens], 0 where a token does not take the expert
  std::uint32_t expert_sums = 0;     ///< f32 [experts]: the largest weight of each
  std::uint32_t expert_list = 0;     ///< u32 [experts]: those that a token takes
  std::uint32_t mixed = 0;           ///< f32 [tokens][own columns of hidden]: sum over the experts
  std::uint32_t distances = 0;       ///< ALiBi: f32 -(context - 1) .. 0
  std::uint32_t embedding_norm = 0;  ///< f32 [2][hidden], before the first layer
  std::uint32_t end = 0;
};

/// Offsets in a layer's block of constants (f32): the weights of norms, biases, and the output scales of
/// weights that have them. Those that a model does not have are not laid out. Up to `own` all clusters have the
/// same, behind it each has those of its own columns.
struct Constants {
  std::uint32_t attention_norm = 0, ffn_norm = 0, post_attention_norm = 0, post_ffn_norm = 0;
  std::uint32_t attention_norm_bias = 0, ffn_norm_bias = 0, query_norm = 0, key_norm = 0;
  std::uint32_t query_key_value = 0, attention_output = 0, gate_up = 0, down = 0;
  std::uint32_t query_key_value_bias = 0, attention_output_bias = 0, gate_up_bias = 0, down_bias = 0;
  std::uint32_t q_down_norm = 0, kv_down_norm = 0;
  std::uint32_t router_correction = 0;  ///< of all experts
  std::uint32_t slopes = 0;             ///< ALiBi: of own query heads, divided by the scale of scores
  std::uint32_t own = 0;
  std::uint32_t bytes = 0;
  std::uint32_t own_bytes() const { return bytes - own; }
};

/// Global addresses.
struct Memory {
  std::uint64_t parameters = 0, token_ids = 0, next_ids = 0;
  std::uint64_t requests = 0, chunks = 0;
  std::uint64_t page_table = 0;  ///< u64 [sequences][pages of a context], if the cache is paged
  std::uint64_t logits = 0;      ///< f32, a row for each position, or if they are not kept for each of a step
  std::uint64_t embedding = 0;   ///< [vocabulary][hidden] of activations
  std::uint64_t embedding_norm = 0;      ///< f32 [2][hidden]: weight, bias
  std::uint64_t positions = 0;           ///< learned ones, [context + offset][hidden] of activations
  std::uint64_t cosines = 0, sines = 0;  ///< f32 [context][rotated elements / 2]
  /// [layer][sequence][kv head of the device][context][head_dim], unless they lie near the clusters.
  std::uint64_t keys = 0, values = 0;
  std::uint64_t key_scales = 0, value_scales = 0;  ///< the same without [head_dim], f32; or nothing
  /// Exchange buffers of several devices, [tokens][width]. In steps of many tokens `ffn_sum` is the
  /// normalised residual stream.
  std::uint64_t attention = 0, hidden_sum = 0, ffn_sum = 0, swiglu = 0, router = 0, latent = 0;
  std::uint64_t queries = 0;                          ///< of steps of many tokens
  std::vector<std::uint64_t> constants, head_scales;  ///< by cluster of the device
  std::uint64_t weights = 0, weight_bytes = 0;        ///< of all clusters, their lanes side by side
  std::vector<Lane> lanes;  ///< by cluster: its tiles of weights, in the order of use
  std::vector<Lane>
      residual;  ///< by cluster, in steps of many tokens: its columns and rows of the residual stream
  /// Without data: u32 [tokens of a step][draws][expert_list_bytes()], experts drawn in the place of the
  /// chosen.
  std::uint64_t drawn_experts = 0;
  std::uint64_t begin = 0, end = 0;
};

struct Plan {
  ModelConfig model;
  NumberFormats formats;
  Numerics numerics;
  std::uint32_t devices = 1, device = 0;  ///< how many share the model; for which the program is
  std::uint32_t columns = 1;              ///< devices in a row of a torus, else all
  std::uint32_t clusters = 0;             ///< of each device that take part
  std::uint32_t sequences = 1;            ///< that a step may have tokens of
  std::uint32_t max_tokens = 0;           ///< of a step
  std::uint32_t max_chunk = 0;            ///< of one sequence in a step
  std::uint32_t context = 0;              ///< positions of the cache of each sequence
  bool keep_logits = true;                ///< of all positions, not only of a step
  std::uint32_t choices = 1;              ///< rows of a step after which an id is chosen, the last ones
  std::uint32_t cache_tile = 0;           ///< positions loaded at a time
  std::vector<Share> shares;              ///< device by device
  std::vector<Projections> projections;   ///< the same
  Range kv_heads;                         ///< in the device's cache
  CacheLayout cache;
  std::uint64_t kv_head_padding =
      0;                   ///< bytes between heads of the cache, so that they begin at different ports
  bool symmetric = false;  ///< several devices, all with shares of the same sizes
  /// A window of the network whose writes reach the scratchpads of all clusters that take part.
  std::optional<Everyone> everyone;
  bool draws_experts = false;  ///< without data, there is nothing to choose by
  bool launches = false;       ///< what follows an exchange is launched: nothing of it is loaded before
  Scratch scratch;
  std::optional<Wide> wide;  ///< for steps of more than `max_tokens` tokens
  /// Most tokens of one sequence in a step of any kind.
  std::uint32_t most_tokens() const { return wide ? wide->tokens() : max_chunk; }
  Constants constants;
  Memory memory;

  /// Number of one of the device's clusters among all.
  std::size_t part(std::uint32_t cluster) const { return std::size_t{device} * clusters + cluster; }
  const Share& share(std::uint32_t cluster) const { return shares[part(cluster)]; }
  const Projections& tiles(std::uint32_t cluster) const { return projections[part(cluster)]; }
  unsigned activation_bytes() const;
  /// Of a position and head in the cache, without and with its scale.
  std::uint64_t cache_row_bytes() const;
  std::uint64_t scaled_row_bytes() const { return cache_row_bytes() + cache_scale_bytes(); }
  std::uint64_t cache_scale_bytes() const { return numerics.cache_scales ? 4 : 0; }
  /// How tiles of weights lie in memory.
  TileFormat tile_format() const;
  /// Elements of each head that are rotated.
  std::uint32_t rotated() const { return model.positions == Positions::rotary ? model.rotary.dims : 0; }
  /// Rows of the table of learned positions.
  std::uint64_t learned_positions() const {
    return model.positions == Positions::learned ? std::uint64_t{context} + model.position_offset : 0;
  }
  /// Columns of a cluster's first projection of a feed-forward layer of which it has so many.
  std::uint64_t up_columns(const Range& ffn) const { return (model.gated ? 2 : 1) * ffn.size(); }
  std::uint64_t up_columns(const Share& share) const { return up_columns(share.ffn); }
  /// Columns of what attention gives to its output projection.
  std::uint64_t attended() const { return std::uint64_t{model.heads} * model.value_dim; }
  /// Columns of a cached value; with latent attention the first ones of the key.
  std::uint32_t cached_value_dim() const { return model.is_latent() ? model.latent.kv_rank : model.head_dim; }
  /// Of the projections down: for queries, keys and values, and the rotated part of the key.
  std::uint64_t latent_width() const {
    const auto& l = model.latent;
    return model.is_latent() ? std::uint64_t{l.q_rank} + l.kv_rank + l.rotary_dim : 0;
  }
  // Experts go through a step in rounds of as many as there is room for.
  /// Rows of a round: those of the step for each of its experts.
  std::uint64_t expert_rows() const {
    return model.experts.count == 0 ? 0 : std::max(max_tokens, model.experts.used);
  }
  /// Of one of the two buffers for what the clusters put together of a round.
  std::uint64_t expert_round_bytes() const;
  static constexpr std::uint32_t expert_draws = 16;  ///< a power of two
  std::uint64_t expert_list_bytes() const { return round_up(model.experts.count * 4ull, 8); }
  /// From one head of the cache to the next.
  std::uint64_t kv_head_bytes() const { return context * cache_row_bytes() + kv_head_padding; }
  /// The same of its scales; the cache then has whole rows between heads.
  std::uint64_t kv_head_scale_bytes() const {
    return kv_head_bytes() / cache_row_bytes() * cache_scale_bytes();
  }
  std::uint64_t kv_sequence_bytes() const {
    return cache.near ? cache.sequence_bytes() : kv_heads.size() * kv_head_bytes();
  }
  std::uint64_t kv_layer_bytes() const {
    return (cache.page != 0 ? cache.pages : sequences) * kv_sequence_bytes();
  }
  /// Of a sequence in the page table.
  std::uint64_t page_table_bytes() const {
    return cache.page == 0 ? 0 : cache.pages_of_sequence(context) * sizeof(std::uint64_t);
  }
  /// Query heads that share a key/value head.
  std::uint32_t group() const { return model.heads / model.kv_heads; }
  // Attention in parts of the context. A cluster of the team puts together what the parts give for the whole
  // of some of its query heads, or for some columns of one.
  std::uint64_t combined_heads() const { return std::max<std::uint64_t>(1, group() / cache.parts); }
  /// Of each of these heads.
  std::uint64_t combined_columns() const {
    return std::uint64_t{model.head_dim} * group() / cache.parts / combined_heads();
  }
  /// Behind a query's weighted values: the largest score and the largest probability.
  static constexpr std::uint64_t part_sums_bytes = 16;
  /// Of one query of a part: f32 [head_dim] of weighted values and what is behind them; with the columns that
  /// one cluster puts together.
  std::uint64_t part_row_bytes() const { return model.head_dim * 4ull + part_sums_bytes; }
  std::uint64_t combined_row_bytes() const { return combined_columns() * 4 + part_sums_bytes; }
  std::uint64_t tile_bytes(const WeightTile& tile) const {
    return tile_format().bytes(tile.k.size(), tile.n.size());
  }
  /// The widest share of a dimension over the clusters.
  std::uint64_t widest(Range Share::*dimension) const;
  std::uint64_t widest_qkv() const;
};

/// For one of the devices (options.device). A chunk takes at most `max_tokens`, and no more than fit into
/// three quarters of the scratchpad; the rest is for the ring. Throws CompileError.
Plan make_plan(const ModelConfig& model, const chip::Chip& chip, const CompileOptions& options);

}  // namespace forerun::models
