// SPDX-License-Identifier: Apache-2.0
// Each rule broken once, and legal traffic that looks odd.
#include <gmock/gmock.h>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/stream_checker.hpp"

using namespace forerun::ip::cosim;
using testing::HasSubstr;

namespace {

/// Wires that are set by hand, cycle by cycle.
struct Wires {
  explicit Wires(const AxiShape& shape_in = {}) : shape(shape_in), pins(shape_in), checker(shape_in) {
    pins.aw.ready = pins.w.ready = pins.b.ready = pins.ar.ready = pins.r.ready = true;
  }
  /// A cycle; VALID wires are low again after it.
  void step() {
    checker.sample(pins, cycle++);
    pins.aw.valid = pins.w.valid = pins.b.valid = pins.ar.valid = pins.r.valid = false;
  }
  void request(AddressChannel& channel, std::uint64_t address, unsigned beats, unsigned size,
               BurstKind kind = BurstKind::incr, std::uint32_t id = 0) {
    channel.valid = true;
    channel.address = address;
    channel.len = static_cast<std::uint8_t>(beats - 1);
    channel.size = static_cast<std::uint8_t>(size);
    channel.burst = kind;
    channel.id = id;
  }
  void data(Strobes strobes, bool last) {
    pins.w.valid = true;
    pins.w.strobes = strobes;
    pins.w.last = last;
  }
  void answer(std::uint32_t id, Response response = Response::okay) {
    pins.b.valid = true;
    pins.b.id = id;
    pins.b.response = response;
  }
  void beat(std::uint32_t id, bool last, Response response = Response::okay) {
    pins.r.valid = true;
    pins.r.id = id;
    pins.r.last = last;
    pins.r.response = response;
  }
  void expect_only(AxiRule rule) {
    EXPECT_EQ(checker.log().count(rule), 1u) << text(rule).name;
    EXPECT_EQ(checker.log().total(), 1u);
    for (const auto& violation : checker.log().kept()) {
      EXPECT_THAT(violation.message(), HasSubstr(std::string(text(rule).sentence)));
    }
  }
  AxiShape shape;
  AxiPins pins;
  AxiChecker checker;
  std::uint64_t cycle = 0;
};

TEST(AxiChecker, every_channel_is_low_in_reset_and_at_the_first_edge_after_it) {
  for (const bool inside : {true, false}) {
    for (const int channel : {0, 1, 2, 3, 4}) {
      Wires wires;
      wires.pins.reset = true;
      bool* valid[] = {&wires.pins.aw.valid, &wires.pins.w.valid, &wires.pins.b.valid, &wires.pins.ar.valid,
                       &wires.pins.r.valid};
      wires.step();
      wires.pins.reset = inside;
      *valid[channel] = true;
      wires.checker.sample(wires.pins, 1);
      EXPECT_EQ(wires.checker.log().count(inside ? AxiRule::valid_in_reset : AxiRule::valid_after_reset), 1u)
          << channel;
    }
  }
  Wires wires;
  wires.pins.reset = true;
  wires.step();
  wires.pins.reset = false;
  wires.step();
  wires.request(wires.pins.ar, 0, 1, 3);
  wires.step();
  EXPECT_EQ(wires.checker.log().total(), 0u);
}

TEST(AxiChecker, valid_waits_for_ready_on_every_channel) {
  for (const int channel : {0, 1, 2, 3, 4}) {
    Wires wires;
    wires.request(wires.pins.aw, 0, 1, 3);
    wires.data(Strobes::run(0, 8), true);
    wires.request(wires.pins.ar, 0, 1, 3);
    wires.step();
    auto& pins = wires.pins;
    bool* valid[] = {&pins.aw.valid, &pins.w.valid, &pins.b.valid, &pins.ar.valid, &pins.r.valid};
    bool* ready[] = {&pins.aw.ready, &pins.w.ready, &pins.b.ready, &pins.ar.ready, &pins.r.ready};
    *valid[channel] = true;
    *ready[channel] = false;
    wires.step();
    wires.step();
    wires.expect_only(AxiRule::valid_dropped);
    const char* names[] = {"AWVALID dropped before AWREADY", "WVALID dropped before WREADY",
                           "BVALID dropped before BREADY", "ARVALID dropped before ARREADY",
                           "RVALID dropped before RREADY"};
    EXPECT_THAT(wires.checker.log().kept().at(0).message(), HasSubstr(names[channel]));
  }
}

TEST(AxiChecker, the_payload_is_stable_while_valid_waits) {
  const auto change = [](auto prepare, auto alter) {
    Wires wires;
    wires.request(wires.pins.aw, 0, 1, 3);
    wires.data(Strobes::run(0, 8), true);
    wires.request(wires.pins.ar, 0, 1, 3);
    wires.step();
    auto& pins = wires.pins;
    pins.aw.ready = pins.w.ready = pins.b.ready = pins.ar.ready = pins.r.ready = false;
    bool& valid = prepare(pins);
    valid = true;
    wires.step();
    valid = true;
    wires.step();
    EXPECT_EQ(wires.checker.log().total(), 0u);
    alter(pins);
    valid = true;
    wires.step();
    EXPECT_EQ(wires.checker.log().count(AxiRule::payload_changed), 1u);
  };
  const auto aw = [](AxiPins& pins) -> bool& { return pins.aw.valid; };
  const auto w = [](AxiPins& pins) -> bool& { return pins.w.valid; };
  const auto b = [](AxiPins& pins) -> bool& { return pins.b.valid; };
  const auto ar = [](AxiPins& pins) -> bool& { return pins.ar.valid; };
  const auto r = [](AxiPins& pins) -> bool& { return pins.r.valid; };
  change(aw, [](AxiPins& pins) { pins.aw.address += 8; });
  change(aw, [](AxiPins& pins) { pins.aw.len = 3; });
  change(aw, [](AxiPins& pins) { pins.aw.prot ^= 1; });
  change(ar, [](AxiPins& pins) { pins.ar.qos ^= 1; });
  change(w, [](AxiPins& pins) { pins.w.data[7] ^= 1; });
  change(w, [](AxiPins& pins) { pins.w.strobes = Strobes::run(0, 7); });
  change(b, [](AxiPins& pins) { pins.b.response = Response::slverr; });
  change(r, [](AxiPins& pins) { pins.r.data[0] ^= 1; });
  change(r, [](AxiPins& pins) { pins.r.response = Response::decerr; });
}

struct BadRequest {
  AxiRule rule;
  std::uint64_t address;
  unsigned beats, size;
  BurstKind kind;
  bool lock = false;
  std::uint8_t cache = 0;
};

TEST(AxiChecker, bad_requests_are_named) {
  using enum BurstKind;
  const BadRequest bad[] = {
      {AxiRule::burst_reserved, 0, 1, 3, reserved},
      {AxiRule::size_exceeds_bus, 0, 1, 4, incr},
      {AxiRule::crosses_4k, 0xff8, 2, 3, incr},
      {AxiRule::crosses_4k, 0xfff, 2, 0, incr},
      {AxiRule::crosses_4k, 0x1809, 256, 3, incr},
      {AxiRule::wrap_length, 0, 1, 3, wrap},
      {AxiRule::wrap_length, 0, 3, 3, wrap},
      {AxiRule::wrap_length, 0, 32, 3, wrap},
      {AxiRule::wrap_unaligned, 4, 4, 3, wrap},
      {AxiRule::fixed_length, 0, 17, 3, fixed},
      {AxiRule::cache_reserved, 0, 1, 3, incr, false, 0b0100},
      {AxiRule::exclusive_size, 0, 3, 3, incr, true},
      {AxiRule::exclusive_length, 0, 32, 2, incr, true},
      {AxiRule::exclusive_unaligned, 8, 2, 3, incr, true},
  };
  for (const auto& one : bad) {
    for (const bool write : {true, false}) {
      Wires wires;
      auto& channel = write ? wires.pins.aw : wires.pins.ar;
      channel.lock = one.lock;
      channel.cache = one.cache;
      wires.request(channel, one.address, one.beats, one.size, one.kind);
      wires.step();
      wires.expect_only(one.rule);
    }
  }
  Wires narrow({.address_bits = 32});
  narrow.request(narrow.pins.ar, 0x1'0000'0000, 1, 3);
  narrow.step();
  narrow.expect_only(AxiRule::address_range);
}

TEST(AxiChecker, requests_at_the_limits_are_silent) {
  Wires wires;
  wires.request(wires.pins.ar, 0xffd, 1, 2);
  wires.step();
  wires.request(wires.pins.ar, 0x1800, 256, 3);
  wires.step();
  wires.request(wires.pins.ar, 0xff8, 16, 3, BurstKind::wrap);
  wires.step();
  wires.request(wires.pins.ar, 0xfff, 16, 3, BurstKind::fixed);
  wires.step();
  wires.pins.ar.lock = true;
  wires.request(wires.pins.ar, 0x80, 16, 3);
  wires.step();
  EXPECT_EQ(wires.checker.log().total(), 0u);
}

TEST(AxiChecker, wlast_is_at_the_last_beat_only) {
  Wires early;
  early.request(early.pins.aw, 0, 2, 3);
  early.data(Strobes::run(0, 8), true);
  early.step();
  early.expect_only(AxiRule::wlast_early);
  EXPECT_THAT(early.checker.log().kept()[0].message(),
              HasSubstr("beat 1 of: ID 0, 2 beats of 8 bytes, INCR, address 0x0"));
  Wires missing;
  missing.request(missing.pins.aw, 0, 1, 3);
  missing.data(Strobes::run(0, 8), false);
  missing.step();
  missing.expect_only(AxiRule::wlast_missing);
}

TEST(AxiChecker, strobes_stay_within_the_beat) {
  Wires wires;
  wires.request(wires.pins.aw, 0x12, 2, 1);  // narrow: lanes 2 and 3, then 4 and 5
  wires.data(Strobes::run(2, 2), false);
  wires.step();
  wires.data(Strobes::run(4, 3), true);
  wires.step();
  wires.expect_only(AxiRule::strobe_outside);
  Wires unaligned;
  unaligned.request(unaligned.pins.aw, 0x3, 1, 3);
  unaligned.data(Strobes::run(2, 6), true);
  unaligned.step();
  unaligned.expect_only(AxiRule::strobe_outside);
}

TEST(AxiChecker, data_before_their_address_are_judged_by_it) {
  Wires wires;
  wires.data(Strobes::run(0, 8), false);
  wires.step();
  wires.data(Strobes::run(0, 8), true);
  wires.step();
  wires.request(wires.pins.aw, 0, 2, 3);
  wires.step();
  wires.answer(0);
  wires.step();
  EXPECT_EQ(wires.checker.log().total(), 0u);
  EXPECT_TRUE(wires.checker.quiet());
  wires.data(Strobes::run(0, 8), false);
  wires.step();
  wires.request(wires.pins.aw, 0, 1, 3);
  wires.step();
  wires.expect_only(AxiRule::wlast_missing);
}

TEST(AxiChecker, write_answers_need_their_request_and_all_data) {
  Wires nobody;
  nobody.request(nobody.pins.aw, 0, 1, 3, BurstKind::incr, 1);
  nobody.data(Strobes::run(0, 8), true);
  nobody.step();
  nobody.answer(2);
  nobody.step();
  nobody.expect_only(AxiRule::b_without_request);
  Wires before;
  before.request(before.pins.aw, 0, 2, 3);
  before.data(Strobes::run(0, 8), false);
  before.step();
  before.answer(0);
  before.step();
  before.expect_only(AxiRule::b_before_data);
  Wires exclusive;
  exclusive.request(exclusive.pins.aw, 0, 1, 3);
  exclusive.data(Strobes::run(0, 8), true);
  exclusive.step();
  exclusive.answer(0, Response::exokay);
  exclusive.step();
  exclusive.expect_only(AxiRule::b_exokay);
}

TEST(AxiChecker, read_data_need_their_request_and_its_length) {
  Wires nobody;
  nobody.request(nobody.pins.ar, 0, 1, 3, BurstKind::incr, 1);
  nobody.step();
  nobody.beat(3, true);
  nobody.step();
  nobody.expect_only(AxiRule::r_without_request);
  EXPECT_THAT(nobody.checker.under_way(), HasSubstr("ID 1, 1 beats of 8 bytes"));
  Wires early;
  early.request(early.pins.ar, 0, 2, 3);
  early.step();
  early.beat(0, true);
  early.step();
  early.expect_only(AxiRule::rlast_early);
  Wires missing;
  missing.request(missing.pins.ar, 0, 1, 3);
  missing.step();
  missing.beat(0, false);
  missing.step();
  missing.expect_only(AxiRule::rlast_missing);
  Wires exclusive;
  exclusive.request(exclusive.pins.ar, 0, 1, 3);
  exclusive.step();
  exclusive.beat(0, true, Response::exokay);
  exclusive.step();
  exclusive.expect_only(AxiRule::r_exokay);
}

TEST(AxiChecker, interleaved_read_data_and_answers_out_of_order_are_silent) {
  Wires wires;
  for (const std::uint32_t id : {1u, 2u}) {
    wires.request(wires.pins.ar, 0x100 * id, 2, 3, BurstKind::incr, id);
    wires.request(wires.pins.aw, 0x100 * id, 1, 3, BurstKind::incr, id);
    wires.data(Strobes::run(0, 8), true);
    wires.step();
  }
  wires.beat(2, false);
  wires.answer(2);
  wires.step();
  wires.beat(1, false);
  wires.step();
  wires.beat(2, true);
  wires.answer(1);
  wires.step();
  wires.beat(1, true);
  wires.step();
  EXPECT_EQ(wires.checker.log().total(), 0u);
  EXPECT_TRUE(wires.checker.quiet());
}

TEST(AxiChecker, lite_has_no_exclusive_answer) {
  Wires wires({.data_bytes = 4, .lite = true});
  wires.request(wires.pins.ar, 4, 1, 2);
  wires.step();
  wires.beat(0, true, Response::exokay);
  wires.step();
  wires.expect_only(AxiRule::lite_exokay);
  Wires nobody({.data_bytes = 4, .lite = true});
  nobody.answer(0);
  nobody.step();
  nobody.expect_only(AxiRule::b_without_request);
}

TEST(AxiChecker, keeps_the_first_violations_and_counts_all) {
  Wires wires;
  for (int i = 0; i < 150; ++i) {
    wires.beat(0, true);
    wires.step();
  }
  EXPECT_EQ(wires.checker.log().total(), 150u);
  EXPECT_EQ(wires.checker.log().kept().size(), 100u);
  EXPECT_EQ(wires.checker.log().kept()[7].cycle, 7u);
}

struct StreamWires {
  StreamPins pins;
  StreamChecker checker{StreamShape{}};
  std::uint64_t cycle = 0;
  void step(bool valid, bool ready) {
    pins.valid = valid;
    pins.ready = ready;
    checker.sample(pins, cycle++);
  }
  void expect_only(AxiRule rule) {
    EXPECT_EQ(checker.log().count(rule), 1u) << text(rule).name;
    EXPECT_EQ(checker.log().total(), 1u);
  }
};

TEST(StreamChecker, names_every_rule) {
  StreamWires reset;
  reset.pins.reset = true;
  reset.step(true, false);
  reset.expect_only(AxiRule::valid_in_reset);
  StreamWires after;
  after.pins.reset = true;
  after.step(false, false);
  after.pins.reset = false;
  after.step(true, true);
  after.expect_only(AxiRule::valid_after_reset);
  StreamWires dropped;
  dropped.step(true, false);
  dropped.step(false, false);
  dropped.expect_only(AxiRule::valid_dropped);
  for (const int what : {0, 1, 2, 3}) {
    StreamWires changed;
    changed.step(true, false);
    if (what == 0) changed.pins.data[3] ^= 1;
    if (what == 1) changed.pins.last = !changed.pins.last;
    if (what == 2) changed.pins.dest = 9;
    if (what == 3) changed.pins.keep = changed.pins.strobes = Strobes::run(0, 4);
    changed.step(true, true);
    changed.expect_only(AxiRule::payload_changed);
  }
  StreamWires null;
  null.pins.keep = Strobes::run(0, 4);
  null.step(true, true);
  null.expect_only(AxiRule::stream_strobe_without_keep);
}

TEST(Strobes, runs_at_the_seams) {
  EXPECT_EQ(Strobes::run(0, 128), ~Strobes{});
  EXPECT_TRUE(Strobes::run(64, 0).none());
  const auto across = Strobes::run(60, 8);
  for (unsigned lane = 0; lane < 128; ++lane) EXPECT_EQ(across[lane], lane >= 60 && lane < 68) << lane;
  EXPECT_EQ(Strobes::run(64, 64).words[1], ~std::uint64_t{0});
  EXPECT_EQ(Strobes::run(64, 64).words[0], 0u);
}

}  // namespace
