/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/timer.h"

#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"

void timer_start(uint64_t base, uint64_t ticks) {
  hal_write64(base + FR_TIMER_PERIOD, ticks);
  hal_write32(base + FR_TIMER_CONTROL, FR_TIMER_CONTROL_ENABLE | FR_TIMER_CONTROL_INTERRUPT);
}

void timer_stop(uint64_t base) {
  hal_write32(base + FR_TIMER_CONTROL, 0);
  hal_write32(base + FR_TIMER_INTERRUPT_STATUS, 1);
}

uint64_t timer_count(uint64_t base) { return hal_read64(base + FR_TIMER_COUNT); }
