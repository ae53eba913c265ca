/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/watchdog.h"

#include "firmware/drivers/timer.h"
#include "firmware/runtime/interrupts.h"

static uint64_t timer;
static bool armed;
static volatile bool expired;

static void expire(uint32_t argument) {
  (void)argument;
  timer_stop(timer);
  expired = true;
}

bool watchdog_start(uint64_t base, uint32_t source) {
  timer = base;
  timer_stop(timer);
  return interrupts_connect(source, expire, 0);
}

void watchdog_arm(uint64_t ticks) {
  expired = false;
  armed = ticks != 0;
  if (armed) timer_start(timer, ticks);
}

void watchdog_disarm(void) {
  if (armed) timer_stop(timer);
  armed = expired = false;
}

bool watchdog_expired(void) { return expired; }
