/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/pages.h"

#include <string.h>

#include "firmware/hal/hal.h"

static uint32_t given; /* the pages 0 .. given - 1 belong to sequences */
static uint32_t of_sequence[FR_PROGRAM_SEQUENCES];

void pages_start(void) {
  given = 0;
  memset(of_sequence, 0, sizeof of_sequence);
}

bool pages_give(const struct fr_program_header* header, uint32_t sequence, uint64_t positions) {
  const uint64_t size = header->page_positions;
  if (size == 0) return true;
  const uint64_t row = header->page_table + sequence * ((header->context + size - 1) / size) * sizeof size;
  for (; of_sequence[sequence] * size < positions; ++of_sequence[sequence]) {
    if (given == header->pages) return false;
    hal_write64(row + of_sequence[sequence] * sizeof size, given++);
  }
  return true;
}
