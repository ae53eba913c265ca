// SPDX-License-Identifier: Apache-2.0
#include "ip/record/writer.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace forerun::ip::record {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

template <typename T>
void Writer::put(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  record_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void Writer::put(const std::vector<T>& values) {
  record_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

Writer::Writer(const std::string& path, const Header& header) : file_(path, std::ios::binary) {
  if (!file_) throw FileError(path + ": cannot be written");
  if (header.block.size() > most_name)
    throw FileError(path + ": the name '" + header.block + "' is longer than 32 bytes");
  record_.append(magic, 8);
  put(version);
  put(header.kind);
  put(header.period_ps);
  put(header.rows);
  put(header.columns);
  record_ += header.block;
  record_.resize(header_bytes);
  file_.write(record_.data(), static_cast<std::streamsize>(record_.size()));
}

void Writer::end_record() {
  const auto size = static_cast<std::uint32_t>(record_.size());
  file_.write(reinterpret_cast<const char*>(&size), sizeof size);
  file_.write(record_.data(), static_cast<std::streamsize>(record_.size()));
  ++count_;
}

void Writer::put_transaction(const Transaction& t) {
  put(t.begin_ps);
  put(t.end_ps);
  put(t.address);
  put(t.length);
  put(t.streaming_width);
  put(t.write);
  put(t.response);
  put(t.flags);
  put(t.data);
  put(t.enables);
}

void Writer::write(const Transaction& t) {
  record_.clear();
  put_transaction(t);
  end_record();
}

void Writer::write(const Copy& c) {
  record_.clear();
  put(c.begin_ps);
  put(c.end_ps);
  put(c.source);
  put(c.destination);
  put(c.bytes);
  put(c.rows);
  put(c.source_stride);
  put(c.destination_stride);
  put(c.failed);
  put(static_cast<std::uint32_t>(c.transactions.size()));
  for (const auto& transaction : c.transactions) put_transaction(transaction);
  end_record();
}

void Writer::write(const Product& p) {
  record_.clear();
  put(p.begin_ps);
  put(p.end_ps);
  put(p.m);
  put(p.n);
  put(p.k);
  put(p.format);
  put(p.flags);
  put(p.a);
  put(p.b);
  put(p.before);
  put(p.after);
  end_record();
}

bool Writer::close() {
  const std::uint32_t end = 0;
  file_.write(reinterpret_cast<const char*>(&end), sizeof end);
  file_.write(reinterpret_cast<const char*>(&count_), sizeof count_);
  file_.close();
  return !file_.fail();
}

}  // namespace forerun::ip::record
