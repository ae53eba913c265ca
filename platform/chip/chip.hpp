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
/// What the model of a memory channel moves: single bursts, or those of a request in the same rows together.
enum class HbmModel : unsigned char { burst, row };
enum class Scheduler : unsigned char { fr_fcfs, fcfs, fr_fcfs_grouped };
enum class Queues : unsigned char { shared, per_bank, read_write };
enum class PagePolicy : unsigned char { open, closed, adaptive };
/// Which waiting hits keep a row open against a burst that wants another row of the bank.
enum class KeepOpen : unsigned char { none, older, all };
/// Which of several row commands goes first.
enum class RowOrder : unsigned char { oldest_ready, first_over };
enum class Refresh : unsigned char { all_bank, per_bank, none };
enum class RefreshOrder : unsigned char { together, spread };
enum class Ecc : unsigned char { none, sideband, in_line };
/// A part of a memory address.
enum class AddressField : unsigned char {
  burst,
  column,
  channel,
  pseudo_channel,
  rank,
  bank_group,
  bank,
  row
};
inline constexpr unsigned address_fields = 8;

/// The next bits of a field, from the field's lowest up.
struct AddressPiece {
  AddressField field = AddressField::burst;
  unsigned width = 0;  ///< 0: all that are left
  bool operator==(const AddressPiece&) const = default;
};

/// Masks of address bits, one for each bit of a field from its lowest: the parity of the address under the
/// mask is XORed onto the bit.
struct AddressHash {
  AddressField field = AddressField::bank;
  std::vector<std::uint64_t> masks;
  bool operator==(const AddressHash&) const = default;
};
/// How devices are joined: ip/link/link_graph.hpp.
enum class LinkTopology : unsigned char { ring, fully_connected, switched, torus };
/// What the arrays are: the fast models, RTL in their place, or both side by side and compared.
enum class TensorModel : unsigned char { tlm, rtl, lockstep };
/// What moves the bytes of loads and stores: the fast model, or RTL.
enum class DmaModel : unsigned char { tlm, rtl, lockstep };
enum class NocModel : unsigned char { packet, flit, rtl };
enum class NocTopology : unsigned char { mesh, torus, ring, concentrated_mesh, fat_tree, crossbar };
enum class NocRouting : unsigned char { dimension_order, o1turn, west_first };
enum class NocSwitching : unsigned char { wormhole, virtual_cut_through };

/// The control CPU: clock, and cycles that an instruction of each class takes.
/// What the control CPU is: the interpreter, RTL, or RTL compared with the interpreter's hart.
enum class CpuModel : unsigned char { tlm, rtl, lockstep };

struct Cpu {
  CpuModel model = CpuModel::tlm;
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
  unsigned uart_baud = 0;             ///< bits a second that firmware sets up; 0: it leaves the divisor alone
  unsigned mailbox_depth = 16;        ///< messages in each direction
  unsigned interrupt_priorities = 7;  ///< highest priority of the interrupt controller
  bool operator==(const Peripherals&) const = default;
};

/// What scratchpads are: the models, RTL, or both compared.
enum class ScratchpadModel : unsigned char { tlm, rtl, lockstep };

struct Scratchpad {
  ScratchpadModel model = ScratchpadModel::tlm;
  Bytes size{4ull << 20};
  unsigned banks = 32;
  Bytes bank_width{16};  ///< a cycle
  unsigned latency = 4;  ///< cycles
  bool operator==(const Scratchpad&) const = default;
};

struct Tensor {
  TensorModel model = TensorModel::tlm;
  unsigned rows = 64, columns = 64, arrays = 2, dot = 1;
  bool double_buffered = true;
  std::vector<Format> formats{Format::f32,    Format::f16,    Format::bf16,  Format::i8,
                              Format::f8e4m3, Format::f8e5m2, Format::i4,    Format::mxfp8,
                              Format::mxfp6,  Format::mxfp4,  Format::mxint8};
  bool operator==(const Tensor&) const = default;
};

/// What vector engines are: the models, RTL, or both compared.
enum class VectorModel : unsigned char { tlm, rtl, lockstep };

struct Vector {
  VectorModel model = VectorModel::tlm;
  unsigned lanes = 64;
  unsigned latency = 12;        ///< cycles
  unsigned special_factor = 4;  ///< lanes that share a special-function unit
  Bytes buffer{64 * 1024};      ///< kept between the passes of an operation
  bool operator==(const Vector&) const = default;
};

struct Dma {
  DmaModel model = DmaModel::tlm;
  unsigned load_channels = 1, store_channels = 1;  ///< as many of both
  Bytes burst{4096};
  unsigned outstanding = 8;  ///< transactions under way, per channel
  unsigned overhead = 8;     ///< cycles a descriptor
  bool operator==(const Dma&) const = default;
};

/// What command processors are: the models, RTL, or RTL compared with the models.
enum class CommandModel : unsigned char { tlm, rtl, lockstep };

struct Command {
  CommandModel model = CommandModel::tlm;
  unsigned queue_depth = 16;  ///< commands, per engine
  Bytes fetch_buffer{64 << 10};
  unsigned dispatch_cycles = 1;
  Time launch{0};  ///< of what follows an exchange between all clusters; 0: they go on when they are told
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

/// A window of addresses of which each write reaches the same place in the scratchpads of some clusters.
struct MulticastWindow {
  std::string name;
  std::vector<unsigned> clusters;  ///< ascending; empty: all
  bool operator==(const MulticastWindow&) const = default;
};

/// What a reduction adds.
enum class Element : unsigned char { f32, bf16, f16, i32 };

/// A window in which the writes of some clusters to the same address are summed on their way to one place.
struct ReductionWindow {
  std::string name;
  std::vector<unsigned> clusters;  ///< that contribute, ascending; empty: all
  Element element = Element::f32;
  bool to_memory = false;  ///< or to the scratchpad of `target`
  unsigned target = 0;
  Bytes offset{0};  ///< in the target, where the window begins
  Bytes size{0};    ///< 0: all of the scratchpad behind `offset`
  bool operator==(const ReductionWindow&) const = default;
};

struct Noc {
  Frequency clock{1.25e9};
  unsigned columns = 0, rows = 0;  ///< 0: chosen by place_tiles
  NocModel model = NocModel::packet;
  NocTopology topology = NocTopology::mesh;
  unsigned concentration_columns = 2, concentration_rows = 2;  ///< tiles of a router of a concentrated mesh
  unsigned fat_tree_radix = 4;                                 ///< tiles of a leaf
  NocRouting routing = NocRouting::dimension_order;
  NocSwitching switching = NocSwitching::wormhole;
  Bytes link_width{64};           ///< a flit: what a link carries a cycle
  Bytes endpoint_width{0};        ///< of links to and from tiles; 0: link_width
  unsigned virtual_channels = 2;  ///< for requests, and as many for responses
  unsigned buffer = 16;           ///< flits of each virtual channel
  unsigned credit_delay = 1, routing_delay = 0, vc_alloc_delay = 1, sw_alloc_delay = 1,
           switch_delay = 1;  ///< cycles
  bool speculative = true;    ///< both allocations at once where possible
  unsigned link_latency = 1;  ///< cycles
  unsigned priorities = 1, control_priority = 0;
  unsigned synchroniser_stages = 0;  ///< 0: all tiles run on the network's clock
  std::vector<MulticastWindow> multicast;
  Bytes multicast_buffer{65536};  ///< of a router, for multicasts on their way
  std::vector<ReductionWindow> reduction;
  std::vector<std::string> tiles;  ///< row by row from the top, "X C M H ."; empty: chosen by place_tiles
  bool operator==(const Noc&) const = default;
};

/// Memory timings by JEDEC's names, in cycles of the memory's command clock. 0: no such rule.
struct Timings {
  unsigned RL = 20, WL = 10, nBL = 2;
  unsigned tRCDRD = 31, tRCDWR = 15, tRP = 26, tRAS = 45, tRC = 72, tWR = 33, tRTP = 9;
  unsigned tCCDS = 2, tCCDL = 4, tCCDR = 3, tRRDS = 4, tRRDL = 5, tWTRS = 7, tWTRL = 10, tRTW = 20, tFAW = 24,
           tPPD = 2;
  unsigned tRFC = 560, tREFI = 6240, tRFCpb = 320, tREFIpb = 195, tRREFD = 8;
  unsigned tRFM = 320, RAAIMT = 80, RAAMMT = 240;
  unsigned tXP = 13, tCKE = 13, tXS = 576;
  bool operator==(const Timings&) const = default;
};

/// Of one command in one pseudo-channel, and while nothing happens in it.
struct Energies {
  Energy activate{1.74e-9};  ///< ACT and its PRE
  Energy read{1.085e-9}, write{704e-12};
  Energy refresh{36e-9}, refresh_bank{2.25e-9};
  Power standby{78.3e-3}, power_down{54.8e-3}, self_refresh{60.7e-3};
  bool operator==(const Energies&) const = default;
};

struct Hbm {
  HbmModel model = HbmModel::burst;
  unsigned stacks = 1;
  Frequency clock{1.6e9};  ///< command clock
  unsigned channels = 16;  ///< of a stack
  unsigned pseudo_channels = 2;
  unsigned ranks = 1;  ///< or stack IDs
  unsigned bank_groups = 4, banks_per_group = 4;
  unsigned rows = 32768;  ///< of a bank
  Bytes row_bytes{1024};
  Bytes burst_bytes{32};
  bool separate_buses = true;  ///< for row and column commands
  unsigned act_cycles = 2;
  bool half_cycle_rows = true;
  unsigned column_cycles = 1;
  unsigned ports = 16;  ///< NoC memory tiles of a stack
  Bytes interleave{8192};
  /// From the lowest address bits up.
  std::vector<AddressPiece> address_map{{AddressField::burst},      {AddressField::pseudo_channel},
                                        {AddressField::bank_group}, {AddressField::column},
                                        {AddressField::channel},    {AddressField::bank},
                                        {AddressField::row}};
  std::vector<AddressHash> address_hash;
  unsigned front_end = 1;  ///< cycles
  Queues queues = Queues::read_write;
  unsigned queue_depth = 128;
  unsigned write_high = 80, write_low = 20;  ///< per cent of the write queue
  Scheduler scheduler = Scheduler::fr_fcfs;
  unsigned starvation = 0;  ///< cycles; 0: no bound
  PagePolicy page_policy = PagePolicy::open;
  unsigned page_idle = 0;  ///< cycles
  KeepOpen keep_open = KeepOpen::none;
  RowOrder row_order = RowOrder::oldest_ready;
  bool opened_leaves_queue = true;
  Refresh refresh = Refresh::all_bank;
  RefreshOrder refresh_order = RefreshOrder::together;
  unsigned refresh_postpone = 0;  ///< refreshes
  bool refresh_management = false;
  Ecc ecc = Ecc::none;
  unsigned ecc_data_bursts = 8;
  unsigned power_down = 0, self_refresh = 0;  ///< idle cycles before; 0: never
  Timings timings;
  Energies energies;
  bool operator==(const Hbm&) const = default;
};

/// Links between the devices of a system.
struct Link {
  LinkTopology topology = LinkTopology::ring;
  unsigned columns = 2;        ///< devices side by side in a torus
  Bandwidth bandwidth{100e9};  ///< of a link, each way
  Time latency{500'000};       ///< along a link
  Time hop{100'000};           ///< through a device on the way, or the switch
  Bytes overhead{24};          ///< of a packet
  Bytes payload{256};          ///< largest of a packet
  bool operator==(const Link&) const = default;
};

/// A file; empty: none.
struct Path {
  std::string text;
  bool operator==(const Path&) const = default;
};

/// Models that forerun_add_rtl_block or `forerun rtl` has made of somebody's Verilog.
struct Rtl {
  Path tensor;      ///< arrays of clusters.tensor.model rtl and lockstep; empty: ip/tensor/rtl
  Path vector;      ///< engine of clusters.vector.model rtl and lockstep; empty: ip/vector/rtl
  Path noc;         ///< of noc.model rtl; empty: ip/noc/rtl
  Path dma;         ///< engine of clusters.dma.model rtl and lockstep; empty: ip/dma/rtl
  Path command;     ///< of clusters.command.model rtl and lockstep; empty: ip/command/rtl
  Path cpu;         ///< of cpu.model rtl and lockstep; empty: ip/cpu/rtl
  Path scratchpad;  ///< of clusters.scratchpad.model rtl and lockstep
  Path hbm;         ///< memory behind each port of the HBM; empty: the model
  Path sram;        ///< memory of the control CPU; empty: the model
  Path uart, clint, plic, timer, mailbox, sysctl, perf;  ///< peripherals; empty: the model
  bool lockstep = false;      ///< all above from `hbm` on beside the models, compared on every transaction
  std::vector<Path> devices;  ///< at address_map::rtl_device(i)
  bool operator==(const Rtl&) const = default;
};

struct Chip {
  std::string name = "reference";
  unsigned devices = 1;  ///< chips like this one, joined by links
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
  Link link;
  Rtl rtl;
  bool operator==(const Chip&) const = default;
};

/// Peak of all tensor arrays in operations a second (a multiply-add is two); 0 for a format that the arrays
/// lack. The same for every format that they have: each array makes rows x columns multiply-adds a cycle;
/// narrower elements save traffic only.
double peak_flops(const Chip& chip, Format format);
Bandwidth peak_memory_bandwidth(const Chip& chip);
Bytes memory_size(const Chip& chip);

/// The device tree of the chip takes no more, beside its name.
std::uint64_t device_tree_bytes(const Chip& chip);
/// The clusters of a window, in which an empty list stands for all.
std::vector<unsigned> window_clusters(const Chip& chip, const std::vector<unsigned>& listed);
/// Bytes of a window; that of a multicast is as large as a scratchpad.
Bytes window_size(const Chip& chip, const MulticastWindow& window);
Bytes window_size(const Chip& chip, const ReductionWindow& window);

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

/// The chip's own tile map, or one made for it: memory on the left and right edges, clusters beside it,
/// control and host in the first places that are left. Throws std::invalid_argument if the given columns,
/// rows or tiles do not fit the chip.
Grid place_tiles(const Chip& chip);

}  // namespace forerun::chip
