/* SPDX-License-Identifier: Apache-2.0 */
/* A draft: a smaller model that guesses tokens, which the model of the run then verifies in one step. */
#ifndef FR_RUNTIME_DRAFT_H
#define FR_RUNTIME_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/runtime/pages.h"
#include "firmware/runtime/step.h"

struct draft {
  struct step_program program;
  struct pages pages;
  uint64_t done; /* positions whose keys and values are in its cache */
};

/* Puts an id where the draft reads it. */
void draft_put(const struct draft* draft, uint64_t position, uint32_t id);

/* Chooses a token for each of the `count` positions behind `position`, whose own token and those before it
 * the draft has: as many steps of one token, of which the first has also those that it has not computed yet.
 * FR_MESSAGE_DRAFTED for each. */
bool draft_tokens(struct draft* draft, uint64_t position, uint64_t count, uint32_t* ids, uint64_t timeout,
                  struct failure* failure);

/* Other tokens than the drafted ones come from `position` on. */
void draft_back_to(struct draft* draft, uint64_t position);

#endif
