// SPDX-License-Identifier: Apache-2.0
/// What a recording of a block's boundary holds, and the file that it is kept in.
///
/// All numbers are little-endian. A file begins with 64 bytes:
///
///     0  "FRRECORD"      16  picoseconds of a cycle of the block's clock, 64 bits
///     8  version, 32     24  rows and columns of the tensor arrays, 32 each; 0 for transactions
///    12  kind, 32        32  name of the block, 32 bytes, the rest 0
///
/// Then come records: 32 bits with the number of bytes that follow, the fields in the order of the structs
/// below (times, then the others, bytes last), without padding. The end is a record of 0 bytes and the number
/// of records in 64 bits; without it, the run was cut off.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace forerun::ip::record {

inline constexpr char magic[] = "FRRECORD";
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t header_bytes = 64;
inline constexpr std::size_t most_name = 32;

enum class Kind : std::uint32_t {
  transactions = 1,  ///< what passed a TLM socket
  products = 2,      ///< what a tensor engine's arrays were given and gave
  copies = 3,        ///< what a DMA engine was told, and the transactions that it made of it
};

struct Header {
  Kind kind = Kind::transactions;
  std::uint64_t period_ps = 1000;
  std::uint32_t rows = 0, columns = 0;
  std::string block;
};

/// One transaction, from the request to the response. Records are in the order of the requests.
struct Transaction {
  static constexpr std::uint8_t has_data = 1, has_enables = 2;
  static constexpr std::uint8_t okay = 0, slave_error = 2, decode_error = 3;

  std::uint64_t begin_ps = 0, end_ps = 0;
  std::uint64_t address = 0;  ///< as the block sees it
  std::uint32_t length = 0;   ///< bytes
  std::uint32_t streaming_width = 0;
  std::uint8_t write = 0;                   ///< 1: write, 0: read
  std::uint8_t response = okay;             ///< as AXI codes it: 0 OKAY, 2 SLVERR, 3 DECERR
  std::uint8_t flags = has_data;            ///< without has_data, only the time of the transaction mattered
  std::vector<std::uint8_t> data, enables;  ///< `length` each, or empty; enables: 1 where a byte is moved
};

/// One MATMUL: C = (C) + A B, at the boundary of the arrays, where results have 32 bits. Row after row.
struct Product {
  static constexpr std::uint8_t accumulates = 1;

  std::uint64_t begin_ps = 0, end_ps = 0;
  std::uint32_t m = 0, n = 0, k = 0;
  std::uint8_t format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  std::uint8_t flags = 0;
  std::vector<std::uint8_t> a, b;            ///< m x k and k x n elements of 1 or 2 bytes
  std::vector<std::uint32_t> before, after;  ///< m x n; before only with `accumulates`
  unsigned element_bytes() const { return format == 0 ? 1 : 2; }
};

/// A copy that an engine was told, and what its managers did for it. Addresses are those that the engine
/// sees.
struct Copy {
  std::uint64_t begin_ps = 0, end_ps = 0;
  std::uint64_t source = 0, destination = 0;
  std::uint64_t bytes = 0, rows = 1;  ///< of a row; 1 or more each
  std::int64_t source_stride = 0, destination_stride = 0;
  std::uint8_t failed = 0;  ///< 1: the engine said so
  /// In the order of the requests; in the file after their number, 32 bits.
  std::vector<Transaction> transactions{};
};

/// A file that is not what it should be; what() names it, the byte and what was expected.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace forerun::ip::record
