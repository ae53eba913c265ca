/* SPDX-License-Identifier: Apache-2.0 */
/* What the hal of the host needs from the simulator that firmware is part of. One firmware a process. */
#ifndef FR_HAL_HOST_PORT_H
#define FR_HAL_HOST_PORT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hal_port {
  void* context; /* first argument of each function */
  /* One transaction; false for a bus error. */
  bool (*read)(void* context, uint64_t address, void* data, unsigned bytes);
  bool (*write)(void* context, uint64_t address, const void* data, unsigned bytes);
  /* Interrupt lines that are high, by the numbers of enum hal_interrupt. */
  uint32_t (*lines)(void* context);
  /* Returns when a line has changed. */
  void (*wait)(void* context);
  uint64_t (*cycles)(void* context);
  /* Does not return. */
  void (*halt)(void* context);
};

/* Before firmware starts. */
void hal_attach(const struct hal_port* port);

#ifdef __cplusplus
}
#endif
#endif
