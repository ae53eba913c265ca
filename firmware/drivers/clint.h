/* SPDX-License-Identifier: Apache-2.0 */
/* Core-local interruptor with SiFive's register map: machine time, timer and software interrupt of hart 0. */
#ifndef FR_DRIVERS_CLINT_H
#define FR_DRIVERS_CLINT_H

#include <stdbool.h>
#include <stdint.h>

/* Ticks of the time base (the device tree's timebase-frequency). */
uint64_t clint_time(uint64_t base);
/* The timer interrupt is pending while the time is `when` or later; UINT64_MAX switches it off. */
void clint_set_alarm(uint64_t base, uint64_t when);
void clint_software_interrupt(uint64_t base, bool pending);

#endif
