/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/clint.h"

#include "firmware/hal/hal.h"

enum { MSIP = 0x0, MTIMECMP = 0x4000, MTIME = 0xbff8 };

uint64_t clint_time(uint64_t base) { return hal_read64(base + MTIME); }
void clint_set_alarm(uint64_t base, uint64_t when) { hal_write64(base + MTIMECMP, when); }
void clint_software_interrupt(uint64_t base, bool pending) { hal_write32(base + MSIP, pending ? 1 : 0); }
