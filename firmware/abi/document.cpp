// SPDX-License-Identifier: Apache-2.0
// Prints docs/abi.md from the tables of the ABI headers.
#include <cstdio>
#include <string>

#include "firmware/abi/command.h"
#include "firmware/abi/message.h"
#include "firmware/abi/program.h"
#include "firmware/abi/registers.h"

namespace {

void title(const char* text) { std::printf("\n## %s\n\n", text); }

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

}  // namespace

int main() {
  std::puts("# ABI reference\n\nGenerated from the headers in `firmware/abi`; do not edit. All values are little-endian.");

#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) \
  std::printf("| `0x%03x` | `%s` | %d | %s | %#llx | %s |\n", OFFSET, #NAME, BITS, #ACCESS, \
              static_cast<unsigned long long>(RESET), cell(DESCRIPTION).c_str());
#define FR_REGISTER_TABLE(TITLE, TABLE)                                             \
  title(TITLE);                                                                     \
  std::puts("| offset | register | bits | access | reset | meaning |\n|---|---|---|---|---|---|"); \
  TABLE(FR_X)
  FR_REGISTER_TABLE("Registers of a cluster", FR_CLUSTER_REGISTERS)
  FR_REGISTER_TABLE("Registers of the system controller", FR_SYSCTL_REGISTERS)
  FR_REGISTER_TABLE("Registers of the mailbox", FR_MAILBOX_REGISTERS)
  FR_REGISTER_TABLE("Registers of the timer", FR_TIMER_REGISTERS)
  FR_REGISTER_TABLE("Registers of the DMA engine in SystemVerilog", FR_DMA_REGISTERS)
  FR_REGISTER_TABLE("Registers of the performance counters", FR_PERF_REGISTERS)
#undef FR_X

  title("Commands");
  std::printf("A stream is a sequence of commands of whole 8-byte words: a %zu-byte header, the fields of the opcode, patches of %zu "
              "bytes. Registers 0 to %d are parameters, up to %d the stream's own; %d semaphores; loops nest %d deep.\n\n",
              sizeof(fr_command_header), sizeof(fr_patch), FR_PARAMETERS - 1, FR_REGISTERS - 1, FR_SEMAPHORES, FR_LOOP_DEPTH);
  std::puts("| opcode | name | engine | meaning |\n|---|---|---|---|");
#define FR_X(NAME, NUMBER, ENGINE, FIELDS, DESCRIPTION) std::printf("| `0x%02x` | `%s` | %s | %s |\n", NUMBER, #NAME, #ENGINE, cell(DESCRIPTION).c_str());
  FR_OPCODES(FR_X)
#undef FR_X

#define FR_F(TYPE, NAME, DESCRIPTION) std::printf("| `%s` | `%s` | %s |\n", #NAME, #TYPE, cell(DESCRIPTION).c_str());
#define FR_FIELD_TABLE(TITLE, FIELDS)                                        \
  std::printf("\n### %s\n\n| field | type | meaning |\n|---|---|---|\n", TITLE); \
  FIELDS(FR_F)
  FR_FIELD_TABLE("Fields of LOOP", FR_FIELDS_LOOP)
  FR_FIELD_TABLE("Fields of SCALAR", FR_FIELDS_SCALAR)
  FR_FIELD_TABLE("Fields of READ", FR_FIELDS_READ)
  FR_FIELD_TABLE("Fields of LOAD and STORE", FR_FIELDS_COPY)
  FR_FIELD_TABLE("Fields of GATHER", FR_FIELDS_GATHER)
  FR_FIELD_TABLE("Fields of POST", FR_FIELDS_POST)
  FR_FIELD_TABLE("Fields of ALL_GATHER, REDUCE_SCATTER and ALL_REDUCE", FR_FIELDS_COLLECTIVE)
  FR_FIELD_TABLE("Fields of MATMUL", FR_FIELDS_MATMUL)
  FR_FIELD_TABLE("Fields of MATMUL_SCALED", FR_FIELDS_MATMUL_SCALED)
  FR_FIELD_TABLE("Fields of VECTOR", FR_FIELDS_VECTOR)
#undef FR_F

#define FR_X(NAME, NUMBER, DESCRIPTION) std::printf("| %d | `%s` | %s |\n", NUMBER, #NAME, cell(DESCRIPTION).c_str());
#define FR_NUMBER_TABLE(TITLE, TABLE)                              \
  title(TITLE);                                                    \
  std::puts("| number | name | meaning |\n|---|---|---|");         \
  TABLE(FR_X)
  FR_NUMBER_TABLE("Scalar operations", FR_SCALAR_OPS)
  FR_NUMBER_TABLE("Errors of a cluster", FR_ERRORS)
  FR_NUMBER_TABLE("Run-time parameters of a program", FR_PROGRAM_PARAMETERS)
  FR_NUMBER_TABLE("Failures that firmware reports", FR_FAILURES)
#undef FR_X

  title("Vector operations");
  std::puts("| number | name | sources | shape | meaning |\n|---|---|---|---|---|");
#define FR_X(NAME, NUMBER, SOURCES, SHAPE, DESCRIPTION) \
  std::printf("| `0x%02x` | `%s` | %d | %s | %s |\n", NUMBER, #NAME, SOURCES, #SHAPE, cell(DESCRIPTION).c_str());
  FR_VECTOR_OPS(FR_X)
#undef FR_X

  title("Element types");
  std::puts("| number | name | bits | meaning |\n|---|---|---|---|");
#define FR_X(NAME, NUMBER, BITS, DESCRIPTION) std::printf("| %d | `%s` | %d | %s |\n", NUMBER, #NAME, BITS, DESCRIPTION);
  FR_TYPES(FR_X)
#undef FR_X

  title("Messages between host and firmware");
  std::puts("| number | name | direction | words |\n|---|---|---|---|");
#define FR_X(NAME, NUMBER, DIRECTION, DESCRIPTION) std::printf("| %d | `%s` | %s | %s |\n", NUMBER, #NAME, #DIRECTION, cell(DESCRIPTION).c_str());
  FR_MESSAGES(FR_X)
#undef FR_X
  return 0;
}
