// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/disassemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "ip/cpu/decode.hpp"
#include "ip/cpu/fields.hpp"
#include "ip/cpu/register_names.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr auto handlers = static_cast<std::size_t>(Handler::count);
/// Where the interpreter has the code of handlers, this has their numbers.
const HandlerCode& numbers() {
  static const HandlerCode code = [] {
    static std::array<char, handlers> places{};
    HandlerCode made{};
    for (auto& of_length : made.of)
      for (std::size_t i = 0; i < handlers; ++i) of_length[i] = &places[i];
    return made;
  }();
  return code;
}

/// The operation's name in small letters, without what the interpreter adds to it.
std::string mnemonic(std::uint32_t word) {
  static constexpr std::array<std::string_view, handlers> names{
#define HANDLER(NAME) #NAME,
#include "ip/cpu/handlers.def"
#undef HANDLER
  };
  const auto operation = decode(word, 4, 0, false, numbers());
  const auto& code = numbers();
  const auto found = std::find(code.of[1], code.of[1] + handlers, operation.code) - code.of[1];
  std::string name(names[static_cast<std::size_t>(found)]);
  if (name.ends_with("_FAR")) name.resize(name.size() - 4);
  for (auto& c : name) c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string system(std::uint32_t word) {
  switch (word) {
    case 0x0000'0073:
      return "ecall";
    case 0x0010'0073:
      return "ebreak";
    case 0x1020'0073:
      return "sret";
    case 0x1050'0073:
      return "wfi";
    case 0x3020'0073:
      return "mret";
    default:
      break;
  }
  constexpr std::array<const char*, 4> names{"", "csrrw", "csrrs", "csrrc"};
  const auto funct3 = funct3_of(word);
  if ((funct3 & 3) == 0) return "sfence.vma";
  const bool immediate = (funct3 & 4) != 0;
  return fmt::format("{}{} {}, {:#x}, {}", names[funct3 & 3], immediate ? "i" : "",
                     register_names[rd_of(word)], csr_of(word),
                     immediate ? std::to_string(rs1_of(word)) : std::string(register_names[rs1_of(word)]));
}

}  // namespace

std::string disassemble(std::uint32_t instruction, std::uint64_t pc) {
  const auto word =
      is_compressed(instruction) ? expand_compressed(static_cast<std::uint16_t>(instruction)) : instruction;
  const auto name = mnemonic(word);
  const auto *const rd = register_names[rd_of(word)], *const rs1 = register_names[rs1_of(word)],
                    *const rs2 = register_names[rs2_of(word)];
  const auto target = [pc](std::int64_t offset) { return pc + static_cast<std::uint64_t>(offset); };
  if (name == "illegal") return "no instruction";
  if (name == "mv") return fmt::format("mv {}, {}", rd, rs1_of(word) == 0 ? rs2 : rs1);
  switch (word & 0x7f) {
    case 0x03:
    case 0x67:
      return fmt::format("{} {}, {}({})", name == "jr" ? "jalr" : name, rd, i_immediate(word), rs1);
    case 0x23:
      return fmt::format("{} {}, {}({})", name, rs2, s_immediate(word), rs1);
    case 0x13:
    case 0x1b: {
      if (name == "li") return fmt::format("li {}, {}", rd, i_immediate(word));
      const bool shift = (funct3_of(word) & 3) == 1;
      return name == "nop" ? name
                           : fmt::format("{} {}, {}, {}", name, rd, rs1,
                                         shift ? i_immediate(word) & 63 : i_immediate(word));
    }
    case 0x33:
    case 0x3b:
      return fmt::format("{} {}, {}, {}", name, rd, rs1, rs2);
    case 0x37:
    case 0x17:
      return fmt::format("{} {}, {:#x}", name == "li" ? "lui" : name, rd, word >> 12);
    case 0x63:
      if (rs2_of(word) == 0 && funct3_of(word) < 2)
        return fmt::format("{}z {}, {:#x}", name.substr(0, 3), rs1, target(b_immediate(word)));
      return fmt::format("{} {}, {}, {:#x}", name, rs1, rs2, target(b_immediate(word)));
    case 0x6f:
      return fmt::format("jal {}, {:#x}", rd, target(j_immediate(word)));
    case 0x73:
      return system(word);
    case 0x0f:
      return funct3_of(word) == 1 ? "fence.i" : "fence";
    case 0x2f:
      return fmt::format("atomic {}, {}, ({})", rd, rs2, rs1);
    default:
      return "floating point";
  }
}

}  // namespace forerun::ip::riscv
