// SPDX-License-Identifier: Apache-2.0
/// The type of a port of a Verilog module, so that a pin map can name a field or some bits of it as Verilog
/// does: "axi_req_i.aw.addr", "s_awaddr[1]", "joined[95:64]".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forerun::rtl {

/// A vector of bits, a record (packed struct or union) or an array of one of them.
struct PortType {
  enum class Kind : unsigned char { bits, record, array };
  struct Member;
  Kind kind = Kind::bits;
  bool unpacked = false;            ///< an array of words of their own
  int left = 0, right = 0;          ///< bounds of a vector or an array
  std::vector<PortType> element{};  ///< one, of an array
  std::vector<Member> members{};    ///< of a record, in the order of the source
  unsigned bits = 1;                ///< of all of it; of an unpacked array: of an element

  /// Reads a type as it stands in models (ModelPort::type):
  ///   type   = { "[" left ":" right "]" | "(" left ":" right ")" } [ "{" members "}" | "<" members ">" ]
  ///   members = name type ";" ...
  /// with (...) for an unpacked dimension, {...} for a struct, whose first member has the highest bits, and
  /// <...> for a union. Throws std::runtime_error for anything else.
  static PortType parse(std::string_view text);
};

struct PortType::Member {
  std::string name;
  PortType type;
  unsigned low;  ///< its lowest bit within the record
};

/// Some bits of a port.
struct PortBits {
  unsigned element = 0;            ///< of an unpacked array, from its lowest index on
  unsigned low = 0, bits = 0;      ///< within the port, or within that element
  const PortType* type = nullptr;  ///< what is there, if it is no part of a vector
};

/// What `path`, the part behind the port's name (".aw.addr", "[3]", ""), names. Throws std::runtime_error
/// with what is wrong with it, and with the nearest name that there is.
PortBits select(const PortType& type, const std::string& port, std::string_view path);

/// All fields below a record, ".aw.addr", outer ones too; arrays are not entered.
std::vector<std::string> fields(const PortType& type);

/// Words of an unpacked array, in all its dimensions; of another type 1.
unsigned elements(const PortType& type);

/// The largest parts of a port of which no bit is marked; element by element of an unpacked array, from the
/// lowest bit on: "req.aw.user", "masks[3:2]".
std::vector<std::string> parts_without(const PortType& type, const std::string& port,
                                       const std::vector<bool>& marked);

/// Bytes in which Verilator keeps so many bits.
constexpr unsigned storage_bytes(unsigned bits) {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : (bits + 31) / 32 * 4;
}

}  // namespace forerun::rtl
