// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/checks.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>
#include <utility>

#include "platform/chip/address_map.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::chip {
namespace {

constexpr std::uint64_t device_tree_bytes = 8192, device_tree_bytes_a_cluster = 256;  // at most
constexpr std::uint64_t page = 4096;
constexpr unsigned max_mesh = 64;                 // columns or rows of the network
constexpr unsigned max_transactions = 1024;       // under way in a direction of a cluster
constexpr unsigned max_banks = 64;                // of a pseudo-channel
constexpr std::uint64_t max_memory = 1ull << 48;  // bytes of all stacks

class Finder {
 public:
  explicit Finder(const Chip& chip) : chip_(chip) {}

  std::vector<Conflict> all() {
    boot_rom();
    scratchpad();
    dma();
    memory();
    timings();
    network();
    return std::move(found_);
  }

 private:
  void add(std::vector<std::string_view> keys, std::string message) {
    found_.push_back({std::move(keys), std::move(message)});
  }

  void boot_rom() {
    const auto size = chip_.boot_rom.size.count;
    const auto tree =
        (device_tree_bytes + device_tree_bytes_a_cluster * chip_.clusters.count + page - 1) / page * page;
    const auto room = address_map::sysctl - address_map::boot_rom - tree;
    if (size > room)
      add({"boot_rom.size", "clusters.count"},
          fmt::format("boot_rom.size is {}, but at most {} fit, with the device tree of {} clusters "
                      "(clusters.count) behind it",
                      format(chip_.boot_rom.size), format(Bytes{room}), chip_.clusters.count));
  }

  void scratchpad() {
    const auto& s = chip_.clusters.scratchpad;
    const Bytes row{s.banks * s.bank_width.count};
    if (s.size.count % row.count != 0)
      add({"clusters.scratchpad.size", "clusters.scratchpad.banks", "clusters.scratchpad.bank_width"},
          fmt::format("clusters.scratchpad.size is {}, no multiple of the {} that clusters.scratchpad.banks "
                      "x bank_width hold side by side",
                      format(s.size), format(row)));
  }

  void dma() {
    const auto& d = chip_.clusters.dma;
    if (d.load_channels != d.store_channels)
      add({"clusters.dma.store_channels", "clusters.dma.load_channels"},
          fmt::format("clusters.dma.store_channels is {}, but clusters.dma.load_channels {}: the models have "
                      "as many of both",
                      d.store_channels, d.load_channels));
    else if (d.load_channels * d.outstanding > max_transactions)
      add({"clusters.dma.outstanding", "clusters.dma.load_channels"},
          fmt::format("clusters.dma.outstanding x clusters.dma.load_channels are {} transactions under way; "
                      "at most {}",
                      d.load_channels * d.outstanding, max_transactions));
  }

  void memory() {
    const auto& h = chip_.hbm;
    const unsigned controllers = h.channels * h.pseudo_channels, banks = h.bank_groups * h.banks_per_group;
    if (h.ports > controllers)
      add({"hbm.ports", "hbm.channels", "hbm.pseudo_channels"},
          fmt::format(
              "hbm.ports is {}, but a stack has only {} pseudo-channels (hbm.channels x hbm.pseudo_channels)",
              h.ports, controllers));
    if (banks > max_banks)
      add({"hbm.banks_per_group", "hbm.bank_groups"},
          fmt::format("hbm.bank_groups x hbm.banks_per_group are {} banks in a pseudo-channel; at most {}",
                      banks, max_banks));
    const bool split = h.address_map.size() > 1 && h.address_map[1] == AddressField::column;
    if (split && h.interleave > h.row_bytes)
      add({"hbm.interleave", "hbm.row_bytes", "hbm.address_map"},
          fmt::format("hbm.interleave is {}, more than a row (hbm.row_bytes {}) holds below the other fields "
                      "of hbm.address_map",
                      format(h.interleave), format(h.row_bytes)));
    if (const auto stack = memory_size(chip_).count / h.stacks; h.ports * h.interleave.count > stack)
      add({"hbm.interleave", "hbm.ports", "hbm.rows", "hbm.row_bytes"},
          fmt::format("hbm.interleave is {}, but each of hbm.ports has only {} of a stack",
                      format(h.interleave), format(Bytes{stack / h.ports})));
    if (h.stacks * h.ports > 1 && chip_.clusters.dma.burst > h.interleave)
      add({"clusters.dma.burst", "hbm.interleave"},
          fmt::format(
              "clusters.dma.burst is {}, but only {} at a time (hbm.interleave) go to one memory tile",
              format(chip_.clusters.dma.burst), format(h.interleave)));
    if (memory_size(chip_).count > max_memory)
      add({"hbm.rows", "hbm.stacks", "hbm.channels"},
          fmt::format("the memory of hbm.stacks x channels x pseudo_channels x bank_groups x banks_per_group "
                      "x rows x row_bytes is {}; "
                      "at most {} fit the address space",
                      format(memory_size(chip_)), format(Bytes{max_memory})));
  }

  void timings() {
    const auto& t = chip_.hbm.timings;
    // `sum` is made of names of timings; each of them may be the one to change.
    const auto at_least = [&](std::string_view key, unsigned value, std::string_view sum, unsigned least,
                              std::string_view why) {
      if (value >= least) return;
      std::vector<std::string_view> involved{key};
      std::istringstream words{std::string(sum)};
      for (std::string word; words >> word;)
        if (const auto* other = find_key("hbm.timings." + word)) involved.push_back(other->path);
      add(std::move(involved), fmt::format("{} is {}, less than {} ({}): {}", key, value, sum, least, why));
    };
#define LEAST(KEY, SUM, VALUE, WHY) at_least("hbm.timings." #KEY, t.KEY, SUM, VALUE, WHY)
    LEAST(tRC, "tRAS + tRP", t.tRAS + t.tRP, "a row opened again must have been closed");
    LEAST(tRAS, "tRCDRD", t.tRCDRD, "a row would close before it is read");
    LEAST(tRAS, "tRCDWR", t.tRCDWR, "a row would close before it is written");
    LEAST(tCCDS, "nBL", t.nBL, "bursts would overlap on the data bus");
    LEAST(tCCDL, "tCCDS", t.tCCDS, "one bank group cannot be faster than two");
    LEAST(tRRDL, "tRRDS", t.tRRDS, "one bank group cannot be faster than two");
    LEAST(tWTRL, "tWTRS", t.tWTRS, "one bank group cannot be faster than two");
    LEAST(tFAW, "tRRDS", t.tRRDS, "four activations take longer than two");
    if (t.RL + t.nBL > t.WL)
      LEAST(tRTW, "RL + nBL - WL", t.RL + t.nBL - t.WL, "read and write data would overlap on the data bus");
    if (chip_.hbm.refresh == Refresh::all_bank) {
      LEAST(tRFC, "tRC", t.tRC, "a refresh opens and closes rows");
      LEAST(tREFI, "tRFC + tRC + RL", t.tRFC + t.tRC + t.RL, "refreshing would leave no time for data");
    }
#undef LEAST
  }

  void network() {
    const auto& noc = chip_.noc;
    // The rows as they are given are compared with the limits first: a grid of any size costs memory.
    if (noc.tiles.size() > max_mesh)
      return add({"noc.tiles"}, fmt::format("noc.tiles: {} rows; at most {}", noc.tiles.size(), max_mesh));
    const bool grid_of_routers =
        noc.topology == NocTopology::mesh || noc.topology == NocTopology::concentrated_mesh;
    if (noc.routing != NocRouting::dimension_order && !grid_of_routers)
      add({"noc.routing", "noc.topology"},
          fmt::format("noc.routing: {} is for meshes, but noc.topology is {}", name(noc.routing),
                      name(noc.topology)));
    const bool halves = noc.topology == NocTopology::torus || noc.topology == NocTopology::ring ||
                        noc.routing == NocRouting::o1turn;
    if (halves && noc.virtual_channels < 2)
      add({"noc.virtual_channels", "noc.topology", "noc.routing"},
          "noc.virtual_channels: 1; torus, ring and o1turn need 2 or more");
    if (noc.control_priority >= noc.priorities)
      add({"noc.control_priority", "noc.priorities"},
          fmt::format("noc.control_priority: {}; noc.priorities: {} has classes 0 to {}",
                      noc.control_priority, noc.priorities, noc.priorities - 1));
    try {
      const auto grid = place_tiles(chip_);
      if (grid.columns > max_mesh || grid.rows > max_mesh)
        add({"noc.columns", "noc.rows", "clusters.count", "hbm.ports", "hbm.stacks"},
            fmt::format("noc: {} clusters (clusters.count), {} memory tiles (hbm.stacks x hbm.ports), "
                        "control and host need {} x {} places; at "
                        "most {} x {}",
                        chip_.clusters.count, chip_.hbm.stacks * chip_.hbm.ports, grid.columns, grid.rows,
                        max_mesh, max_mesh));
    } catch (const std::invalid_argument& error) {
      add(noc.tiles.empty() ? std::vector<std::string_view>{"noc.columns", "noc.rows", "clusters.count",
                                                            "hbm.ports", "hbm.stacks"}
                            : std::vector<std::string_view>{"noc.tiles", "clusters.count", "hbm.ports",
                                                            "hbm.stacks", "noc.columns", "noc.rows"},
          error.what());
    }
  }

  const Chip& chip_;
  std::vector<Conflict> found_;
};

}  // namespace

std::vector<Conflict> find_conflicts(const Chip& chip) { return Finder(chip).all(); }

}  // namespace forerun::chip
