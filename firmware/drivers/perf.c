/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/perf.h"

#include <string.h>

#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"

uint32_t perf_count(uint64_t base) { return hal_read32(base + FR_PERF_COUNT); }

uint64_t perf_value(uint64_t base, uint32_t number) {
  hal_write32(base + FR_PERF_SELECT, number);
  return hal_read64(base + FR_PERF_VALUE);
}

void perf_name(uint64_t base, uint32_t number, char name[PERF_NAME_BYTES + 1]) {
  hal_write32(base + FR_PERF_SELECT, number);
  for (unsigned i = 0; i < PERF_NAME_BYTES; i += 8) {
    const uint64_t part = hal_read64(base + FR_PERF_NAME + i);
    memcpy(name + i, &part, sizeof part); /* little-endian, as the registers */
  }
  name[PERF_NAME_BYTES] = '\0';
}
