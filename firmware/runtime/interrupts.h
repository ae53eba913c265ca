/* SPDX-License-Identifier: Apache-2.0 */
/* External interrupts: a handler for each source of the interrupt controller. */
#ifndef FR_RUNTIME_INTERRUPTS_H
#define FR_RUNTIME_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/drivers/plic.h"

typedef void interrupt_handler(uint32_t argument);

/* Serves the interrupts of this controller from here on. */
void interrupts_start(struct plic plic);
/* Installs a handler and enables its source; it must make the source's level fall. False for a number that
 * does not exist. */
bool interrupts_connect(uint32_t source, interrupt_handler* handler, uint32_t argument);

#endif
