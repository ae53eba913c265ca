// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/load.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "platform/chip/keys.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::chip {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A folder of its own that is gone after the test.
class Files : public testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / ("chip_test." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Files() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string problems(const std::string& chip, const std::vector<std::string>& overrides = {}) {
    try {
      load(chip, overrides);
    } catch (const Error& error) {
      std::string text = error.what();  // without the folder
      for (const auto& prefix : {folder_.string() + "/", folder_.string()})
        for (std::size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;)
          text.erase(at, prefix.size());
      return text;
    }
    return "none";
  }
  fs::path folder_;
};

TEST_F(Files, PathsOfRtlBeginAtTheFileThatNamesThem) {
  write("own/memory.yaml", "extends: edge\nrtl: {sram: build/memory.so}\n");
  for (const auto* model : {"own/build/memory.so", "a.so", "b.so", "it.so"})
    write(model,
          "\x7f"
          "ELF");
  const auto b = (folder_ / "b.so").string(), it = std::filesystem::relative(folder_ / "it.so").string();
  const auto chip =
      load(write("board.yaml", "extends: own/memory.yaml\nrtl: {devices: [a.so, " + b + "]}\n"));
  EXPECT_EQ(chip.rtl.sram.text, (folder_ / "own/build/memory.so").string());
  ASSERT_EQ(chip.rtl.devices.size(), 2u);
  EXPECT_EQ(chip.rtl.devices[0].text, (folder_ / "a.so").string());
  EXPECT_EQ(chip.rtl.devices[1].text, b);
  EXPECT_EQ(parse(to_yaml(chip), "again.yaml").rtl, chip.rtl);
  EXPECT_EQ(load("edge", {"rtl.sram=" + it}).rtl.sram.text, it) << "of --set: where the user is";
  EXPECT_EQ(load((folder_ / "board.yaml").string(), {"rtl.sram="}).rtl.sram.text, "") << "taken out again";
  EXPECT_EQ(problems("edge", {"rtl.devices=x.so"}),
            "--set rtl.devices=x.so: rtl.devices: found 'x.so', expected a list of up to 8 paths of files, "
            "relative to the chip file");
  EXPECT_THAT(problems("edge", {"rtl.sram=[a]"}), HasSubstr("expected a file's path"));
}

TEST_F(Files, OfRtlThatAreNoModelsAreNamedWithWhatIsToBeMade) {
  const auto said = [&](const std::string& file, const std::string& content) {
    if (!content.empty()) write(file, content);
    return problems(write("board.yaml", "extends: edge\nrtl:\n  sram: " + file + "\n"), {});
  };
  const std::string place = "board.yaml:3:9: rtl.sram is ";
  EXPECT_EQ(said("no.so", ""), place +
                                   "no.so, which is no file; expected a model that forerun rtl or "
                                   "forerun_add_rtl_block has made");
  EXPECT_THAT(
      said("ram.v", "module ram; endmodule\n"),
      HasSubstr(place +
                "ram.v, which is a source; expected a model made of it: forerun rtl --top MODULE --pins "
                "MAP.yaml -o MODEL.so "));
  EXPECT_THAT(said("text.so", "text"), HasSubstr(place + "text.so, which is no model"));
  EXPECT_THAT(said("map.yaml", "clock: aclk\ninterfaces: {}\n"),
              HasSubstr(place + "map.yaml, which is the pin map of a model to be made with it (forerun rtl"));
  write("far.yaml", "remote: unix:far.socket\n");
  EXPECT_EQ(load(write("board.yaml", "extends: edge\nrtl: {sram: far.yaml}\n")).rtl.sram.text,
            (folder_ / "far.yaml").string());
}

TEST(Chips, ReferenceStatesTheFallBacks) { EXPECT_EQ(load("reference"), Chip{}); }

TEST(Chips, ReferenceStatesEveryKey) {
  // With other fall-backs the same chip would come out: each key is in the file or in the memory that it
  // extends.
  std::string text;
  for (const std::string name : {"reference", "memory/hbm3-6400-16gb-8hi"}) {
    std::ifstream file(std::string(FORERUN_SOURCE_DIR) + "/platform/chips/" + name + ".yaml");
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  for (const auto& key : keys()) {
    const auto leaf = std::string(key.path.substr(key.path.rfind('.') + 1));
    const bool stated = text.find("\n" + leaf + ": ") != std::string::npos ||
                        text.find(" " + leaf + ": ") != std::string::npos ||
                        text.find("{" + leaf + ": ") != std::string::npos;
    EXPECT_TRUE(stated) << key.path;
  }
}

TEST(Chips, EdgeIsASmallChip) {
  const auto chip = load("edge");
  EXPECT_EQ(chip.name, "edge");
  EXPECT_EQ(chip.clusters.count, 1u);
  EXPECT_DOUBLE_EQ(peak_memory_bandwidth(chip).bytes_per_second, 51.2e9);
  EXPECT_EQ(memory_size(chip).count, 8ull << 30);
  EXPECT_EQ(chip.hbm.timings.tRFC, 224u);    // 280 ns in cycles of 1.25 ns
  EXPECT_EQ(chip.hbm.timings.tREFI, 3124u);  // 3906 ns are 3124.8
}

TEST(Chips, AreFoundByName) {
  const auto names = chip_names();
  for (const auto* name : {"reference", "edge"}) EXPECT_THAT(names, testing::Contains(name));
  for (const auto& name : names) EXPECT_NO_THROW(load(name)) << name;
}

TEST_F(Files, AreTakenByPath) {
  const auto path = write("a.yaml", "clusters:\n  count: 3\n");
  EXPECT_EQ(load(path).clusters.count, 3u);
}

TEST_F(Files, StandOnOneAnother) {
  write("base/low.yaml", "clusters: {count: 2, clock: 1 GHz}\nnoc: {buffer: 4}\n");
  write("base/middle.yaml", "extends: low.yaml\nclusters: {count: 3}\nhbm: {ports: 2}\n");
  const auto chip = load(write("top.yaml", "extends: base/middle.yaml\nhbm: {ports: 4}\n"),
                         {"clusters.clock=2 GHz", "noc.buffer=5", "noc.buffer=6"});
  EXPECT_EQ(chip.clusters.count, 3u);
  EXPECT_EQ(chip.clusters.clock.hertz, 2e9);
  EXPECT_EQ(chip.hbm.ports, 4u);
  EXPECT_EQ(chip.noc.buffer, 6u);
}

TEST_F(Files, MayExtendSeveral) {
  write("low.yaml", "clusters: {count: 2, clock: 1 GHz}\nnoc: {buffer: 4}\n");
  write("left.yaml", "extends: low.yaml\nclusters: {count: 3}\nhbm: {ports: 2}\n");
  write("right.yaml", "hbm: {ports: 4, rows: 4096}\n");
  const auto chip = load(write("top.yaml", "extends: [left.yaml, right.yaml]\nhbm: {rows: 8192}\n"));
  EXPECT_EQ(chip.clusters.count, 3u) << "of the first, over what it extends";
  EXPECT_EQ(chip.noc.buffer, 4u);
  EXPECT_EQ(chip.hbm.ports, 4u) << "of the second, over the first";
  EXPECT_EQ(chip.hbm.rows, 8192u) << "of the file, over all";
  EXPECT_EQ(load(write("swapped.yaml", "extends: [right.yaml, left.yaml]\n")).hbm.ports, 2u);
  EXPECT_EQ(load(write("one.yaml", "extends: [right.yaml]\n")).hbm.ports, 4u);
  EXPECT_EQ(load(write("names.yaml", "extends: [reference, memory/lpddr5-6400-16gb]\n")).hbm.channels, 4u);
}

TEST_F(Files, MayExtendOneTwice) {
  write("low.yaml", "clusters: {count: 2}\nhbm: {ports: 2}\n");
  write("left.yaml", "extends: low.yaml\nclusters: {count: 3}\n");
  write("right.yaml", "extends: low.yaml\nhbm: {ports: 4}\n");
  const auto chip = load(write("top.yaml", "extends: [left.yaml, right.yaml]\n"));
  EXPECT_EQ(chip.clusters.count, 2u) << "right.yaml brings with it what it stands on";
  EXPECT_EQ(chip.hbm.ports, 4u);
}

TEST_F(Files, SayWhichOfSeveralIsWrong) {
  write("right.yaml", "hbm: {ports: 4}\n");
  EXPECT_EQ(problems(write("a.yaml", "extends: [right.yaml, gone.yaml, edgy]\n")),
            "a.yaml:1:23: extends: gone.yaml: no such file\n"
            "a.yaml:1:34: extends: no chip 'edgy' in " +
                chips_directory().string() + " (a file's name ends in .yaml); did you mean edge?");
  EXPECT_EQ(problems(write("a.yaml", "extends:\n  - right.yaml\n  - a.yaml\n")),
            "a.yaml:3:5: extends: a cycle: a.yaml extends a.yaml");
  write("right.yaml", "extends: [a.yaml]\n");
  EXPECT_EQ(problems(write("a.yaml", "extends: [right.yaml]\n")),
            "right.yaml:1:11: extends: a cycle: a.yaml extends right.yaml extends a.yaml");
  EXPECT_EQ(problems(write("a.yaml", "extends: [reference, [edge]]\n")),
            "a.yaml:1:22: extends: found a list, expected the name of a chip or a file, or a list of them");
}

TEST_F(Files, ManyTimesOverHaveAnEnd) {
  for (int i = 0; i < 30; ++i) {
    const auto next = std::to_string(i + 1) + ".yaml";
    write(std::to_string(i) + ".yaml", "extends: [" + next + ", " + next + "]\n");
  }
  write("30.yaml", "name: a\n");
  EXPECT_THAT(problems((folder_ / "0.yaml").string()),
              HasSubstr(": extends: more than 256 files are extended"));
}

TEST_F(Files, ComeBeforeTheKeysAboveExtends) {
  write("base.yaml", "clusters: {count: 2}\n");
  EXPECT_EQ(load(write("top.yaml", "clusters: {count: 5}\nextends: base.yaml\n")).clusters.count, 5u);
}

TEST_F(Files, MayNotExtendThemselves) {
  EXPECT_EQ(problems(write("self.yaml", "extends: self.yaml\n")),
            "self.yaml:1:10: extends: a cycle: self.yaml extends self.yaml");
  write("b.yaml", "name: b\nextends: c.yaml\n");
  write("c.yaml", "extends: b.yaml\n");
  EXPECT_EQ(problems(write("a.yaml", "extends: b.yaml\n")),
            "c.yaml:1:10: extends: a cycle: b.yaml extends c.yaml extends b.yaml");
}

TEST_F(Files, MayExtendNothingButAChip) {
  EXPECT_EQ(problems(write("a.yaml", "extends: gone.yaml\n")),
            "a.yaml:1:10: extends: gone.yaml: no such file");
  EXPECT_EQ(
      problems(write("a.yaml", "extends: []\n")),
      "a.yaml:1:10: extends: found an empty list, expected the name of a chip or a file, or a list of them");
  EXPECT_EQ(problems(write("a.yaml", "extends:\n")),
            "a.yaml:1:1: extends: found nothing, expected the name of a chip or a file, or a list of them");
  fs::create_directories(folder_ / "folder.yaml");
  EXPECT_EQ(problems(write("a.yaml", "extends: folder.yaml\n")),
            "a.yaml:1:10: extends: folder.yaml: a folder, not a file");
}

TEST_F(Files, ChainsHaveAnEnd) {
  for (int i = 0; i < 40; ++i)
    write(std::to_string(i) + ".yaml", "extends: " + std::to_string(i + 1) + ".yaml\n");
  EXPECT_EQ(problems((folder_ / "0.yaml").string()),
            "31.yaml:1:10: extends: more than 32 files stand on one another");
}

TEST_F(Files, ThatCannotBeRead) {
  EXPECT_EQ(problems((folder_ / "none.yaml").string()), "none.yaml: no such file");
  EXPECT_EQ(problems(write("large.yaml", std::string((1 << 20) + 1, '#'))),
            "large.yaml: larger than 1 MiB; not a chip");
  EXPECT_EQ(problems(write("empty.yaml", "")), "empty.yaml:1:1: the file is empty; expected a chip");
  EXPECT_EQ(problems(write("comment.yaml", "# nothing\n")),
            "comment.yaml:1:1: the file is empty; expected a chip");
}

TEST_F(Files, NamesAreLookedUpWhereTheEnvironmentSays) {
  write("chips/tiny.yaml", "clusters: {count: 1}\n");
  write("chips/published/one.yaml", "extends: tiny\nclusters: {count: 2}\n");
  setenv("FORERUN_CHIPS", (folder_ / "chips").c_str(), 1);
  EXPECT_THAT(chip_names(), ElementsAre("published/one", "tiny"));
  EXPECT_EQ(load("published/one").clusters.count, 2u);
  EXPECT_EQ(problems("tyni"), "no chip 'tyni' in chips (a file's name ends in .yaml)");
  EXPECT_EQ(problems("tiiny"), "no chip 'tiiny' in chips (a file's name ends in .yaml); did you mean tiny?");
  EXPECT_EQ(problems("../chips/tiny"), "no chip '../chips/tiny' in chips (a file's name ends in .yaml)");
  setenv("FORERUN_CHIPS", "/nowhere", 1);
  EXPECT_EQ(problems("tiny"), "no chip 'tiny' in /nowhere (a file's name ends in .yaml)");
  unsetenv("FORERUN_CHIPS");
  EXPECT_EQ(load("reference"), Chip{});
}

TEST_F(Files, AreNotExcusedByALaterLayer) {
  write("base.yaml", "clusters:\n  count: many\n");
  EXPECT_EQ(problems(write("top.yaml", "extends: base.yaml\nclusters: {count: 2}\n"), {"noc.rows=x"}),
            "base.yaml:2:10: clusters.count: found 'many', expected a whole number from 1 to 1000\n"
            "--set noc.rows=x: noc.rows: found 'x', expected a whole number from 0 to 64");
}

TEST_F(Files, CombinationsAreLaidToTheLayerThatMadeThem) {
  const auto base = write("base.yaml", "clusters: {dma: {burst: 128 B}}\nhbm: {interleave: 256 B}\n");
  EXPECT_EQ(load(base).clusters.dma.burst.count, 128u);
  const std::string what =
      "clusters.dma.burst is 512 B, but only 256 B at a time (hbm.interleave) go to one memory tile";
  EXPECT_EQ(problems(write("top.yaml", "extends: base.yaml\nclusters:\n  dma:\n    burst: 512 B\n")),
            "top.yaml:4:12: " + what);
  EXPECT_EQ(problems(base, {"clusters.dma.burst=512 B"}), "--set clusters.dma.burst=512 B: " + what);
  EXPECT_EQ(problems(write("large.yaml", "clusters: {dma: {burst: 512 B}}\nhbm: {interleave: 1 KiB}\n"),
                     {"hbm.interleave=256 B"}),
            "--set hbm.interleave=256 B: " + what);
}

TEST(Overrides, MayBeWholeSectionsAndLists) {
  const auto chip = load("reference", {"hbm={stacks: 2, timings: {tRP: 30, tRC: 80}}",
                                       "clusters.tensor.formats=[i8]", "name=what-if"});
  EXPECT_EQ(chip.hbm.stacks, 2u);
  EXPECT_EQ(chip.hbm.timings.tRP, 30u);
  EXPECT_THAT(chip.clusters.tensor.formats, ElementsAre(Format::i8));
  EXPECT_EQ(chip.name, "what-if");
}

TEST(Overrides, PlaceTiles) {
  const auto chip = load("reference", {"noc.tiles=[X C M, H C M]", "clusters.count=2", "hbm.ports=2"});
  EXPECT_THAT(chip.noc.tiles, ElementsAre("X C M", "H C M"));
}

TEST(MemoryTimings, FollowTheClockThatComesOut) {
  // 14 ns at 1.6 GHz are 22.4 cycles; a minimum goes up, the refresh interval goes down.
  const std::string text =
      "hbm:\n  timings: {tRP: 14 ns, tRC: 45 ns, tRAS: 28 ns, tRCDRD: 14 ns, tREFI: 3.9 us}\n";
  const auto chip = parse(text, "a.yaml");
  EXPECT_EQ(chip.hbm.timings.tRP, 23u);
  EXPECT_EQ(chip.hbm.timings.tRC, 72u);
  EXPECT_EQ(chip.hbm.timings.tREFI, 6240u);
  const auto slow = parse(text, "a.yaml", {"hbm.clock=1 GHz"});
  EXPECT_EQ(slow.hbm.timings.tRP, 14u);
  EXPECT_EQ(slow.hbm.timings.tREFI, 3900u);
  const auto odd = parse(text, "a.yaml", {"hbm.clock=1.3 GHz"});  // 769 ps
  EXPECT_EQ(odd.hbm.timings.tRP, 19u);
  EXPECT_EQ(odd.hbm.timings.tREFI, 5071u);
}

TEST(MemoryTimings, ACountReplacesATime) {
  EXPECT_EQ(parse("hbm: {timings: {tFAW: 15 ns}}\n", "a.yaml", {"hbm.timings.tFAW=30"}).hbm.timings.tFAW,
            30u);
  EXPECT_EQ(parse("hbm: {timings: {tFAW: 30}}\n", "a.yaml", {"hbm.timings.tFAW=15 ns"}).hbm.timings.tFAW,
            24u);
}

TEST(MemoryTimings, IncludeThoseOfTheController) {
  const auto chip = parse(
      "hbm: {starvation: 100 ns, page_idle: 50 ns, page_policy: adaptive, power_down: 1 us}\n", "a.yaml");
  EXPECT_EQ(chip.hbm.starvation, 160u);
  EXPECT_EQ(chip.hbm.page_idle, 80u);
  EXPECT_EQ(chip.hbm.power_down, 1600u);
}

TEST(AddressMaps, HaveFieldsAndPieces) {
  const auto chip = parse(
      "hbm:\n  address_map: [burst, column:2, bank_group:1, channel, pseudo_channel, bank_group, bank, "
      "column, row]\n"
      "  address_hash:\n    bank: [0x120000, 0]\n    pseudo_channel: [131072]\n",
      "a.yaml");
  using F = AddressField;
  EXPECT_THAT(
      chip.hbm.address_map,
      ElementsAre(AddressPiece{F::burst}, AddressPiece{F::column, 2}, AddressPiece{F::bank_group, 1},
                  AddressPiece{F::channel}, AddressPiece{F::pseudo_channel}, AddressPiece{F::bank_group},
                  AddressPiece{F::bank}, AddressPiece{F::column}, AddressPiece{F::row}));
  EXPECT_THAT(chip.hbm.address_hash,
              ElementsAre(AddressHash{F::bank, {0x120000, 0}}, AddressHash{F::pseudo_channel, {0x20000}}));
  EXPECT_EQ(parse(to_yaml(chip), "again.yaml"), chip);
  EXPECT_TRUE(parse("hbm: {address_hash: {bank: [0x120000]}}\n", "a.yaml", {"hbm.address_hash={}"})
                  .hbm.address_hash.empty());
}

TEST(Writing, GivesBackAnEqualChip) {
  for (const auto& name : chip_names()) {
    const auto chip = load(name);
    EXPECT_EQ(parse(to_yaml(chip), "again.yaml"), chip) << name;
  }
  const auto chip =
      load("edge",
           {"noc.tiles=[X C M H]", "clusters.clock=1.0371 GHz", "cpu.clock=1234567.89 Hz", "bus.latency=0 ns",
            "quantum=1500 ps", "clusters.tensor.double_buffered=false", "hbm.refresh=none", "data=none",
            "timing=loose", "hbm.scheduler=fcfs", "hbm.page_policy=closed", "name=12-x+y_z",
            "hbm.address_map=[burst, channel, column:2, pseudo_channel, bank_group, column, bank, row]",
            "hbm.address_hash={bank: [0x4000000, 0x8000000], channel: [0x10000000]}", "hbm.queues=per_bank",
            "hbm.ecc=in_line", "hbm.refresh_management=true", "hbm.energies.read=1.2345678901 nJ",
            "hbm.energies.standby=0.1 uW"});
  EXPECT_EQ(parse(to_yaml(chip), "again.yaml"), chip);
}

TEST(Writing, StatesEveryKeyWithItsUnit) {
  const auto text = to_yaml(Chip{});
  EXPECT_THAT(text, HasSubstr("\nclusters:\n  count: 16\n  clock: 1.25 GHz\n  scratchpad:\n    model: tlm\n  "
                              "  size: 4 MiB\n    banks: 32\n"));
  EXPECT_THAT(text, HasSubstr("\n    tRP: 26                     # memory cycles\n"));
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), ':')),
            keys().size() + 17);  // and 17 sections
}

/// Walks the schema as the dotted path says.
const nlohmann::ordered_json* at_path(const nlohmann::ordered_json& schema, const std::string& path) {
  const auto* at = &schema;
  for (std::size_t start = 0; start <= path.size();) {
    const auto dot = std::min(path.find('.', start), path.size());
    EXPECT_EQ(at->at("additionalProperties"), false);
    const auto found = at->at("properties").find(path.substr(start, dot - start));
    if (found == at->at("properties").end()) return nullptr;
    at = &*found;
    start = dot + 1;
  }
  return at;
}

TEST(Schema, KnowsEveryKeyAndAcceptsItsFallBack) {
  const auto schema = json_schema();
  for (const auto& key : keys()) {
    const auto* at = at_path(schema, std::string(key.path));
    ASSERT_NE(at, nullptr) << key.path;
    EXPECT_THAT(at->at("description").get<std::string>(), testing::Not(testing::IsEmpty()));
    const auto& fall_back = at->at("default");
    if (at->contains("enum"))
      EXPECT_THAT(at->at("enum"), testing::Contains(fall_back)) << key.path;
    else if (at->contains("minimum"))
      EXPECT_TRUE(fall_back >= at->at("minimum") && fall_back <= at->at("maximum")) << key.path;
    else if (at->contains("pattern"))
      EXPECT_THAT(fall_back.get<std::string>(), testing::MatchesRegex(at->at("pattern").get<std::string>()))
          << key.path;
    else if (at->contains("maxLength"))
      EXPECT_TRUE(fall_back.is_string()) << key.path;
    else
      EXPECT_TRUE(at->contains("anyOf") || fall_back.is_array() || fall_back.is_object() ||
                  fall_back.is_boolean())
          << key.path;
  }
}

TEST(Schema, HasRangesChoicesAndUnits) {
  const auto schema = json_schema();
  EXPECT_EQ(at_path(schema, "clusters.count")->at("maximum"), 1000);
  EXPECT_EQ(at_path(schema, "hbm.pseudo_channels")->at("enum"), (nlohmann::ordered_json{1, 2, 4, 8}));
  EXPECT_EQ(at_path(schema, "hbm.page_policy")->at("enum"),
            (nlohmann::ordered_json{"open", "closed", "adaptive"}));
  EXPECT_THAT(at_path(schema, "hbm.energies.read")->at("pattern").get<std::string>(), HasSubstr("pJ|nJ"));
  const auto piece = at_path(schema, "hbm.address_map")->at("items").at("pattern").get<std::string>();
  for (const std::string good : {"row", "column:2", "pseudo_channel:1"})
    EXPECT_THAT(good, testing::MatchesRegex(piece));
  for (const std::string bad : {"rows", "column:", "column:x", "2"})
    EXPECT_THAT(bad, testing::Not(testing::MatchesRegex(piece)));
  EXPECT_EQ(at_path(schema, "hbm.timings.tRP")->at("anyOf").size(), 2u);
  EXPECT_EQ(at_path(schema, "hbm.timings.tRPX"), nullptr);
  EXPECT_THAT(at_path(schema, "noc.clock")->at("pattern").get<std::string>(), HasSubstr("MHz|GHz"));
}

TEST(Keys, AreEachThereOnceAndDescribed) {
  std::set<std::string_view> paths;
  for (const auto& key : keys()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path;
    EXPECT_FALSE(key.description.empty()) << key.path;
    EXPECT_EQ(find_key(key.path), &key);
    EXPECT_FALSE(is_section(key.path));
  }
}

/// Counts the members of an aggregate: how many values can initialise it.
struct Anything {
  template <typename T>
  operator T() const;
};
template <typename Aggregate, typename... Values>
constexpr std::size_t members(Values... values) {
  if constexpr (requires { Aggregate{values..., Anything{}}; })
    return members<Aggregate>(values..., Anything{});
  else
    return sizeof...(values);
}

TEST(Keys, NameEveryMemberOfTheChip) {
  constexpr auto all = members<Chip>() + members<Cpu>() + members<Sram>() + members<BootRom>() +
                       members<Bus>() + members<Peripherals>() + members<Clusters>() + members<Scratchpad>() +
                       members<Tensor>() + members<Vector>() + members<Dma>() + members<Command>() +
                       members<Noc>() + members<Link>() + members<Hbm>() + members<Timings>() +
                       members<Energies>() + members<Rtl>();
  constexpr std::size_t sections = 17;
  EXPECT_EQ(keys().size(), all - sections)
      << "a member of chip.hpp has no key in keys.cpp, or a struct is not counted here";
}

}  // namespace
}  // namespace forerun::chip
