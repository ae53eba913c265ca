// SPDX-License-Identifier: Apache-2.0
/// What the DRAM of one channel allows when. Plain numbers in ticks; the controller asks for the earliest
/// moment of a command and says which one it has sent.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "ip/hbm/parameters.hpp"

namespace forerun::ip::hbm {

/// Time inside a controller: cycles of the command clock, or half cycles where row commands come in half
/// cycles.
using Tick = std::int64_t;
inline constexpr Tick never = std::int64_t{1} << 60;

/// The standard's timings as distances between the first ticks of two commands. The standard measures from
/// the end of a command that takes several cycles, and to the end of the next: an ACT of two cycles makes
/// tRCD one cycle longer and tRP one shorter. (Ramulator and DRAMSys both count so.)
struct Delays {
  explicit Delays(const Parameters& p) {
    const auto& t = p.timings;
    per_cycle = t.half_cycle_rows ? 2 : 1;
    const Tick s = per_cycle;
    act_bus = s * t.act_cycles - (s - 1);
    column_bus = s * t.column_cycles;
    const Tick act = act_bus - 1, column = column_bus - 1;
    act_read = s * t.tRCDRD + act - column;
    act_write = s * t.tRCDWR + act - column;
    act_precharge = s * t.tRAS + act;
    act_act = s * std::max(t.tRC, t.tRAS + t.tRP);
    act_refresh_bank = s * t.tRRDS + act;
    precharge_act = std::max<Tick>(1, s * t.tRP - act);
    precharge_precharge = s * t.tPPD;
    read_precharge = s * t.tRTP + column;
    write_precharge = s * (t.WL + t.nBL + t.tWR) + column;
    burst = s * t.nBL;
    ccd_s = std::max(burst, s * t.tCCDS);
    ccd_l = s * t.tCCDL;
    ccd_r = std::max(burst, s * t.tCCDR);
    read_write = s * t.tRTW;
    write_read_s = s * (t.WL + t.nBL + t.tWTRS);
    write_read_l = s * (t.WL + t.nBL + t.tWTRL);
    rrd_s = s * t.tRRDS;
    rrd_l = s * t.tRRDL;
    faw = s * t.tFAW;
    to_refresh = act;
    refresh = s * t.tRFC - act;
    refresh_bank = s * t.tRFCpb - act;
    refresh_other = s * t.tRREFD - act;
    refresh_refresh_bank = s * t.tRREFD;
    manage = s * t.tRFM - act;
    read_done = s * (t.RL + t.nBL);
    write_done = s * (t.WL + t.nBL);
    interval = s * t.tREFI;
    interval_bank = s * t.tREFIpb;
    leave_power_down = s * t.tXP;
    least_power_down = s * t.tCKE;
    leave_self_refresh = s * t.tXS;
  }
  Tick per_cycle, act_bus, column_bus;
  Tick act_read, act_write, act_precharge, act_act, act_refresh_bank;
  Tick precharge_act, precharge_precharge, read_precharge, write_precharge;
  Tick burst, ccd_s, ccd_l, ccd_r, read_write, write_read_s, write_read_l;
  Tick rrd_s, rrd_l, faw;
  Tick to_refresh;  ///< a bank may be refreshed so much later than it may be activated
  Tick refresh, refresh_bank, refresh_other, refresh_refresh_bank, manage;
  Tick read_done, write_done;
  Tick interval, interval_bank;
  Tick leave_power_down, least_power_down, leave_self_refresh;
};

/// Banks, groups, ranks and pseudo-channels of a channel.
class TimingState {
 public:
  static constexpr std::int64_t closed = -1;

  explicit TimingState(const Parameters& p)
      : delay(p),
        banks_per_group_(p.banks_per_group),
        groups_(p.bank_groups),
        banks_per_rank_(p.banks_per_group * p.bank_groups),
        ranks_(p.ranks),
        stack_ids_(p.separate_buses),
        bank(std::size_t{p.pseudo_channels} * p.ranks * banks_per_rank_),
        group(std::size_t{p.pseudo_channels} * p.ranks * p.bank_groups),
        rank(std::size_t{p.pseudo_channels} * p.ranks),
        window(std::size_t{p.pseudo_channels} * p.ranks) {
    for (unsigned b = 0; b < bank.size(); ++b) {
      auto& state = bank[b];
      state.group = static_cast<std::uint16_t>(b / banks_per_group_);
      state.rank = static_cast<std::uint16_t>(b / banks_per_rank_);
      state.pseudo_channel = static_cast<std::uint16_t>(state.rank / ranks_);
      state.window = static_cast<std::uint16_t>(stack_ids_ ? state.pseudo_channel * ranks_ : state.rank);
    }
  }

  /// When its data and activations have gone far enough. The rest of a bank's timing lies in its group and
  /// rank.
  struct Bank {
    std::int64_t row = closed;
    Tick act = 0, precharge = 0, column[2] = {0, 0};  ///< column: read, write
    std::uint16_t group = 0, rank = 0, pseudo_channel = 0, window = 0;
  };
  struct Group {
    Tick column[2] = {0, 0}, act = 0;
  };
  struct Rank {
    Tick column[2] = {0, 0}, precharge = 0;
  };
  /// Where tRRD_S and tFAW are counted: a pseudo-channel with all its stack IDs, or a rank of other memories.
  struct Window {
    Tick act = 0, refresh_bank = 0;
    std::array<Tick, 4> acts{-never, -never, -never, -never};
    unsigned oldest = 0;
  };

  Tick column_ready(unsigned b, bool write) const {
    const auto& at = bank[b];
    return std::max(at.column[write], std::max(group[at.group].column[write], rank[at.rank].column[write]));
  }
  /// The earliest of any column command in a pseudo-channel, as far as its ranks are concerned.
  Tick pseudo_column(unsigned pseudo) const {
    const auto first = pseudo * ranks_;
    auto ready = std::min(rank[first].column[0], rank[first].column[1]);
    for (auto r = first + 1; r < first + ranks_; ++r)
      ready = std::min(ready, std::min(rank[r].column[0], rank[r].column[1]));
    return ready;
  }
  Tick pseudo_column(unsigned pseudo, bool write) const {
    const auto first = pseudo * ranks_;
    auto ready = rank[first].column[write];
    for (auto r = first + 1; r < first + ranks_; ++r) ready = std::min(ready, rank[r].column[write]);
    return ready;
  }
  /// Without the bank's own timing: tRRD and tFAW.
  Tick activation_window(unsigned b) const {
    const auto& at = bank[b];
    const auto& w = window[at.window];
    return std::max(group[at.group].act, std::max(w.act, w.acts[w.oldest] + delay.faw));
  }
  /// The earliest of any ACT in a pseudo-channel, as far as tRRD_S and tFAW are concerned.
  Tick pseudo_activation(unsigned pseudo) const {
    const auto first = pseudo * ranks_;
    auto ready = never;
    for (auto r = first; r < first + (stack_ids_ ? 1 : ranks_); ++r)
      ready = std::min(ready, std::max(window[r].act, window[r].acts[window[r].oldest] + delay.faw));
    return ready;
  }
  /// Of bank and group alone. Where ranks have windows of their own: with the window.
  Tick bank_act_ready(unsigned b) const {
    if (ranks_ > 1 && !stack_ids_) return act_ready(b);
    return std::max(bank[b].act, group[bank[b].group].act);
  }
  Tick act_ready(unsigned b) const { return std::max(bank[b].act, activation_window(b)); }
  Tick precharge_ready(unsigned b) const { return std::max(bank[b].precharge, rank_precharge(b)); }
  Tick rank_precharge(unsigned b) const { return rank[bank[b].pseudo_channel * ranks_].precharge; }

  void activated(unsigned b, std::int64_t row, Tick t) {
    auto& at = bank[b];
    at.row = row;
    at.column[0] = t + delay.act_read;
    at.column[1] = t + delay.act_write;
    at.precharge = t + delay.act_precharge;
    at.act = t + delay.act_act;
    group[at.group].act = t + delay.rrd_l;
    auto& w = window[at.window];
    w.act = std::max(w.act, t + delay.rrd_s);
    w.refresh_bank = std::max(w.refresh_bank, t + delay.act_refresh_bank);
    w.acts[w.oldest] = t;
    w.oldest = (w.oldest + 1) % 4;
  }
  void precharged(unsigned b, Tick t) {
    auto& at = bank[b];
    at.row = closed;
    at.act = std::max(at.act, t + delay.precharge_act);
    if (delay.precharge_precharge > 0) precharge_sent(b, t);
  }
  void precharge_sent(unsigned b, Tick t) {
    rank[bank[b].pseudo_channel * ranks_].precharge = t + delay.precharge_precharge;
  }
  /// A column command that closes its row by itself.
  void closes_itself(unsigned b) {
    auto& at = bank[b];
    at.row = closed;
    at.act = std::max(at.act, at.precharge + delay.precharge_act);
  }
  [[gnu::always_inline]] void column_sent(unsigned b, bool write, Tick t) {
    auto& at = bank[b];
    auto& g = group[at.group];
    g.column[write] = std::max(g.column[write], t + delay.ccd_l);
    if (write) {
      g.column[0] = std::max(g.column[0], t + delay.write_read_l);
      at.precharge = std::max(at.precharge, t + delay.write_precharge);
    } else {
      at.precharge = std::max(at.precharge, t + delay.read_precharge);
    }
    const auto turned = t + (write ? delay.write_read_s : delay.read_write);
    auto& own = rank[at.rank];
    own.column[write] = std::max(own.column[write], t + delay.ccd_s);
    own.column[!write] = std::max(own.column[!write], turned);
    if (ranks_ == 1) return;
    const auto first = at.pseudo_channel * ranks_;
    for (unsigned r = first; r < first + ranks_; ++r) {
      if (r == at.rank) continue;
      rank[r].column[write] = std::max(rank[r].column[write], t + delay.ccd_r);
      rank[r].column[!write] = std::max(rank[r].column[!write], turned);
    }
  }
  unsigned ranks() const { return ranks_; }
  unsigned banks_per_rank() const { return banks_per_rank_; }
  bool stack_ids() const { return stack_ids_; }

  Delays delay;

 private:
  unsigned banks_per_group_, groups_, banks_per_rank_, ranks_;
  bool stack_ids_;

 public:
  std::vector<Bank> bank;
  std::vector<Group> group;
  std::vector<Rank> rank;
  std::vector<Window> window;
};

}  // namespace forerun::ip::hbm
