// SPDX-License-Identifier: Apache-2.0
/// The pins of an AXI4, AXI4-Lite or AXI4-Stream interface as plain numbers: what bus models, checkers and a
/// block of RTL share.
///
/// Nothing here knows SystemC or a simulator. A cycle is: everyone drives from registered state,
/// combinational logic settles, everyone samples, and the clock's edge comes. A wire is written by one side
/// only.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace forerun::ip::cosim {

inline constexpr unsigned most_data_bytes = 128;  ///< of a bus: AXI ends at 1024 bits

/// AxBURST.
enum class BurstKind : std::uint8_t { fixed = 0, incr = 1, wrap = 2, reserved = 3 };
/// xRESP.
enum class Response : std::uint8_t { okay = 0, exokay = 1, slverr = 2, decerr = 3 };

/// The data wires; lane i is bits 8i+7..8i. Lanes beyond the width of the bus mean nothing.
using Lanes = std::array<unsigned char, most_data_bytes>;

/// A bit a lane: WSTRB, TKEEP, TSTRB.
struct Strobes {
  std::array<std::uint64_t, 2> words{};

  bool operator[](unsigned lane) const { return (words[lane / 64] >> (lane % 64) & 1) != 0; }
  void set(unsigned lane) { words[lane / 64] |= std::uint64_t{1} << (lane % 64); }
  bool operator==(const Strobes&) const = default;
  /// A run of lanes; `first + count` is at most 128.
  static Strobes run(unsigned first, unsigned count) {
    Strobes strobes;
    for (unsigned word = 0; word < 2; ++word) {
      const unsigned low = word * 64, from = first > low ? first - low : 0;
      const unsigned end = first + count, to = end <= low ? 0 : (end - low > 64 ? 64 : end - low);
      if (to > from)
        strobes.words[word] = (to - from == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (to - from)) - 1)
                              << from;
    }
    return strobes;
  }
  Strobes operator&(const Strobes& other) const {
    return {{words[0] & other.words[0], words[1] & other.words[1]}};
  }
  Strobes operator~() const { return {{~words[0], ~words[1]}}; }
  bool none() const { return (words[0] | words[1]) == 0; }
};

/// What is fixed about an AXI4 or AXI4-Lite interface.
struct AxiShape {
  unsigned data_bytes = 8;     ///< of the data bus: a power of two from 1 to 128
  unsigned id_bits = 4;        ///< 0 to 32; without meaning for AXI4-Lite
  unsigned address_bits = 64;  ///< 1 to 64
  bool lite = false;  ///< AXI4-Lite: one beat of full width a transaction, no IDs, no exclusive access

  /// AxSIZE of a full beat.
  unsigned full_size() const;
  /// Throws std::invalid_argument if a value is outside its range.
  void check() const;
};

/// AW or AR.
struct AddressChannel {
  bool valid = false, ready = false;
  std::uint32_t id = 0;
  std::uint64_t address = 0;
  std::uint8_t len = 0;   ///< beats - 1
  std::uint8_t size = 0;  ///< log2 of the bytes of a beat
  BurstKind burst = BurstKind::incr;
  bool lock = false;
  std::uint8_t cache = 0, prot = 0, qos = 0, region = 0;
};

/// W.
struct WriteChannel {
  bool valid = false, ready = false;
  bool last = true;
  Strobes strobes;
  alignas(8) Lanes data{};
};

/// B.
struct AnswerChannel {
  bool valid = false, ready = false;
  std::uint32_t id = 0;
  Response response = Response::okay;
};

/// R.
struct ReadChannel {
  bool valid = false, ready = false;
  std::uint32_t id = 0;
  Response response = Response::okay;
  bool last = true;
  alignas(8) Lanes data{};
};

/// All wires of an AXI4 interface. An AXI4-Lite interface uses those that it has, and leaves the others as
/// they are at the start: one beat of the full width.
struct AxiPins {
  explicit AxiPins(const AxiShape& shape = {}) {
    aw.size = ar.size = static_cast<std::uint8_t>(shape.full_size());
  }
  bool reset = false;  ///< true while ARESETn is low
  AddressChannel aw, ar;
  WriteChannel w;
  AnswerChannel b;
  ReadChannel r;
};

/// What is fixed about an AXI4-Stream interface.
struct StreamShape {
  unsigned data_bytes = 8;  ///< of TDATA: a power of two from 1 to 128
  /// Throws std::invalid_argument if a value is outside its range.
  void check() const;
};

/// All wires of an AXI4-Stream interface. One without TKEEP, TSTRB or TLAST leaves them as they are at the
/// start.
struct StreamPins {
  explicit StreamPins(const StreamShape& shape = {})
      : keep(Strobes::run(0, shape.data_bytes)), strobes(keep) {}
  bool reset = false;
  bool valid = false, ready = false;
  bool last = true;
  std::uint32_t id = 0, dest = 0;
  Strobes keep, strobes;
  alignas(8) Lanes data{};
};

}  // namespace forerun::ip::cosim
