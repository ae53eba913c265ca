// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "ip/record/format.hpp"

namespace forerun::ip::record {

/// Writes a recording; records of the kind that the header names.
class Writer {
 public:
  /// Throws FileError if the file cannot be made or the name is longer than 32 bytes.
  Writer(const std::string& path, const Header& header);

  void write(const Transaction& transaction);
  void write(const Product& product);
  void write(const Copy& copy);
  std::uint64_t count() const { return count_; }
  /// The end mark. False if not all could be written.
  bool close();

 private:
  template <typename T>
  void put(const T& value);
  template <typename T>
  void put(const std::vector<T>& values);
  void put_transaction(const Transaction& transaction);
  void end_record();
  std::ofstream file_;
  std::string record_;
  std::uint64_t count_ = 0;
};

}  // namespace forerun::ip::record
