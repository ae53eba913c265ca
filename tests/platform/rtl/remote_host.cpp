// SPDX-License-Identifier: Apache-2.0
// A model of somebody's Verilog in a process of its own: remote_host MODEL ADDRESS [CYCLES, after which it
// ends].
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "ip/cosim/remote/remote_block.hpp"
#include "platform/rtl/mapped_block.hpp"

int main(int count, char** words) {
  using namespace forerun;
  if (count < 3) return 2;
  const auto last = count > 3 ? std::strtoull(words[3], nullptr, 10) : ~0ull;
  rtl::MappedBlock block(std::make_shared<const ip::cosim::SharedModel>(words[1]));
  rtl::MappedInterface *subordinate = nullptr, *manager = nullptr;
  for (auto& face : block.interfaces())
    (face->map.role == rtl::Role::subordinate ? subordinate : manager) = face.get();
  ip::cosim::RemoteBlockParameters parameters;
  parameters.subordinate = subordinate->axi;
  if (manager != nullptr) parameters.manager = manager->axi;
  ip::cosim::RemoteBlock remote(words[2], parameters);
  ip::cosim::AxiPins none;
  auto& manager_pins = manager != nullptr ? manager->axi_pins : none;
  for (unsigned long long cycle = 0; cycle < last; ++cycle) {
    block.reset = subordinate->axi_pins.reset = manager_pins.reset = cycle < block.map().reset_cycles;
    block.settle();
    const bool goes_on = remote.cycle(subordinate->axi_pins, manager_pins, block.interrupt(), block.idle());
    block.edge();
    if (!goes_on) {
      fmt::print("{}\n", remote.message());
      return 0;
    }
  }
}
