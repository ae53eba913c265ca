// SPDX-License-Identifier: Apache-2.0
// +forerun=replay:FILE of forerun_remote.sv: the player of copies as the driver of a DMA engine's ports.
#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "ip/cosim/remote/port_driver.hpp"
#include "platform/replay/dma_player.hpp"

namespace forerun::replay {
namespace {

using ip::cosim::AxiPins;
using ip::cosim::AxiShape;
using ip::cosim::PortDriver;

class DmaDriver : public PortDriver {
 public:
  explicit DmaDriver(DmaPlayer player) : player_(std::move(player)) {}
  State cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt, bool) override {
    status_ = player_.cycle(subordinate, manager, interrupt);
    return status_ == Status::running    ? State::running
           : status_ == Status::finished ? State::ended
                                         : State::failed;
  }
  std::string news() override {
    if (status_ == Status::running) return "";
    return fmt::format("forerun replay: {}{}\n", status_ == Status::different ? "DIFFERENT: " : "",
                       player_.message());
  }

 private:
  DmaPlayer player_;
  Status status_ = Status::running;
};

/// "FILE" or "FILE,stalls=30,seed=2,latency=50,any_order": the file has a line "recording PATH" and the
/// program.
std::unique_ptr<PortDriver> make(const std::string& what, const AxiShape& subordinate,
                                 const std::optional<AxiShape>& manager) {
  if (!manager) throw std::invalid_argument("a DMA engine has a manager port");
  std::istringstream words(what);
  std::string file, option, recording;
  std::getline(words, file, ',');
  DmaPlaySettings settings;
  while (std::getline(words, option, ',')) {
    if (option.empty()) continue;
    const auto equals = option.find('=');
    const auto name = option.substr(0, equals);
    const auto number = equals == std::string::npos ? 0 : std::stoull(option.substr(equals + 1));
    if (name == "stalls")
      settings.stall_share = static_cast<double>(number) / 100;
    else if (name == "seed")
      settings.seed = number;
    else if (name == "latency")
      settings.latency = static_cast<unsigned>(number);
    else if (name == "most")
      settings.most = number;
    else if (name == "any_order")
      settings.any_order = true;
    else
      throw std::invalid_argument(fmt::format(
          "'{}' is no option of a replay; known are stalls, seed, latency, most, any_order", option));
  }
  std::ifstream in(file);
  if (!in) throw std::invalid_argument(file + ": cannot be read");
  DmaProgram program;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("recording "))
      recording = line.substr(10);
    else if (!line.empty())
      program.add(line);
  }
  return std::make_unique<DmaDriver>(DmaPlayer(recording, program, subordinate, *manager, settings));
}

const bool registered = ip::cosim::port_driver_makers().emplace("replay", make).second;

}  // namespace
}  // namespace forerun::replay
