/* SPDX-License-Identifier: Apache-2.0 */
/* Control and status registers of the RISC-V CPU. */
#ifndef FR_HAL_RISCV_CSR_H
#define FR_HAL_RISCV_CSR_H

#include <stdint.h>

#define CSR_READ(NAME)                                      \
  __extension__({                                           \
    uint64_t csr_value_;                                    \
    __asm__ volatile("csrr %0, " #NAME : "=r"(csr_value_)); \
    csr_value_;                                             \
  })
#define CSR_SET(NAME, BITS) __asm__ volatile("csrs " #NAME ", %0" ::"r"((uint64_t)(BITS)) : "memory")
#define CSR_CLEAR(NAME, BITS) __asm__ volatile("csrc " #NAME ", %0" ::"r"((uint64_t)(BITS)) : "memory")

enum { MSTATUS_MIE = 8 };

#endif
