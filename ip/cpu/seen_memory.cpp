// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/seen_memory.hpp"

#include <algorithm>

namespace forerun::ip::riscv {
namespace {

bool overlap(std::uint64_t a, std::uint64_t a_bytes, std::uint64_t b, std::uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

}  // namespace

const SeenMemory::Page* SeenMemory::find(std::uint64_t address) const {
  const auto number = address / page_bytes;
  if (number == last_number_) return last_;
  const auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  last_number_ = number;
  return last_ = found->second.get();
}

SeenMemory::Page& SeenMemory::page(std::uint64_t address) {
  if (find(address) == nullptr) {
    last_number_ = address / page_bytes;
    last_ = (pages_[last_number_] = std::make_unique<Page>()).get();
  }
  return *last_;
}

void SeenMemory::passed(bool write, std::uint64_t address, std::span<const unsigned char> data,
                        std::span<const unsigned char> enables, bool good) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!enables.empty() && enables[i % enables.size()] == 0) continue;
    auto& here = page(address + i);
    const auto at = (address + i) % page_bytes;
    auto& flags = here.flags[at];
    if (!good) {
      if (!write) flags = static_cast<unsigned char>((flags & ~(passed_bus | by_write)) | failed);
      continue;
    }
    const auto before = expected(address + i);
    if (write && (!before || *before != data[i]) && !stored_before(address + i, data[i]))
      early_.push_back({address + i, data[i], instructions});
    const unsigned kept = write                    ? flags & own_store
                          : (flags & drained) != 0 ? 0
                                                   : flags & own_store;  // what others write counts
    here.bus[at] = data[i];
    flags = static_cast<unsigned char>(kept | passed_bus | (write ? by_write : 0));
    if (write && kept != 0 && here.own[at] == data[i]) flags |= drained;
  }
  if (write && !good) {
    const auto left_out = std::count(enables.begin(), enables.end(), 0);
    failed_writes_.push_back({address, data.size() - static_cast<std::size_t>(left_out)});
    if (failed_writes_.size() > writes_kept) failed_writes_.pop_front();
  }
  if (write || !good) return;
  reads_.push_back({address, {data.begin(), data.end()}});
  if (reads_.size() > reads_kept) reads_.pop_front();
}

bool SeenMemory::stored_before(std::uint64_t address, unsigned char byte) const {
  return std::any_of(stores_.begin(), stores_.end(), [&](const Store& store) {
    return address - store.address < store.bytes &&
           static_cast<unsigned char>(store.value >> 8 * (address - store.address)) == byte;
  });
}

std::optional<SeenMemory::Byte> SeenMemory::stored(std::uint64_t address, std::uint64_t value,
                                                   unsigned bytes) {
  std::optional<Byte> wrong, missing;
  bool ahead = false;  // the bus has written before
  for (unsigned i = 0; i < bytes; ++i) {
    auto& here = page(address + i);
    const auto at = (address + i) % page_bytes;
    const auto byte = static_cast<unsigned char>(value >> 8 * i);
    auto& flags = here.flags[at];
    here.own[at] = byte;
    const bool already = (flags & by_write) != 0 && here.bus[at] == byte;
    flags = static_cast<unsigned char>(own_store | (flags & failed) |
                                       (already ? passed_bus | by_write | drained : 0));
    std::erase_if(early_, [&](const Byte& early) {
      if (early.address != address + i) return false;
      if (early.written != byte && !wrong) wrong = early;
      return ahead = true;
    });
    if (!already && !missing) missing = Byte{address + i, std::nullopt, instructions};
  }
  std::erase_if(reads_, [&](const Read& r) { return overlap(r.address, r.data.size(), address, bytes); });
  stores_.push_back({address, value, bytes});
  if (stores_.size() > stores_kept) stores_.pop_front();
  return wrong ? wrong : ahead ? missing : std::nullopt;
}

std::optional<SeenMemory::Byte> SeenMemory::unexplained() const {
  if (early_.empty() || instructions - early_.front().at <= most_ahead) return std::nullopt;
  return early_.front();
}

SeenMemory::Look SeenMemory::look(std::uint64_t address, const unsigned char* bytes, unsigned count) const {
  Look first;
  for (unsigned i = 0; i < count && first.verdict == Verdict::right; ++i) {
    const auto* const here = find(address + i);
    const auto at = (address + i) % page_bytes;
    const unsigned flags = here == nullptr ? 0 : here->flags[at];
    const bool known = (flags & (passed_bus | own_store)) != 0;
    if (known && ((flags & own_store) != 0 ? here->own[at] : here->bus[at]) == bytes[i]) continue;
    first.offset = i;
    first.verdict = known ? Verdict::wrong : (flags & failed) != 0 ? Verdict::failed : Verdict::unread;
    if (first.verdict == Verdict::wrong)
      first.expected = (flags & own_store) != 0 ? here->own[at] : here->bus[at];
    if (first.verdict == Verdict::wrong && (flags & own_store) == 0 && read_before(address, bytes, count))
      return {};
  }
  return first;
}

bool SeenMemory::read_before(std::uint64_t address, const unsigned char* bytes, unsigned count) const {
  return std::any_of(reads_.begin(), reads_.end(), [&](const Read& r) {
    return r.address <= address && address + count <= r.address + r.data.size() &&
           std::equal(bytes, bytes + count,
                      r.data.begin() + static_cast<std::ptrdiff_t>(address - r.address));
  });
}

std::optional<unsigned char> SeenMemory::expected(std::uint64_t address) const {
  const auto* const here = find(address);
  const auto at = address % page_bytes;
  if (here == nullptr || (here->flags[at] & (passed_bus | own_store)) == 0) return std::nullopt;
  return (here->flags[at] & own_store) != 0 ? here->own[at] : here->bus[at];
}

std::optional<std::uint64_t> SeenMemory::failed_read(std::uint64_t address, unsigned count) const {
  for (unsigned i = 0; i < count; ++i)
    if (const auto* const here = find(address + i);
        here != nullptr && (here->flags[(address + i) % page_bytes] & failed) != 0)
      return address + i;
  return std::nullopt;
}

std::optional<SeenMemory::Range> SeenMemory::take_failed_write(std::uint64_t address, unsigned count) {
  std::optional<Range> first;
  std::erase_if(failed_writes_, [&](const Range& r) {
    if (!overlap(r.address, r.bytes, address, count)) return false;
    if (!first) first = r;
    return true;
  });
  return first;
}

void SeenMemory::clear() {
  pages_.clear();
  last_ = nullptr;
  last_number_ = ~std::uint64_t{0};
  reads_.clear();
  stores_.clear();
  early_.clear();
  failed_writes_.clear();
}

}  // namespace forerun::ip::riscv
