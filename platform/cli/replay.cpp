// SPDX-License-Identifier: Apache-2.0
// forerun replay: what a recording holds, and benches that play it into RTL.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>

#include "ip/record/reader.hpp"
#include "platform/cli/options.hpp"
#include "platform/replay/bench.hpp"
#include "platform/replay/wrappers.hpp"
#include "platform/rtl/command.hpp"

namespace forerun::cli {
namespace {
namespace record = ip::record;

struct ReplayOptions {
  std::string file, to;
  std::uint64_t list = 0, count = 0;
  // of a tile
  std::optional<std::string> tile;
  std::optional<std::string> format;
  // of both
  std::string top;
  std::vector<std::string> rtl, includes, defines;
  // of a DMA engine, or a block behind AXI
  std::string pins;
  std::vector<std::string> parameters;
  // of an AXI block
  std::string prefix = "s_axi_", clock = "aclk", reset = "aresetn";
  bool reset_high = false, lite = false, no_initial = false;
  unsigned bus_bits = 128, id_bits = 4, address_bits = 32;
  std::string base = "0", size = "0";
};

std::uint64_t number(const std::string& text, const char* option) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* const first = text.data() + (hex ? 2 : 0);
  const char* const last = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(first, last, value, hex ? 16 : 10);
  if (error != std::errc() || end != last || first == last)
    throw UsageError(
        fmt::format("{}: '{}' is no number; expected digits, or 0x and hexadecimal digits", option, text));
  return value;
}

replay::TileShape tile_shape(const ReplayOptions& o, unsigned format) {
  const auto tile = o.tile.value_or("8x8");
  const auto x = tile.find('x');
  if (x == std::string::npos)
    throw UsageError(fmt::format("--tile: '{}', expected ROWSxCOLUMNS such as 8x8", tile));
  const auto rows = number(tile.substr(0, x), "--tile"), columns = number(tile.substr(x + 1), "--tile");
  if (rows < 1 || rows > 512 || columns < 1 || columns > 512)
    throw UsageError("--tile: a tile has 1 to 512 rows and columns");
  return {.format = format, .rows = static_cast<unsigned>(rows), .columns = static_cast<unsigned>(columns)};
}

void print_products(record::Reader& reader, std::uint64_t list) {
  record::Product p;
  std::array<std::uint64_t, 3> formats{};
  std::map<std::array<std::uint64_t, 4>, std::uint64_t> shapes;
  std::uint64_t first = 0, last = 0, macs = 0;
  while (reader.next(p)) {
    if (reader.count() == 1) first = p.begin_ps;
    last = p.end_ps;
    ++formats[p.format];
    ++shapes[{p.format, p.m, p.n, p.k}];
    macs += std::uint64_t{p.m} * p.n * p.k;
    if (reader.count() <= list)
      fmt::print("{:6} {:>12} ps, {:>9} ps long: {} {} x {} x {}{}\n", reader.count() - 1, p.begin_ps,
                 p.end_ps - p.begin_ps, replay::format_name(p.format), p.m, p.n, p.k,
                 p.before.empty() ? "" : ", added to C");
  }
  const auto& header = reader.header();
  fmt::print("{}: {} products on arrays of {} x {}, from {} to {} ps, {} multiply-accumulates\n",
             header.block, reader.count(), header.rows, header.columns, first, last, macs);
  for (unsigned format = 0; format < formats.size(); ++format)
    if (formats[format] > 0) fmt::print("  {} in {}\n", formats[format], replay::format_name(format));
  fmt::print("  {} different shapes\n", shapes.size());
}

void print_transactions(record::Reader& reader, std::uint64_t list) {
  record::Transaction t;
  static constexpr const char* responses[] = {"", ", EXOKAY", ", SLVERR", ", DECERR"};
  std::array<std::uint64_t, 2> counts{}, bytes{};
  std::uint64_t first = 0, last = 0, low = ~std::uint64_t{0}, high = 0, errors = 0;
  while (reader.next(t)) {
    if (reader.count() == 1) first = t.begin_ps;
    last = std::max(last, t.end_ps);
    low = std::min(low, t.address);
    high = std::max(high, t.address + t.length);
    ++counts[t.write];
    bytes[t.write] += t.length;
    errors += t.response >= record::Transaction::slave_error;
    if (reader.count() <= list)
      fmt::print("{:6} {:>12} ps, {:>9} ps long: {} {:#x}, {} bytes{}\n", reader.count() - 1, t.begin_ps,
                 t.end_ps - t.begin_ps, t.write != 0 ? "write" : "read ", t.address, t.length,
                 responses[t.response]);
  }
  fmt::print("{}: {} transactions, from {} to {} ps\n", reader.header().block, reader.count(), first, last);
  fmt::print("  {} reads of {} bytes, {} writes of {} bytes, {} answered with an error\n", counts[0],
             bytes[0], counts[1], bytes[1], errors);
  if (reader.count() > 0) fmt::print("  addresses {:#x} to {:#x}\n", low, high - 1);
}

void print_copies(record::Reader& reader, std::uint64_t list) {
  record::Copy c;
  std::uint64_t bytes = 0, transactions = 0, failed = 0, first = 0, last = 0;
  while (reader.next(c)) {
    if (reader.count() == 1) first = c.begin_ps;
    last = std::max(last, c.end_ps);
    bytes += c.rows * c.bytes;
    transactions += c.transactions.size();
    failed += c.failed;
    if (reader.count() <= list)
      fmt::print("{:6} {:>12} ps, {:>9} ps long: {} x {} bytes from {:#x} to {:#x}, {} transactions{}\n",
                 reader.count() - 1, c.begin_ps, c.end_ps - c.begin_ps, c.rows, c.bytes, c.source,
                 c.destination, c.transactions.size(), c.failed != 0 ? ", failed" : "");
  }
  fmt::print("{}: {} copies of {} bytes in {} transactions, from {} to {} ps, {} failed\n",
             reader.header().block, reader.count(), bytes, transactions, first, last, failed);
}

/// The most frequent one, unless another is asked for.
unsigned format_of(const ReplayOptions& o) {
  for (unsigned format = 0; format < 3; ++format)
    if (o.format && *o.format == replay::format_name(format)) return format;
  record::Reader reader(o.file);
  record::Product product;
  std::array<std::uint64_t, 3> counts{};
  while (reader.next(product)) ++counts[product.format];
  return static_cast<unsigned>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

rtl::PinMap pin_map(const ReplayOptions& o) {
  auto map = rtl::PinMap::parse(rtl::read_text(o.pins), o.pins);
  for (const auto& setting : o.parameters) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--parameter is '{}', expected NAME=VALUE", setting));
    map.parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return map;
}

/// What all blocks have.
template <typename Block>
Block block_of(const ReplayOptions& o) {
  Block block;
  block.top = o.top;
  block.sources = o.rtl;
  block.includes = o.includes;
  block.defines = o.defines;
  if (o.count > 0) block.most = o.count;
  return block;
}

replay::PinnedBlock pinned_block(const ReplayOptions& o) {
  auto block = block_of<replay::PinnedBlock>(o);
  block.map = pin_map(o);
  block.pins = rtl::read_text(o.pins);
  block.pins_file = o.pins;
  return block;
}

int dma_bench(const ReplayOptions& o) {
  if (o.rtl.empty() || o.top.empty() || o.pins.empty())
    throw UsageError(fmt::format(
        "{} holds copies of a DMA engine: expected the engine that they are to be played into, with --rtl, "
        "--top and --pins",
        o.file));
  const auto summary = write_dma_bench(o.to, o.file, pinned_block(o));
  fmt::print("{}: {}\nrun {}/verilator_dpi.sh there\n", o.to, summary, o.to);
  return ok;
}

replay::Summary tile_bench(const ReplayOptions& o) {
  auto block = block_of<replay::TileBlock>(o);
  if (!o.pins.empty()) {
    if (o.rtl.empty() || o.top.empty())
      throw UsageError("--pins: expected the unit beside it, with --rtl and --top");
    if (o.tile || o.format)
      throw UsageError(
          fmt::format("--{}: the pin map and the ports of the unit say it", o.tile ? "tile" : "format"));
    auto wrapped = replay::wrap_tile(pinned_block(o));
    block.top = replay::WrappedTile::top;
    block.wrapper = std::move(wrapped.text);
    block.shape = wrapped.shape;
    return write_tile_bench(o.to, o.file, block);
  }
  if (o.rtl.empty()) {
    for (const auto* name : {"arithmetic", "cell", "delay", "accumulators", "tile"})
      block.sources.push_back(fmt::format(FORERUN_TILE_DIR "/tensor_{}.sv", name));
    if (!o.top.empty()) throw UsageError("--top: expected the sources of the module, with --rtl");
  }
  if (block.top.empty()) block.top = "tensor_tile";
  block.shape = tile_shape(o, format_of(o));
  return write_tile_bench(o.to, o.file, block);
}

replay::Summary axi_bench(const ReplayOptions& o, const std::string& recorded) {
  if (o.rtl.empty() || o.top.empty())
    throw UsageError(
        fmt::format("{} holds transactions of {}: expected the block that they are to be played into, with "
                    "--rtl and --top",
                    o.file, recorded));
  auto block = block_of<replay::AxiBlock>(o);
  if (o.pins.empty()) {
    if (o.bus_bits % 8 != 0)
      throw UsageError(fmt::format("--bus-bits: {}, expected 8, 16, ... 1024", o.bus_bits));
    block.shape = {
        .data_bytes = o.bus_bits / 8, .id_bits = o.id_bits, .address_bits = o.address_bits, .lite = o.lite};
    block.prefix = o.prefix;
    block.clock = o.clock;
    block.reset = o.reset;
    block.reset_high = o.reset_high;
  } else {
    auto wrapped = replay::wrap_axi(pinned_block(o));
    block.top = replay::WrappedAxi::top;
    block.wrapper = std::move(wrapped.text);
    block.shape = wrapped.shape;
    block.clock = "clock";
    block.reset = "reset";
    block.reset_high = true;
  }
  block.initial_contents = !o.no_initial;
  block.window = {number(o.base, "--base"), number(o.size, "--size")};
  return write_axi_bench(o.to, o.file, block);
}

int run(const ReplayOptions& o) {
  record::Reader reader(o.file);
  const bool products = reader.header().kind == record::Kind::products;
  const bool copies = reader.header().kind == record::Kind::copies;
  if (o.to.empty()) {
    (products ? print_products : copies ? print_copies : print_transactions)(reader, o.list);
    return ok;
  }
  if (copies) return dma_bench(o);
  if (o.pins.empty() && !o.parameters.empty())
    throw UsageError("--parameter: expected a pin map beside it, with --pins");
  const auto summary = products ? tile_bench(o) : axi_bench(o, reader.header().block);
  fmt::print("{}: {}\nrun {}/icarus.sh, verilator.sh or verilator_dpi.sh there\n", o.to, summary, o.to);
  return ok;
}

}  // namespace

void add_replay(CLI::App& app, int& code) {
  auto o = std::make_shared<ReplayOptions>();
  auto& command = *app.add_subcommand("replay", "play what forerun run --record has recorded into RTL");
  command.add_option("FILE", o->file, "the recording; without --to, what it holds is printed")->required();
  command.add_option("--list", o->list, "print the first so many, one a line");
  command.add_option("--to", o->to, "make a folder with test benches and what they play");
  command.add_option("--count", o->count, "play only so many; 0: all")->capture_default_str();
  command.add_option("--rtl", o->rtl,
                     "Verilog files of the block; a tensor engine has our tile if none are given");
  command.add_option("--top", o->top,
                     "module of the block; for a tensor engine, one with the ports of tensor_tile");
  command.add_option(
      "--pins", o->pins,
      "YAML file that says what the ports are, of any style, and of a DMA engine its registers");
  command.add_option("--parameter", o->parameters, "NAME=VALUE, over the pin map's; may be repeated")
      ->allow_extra_args(false);
  command.add_option("-I,--include", o->includes, "folder of files that are included; may be repeated")
      ->allow_extra_args(false);
  command.add_option("-D,--define", o->defines, "NAME or NAME=VALUE; may be repeated")
      ->allow_extra_args(false);
  command.add_option(
      "--tile", o->tile,
      "without --pins: rows and columns of the tile (default: 8x8), of any size: results do not "
      "depend on it");
  command
      .add_option("--format", o->format,
                  "without --pins: number format of the tile (default: the most frequent one)")
      ->check(CLI::IsMember({"int8", "bf16", "fp16"}));
  command.add_option("--prefix", o->prefix, "without --pins: before the AXI names of the ports")
      ->capture_default_str();
  command.add_option("--clock", o->clock, "clock of the block")->capture_default_str();
  command.add_option("--reset", o->reset, "reset of the block, active low")->capture_default_str();
  command.add_flag("--reset-high", o->reset_high, "the reset is active high");
  command.add_option("--bus-bits", o->bus_bits, "width of the data bus")->capture_default_str();
  command.add_option("--id-bits", o->id_bits, "width of IDs")->capture_default_str();
  command.add_option("--address-bits", o->address_bits, "width of addresses")->capture_default_str();
  command.add_flag("--lite", o->lite, "AXI4-Lite");
  command.add_option("--base", o->base, "play only addresses from here on; the block sees them from 0 on")
      ->capture_default_str();
  command.add_option("--size", o->size, "and so many bytes of them; 0: all")->capture_default_str();
  command.add_flag(
      "--no-initial", o->no_initial,
      "do not first write what the recording reads before it is written: the block starts as in the run");
  command.callback([o, &code] { code = run(*o); });
}

}  // namespace forerun::cli
