// SPDX-License-Identifier: Apache-2.0
/// An AXI burst and the bytes that it moves, and how any range of bytes becomes bursts.
#pragma once

#include <cstdint>
#include <vector>

#include "ip/cosim/pins.hpp"

namespace forerun::ip::cosim {

/// A burst under way between a bus model and its user. `data` holds the bytes that the burst moves, in the
/// order in which they pass, without gaps: for INCR those from `address` on, for FIXED `fixed_bytes` a beat,
/// for WRAP from `address` to the container's end and then from its start.
struct AxiBurst {
  bool write = false;
  std::uint32_t id = 0;
  std::uint64_t address = 0;
  unsigned beats = 1;  ///< 1 to 256
  unsigned size = 0;   ///< log2 of the bytes of a beat
  BurstKind kind = BurstKind::incr;
  bool lock = false;  ///< exclusive access
  std::uint8_t cache = 0, prot = 0, qos = 0, region = 0;

  unsigned char* data = nullptr;
  unsigned length =
      0;  ///< bytes of `data`; beats may reach beyond it, where strobes are low and reads are dropped
  unsigned fixed_bytes = 0;  ///< of a FIXED burst: bytes a beat that are used
  /// One byte for each byte of data, zero where nothing is written; null: all are. Byte i is at
  /// (enables_phase + i) % enables_period.
  unsigned char* enables = nullptr;
  unsigned enables_phase = 0, enables_period = 1;

  Response response = Response::okay;  ///< the worst of all beats
  void* owner = nullptr;               ///< of whoever made the burst
  unsigned beat = 0;                   ///< progress, kept by the bus model
  bool answered = false;               ///< kept by the bus model

  unsigned beat_bytes() const { return 1u << size; }
  /// Bytes that the burst moves if none are cut off: what `length` is on the receiving side.
  unsigned full_length() const;
  /// The lowest address that the burst touches.
  std::uint64_t lowest_address() const;
  bool enabled(unsigned byte) const {
    return enables == nullptr || enables[(enables_phase + byte) % enables_period] != 0;
  }
};

/// Where one beat's bytes are.
struct BeatSpan {
  std::uint64_t address = 0;
  unsigned lane = 0;    ///< of the first byte
  unsigned count = 0;   ///< bytes
  unsigned offset = 0;  ///< in the burst's data
};

/// The bytes of beat `beat` on a bus of `data_bytes`, cut to the burst's length.
BeatSpan beat_span(const AxiBurst& burst, unsigned beat, unsigned data_bytes);

/// A range of bytes to be moved, as a TLM payload describes it.
struct AxiAccess {
  bool write = false;
  std::uint64_t address = 0;
  unsigned char* data = nullptr;
  unsigned length = 0;           ///< 1 or more
  unsigned streaming_width = 0;  ///< the range repeats after so many bytes; 0 or >= length: it does not
  unsigned char* enables = nullptr;
  unsigned enables_period = 1;
};

struct SplitParameters {
  unsigned most_beats = 256;       ///< of an INCR burst, 1 to 256
  unsigned most_beat_bytes = 128;  ///< narrower than the bus for narrow bursts: a power of two
  unsigned boundary = 4096;        ///< bytes, a power of two up to AXI's 4096: no burst crosses a multiple
};

/// Appends the bursts that carry an access, in order: none crosses a boundary; an access within one aligned
/// power of two becomes one beat of that size; others take beats of the full width, with strobes low (reads:
/// bytes dropped) where they reach beyond. A streaming width that fits in a beat becomes FIXED bursts of up
/// to 16 beats, a wider one repeated INCR bursts. An AXI4-Lite interface gets single, aligned beats of full
/// width.
void split(const AxiAccess& access, const AxiShape& shape, const SplitParameters& parameters,
           std::vector<AxiBurst>& bursts);

/// The worse of two responses, as for beats of one burst or bursts of one access: DECERR, SLVERR, OKAY,
/// EXOKAY.
inline Response worse(Response a, Response b) {
  constexpr unsigned rank[] = {1, 0, 2, 3};
  return rank[static_cast<unsigned>(a)] >= rank[static_cast<unsigned>(b)] ? a : b;
}

}  // namespace forerun::ip::cosim
