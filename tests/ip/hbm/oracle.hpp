// SPDX-License-Identifier: Apache-2.0
/// The rules of ip/hbm/controller.hpp once more, the slow and plain way: one tick after the other, every
/// burst looked at, every distance between commands checked against the commands sent so far. Shares no code
/// with the controller.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <vector>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {

class Oracle {
 public:
  explicit Oracle(const Parameters& parameters)
      : p(parameters),
        t(parameters.timings),
        s(t.half_cycle_rows ? 2 : 1),
        per_rank(p.bank_groups * p.banks_per_group),
        per_pc(per_rank * p.ranks),
        count(per_pc * p.pseudo_channels),
        bank(count) {
    act_bus = s * t.act_cycles - (s - 1);
    column_bus = s * t.column_cycles;
    mode = p.queues == Queues::read_write && p.write_high_percent > 0 && p.scheduler != Scheduler::fcfs;
    together = p.refresh_order == RefreshOrder::together;
    if (p.refresh == Refresh::all_bank) {
      const auto size = p.separate_buses ? per_pc : per_rank;
      for (unsigned first = 0; first < count; first += size) scopes.push_back({first, first + size, 0, 0});
      const auto n = static_cast<std::int64_t>(scopes.size());
      for (std::int64_t i = 0; i < n; ++i) {  // for one, two and four scopes
        const std::int64_t turn = n == 4 ? (i == 1 ? 2 : i == 2 ? 1 : i) : i;
        scopes[static_cast<std::size_t>(i)].due =
            (s * t.tREFI - (together ? 0 : turn * (s * t.tREFI) / n)) / s * s;
      }
      interval = s * t.tREFI;
    } else if (p.refresh == Refresh::per_bank) {
      interval = s * t.tREFIpb;
      scopes.push_back({0, count, interval, 0});
      turns = std::min<unsigned>(count, (t.tREFI + t.tREFIpb / 2) / t.tREFIpb);
    }
  }
  struct Done {
    std::uint32_t owner;
    Tick when;
    bool operator==(const Done&) const = default;
  };
  std::vector<Done> done;
  ChannelStatistics counts;

  void offer(const Burst& burst, Tick offered) { outside.push_back({burst, offered, 0, 0, false, 0}); }

  void tick(Tick now) {
    fall_asleep(now);
    for (auto& scope : scopes)
      while (scope.due <= now) {
        scope.due += interval;
        if (self_since < 0) ++scope.owed;  // in self-refresh the DRAM does it
      }
    for (auto& b : queue)
      if (!b.seen && b.visible <= now) {
        b.seen = true;
        wake(now);
        if (bank[b.burst.bank].row == b.burst.row) bank[b.burst.bank].closes = false;
      }
    for (auto& scope : scopes)
      while (scope.owed > 0) {
        bool busy = false;
        for (const auto& b : queue)
          busy = busy || (b.seen && (together || (b.burst.bank >= scope.first && b.burst.bank < scope.end)));
        if (busy && scope.owed <= p.refresh_postpone) break;
        wake(now);
        --scope.owed;
        if (turns == 0)
          jobs.push_back({0, scope.first, scope.end});
        else {
          for (unsigned b = cursor; b < count; b += turns) jobs.push_back({1, b, b + 1});
          cursor = (cursor + 1) % turns;
        }
      }
    std::size_t single = only(now);
    set_mode();
    const auto column = pick_column(now, single);
    if (p.separate_buses) {
      if (column < queue.size()) {
        send_column(column, now);
        set_mode();
        single = only(now);
      }
      row(now, single, true);
    } else {
      const auto age = row(now, single, false);
      if (column < queue.size() && (queue[column].opened || age == none || queue[column].age < age))
        send_column(column, now);
      else
        row(now, single, true);
    }
    while (!outside.empty() && outside.front().offered <= now && room(outside.front().burst)) {
      auto b = outside.front();
      outside.pop_front();
      b.age = ++age_;
      b.visible = now + std::max<Tick>(1, Tick{p.front_end} * s);
      queue.push_back(b);
      last_bank = static_cast<int>(b.burst.bank);
    }
    if (queue.empty() && jobs.empty()) resting = true;
  }
  /// Counts the time in low power up to now, which is over only with the next command.
  void finish(Tick now) {
    if (!resting) return;
    fall_asleep(now);
    if (down_since >= 0)
      counts.power_down_cycles += cycles((self_since >= 0 ? self_since : now) - down_since);
    if (self_since >= 0) counts.self_refresh_cycles += cycles(now - self_since);
  }
  bool empty() const { return queue.empty() && outside.empty(); }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  static constexpr Tick past = -(Tick{1} << 40);
  struct Waiting {
    Burst burst;
    Tick offered;
    std::uint64_t age;
    Tick visible;
    bool opened;  // left its queue
    int need;
    bool seen = false;
  };
  struct Bank {
    std::int64_t row = -1;
    Tick act = past, precharge = past, read = past, write = past, refreshed = past;
    std::uint64_t opened_for = 0;
    unsigned activations = 0;
    bool closes = false;
    Tick close = 0;
  };
  struct Job {
    int kind;
    unsigned first, end;
  };
  struct Scope {
    unsigned first, end;
    Tick due;
    unsigned owed;
  };
  unsigned pc(unsigned b) const { return b / per_pc; }
  unsigned rank(unsigned b) const { return b / per_rank; }
  unsigned group(unsigned b) const { return b / p.banks_per_group; }

  double cycles(Tick ticks) const { return static_cast<double>(ticks) / static_cast<double>(s); }
  /// Low power: with no burst in a queue, no refresh under way and no row that is still to be closed.
  void fall_asleep(Tick now) {
    for (const auto& b : bank)
      if (b.closes) return;
    if (!resting) return;
    if (p.power_down_cycles > 0 && down_since < 0 && self_since < 0)
      if (const auto entry = last_command + s * Tick{p.power_down_cycles}; now > entry) down_since = entry;
    if (p.self_refresh_cycles > 0 && self_since < 0)
      if (const auto entry = std::max(last_column + s * Tick{p.self_refresh_cycles}, last_command);
          now > entry) {
        self_since = entry;
        if (down_since >= entry) down_since = -1;
      }
  }
  /// There is something to do: commands may go from `quiet` on.
  void wake(Tick now) {
    resting = false;
    if (self_since >= 0) {
      const auto leave = std::max(now, self_since + s * t.tCKE);
      quiet = leave + s * t.tXS;
      counts.self_refresh_cycles += cycles(leave - self_since);
      ++counts.self_refreshes;
      for (auto& b : bank) b.row = -1;
      for (auto& scope : scopes) scope.due = leave + interval;
      if (down_since >= 0) counts.power_down_cycles += cycles(self_since - down_since), ++counts.power_downs;
    } else if (down_since >= 0) {
      const auto leave = std::max(now, down_since + s * t.tCKE);
      quiet = leave + s * t.tXP;
      counts.power_down_cycles += cycles(leave - down_since);
      ++counts.power_downs;
    }
    down_since = self_since = -1;
  }

  bool room(const Burst& burst) const {
    unsigned of[2] = {0, 0}, in_bank = 0;
    for (const auto& b : queue)
      if (!b.opened) {
        ++of[b.burst.write];
        in_bank += last_bank == static_cast<int>(b.burst.bank);
      }
    if (p.queues == Queues::shared) return of[0] + of[1] < p.queue_depth;
    if (p.queues == Queues::per_bank) return last_bank < 0 || in_bank < p.queue_depth;
    return mode ? of[burst.write] < p.queue_depth : of[0] < p.queue_depth && of[1] < p.queue_depth;
  }
  void set_mode() {
    if (!mode || (together && !jobs.empty())) return;
    unsigned of[2] = {0, 0};
    for (const auto& b : queue) of[b.burst.write] += b.seen && !b.opened;
    if (!writing)
      writing = of[1] * 100 > p.write_high_percent * p.queue_depth || of[0] == 0;
    else
      writing = !(of[1] * 100 < p.write_low_percent * p.queue_depth && of[0] > 0);
  }
  std::size_t only(Tick now) const {
    if (p.scheduler != Scheduler::fcfs && p.starvation_cycles == 0) return queue.size();
    std::size_t first = queue.size();
    for (std::size_t i = 0; i < queue.size(); ++i)
      if (first == queue.size() || queue[i].age < queue[first].age) first = i;
    if (first == queue.size() || !queue[first].seen) return queue.size();
    if (p.scheduler == Scheduler::fcfs || now - queue[first].visible >= Tick{p.starvation_cycles} * s)
      return first;
    return queue.size();
  }
  // Distances, from the last command of each kind in each bank
  Tick act_extra() const { return act_bus - 1; }
  Tick column_extra() const { return column_bus - 1; }
  Tick column_at(unsigned b, bool write) const {
    Tick at = bank[b].act + s * (write ? t.tRCDWR : t.tRCDRD) + act_extra() - column_extra();
    for (unsigned o = 0; o < count; ++o) {
      if (pc(o) != pc(b)) continue;
      const auto same = s * std::max(t.nBL, rank(o) == rank(b) ? t.tCCDS : t.tCCDR);
      at = std::max(at, (write ? bank[o].write : bank[o].read) + same);
      if (group(o) == group(b)) at = std::max(at, (write ? bank[o].write : bank[o].read) + s * t.tCCDL);
      if (write)
        at = std::max(at, bank[o].read + s * t.tRTW);
      else
        at = std::max(at,
                      bank[o].write +
                          s * (t.WL + t.nBL + (group(o) == group(b) ? std::max(t.tWTRL, t.tWTRS) : t.tWTRS)));
    }
    return rising(std::max({at, column_free, quiet}));
  }
  Tick precharge_limit(unsigned b) const {
    return std::max({bank[b].act + s * t.tRAS + act_extra(), bank[b].read + s * t.tRTP + column_extra(),
                     bank[b].write + s * (t.WL + t.nBL + t.tWR) + column_extra()});
  }
  Tick precharge_at(unsigned b) const {
    Tick at = precharge_limit(b);
    if (t.tPPD > 0)
      at = std::max(at, last_precharge.count(pc(b)) ? last_precharge.at(pc(b)) + s * t.tPPD : past);
    return std::max({at, row_free, quiet});
  }
  Tick bank_act_at(unsigned b) const {
    return std::max({bank[b].act + s * std::max(t.tRC, t.tRAS + t.tRP),
                     bank[b].precharge + std::max<Tick>(1, s * t.tRP - act_extra()), bank[b].refreshed});
  }
  unsigned window(unsigned b) const { return p.separate_buses ? pc(b) : rank(b); }
  Tick act_at(unsigned b) const {
    Tick at = bank_act_at(b);
    std::vector<Tick> recent;
    for (const auto& [when, o] : acts) {
      if (window(o) != window(b)) continue;
      recent.push_back(when);
      at = std::max(at, when + s * t.tRRDS);
      if (group(o) == group(b)) at = std::max(at, when + s * t.tRRDL);
    }
    if (recent.size() >= 4) at = std::max(at, recent[recent.size() - 4] + s * t.tFAW);
    if (last_bank_refresh.count(window(b)))
      at = std::max(at, last_bank_refresh.at(window(b)) + s * t.tRREFD - act_extra());
    return rising(std::max({at, row_free, quiet}));
  }
  Tick rising(Tick at) const { return s == 2 ? at + (at & 1) : at; }

  bool held(unsigned b) const {
    for (const auto& job : jobs)
      if (b >= job.first && b < job.end) return true;
    return false;
  }
  /// Closed: the row is for the burst that it was opened for.
  bool taken(unsigned b) const {
    bool opened = false;
    for (const auto& w : queue) opened = opened || (w.opened && w.burst.bank == b);
    return held(b) || (opened && p.page_policy == PagePolicy::closed);
  }
  bool hit(const Waiting& b) const { return bank[b.burst.bank].row == b.burst.row; }
  bool in_turn(const Waiting& b) const { return b.seen && !b.opened && (!mode || b.burst.write == writing); }
  /// The hit that a bank would serve next.
  std::size_t next_hit(unsigned b) const {
    std::size_t best = queue.size();
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const auto& w = queue[i];
      if (w.burst.bank != b || !in_turn(w) || !hit(w)) continue;
      const auto better = [&](const Waiting& x, const Waiting& y) {
        if (p.scheduler == Scheduler::fr_fcfs_grouped && !mode && x.burst.write != y.burst.write)
          return x.burst.write == last_write;
        return x.age < y.age;
      };
      if (best == queue.size() || better(w, queue[best])) best = i;
    }
    return best;
  }
  std::size_t pick_column(Tick now, std::size_t single) const {
    std::size_t best = queue.size();
    const auto consider = [&](std::size_t i) {
      if (column_at(queue[i].burst.bank, queue[i].burst.write) > now || rising(now) > now) return;
      if (best == queue.size() || queue[i].age < queue[best].age) best = i;
    };
    for (std::size_t i = 0; i < queue.size(); ++i)
      if (queue[i].opened) consider(i);
    if (best < queue.size() || (together && !jobs.empty())) return best;
    if (single < queue.size()) {
      if (!queue[single].opened && !taken(queue[single].burst.bank) && hit(queue[single])) consider(single);
      return best;
    }
    for (unsigned b = 0; b < count; ++b)
      if (!taken(b))
        if (const auto i = next_hit(b); i < queue.size()) consider(i);
    return best;
  }
  void send_column(std::size_t i, Tick now) {
    const auto b = queue[i];
    auto& at = bank[b.burst.bank];
    (b.burst.write ? at.write : at.read) = now;
    last_column = last_command = now;
    column_free = now + column_bus;
    if (!p.separate_buses) row_free = column_free;
    last_write = b.burst.write;
    done.push_back({b.burst.owner, now + s * ((b.burst.write ? t.WL : t.RL) + t.nBL)});
    ++(b.burst.write ? counts.writes : counts.reads);
    ++(b.need == 0 ? counts.hits : b.need == 1 ? counts.misses : counts.conflicts);
    if (at.opened_for == b.age) at.opened_for = 0;
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    bool more = at.opened_for != 0, waiting = false;
    for (const auto& o : queue) {
      waiting = waiting || (o.seen && o.burst.bank == b.burst.bank);
      more = more || (o.seen && !o.opened && o.burst.bank == b.burst.bank && hit(o));
    }
    if (p.page_policy == PagePolicy::closed ||
        (p.page_policy == PagePolicy::adaptive && p.adaptive_idle_cycles == 0 && !more)) {
      at.precharge = std::max(at.precharge, precharge_limit(b.burst.bank));
      at.row = -1, at.opened_for = 0;
    } else if (p.page_policy == PagePolicy::adaptive && !more) {
      at.closes = true;
      at.close = now + Tick{p.adaptive_idle_cycles} * s;
    }
    if (p.refresh_management && at.activations >= t.RAAIMT && !waiting) manage(b.burst.bank);
  }
  void manage(unsigned b) {
    for (const auto& job : jobs)
      if (job.kind == 2 && job.first == b) return;
    jobs.push_back({2, b, b + 1});
  }
  struct Row {
    Tick start;
    std::uint64_t age;
    int kind;  // 0 PRE, 1 ACT, 2 PRE of a job, 3 REF of a job
    std::size_t index;
    unsigned bank;
  };
  /// Chooses a row command; sends it if `send`. Returns the age of the burst it is for, `none` if there is
  /// none.
  std::uint64_t row(Tick now, std::size_t single, bool send) {
    std::vector<Row> all;
    const bool blocked = together && !jobs.empty();
    for (std::size_t j = 0; j < jobs.size() && (j == 0 || !together); ++j) {
      Tick close = std::max(row_free, quiet), refresh = close;
      bool open = false, waits = false;
      for (unsigned b = jobs[j].first; b < jobs[j].end; ++b) {
        if (bank[b].row >= 0) {
          open = true;
          close = std::max(close, precharge_at(b));
          for (const auto& w : queue) waits = waits || (w.opened && w.burst.bank == b);
        }
        refresh = std::max(refresh, bank_act_at(b) + act_extra());
        if (jobs[j].kind > 0) {
          for (const auto& [when, o] : acts)
            if (window(o) == window(b)) refresh = std::max(refresh, when + s * t.tRRDS + act_extra());
          if (last_bank_refresh.count(window(b)))
            refresh = std::max(refresh, last_bank_refresh.at(window(b)) + s * t.tRREFD);
        }
      }
      if (waits) continue;
      all.push_back(
          {open ? std::max(now, close) : rising(std::max(now, refresh)), 0, open ? 2 : 3, j, jobs[j].first});
    }
    if (!blocked)
      for (unsigned b = 0; b < count; ++b) {
        if (held(b)) continue;
        bool pending = false;
        for (const auto& w : queue)
          pending =
              pending || (w.age == bank[b].opened_for && (w.opened || !mode || w.burst.write == writing));
        std::size_t want = queue.size();
        if (single < queue.size()) {
          if (queue[single].burst.bank == b && !queue[single].opened && !hit(queue[single])) want = single;
        } else {
          for (std::size_t i = 0; i < queue.size(); ++i)
            if (queue[i].burst.bank == b && in_turn(queue[i]) && !hit(queue[i]) &&
                (want == queue.size() || queue[i].age < queue[want].age))
              want = i;
        }
        if (want < queue.size()) {
          if (bank[b].row < 0)
            all.push_back({rising(std::max(now, act_at(b))), queue[want].age, 1, want, b});
          else if (single < queue.size() ? !(pending && p.opened_leaves_queue) : !pending) {
            bool keep = false;
            if (single == queue.size() && p.keep_open != KeepOpen::none)
              if (const auto h = next_hit(b); h < queue.size())
                keep = p.keep_open == KeepOpen::all || queue[h].age < queue[want].age;
            if (!keep) all.push_back({std::max(now, precharge_at(b)), queue[want].age, 0, want, b});
          }
        }
        if (bank[b].closes)
          all.push_back({std::max({now, bank[b].close, precharge_at(b)}), none - 1, 0, queue.size(), b});
      }
    const Row* best = nullptr;
    const auto length = [&](const Row& r) { return r.kind == 1 ? act_bus : Tick{1}; };
    for (const auto& r : all) {
      if (p.row_order == RowOrder::oldest_ready) {
        if (r.start == now && (best == nullptr || r.age < best->age)) best = &r;
      } else if (best == nullptr || r.start + length(r) < best->start + length(*best) ||
                 (r.start + length(r) == best->start + length(*best) && r.age < best->age)) {
        best = &r;
      }
    }
    if (best == nullptr || best->start != now) return none;
    if (send) send_row(*best, now);
    return best->age;
  }
  void send_row(const Row& r, Tick now) {
    last_command = now;
    row_free = now + (r.kind == 1 ? act_bus : 1);
    if (!p.separate_buses) column_free = std::max(column_free, row_free);
    auto& at = bank[r.bank];
    if (r.kind == 0) {
      at.precharge = now, at.row = -1, at.closes = false;
      last_precharge[pc(r.bank)] = now;
      if (r.index < queue.size()) queue[r.index].need = 2;
    } else if (r.kind == 1) {
      auto& b = queue[r.index];
      at.act = now, at.row = b.burst.row, at.opened_for = b.age, ++at.activations;
      acts.push_back({now, r.bank});
      while (acts.size() > 64) acts.pop_front();
      ++counts.activates;
      if (b.need == 0) b.need = 1;
      b.opened = p.opened_leaves_queue;
      if (p.refresh_management && t.RAAMMT > 0 && at.activations >= t.RAAMMT) manage(r.bank);
    } else if (r.kind == 2) {
      for (unsigned b = jobs[r.index].first; b < jobs[r.index].end; ++b) {
        bank[b].precharge = std::max(bank[b].precharge, now), bank[b].row = -1, bank[b].closes = false,
        bank[b].opened_for = 0;
      }
      last_precharge[pc(r.bank)] = now;
    } else {
      const auto job = jobs[r.index];
      const auto length = s * (job.kind == 0 ? t.tRFC : job.kind == 1 ? t.tRFCpb : t.tRFM) - act_extra();
      for (unsigned b = job.first; b < job.end; ++b) {
        bank[b].refreshed = now + length;
        bank[b].activations -= std::min(bank[b].activations, t.RAAIMT);
      }
      if (job.kind > 0) last_bank_refresh[window(r.bank)] = now;
      ++(job.kind == 0 ? counts.refreshes : job.kind == 1 ? counts.bank_refreshes : counts.managements);
      jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(r.index));
    }
  }

  Parameters p;
  Timings t;
  Tick s;
  unsigned per_rank, per_pc, count;
  std::vector<Bank> bank;
  Tick act_bus = 0, column_bus = 0, row_free = 0, column_free = 0, interval = 0;
  bool mode = false, together = false, writing = false, last_write = false;
  std::deque<Waiting> outside;
  std::vector<Waiting> queue;
  std::vector<Job> jobs;
  std::vector<Scope> scopes;
  std::deque<std::pair<Tick, unsigned>> acts;
  std::map<unsigned, Tick> last_precharge, last_bank_refresh;
  unsigned turns = 0, cursor = 0;
  std::uint64_t age_ = 0;
  int last_bank = -1;
  bool resting = true;  // nothing to do since the end of some tick
  Tick down_since = -1, self_since = -1, quiet = 0, last_column = 0, last_command = 0;
};

}  // namespace forerun::ip::hbm
