/* SPDX-License-Identifier: Apache-2.0 */
/* Notices when something takes too long, by the general-purpose timer. */
#ifndef FR_RUNTIME_WATCHDOG_H
#define FR_RUNTIME_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* The timer and its interrupt source, after interrupts_start. False if the source does not exist. */
bool watchdog_start(uint64_t timer, uint32_t source);
/* Expires after so many timer ticks, waking hal_wait_for_interrupt; with 0 never. */
void watchdog_arm(uint64_t ticks);
void watchdog_disarm(void);
bool watchdog_expired(void);

#endif
