/* SPDX-License-Identifier: Apache-2.0 */
/* Where firmware begins. */
#ifndef FR_APPS_APPS_H
#define FR_APPS_APPS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __riscv
/* Called by firmware/boot/start.S on hart 0 with interrupts disabled; the CPU sleeps for ever when it
 * returns. */
int firmware_main(uint64_t device_tree);
#else
/* In the simulator's process each application's firmware_main has a name of its own. */
int forerun_llm_main(uint64_t device_tree);
int forerun_hello_main(uint64_t device_tree);
int forerun_share_main(uint64_t device_tree);
#endif

#ifdef __cplusplus
}
#endif
#endif
