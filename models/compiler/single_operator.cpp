// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/single_operator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "firmware/abi/message.h"
#include "firmware/abi/registers.h"
#include "models/compiler/split.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t alignment = 4096;
constexpr unsigned launched = FR_SEMAPHORES - 1;

}  // namespace

SingleOperator::SingleOperator(std::string name, const chip::Chip& chip, std::uint32_t devices)
    : name_(std::move(name)),
      devices_(devices),
      launches_(chip.clusters.command.launch.picoseconds > 0),
      memory_bytes_(chip::memory_size(chip).count),
      end_(chip::address_map::hbm) {
  parameters_ = take(FR_PARAMETERS * 8);
  token_ids_ = take(8);
  next_ids_ = take(4);
  requests_ = take(sizeof(fr_sequence_request));
}

float SingleOperator::small(std::uint64_t i, std::uint64_t j, std::uint64_t salt) {
  std::uint64_t x = (i * 0x9e3779b97f4a7c15 + j) * 0xbf58476d1ce4e5b9 + salt;
  x = (x ^ (x >> 29)) * 0x94d049bb133111eb;
  return static_cast<float>((x >> 40) % 17) - 8;
}

std::uint64_t SingleOperator::take(std::uint64_t bytes) {
  const auto address = end_;
  end_ = round_up(end_ + bytes, alignment);
  return address;
}

void SingleOperator::align(std::uint64_t bytes) {
  end_ = chip::address_map::hbm + round_up(end_ - chip::address_map::hbm, bytes);
}

void SingleOperator::take_result(std::uint64_t bytes) {
  result_ = take(bytes);
  result_bytes_ = bytes;
}

void SingleOperator::launch(StreamBuilder& out, std::uint32_t cluster) const {
  if (!launches_) return;
  fr_post post{};
  post.address = chip::address_map::cluster_registers(cluster) + FR_CLUSTER_POST;
  post.stride = chip::address_map::cluster_stride;
  post.count = 1;
  post.skip = 0xffffffff;
  post.semaphore = launched;
  post.amount = 1;
  out.add(FR_OP_POST, post);
  out.add(FR_OP_LOAD_NOP, {{{launched, 1}}, {}});
}

void SingleOperator::check_memory(std::uint64_t end) const {
  if (const auto needed = end - chip::address_map::hbm; needed > memory_bytes_)
    throw OutOfMemory(fmt::format("{} needs {:.1f} MiB of memory, the chip has {:.1f} MiB", name_,
                                  static_cast<double>(needed) / 0x1p20,
                                  static_cast<double>(memory_bytes_) / 0x1p20));
}

void SingleOperator::finish(Program& p, std::uint32_t scratchpad_bytes) const {
  auto& h = p.header;
  h.load_address = end_;
  h.max_tokens = h.context = h.vocabulary = h.sequences = h.layers = 1;
  h.parameters = parameters_;
  h.token_ids = token_ids_;
  h.next_ids = next_ids_;
  h.requests = requests_;
  h.memory_end = end_ + p.head_bytes();
  h.scratchpad_bytes = scratchpad_bytes;
  std::copy_n(name_.begin(), std::min<std::size_t>(name_.size(), FR_PROGRAM_NAME_BYTES - 1), h.name);
  check_memory(h.memory_end);
}

}  // namespace forerun::models
