// SPDX-License-Identifier: Apache-2.0
/// Who may cross the switches: requests of input ports for output ports, and one iteration of iSLIP (N.
/// McKeown, "The iSLIP scheduling algorithm for input-queued switches", 1999) over them. Each output grants
/// the first request at or after its pointer, each input accepts the first grant at or after its own;
/// pointers move past what was accepted. An input that got two grants leaves an output idle: this is what
/// keeps a network below its links' capacity. A request of a higher QoS class wins over those of lower
/// classes at both.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace forerun::ip::noc {

/// The first set bit of `bits`, not 0, at or after `from` (below 64), or else the first of all.
inline unsigned first_from(std::uint64_t bits, unsigned from) {
  const auto after = bits & (~std::uint64_t{0} << from);
  return static_cast<unsigned>(std::countr_zero(after != 0 ? after : bits));
}

/// Routers of up to 8 ports: a byte a port, all ports at once.
class ByteMatching {
 public:
  static constexpr unsigned max_ports = 8;

  ByteMatching(std::size_t routers, unsigned classes, unsigned ports)
      : classes_(classes), ports_(ports), requests_(routers * classes), pointers_(routers) {}

  void request(std::size_t router, unsigned cls, unsigned in, unsigned out) {
    requests_[router * classes_ + cls] |= std::uint64_t{1} << (out * 8 + in);
  }
  /// Withdraws the request if `yes`.
  void withdraw(std::size_t router, unsigned cls, unsigned in, unsigned out, bool yes) {
    requests_[router * classes_ + cls] &= ~(std::uint64_t{yes} << (out * 8 + in));
  }
  /// An output that is off gets no matches.
  void enable(std::size_t router, unsigned out, bool on) {
    auto& enabled = pointers_[router].enabled;
    enabled = on ? enabled | std::uint64_t{0xff} << (out * 8) : enabled & ~(std::uint64_t{0xff} << (out * 8));
  }
  bool any(std::size_t router) const { return (all(router) & pointers_[router].enabled) != 0; }
  /// No other request wants either port.
  bool alone(std::size_t router, unsigned in, unsigned out) const {
    const auto requests = all(router), row = std::uint64_t{0xff} << (out * 8), column = ones << in;
    return (requests & (row | column)) == std::uint64_t{1} << (out * 8 + in);
  }
  /// Takes both ports for `cycles` from `now` + `ahead` on, up to `now` + 8, if nobody asks for either and
  /// both are free then.
  bool reserve(std::size_t router, unsigned in, unsigned out, unsigned cycles, unsigned ahead,
               std::int64_t now) {
    auto& p = pointers_[router];
    const auto row = std::uint64_t{0xff} << (out * 8), column = ones << in;
    if ((all(router) & (row | column)) != 0 || (p.enabled & row) == 0) return false;
    shift(p, now);
    const auto each = (ones >> (8 * (8 - cycles))) << (8 * ahead);
    if (((p.busy_inputs >> in | p.busy_outputs >> out) & each) != 0) return false;
    p.busy_inputs |= each << in;
    p.busy_outputs |= each << out;
    return true;
  }
  /// Both ports are taken for `cycles`, 1 .. 8, from `now` on.
  void occupy(std::size_t router, unsigned in, unsigned out, unsigned cycles) {
    auto& p = pointers_[router];
    const auto each = ones >> (8 * (8 - cycles));
    p.busy_inputs |= each << in;
    p.busy_outputs |= each << out;
  }
  /// Calls accept(in, out, class) for each pair matched.
  template <bool one_class, class Accept>
  [[gnu::always_inline]] inline void match(std::size_t router, std::int64_t now, Accept&& accept) {
    auto& p = pointers_[router];
    if (one_class && (requests_[router] & p.enabled) == 0) return;
    shift(p, now);
    auto usable = p.enabled;
    if (((p.busy_inputs | p.busy_outputs) & 0xff) != 0)
      usable &= ~(ones * (p.busy_inputs & 0xff)) & ~rows(p.busy_outputs & 0xff);
    if (one_class || classes_ == 1) {
      const auto requests = requests_[router] & usable;
      if (requests != 0) accept_all(p, pick(transpose(pick(requests, p.outputs)), p.inputs), 0, accept);
      return;
    }
    std::array<std::uint64_t, 16> granted;  // of each class, a byte an output
    for (auto c = classes_; c-- > 0;) {
      const auto requests = requests_[router * classes_ + c] & usable;
      usable &= ~bytes(requests);
      granted[c] = pick(requests, p.outputs);
    }
    auto open = ~std::uint64_t{0};  // inputs without a grant of a higher class
    for (auto c = classes_; c-- > 0;) {
      const auto offers = transpose(granted[c]) & open;
      open &= ~bytes(offers);
      accept_all(p, pick(offers, p.inputs), c, accept);
    }
  }

 private:
  static constexpr std::uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
  struct Pointers {  // as masks: byte p has the bits at or after the pointer of port p
    std::uint64_t outputs = ~std::uint64_t{0}, inputs = ~std::uint64_t{0}, enabled = ~std::uint64_t{0};
    std::uint64_t busy_inputs = 0, busy_outputs = 0;  // byte k: ports taken in cycle `at` + k
    std::int64_t at = 0;
  };
  static void shift(Pointers& p, std::int64_t now) {
    if (const auto passed = now - p.at; passed != 0) {
      p.busy_inputs = passed < 8 ? p.busy_inputs >> (8 * passed) : 0;
      p.busy_outputs = passed < 8 ? p.busy_outputs >> (8 * passed) : 0;
      p.at = now;
    }
  }
  std::uint64_t all(std::size_t router) const {
    auto requests = requests_[router * classes_];
    for (unsigned c = 1; c < classes_; ++c) requests |= requests_[router * classes_ + c];
    return requests;
  }
  /// All bits of byte p for each bit p.
  static std::uint64_t rows(std::uint64_t bits) { return bytes((bits * ones) & 0x8040201008040201u); }
  template <class Pointers, class Accept>
  [[gnu::always_inline]] inline void accept_all(Pointers& p, std::uint64_t pairs, unsigned cls,
                                                Accept&& accept) {
    for (; pairs != 0; pairs &= pairs - 1) {  // a byte an input, a bit an output
      const auto bit = static_cast<unsigned>(std::countr_zero(pairs));
      const auto in = bit / 8, out = bit % 8;
      point(p.outputs, out, in + 1);
      point(p.inputs, in, out + 1);
      accept(in, out, cls);
    }
  }
  /// All bits of the bytes that are not 0.
  static std::uint64_t bytes(std::uint64_t bits) {
    const auto some = ((((bits & low) + low) | bits) >> 7) & ones;
    return (some << 8) - some;
  }
  /// In each byte the lowest bit of `bits` within `from`, or else the lowest of all.
  static std::uint64_t pick(std::uint64_t bits, std::uint64_t from) {
    const auto after = bits & from;
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
  void point(std::uint64_t& masks, unsigned port, unsigned to) const {
    const auto mask = to == ports_ ? 0xffu : (0xffu << to) & 0xffu;
    masks = (masks & ~(std::uint64_t{0xff} << (port * 8))) | std::uint64_t{mask} << (port * 8);
  }

  unsigned classes_, ports_;
  std::vector<std::uint64_t> requests_;
  std::vector<Pointers> pointers_;
};

/// Routers of any number of ports.
class WordMatching {
 public:
  static constexpr unsigned max_ports = 1024;

  WordMatching(std::size_t routers, unsigned classes, unsigned ports)
      : classes_(classes),
        ports_(ports),
        words_((ports + 63) / 64),
        requests_(routers * classes * ports * words_),
        wanted_(routers * classes * words_),
        enabled_(routers * words_, ~std::uint64_t{0}),
        outputs_(routers * ports),
        inputs_(routers * ports),
        of_input_(routers * ports),
        of_output_(routers * ports),
        input_until_(routers * ports),
        output_until_(routers * ports),
        accepted_(ports) {}

  void request(std::size_t router, unsigned cls, unsigned in, unsigned out) {
    auto& word = row(router, cls, out)[in / 64];
    if ((word & bit(in)) != 0) return;
    word |= bit(in);
    wanted(router, cls)[out / 64] |= bit(out);
    ++of_input_[router * ports_ + in];
    ++of_output_[router * ports_ + out];
  }
  void withdraw(std::size_t router, unsigned cls, unsigned in, unsigned out, bool yes) {
    auto* r = row(router, cls, out);
    if (!yes || (r[in / 64] & bit(in)) == 0) return;
    r[in / 64] &= ~bit(in);
    --of_input_[router * ports_ + in];
    --of_output_[router * ports_ + out];
    if (std::all_of(r, r + words_, [](std::uint64_t w) { return w == 0; }))
      wanted(router, cls)[out / 64] &= ~bit(out);
  }
  void enable(std::size_t router, unsigned out, bool on) {
    auto& word = enabled_[router * words_ + out / 64];
    word = on ? word | bit(out) : word & ~bit(out);
  }
  bool alone(std::size_t router, unsigned in, unsigned out) const {
    return of_input_[router * ports_ + in] == 1 && of_output_[router * ports_ + out] == 1;
  }
  bool reserve(std::size_t router, unsigned in, unsigned out, unsigned cycles, unsigned ahead,
               std::int64_t now) {
    auto &input = input_until_[router * ports_ + in], &output = output_until_[router * ports_ + out];
    const auto start = now + ahead;
    if (of_input_[router * ports_ + in] != 0 || of_output_[router * ports_ + out] != 0 || input > start ||
        output > start || (enabled_[router * words_ + out / 64] & bit(out)) == 0)
      return false;
    input = output = start + cycles;
    return true;
  }
  void occupy(std::size_t router, unsigned in, unsigned out, unsigned cycles) {
    input_until_[router * ports_ + in] = output_until_[router * ports_ + out] = now_ + cycles;
  }
  bool any(std::size_t router) {
    for (unsigned c = 0; c < classes_; ++c)
      for (unsigned w = 0; w < words_; ++w)
        if ((wanted(router, c)[w] & enabled_[router * words_ + w]) != 0) return true;
    return false;
  }
  template <bool, class Accept>
  void match(std::size_t router, std::int64_t now, Accept&& accept) {
    now_ = now;
    auto *outputs = &outputs_[router * ports_], *inputs = &inputs_[router * ports_];
    ins_.clear();
    for (unsigned w = 0; w < words_; ++w) {
      auto left = enabled_[router * words_ + w];
      for (auto c = classes_; c-- > 0;)
        for (auto bits = wanted(router, c)[w] & left; bits != 0; bits &= bits - 1) {
          const auto out = w * 64 + static_cast<unsigned>(std::countr_zero(bits));
          if (output_until_[router * ports_ + out] > now) continue;
          const auto in = first(row(router, c, out), &input_until_[router * ports_], outputs[out]);
          if (in == none_) continue;
          left &= ~bit(out);
          auto& best = accepted_[in];
          if (best.out == none_) ins_.push_back(in);
          if (best.out == none_ || c > best.cls ||
              (c == best.cls && behind(out, inputs[in]) < behind(best.out, inputs[in])))
            best = {out, c};
        }
    }
    for (const auto in : ins_) {
      const auto [out, cls] = accepted_[in];
      accepted_[in] = {};
      outputs[out] = in + 1 == ports_ ? 0 : in + 1;
      inputs[in] = out + 1 == ports_ ? 0 : out + 1;
      accept(in, out, cls);
    }
  }

 private:
  static constexpr unsigned none_ = ~0u;
  struct Accepted {
    unsigned out = none_, cls = 0;
  };
  static std::uint64_t bit(unsigned i) { return std::uint64_t{1} << (i % 64); }
  std::uint64_t* row(std::size_t router, unsigned cls, unsigned out) {
    return &requests_[((router * classes_ + cls) * ports_ + out) * words_];
  }
  std::uint64_t* wanted(std::size_t router, unsigned cls) {
    return &wanted_[(router * classes_ + cls) * words_];
  }
  unsigned behind(unsigned port, unsigned pointer) const {
    return port >= pointer ? port - pointer : port + ports_ - pointer;
  }
  /// The first input of a row at or after `from`, round, that is not busy.
  unsigned first(const std::uint64_t* r, const std::int64_t* until, unsigned from) const {
    auto w = from / 64;
    auto bits = r[w] & (~std::uint64_t{0} << (from % 64));
    for (unsigned i = 0; i <= words_; ++i) {
      for (; bits != 0; bits &= bits - 1)
        if (const auto in = w * 64 + static_cast<unsigned>(std::countr_zero(bits)); until[in] <= now_)
          return in;
      w = w + 1 == words_ ? 0 : w + 1;
      bits = r[w];
    }
    return none_;
  }

  unsigned classes_, ports_, words_;
  std::vector<std::uint64_t> requests_, wanted_, enabled_;
  std::vector<unsigned> outputs_, inputs_, of_input_, of_output_;
  std::vector<std::int64_t> input_until_, output_until_;
  std::vector<Accepted> accepted_;
  std::vector<unsigned> ins_;
  std::int64_t now_ = 0;
};

}  // namespace forerun::ip::noc
