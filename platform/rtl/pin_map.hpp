// SPDX-License-Identifier: Apache-2.0
/// What the ports of somebody's module are: a small YAML file, docs/rtl/own.md. It goes into the model
/// (`forerun rtl`), so that a model is one file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ip/base/units.hpp"
#include "ip/cpu/retired.hpp"
#include "platform/rtl/difference.hpp"
#include "platform/rtl/map_places.hpp"

namespace forerun::rtl {

enum class Protocol : unsigned char { axi4, axi4_lite, axi4_stream, rvfi };
/// Of the module.
enum class Role : unsigned char { subordinate, manager, receiver, transmitter };

/// Names of a protocol's pins in the specification, in lower case and without underscores.
const std::vector<std::string>& pin_names(Protocol protocol);

struct InterfaceMap {
  std::string name;
  Protocol protocol = Protocol::axi4;
  Role role = Role::subordinate;
  /// What stands before and behind the specification's name of a pin in the names of the ports, or in those
  /// of fields
  /// ("axi_req_i."): capitals, underscores and dots in between do not count.
  std::vector<std::string> prefixes{}, suffixes{};
  std::map<std::string, std::string> ports;  ///< those of other names: by "awvalid", "tdata"
  std::uint64_t offset =
      0;  ///< subordinate, receiver: first address in the device's window; transmitter: address written to
  /// Of a block in another process, whose ports cannot be looked at.
  unsigned data_bits = 0, address_bits = 0, id_bits = 0;
  std::string place{};  ///< MapPlaces::at

  /// Of a pin, as MapPlaces::at takes it: its name in `ports`, or what else says where it is.
  std::string place_of(const std::string& pin) const;
  bool operator==(const InterfaceMap&) const = default;
};

/// A matrix unit with the streams of ip/tensor/rtl/tensor_tile.sv.
struct TileMap {
  unsigned format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  unsigned depth = 0;   ///< rows that its accumulators hold
  bool own_timing =
      false;  ///< its cycles are not those of ip/tensor/tile_timing.hpp, and not compared in lockstep
  bool operator==(const TileMap&) const = default;
};

/// What is written to a DMA engine.
enum class DmaValue : unsigned char {
  number,
  source,
  destination,
  bytes,
  rows,
  source_stride,
  destination_stride,
  descriptor  ///< address of a descriptor in memory
};

/// A register written.
struct DmaWrite {
  std::uint64_t at = 0;  ///< address at the engine's port
  DmaValue value = DmaValue::number;
  std::uint64_t number = 0;
  unsigned bits = 32;  ///< 8, 16, 32 or 64
  bool operator==(const DmaWrite&) const = default;
};

/// A port that is a SystemVerilog interface.
struct Bundle {
  std::string interface, modport;                 ///< modport: empty if the module's port has one
  std::map<std::string, std::string> parameters;  ///< of the interface
  std::map<std::string, std::string> ports;       ///< its own ports, by name: inputs of the module
  bool operator==(const Bundle&) const = default;
};

/// How a DMA engine is told to copy: by registers behind its subordinate port (`start` not empty) or by ports
/// that carry a descriptor (`ports` not empty).
struct DmaMap {
  std::vector<DmaWrite> setup;  ///< once after each reset
  std::vector<DmaWrite> start;  ///< for each copy
  std::vector<DmaWrite> end;    ///< after each copy
  /// What is in memory when it is started, for an engine that fetches it by itself; `at` from
  /// DmaValue::descriptor on.
  std::vector<DmaWrite> descriptor;
  static constexpr std::uint64_t descriptor_bytes = 4096;
  struct Status {
    std::uint64_t at = 0, done = 0, error = 0;  ///< address; masks, 0: none
    bool operator==(const Status&) const = default;
  };
  std::optional<Status> status;  ///< 32 bits, read until done or error unless there is an interrupt
  std::map<std::string, std::string> ports;  ///< by "start", "ready", "source", ...: names of the module's
  std::uint64_t alignment = 1;               ///< of addresses, sizes and strides: a power of two
  std::uint64_t most_bytes = 0;              ///< of a row; 0: what its register or port holds
  bool operator==(const DmaMap&) const = default;

  bool takes(DmaValue value) const;
};

/// A vector engine with the streams of ip/vector/rtl/vector_engine.sv.
struct VectorMap {
  std::vector<std::uint8_t> operations;  ///< FR_VECTOR_*
  std::vector<std::uint8_t> types;       ///< FR_TYPE_*, of operands and results
  std::uint64_t columns = 0;             ///< most of a row in operations of several passes; 0: any
  bool own_timing = false;               ///< its cycles are not those of ip/vector/vector_timing.hpp
  bool operator==(const VectorMap&) const = default;
};

/// A network: which addresses are on its pins.
struct NocMap {
  bool chip_addresses =
      false;  ///< those of the chip; else the target's number, from `port_bit` on, above the address there
  unsigned port_bit = 48;
  bool operator==(const NocMap&) const = default;
};

/// What a CPU says of each instruction that retires: pins of the RISC-V Formal Interface.
struct RvfiMap {
  InterfaceMap pins;
  ip::riscv::Extensions extensions{};
  bool operator==(const RvfiMap&) const = default;
};

struct PinMap {
  std::string
      remote;  ///< where a block in another process joins: unix:PATH or tcp:HOST:PORT; empty: in this one
  std::vector<std::string> clocks{"clk"}, resets{"rst_n"};  ///< no resets: the module has none
  bool reset_high = false;
  unsigned reset_cycles = 2;
  Frequency frequency{0};  ///< of the clock; 0: that of the place it is put into
  std::string idle;        ///< output, high while nothing changes without an input; none: never idle
  bool idle_high = true;   ///< false: it is low then, a "busy"
  std::string interrupt;   ///< output; none: no interrupt
  bool interrupt_high = true;
  std::map<std::string, std::string> parameters;   ///< of the module
  std::map<std::string, Bundle> bundles;           ///< by port
  std::map<std::string, std::uint64_t> constants;  ///< inputs that are held
  std::map<std::string, std::string> ports;        ///< of the tile or vector engine, those of other names
  std::map<std::string, std::string> signals;      ///< by name (signal_kinds)
  std::optional<Tolerance> tolerance;              ///< of its time in lockstep; none: data only
  /// Addresses at its port whose reads say what depends on time: lockstep does not compare their bytes.
  std::vector<std::uint64_t> not_compared;
  std::optional<TileMap> tile;
  std::optional<DmaMap> dma;
  std::optional<VectorMap> vector;
  std::optional<NocMap> noc;
  std::optional<RvfiMap> rvfi;
  std::vector<InterfaceMap> interfaces;
  MapPlaces places;

  /// Throws std::runtime_error with "FILE:LINE:COLUMN: ..." for every problem. An empty text is a map of
  /// defaults.
  static PinMap parse(const std::string& text, const std::string& file);

  /// The module's name of a pin of the tile or vector engine.
  std::string name_of(const std::string& pin) const;
  const InterfaceMap* find(Protocol protocol, Role role) const;
};

}  // namespace forerun::rtl
