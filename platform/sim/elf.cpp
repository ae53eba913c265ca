// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/elf.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

namespace forerun::sim {
namespace {

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "x86";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "Arm 32";
    case EM_AARCH64:
      return "Arm 64";
    case EM_MIPS:
      return "MIPS";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_RISCV:
      return "RISC-V";
    default:
      return fmt::format("machine {}", machine);
  }
}

/// Reads structures out of an image with every access checked.
class Image {
 public:
  Image(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[noreturn]] void fail(std::string_view reason) const {
    throw ElfError(fmt::format("{}: {}", name_, reason));
  }

  std::span<const std::byte> range(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      fail(fmt::format("is truncated: its {} at offset {} ({} bytes) is not inside the file of {} bytes",
                       what, offset, size, bytes_.size()));
    return bytes_.subspan(offset, size);
  }

  template <typename T>
  T at(std::uint64_t offset, std::string_view what) const {
    T value;
    std::memcpy(&value, range(offset, sizeof(T), what).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

Elf64_Ehdr checked_header(const Image& image, std::span<const std::byte> bytes) {
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    image.fail("is not an ELF file");
  const auto ident = image.range(0, EI_NIDENT, "identification");
  Elf64_Half machine = image.at<Elf64_Half>(EI_NIDENT + sizeof(Elf64_Half), "header");
  const bool little = ident[EI_DATA] == std::byte{ELFDATA2LSB};
  if (!little) machine = static_cast<Elf64_Half>(machine << 8 | machine >> 8);
  if (machine != EM_RISCV)
    image.fail(fmt::format("is for {}, this chip's CPU is RISC-V 64", machine_name(machine)));
  if (ident[EI_CLASS] != std::byte{ELFCLASS64}) image.fail("is for RISC-V 32, this chip's CPU is RISC-V 64");
  if (!little) image.fail("is big-endian, this chip's CPU is little-endian");
  const auto header = image.at<Elf64_Ehdr>(0, "header");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    image.fail("is no linked program (is it an object file?)");
  if (header.e_phnum == 0 || header.e_phentsize != sizeof(Elf64_Phdr)) image.fail("has no program headers");
  return header;
}

/// Calls `take` with each defined symbol and its name.
template <typename Take>
void read_symbols(const Image& image, const Elf64_Ehdr& header, const Take& take) {
  if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return;
  const auto sections =
      image.range(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), "section table");
  const auto section = [&](std::uint64_t index) {
    Elf64_Shdr value;
    std::memcpy(&value, sections.subspan(index * sizeof value, sizeof value).data(), sizeof value);
    return value;
  };
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= header.e_shnum) continue;
    const Elf64_Shdr strings = section(table.sh_link);
    const auto text = image.range(strings.sh_offset, strings.sh_size, "string table");
    const auto entries = image.range(table.sh_offset, table.sh_size, "symbol table");
    for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= entries.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, entries.subspan(at).data(), sizeof symbol);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name == 0 || symbol.st_name >= text.size()) continue;
      const auto rest = text.subspan(symbol.st_name);
      const auto end = std::find(rest.begin(), rest.end(), std::byte{0});
      take(symbol, std::string(reinterpret_cast<const char*>(rest.data()),
                               static_cast<std::size_t>(end - rest.begin())));
    }
  }
}

/// Not of the data, and none of the assembler's own ("$x", ".L4").
bool is_code_label(const Elf64_Sym& symbol, const std::string& name) {
  const auto type = ELF64_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC || type == STT_NOTYPE) && symbol.st_shndx != SHN_ABS && name[0] != '$' &&
         name[0] != '.';
}

}  // namespace

ElfProgram ElfProgram::parse(std::span<const std::byte> bytes, std::string name) {
  ElfProgram program;
  program.name_ = std::move(name);
  const Image image(bytes, program.name_);
  const Elf64_Ehdr header = checked_header(image, bytes);
  program.entry_ = header.e_entry;
  image.range(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), "program headers");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto part = image.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr), "program headers");
    if (part.p_type == PT_INTERP) image.fail("needs a dynamic linker, only static programs can run");
    if (part.p_type != PT_LOAD || part.p_memsz == 0) continue;
    if (part.p_filesz > part.p_memsz) image.fail(fmt::format("has more data than memory in segment {}", i));
    if (part.p_paddr > std::numeric_limits<std::uint64_t>::max() - part.p_memsz)
      image.fail(fmt::format("has a segment {} beyond the end of the address space", i));
    const auto data = image.range(part.p_offset, part.p_filesz, fmt::format("segment {}", i));
    program.segments_.push_back({part.p_paddr, part.p_memsz, {data.begin(), data.end()}});
  }
  if (program.segments_.empty()) image.fail("has nothing to load");
  read_symbols(image, header, [&](const Elf64_Sym& symbol, const std::string& label) {
    program.symbols_.emplace(label, symbol.st_value);
    if (is_code_label(symbol, label)) program.labels_.emplace(symbol.st_value, label);
  });
  return program;
}

ElfProgram ElfProgram::read(const std::string& path) {
  if (std::filesystem::is_directory(path)) throw ElfError(path + ": is a folder, expected an ELF file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ElfError(fmt::format("{}: cannot be opened", path));
  const std::vector<char> content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse(std::as_bytes(std::span(content)), path);
}

void ElfProgram::load(const Write& write) const {
  static constexpr std::size_t zero_chunk = 64 * 1024;
  const std::vector<std::byte> zeros(zero_chunk);
  for (const ElfSegment& segment : segments_) {
    bool placed = segment.data.empty() || write(segment.address, segment.data);
    for (std::uint64_t at = segment.data.size(); placed && at < segment.memory_bytes;) {
      const auto size = std::min<std::uint64_t>(zero_chunk, segment.memory_bytes - at);
      placed = write(segment.address + at, std::span(zeros).first(size));
      at += size;
    }
    if (!placed)
      throw ElfError(fmt::format("{}: its segment {:#x}..{:#x} is outside of the chip's memory", name_,
                                 segment.address, segment.address + segment.memory_bytes - 1));
  }
}

std::optional<std::uint64_t> ElfProgram::symbol(std::string_view name) const {
  const auto found = symbols_.find(name);
  if (found == symbols_.end()) return std::nullopt;
  return found->second;
}

std::string ElfProgram::place(std::uint64_t address) const {
  const auto in = [&](std::uint64_t at) {
    return [at](const ElfSegment& segment) { return at - segment.address < segment.memory_bytes; };
  };
  const auto segment = std::find_if(segments_.begin(), segments_.end(), in(address));
  const auto after = labels_.upper_bound(address);
  if (segment == segments_.end() || after == labels_.begin()) return {};
  const auto& [value, name] = *std::prev(after);
  if (!in(value)(*segment)) return {};
  return value == address ? name : fmt::format("{}+{:#x}", name, address - value);
}

}  // namespace forerun::sim
