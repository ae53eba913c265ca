/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What firmware needs from the machine it runs on: accesses to the chip's address space, interrupts, time,
 * the end. Two implementations: riscv/ for the chip's CPU, host/ for firmware that runs as part of the
 * simulator's process.
 *
 * Firmware's own variables are plain C. Everything else of the chip, registers and HBM alike, is reached by
 * physical address through the functions here, never through a pointer.
 */
#ifndef FR_HAL_HAL_H
#define FR_HAL_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Machine-level interrupts, by their bit in mip and mie. */
enum hal_interrupt { HAL_INTERRUPT_SOFTWARE = 3, HAL_INTERRUPT_TIMER = 7, HAL_INTERRUPT_EXTERNAL = 11 };

/* Values of mcause that the hal itself makes or tells apart. */
enum { HAL_CAUSE_LOAD_ACCESS = 5, HAL_CAUSE_STORE_ACCESS = 7 };

#ifdef __riscv
#include "firmware/hal/riscv/access.h"
#else
/* Naturally aligned accesses; a bus error traps. */
uint8_t hal_read8(uint64_t address);
uint32_t hal_read32(uint64_t address);
uint64_t hal_read64(uint64_t address);
void hal_write8(uint64_t address, uint8_t value);
void hal_write32(uint64_t address, uint32_t value);
void hal_write64(uint64_t address, uint64_t value);
/* Every access before is seen before every access after. */
void hal_barrier(void);
#endif

/* As hal_read32 and hal_read64, but a bus error returns false instead of trapping. Not for interrupt
 * handlers. */
bool hal_try_read32(uint64_t address, uint32_t* value);
bool hal_try_read64(uint64_t address, uint64_t* value);

/* Memory of the chip for reading by pointer, of any length: the memory itself on the chip, a copy on the host
 * (until the next call). NULL when it cannot be read. The address is a multiple of 8. */
const void* hal_view(uint64_t address, size_t bytes);

/* Installs and unmasks the handler of an interrupt; NULL masks it. */
void hal_interrupt_handler(enum hal_interrupt interrupt, void (*handler)(void));
/* Handlers run at any time from here on / only in hal_wait_for_interrupt. At start they are disabled. */
void hal_interrupts_enable(void);
void hal_interrupts_disable(void);
/* Sleeps until an unmasked interrupt is pending and runs its handler, whether interrupts are enabled or not.
 * May return early: check what you wait for and call again. With interrupts disabled no wake-up between check
 * and sleep can be lost. */
void hal_wait_for_interrupt(void);

/* What to call at an exception that nobody expects; it should not return. */
void hal_trap_handler(void (*handler)(uint64_t cause, uint64_t pc, uint64_t value));
/* What to call at an exception within a handler of traps, on a stack without anything else on it; it should
 * not return, and can trust little: memory or stack may be damaged. */
void hal_nested_trap_handler(void (*handler)(void));

/* CPU clock cycles since reset. */
uint64_t hal_cycles(void);
/* Sleeps for ever. */
void hal_halt(void) __attribute__((noreturn));

#endif
