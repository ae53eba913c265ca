/* SPDX-License-Identifier: Apache-2.0 */
/* Between trap.S and hal.c. */
#ifndef FR_HAL_RISCV_TRAP_H
#define FR_HAL_RISCV_TRAP_H

#include <stdint.h>

/* Called by trap_entry on the trap stack; returns where to go on. */
uint64_t trap_dispatch(uint64_t cause, uint64_t pc, uint64_t value);
/* Called when a trap handler itself traps; does not return. */
void trap_nested(void);

/* A load access fault between these two makes hal_try_read32 or hal_try_read64 return false. */
extern const char guarded_reads[], guarded_reads_end[];

#endif
