// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/checks.hpp"

#include "platform/chip/rtl_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "platform/chip/address_bits.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::chip {
namespace {

constexpr std::uint64_t page = 4096;
constexpr unsigned max_mesh = 64;                 // columns or rows of the network
constexpr unsigned max_transactions = 1024;       // under way in a direction of a cluster
constexpr unsigned max_banks = 64;                // of a pseudo-channel, in all ranks
constexpr unsigned max_channel_banks = 256;       // of a channel
constexpr std::uint64_t max_memory = 1ull << 48;  // bytes of all stacks

class Finder {
 public:
  explicit Finder(const Chip& chip) : chip_(chip) {}

  std::vector<Conflict> all() {
    boot_rom();
    scratchpad();
    rtl_tensor();
    rtl_vector();
    rtl_noc();
    rtl_dma();
    rtl_command();
    rtl_cpu();
    rtl_scratchpad();
    rtl_hbm();
    dma();
    memory();
    address_map();
    controller();
    row_model();
    timings();
    refresh();
    low_power();
    network();
    windows();
    devices();
    const auto files = rtl_file_conflicts(chip_);
    found_.insert(found_.end(), files.begin(), files.end());
    return std::move(found_);
  }

 private:
  void add(std::vector<std::string_view> keys, std::string message) {
    found_.push_back({std::move(keys), std::move(message)});
  }

  void devices() {
    const auto& link = chip_.link;
    if (chip_.devices == 1 || link.topology != LinkTopology::torus) return;
    if (chip_.devices % link.columns != 0 || chip_.devices / link.columns < 2)
      add({"link.columns", "devices", "link.topology"},
          fmt::format("link.topology is torus, but devices is {}: no two or more rows of link.columns, {}",
                      chip_.devices, link.columns));
  }

  void rtl_vector() {
    const auto& vector = chip_.clusters.vector;
    if (vector.buffer.count < std::uint64_t{4} * vector.lanes)
      add({"clusters.vector.buffer", "clusters.vector.lanes"},
          fmt::format("clusters.vector.buffer is {}, but {} lanes of binary32 are {}", format(vector.buffer),
                      vector.lanes, format(Bytes{std::uint64_t{4} * vector.lanes})));
    if (vector.model == VectorModel::tlm && !chip_.rtl.vector.text.empty())
      add({"clusters.vector.model", "rtl.vector"},
          fmt::format("rtl.vector is {}, but clusters.vector.model is tlm, expected rtl or lockstep",
                      chip_.rtl.vector.text));
    if (vector.model != VectorModel::tlm && chip_.data == Data::none)
      add({"clusters.vector.model", "data"},
          fmt::format("clusters.vector.model is {}, which needs data: real", name(vector.model)));
  }

  void rtl_noc() {
    const auto& noc = chip_.noc;
    if (noc.model != NocModel::rtl) {
      if (!chip_.rtl.noc.text.empty())
        add({"noc.model", "rtl.noc"}, fmt::format("rtl.noc is {}, but noc.model is {}, expected rtl",
                                                  chip_.rtl.noc.text, name(noc.model)));
      return;
    }
    if (chip_.data == Data::none) add({"noc.model", "data"}, "noc.model is rtl, which needs data: real");
    if (chip_.timing == Timing::loose)
      add({"noc.model", "timing"}, "noc.model is rtl, which needs timing: approximate");
    if (!noc.multicast.empty() || !noc.reduction.empty())
      add({"noc.model", "noc.multicast", "noc.reduction"},
          "noc.model is rtl: AXI4 has no writes to several targets and no sums, expected no noc.multicast "
          "and no "
          "noc.reduction");
    if (chip_.devices > 1) add({"noc.model", "devices"}, "noc.model is rtl, which needs devices: 1");
  }

  void rtl_command() {
    const bool model = chip_.clusters.command.model == CommandModel::tlm;
    if (model && !chip_.rtl.command.text.empty())
      add({"clusters.command.model", "rtl.command"},
          fmt::format("rtl.command is {}, but clusters.command.model is tlm, expected rtl or lockstep",
                      chip_.rtl.command.text));
    if (!model && chip_.data == Data::none)
      add({"clusters.command.model", "data"},
          fmt::format("clusters.command.model is {}, which needs data: real",
                      name(chip_.clusters.command.model)));
    if (!model && chip_.timing == Timing::loose)
      add({"clusters.command.model", "timing"},
          fmt::format("clusters.command.model is {}, which needs timing: approximate",
                      name(chip_.clusters.command.model)));
  }

  void rtl_cpu() {
    if (chip_.cpu.model == CpuModel::tlm && !chip_.rtl.cpu.text.empty())
      add({"cpu.model", "rtl.cpu"},
          fmt::format("rtl.cpu is {}, but cpu.model is tlm, expected rtl or lockstep", chip_.rtl.cpu.text));
  }

  void rtl_scratchpad() {
    const auto model = chip_.clusters.scratchpad.model;
    const auto& file = chip_.rtl.scratchpad.text;
    const bool tlm = model == ScratchpadModel::tlm;
    if (tlm != file.empty())
      add({"clusters.scratchpad.model", "rtl.scratchpad"},
          tlm ? fmt::format(
                    "rtl.scratchpad is {}, but clusters.scratchpad.model is tlm, expected rtl or lockstep",
                    file)
              : fmt::format("clusters.scratchpad.model is {}, expected a model of Verilog in rtl.scratchpad",
                            name(model)));
    if (!tlm && chip_.data == Data::none)
      add({"clusters.scratchpad.model", "data"},
          fmt::format("clusters.scratchpad.model is {}, which needs data: real", name(model)));
  }

  void rtl_dma() {
    const bool model = chip_.clusters.dma.model == DmaModel::tlm;
    if (model && !chip_.rtl.dma.text.empty())
      add({"clusters.dma.model", "rtl.dma"},
          fmt::format("rtl.dma is {}, but clusters.dma.model is tlm, expected rtl or lockstep",
                      chip_.rtl.dma.text));
    if (!model && chip_.data == Data::none)
      add({"clusters.dma.model", "data"},
          fmt::format("clusters.dma.model is {}, which needs data: real", name(chip_.clusters.dma.model)));
  }

  static constexpr Path Rtl::*compared[] = {&Rtl::hbm,   &Rtl::sram,    &Rtl::uart,   &Rtl::clint, &Rtl::plic,
                                            &Rtl::timer, &Rtl::mailbox, &Rtl::sysctl, &Rtl::perf};

  void rtl_hbm() {
    const auto& r = chip_.rtl;
    const bool any = std::any_of(std::begin(compared), std::end(compared),
                                 [&](const auto path) { return !(r.*path).text.empty(); });
    if (r.lockstep && !any)
      add({"rtl.lockstep"}, "rtl.lockstep is true, but no key from rtl.hbm to rtl.perf names RTL to compare");
    if (chip_.rtl.hbm.text.empty()) return;
    if (chip_.data == Data::none)
      add({"rtl.hbm", "data"}, fmt::format("rtl.hbm is {}, which needs data: real", chip_.rtl.hbm.text));
    if (chip_.timing == Timing::loose)
      add({"rtl.hbm", "timing"},
          fmt::format("rtl.hbm is {}, which needs timing: approximate", chip_.rtl.hbm.text));
  }

  void rtl_tensor() {
    const auto& tensor = chip_.clusters.tensor;
    if (tensor.rows % tensor.dot != 0)
      add({"clusters.tensor.dot", "clusters.tensor.rows"},
          fmt::format("clusters.tensor.dot is {}, expected a divisor of clusters.tensor.rows, {}", tensor.dot,
                      tensor.rows));
    if (tensor.model == TensorModel::tlm) {
      if (!chip_.rtl.tensor.text.empty())
        add({"clusters.tensor.model", "rtl.tensor"},
            fmt::format("rtl.tensor is {}, but clusters.tensor.model is tlm, expected rtl or lockstep",
                        chip_.rtl.tensor.text));
      return;
    }
    if (chip_.data == Data::none)
      add({"clusters.tensor.model", "data"},
          fmt::format("clusters.tensor.model is {}, which needs data: real", name(tensor.model)));
    if (tensor.model == TensorModel::lockstep && !tensor.double_buffered)
      add({"clusters.tensor.model", "clusters.tensor.double_buffered"},
          "clusters.tensor.model is lockstep, which needs clusters.tensor.double_buffered: true");
    if (tensor.dot != 1)
      add({"clusters.tensor.model", "clusters.tensor.dot"},
          fmt::format("clusters.tensor.model is {}, which needs clusters.tensor.dot: 1", name(tensor.model)));
    const auto& formats = tensor.formats;
    const bool any = std::any_of(formats.begin(), formats.end(), [](Format format) {
      return format == Format::i8 || format == Format::bf16 || format == Format::f16;
    });
    if (!any)
      add({"clusters.tensor.formats", "clusters.tensor.model"},
          fmt::format(
              "clusters.tensor.model is {}, but clusters.tensor.formats has none of i8, bf16 and f16, which "
              "the RTL multiplies",
              name(tensor.model)));
  }

  void boot_rom() {
    const auto size = chip_.boot_rom.size.count;
    const auto tree = (device_tree_bytes(chip_) + page - 1) / page * page;
    const auto room = address_map::sysctl - address_map::boot_rom - tree;
    if (size > room)
      add({"boot_rom.size", "clusters.count"},
          fmt::format("boot_rom.size is {}, but at most {} fit, with the device tree of {} clusters "
                      "(clusters.count){} behind it",
                      format(chip_.boot_rom.size), format(Bytes{room}), chip_.clusters.count,
                      chip_.noc.multicast.empty() && chip_.noc.reduction.empty()
                          ? ""
                          : " and the windows of noc.multicast and noc.reduction"));
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
    const unsigned controllers = h.channels * h.pseudo_channels,
                   banks = h.ranks * h.bank_groups * h.banks_per_group;
    if (h.ports > controllers)
      add({"hbm.ports", "hbm.channels", "hbm.pseudo_channels"},
          fmt::format(
              "hbm.ports is {}, but a stack has only {} pseudo-channels (hbm.channels x hbm.pseudo_channels)",
              h.ports, controllers));
    if (banks > max_banks)
      add({"hbm.banks_per_group", "hbm.bank_groups", "hbm.ranks"},
          fmt::format(
              "hbm.ranks x bank_groups x banks_per_group are {} banks in a pseudo-channel; at most {}", banks,
              max_banks));
    else if (h.pseudo_channels * banks > max_channel_banks)
      add({"hbm.pseudo_channels", "hbm.banks_per_group", "hbm.bank_groups", "hbm.ranks"},
          fmt::format("hbm.pseudo_channels x ranks x bank_groups x banks_per_group are {} banks in a "
                      "channel; at most {}",
                      h.pseudo_channels * banks, max_channel_banks));
    if (h.burst_bytes > h.row_bytes)
      add({"hbm.burst_bytes", "hbm.row_bytes"},
          fmt::format("hbm.burst_bytes is {}, more than the {} of a row (hbm.row_bytes)",
                      format(h.burst_bytes), format(h.row_bytes)));
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
          fmt::format("the memory of hbm.stacks x channels x pseudo_channels x ranks x bank_groups x "
                      "banks_per_group x rows x row_bytes is {}; "
                      "at most {} fit the address space",
                      format(memory_size(chip_)), format(Bytes{max_memory})));
  }

  void address_map() {
    const auto& h = chip_.hbm;
    if (h.burst_bytes > h.row_bytes) return;
    try {
      address_masks(h);
    } catch (const AddressMapError& error) {
      add({error.key, "hbm.address_map", "hbm.ranks", "hbm.channels", "hbm.pseudo_channels",
           "hbm.bank_groups", "hbm.banks_per_group", "hbm.rows", "hbm.row_bytes", "hbm.burst_bytes"},
          error.what());
    }
  }

  void controller() {
    const auto& h = chip_.hbm;
    if ((h.queues == Queues::read_write || h.scheduler == Scheduler::fr_fcfs_grouped) && h.write_high != 0 &&
        h.write_low >= h.write_high)
      add({"hbm.write_low", "hbm.write_high"},
          fmt::format("hbm.write_low is {}, not below hbm.write_high ({}): writing would end where it begins",
                      h.write_low, h.write_high));
    if (h.page_policy == PagePolicy::adaptive && h.page_idle == 0)
      add({"hbm.page_policy", "hbm.page_idle"},
          "hbm.page_policy is adaptive, but hbm.page_idle 0: say after how many idle cycles a row closes");
  }

  /// What only the burst model of a channel has.
  void row_model() {
    const auto& h = chip_.hbm;
    if (h.model != HbmModel::row) return;
    const auto refuse = [&](std::string_view key, std::string_view value, std::string_view needed) {
      add({key, "hbm.model"},
          fmt::format("{} is {}, but with hbm.model: row it must be {}; hbm.model: burst has it", key, value,
                      needed));
    };
    const auto zero = [&](std::string_view key, unsigned value) {
      if (value != 0) refuse(key, fmt::to_string(value), "0");
    };
    if (h.page_policy != PagePolicy::open) refuse("hbm.page_policy", name(h.page_policy), "open");
    if (h.scheduler != Scheduler::fr_fcfs) refuse("hbm.scheduler", name(h.scheduler), "fr_fcfs");
    if (h.queues == Queues::per_bank) refuse("hbm.queues", name(h.queues), "shared or read_write");
    if (h.refresh == Refresh::per_bank) refuse("hbm.refresh", name(h.refresh), "all_bank or none");
    if (h.refresh_management) refuse("hbm.refresh_management", "true", "false");
    if (h.ecc == Ecc::in_line) refuse("hbm.ecc", name(h.ecc), "none or sideband");
    zero("hbm.starvation", h.starvation);
    zero("hbm.power_down", h.power_down);
    zero("hbm.self_refresh", h.self_refresh);
  }

  /// `sum` is made of names of timings; each of them may be the one to change.
  void at_least(std::string_view key, unsigned value, std::string_view sum, unsigned least,
                std::string_view why) {
    if (value >= least) return;
    std::vector<std::string_view> involved{key};
    std::istringstream words{std::string(sum)};
    for (std::string word; words >> word;)
      if (const auto* other = find_key("hbm.timings." + word)) involved.push_back(other->path);
    add(std::move(involved), fmt::format("{} is {}, less than {} ({}): {}", key, value, sum, least, why));
  }

  /// A choice that needs timings which are 0.
  void needs(std::string_view choice, std::string_view value,
             std::initializer_list<std::pair<std::string_view, unsigned>> needed) {
    std::vector<std::string_view> keys{choice};
    std::string missing;
    for (const auto& [key, number] : needed)
      if (number == 0) {
        keys.push_back(key);
        missing += fmt::format("{}{}", missing.empty() ? "" : " and ", key);
      }
    if (!missing.empty())
      add(std::move(keys),
          fmt::format("{} is {}, but {} {} 0", choice, value, missing, keys.size() > 2 ? "are" : "is"));
  }

#define LEAST(KEY, SUM, VALUE, WHY) at_least("hbm.timings." #KEY, t.KEY, SUM, VALUE, WHY)
#define NEEDED(KEY) \
  { "hbm.timings." #KEY, t.KEY }

  void timings() {
    const auto& t = chip_.hbm.timings;
    LEAST(tRC, "tRAS + tRP", t.tRAS + t.tRP, "a row opened again must have been closed");
    LEAST(tRAS, "tRCDRD", t.tRCDRD, "a row would close before it is read");
    LEAST(tRAS, "tRCDWR", t.tRCDWR, "a row would close before it is written");
    LEAST(tCCDS, "nBL", t.nBL, "bursts would overlap on the data bus");
    LEAST(tCCDL, "tCCDS", t.tCCDS, "one bank group cannot be faster than two");
    if (chip_.hbm.ranks > 1) LEAST(tCCDR, "nBL", t.nBL, "bursts of two ranks would overlap on the data bus");
    LEAST(tRRDL, "tRRDS", t.tRRDS, "one bank group cannot be faster than two");
    LEAST(tWTRL, "tWTRS", t.tWTRS, "one bank group cannot be faster than two");
    LEAST(tFAW, "tRRDS", t.tRRDS, "four activations take longer than two");
    if (t.RL + t.nBL > t.WL)
      LEAST(tRTW, "RL + nBL - WL", t.RL + t.nBL - t.WL, "read and write data would overlap on the data bus");
  }

  void refresh() {
    const auto& h = chip_.hbm;
    const auto& t = h.timings;
    if (h.refresh == Refresh::all_bank) {
      LEAST(tRFC, "tRC", t.tRC, "a refresh opens and closes rows");
      LEAST(tREFI, "tRFC + tRC + RL", t.tRFC + t.tRC + t.RL, "refreshing would leave no time for data");
    }
    if (h.refresh == Refresh::per_bank) {
      needs("hbm.refresh", "per_bank", {NEEDED(tREFIpb), NEEDED(tRFCpb)});
      if (t.tREFIpb != 0 && t.tRFCpb != 0) {
        LEAST(tRFCpb, "tRC", t.tRC, "a refresh opens and closes rows");
        LEAST(tREFIpb, "tRREFD", t.tRREFD, "refreshes would come faster than they may follow one another");
        LEAST(tREFI, "tREFIpb", t.tREFIpb, "every bank is refreshed once in tREFI");
        // Banks of a channel take turns; where a turn is too short for all in tREFI, several share one.
        const auto banks = h.pseudo_channels * h.ranks * h.bank_groups * h.banks_per_group;
        const auto between = std::uint64_t{t.tREFIpb} * std::clamp(t.tREFI / t.tREFIpb, 1u, banks);
        if (between < std::uint64_t{t.tRFCpb} + t.tRC + t.RL)
          add({"hbm.timings.tREFIpb", "hbm.timings.tREFI", "hbm.timings.tRFCpb", "hbm.timings.tRC",
               "hbm.timings.RL"},
              fmt::format("hbm.timings.tREFIpb is {} and tREFI {}, so that a bank is refreshed every {} "
                          "cycles, less than "
                          "tRFCpb + tRC + RL ({}): refreshing would leave no time for data",
                          t.tREFIpb, t.tREFI, between, t.tRFCpb + t.tRC + t.RL));
      }
    }
    if (h.refresh_management) {
      needs("hbm.refresh_management", "true", {NEEDED(RAAIMT), NEEDED(tRFM)});
      if (t.RAAMMT != 0)
        LEAST(RAAMMT, "RAAIMT", t.RAAIMT, "refresh management cannot be urgent before it is due");
    }
  }

  void low_power() {
    const auto& h = chip_.hbm;
    const auto& t = h.timings;
    if (h.power_down != 0) needs("hbm.power_down", fmt::to_string(h.power_down), {NEEDED(tXP), NEEDED(tCKE)});
    if (h.self_refresh == 0) return;
    needs("hbm.self_refresh", fmt::to_string(h.self_refresh), {NEEDED(tXS), NEEDED(tCKE)});
    if (t.tXS != 0) LEAST(tXS, "tRFC", t.tRFC, "self-refresh may be left while a refresh is under way");
    if (h.power_down >= h.self_refresh)
      add({"hbm.power_down", "hbm.self_refresh"},
          fmt::format(
              "hbm.power_down is {}, not below hbm.self_refresh ({}): power-down would never be entered",
              h.power_down, h.self_refresh));
  }
#undef NEEDED
#undef LEAST

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

  void windows() {
    std::vector<std::string> names;
    each_window("noc.multicast", chip_.noc.multicast, names);
    each_window("noc.reduction", chip_.noc.reduction, names);
    for (const auto& window : chip_.noc.reduction) place_in_target(window);
  }

  template <typename Windows>
  void each_window(std::string_view key, const Windows& windows, std::vector<std::string>& names) {
    if (windows.size() > address_map::max_windows)
      add({key}, fmt::format("{}: {} windows; at most {}", key, windows.size(), address_map::max_windows));
    for (const auto& window : windows) {
      if (std::find(names.begin(), names.end(), window.name) != names.end())
        add({key, "noc.multicast"},
            fmt::format("{}: two windows are called {}; firmware finds them by name", key, window.name));
      names.push_back(window.name);
      if (!good_window_name(window.name))
        add({key}, fmt::format("{}: no window can be called '{}'", key, window.name));
      const auto& clusters = window.clusters;
      if (std::adjacent_find(clusters.begin(), clusters.end(), std::greater_equal<>()) != clusters.end())
        add({key}, fmt::format("{}.{}: its clusters are not in ascending order", key, window.name));
      else if (!clusters.empty() && clusters.back() >= chip_.clusters.count)
        no_cluster(key, window.name, clusters.back());
    }
  }

  void no_cluster(std::string_view key, const std::string& window, unsigned cluster) {
    add({key, "clusters.count"}, fmt::format("{}.{}: there is no cluster {}; clusters.count is {}", key,
                                             window, cluster, chip_.clusters.count));
  }

  /// Where the sums go.
  void place_in_target(const ReductionWindow& window) {
    const auto problem = [&](const std::string& text) {
      add({"noc.reduction", "clusters.scratchpad.size", "hbm.rows", "hbm.stacks"},
          fmt::format("noc.reduction.{}: {}", window.name, text));
    };
    const auto offset = window.offset.count, size = window.size.count;
    for (const auto& [what, bytes] : {std::pair{"offset", offset}, {"size", size}})
      if (bytes % page != 0)
        problem(fmt::format("{} is {}, no multiple of {}", what, format(Bytes{bytes}), format(Bytes{page})));
    if (!window.to_memory && window.target >= chip_.clusters.count)
      return no_cluster("noc.reduction", window.name, window.target);
    if (window.to_memory && size == 0)
      return problem(fmt::format("no size; expected how much of the memory it covers, up to {}",
                                 format(Bytes{address_map::window_stride})));
    if (size > address_map::window_stride)
      return problem(fmt::format("size is {}; at most {}", format(window.size),
                                 format(Bytes{address_map::window_stride})));
    const auto room = window.to_memory ? memory_size(chip_) : chip_.clusters.scratchpad.size;
    if (offset >= room.count || size > room.count - offset)
      problem(fmt::format("offset {} + size {} is beyond the {} of {}", format(window.offset),
                          format(window.size), format(room),
                          window.to_memory ? "the memory" : "clusters.scratchpad.size"));
  }

  const Chip& chip_;
  std::vector<Conflict> found_;
};

}  // namespace

std::vector<Conflict> find_conflicts(const Chip& chip) { return Finder(chip).all(); }

}  // namespace forerun::chip
