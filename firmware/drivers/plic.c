/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/plic.h"

#include "firmware/hal/hal.h"

enum { ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000, CLAIM = 4 };

static uint64_t context(const struct plic* plic) {
  return plic->base + CONTEXT + (uint64_t)plic->context * CONTEXT_STRIDE;
}
static uint64_t enable_word(const struct plic* plic, uint32_t source) {
  return plic->base + ENABLE + (uint64_t)plic->context * ENABLE_STRIDE + source / 32 * 4;
}

void plic_start(const struct plic* plic) { hal_write32(context(plic), 0); }

void plic_enable(const struct plic* plic, uint32_t source, uint32_t priority) {
  const uint64_t word = enable_word(plic, source);
  hal_write32(plic->base + (uint64_t)source * 4, priority);
  hal_write32(word, hal_read32(word) | 1u << source % 32);
}

void plic_disable(const struct plic* plic, uint32_t source) {
  const uint64_t word = enable_word(plic, source);
  hal_write32(word, hal_read32(word) & ~(1u << source % 32));
}

uint32_t plic_claim(const struct plic* plic) { return hal_read32(context(plic) + CLAIM); }
void plic_complete(const struct plic* plic, uint32_t source) { hal_write32(context(plic) + CLAIM, source); }
