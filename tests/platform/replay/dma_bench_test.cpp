// SPDX-License-Identifier: Apache-2.0
// What DMA engines of RTL did in a run of a transformer, played into an engine alone.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ip/record/reader.hpp"
#include "ip/record/writer.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
namespace record = forerun::ip::record;
namespace fs = std::filesystem;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
const fs::path engine = FORERUN_SOURCE_DIR "/ip/dma/rtl";

Result run(const std::string& script, const std::string& options = {}) {
  const Scratch scratch;
  const int status =
      std::system(fmt::format("{} '{}' >{} 2>&1 </dev/null", script, options, scratch.file("out")).c_str());
  return {status == 0 ? 0 : 1, read_file(scratch.file("out")), {}};
}

/// The recording of a short run, made once for all tests of this process.
std::string recorded(const std::string& block) {
  static Scratch scratch;
  const auto path = scratch.file(block);
  const auto result = launch(fmt::format(
      "run --chip edge --steps 1 --prompt We --set clusters.dma.model=rtl --record {}={} --record-count 10",
      block, path));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(fmt::format("recorded {} in {}: 10 copies", block, path)));
  return path;
}

/// A bench for the engine in `folder`, in the size of the chip's or another.
std::string bench(
    const Scratch& scratch, const std::string& recording, const fs::path& folder = engine,
    const std::string& size =
        "--parameter DATA_BYTES=32 --parameter BURST_BYTES=4096 --parameter BUFFER_BYTES=32768") {
  std::string sources;
  for (const auto* part : {"buffer", "flights", "read", "write", "registers", "walk", "engine"})
    sources += fmt::format(" {}/dma_{}.sv", folder.string(), part);
  const auto to = scratch.file("bench");
  const auto made =
      launch(fmt::format("replay {} --to {} --top dma_engine --pins {}/dma_engine.yaml {} --rtl{}", recording,
                         to, engine.string(), size, sources));
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("10 copies"));
  return to + "/verilator_dpi.sh";
}

/// A copy of the engine with another text in the place of one.
fs::path planted(const Scratch& scratch, const std::string& file, const std::string& text,
                 const std::string& other) {
  const fs::path folder = scratch.file("planted");
  fs::create_directories(folder);
  for (const auto& entry : fs::directory_iterator(engine))
    if (entry.path().extension() == ".sv") fs::copy_file(entry.path(), folder / entry.path().filename());
  auto source = read_file((folder / file).string());
  const auto at = source.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at != std::string::npos) source.replace(at, text.size(), other);
  std::ofstream(folder / file) << source;
  return folder;
}

}  // namespace

TEST(ReplayDma, LoadsAreThoseOfTheRun) {
  const auto recording = recorded("cluster0.load");
  EXPECT_THAT(launch("replay " + recording + " --list 1").out, HasSubstr("cluster0.load: 10 copies of"));
  const Scratch scratch;
  const auto script = bench(scratch, recording);
  for (const auto* options : {"", "stalls=30,seed=3", "latency=200", "any_order"}) {
    const auto result = run(script, options);
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("forerun replay: 10 copies, ")) << options;
    EXPECT_THAT(result.out, HasSubstr("all equal")) << options;
  }
  EXPECT_THAT(run(script, "most=2").out, HasSubstr("forerun replay: 2 copies, "));
  EXPECT_THAT(run(script, "fast").out, HasSubstr("'fast' is no option of a replay; known are stalls"));
}

TEST(ReplayDma, StoresToo) {
  const Scratch scratch;
  const auto result = run(bench(scratch, recorded("cluster0.store")));
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_THAT(result.out, HasSubstr("10 copies, "));
}

/// An engine of another style, recorded in a run and played alone.
struct Style {
  const char *top, *pins, *sources;  ///< in tests/platform/rtl/verilog
};

void PrintTo(const Style& style, std::ostream* out) { *out << style.pins; }

struct ReplayOfStyles : testing::TestWithParam<Style> {
  /// The bench of an engine of `sources`, from a run with the engine as it is.
  std::string bench(const std::string& sources) {
    const auto& style = GetParam();
    const auto described = fmt::format("--top {} --pins {}{}.yaml", style.top, folder, style.pins);
    const auto made = launch(fmt::format("rtl {} -o {}{}", described, scratch.file("dma.so"), own_sources()));
    EXPECT_EQ(made.code, 0) << made.err;
    const auto ran = launch(
        fmt::format("run --chip edge --steps 1 --prompt We --set clusters.dma.model=rtl --set rtl.dma={} "
                    "--record cluster0.load={} --record-count 10",
                    scratch.file("dma.so"), scratch.file("load")));
    EXPECT_EQ(ran.code, 0) << ran.err;
    const auto written = launch(fmt::format("replay {} --to {} {} --rtl{}", scratch.file("load"),
                                            scratch.file("bench"), described, sources));
    EXPECT_EQ(written.code, 0) << written.err;
    return scratch.file("bench/verilator_dpi.sh");
  }
  std::string own_sources() {
    std::string files;
    std::istringstream names(GetParam().sources);
    for (std::string name; names >> name;) files += " " + folder + name;
    return files;
  }
  const std::string folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/";
  const Scratch scratch;
};

TEST_P(ReplayOfStyles, IsThatOfTheRun) {
  const auto script = bench(own_sources());
  for (const auto* options : {"", "stalls=20"}) {
    const auto result = run(script, options);
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("forerun replay: 10 copies, ")) << options;
    EXPECT_THAT(result.out, HasSubstr("all equal")) << options;
  }
}

struct FaultsOfStyles : ReplayOfStyles {};

TEST_P(FaultsOfStyles, AreFound) {
  const std::string mover = "dma/mover.v";
  auto text = read_file(folder + mover);
  const std::string sound = "wdata = kept[at[3:0]]";
  ASSERT_NE(text.find(sound), std::string::npos);
  text.replace(text.find(sound), sound.size(), "wdata = kept[at[3:0]] ^ (at == 3)");
  scratch.write("mover.v", text);
  auto sources = own_sources();
  sources.replace(sources.find(folder + mover), (folder + mover).size(), scratch.file("mover.v"));
  const auto result = run(bench(sources));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.out, testing::ContainsRegex(
                              "DIFFERENT: copy [0-9]+ .*is written as [0-9a-f]{2}, recorded [0-9a-f]{2}"));
}

constexpr Style plain{"plain_dma", "plain_dma", "plain_dma.v"},
    split{"SPLIT_DMA", "dma/split_dma", "dma/mover.v dma/split_dma.v"},
    two_port{"two_port_dma", "dma/two_port_dma", "dma/mover.v dma/two_port_dma.sv"},
    joined{"joined_dma", "dma/joined_dma", "dma/mover.v dma/joined_dma.v"};
std::string name_of(const testing::TestParamInfo<Style>& chosen) { return chosen.param.top; }
INSTANTIATE_TEST_SUITE_P(, ReplayOfStyles, testing::Values(plain, split, two_port, joined), name_of);
INSTANTIATE_TEST_SUITE_P(, FaultsOfStyles, testing::Values(split, two_port, joined), name_of);

TEST(ReplayDma, AByteThatIsLostIsNamed) {
  const Scratch scratch;
  const auto folder =
      planted(scratch, "dma_write.sv", "assign wstrb = ~({B{1'b1}} << pop_count) << pop_lane;",
              "assign wstrb = (~({B{1'b1}} << pop_count) << pop_lane) & ~B'(wlast ? 4 : 0);");
  const auto result = run(bench(scratch, recorded("cluster0.load"), folder));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(
      result.out,
      testing::ContainsRegex(
          "forerun replay: DIFFERENT: copy [0-9]+ \\([0-9]+ rows? of [0-9]+ bytes from 0x[0-9a-f]+ to "
          "0x[0-9a-f]+, begun at [0-9]+ ps\\): in cycle [0-9]+: byte 0x[0-9a-f]+ is written, in the "
          "recording 0x[0-9a-f]+ is next|is not written; 1 byte is missing"));
}

TEST(ReplayDma, AWrongAddressIsNamed) {
  const Scratch scratch;
  const auto folder =
      planted(scratch, "dma_write.sv", "awaddr <= piece_address;", "awaddr <= piece_address ^ 64'd64;");
  const auto result = run(bench(scratch, recorded("cluster0.store"), folder));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.out,
              testing::ContainsRegex("byte 0x[0-9a-f]+ is written, in the recording 0x[0-9a-f]+ is next"));
}

TEST(ReplayDma, AByteOfTheRecordingThatIsAnotherIsNamed) {
  const Scratch scratch;
  const auto changed = scratch.file("changed");
  {
    record::Reader reader(recorded("cluster0.load"));
    record::Writer writer(changed, reader.header());
    for (record::Copy copy; reader.next(copy); writer.write(copy))
      if (reader.count() == 7)
        for (auto& t : copy.transactions)
          if (t.write != 0) t.data.back() = static_cast<std::uint8_t>(t.data.back() ^ 1);
    ASSERT_TRUE(writer.close());
  }
  const auto result = run(bench(scratch, changed));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.out,
              testing::ContainsRegex("DIFFERENT: copy 6 .*is written as [0-9a-f]{2}, recorded [0-9a-f]{2}"));
}

TEST(ReplayDma, SaysWhatIsMissing) {
  EXPECT_THAT(launch("run --chip edge --steps 1 --record cluster0.load=x.rec").err,
              HasSubstr("DMA engines are recorded where they are RTL: clusters.dma.model is tlm"));
  const auto recording = recorded("cluster0.load");
  EXPECT_THAT(launch("replay " + recording + " --to x").err, HasSubstr("with --rtl, --top and --pins"));
  const Scratch scratch;
  scratch.write(
      "pins.yaml",
      "reset: rst\nreset_active: high\ninterfaces: {m: {protocol: axi4, role: manager, prefix: m_axy_}}\n"
      "dma:\n  ports: {start: desc_valid, source: desc_read_addr, destination: desc_write_addr, bytes: "
      "desc_len, done: status_valid}\n");
  const auto wrong = launch(fmt::format("replay {} --to {} --top plain_dma --pins {} --rtl {}", recording,
                                        scratch.file("to"), scratch.file("pins.yaml"),
                                        FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/plain_dma.v"));
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err,
              HasSubstr("pins.yaml:3:57: module plain_dma: interface m: no port begins with 'm_axy_'; "
                        "did you mean m_axi_?"));
  EXPECT_FALSE(fs::exists(scratch.file("to"))) << "nothing is made of a map that does not fit";
}
