// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "firmware/abi/command.h"
#include "models/compiler/emit.hpp"
#include "models/compiler/support.hpp"
#include "models/compiler/weights.hpp"
#include "models/graph/graph.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

/// Adds to the tags of all commands.
void shift_tags(std::vector<unsigned char>& stream, std::size_t by) {
  fr_command_header header;
  for (std::size_t at = 0; at < stream.size(); at += header.words * 8u) {
    std::memcpy(&header, &stream[at], sizeof header);
    header.tag += static_cast<std::uint32_t>(by);
    std::memcpy(&stream[at], &header, sizeof header);
  }
}

/// Behind the names of another program's operators.
void follow(const Program& other, Program& program) {
  for (auto& stream : program.streams) shift_tags(stream, other.tags.size());
  auto tags = other.tags;
  for (const auto& tag : program.tags) tags.push_back("draft." + tag);
  program.tags = std::move(tags);
}

}  // namespace

Program compile(const Model& model, const chip::Chip& chip, const CompileOptions& options) {
  const auto context = options.context == 0 ? model.config.max_positions : options.context;
  auto config = model.config;
  for (auto& window : config.windows)
    if (window >= context) window = 0;  // it holds all positions that there are
  const auto graph = make_graph(config);
  check_supported(config, graph);
  if (options.data && !model.has_weights)
    throw CompileError(fmt::format("{} has only a shape, no weights; it can be simulated with data: none",
                                   model.config.name));
  const auto plan = make_plan(config, chip, options);
  Program program;
  for (std::uint32_t c = 0; c < plan.clusters; ++c) program.streams.push_back(emit_stream(plan, graph, c));
  program.tags = tag_names(graph);
  if (options.drafts_for != nullptr) follow(*options.drafts_for, program);
  program.symmetric = plan.symmetric;
  program.segments = options.data ? pack_weights(plan, model) : empty_weights(plan);

  auto& h = program.header;
  h.load_address = plan.memory.end;
  h.max_tokens = plan.most_tokens();
  h.context = plan.context;
  h.vocabulary = model.config.vocabulary;
  h.parameters = plan.memory.parameters;
  h.token_ids = plan.memory.token_ids;
  h.next_ids = plan.memory.next_ids;
  h.logits = plan.keep_logits ? plan.memory.logits : 0;
  h.layers = config.layers;
  h.sequences = plan.sequences;
  h.choices = plan.choices;
  h.page_table = plan.cache.page != 0 ? plan.memory.page_table : 0;
  h.page_positions = plan.cache.page;
  h.pages = plan.cache.pages;
  h.requests = plan.memory.requests;
  h.chunks = plan.sequences > 1 ? plan.memory.chunks : 0;
  h.memory_end = h.load_address + program.head_bytes();
  h.scratchpad_bytes = std::max(plan.scratch.end, plan.wide ? plan.wide->end : 0);
  std::copy_n(model.config.name.begin(),
              std::min<std::size_t>(model.config.name.size(), FR_PROGRAM_NAME_BYTES - 1), h.name);
  const auto size = chip::memory_size(chip).count, needed = h.memory_end - chip::address_map::hbm;
  if (needed > size)
    throw OutOfMemory(fmt::format(
        "{} needs {:.1f} MiB of memory with its command streams, the chip has {:.1f} MiB", model.config.name,
        static_cast<double>(needed) / 0x1p20, static_cast<double>(size) / 0x1p20));
  return program;
}

}  // namespace forerun::models
