// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/axi_burst.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace forerun::ip::cosim {

namespace {
constexpr unsigned most_fixed_beats = 16;

void check_width(unsigned data_bytes) {
  if (!std::has_single_bit(data_bytes) || data_bytes > most_data_bytes)
    throw std::invalid_argument(fmt::format("a data bus has 1, 2, 4, ... 128 bytes, not {}", data_bytes));
}

unsigned log2(std::uint64_t value) { return static_cast<unsigned>(std::bit_width(value)) - 1; }

/// The smallest beat (log2 of its bytes) whose aligned container holds `length` bytes from `address`.
unsigned covering_size(std::uint64_t address, std::uint64_t length) {
  return static_cast<unsigned>(std::bit_width(address ^ (address + length - 1)));
}
}  // namespace

unsigned AxiShape::full_size() const { return log2(data_bytes); }

void AxiShape::check() const {
  check_width(data_bytes);
  if (id_bits > 32) throw std::invalid_argument(fmt::format("an ID has 0 to 32 bits, not {}", id_bits));
  if (address_bits < 1 || address_bits > 64)
    throw std::invalid_argument(fmt::format("an address has 1 to 64 bits, not {}", address_bits));
}

void StreamShape::check() const { check_width(data_bytes); }

unsigned AxiBurst::full_length() const {
  const auto head = static_cast<unsigned>(address & (beat_bytes() - 1));
  switch (kind) {
    case BurstKind::fixed:
      return beats * (fixed_bytes != 0 ? fixed_bytes : beat_bytes() - head);
    case BurstKind::wrap:
      return beats * beat_bytes();
    default:
      return beats * beat_bytes() - head;
  }
}

std::uint64_t AxiBurst::lowest_address() const {
  return kind == BurstKind::wrap ? address - address % (std::uint64_t{beats} << size) : address;
}

BeatSpan beat_span(const AxiBurst& burst, unsigned beat, unsigned data_bytes) {
  const std::uint64_t bytes = burst.beat_bytes(), head = burst.address & (bytes - 1);
  BeatSpan span;
  switch (burst.kind) {
    case BurstKind::fixed:
      span.address = burst.address;
      span.count = burst.fixed_bytes != 0 ? burst.fixed_bytes : static_cast<unsigned>(bytes - head);
      span.offset = beat * span.count;
      break;
    case BurstKind::wrap: {
      const auto container = bytes * burst.beats, base = burst.lowest_address();
      span.address = base + (burst.address - base + beat * bytes) % container;
      span.count = static_cast<unsigned>(bytes);
      span.offset = static_cast<unsigned>(beat * bytes);
      break;
    }
    default:
      if (beat == 0) {
        span.address = burst.address;
        span.count = static_cast<unsigned>(bytes - head);
      } else {
        span.address = burst.address - head + beat * bytes;
        span.count = static_cast<unsigned>(bytes);
        span.offset = static_cast<unsigned>(beat * bytes - head);
      }
  }
  span.lane = static_cast<unsigned>(span.address & (data_bytes - 1));
  span.count = std::min(span.count, burst.length - std::min(burst.length, span.offset));
  span.count = std::min(span.count, data_bytes - span.lane);
  return span;
}

namespace {

class Splitter {
 public:
  Splitter(const AxiAccess& access, const AxiShape& shape, const SplitParameters& parameters,
           std::vector<AxiBurst>& bursts)
      : access_(access),
        lite_(shape.lite),
        bursts_(bursts),
        parameters_(parameters),
        full_(log2(shape.lite ? shape.data_bytes : std::min(shape.data_bytes, parameters.most_beat_bytes))) {}

  /// Bytes `offset` to `offset + length` of the data, to ascending addresses from `address`.
  void ascending(std::uint64_t address, unsigned offset, unsigned length) {
    const std::uint64_t beat = std::uint64_t{1} << full_;
    while (length > 0) {
      const auto room = parameters_.boundary - (address & (parameters_.boundary - 1));
      const auto beats_room = (lite_ ? 1 : parameters_.most_beats) * beat - (address & (beat - 1));
      const auto part = static_cast<unsigned>(std::min<std::uint64_t>({length, room, beats_room}));
      auto& burst = add(offset, part);
      const auto cover = covering_size(address, part);
      burst.size = lite_ ? full_ : std::min(cover, full_);
      burst.address = address;
      burst.beats =
          cover <= full_ ? 1 : static_cast<unsigned>(((address & (beat - 1)) + part + beat - 1) >> full_);
      address += part;
      offset += part;
      length -= part;
    }
  }

  void fixed(unsigned width) {
    const auto size = covering_size(access_.address, width);
    for (unsigned offset = 0; offset < access_.length;) {
      const auto part = std::min(access_.length - offset, most_fixed_beats * width);
      auto& burst = add(offset, part);
      burst.kind = BurstKind::fixed;
      burst.address = access_.address;
      burst.size = size;
      burst.fixed_bytes = width;
      burst.beats = (part + width - 1) / width;
      offset += part;
    }
  }

  void run() {
    const auto width = access_.streaming_width;
    if (width == 0 || width >= access_.length) return ascending(access_.address, 0, access_.length);
    if (!lite_ && covering_size(access_.address, width) <= full_) return fixed(width);
    for (unsigned offset = 0; offset < access_.length; offset += width)
      ascending(access_.address, offset, std::min(width, access_.length - offset));
  }

 private:
  AxiBurst& add(unsigned offset, unsigned length) {
    auto& burst = bursts_.emplace_back();
    burst.write = access_.write;
    burst.data = access_.data + offset;
    burst.length = length;
    burst.enables = access_.enables;
    burst.enables_period = std::max(access_.enables_period, 1u);
    burst.enables_phase = offset % burst.enables_period;
    return burst;
  }

  const AxiAccess& access_;
  bool lite_;
  std::vector<AxiBurst>& bursts_;
  const SplitParameters& parameters_;
  unsigned full_;
};

}  // namespace

void split(const AxiAccess& access, const AxiShape& shape, const SplitParameters& parameters,
           std::vector<AxiBurst>& bursts) {
  Splitter(access, shape, parameters, bursts).run();
}

}  // namespace forerun::ip::cosim
