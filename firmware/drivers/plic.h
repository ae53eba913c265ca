/* SPDX-License-Identifier: Apache-2.0 */
/* Platform-level interrupt controller (RISC-V PLIC specification 1.0.0), one context of it. */
#ifndef FR_DRIVERS_PLIC_H
#define FR_DRIVERS_PLIC_H

#include <stdint.h>

enum { PLIC_SOURCES = 1024 }; /* source 0 does not exist */

struct plic {
  uint64_t base;
  uint32_t context;
};

/* Lets every priority above 0 through; sources stay as they are. */
void plic_start(const struct plic* plic);
void plic_enable(const struct plic* plic, uint32_t source, uint32_t priority);
void plic_disable(const struct plic* plic, uint32_t source);
/* The pending source of the highest priority, or 0. It stays quiet until it is completed. */
uint32_t plic_claim(const struct plic* plic);
void plic_complete(const struct plic* plic, uint32_t source);

#endif
