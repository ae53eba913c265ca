// SPDX-License-Identifier: Apache-2.0
// A program of its own: the Verilated DMA engine, as a part of a simulation at the address given. Then it
// does one of: run, crash after so many cycles, hang after so many cycles, talk nonsense.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ip/cosim/remote/remote_block.hpp"
#include "tests/ip/dma/rtl/models.hpp"

using namespace forerun::ip::cosim;
using namespace forerun::rtl;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string address = argv[1], what = argv[2];
  const unsigned long after = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
  if (what == "nonsense") {
    auto channel = Channel::connect(address, 10);
    channel.send({1, 2, 3});
    ::sleep(1);
    return 0;
  }
  const auto& model = dma_models().at("standard");
  RemoteBlockParameters parameters;
  parameters.subordinate = dma_register_shape;
  parameters.manager = model.memory_shape();
  if (what == "narrow") parameters.manager->data_bytes = 8;
  parameters.answers = {.most_reads = 64, .most_writes = 64};
  AxiPins registers(parameters.subordinate), memory(*parameters.manager);
  const auto block = model.make(registers, memory);
  RemoteBlock remote(address, parameters);
  registers.reset = memory.reset = true;
  unsigned long cycle = 0;
  while (true) {
    block->settle();
    if (!remote.cycle(registers, memory, block->interrupt(), block->idle())) break;
    block->edge();
    if (++cycle == 2) registers.reset = memory.reset = false;
    if (cycle == after && what == "crash") ::_exit(1);
    if (cycle == after && what == "hang") ::sleep(1000);
  }
  for (const auto* checker : {&remote.subordinate_checker(), &remote.manager_checker()})
    for (const auto& violation : checker->log().kept()) std::printf("%s\n", violation.message().c_str());
  std::printf("%s\n", remote.message().c_str());
  return 0;
}
