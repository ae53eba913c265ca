/* SPDX-License-Identifier: Apache-2.0 */
/* Compute cluster (FR_CLUSTER_REGISTERS). */
#ifndef FR_DRIVERS_CLUSTER_H
#define FR_DRIVERS_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

/* The first error since start; numbers of FR_ERRORS and FR_ENGINES. */
struct cluster_fault {
  uint32_t error, engine;
  uint64_t command; /* byte offset in the stream */
  uint64_t address; /* failing address, or the bad value */
};

/* True when a cluster of the interface version that this driver knows answers there. */
bool cluster_present(uint64_t base);
uint32_t cluster_scratchpad_bytes(uint64_t base);
/* Says what to run at the next starts, and interrupts at the end and at an error. Addresses are multiples
 * of 8. */
void cluster_prepare(uint64_t base, uint64_t stream, uint64_t stream_bytes, uint64_t parameters);
/* Not while it runs: that is a bus error. */
void cluster_start(uint64_t base);
bool cluster_running(uint64_t base);
/* Abandons all work; clears registers, semaphores, errors and counters. */
void cluster_reset(uint64_t base);
/* Returns and clears the raised interrupts: FR_CLUSTER_INTERRUPT_*. */
uint32_t cluster_acknowledge(uint64_t base);
void cluster_get_fault(uint64_t base, struct cluster_fault* fault);
/* Cluster clock cycles of the last run. */
uint64_t cluster_cycles(uint64_t base);
uint32_t cluster_counters(uint64_t base);
uint64_t cluster_counter(uint64_t base, uint32_t number);

#endif
