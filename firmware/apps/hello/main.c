/* SPDX-License-Identifier: Apache-2.0 */
/* Says hello and shows what hardware there is: a place to start from. */
#include <inttypes.h>

#include "firmware/apps/apps.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/runtime.h"

int firmware_main(uint64_t device_tree) {
  const struct hardware* const hardware = runtime_start(device_tree);
  console_print("Hello from the control CPU!\n");
  hardware_print(hardware);
  console_print("up for %" PRIu64 " cycles\n", hal_cycles());
  runtime_exit(0);
}
