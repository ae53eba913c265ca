// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "models/compiler/split.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t stream_alignment = 256;  // what a command processor fetches at a time

/// Where the parts of the head lie, as offsets from the header.
struct HeadLayout {
  std::uint64_t streams, tags, segments, tables_end, end;
  std::vector<std::uint64_t> stream;
};

HeadLayout lay_out(const Program& program) {
  HeadLayout l{};
  l.streams = sizeof(fr_program_header);
  l.tags = l.streams + program.streams.size() * sizeof(fr_program_stream);
  l.segments = l.tags + program.tags.size() * sizeof(fr_program_tag);
  l.tables_end = l.segments + program.segments.size() * sizeof(fr_program_segment);
  auto at = round_up(l.tables_end, stream_alignment);
  for (const auto& stream : program.streams) {
    l.stream.push_back(at);
    at = round_up(at + stream.size(), stream_alignment);
  }
  l.end = at;
  return l;
}

template <typename T>
void put(std::vector<unsigned char>& bytes, std::uint64_t at, const T& value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

void put_name(char* to, std::size_t size, const std::string& name) {
  std::memcpy(to, name.data(), std::min(name.size(), size - 1));
}

}  // namespace

std::uint64_t Program::head_bytes() const { return lay_out(*this).end; }

std::vector<unsigned char> make_head(const Program& program, bool with_data) {
  const auto layout = lay_out(program);
  std::vector<unsigned char> bytes(layout.end);
  auto header = program.header;
  header.magic = FR_PROGRAM_MAGIC;
  header.version = FR_PROGRAM_VERSION;
  header.crc32 = 0;
  header.clusters = static_cast<std::uint32_t>(program.streams.size());
  header.streams_offset = static_cast<std::uint32_t>(layout.streams);
  header.tags_offset = static_cast<std::uint32_t>(layout.tags);
  header.tags = static_cast<std::uint32_t>(program.tags.size());
  header.segments_offset = static_cast<std::uint32_t>(layout.segments);
  header.segments = static_cast<std::uint32_t>(program.segments.size());
  for (std::size_t i = 0; i < program.streams.size(); ++i) {
    put(bytes, layout.streams + i * sizeof(fr_program_stream),
        fr_program_stream{header.load_address + layout.stream[i], program.streams[i].size()});
    std::copy(program.streams[i].begin(), program.streams[i].end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(layout.stream[i]));
  }
  for (std::size_t i = 0; i < program.tags.size(); ++i) {
    fr_program_tag tag{};
    put_name(tag.name, sizeof tag.name, program.tags[i]);
    put(bytes, layout.tags + i * sizeof tag, tag);
  }
  auto offset = layout.end;
  for (std::size_t i = 0; i < program.segments.size(); ++i) {
    const auto& segment = program.segments[i];
    const auto file_bytes = with_data || !segment.data ? segment.bytes.size() : 0;
    put(bytes, layout.segments + i * sizeof(fr_program_segment),
        fr_program_segment{segment.address, offset, file_bytes, segment.memory_bytes,
                           segment.data ? +FR_SEGMENT_DATA : 0u, 0});
    offset += file_bytes;
  }
  header.bytes = offset;
  put(bytes, 0, header);
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), layout.tables_end);
  header.crc32 = crc.checksum();
  put(bytes, 0, header);
  return bytes;
}

void write_container(const Program& program, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const auto write = [&file](const std::vector<unsigned char>& bytes) {
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  write(make_head(program, true));
  for (const auto& segment : program.segments) write(segment.bytes);
  file.close();
  if (!file) throw std::runtime_error(path + ": cannot be written");
}

Program read_container(const std::string& path) {
  const auto fail = [&path](const std::string& what) { throw std::runtime_error(path + ": " + what); };
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) fail("cannot be read");
  const auto size = static_cast<std::uint64_t>(file.tellg());
  std::vector<unsigned char> bytes(size);
  file.seekg(0).read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) fail("cannot be read");
  const auto within = [&](std::uint64_t offset, std::uint64_t length, const char* what) {
    if (offset > size || length > size - offset)
      fail(fmt::format("{} lies beyond the end of the file", what));
  };
  Program program;
  auto& h = program.header;
  within(0, sizeof h, "the header");
  std::memcpy(&h, bytes.data(), sizeof h);
  if (h.magic != FR_PROGRAM_MAGIC) fail("is no program container");
  if (h.version != FR_PROGRAM_VERSION)
    fail(fmt::format("is a container of version {}, expected {}", h.version, +FR_PROGRAM_VERSION));
  if (h.bytes != size) fail(fmt::format("has {} bytes, its header says {}", size, h.bytes));
  within(h.streams_offset, std::uint64_t{h.clusters} * sizeof(fr_program_stream), "the stream table");
  within(h.tags_offset, std::uint64_t{h.tags} * sizeof(fr_program_tag), "the tag table");
  within(h.segments_offset, std::uint64_t{h.segments} * sizeof(fr_program_segment), "the segment table");
  const auto tables_end = h.segments_offset + std::uint64_t{h.segments} * sizeof(fr_program_segment);
  auto blank = h;
  blank.crc32 = 0;
  boost::crc_32_type crc;
  crc.process_bytes(&blank, sizeof blank);
  if (tables_end >= sizeof h) crc.process_bytes(bytes.data() + sizeof h, tables_end - sizeof h);
  if (crc.checksum() != h.crc32) fail("the checksum of its tables does not match");
  const auto part = [&](std::uint64_t offset, std::uint64_t length) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::vector<unsigned char>(begin, begin + static_cast<std::ptrdiff_t>(length));
  };
  for (std::uint32_t i = 0; i < h.clusters; ++i) {
    fr_program_stream stream;
    std::memcpy(&stream, bytes.data() + h.streams_offset + i * sizeof stream, sizeof stream);
    within(stream.address - h.load_address, stream.bytes, "a command stream");
    program.streams.push_back(part(stream.address - h.load_address, stream.bytes));
  }
  for (std::uint32_t i = 0; i < h.tags; ++i) {
    fr_program_tag tag;
    std::memcpy(&tag, bytes.data() + h.tags_offset + i * sizeof tag, sizeof tag);
    program.tags.emplace_back(tag.name, strnlen(tag.name, sizeof tag.name));
  }
  for (std::uint32_t i = 0; i < h.segments; ++i) {
    fr_program_segment segment;
    std::memcpy(&segment, bytes.data() + h.segments_offset + i * sizeof segment, sizeof segment);
    within(segment.file_offset, segment.file_bytes, "a segment");
    program.segments.push_back({"", segment.address, segment.memory_bytes,
                                part(segment.file_offset, segment.file_bytes),
                                (segment.flags & FR_SEGMENT_DATA) != 0});
  }
  return program;
}

}  // namespace forerun::models
