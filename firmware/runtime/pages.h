/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of the key/value cache, which sequences get as they grow. */
#ifndef FR_RUNTIME_PAGES_H
#define FR_RUNTIME_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/program.h"

/* No sequence has a page yet. */
void pages_start(void);
/* Gives a sequence pages for so many positions; those that it has stay. False if there are not so many. */
bool pages_give(const struct fr_program_header* header, uint32_t sequence, uint64_t positions);

#endif
