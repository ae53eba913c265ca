/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of checked programs on the clusters. */
#ifndef FR_RUNTIME_STEP_H
#define FR_RUNTIME_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/command.h"
#include "firmware/abi/program.h"
#include "firmware/runtime/hardware.h"
#include "firmware/runtime/program.h"

/* A program, and the parameter table as it is in memory. Several may take turns. */
struct step_program {
  struct fr_program_header header;
  int64_t parameters[FR_PARAMETERS];
};

/* When a step was under way, in ticks of the time base. */
struct step_times {
  uint64_t begun, ended;
};

/* Resets the clusters and takes over their interrupts. False if one of these does not exist. */
bool step_start(const struct hardware* hardware);
/* Writes the whole parameter table; the clusters get the program's streams. */
void step_load(struct step_program* program);
/* Writes a parameter if it changes. */
void step_set(struct step_program* program, unsigned number, int64_t value);
/* Runs all clusters once, with `tokens` tokens from `position` on and logits for the last `logit_rows` of
 * them. False when it failed or took more than `timeout` ticks (0: never): says why, and resets the clusters.
 */
bool step_run(struct step_program* program, uint64_t position, uint64_t tokens, uint64_t logit_rows,
              uint64_t timeout, struct step_times* times, struct failure* failure);

#endif
