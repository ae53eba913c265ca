// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/verilate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "platform/rtl/blank_model.hpp"
#include "platform/rtl/command.hpp"
#include "platform/rtl/design.hpp"
#include "platform/rtl/inspect.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/shell.hpp"
#include "platform/rtl/verilator_errors.hpp"

namespace forerun::rtl {
namespace fs = std::filesystem;
namespace {

constexpr const char* include_folder = FORERUN_INCLUDE_DIR;
constexpr const char* shell_file = "forerun_shell.sv";

/// Two independent 64-bit FNV-1a sums: a name for content, not a defence.
class Digest {
 public:
  void add(std::string_view text) {
    for (const unsigned char c : text) mix(c);
    mix(256);  // where a part ends
  }
  std::string text() const { return fmt::format("{:016x}{:016x}", a_, b_); }

 private:
  void mix(unsigned value) {
    a_ = (a_ ^ value) * 0x100000001b3;
    b_ = (b_ ^ (value + 0x9e)) * 0x100000001b3;
  }
  std::uint64_t a_ = 0xcbf29ce484222325, b_ = 0x84222325cbf29ce4;
};

void check(const VerilateRequest& request) {
  for (const auto& argument : request.arguments)
    if (argument == "-Wno-BLKANDNBLK" || argument == "-Wno-fatal")
      throw std::runtime_error(fmt::format(
          "{}: {} is refused: Verilator 5.006 computes wrong outputs for designs with this warning; "
          "split the arrays that it names with /*verilator split_var*/",
          request.top, argument));
  for (const auto& source : request.sources)
    if (!fs::is_regular_file(source))
      throw std::runtime_error(fmt::format("{}: no such file, expected a Verilog source", source.string()));
  if (request.sources.empty()) throw std::runtime_error(request.top + ": no Verilog sources are given");
}

PinMap map_of(const VerilateRequest& request) { return PinMap::parse(request.pins, request.pins_file); }

bool needs_shell(const VerilateRequest& request) {
  return !map_of(request).bundles.empty() ||
         std::any_of(request.parameters.begin(), request.parameters.end(),
                     [](const auto& parameter) { return !is_literal(parameter.second); });
}

/// What Verilator is told about the design. Lint warnings are the author's business, loops through bits of
/// one vector or struct are slow but right, and delays are ignored; warnings about what is computed stay.
std::vector<std::string> design_arguments(const VerilateRequest& request, bool shell,
                                          const fs::path& folder) {
  std::vector<std::string> words{"-Wno-lint",
                                 "-Wno-style",
                                 "-Wno-UNOPTFLAT",
                                 "-Wno-STMTDLY",
                                 "-Wno-TIMESCALEMOD",
                                 "--prefix",
                                 "Vrtl_model",
                                 "--Mdir",
                                 folder.string(),
                                 "--top-module",
                                 shell ? shell_module : request.top};
  if (!shell)
    for (const auto& [name, value] : request.parameters) words.push_back(fmt::format("-G{}={}", name, value));
  for (const auto& include : request.includes) words.push_back("-I" + fs::absolute(include).string());
  for (const auto& define : request.defines) words.push_back("-D" + define);
  words.insert(words.end(), request.arguments.begin(), request.arguments.end());
  for (const auto& source : request.sources) words.push_back(fs::absolute(source).string());
  if (shell) words.push_back((folder / shell_file).string());
  return words;
}

std::vector<std::string> verilator_command(const VerilateRequest& request, bool shell,
                                           const fs::path& folder) {
  std::vector<std::string> command{"verilator", "--cc", "--exe", "-O3", "--no-timing"};
  if (request.waves == Waves::vcd) command.emplace_back("--trace");
  if (request.waves == Waves::fst) command.emplace_back("--trace-fst");
  if (request.waves != Waves::none)
    command.insert(command.end(),
                   {"--trace-structs", "--trace-max-width", "65536", "--trace-max-array", "1024"});
  const auto design = design_arguments(request, shell, folder);
  command.insert(command.end(), design.begin(), design.end());
  command.insert(
      command.end(),
      {"glue.cpp", "-CFLAGS",
       fmt::format("-fPIC -fvisibility=hidden -fno-gnu-unique -std=c++20 -w -DVL_USER_FINISH -DVL_USER_STOP "
                   "-DVL_USER_FATAL -I{}",
                   include_folder),
       "-LDFLAGS", "-shared -Wl,-Bsymbolic"});
  return command;
}

/// Loops over the lanes of a wide bus are more than Verilator unrolls by itself, and what is assigned to an
/// array in a loop that is not unrolled is an error: then they are.
void run_verilator(std::vector<std::string> command, const std::string& top) {
  const auto what = fmt::format("{}: Verilator", top);
  try {
    return run_command(command, ".", what);
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find("BLKLOOPINIT") == std::string_view::npos) throw;
  }
  command.insert(command.end(), {"--unroll-count", "4096", "--unroll-stmts", "1000000"});
  run_command(command, ".", what);
}

/// The ports as Verilator sees them, before it makes a model.
Design elaborate(const VerilateRequest& request, const fs::path& folder, bool shell) {
  std::vector<std::string> command{"verilator", "--xml-only", "--no-timing"};
  const auto words = design_arguments(request, shell, folder);
  command.insert(command.end(), words.begin(), words.end());
  const auto map = map_of(request);
  try {
    run_verilator(command, request.top);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        explain(error.what(), request, map, shell ? read_text(folder / shell_file) : std::string()));
  }
  std::map<std::string, std::string> modports;
  for (const auto& [port, bundle] : map.bundles) modports[port] = bundle.modport;
  return read_design((folder / "Vrtl_model.xml").string(), request.top, modports);
}

Shell write_shell(const VerilateRequest& request, const fs::path& folder) {
  const ShellRequest around{request.top, request.parameters, map_of(request).bundles};
  write_text(folder / shell_file, empty_shell(around));
  auto made = make_shell(around, elaborate(request, folder, true));
  write_text(folder / shell_file, made.text);
  return made;
}

/// The ports of what becomes the model; writes the shell if there is to be one.
std::vector<Port> model_ports(const VerilateRequest& request, const fs::path& folder, bool shell) {
  return shell ? write_shell(request, folder).ports : elaborate(request, folder, false).ports;
}

/// Whether a port has the name of a member of the class that Verilator makes.
bool clashes(const std::vector<Port>& ports) {
  static const std::set<std::string> members{
      "name",         "eval",    "eval_step", "eval_end_step", "final",     "trace",
      "contextp",     "vlSymsp", "rootp",     "hierName",      "modelName", "eventsPending",
      "nextTimeSlot", "threads", "vlNamep",   "traceConfig",   "atClone",   "prepareClone"};
  return std::any_of(ports.begin(), ports.end(),
                     [](const Port& port) { return members.contains(port.name); });
}

/// What stands behind the colon in Verilator's list for make: sources and what they include, and parts of
/// Verilator.
std::vector<fs::path> files_read(const std::string& list) {
  std::vector<fs::path> files;
  std::istringstream words(list.substr(std::min(list.size(), list.find(" : ") + 3)));
  for (std::string word; words >> word;)
    if (!word.ends_with(shell_file)) files.push_back(fs::absolute(word));
  return files;
}

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return out + "\"";
}

std::string glue(const VerilateRequest& request, const std::vector<Port>& ports) {
  const char* const format = request.waves == Waves::fst ? "fst" : request.waves == Waves::vcd ? "vcd" : "";
  std::string text =
      "#include \"Vrtl_model.h\"\n#include \"verilated.h\"\n#include \"ip/cosim/model_abi.hpp\"\n";
  if (request.waves == Waves::fst)
    text += "#include \"verilated_fst_c.h\"\n#define FORERUN_WAVE_CLASS VerilatedFstC\n";
  if (request.waves == Waves::vcd)
    text += "#include \"verilated_vcd_c.h\"\n#define FORERUN_WAVE_CLASS VerilatedVcdC\n";
  text += fmt::format(
      "#define FORERUN_WAVES \"{}\"\nstatic const char* const top = {};\nstatic const char* const pins = "
      "{};\n",
      format, literal(request.top), literal(request.pins));
  text += "static const forerun::ip::cosim::ModelPort ports[] = {\n";
  for (const auto& port : ports)
    text +=
        fmt::format("  {{{}, {}, {}, {}}},\n", literal(port.name), port.input, port.bits, literal(port.type));
  text += "};\nstatic void* storage_of(Vrtl_model& module, unsigned port) {\n  switch (port) {\n";
  for (std::size_t i = 0; i < ports.size(); ++i)
    text += fmt::format("    case {}: return &module.{};\n", i, ports[i].member);
  return text + "    default: return nullptr;\n  }\n}\n#include \"platform/rtl/model_glue.inc\"\n";
}

std::string version_of(const char* program) {
  try {
    return capture({program, "--version"});
  } catch (const std::runtime_error&) {
    throw std::runtime_error(
        fmt::format("'{}' cannot be run, which making RTL models needs: install Verilator, make and g++ "
                    "(Debian: verilator, build-essential)",
                    program));
  }
}

/// A folder of its own, removed at the end.
struct WorkFolder {
  explicit WorkFolder(const fs::path& beside) {
    auto name = (beside.string() + ".XXXXXX");
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error(fmt::format("{}: a folder beside it cannot be made", beside.string()));
    path = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path path;
};

}  // namespace

std::vector<fs::path> verilate(const VerilateRequest& request, const fs::path& output) {
  check(request);
  version_of("verilator");
  version_of("make");
  const auto target = fs::absolute(output);
  fs::create_directories(target.parent_path());
  const WorkFolder work(target);
  bool shell = needs_shell(request);
  auto ports = model_ports(request, work.path, shell);
  if (!shell && clashes(ports)) ports = model_ports(request, work.path, shell = true);
  // Without a pin map the module is for no chip, and needs neither clock nor reset.
  if (!request.pins.empty()) inspect(BlankModel(ports, request).model());
  run_verilator(verilator_command(request, shell, work.path), request.top);
  check_header(read_text(work.path / "Vrtl_model.h"), ports, request.top);
  write_text(work.path / "glue.cpp", glue(request, ports));
  const auto jobs = std::max(1u, std::thread::hardware_concurrency());
  run_command({"make", "-s", "-j", std::to_string(jobs), "-f", "Vrtl_model.mk", "OPT_FAST=-O2",
               "OPT_SLOW=-O1", "OPT_GLOBAL=-O2"},
              work.path, fmt::format("{}: the C++ compiler", request.top));
  fs::rename(work.path / "Vrtl_model", target);
  return files_read(read_text(work.path / "Vrtl_model__ver.d"));
}

Shell shell_around(const VerilateRequest& request) {
  check(request);
  version_of("verilator");
  const WorkFolder work(fs::temp_directory_path() / "forerun_ports");
  auto shell = write_shell(request, work.path);
  if (!request.pins.empty()) inspect(BlankModel(shell.ports, request).model());
  return shell;
}

fs::path cache_folder() {
  const auto set = [](const char* name) {
    const char* const value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const auto own = set("FORERUN_RTL_CACHE"); !own.empty()) return own;
  if (const auto cache = set("XDG_CACHE_HOME"); !cache.empty()) return cache / "forerun/rtl";
  if (const auto home = set("HOME"); !home.empty()) return home / ".cache/forerun/rtl";
  return fs::temp_directory_path() / "forerun-rtl";
}

fs::path verilated(const VerilateRequest& request) {
  check(request);
  Digest digest;
  digest.add(version_of("verilator"));
  digest.add(version_of("g++"));
  digest.add(read_text(fs::path(include_folder) / "platform/rtl/model_glue.inc"));
  digest.add(read_text(fs::path(include_folder) / "ip/cosim/model_abi.hpp"));
  for (const auto& source : request.sources) digest.add(read_text(source));
  for (const auto& word : verilator_command(request, needs_shell(request), "."))
    if (!word.ends_with(".sv") && !word.ends_with(".v")) digest.add(word);
  digest.add(request.pins);
  const auto file = cache_folder() / fmt::format("{}-{}.so", request.top, digest.text());
  if (fs::is_regular_file(file)) return file;
  std::string parameters;
  for (const auto& [name, value] : request.parameters) parameters += fmt::format(" {}={}", name, value);
  fmt::print(stderr, "forerun: making the RTL model of {}{}, once\n", request.top, parameters);
  verilate(request, file);
  return file;
}

}  // namespace forerun::rtl
