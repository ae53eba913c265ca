/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/runtime.h"

#include "firmware/drivers/sysctl.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/trap.h"

static struct hardware hardware;

/* Nothing is printed: that may be what has trapped. */
static void end_at_nested_trap(void) { runtime_exit(RUNTIME_EXIT_NESTED_TRAP); }

const struct hardware* runtime_start(uint64_t device_tree) {
  hal_trap_handler(trap_report);
  hal_nested_trap_handler(end_at_nested_trap);
  const char* const problem = hardware_find(&hardware, device_tree);
  if (hardware.uart.base != 0)
    console_start((struct uart){hardware.uart.base, hardware.uart_shift}, hardware.uart_clock_hz,
                  hardware.uart_baud);
  if (problem == NULL) return &hardware;
  console_print("cannot start: %s\n", problem);
  runtime_exit(RUNTIME_EXIT_NO_HARDWARE);
}

void runtime_exit(int code) {
  if (hardware.sysctl.base != 0) sysctl_exit(hardware.sysctl.base, code);
  hal_halt();
}
