/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/pages.h"

#include <string.h>

#include "firmware/hal/hal.h"

void pages_start(struct pages* pages) { memset(pages, 0, sizeof *pages); }

bool pages_give(struct pages* pages, const struct fr_program_header* header, uint32_t sequence,
                uint64_t positions) {
  const uint64_t size = header->page_positions;
  if (size == 0) return true;
  const uint64_t row = header->page_table + sequence * ((header->context + size - 1) / size) * sizeof size;
  uint32_t* const count = &pages->of_sequence[sequence];
  for (; *count * size < positions; ++*count) {
    if (pages->given == header->pages) return false;
    hal_write64(row + *count * sizeof size, pages->given++);
  }
  return true;
}
