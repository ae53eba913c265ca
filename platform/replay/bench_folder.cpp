// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/bench_folder.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace forerun::replay {
namespace fs = std::filesystem;
namespace {

/// For a shell.
std::string quoted(const std::string& text) {
  std::string quote = "'";
  for (const char c : text) quote += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quote + "'";
}

}  // namespace

void check_sources(const Block& block) {
  for (const auto& source : block.sources)
    if (!fs::is_regular_file(source)) throw std::runtime_error(source + ": there is no such file");
}

BenchFolder::BenchFolder(const std::string& path, const Block& block) : path_(path) {
  check_sources(block);
  std::error_code error;
  fs::create_directories(path_, error);
  if (error || !fs::is_directory(path_)) throw std::runtime_error(path + ": the folder cannot be made");
  const auto absolute = [](const std::string& file) {
    return fs::absolute(file).lexically_normal().string();
  };
  for (const auto& folder : block.includes) sources_ += " " + quoted("-I" + absolute(folder));
  for (const auto& define : block.defines) sources_ += " " + quoted("-D" + define);
  for (const auto& source : block.sources) sources_ += " " + quoted(absolute(source));
}

void BenchFolder::source(const std::string& name, const std::string& content) {
  auto file = text(name);
  file << content;
  finish(file, name);
  sources_ += " " + name;
}

void BenchFolder::finish(std::ofstream& file, const std::string& name) {
  file.close();
  if (!file) throw std::runtime_error(name + ": cannot be written");
}

std::ofstream BenchFolder::text(const std::string& name) {
  std::ofstream file(path_ / name);
  if (!file) throw std::runtime_error((path_ / name).string() + ": cannot be written");
  return file;
}

void BenchFolder::bench(const std::string& name, std::string content,
                        const std::map<std::string, std::string>& values) {
  for (const auto& [word, value] : values) {
    const auto mark = "@" + word + "@";
    for (std::size_t at = 0; (at = content.find(mark, at)) != std::string::npos; at += value.size())
      content.replace(at, mark.size(), value);
  }
  auto file = text(name);
  file << content;
  finish(file, name);
}

void BenchFolder::script(const std::string& name, const std::string& commands) {
  auto file = text(name);
  file << "#!/bin/sh\nset -e\ncd \"$(dirname \"$0\")\"\n" << commands;
  finish(file, name);
  fs::permissions(path_ / name, fs::perms::owner_exec | fs::perms::group_exec, fs::perm_options::add);
}

void BenchFolder::driver_script(const std::string& options) {
  const fs::path library = FORERUN_REPLAY_LIBRARY;
  script("verilator_dpi.sh",
         fmt::format("verilator --binary -j 2 --unroll-count 4096 --unroll-stmts 1000000 -Wno-lint "
                     "-Wno-TIMESCALEMOD --top-module replay_tb --Mdir obj -o replay "
                     "replay_tb.sv {}{} {} -LDFLAGS {} > replay.log 2>&1 || {{ cat replay.log; exit 1; }}\n"
                     "exec obj/replay \"+forerun=replay:engine.txt{},$1\"\n",
                     quoted(FORERUN_REMOTE_SV), sources_, quoted(library.string()),
                     quoted("-Wl,-rpath," + library.parent_path().string()), options));
}

void BenchFolder::scripts() {
  script("icarus.sh",
         fmt::format(
             "iverilog -g2012 -o replay.vvp -s replay_tb{} replay_tb.sv\nexec vvp -n replay.vvp \"$@\"\n",
             sources_));
  // -Wno-lint leaves the warnings on that tell of wrong results.
  constexpr const char* verilator =
      "verilator --binary -j 2 --unroll-count 4096 --unroll-stmts 1000000 -Wno-lint -Wno-TIMESCALEMOD "
      "--top-module {0} --Mdir obj_{0} -o replay{1} "
      "{0}.sv{2} > {0}.log 2>&1 || "
      "{{ cat {0}.log; exit 1; }}\nexec obj_{0}/replay \"$@\"\n";
  script("verilator.sh", fmt::format(verilator, "replay_tb", sources_, ""));
  const fs::path library = FORERUN_REPLAY_LIBRARY;
  script("verilator_dpi.sh",
         fmt::format(verilator, "replay_dpi_tb", sources_,
                     fmt::format(" {} -LDFLAGS {}", quoted(library.string()),
                                 quoted("-Wl,-rpath," + library.parent_path().string()))));
}

template <typename T>
std::string lane_digits(const std::vector<T>& lanes, unsigned bits) {
  std::string digits;
  for (auto lane = lanes.rbegin(); lane != lanes.rend(); ++lane)
    digits += fmt::format("{:0{}x}", std::uint32_t{*lane}, bits / 4);
  return digits;
}
template std::string lane_digits(const std::vector<std::uint8_t>&, unsigned);
template std::string lane_digits(const std::vector<std::uint16_t>&, unsigned);
template std::string lane_digits(const std::vector<std::uint32_t>&, unsigned);

}  // namespace forerun::replay
