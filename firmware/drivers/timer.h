/* SPDX-License-Identifier: Apache-2.0 */
/* General-purpose timer (FR_TIMER_REGISTERS). */
#ifndef FR_DRIVERS_TIMER_H
#define FR_DRIVERS_TIMER_H

#include <stdint.h>

/* Interrupts once, `ticks` from now. */
void timer_start(uint64_t base, uint64_t ticks);
/* Stops it and clears its interrupt. */
void timer_stop(uint64_t base);
/* Ticks since reset. */
uint64_t timer_count(uint64_t base);

#endif
