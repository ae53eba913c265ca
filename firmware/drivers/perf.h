/* SPDX-License-Identifier: Apache-2.0 */
/* Performance counters of every block (FR_PERF_REGISTERS). */
#ifndef FR_DRIVERS_PERF_H
#define FR_DRIVERS_PERF_H

#include <stdint.h>

enum { PERF_NAME_BYTES = 64 };

uint32_t perf_count(uint64_t base);
uint64_t perf_value(uint64_t base, uint32_t number);
/* The counter's name, always NUL-terminated; empty for a number beyond perf_count(). */
void perf_name(uint64_t base, uint32_t number, char name[PERF_NAME_BYTES + 1]);

#endif
