// SPDX-License-Identifier: Apache-2.0
/// A compiled program: the container of firmware/abi/program.h, before it is bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firmware/abi/program.h"

namespace forerun::models {

/// Memory that the program brings with it: `bytes` at `address`, then zeros up to `memory_bytes`.
struct Segment {
  std::string name;
  std::uint64_t address = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<unsigned char> bytes;  ///< may be empty: zeros only
  bool data = true;                  ///< left out when only time is simulated
};

struct Program {
  fr_program_header header{};                       ///< offsets, sizes and checksum are filled in by finish()
  std::vector<std::vector<unsigned char>> streams;  ///< by cluster
  std::vector<std::string> tags;                    ///< by tag number
  std::vector<Segment> segments;
  /// Not in the container: one of several devices, which all do the same with shares of the same size.
  bool symmetric = false;

  /// Bytes of the container up to the data of its segments.
  std::uint64_t head_bytes() const;
};

/// The part that lies at header.load_address: header, tables and streams, with the checksum. `with_data`
/// counts the segments' bytes as following in the file; without, segments are only zeros.
std::vector<unsigned char> make_head(const Program& program, bool with_data);

/// Writes the container; throws std::runtime_error naming the file.
void write_container(const Program& program, const std::string& path);
/// Reads a container back; throws std::runtime_error naming the file and what is wrong with it.
Program read_container(const std::string& path);

}  // namespace forerun::models
