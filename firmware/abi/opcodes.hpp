// SPDX-License-Identifier: Apache-2.0
/// The opcodes of command.h as a table: names, engines, lengths, and the fields behind the header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "firmware/abi/command.h"

namespace forerun::abi {

struct Field {
  std::string_view name, description;
  unsigned bytes;
  bool is_signed;
  unsigned offset = 0;  ///< in the command, header included
};

struct Opcode {
  std::string_view name;          ///< empty: there is no such opcode
  unsigned words = 0;             ///< of header and fields, without patches; 0: there is no such opcode
  unsigned engine = 0;            ///< FR_ENGINE_*
  std::span<const Field> fields;  ///< in their order
};

namespace detail {

template <std::size_t count>
constexpr std::array<Field, count> lay_out(std::array<Field, count> fields) {
  unsigned offset = sizeof(fr_command_header);
  for (auto& field : fields) {
    field.offset = offset;
    offset += field.bytes;
  }
  return fields;
}

#define FR_ONE(TYPE, NAME, DESCRIPTION) +1
#define FR_F(TYPE, NAME, DESCRIPTION) Field{#NAME, DESCRIPTION, sizeof(TYPE), std::is_signed_v<TYPE>},
#define FR_X(NAME, NUMBER, ENGINE, FIELDS, DESCRIPTION) \
  inline constexpr auto fields_of_##NAME = lay_out(std::array<Field, 0 FIELDS(FR_ONE)>{FIELDS(FR_F)});
FR_OPCODES(FR_X)
#undef FR_X
#undef FR_F
#undef FR_ONE

constexpr Opcode describe(std::string_view name, unsigned engine, std::span<const Field> fields) {
  const auto bytes = fields.empty() ? sizeof(fr_command_header) : fields.back().offset + fields.back().bytes;
  return {name, static_cast<unsigned>(bytes / 8), engine, fields};
}

}  // namespace detail

/// By number.
inline constexpr std::array<Opcode, 256> opcodes = [] {
  std::array<Opcode, 256> table{};
#define FR_X(NAME, NUMBER, ENGINE, FIELDS, DESCRIPTION) \
  table[NUMBER] = detail::describe(#NAME, FR_ENGINE_##ENGINE, detail::fields_of_##NAME);
  FR_OPCODES(FR_X)
#undef FR_X
  return table;
}();

}  // namespace forerun::abi
