/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the program container in memory (firmware/abi/program.h). */
#ifndef FR_RUNTIME_PROGRAM_H
#define FR_RUNTIME_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/message.h"
#include "firmware/abi/program.h"
#include "firmware/runtime/hardware.h"

/* The words of FR_MESSAGE_FAILED. */
struct failure {
  uint64_t code; /* FR_FAILURE_*, 0 for none */
  uint64_t cluster, error, address, command, engine, program;
};

/* The name of a FR_FAILURE_*, FR_ERROR_* or FR_ENGINE_*; "?" for others. */
const char* failure_name(uint64_t code);
const char* error_name(uint64_t error);
const char* engine_name(uint64_t engine);

/* Reads the header of the program at an address and checks that this chip can run it; otherwise false, with
 * the failure. Everything that firmware itself is going to read or write lies in HBM then. */
bool program_check(const struct hardware* hardware, uint64_t address, struct fr_program_header* header,
                   struct failure* failure);
/* The command stream of a cluster of a checked program. */
struct fr_program_stream program_stream(const struct fr_program_header* header, uint32_t cluster);

#endif
