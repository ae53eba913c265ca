/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/sysctl.h"

#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"

uint64_t sysctl_boot_address(uint64_t base) { return hal_read64(base + FR_SYSCTL_BOOT_ADDRESS); }
uint64_t sysctl_cpu_hz(uint64_t base) { return hal_read64(base + FR_SYSCTL_CPU_HZ); }
uint64_t sysctl_cluster_hz(uint64_t base) { return hal_read64(base + FR_SYSCTL_CLUSTER_HZ); }

void sysctl_cluster_reset(uint64_t base, uint32_t cluster, bool hold) {
  const uint64_t bit = UINT64_C(1) << cluster % 64, now = hal_read64(base + FR_SYSCTL_CLUSTER_RESET);
  hal_write64(base + FR_SYSCTL_CLUSTER_RESET, hold ? now | bit : now & ~bit);
}

void sysctl_exit(uint64_t base, int code) { hal_write32(base + FR_SYSCTL_EXIT, (uint32_t)code & 0xff); }
void sysctl_reset(uint64_t base) { hal_write32(base + FR_SYSCTL_RESET, 1); }
uint64_t sysctl_scratch(uint64_t base) { return hal_read64(base + FR_SYSCTL_SCRATCH); }
void sysctl_set_scratch(uint64_t base, uint64_t value) { hal_write64(base + FR_SYSCTL_SCRATCH, value); }
