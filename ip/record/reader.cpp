// SPDX-License-Identifier: Apache-2.0
#include "ip/record/reader.hpp"

#include <cstring>
#include <filesystem>

namespace forerun::ip::record {

void Reader::fail(const std::string& why) const {
  throw FileError(path_ + ": at byte " + std::to_string(at_) + ": " + why);
}

template <typename T>
void Reader::get(T& value) {
  if (record_.size() - used_ < sizeof value) fail("the record ends early");
  std::memcpy(&value, record_.data() + used_, sizeof value);
  used_ += sizeof value;
}

template <typename T>
void Reader::get(std::vector<T>& values, std::uint64_t count) {
  if ((record_.size() - used_) / sizeof(T) < count) fail("the record ends early");
  values.resize(count);
  if (count > 0) std::memcpy(values.data(), record_.data() + used_, count * sizeof(T));
  used_ += count * sizeof(T);
}

Reader::Reader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
  std::error_code none;
  size_ = std::filesystem::file_size(path, none);
  if (!file_ || none) throw FileError(path + ": cannot be read");
  record_.resize(header_bytes);
  if (!file_.read(record_.data(), header_bytes) || std::memcmp(record_.data(), magic, 8) != 0)
    throw FileError(path + ": is no recording (expected 64 bytes that begin with FRRECORD)");
  used_ = 8;
  std::uint32_t number = 0;
  get(number);
  if (number != version)
    throw FileError(path + ": is a recording of version " + std::to_string(number) + ", expected " +
                    std::to_string(version));
  get(header_.kind);
  if (header_.kind < Kind::transactions || header_.kind > Kind::copies)
    throw FileError(path + ": is a recording of unknown kind " +
                    std::to_string(static_cast<std::uint32_t>(header_.kind)));
  get(header_.period_ps);
  get(header_.rows);
  get(header_.columns);
  header_.block.assign(record_.data() + used_, strnlen(record_.data() + used_, most_name));
  if (header_.period_ps == 0) throw FileError(path + ": its clock has a period of 0");
  at_ = header_bytes;
}

bool Reader::next_record(Kind kind) {
  constexpr const char* names[] = {"transactions", "products of a tensor engine", "copies of a DMA engine"};
  if (kind != header_.kind)
    throw FileError(path_ + ": holds " + names[static_cast<unsigned>(header_.kind) - 1] + ", expected " +
                    names[static_cast<unsigned>(kind) - 1]);
  at_ += count_ == 0 ? 0 : record_.size() + sizeof(std::uint32_t);
  std::uint32_t size = 0;
  if (!file_.read(reinterpret_cast<char*>(&size), sizeof size))
    fail("the file is cut off: it has no end mark");
  if (size == 0) {
    std::uint64_t count = 0;
    if (!file_.read(reinterpret_cast<char*>(&count), sizeof count)) fail("the end mark is cut off");
    if (count != count_)
      fail("the end mark counts " + std::to_string(count) + " records, but there are " +
           std::to_string(count_));
    return false;
  }
  if (size > size_ - at_) fail("the file is cut off in a record of " + std::to_string(size) + " bytes");
  record_.resize(size);
  if (!file_.read(record_.data(), size)) fail("the file is cut off in a record");
  used_ = 0;
  ++count_;
  return true;
}

void Reader::finish() {
  if (used_ != record_.size())
    fail("the record has " + std::to_string(record_.size() - used_) + " bytes too many");
}

void Reader::get_transaction(Transaction& t) {
  get(t.begin_ps);
  get(t.end_ps);
  get(t.address);
  get(t.length);
  get(t.streaming_width);
  get(t.write);
  get(t.response);
  get(t.flags);
  if (t.write > 1 || t.response > 3 || t.flags > 3 || t.length == 0 || t.end_ps < t.begin_ps)
    fail("this is no transaction");
  get(t.data, (t.flags & Transaction::has_data) != 0 ? t.length : 0);
  get(t.enables, (t.flags & Transaction::has_enables) != 0 ? t.length : 0);
}

bool Reader::next(Transaction& t) {
  if (!next_record(Kind::transactions)) return false;
  get_transaction(t);
  finish();
  return true;
}

bool Reader::next(Copy& c) {
  if (!next_record(Kind::copies)) return false;
  get(c.begin_ps);
  get(c.end_ps);
  get(c.source);
  get(c.destination);
  get(c.bytes);
  get(c.rows);
  get(c.source_stride);
  get(c.destination_stride);
  get(c.failed);
  std::uint32_t count = 0;
  get(count);
  if (c.bytes == 0 || c.rows == 0 || c.failed > 1 || c.end_ps < c.begin_ps || count > record_.size())
    fail("this is no copy");
  c.transactions.resize(count);
  for (auto& transaction : c.transactions) get_transaction(transaction);
  finish();
  return true;
}

bool Reader::next(Product& p) {
  if (!next_record(Kind::products)) return false;
  get(p.begin_ps);
  get(p.end_ps);
  get(p.m);
  get(p.n);
  get(p.k);
  get(p.format);
  get(p.flags);
  if (p.m == 0 || p.n == 0 || p.k == 0 || p.format > 2 || p.flags > 1 || p.end_ps < p.begin_ps)
    fail("this is no product");
  get(p.a, std::uint64_t{p.m} * p.k * p.element_bytes());
  get(p.b, std::uint64_t{p.k} * p.n * p.element_bytes());
  get(p.before, (p.flags & Product::accumulates) != 0 ? std::uint64_t{p.m} * p.n : 0);
  get(p.after, std::uint64_t{p.m} * p.n);
  finish();
  return true;
}

}  // namespace forerun::ip::record
