// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "platform/replay/bench.hpp"
#include "platform/replay/bench_folder.hpp"
#include "replay_benches.inc"

namespace forerun::replay {
using ip::cosim::AxiBurst;
using ip::record::Transaction;
namespace {

/// A port of the block by its AXI name, and what it is connected to in each bench.
struct Port {
  const char *name, *plain, *dpi;
};
constexpr Port ports[] = {
    {"awvalid", "awvalid", "awvalid"},
    {"awready", "awready", "awready"},
    {"awid", "{IDS{1'b0}}", "aw[64+:IDS]"},
    {"awaddr", "address[ADDRESS-1:0]", "aw[ADDRESS-1:0]"},
    {"awlen", "len", "aw[103:96]"},
    {"awsize", "size", "aw[106:104]"},
    {"awburst", "burst", "aw[108:107]"},
    {"awlock", "1'b0", "aw[109]"},
    {"awcache", "4'b0011", "4'b0011"},
    {"awprot", "3'b000", "3'b000"},
    {"awqos", "4'b0000", "4'b0000"},
    {"awregion", "4'b0000", "4'b0000"},
    {"wvalid", "wvalid", "wvalid"},
    {"wready", "wready", "wready"},
    {"wdata", "wdata", "wdata[8*BYTES-1:0]"},
    {"wstrb", "wstrb", "wstrb[BYTES-1:0]"},
    {"wlast", "wlast", "wlast"},
    {"bvalid", "bvalid", "bvalid"},
    {"bready", "bready", "bready"},
    {"bid", "bid", "bid"},
    {"bresp", "bresp", "bresp"},
    {"arvalid", "arvalid", "arvalid"},
    {"arready", "arready", "arready"},
    {"arid", "{IDS{1'b0}}", "ar[64+:IDS]"},
    {"araddr", "address[ADDRESS-1:0]", "ar[ADDRESS-1:0]"},
    {"arlen", "len", "ar[103:96]"},
    {"arsize", "size", "ar[106:104]"},
    {"arburst", "burst", "ar[108:107]"},
    {"arlock", "1'b0", "ar[109]"},
    {"arcache", "4'b0011", "4'b0011"},
    {"arprot", "3'b000", "3'b000"},
    {"arqos", "4'b0000", "4'b0000"},
    {"arregion", "4'b0000", "4'b0000"},
    {"rvalid", "rvalid", "rvalid"},
    {"rready", "rready", "rready"},
    {"rid", "rid", "rid"},
    {"rdata", "rdata", "rdata"},
    {"rresp", "rresp", "rresp"},
    {"rlast", "rlast", "rlast"},
};
/// Without these there is no interface.
constexpr const char* needed[] = {"awvalid", "awready", "awaddr",  "wvalid", "wready", "wdata",  "bvalid",
                                  "bready",  "arvalid", "arready", "araddr", "rvalid", "rready", "rdata"};

/// The words of some source files.
class Words {
 public:
  explicit Words(const AxiBlock& block) : text_(block.wrapper) {
    if (!text_.empty()) return;
    for (const auto& file : block.sources) {
      std::ifstream in(file);
      text_.append(std::istreambuf_iterator<char>(in), {});
      text_ += '\n';
    }
  }
  bool contain(const std::string& word) const {
    const auto part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
    };
    for (std::size_t at = 0; (at = text_.find(word, at)) != std::string::npos; ++at)
      if ((at == 0 || !part(text_[at - 1])) && !part(text_[at + word.size()])) return true;
    return false;
  }

 private:
  std::string text_;
};

std::string connections(const AxiBlock& block, const Words& words, bool dpi) {
  std::string text =
      fmt::format("      .{}(clock), .{}({}reset)", block.clock, block.reset, block.reset_high ? "" : "!");
  for (const auto& port : ports)
    if (words.contain(block.prefix + port.name))
      text += fmt::format(",\n      .{}{}({})", block.prefix, port.name, dpi ? port.dpi : port.plain);
  return text;
}

/// The bursts of a transaction, as replay_tb.sv reads them.
class BurstFile {
 public:
  BurstFile(std::ofstream file, const ip::cosim::AxiShape& shape) : file_(std::move(file)), shape_(shape) {}

  void add(Transaction& t, std::int64_t number) {
    t.data.resize(t.length);
    std::vector<unsigned char> enables;
    for (const auto enable : t.enables) enables.push_back(enable != 0 ? 0xff : 0);
    std::vector<AxiBurst> bursts;
    ip::cosim::split({.write = t.write != 0,
                      .address = t.address,
                      .data = t.data.data(),
                      .length = t.length,
                      .streaming_width = t.streaming_width,
                      .enables = enables.empty() ? nullptr : enables.data(),
                      .enables_period = static_cast<unsigned>(enables.size())},
                     shape_, {}, bursts);
    const bool compared =
        t.write != 0 || (t.response == Transaction::okay && (t.flags & Transaction::has_data) != 0);
    for (const auto& burst : bursts) {
      const auto address =
          shape_.lite ? burst.address & ~std::uint64_t{shape_.data_bytes - 1} : burst.address;
      file_ << fmt::format("{} {} {:x} {} {} {}\n", t.write, number, address, burst.beats, burst.size,
                           static_cast<unsigned>(burst.kind));
      for (unsigned beat = 0; beat < burst.beats; ++beat) add_beat(burst, beat, compared);
    }
    file_ << fmt::format("2 {} {} {}\n", number, t.response, t.length);
  }
  void finish() { BenchFolder::finish(file_, "bursts.txt"); }

 private:
  void add_beat(const AxiBurst& burst, unsigned beat, bool compared) {
    std::vector<std::uint8_t> lanes(shape_.data_bytes);
    std::vector<std::uint8_t> used((shape_.data_bytes + 7) / 8);
    const auto span = ip::cosim::beat_span(burst, beat, shape_.data_bytes);
    for (unsigned i = 0; i < span.count; ++i) {
      const auto lane = span.lane + i;
      lanes[lane] = burst.data[span.offset + i];
      if (compared && burst.enabled(span.offset + i))
        used[lane / 8] = static_cast<std::uint8_t>(used[lane / 8] | 1u << (lane % 8));
    }
    file_ << lane_digits(lanes, 8) << " " << lane_digits(used, 8) << "\n";
  }
  std::ofstream file_;
  ip::cosim::AxiShape shape_;
};

}  // namespace

Summary write_axi_bench(const std::string& folder, const std::string& recording, const AxiBlock& block) {
  block.shape.check();
  check_sources(block);
  TransactionSource source(recording, block.window, block.most);
  const Words words(block);
  for (const auto& name : {block.top, block.clock, block.reset})
    if (!words.contain(name))
      throw std::invalid_argument(fmt::format("the sources do not contain the name '{}'", name));
  for (const auto* name : needed)
    if (!words.contain(block.prefix + name))
      throw std::invalid_argument(
          fmt::format("the sources do not contain a port '{}{}'; expected the names of AXI behind a prefix",
                      block.prefix, name));
  BenchFolder made(folder, block);
  if (!block.wrapper.empty()) made.source("block.sv", block.wrapper);
  BurstFile bursts(made.text("bursts.txt"), block.shape);
  auto initial = block.initial_contents ? source.initial_contents() : std::vector<Transaction>();
  for (auto& write : initial) bursts.add(write, -1);
  Transaction t;
  while (source.next(t)) {
    const auto end = t.address + t.length - 1;
    if (block.shape.address_bits < 64 && end >> block.shape.address_bits != 0)
      throw std::invalid_argument(fmt::format(
          "{}: transaction {} is at {:#x}, beyond {} bits of address; choose a part of the addresses",
          recording, source.position(), t.address, block.shape.address_bits));
    bursts.add(t, static_cast<std::int64_t>(source.position()));
  }
  bursts.finish();
  const auto& shape = block.shape;
  std::map<std::string, std::string> values{
      {"TOP", block.top},
      {"MOST", block.most == Block().most ? "0" : std::to_string(block.most)},
      {"BYTES", std::to_string(shape.data_bytes)},
      {"ID_BITS", std::to_string(shape.id_bits)},
      {"ID_WIDTH", std::to_string(std::max(shape.id_bits, 1u))},
      {"ADDRESS_BITS", std::to_string(shape.address_bits)},
      {"LITE", shape.lite ? "1" : "0"},
      {"INITIAL", block.initial_contents ? "1" : "0"},
      {"BASE", fmt::format("{:x}", block.window.base)},
      {"SIZE", fmt::format("{:x}", block.window.size)},
      {"BID", words.contain(block.prefix + "bid") ? "32'(bid)" : "32'd0"},
      {"RID", words.contain(block.prefix + "rid") ? "32'(rid)" : "32'd0"},
      {"RLAST", words.contain(block.prefix + "rlast") ? "rlast" : "1'b1"},
      {"RECORDING", std::filesystem::absolute(recording).string()}};
  values["CONNECTIONS"] = connections(block, words, false);
  made.bench("replay_tb.sv", axi_tb, values);
  values["CONNECTIONS"] = connections(block, words, true);
  made.bench("replay_dpi_tb.sv", axi_dpi_tb, values);
  made.scripts();
  std::string summary =
      fmt::format("{} transactions, after {} writes of initial contents", source.count(), initial.size());
  if (source.left_out() > 0) summary += fmt::format("; {} left out", source.left_out());
  return summary;
}

}  // namespace forerun::replay
