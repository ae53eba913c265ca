// SPDX-License-Identifier: Apache-2.0
/// What a chip is: plain numbers with their units, and what follows from them. Values are not checked here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ip/base/units.hpp"

namespace forerun::chip {

enum class Timing : unsigned char { loose, approximate };
enum class Data : unsigned char { real, none };
/// What the arrays multiply: floats, OCP 8-bit floats, integers, OCP microscaling blocks.
enum class Format : unsigned char { f32, f16, bf16, i8, f8e4m3, f8e5m2, i4, mxfp8, mxfp6, mxfp4, mxint8 };
enum class Scheduler : unsigned char { fr_fcfs, fcfs };
enum class PagePolicy : unsigned char { open, closed };
enum class Refresh : unsigned char { all_bank, none };
/// A piece of a memory address.
enum class AddressField : unsigned char { burst, column, channel, pseudo_channel, bank_group, bank, row };

/// The control CPU: clock, and cycles that an instruction of each class takes.
struct Cpu {
  Frequency clock{1e9};
  unsigned alu = 1, load = 2, store = 1, branch = 2, multiply = 3, divide = 20, floating = 4, atomic = 6,
           system = 4;
  unsigned pmp_entries = 16;  ///< of physical memory protection
  bool operator==(const Cpu&) const = default;
};

struct Sram {
  Bytes size{16ull << 20};
  unsigned latency = 4;  ///< CPU cycles
  bool operator==(const Sram&) const = default;
};

struct BootRom {
  Bytes size{64ull << 10};
  unsigned latency = 4;  ///< CPU cycles
  bool operator==(const BootRom&) const = default;
};

/// What joins the CPU with its memories and peripherals.
struct Bus {
  Time latency{2000};  ///< added to each transaction
  bool operator==(const Bus&) const = default;
};

struct Peripherals {
  Frequency timebase{10e6};  ///< of mtime, and of the timer
  Frequency uart_clock{50e6};
  unsigned uart_register_shift = 0;   ///< registers lie 1 << shift bytes apart
  unsigned mailbox_depth = 16;        ///< messages in each direction
  unsigned interrupt_priorities = 7;  ///< highest priority of the interrupt controller
  bool operator==(const Peripherals&) const = default;
};

struct Scratchpad {
  Bytes size{4ull << 20};
  unsigned banks = 32;
  Bytes bank_width{16};  ///< a cycle
  unsigned latency = 4;  ///< cycles
  bool operator==(const Scratchpad&) const = default;
};

struct Tensor {
  unsigned rows = 64, columns = 64, arrays = 2;
  bool double_buffered = true;
  std::vector<Format> formats{Format::f32, Format::f16, Format::bf16, Format::i8};
  bool operator==(const Tensor&) const = default;
};

struct Vector {
  unsigned lanes = 64;
  unsigned latency = 12;        ///< cycles
  unsigned special_factor = 4;  ///< lanes that share a special-function unit
  bool operator==(const Vector&) const = default;
};

struct Dma {
  unsigned load_channels = 1, store_channels = 1;  ///< as many of both
  Bytes burst{256};
  unsigned outstanding = 32;  ///< transactions under way, per channel
  unsigned overhead = 8;      ///< cycles a descriptor
  bool operator==(const Dma&) const = default;
};

struct Command {
  unsigned queue_depth = 16;  ///< commands, per engine
  Bytes fetch_buffer{64 << 10};
  unsigned dispatch_cycles = 1;
  bool operator==(const Command&) const = default;
};

struct Clusters {
  unsigned count = 16;
  Frequency clock{1.25e9};
  Scratchpad scratchpad;
  Tensor tensor;
  Vector vector;
  Dma dma;
  Command command;
  bool operator==(const Clusters&) const = default;
};

struct Noc {
  Frequency clock{1.25e9};
  unsigned columns = 0, rows = 0;                 ///< 0: chosen by place_tiles
  Bytes link_width{64};                           ///< a flit: what a link carries a cycle
  unsigned buffer = 32;                           ///< flits per port
  unsigned router_latency = 2, link_latency = 1;  ///< cycles
  std::vector<std::string> tiles;  ///< row by row from the top, "X C M H ."; empty: chosen by place_tiles
  bool operator==(const Noc&) const = default;
};

/// Memory timings, in cycles of the memory's command clock.
struct Timings {
  unsigned RL = 20, WL = 10, nBL = 2;
  unsigned tRCDRD = 31, tRCDWR = 15, tRP = 26, tRAS = 45, tRC = 72, tWR = 33, tRTP = 9;
  unsigned tCCDS = 2, tCCDL = 4, tRRDS = 4, tRRDL = 5, tWTRS = 7, tWTRL = 10, tRTW = 20, tFAW = 24;
  unsigned tRFC = 560, tREFI = 6240;
  bool operator==(const Timings&) const = default;
};

struct Hbm {
  unsigned stacks = 1;
  Frequency clock{1.6e9};  ///< command clock
  unsigned channels = 16;  ///< of a stack
  unsigned pseudo_channels = 2;
  unsigned bank_groups = 4, banks_per_group = 4;
  unsigned rows = 32768;  ///< of a bank, all ranks together
  Bytes row_bytes{1024};
  Bytes burst_bytes{32};
  unsigned ports = 16;  ///< NoC memory tiles of a stack
  Bytes interleave{256};
  unsigned queue_depth = 64;
  unsigned front_end = 1;  ///< cycles
  unsigned act_cycles = 2;
  Scheduler scheduler = Scheduler::fr_fcfs;
  PagePolicy page_policy = PagePolicy::open;
  Refresh refresh = Refresh::all_bank;
  /// From the lowest address bits up.
  std::vector<AddressField> address_map{
      AddressField::burst,   AddressField::pseudo_channel, AddressField::bank_group, AddressField::column,
      AddressField::channel, AddressField::bank,           AddressField::row};
  Timings timings;
  bool operator==(const Hbm&) const = default;
};

struct Chip {
  std::string name = "reference";
  Timing timing = Timing::approximate;
  Data data = Data::real;
  Time quantum{1'000'000};  ///< of temporal decoupling (loose)
  Cpu cpu;
  Sram sram;
  BootRom boot_rom;
  Bus bus;
  Peripherals peripherals;
  Clusters clusters;
  Noc noc;
  Hbm hbm;
  bool operator==(const Chip&) const = default;
};

/// Peak of all tensor arrays in operations a second (a multiply-add is two); 0 for a format that the arrays
/// lack. The same for every format that they have: each array makes rows x columns multiply-adds a cycle;
/// narrower elements save traffic only.
double peak_flops(const Chip& chip, Format format);
Bandwidth peak_memory_bandwidth(const Chip& chip);
Bytes memory_size(const Chip& chip);

enum class TileKind : unsigned char { empty, cluster, memory, control, host };

/// A place in the mesh. `index` counts tiles of a kind: cluster number, or stack * ports + port for memory.
struct Tile {
  TileKind kind = TileKind::empty;
  unsigned index = 0, x = 0, y = 0;
  bool operator==(const Tile&) const = default;
};

/// The mesh, `tiles` row by row: tiles[y * columns + x].
struct Grid {
  unsigned columns = 0, rows = 0;
  std::vector<Tile> tiles;
};

/// The chip's own tile map, or one made for it: memory on the left and right edges, control and host at the
/// top left, clusters between. Throws std::invalid_argument if the given columns, rows or tiles do not fit
/// the chip.
Grid place_tiles(const Chip& chip);

}  // namespace forerun::chip
