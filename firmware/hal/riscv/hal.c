/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/hal/hal.h"

#include "firmware/hal/riscv/csr.h"
#include "firmware/hal/riscv/trap.h"

static void (*handlers[12])(void);
static void (*unexpected)(uint64_t cause, uint64_t pc, uint64_t value);
static void (*nested)(void);

const void* hal_view(uint64_t address, size_t bytes) {
  uint64_t word; /* the first and the last whole one answer for all */
  if (bytes >= 8 && (!hal_try_read64(address, &word) || !hal_try_read64(address + bytes / 8 * 8 - 8, &word)))
    return NULL;
  return (const void*)address;
}

void hal_interrupt_handler(enum hal_interrupt interrupt, void (*handler)(void)) {
  CSR_CLEAR(mie, 1u << interrupt);
  handlers[interrupt] = handler;
  if (handler != NULL) CSR_SET(mie, 1u << interrupt);
}

void hal_interrupts_enable(void) { CSR_SET(mstatus, MSTATUS_MIE); }
void hal_interrupts_disable(void) { CSR_CLEAR(mstatus, MSTATUS_MIE); }

void hal_wait_for_interrupt(void) {
  const bool enabled = (CSR_READ(mstatus) & MSTATUS_MIE) != 0;
  CSR_CLEAR(mstatus, MSTATUS_MIE);
  __asm__ volatile("wfi" ::: "memory");
  CSR_SET(mstatus, MSTATUS_MIE); /* a pending interrupt is taken right here */
  if (!enabled) CSR_CLEAR(mstatus, MSTATUS_MIE);
}

void hal_trap_handler(void (*handler)(uint64_t cause, uint64_t pc, uint64_t value)) { unexpected = handler; }

void hal_nested_trap_handler(void (*handler)(void)) { nested = handler; }

uint64_t hal_cycles(void) { return CSR_READ(mcycle); }

void hal_halt(void) {
  hal_interrupts_disable();
  __asm__ volatile("csrw mie, zero");
  for (;;) __asm__ volatile("wfi");
}

uint64_t trap_dispatch(uint64_t cause, uint64_t pc, uint64_t value) {
  if (cause >> 63 != 0) {
    const uint64_t number = cause << 1 >> 1;
    if (number < sizeof handlers / sizeof *handlers && handlers[number] != NULL) {
      handlers[number]();
      return pc;
    }
  } else if (cause == HAL_CAUSE_LOAD_ACCESS && pc >= (uint64_t)guarded_reads &&
             pc < (uint64_t)guarded_reads_end) {
    return (uint64_t)guarded_reads_end; /* the code there returns false */
  }
  if (unexpected != NULL) unexpected(cause, pc, value);
  hal_halt();
}

void trap_nested(void) {
  if (nested != NULL) nested();
  hal_halt();
}
