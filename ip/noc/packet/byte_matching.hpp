// SPDX-License-Identifier: Apache-2.0
/// Matching in routers of up to 8 ports of up to 8 virtual channels: a byte a port, all ports at once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "ip/noc/packet/matching.hpp"

namespace forerun::ip::noc {

/// `plain`: there are no QoS classes, and outputs are never off.
template <bool plain>
class ByteMatching {
 public:
  using Channels = std::uint8_t;  ///< a bit a virtual channel
  using Local = std::uint8_t;     ///< number of a port and channel of a router
  static constexpr unsigned max_ports = 8, max_channels = 8;
  /// Bits of the number of a channel, and of a port and a channel, fixed when compiled; 0: as it is.
  static constexpr unsigned channel_bits = 3, row_bits = 6;

  ByteMatching(std::size_t routers, unsigned classes, unsigned /*ports*/)
      : classes_(classes),
        routers_(routers),
        requests_(plain ? 0 : routers * classes),
        channels_(routers * classes) {}

  [[gnu::always_inline]] void ask(std::size_t router, unsigned cls, unsigned in, unsigned channel,
                                  unsigned out) {
    auto& channels = asking(router, cls)[in][out];
    channels = static_cast<Channels>(channels | 1u << channel);
    routers_[router].wanted |= bit(in, out);
    if constexpr (!plain) requests(router, cls) |= bit(in, out);
  }
  [[gnu::always_inline]] void withdraw(std::size_t router, unsigned cls, unsigned in, unsigned channel,
                                       unsigned out) {
    auto& channels = asking(router, cls)[in][out];
    channels = static_cast<Channels>(channels & ~(1u << channel));
    if (channels != 0) return;
    auto& wanted = routers_[router].wanted;
    wanted &= ~bit(in, out);
    if constexpr (plain) return;
    requests(router, cls) &= ~bit(in, out);
    if (classes_ > 1) wanted |= others(router, bit(in, out));
  }
  /// The channel whose turn it is of those that ask.
  [[gnu::always_inline]] unsigned take_turn(std::size_t router, unsigned cls, unsigned in, unsigned out) {
    auto& turn = routers_[router].turn[in];
    const auto channel = first_from(asking(router, cls)[in][out], turn);
    turn = static_cast<std::uint8_t>(channel + 1);
    return channel;
  }
  /// No other request wants either port, no other channel the same.
  [[gnu::always_inline]] bool alone(std::size_t router, unsigned cls, unsigned in, unsigned out) const {
    const auto channels = asking(router, cls)[in][out];
    return ((channels & (channels - 1u)) | ((routers_[router].wanted & lanes(in, out)) ^ bit(in, out))) == 0;
  }
  /// An output that is off gets no matches.
  void enable(std::size_t router, unsigned out, bool on) {
    auto& enabled = routers_[router].enabled;
    enabled = on ? enabled | std::uint64_t{0xff} << (out * 8) : enabled & ~(std::uint64_t{0xff} << (out * 8));
  }
  /// Somebody asks for an output that is on.
  [[gnu::always_inline]] bool any(std::size_t router) const {
    return (routers_[router].wanted & routers_[router].enabled) != 0;
  }
  /// Takes both ports for `cycles` from `now` + `ahead` on, up to `now` + 8, if nobody asks for either and
  /// both are free then.
  [[gnu::always_inline]] bool reserve(std::size_t router, unsigned in, unsigned out, unsigned cycles,
                                      unsigned ahead, std::int64_t now) {
    auto& r = routers_[router];
    shift(r, now);
    const auto wanted = run(cycles) << (8 * ahead);
    const auto off = ~r.enabled >> (out * 8) & 1;
    if (((r.wanted & lanes(in, out)) | ((r.busy_inputs >> in | r.busy_outputs >> out) & wanted) | off) != 0)
      return false;
    r.busy_inputs |= wanted << in;
    r.busy_outputs |= wanted << out;
    return true;
  }
  /// Both ports are taken for `cycles`, 1 .. 8, from the cycle of the match on.
  [[gnu::always_inline]] void occupy(std::size_t router, unsigned in, unsigned out, unsigned cycles) {
    auto& r = routers_[router];
    r.busy_inputs |= run(cycles) << in;
    r.busy_outputs |= run(cycles) << out;
  }
  /// The pair matched if it can be no more than one: all the picking of `match` would end with it. Most often
  /// it is so.
  [[gnu::always_inline]] Only match_only(std::size_t router, std::int64_t now) {
    auto& r = routers_[router];
    shift(r, now);
    const auto wanted = r.wanted & r.enabled & usable(r.busy_inputs, r.busy_outputs);
    if (wanted == 0) return {0, {}};
    if ((wanted & (wanted - 1)) != 0) return {2, {}};
    const auto number = static_cast<unsigned>(std::countr_zero(wanted));
    const Match match{number % 8, number / 8, highest(router, wanted)};
    note(r, match.in, match.out);
    return {1, match};
  }
  /// The pairs matched; valid until the next call.
  [[gnu::always_inline]] std::span<const Match> match(std::size_t router, std::int64_t now) {
    auto& r = routers_[router];
    matches_ = 0;
    shift(r, now);
    auto open = r.enabled & usable(r.busy_inputs, r.busy_outputs);
    const auto wanted = r.wanted & open;
    if (plain || classes_ == 1) {
      if (wanted != 0) accept(r, pick(transpose(pick(wanted, r.outputs)), r.inputs), 0);
      return {match_.data(), matches_};
    }
    std::array<std::uint64_t, 16> granted;  // of each class, a byte an output
    for (auto c = classes_; c-- > 0;) {
      const auto of_class = requests(router, c) & open;
      open &= ~bytes(of_class);
      granted[c] = pick(of_class, r.outputs);
    }
    auto free = ~std::uint64_t{0};  // inputs without a grant of a higher class
    for (auto c = classes_; c-- > 0;) {
      const auto offers = transpose(granted[c]) & free;
      free &= ~bytes(offers);
      accept(r, pick(offers, r.inputs), c);
    }
    return {match_.data(), matches_};
  }

 private:
  static constexpr std::uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
  using Masks = std::array<std::uint8_t, 8>;
  static_assert(std::endian::native == std::endian::little);
  static constexpr Masks every() { return std::bit_cast<Masks>(~std::uint64_t{0}); }
  struct alignas(64) Router {
    std::uint64_t busy_inputs = 0, busy_outputs = 0;  // byte k: ports taken in cycle `at` + k
    std::int64_t at = 0;
    // Pointers as masks: byte p has the bits at or after the pointer of port p.
    Masks outputs = every(), inputs = every();
    std::array<std::uint8_t, 8> turn{};  // of each input: channel whose turn it is
    // Byte an output, bit an input: requests of all classes; outputs that are on.
    std::uint64_t wanted = 0, enabled = ~std::uint64_t{0};
  };
  struct alignas(64) Asking : std::array<std::array<Channels, 8>, 8> {};  // [in][out]

  Asking& asking(std::size_t router, unsigned cls) {
    return channels_[plain ? router : router * classes_ + cls];
  }
  const Asking& asking(std::size_t router, unsigned cls) const {
    return channels_[plain ? router : router * classes_ + cls];
  }
  std::uint64_t& requests(std::size_t router, unsigned cls) { return requests_[router * classes_ + cls]; }
  /// `request`, if any class has it.
  std::uint64_t others(std::size_t router, std::uint64_t request) const {
    const auto* const of = &requests_[router * classes_];
    auto all = of[0] | of[1];
    if (classes_ > 2) [[unlikely]]
      for (unsigned c = 2; c < classes_; ++c) all |= of[c];
    return all & request;
  }
  /// The highest class of a request.
  unsigned highest(std::size_t router, std::uint64_t request) const {
    if constexpr (plain) return 0;
    auto cls = classes_ - 1;
    while ((requests_[router * classes_ + cls] & request) == 0) --cls;
    return cls;
  }
  static constexpr std::uint64_t bit(unsigned in, unsigned out) { return std::uint64_t{1} << (out * 8 + in); }
  /// All requests of an input and for an output.
  static constexpr std::uint64_t lanes(unsigned in, unsigned out) {
    return std::uint64_t{0xff} << (out * 8) | ones << in;
  }
  /// The lowest bit of each of the first bytes.
  static constexpr std::uint64_t run(unsigned cycles) { return ones >> (8 * (8 - cycles)); }
  static void shift(Router& r, std::int64_t now) {
    const auto half = 4 * std::min<std::int64_t>(now - r.at, 8);  // bits
    r.busy_inputs = r.busy_inputs >> half >> half;
    r.busy_outputs = r.busy_outputs >> half >> half;
    r.at = now;
  }
  /// A pair is matched: others come first at its ports next time.
  static void note(Router& r, unsigned in, unsigned out) {
    r.outputs[out] = static_cast<std::uint8_t>(0xffu << (in + 1));
    r.inputs[in] = static_cast<std::uint8_t>(0xffu << (out + 1));
  }
  /// `pairs`: a byte an input, a bit an output.
  [[gnu::always_inline]] void accept(Router& r, std::uint64_t pairs, unsigned cls) {
    for (; pairs != 0; pairs &= pairs - 1) {
      const auto pair = static_cast<unsigned>(std::countr_zero(pairs));
      const auto in = pair / 8, out = pair % 8;
      note(r, in, out);
      match_[matches_++] = {in, out, cls};
    }
  }
  /// Requests between ports that are not busy, as bits of the first byte.
  static std::uint64_t usable(std::uint64_t busy_inputs, std::uint64_t busy_outputs) {
    return ~(ones * (busy_inputs & 0xff)) & ~rows(busy_outputs & 0xff);
  }
  /// All bits of byte p for each bit p.
  static std::uint64_t rows(std::uint64_t bits) { return bytes((bits * ones) & 0x8040201008040201u); }
  /// All bits of the bytes that are not 0.
  static std::uint64_t bytes(std::uint64_t bits) {
    const auto some = ((((bits & low) + low) | bits) >> 7) & ones;
    return (some << 8) - some;
  }
  /// In each byte the lowest bit of `bits` within `from`, or else the lowest of all.
  static std::uint64_t pick(std::uint64_t bits, const Masks& from) {
    const auto after = bits & std::bit_cast<std::uint64_t>(from);
    const auto within = bytes(after);
    const auto chosen = (after & within) | (bits & ~within);
    return chosen & ((~chosen & low) + ones);
  }
  /// Bit (i, j) to (j, i).
  static std::uint64_t transpose(std::uint64_t x) {
    auto t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aau;
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & 0x0000cccc0000ccccu;
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0u;
    return x ^ t ^ (t << 28);
  }

  unsigned classes_;
  std::vector<Router> routers_;
  std::vector<std::uint64_t> requests_;  // if not plain: [router][class], as Router::wanted
  std::vector<Asking> channels_;         // [router][class]: those that ask
  std::array<Match, 8> match_{};
  std::size_t matches_ = 0;
};

}  // namespace forerun::ip::noc
