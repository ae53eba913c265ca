/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/hal/hal.h"

#include <stdlib.h>

#include "firmware/hal/host/port.h"

static const enum hal_interrupt by_priority[] = {HAL_INTERRUPT_EXTERNAL, HAL_INTERRUPT_SOFTWARE,
                                                 HAL_INTERRUPT_TIMER};

static struct hal_port port;
static void (*handlers[12])(void);
static uint32_t unmasked;
static bool enabled, in_handler;
static unsigned traps; /* within one another */
static void (*unexpected)(uint64_t cause, uint64_t pc, uint64_t value);
static void (*nested)(void);

void hal_attach(const struct hal_port* new_port) { port = *new_port; }

/* Runs the handlers of pending interrupts. */
static void serve(void) {
  if (in_handler) return;
  in_handler = true;
  for (unsigned i = 0; i < sizeof by_priority / sizeof *by_priority; ++i)
    if ((port.lines(port.context) & unmasked & 1u << by_priority[i]) != 0) handlers[by_priority[i]]();
  in_handler = false;
}

static void trap(uint64_t cause, uint64_t address) {
  ++traps;
  if (traps == 1 && unexpected != NULL) unexpected(cause, 0, address);
  if (traps == 2 && nested != NULL) nested();
  hal_halt();
}

static void read(uint64_t address, void* data, unsigned bytes) {
  if (!port.read(port.context, address, data, bytes)) trap(HAL_CAUSE_LOAD_ACCESS, address);
  if (enabled) serve();
}

static void write(uint64_t address, const void* data, unsigned bytes) {
  if (!port.write(port.context, address, data, bytes)) trap(HAL_CAUSE_STORE_ACCESS, address);
  if (enabled) serve();
}

uint8_t hal_read8(uint64_t address) {
  uint8_t value = 0;
  read(address, &value, sizeof value);
  return value;
}
uint32_t hal_read32(uint64_t address) {
  uint32_t value = 0;
  read(address, &value, sizeof value);
  return value;
}
uint64_t hal_read64(uint64_t address) {
  uint64_t value = 0;
  read(address, &value, sizeof value);
  return value;
}
void hal_write8(uint64_t address, uint8_t value) { write(address, &value, sizeof value); }
void hal_write32(uint64_t address, uint32_t value) { write(address, &value, sizeof value); }
void hal_write64(uint64_t address, uint64_t value) { write(address, &value, sizeof value); }
void hal_barrier(void) {} /* transactions are carried out one after the other */

bool hal_try_read32(uint64_t address, uint32_t* value) {
  return port.read(port.context, address, value, sizeof *value);
}
bool hal_try_read64(uint64_t address, uint64_t* value) {
  return port.read(port.context, address, value, sizeof *value);
}

const void* hal_view(uint64_t address, size_t bytes) {
  static unsigned char* copy; /* one at a time */
  free(copy);
  copy = malloc(bytes);
  unsigned piece;
  for (size_t at = 0; copy != NULL && at < bytes; at += piece) {
    piece = bytes - at >= 8 ? 8 : 1;
    if (!port.read(port.context, address + at, copy + at, piece)) {
      free(copy);
      return copy = NULL;
    }
  }
  return copy;
}

void hal_interrupt_handler(enum hal_interrupt interrupt, void (*handler)(void)) {
  handlers[interrupt] = handler;
  unmasked = handler != NULL ? unmasked | 1u << interrupt : unmasked & ~(1u << interrupt);
}

void hal_interrupts_enable(void) {
  enabled = true;
  serve();
}
void hal_interrupts_disable(void) { enabled = false; }

void hal_wait_for_interrupt(void) {
  while ((port.lines(port.context) & unmasked) == 0) port.wait(port.context);
  serve();
}

void hal_trap_handler(void (*handler)(uint64_t cause, uint64_t pc, uint64_t value)) { unexpected = handler; }
void hal_nested_trap_handler(void (*handler)(void)) { nested = handler; }
uint64_t hal_cycles(void) { return port.cycles(port.context); }

void hal_halt(void) {
  port.halt(port.context);
  abort(); /* halt does not return */
}
