// SPDX-License-Identifier: Apache-2.0
/// Matching in routers of any number of ports and channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ip/noc/packet/matching.hpp"

namespace forerun::ip::noc {

class WordMatching {
 public:
  using Channels = std::uint32_t;
  using Local = std::uint16_t;
  static constexpr unsigned max_ports = 1024, max_channels = 32;
  static constexpr unsigned channel_bits = 0, row_bits = 0;

  WordMatching(std::size_t routers, unsigned classes, unsigned ports)
      : classes_(classes),
        ports_(ports),
        words_((ports + 63) / 64),
        requests_(routers * classes * ports * words_),
        wanted_(routers * classes * words_),
        enabled_(routers * words_, ~std::uint64_t{0}),
        asking_(routers * classes * ports * ports),
        turn_(routers * ports),
        outputs_(routers * ports),
        inputs_(routers * ports),
        of_input_(routers * ports),
        of_output_(routers * ports),
        input_until_(routers * ports),
        output_until_(routers * ports),
        accepted_(ports) {}

  void ask(std::size_t router, unsigned cls, unsigned in, unsigned channel, unsigned out) {
    asking(router, cls, in, out) |= Channels{1} << channel;
    auto& word = row(router, cls, out)[in / 64];
    if ((word & bit(in)) != 0) return;
    word |= bit(in);
    wanted(router, cls)[out / 64] |= bit(out);
    ++of_input_[router * ports_ + in];
    ++of_output_[router * ports_ + out];
  }
  void withdraw(std::size_t router, unsigned cls, unsigned in, unsigned channel, unsigned out) {
    auto& channels = asking(router, cls, in, out);
    channels &= ~(Channels{1} << channel);
    auto* r = row(router, cls, out);
    if (channels != 0 || (r[in / 64] & bit(in)) == 0) return;
    r[in / 64] &= ~bit(in);
    --of_input_[router * ports_ + in];
    --of_output_[router * ports_ + out];
    if (std::all_of(r, r + words_, [](std::uint64_t w) { return w == 0; }))
      wanted(router, cls)[out / 64] &= ~bit(out);
  }
  unsigned take_turn(std::size_t router, unsigned cls, unsigned in, unsigned out) {
    auto& turn = turn_[router * ports_ + in];
    const auto channel = first_from(asking(router, cls, in, out), turn);
    turn = channel + 1;
    return channel;
  }
  bool alone(std::size_t router, unsigned cls, unsigned in, unsigned out) const {
    const auto channels = asking_[((router * classes_ + cls) * ports_ + in) * ports_ + out];
    return (channels & (channels - 1)) == 0 && of_input_[router * ports_ + in] == 1 &&
           of_output_[router * ports_ + out] == 1;
  }
  void enable(std::size_t router, unsigned out, bool on) {
    auto& word = enabled_[router * words_ + out / 64];
    word = on ? word | bit(out) : word & ~bit(out);
  }
  bool any(std::size_t router) {
    for (unsigned c = 0; c < classes_; ++c)
      for (unsigned w = 0; w < words_; ++w)
        if ((wanted(router, c)[w] & enabled_[router * words_ + w]) != 0) return true;
    return false;
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
  Only match_only(std::size_t, std::int64_t) { return {2, {}}; }
  std::span<const Match> match(std::size_t router, std::int64_t now) {
    now_ = now;
    auto *outputs = &outputs_[router * ports_], *inputs = &inputs_[router * ports_];
    ins_.clear();
    for (unsigned w = 0; w < words_; ++w) {
      auto left = enabled_[router * words_ + w];
      for (auto c = classes_; c-- > 0;)
        each(wanted(router, c)[w] & left, [&](unsigned b) {
          const auto out = w * 64 + b;
          if (output_until_[router * ports_ + out] > now) return;
          const auto in = first(row(router, c, out), &input_until_[router * ports_], outputs[out]);
          if (in == none_) return;
          left &= ~bit(out);
          auto& best = accepted_[in];
          if (best.out == none_) ins_.push_back(in);
          if (best.out == none_ || c > best.cls ||
              (c == best.cls && behind(out, inputs[in]) < behind(best.out, inputs[in])))
            best = {out, c};
        });
    }
    matches_.clear();
    for (const auto in : ins_) {
      const auto [out, cls] = accepted_[in];
      accepted_[in] = {};
      outputs[out] = in + 1 == ports_ ? 0 : in + 1;
      inputs[in] = out + 1 == ports_ ? 0 : out + 1;
      matches_.push_back({in, out, cls});
    }
    return matches_;
  }

 private:
  static constexpr unsigned none_ = ~0u;
  struct Accepted {
    unsigned out = none_, cls = 0;
  };
  static std::uint64_t bit(unsigned i) { return std::uint64_t{1} << (i % 64); }
  Channels& asking(std::size_t router, unsigned cls, unsigned in, unsigned out) {
    return asking_[((router * classes_ + cls) * ports_ + in) * ports_ + out];
  }
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
  std::vector<Channels> asking_;  // [router][class][in][out]
  std::vector<unsigned> turn_;    // [router][in]
  std::vector<unsigned> outputs_, inputs_, of_input_, of_output_;
  std::vector<std::int64_t> input_until_, output_until_;
  std::vector<Accepted> accepted_;
  std::vector<unsigned> ins_;
  std::vector<Match> matches_;
  std::int64_t now_ = 0;
};

}  // namespace forerun::ip::noc
