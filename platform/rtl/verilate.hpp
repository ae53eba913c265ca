// SPDX-License-Identifier: Apache-2.0
/// From Verilog to a shared object that ip/cosim/shared_model.hpp loads, with the system's Verilator, make
/// and C++ compiler.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "platform/rtl/design.hpp"
#include "platform/rtl/shell.hpp"
#include "platform/rtl/waves.hpp"

namespace forerun::rtl {

struct VerilateRequest {
  std::string top;                             ///< module
  std::vector<std::filesystem::path> sources;  ///< Verilog or SystemVerilog, packages before their users
  std::map<std::string, std::string> parameters;
  std::vector<std::filesystem::path> includes{};  ///< folders of `include files
  std::vector<std::string> defines{};             ///< NAME or NAME=VALUE
  std::vector<std::string> arguments;             ///< further ones for Verilator: -Wno-..., ...
  Waves waves = Waves::none;          ///< a model that can write waves is slower also while it does not
  std::string pins;                   ///< text of the pin map that goes into the model
  std::string pins_file = "pin map";  ///< for errors in it
};

/// Makes `output`; returns the files that Verilator has read. What the pin map says is compared with the
/// module's ports before anything is compiled. Throws std::runtime_error for what is wrong there, with file,
/// line and column, and with what Verilator or the compiler said; with what is to be installed if one is
/// missing; for -Wno-BLKANDNBLK and -Wno-fatal, under which Verilator 5.006 can miscompute designs without a
/// word.
std::vector<std::filesystem::path> verilate(const VerilateRequest& request,
                                            const std::filesystem::path& output);

/// A shell around the module, whose ports are plain vectors, whatever those of the module are. Throws as
/// verilate() does for what is wrong with the pin map.
Shell shell_around(const VerilateRequest& request);

/// A model as verilate() makes it, kept in cache_folder() and made only if sources, request or tools are
/// others than before.
std::filesystem::path verilated(const VerilateRequest& request);

/// FORERUN_RTL_CACHE, or forerun/rtl in XDG_CACHE_HOME or ~/.cache, or without a home in the system's
/// temporary folder.
std::filesystem::path cache_folder();

}  // namespace forerun::rtl
