/* SPDX-License-Identifier: Apache-2.0 */
/* System controller (FR_SYSCTL_REGISTERS). */
#ifndef FR_DRIVERS_SYSCTL_H
#define FR_DRIVERS_SYSCTL_H

#include <stdbool.h>
#include <stdint.h>

uint64_t sysctl_boot_address(uint64_t base);
uint64_t sysctl_cpu_hz(uint64_t base);
uint64_t sysctl_cluster_hz(uint64_t base);
/* Holds a cluster (of the first 64) in reset, or lets it go. */
void sysctl_cluster_reset(uint64_t base, uint32_t cluster, bool hold);
/* Ends the simulation with an exit code, 0 .. 255. Code after it may still run for a while. */
void sysctl_exit(uint64_t base, int code);
/* Resets the whole chip; memories keep their bytes. Code after it may still run for a while. */
void sysctl_reset(uint64_t base);
/* A word that survives the reset; 0 at first. */
uint64_t sysctl_scratch(uint64_t base);
void sysctl_set_scratch(uint64_t base, uint64_t value);

#endif
