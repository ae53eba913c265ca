/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and end of an application. Exit codes of its own: no hardware, a trap that nobody expected (which has
 * been reported), a trap in the middle of that.
 */
#ifndef FR_RUNTIME_RUNTIME_H
#define FR_RUNTIME_RUNTIME_H

#include <stdint.h>

#include "firmware/runtime/hardware.h"

enum {
  RUNTIME_VERSION = 1,
  RUNTIME_EXIT_NO_HARDWARE = 120,
  RUNTIME_EXIT_TRAP = 121,
  RUNTIME_EXIT_NESTED_TRAP = 122
};

/* Finds the hardware, starts the console and reports traps from here on. Returns what is found; if the device
 * tree is damaged or contradicts the chip, prints why and ends. */
const struct hardware* runtime_start(uint64_t device_tree);
/* Ends the simulation with an exit code, 0 .. 255. Does not return. */
void runtime_exit(int code) __attribute__((noreturn));

#endif
