// SPDX-License-Identifier: Apache-2.0
// The file of a recording: what goes in comes out, and damage is named.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "ip/record/reader.hpp"
#include "ip/record/writer.hpp"

using namespace forerun::ip::record;
using testing::HasSubstr;

namespace {

class RecordFile : public testing::Test {
 protected:
  RecordFile()
      : path(std::filesystem::temp_directory_path() /
             ("forerun_record_" + std::to_string(::getpid()) + "_" +
              testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~RecordFile() override { std::filesystem::remove(path); }

  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }
  /// Reads all; what() of the error, or nothing.
  std::string read_all() const {
    try {
      Reader reader(path.string());
      Transaction transaction;
      while (reader.next(transaction)) {
      }
    } catch (const FileError& error) {
      return error.what();
    }
    return {};
  }
  std::filesystem::path path;
};

std::vector<std::uint8_t> random_bytes(std::mt19937& random, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

Transaction random_transaction(std::mt19937& random) {
  Transaction t;
  t.begin_ps = random();
  t.end_ps = t.begin_ps + random() % 100000;
  t.address = std::uint64_t{random()} << 20 | random();
  t.length = 1 + static_cast<std::uint32_t>(random() % 300);
  t.streaming_width = random() % 4 == 0 ? 1 + static_cast<std::uint32_t>(random() % t.length) : t.length;
  t.write = random() % 2;
  constexpr std::uint8_t responses[] = {Transaction::okay, Transaction::slave_error,
                                        Transaction::decode_error};
  t.response = responses[random() % 3];
  t.flags = static_cast<std::uint8_t>(random() % 4);
  if ((t.flags & Transaction::has_data) != 0) t.data = random_bytes(random, t.length);
  if ((t.flags & Transaction::has_enables) != 0)
    for (std::uint32_t i = 0; i < t.length; ++i) t.enables.push_back(random() % 2);
  return t;
}

TEST_F(RecordFile, KeepsTransactions) {
  std::mt19937 random(1);
  std::vector<Transaction> all;
  Writer writer(path.string(), {Kind::transactions, 1250, 0, 0, "hbm0.port0"});
  for (int i = 0; i < 500; ++i) writer.write(all.emplace_back(random_transaction(random)));
  ASSERT_TRUE(writer.close());
  Reader reader(path.string());
  EXPECT_EQ(reader.header().kind, Kind::transactions);
  EXPECT_EQ(reader.header().period_ps, 1250u);
  EXPECT_EQ(reader.header().block, "hbm0.port0");
  Transaction t;
  for (const auto& expected : all) {
    ASSERT_TRUE(reader.next(t));
    EXPECT_EQ(
        std::tie(t.begin_ps, t.end_ps, t.address, t.length, t.streaming_width, t.write, t.response, t.flags),
        std::tie(expected.begin_ps, expected.end_ps, expected.address, expected.length,
                 expected.streaming_width, expected.write, expected.response, expected.flags));
    EXPECT_EQ(t.data, expected.data);
    EXPECT_EQ(t.enables, expected.enables);
  }
  EXPECT_FALSE(reader.next(t));
}

TEST_F(RecordFile, KeepsProducts) {
  std::mt19937 random(2);
  std::vector<Product> all;
  Writer writer(path.string(), {Kind::products, 1000, 32, 16, "cluster3.tensor"});
  for (std::uint8_t i = 0; i < 60; ++i) {
    auto& p = all.emplace_back();
    p.begin_ps = i, p.end_ps = i + 7u;
    for (auto* size : {&p.m, &p.n, &p.k}) *size = 1 + static_cast<std::uint32_t>(random() % 9);
    p.format = i % 3;
    p.flags = i % 2;
    p.a = random_bytes(random, std::size_t{p.m} * p.k * p.element_bytes());
    p.b = random_bytes(random, std::size_t{p.k} * p.n * p.element_bytes());
    for (std::uint32_t j = 0; j < p.m * p.n; ++j) {
      p.after.push_back(static_cast<std::uint32_t>(random()));
      if (i % 2 == 1) p.before.push_back(static_cast<std::uint32_t>(random()));
    }
    writer.write(p);
  }
  ASSERT_TRUE(writer.close());
  Reader reader(path.string());
  EXPECT_EQ(reader.header().rows, 32u);
  EXPECT_EQ(reader.header().columns, 16u);
  Product p;
  for (const auto& expected : all) {
    ASSERT_TRUE(reader.next(p));
    EXPECT_EQ(
        std::tie(p.begin_ps, p.end_ps, p.m, p.n, p.k, p.format, p.flags, p.a, p.b, p.before, p.after),
        std::tie(expected.begin_ps, expected.end_ps, expected.m, expected.n, expected.k, expected.format,
                 expected.flags, expected.a, expected.b, expected.before, expected.after));
  }
  EXPECT_FALSE(reader.next(p));
  Reader other(path.string());
  Transaction t;
  EXPECT_THROW(other.next(t), FileError);
}

TEST_F(RecordFile, IsCutOffAtAnyByte) {
  std::mt19937 random(3);
  {
    Writer writer(path.string(), {Kind::transactions, 1000, 0, 0, "sram"});
    for (int i = 0; i < 4; ++i) {
      auto t = random_transaction(random);
      t.length = t.streaming_width = 3 + static_cast<std::uint32_t>(i);
      t.flags = Transaction::has_data;
      t.data = random_bytes(random, t.length);
      t.enables.clear();
      writer.write(t);
    }
    ASSERT_TRUE(writer.close());
  }
  const auto whole = bytes();
  EXPECT_EQ(read_all(), "");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(whole.substr(0, length));
    EXPECT_THAT(read_all(), HasSubstr(length < header_bytes ? "is no recording" : "cut off")) << length;
  }
}

TEST_F(RecordFile, DamageIsAnErrorOrGoesUnnoticedButNeverCrashes) {
  std::mt19937 random(4);
  {
    Writer writer(path.string(), {Kind::transactions, 1000, 0, 0, "sram"});
    for (int i = 0; i < 10; ++i) writer.write(random_transaction(random));
    ASSERT_TRUE(writer.close());
  }
  const auto whole = bytes();
  unsigned errors = 0;
  for (int i = 0; i < 400; ++i) {
    auto damaged = whole;
    damaged[random() % whole.size()] ^= static_cast<char>(1 + random() % 255);
    write(damaged);
    errors += !read_all().empty();
  }
  EXPECT_GT(errors, 20u);
}

TEST_F(RecordFile, ErrorsSayWhatWasExpected) {
  EXPECT_THAT(read_all(), HasSubstr("cannot be read"));
  write("something else");
  EXPECT_THAT(read_all(), HasSubstr("is no recording (expected 64 bytes that begin with FRRECORD)"));
  {
    Writer writer(path.string(), {});
    ASSERT_TRUE(writer.close());
  }
  auto content = bytes();
  content[8] = 9;
  write(content);
  EXPECT_THAT(read_all(), HasSubstr("version 9, expected 1"));
  EXPECT_THROW(Writer("/no/such/folder/file", {}), FileError);
  EXPECT_THROW(Writer(path.string(), {Kind::products, 1, 1, 1, std::string(33, 'x')}), FileError);
}

}  // namespace
