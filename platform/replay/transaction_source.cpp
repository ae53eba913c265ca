// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bitset>

#include "platform/replay/axi_player.hpp"

namespace forerun::replay {
using ip::record::Transaction;
namespace {

constexpr std::uint64_t page_bytes = 4096;

/// Which bytes of a page have a known value, and those that they must have at the start.
struct Page {
  std::bitset<page_bytes> known, initial;
  std::array<std::uint8_t, page_bytes> values{};
};

std::uint32_t span_of(const Transaction& t) {
  return t.streaming_width == 0 ? t.length : std::min(t.length, t.streaming_width);
}

}  // namespace

TransactionSource::TransactionSource(const std::string& path, const AddressWindow& window, std::uint64_t most)
    : path_(path), reader_(path), window_(window), most_(most) {
  if (reader_.header().kind != ip::record::Kind::transactions)
    throw ip::record::FileError(path + ": holds products of a tensor engine, expected transactions");
}

bool TransactionSource::next(Transaction& t) {
  while (count_ < most_ && reader_.next(t)) {
    const auto offset = t.address - window_.base;
    const bool inside = t.address >= window_.base &&
                        (window_.size == 0 || (offset < window_.size && span_of(t) <= window_.size - offset));
    if (!inside || (t.write != 0 && (t.flags & Transaction::has_data) == 0)) {
      ++left_out_;
      continue;
    }
    t.address = offset;
    ++count_;
    return true;
  }
  return false;
}

std::vector<Transaction> TransactionSource::initial_contents() {
  std::map<std::uint64_t, Page> pages;
  TransactionSource all(path_, window_, most_);
  Transaction t;
  while (all.next(t)) {
    if ((t.flags & Transaction::has_data) == 0 || t.response != Transaction::okay) continue;
    const auto span = span_of(t);
    for (std::uint32_t i = 0; i < t.length; ++i) {
      if (!t.enables.empty() && t.enables[i] == 0) continue;
      const auto address = t.address + i % span;
      auto& page = pages[address / page_bytes];
      const auto at = address % page_bytes;
      if (t.write == 0 && !page.known[at]) {
        page.initial.set(at);
        page.values[at] = t.data[i];
      }
      page.known.set(at);
    }
  }
  std::vector<Transaction> writes;
  for (const auto& [number, page] : pages)
    for (std::size_t at = 0; at < page_bytes;) {
      if (!page.initial[at]) {
        ++at;
        continue;
      }
      auto& write = writes.emplace_back();
      write.write = 1;
      write.address = number * page_bytes + at;
      for (; at < page_bytes && page.initial[at]; ++at) write.data.push_back(page.values[at]);
      write.length = write.streaming_width = static_cast<std::uint32_t>(write.data.size());
    }
  return writes;
}

}  // namespace forerun::replay
