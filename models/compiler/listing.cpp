// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "firmware/abi/opcodes.hpp"
#include "models/compiler/compiler.hpp"

namespace forerun::models {
namespace {

#define FR_X(NAME, NUMBER, ...) \
  if (number == NUMBER) return #NAME;
std::string vector_op(unsigned number) {
  FR_VECTOR_OPS(FR_X)
  return std::to_string(number);
}
std::string scalar_op(unsigned number) {
  FR_SCALAR_OPS(FR_X)
  return std::to_string(number);
}
std::string type_name(unsigned number) {
  if (number == FR_NO_TYPE) return "none";
  FR_TYPES(FR_X)
  return std::to_string(number);
}
#undef FR_X

std::int64_t read(const unsigned char* at, const abi::Field& field) {
  std::uint64_t value = 0;
  std::memcpy(&value, at + field.offset, field.bytes);
  const unsigned unused = 64 - 8 * field.bytes;
  return field.is_signed ? static_cast<std::int64_t>(value << unused) >> unused
                         : static_cast<std::int64_t>(value);
}

std::string show(const abi::Field& field, std::int64_t value, unsigned opcode) {
  const auto name = field.name;
  if (name.ends_with("_type")) return type_name(static_cast<unsigned>(value));
  if (name == "op")
    return opcode == FR_OP_SCALAR ? scalar_op(static_cast<unsigned>(value))
                                  : vector_op(static_cast<unsigned>(value));
  if (field.description.find("address") != std::string_view::npos)
    return fmt::format("{:#x}", static_cast<std::uint64_t>(value));
  return std::to_string(value);
}

std::string uses(const char* what, const fr_semaphore_use (&list)[2]) {
  std::string text;
  for (const auto& use : list)
    if (use.semaphore != FR_NO_SEMAPHORE) text += fmt::format(" {}(s{} {})", what, use.semaphore, use.count);
  return text;
}

/// "MATMUL a=0x100 b=0x2000+r22 ... wait(s0 1) signal(s1 1)"; fields that are 0 and not patched are left out.
std::string command_text(const unsigned char* at, const abi::Opcode& format,
                         const fr_command_header& header) {
  std::string text = fmt::format("{:<10}", format.name);
  for (const auto& field : format.fields) {
    const auto value = read(at, field);
    std::string patched;
    for (unsigned i = 0; i < header.patches; ++i) {
      fr_patch p;
      std::memcpy(&p, at + (header.words - header.patches + i) * 8u, sizeof p);
      if (p.offset == field.offset)
        patched += p.scale == 1 ? fmt::format("+r{}", p.reg) : fmt::format("{:+}*r{}", p.scale, p.reg);
    }
    const auto name = field.name;
    if (name == "reserved" || (value == 0 && patched.empty() && name != "op" && !name.ends_with("_type")))
      continue;
    text += fmt::format(" {}={}{}", name,
                        value == 0 && !patched.empty() ? "" : show(field, value, header.opcode), patched);
  }
  return text + uses("wait", header.wait) + uses("signal", header.signal);
}

}  // namespace

std::string listing(const Program& program) {
  const auto& h = program.header;
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out,
                 "program {}: {} clusters, steps of up to {} tokens, context {}, {} bytes of scratchpad\n",
                 h.name, program.streams.size(), h.max_tokens, h.context, h.scratchpad_bytes);
  fmt::format_to(out, "memory\n");
  const auto place = [&out](std::string_view name, std::uint64_t address) {
    fmt::format_to(out, "  {:#014x} {}\n", address, name);
  };
  place("parameters", h.parameters);
  place("token_ids", h.token_ids);
  place("next_ids", h.next_ids);
  if (h.logits != 0) place("logits", h.logits);
  for (const auto& segment : program.segments)
    fmt::format_to(out, "  {:#014x} {} ({} bytes)\n", segment.address, segment.name, segment.memory_bytes);
  place("program", h.load_address);
  for (std::size_t c = 0; c < program.streams.size(); ++c) {
    const auto& stream = program.streams[c];
    fmt::format_to(out, "cluster {}: {} bytes\n", c, stream.size());
    unsigned depth = 0;
    std::uint32_t tag = ~0u;
    for (std::size_t at = 0; at + sizeof(fr_command_header) <= stream.size();) {
      fr_command_header header;
      std::memcpy(&header, stream.data() + at, sizeof header);
      const auto& format = abi::opcodes[header.opcode];
      const auto bytes = header.words * std::size_t{8};
      if (format.name.empty() || bytes < sizeof header || at + bytes > stream.size()) {
        fmt::format_to(out, "{:#08x} no command: opcode {:#x}, {} words\n", at, header.opcode, header.words);
        break;
      }
      if (header.tag != tag) {
        tag = header.tag;
        fmt::format_to(out, "         {}:\n",
                       tag < program.tags.size() ? program.tags[tag] : fmt::format("tag {}", tag));
      }
      if (header.opcode == FR_OP_ENDLOOP && depth > 0) --depth;
      fmt::format_to(out, "{:#08x} {:{}}{}\n", at, "", 2 * depth,
                     command_text(stream.data() + at, format, header));
      if (header.opcode == FR_OP_LOOP) ++depth;
      at += bytes;
    }
  }
  return text;
}

}  // namespace forerun::models
