// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <type_traits>

#include "platform/chip/address_map.hpp"
#include "platform/chip/checks.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"
#include "platform/chip/windows.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::chip {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_file_bytes = 1 << 20, max_problems = 50, max_files = 256;

bool is_file_name(std::string_view chip) { return chip.ends_with(".yaml") || chip.ends_with(".yml"); }

/// Reads values into a chip, one layer after another.
class Loader {
 public:
  void file(const std::string& shown_name, const fs::path& path, const std::string& text) {
    const auto at = [&](int line, int column) { return fmt::format("{}:{}:{}", shown_name, line, column); };
    YamlNode root;
    try {
      root = parse_yaml(text);
    } catch (const YamlError& error) {
      return problem(at(error.line, error.column), error.what());
    }
    if (root.kind == YamlNode::Kind::nothing) return problem(at(1, 1), "the file is empty; expected a chip");
    if (root.kind != YamlNode::Kind::map)
      return problem(at(root.line, root.column),
                     fmt::format("found {}, expected a map of keys", what_it_is(root)));
    for (std::size_t i = 0; i < root.names.size(); ++i)
      if (root.names[i].text == "extends") {
        const auto& value = root.items[i];
        const auto& shown_at = value.kind == YamlNode::Kind::nothing ? root.names[i] : value;
        if (value.kind == YamlNode::Kind::list && !value.items.empty())
          for (const auto& item : value.items) base(path, item, at(item.line, item.column));
        else
          base(path, value, at(shown_at.line, shown_at.column));
        break;
      }
    ++layer_;
    folder_ = path.parent_path();
    Seen seen;
    map(root, "", at, seen, true);
  }

  /// A file or a named chip that a file (in `folder`) or the caller asks for. `place` is empty for the
  /// caller.
  void find_and_read(const std::string& chip, const fs::path& folder, const std::string& place) {
    const auto fail = [&](const std::string& what) {
      problems_.push_back(place.empty() ? what : fmt::format("{}: extends: {}", place, what));
    };
    fs::path path;
    if (is_file_name(chip)) {
      path = folder / chip;
    } else {
      path = chips_directory() / (chip + ".yaml");
      const auto names = chip_names();
      if (std::find(names.begin(), names.end(), chip) == names.end()) {
        const auto near = nearest(chip, names);
        return fail(fmt::format("no chip '{}' in {} (a file's name ends in .yaml){}", shown(chip),
                                chips_directory().string(),
                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
      }
    }
    std::error_code ignored;
    const auto real = fs::weakly_canonical(path, ignored);
    if (std::find(reading_.begin(), reading_.end(), real) != reading_.end()) {
      std::string chain;
      for (auto it = std::find(reading_.begin(), reading_.end(), real); it != reading_.end(); ++it)
        chain += it->filename().string() + " extends ";
      return fail(fmt::format("a cycle: {}{}", chain, real.filename().string()));
    }
    if (reading_.size() >= 32) return fail("more than 32 files stand on one another");
    if (++files_ > max_files) {  // each level may name several, so that there could be any number
      if (files_ == max_files + 1) fail(fmt::format("more than {} files are extended", max_files));
      return;
    }
    std::string text, why;
    if (!read(path, text, why)) return fail(fmt::format("{}: {}", shown(path.string()), why));
    reading_.push_back(real);
    file(path.lexically_normal().string(), path, text);
    reading_.pop_back();
  }

  void override_with(const std::string& setting) {
    const auto place = "--set " + shown(setting);
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) return problem(place, "expected KEY=VALUE");
    YamlNode value;
    if (setting.size() > max_file_bytes) return problem(place, "longer than 1 MiB");
    try {
      value = parse_yaml(setting.substr(equals + 1));
    } catch (const YamlError& error) {
      return problem(place, error.what());
    }
    ++layer_;
    folder_.clear();
    Seen seen;
    entry(
        setting.substr(0, equals), value, place, place, [&](int, int) { return place; }, seen);
  }

  Chip finish() {
    for (const auto& [key, time] : in_time_) to_cycles(*key, time);
    if (problems_.empty())
      for (const auto& conflict : find_conflicts(chip_)) {
        const Origin* where = nullptr;
        for (const auto key : conflict.keys)
          if (const auto at = origins_.find(key);
              at != origins_.end() && (where == nullptr || at->second.layer > where->layer))
            where = &at->second;
        problems_.push_back(where == nullptr ? conflict.message
                                             : fmt::format("{}: {}", where->place, conflict.message));
      }
    if (!problems_.empty()) throw Error(std::move(problems_));
    return chip_;
  }

  /// Names a file in `reading_` so that it cannot extend itself.
  void start_at(const fs::path& path) {
    std::error_code ignored;
    reading_.push_back(fs::weakly_canonical(path, ignored));
  }

 private:
  struct Origin {
    std::string place;
    unsigned layer = 0;
  };
  using Seen = std::map<std::string, int, std::less<>>;  // path to the line of its first appearance

  void problem(const std::string& place, const std::string& what) {
    problems_.push_back(fmt::format("{}: {}", place, what));
  }

  static bool read(const fs::path& path, std::string& text, std::string& why) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) return why = "no such file", false;
    if (fs::is_directory(status)) return why = "a folder, not a file", false;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return why = "cannot be read", false;
    for (char piece[4096];
         text.size() <= max_file_bytes && (stream.read(piece, sizeof piece) || stream.gcount() > 0);)
      text.append(piece, static_cast<std::size_t>(stream.gcount()));
    if (stream.bad()) return why = "cannot be read", false;
    if (text.size() > max_file_bytes) return why = "larger than 1 MiB; not a chip", false;
    return true;
  }

  void base(const fs::path& path, const YamlNode& node, const std::string& place) {
    if (node.kind != YamlNode::Kind::scalar || node.text.empty())
      return problem(
          place, fmt::format("extends: found {}, expected the name of a chip or a file, or a list of them",
                             what_it_is(node)));
    find_and_read(node.text, path.parent_path(), place);
  }

  template <typename At>
  void map(const YamlNode& map, const std::string& prefix, const At& at, Seen& seen, bool top = false) {
    for (std::size_t i = 0; i < map.names.size(); ++i) {
      const auto& name = map.names[i];
      const auto& value = map.items[i];
      const auto name_place = at(name.line, name.column);
      if (name.kind != YamlNode::Kind::scalar) {
        problem(name_place, fmt::format("found {}, expected the name of a key", what_it_is(name)));
        continue;
      }
      const auto path = prefix + name.text;
      const auto [first, fresh] = seen.emplace(path, name.line);
      if (!fresh) {
        problem(name_place, fmt::format("{}: given twice, first in line {}", shown(path), first->second));
      } else if (top && path == "extends") {
        continue;
      } else if (name.text.find('.') != std::string::npos && find_key(path) != nullptr) {
        problem(name_place, fmt::format("{}: dotted keys are for --set; in a file each part has its own line",
                                        shown(path)));
      } else {
        entry(path, value, name_place,
              value.kind == YamlNode::Kind::nothing ? name_place : at(value.line, value.column), at, seen);
      }
    }
  }

  template <typename At>
  void entry(const std::string& path, const YamlNode& value, const std::string& name_place,
             const std::string& value_place, const At& at, Seen& seen) {
    if (const auto* key = find_key(path)) {
      read_value(*key, value, value_place, at);
    } else if (is_section(path)) {
      if (value.kind == YamlNode::Kind::map) return map(value, path + ".", at, seen);
      problem(value_place, fmt::format("{}: found {}, expected a map of keys", path, what_it_is(value)));
    } else if (path == "extends") {
      problem(name_place, "extends: belongs into a file");
    } else {
      const auto near = nearest_key(path);
      problem(name_place, fmt::format("{}: unknown key{}", shown(path),
                                      near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
  }

  template <typename Enum>
  static std::optional<Enum> choice(const YamlNode& node) {
    const auto& names = Names<Enum>::all;
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (node.kind != YamlNode::Kind::scalar || found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
  }

  template <typename At>
  void read_value(const Key& key, const YamlNode& node, const std::string& place, const At& at) {
    origins_[key.path] = {place, layer_};
    std::string detail;
    const auto wrong = [&](const std::string& where, const std::string& found) {
      problem(where, fmt::format("{}: found {}, expected {}", key.path, found, expected(key)));
    };
    std::visit(
        [&]<typename T>(Member<T> member) {
          T& target = member(chip_);
          const auto found = [&] {
            return detail.empty() ? what_it_is(node) : fmt::format("{}, {}", what_it_is(node), detail);
          };
          const auto take = [&](std::optional<T> value) {
            if (!value) return wrong(place, found());
            target = std::move(*value);
          };
          if constexpr (std::is_same_v<T, unsigned>) {
            const auto value = whole_number(node);
            in_time_.erase(&key);
            if (!value && key.rule.cycles != Cycles::plain && node.kind == YamlNode::Kind::scalar) {
              const auto time = chip::parse<Time>(node.text, detail);
              if (!time) return wrong(place, found());
              in_time_[&key] = *time;
            } else {
              if (value && !keeps(key.rule, *value)) return wrong(place, found());
              take(value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt);
            }
          } else if constexpr (std::is_same_v<T, bool>) {
            const bool yes = node.text == "true";
            take(node.kind == YamlNode::Kind::scalar && !node.quoted && (yes || node.text == "false")
                     ? std::optional<T>(yes)
                     : std::nullopt);
          } else if constexpr (std::is_same_v<T, std::string>) {
            take(node.kind == YamlNode::Kind::scalar && good_name(node.text) ? std::optional<T>(node.text)
                                                                             : std::nullopt);
          } else if constexpr (std::is_same_v<T, Path>) {
            take(path(node));
          } else if constexpr (std::is_same_v<T, std::vector<Path>>) {
            if (node.kind != YamlNode::Kind::list || node.items.size() > address_map::max_rtl_devices)
              return wrong(place, node.kind == YamlNode::Kind::list
                                      ? fmt::format("a list of {}", node.items.size())
                                      : found());
            T list;
            for (const auto& item : node.items) {
              const auto value = path(item);
              if (!value || value->text.empty()) return wrong(at(item.line, item.column), what_it_is(item));
              list.push_back(*value);
            }
            target = std::move(list);
          } else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, Frequency> ||
                               std::is_same_v<T, Time> || std::is_same_v<T, Bandwidth> ||
                               std::is_same_v<T, Energy> || std::is_same_v<T, Power>) {
            auto value =
                node.kind == YamlNode::Kind::scalar ? chip::parse<T>(node.text, detail) : std::nullopt;
            if (value && !quantity_keeps(key.rule, *value)) value.reset();
            take(value);
          } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            read_rows(node, target, place, at, wrong);
          } else if constexpr (std::is_same_v<T, std::vector<AddressPiece>>) {
            read_address_map(node, target, place, at, wrong);
          } else if constexpr (std::is_same_v<T, std::vector<AddressHash>>) {
            read_address_hash(node, target, place, at, wrong);
          } else if constexpr (std::is_same_v<T, std::vector<MulticastWindow>> ||
                               std::is_same_v<T, std::vector<ReductionWindow>>) {
            if (const auto misread = read_windows(node, target))
              problem(
                  node.kind == YamlNode::Kind::map ? at(misread->node->line, misread->node->column) : place,
                  fmt::format("{}{}: found {}, expected {}", key.path, misread->entry, misread->found,
                              misread->expected.empty() ? expected(key) : misread->expected));
          } else if constexpr (std::is_same_v<T, std::vector<Format>>) {
            if (node.kind != YamlNode::Kind::list || node.items.empty()) return wrong(place, found());
            T list;
            for (const auto& item : node.items) {
              const auto value = choice<Format>(item);
              if (!value) return wrong(at(item.line, item.column), what_it_is(item));
              if (std::find(list.begin(), list.end(), *value) != list.end())
                return wrong(at(item.line, item.column), what_it_is(item) + " twice");
              list.push_back(*value);
            }
            target = std::move(list);
          } else {
            take(choice<T>(node));
          }
        },
        key.member);
  }

  /// A file's path; a relative one begins at the chip file's folder.
  std::optional<Path> path(const YamlNode& node) const {
    if (node.kind == YamlNode::Kind::nothing) return Path{};
    if (node.kind != YamlNode::Kind::scalar || node.text.size() > 4096 ||
        std::any_of(node.text.begin(), node.text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }))
      return std::nullopt;
    return Path{node.text.empty() ? "" : (folder_ / node.text).lexically_normal().string()};
  }

  /// "column" or "column:2", where the part before the colon names a field.
  static std::optional<AddressPiece> address_piece(const YamlNode& node) {
    const auto colon = node.text.find(':');
    auto part = node;
    part.text = node.text.substr(0, colon);
    const auto field = choice<AddressField>(part);
    if (!field) return std::nullopt;
    if (colon == std::string::npos) return AddressPiece{*field};
    part.text = node.text.substr(colon + 1);
    part.quoted = false;
    const auto width = whole_number(part);
    if (!width || *width < 1 || *width > 63 || *field == AddressField::burst) return std::nullopt;
    return AddressPiece{*field, static_cast<unsigned>(*width)};
  }

  /// Only the form is looked at: whether all bits have a place depends on the rest of the chip.
  template <typename At, typename Wrong>
  static void read_address_map(const YamlNode& node, std::vector<AddressPiece>& target,
                               const std::string& place, const At& at, const Wrong& wrong) {
    if (node.kind != YamlNode::Kind::list || node.items.empty()) return wrong(place, what_it_is(node));
    std::vector<AddressPiece> pieces;
    for (const auto& item : node.items) {
      const auto item_place = at(item.line, item.column);
      const auto piece = address_piece(item);
      if (!piece) return wrong(item_place, what_it_is(item));
      if (pieces.empty() && piece->field != AddressField::burst)
        return wrong(item_place, fmt::format("a list that begins with {}", piece_text(*piece)));
      if (std::find(pieces.begin(), pieces.end(), AddressPiece{piece->field}) != pieces.end())
        return wrong(item_place, fmt::format("{} after all of {}", what_it_is(item), name(piece->field)));
      pieces.push_back(*piece);
    }
    target = std::move(pieces);
  }

  /// A mask of address bits: a whole number, better written as 0x...
  static std::optional<std::uint64_t> mask(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar || node.quoted || !node.text.starts_with("0x"))
      return whole_number(node);
    std::uint64_t value = 0;
    const auto* end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data() + 2, end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
  }

  template <typename At, typename Wrong>
  static void read_address_hash(const YamlNode& node, std::vector<AddressHash>& target,
                                const std::string& place, const At& at, const Wrong& wrong) {
    if (node.kind != YamlNode::Kind::map) return wrong(place, what_it_is(node));
    std::vector<AddressHash> hashes;
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      const auto& field_node = node.names[i];
      const auto& masks = node.items[i];
      const auto field_place = at(field_node.line, field_node.column);
      const auto field = choice<AddressField>(field_node);
      if (!field || *field == AddressField::burst) return wrong(field_place, what_it_is(field_node));
      for (const auto& earlier : hashes)
        if (earlier.field == *field) return wrong(field_place, what_it_is(field_node) + " twice");
      if (masks.kind != YamlNode::Kind::list || masks.items.empty())
        return wrong(masks.kind == YamlNode::Kind::nothing ? field_place : at(masks.line, masks.column),
                     what_it_is(masks));
      AddressHash hash{*field, {}};
      for (const auto& item : masks.items) {
        const auto value = mask(item);
        if (!value) return wrong(at(item.line, item.column), what_it_is(item));
        hash.masks.push_back(*value);
      }
      hashes.push_back(std::move(hash));
    }
    target = std::move(hashes);
  }

  template <typename At, typename Wrong>
  void read_rows(const YamlNode& node, std::vector<std::string>& target, const std::string& place,
                 const At& at, const Wrong& wrong) {
    if (node.kind != YamlNode::Kind::list) return wrong(place, what_it_is(node));
    std::vector<std::string> rows;
    for (const auto& item : node.items) {
      const auto letters = static_cast<std::size_t>(
          std::count_if(item.text.begin(), item.text.end(), [](char c) { return c != ' '; }));
      if (item.kind != YamlNode::Kind::scalar || letters == 0 || letters > 64 || item.text.size() > 256 ||
          item.text.find_first_not_of("XCMH. ") != std::string::npos)
        return wrong(at(item.line, item.column), what_it_is(item));
      rows.push_back(item.text);
    }
    target = std::move(rows);
  }

  /// With the period that the models use, so that the simulated time is never shorter than the one asked for.
  void to_cycles(const Key& key, Time time) {
    const auto cycle = period(chip_.hbm.clock).picoseconds;
    const auto up = key.rule.cycles == Cycles::round_up ? cycle - 1 : 0;
    const auto cycles = static_cast<std::uint64_t>((time.picoseconds + up) / cycle);
    if (!keeps(key.rule, cycles))
      return problem(origins_[key.path].place,
                     fmt::format("{}: found {}, which is {} cycles of hbm.clock ({}), expected {}", key.path,
                                 format(time), cycles, format(chip_.hbm.clock), expected(key)));
    std::get<Member<unsigned>>(key.member)(chip_) = static_cast<unsigned>(cycles);
  }

  Chip chip_;
  fs::path folder_;  ///< of the file being read
  unsigned layer_ = 0;
  std::size_t files_ = 0;  // read so far
  std::vector<std::string> problems_;
  std::vector<fs::path> reading_;               // canonical, from the first file to the one being read
  std::map<std::string_view, Origin> origins_;  // by key
  std::map<const Key*, Time> in_time_;          // timings given as a time, until the clock is known
};

std::string joined(const std::vector<std::string>& problems) {
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < max_problems; ++i)
    text += (i == 0 ? "" : "\n") + problems[i];
  if (problems.size() > max_problems) text += fmt::format("\nand {} more", problems.size() - max_problems);
  return text;
}

}  // namespace

Error::Error(std::vector<std::string> problems)
    : runtime_error(joined(problems)), problems_(std::move(problems)) {}

fs::path chips_directory() {
  const char* named = std::getenv("FORERUN_CHIPS");
  return named != nullptr && *named != '\0' ? fs::path(named) : fs::path(FORERUN_CHIPS_DIRECTORY);
}

std::vector<std::string> chip_names() {
  std::vector<std::string> names;
  std::error_code error;
  const auto directory = chips_directory();
  for (auto it =
           fs::recursive_directory_iterator(directory, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error))
    if (it->path().extension() == ".yaml")
      names.push_back(it->path().lexically_relative(directory).replace_extension().generic_string());
  std::sort(names.begin(), names.end());
  return names;
}

Chip load(const std::string& chip, const std::vector<std::string>& overrides) {
  Loader loader;
  loader.find_and_read(chip, "", "");
  for (const auto& setting : overrides) loader.override_with(setting);
  return loader.finish();
}

Chip parse(const std::string& text, const std::string& file, const std::vector<std::string>& overrides) {
  Loader loader;
  loader.start_at(file);
  loader.file(file, file, text);
  for (const auto& setting : overrides) loader.override_with(setting);
  return loader.finish();
}

}  // namespace forerun::chip
