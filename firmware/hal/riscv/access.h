/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses of the RISC-V CPU: part of hal.h. */
#ifndef FR_HAL_RISCV_ACCESS_H
#define FR_HAL_RISCV_ACCESS_H

#include <stdint.h>

static inline uint8_t hal_read8(uint64_t address) { return *(volatile uint8_t*)address; }
static inline uint32_t hal_read32(uint64_t address) { return *(volatile uint32_t*)address; }
static inline uint64_t hal_read64(uint64_t address) { return *(volatile uint64_t*)address; }
static inline void hal_write8(uint64_t address, uint8_t value) { *(volatile uint8_t*)address = value; }
static inline void hal_write32(uint64_t address, uint32_t value) { *(volatile uint32_t*)address = value; }
static inline void hal_write64(uint64_t address, uint64_t value) { *(volatile uint64_t*)address = value; }
static inline void hal_barrier(void) { __asm__ volatile("fence iorw, iorw" ::: "memory"); }

#endif
