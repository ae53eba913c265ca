/* SPDX-License-Identifier: Apache-2.0 */
/* Resets the chip once, and exits with the sum of variables that must be as at the beginning again. */
#include "firmware/apps/apps.h"
#include "firmware/drivers/sysctl.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/runtime.h"

static volatile int initialised = 40;
static volatile int cleared;
static _Thread_local volatile int thread_local_initialised = 2;
static _Thread_local volatile int thread_local_cleared;

int firmware_main(uint64_t device_tree) {
  const uint64_t sysctl = runtime_start(device_tree)->sysctl.base;
  const int sum = initialised + cleared + thread_local_initialised + thread_local_cleared;
  initialised = cleared = thread_local_initialised = thread_local_cleared = 1000;
  if (sysctl_scratch(sysctl) != 0) runtime_exit(sum);
  sysctl_set_scratch(sysctl, (uint64_t)sum);
  sysctl_reset(sysctl);
  hal_halt();
}
