// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "ip/record/format.hpp"

namespace forerun::ip::record {

/// Reads a recording from its beginning to its end.
class Reader {
 public:
  /// Throws FileError if there is no such file, or it is no recording of this version.
  explicit Reader(const std::string& path);

  const Header& header() const { return header_; }
  /// The next record, or false at the end. Throws FileError, with the byte, for a file that is damaged or cut
  /// off, and for a record of another kind.
  bool next(Transaction& transaction);
  bool next(Product& product);
  bool next(Copy& copy);
  std::uint64_t count() const { return count_; }  ///< of records read

 private:
  bool next_record(Kind kind);
  void get_transaction(Transaction& transaction);
  template <typename T>
  void get(T& value);
  template <typename T>
  void get(std::vector<T>& values, std::uint64_t count);
  void finish();
  [[noreturn]] void fail(const std::string& why) const;

  std::string path_;
  std::ifstream file_;
  Header header_;
  std::uint64_t at_ = 0, size_ = 0, count_ = 0;  // at_: of the present record in the file
  std::string record_;
  std::size_t used_ = 0;
};

}  // namespace forerun::ip::record
