// SPDX-License-Identifier: Apache-2.0
// The players for any simulator with DPI-C. Packed vectors come as arrays of 32-bit words, the lowest first
// (IEEE 1800, annex H: svBitVecVal), single bits as unsigned char; nothing of a simulator is included.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "platform/replay/axi_player.hpp"
#include "platform/replay/tile_player.hpp"

using namespace forerun;
using replay::Status;

namespace {

struct Tile {
  replay::TileShape shape;
  replay::TilePlayer player;
  replay::TilePins pins;
};

struct Axi {
  replay::AxiPlayer player;
  ip::cosim::AxiPins pins;
};

/// What happened, in one line.
template <typename Player>
int report(const Player& player, Status status) {
  if (status != Status::running) {
    fmt::print("forerun replay: {}{}\n", status == Status::different ? "DIFFERENT: " : "", player.message());
    std::fflush(stdout);
  }
  return static_cast<int>(status);
}

int failed(const std::exception& error) {
  fmt::print("forerun replay: error: {}\n", error.what());
  std::fflush(stdout);
  return static_cast<int>(Status::different);
}

template <typename T>
void pack(std::uint32_t* words, const std::vector<T>& lanes, unsigned bits) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const auto at = i * bits;
    if (at % 32 == 0) words[at / 32] = 0;
    words[at / 32] |= static_cast<std::uint32_t>(lanes[i]) << (at % 32);
  }
}

/// `most` 0: all.
replay::PlaySettings settings(long long most, int stall_percent, int seed) {
  replay::PlaySettings play;
  play.stall_share = stall_percent / 100.0;
  play.seed = static_cast<std::uint64_t>(seed);
  if (most > 0) play.most = static_cast<std::uint64_t>(most);
  return play;
}

}  // namespace

extern "C" {

/// Null, with a message, if the recording cannot be played into such a tile.
void* forerun_tile_open(const char* file, int format, int rows, int columns, int depth, int timed,
                        int has_last, long long most, int stall_percent, int seed) {
  try {
    const replay::TileShape shape{static_cast<unsigned>(format),
                                  static_cast<unsigned>(rows),
                                  static_cast<unsigned>(columns),
                                  static_cast<unsigned>(depth),
                                  timed == 0,
                                  has_last != 0};
    auto tile = std::make_unique<Tile>(
        Tile{shape, replay::TilePlayer(file, shape, settings(most, stall_percent, seed)), {}});
    tile->pins.c_data.resize(shape.columns);
    return tile.release();
  } catch (const std::exception& error) {
    failed(error);
    return nullptr;
  }
}

/// Once a cycle out of reset. Returns a replay::Status.
int forerun_tile_cycle(void* handle, unsigned char w_ready, unsigned char a_ready, unsigned char c_valid,
                       unsigned char c_last, const std::uint32_t* c_data, unsigned char* w_valid,
                       unsigned char* w_last, std::uint32_t* w_data, unsigned char* a_valid,
                       unsigned char* a_last, std::uint32_t* a_start, unsigned char* a_emit,
                       std::uint32_t* a_data, std::uint32_t* a_sum, unsigned char* c_ready) {
  auto& tile = *static_cast<Tile*>(handle);
  auto& pins = tile.pins;
  pins.w_ready = w_ready != 0, pins.a_ready = a_ready != 0, pins.c_valid = c_valid != 0,
  pins.c_last = c_last != 0;
  std::memcpy(pins.c_data.data(), c_data, pins.c_data.size() * 4);
  Status status{};
  try {
    status = tile.player.cycle(pins);
  } catch (const std::exception& error) {
    return failed(error);
  }
  *w_valid = *w_last = *a_valid = *a_last = *a_emit = 0;
  if (status == Status::running) {
    if (const auto* beat = pins.weights) {
      *w_valid = 1, *w_last = beat->last;
      pack(w_data, beat->lanes, tile.shape.lane_bits());
    }
    if (const auto* beat = pins.activations) {
      *a_valid = 1, *a_last = beat->last, *a_emit = beat->emit;
      *a_start = beat->start;
      pack(a_data, beat->lanes, tile.shape.lane_bits());
      pack(a_sum, beat->sums, 32);
    }
    *c_ready = pins.c_ready;
  }
  return report(tile.player, status);
}

void* forerun_axi_open(const char* file, int data_bytes, int id_bits, int address_bits, int lite,
                       long long base, long long size, int initial, int under_way, int cycle_ps,
                       long long most, int stall_percent, int seed) {
  try {
    const ip::cosim::AxiShape shape{.data_bytes = static_cast<unsigned>(data_bytes),
                                    .id_bits = static_cast<unsigned>(id_bits),
                                    .address_bits = static_cast<unsigned>(address_bits),
                                    .lite = lite != 0};
    shape.check();
    replay::AxiPlaySettings play;
    static_cast<replay::PlaySettings&>(play) = settings(most, stall_percent, seed);
    play.window = {static_cast<std::uint64_t>(base), static_cast<std::uint64_t>(size)};
    play.initial_contents = initial != 0;
    play.under_way = static_cast<unsigned>(under_way);
    if (cycle_ps < 0) throw std::invalid_argument("+cycle_ps is 0 or more");
    play.cycle_ps = static_cast<std::uint64_t>(cycle_ps);
    return std::make_unique<Axi>(Axi{replay::AxiPlayer(file, shape, play), ip::cosim::AxiPins(shape)})
        .release();
  } catch (const std::exception& error) {
    failed(error);
    return nullptr;
  }
}

/// Once a cycle, in reset too. Vectors: `request` and `answer` as replay_dpi_tb.sv packs them. Returns a
/// replay::Status.
int forerun_axi_cycle(void* handle, unsigned char reset, unsigned char awready, unsigned char wready,
                      unsigned char arready, unsigned char bvalid, const std::uint32_t* bid,
                      const std::uint32_t* bresp, unsigned char rvalid, const std::uint32_t* rid,
                      const std::uint32_t* rresp, unsigned char rlast, const std::uint32_t* rdata,
                      unsigned char* awvalid, std::uint32_t* aw, unsigned char* wvalid, unsigned char* wlast,
                      std::uint32_t* wstrb, std::uint32_t* wdata, unsigned char* bready,
                      unsigned char* arvalid, std::uint32_t* ar, unsigned char* rready) {
  auto& [player, pins] = *static_cast<Axi*>(handle);
  pins.reset = reset != 0;
  pins.aw.ready = awready != 0, pins.w.ready = wready != 0, pins.ar.ready = arready != 0;
  pins.b.valid = bvalid != 0, pins.b.id = *bid,
  pins.b.response = static_cast<ip::cosim::Response>(*bresp & 3);
  pins.r.valid = rvalid != 0, pins.r.id = *rid,
  pins.r.response = static_cast<ip::cosim::Response>(*rresp & 3);
  pins.r.last = rlast != 0;
  std::memcpy(pins.r.data.data(), rdata, pins.r.data.size());
  Status status{};
  try {
    status = player.cycle(pins);
  } catch (const std::exception& error) {
    return failed(error);
  }
  // {lock, burst, size, len, id, address} from the top: 1 + 2 + 3 + 8 + 32 + 64 bits.
  const auto address = [](const ip::cosim::AddressChannel& channel, std::uint32_t* words) {
    words[0] = static_cast<std::uint32_t>(channel.address);
    words[1] = static_cast<std::uint32_t>(channel.address >> 32);
    words[2] = channel.id;
    words[3] = channel.len | std::uint32_t{channel.size} << 8 |
               static_cast<std::uint32_t>(channel.burst) << 11 | (channel.lock ? 1u << 13 : 0u);
  };
  *awvalid = pins.aw.valid, *wvalid = pins.w.valid, *arvalid = pins.ar.valid;
  *wlast = pins.w.last, *bready = pins.b.ready, *rready = pins.r.ready;
  address(pins.aw, aw);
  address(pins.ar, ar);
  std::memcpy(wstrb, pins.w.strobes.words.data(), 16);
  std::memcpy(wdata, pins.w.data.data(), pins.w.data.size());
  return report(player, status);
}
}
