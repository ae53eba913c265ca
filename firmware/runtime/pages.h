/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a program's key/value cache, which sequences get as they grow. */
#ifndef FR_RUNTIME_PAGES_H
#define FR_RUNTIME_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/program.h"

struct pages {
  uint32_t given; /* the pages 0 .. given - 1 belong to sequences */
  uint32_t of_sequence[FR_PROGRAM_SEQUENCES];
};

/* No sequence has a page yet. */
void pages_start(struct pages* pages);
/* Gives a sequence pages for so many positions; those that it has stay. False if there are not so many. */
bool pages_give(struct pages* pages, const struct fr_program_header* header, uint32_t sequence,
                uint64_t positions);

#endif
