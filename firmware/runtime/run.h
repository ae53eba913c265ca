/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program on the clusters, step by step. */
#ifndef FR_RUNTIME_RUN_H
#define FR_RUNTIME_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/message.h"
#include "firmware/runtime/hardware.h"
#include "firmware/runtime/program.h"

/* What FR_MESSAGE_DRAFT asks for; no program: nothing. */
struct run_draft {
  uint64_t program; /* address of the container */
  uint64_t tokens;  /* before each step of the run's program */
};

/* What FR_MESSAGE_RUN asks for. */
struct run_request {
  uint64_t program;     /* address of the container */
  uint64_t prompt;      /* tokens already at token_ids; with FR_RUN_SEQUENCES the number of sequences */
  uint64_t generate;    /* tokens to add; not used with FR_RUN_TEACHER; with FR_RUN_SEQUENCES layers, or 0 */
  uint64_t flags;       /* FR_RUN_* */
  uint64_t temperature; /* bits of a binary32 above 0, with FR_RUN_SAMPLE */
  uint64_t seed;
  uint64_t timeout; /* of a step, in timer ticks; 0 for none */
  struct run_draft draft;
};

struct run_request run_request_from(const uint64_t words[FR_MESSAGE_WORDS], const struct run_draft* draft);

/* Before the first run, after interrupts_start. False if an interrupt of a cluster does not exist. */
bool run_start(const struct hardware* hardware);

/*
 * The prompt of each sequence in turn, in steps of up to max_tokens, then all sequences together, one token
 * of each at a time, until each has what it wants; FR_MESSAGE_STEP for each chunk of a step. Returns true and
 * the number of steps, or false and the failure; the clusters are ready for another run in both cases. The
 * number of instructions executed does not depend on ids, weights or the data mode.
 *
 * With a draft, a step of one token of the one sequence becomes a round: the draft chooses some tokens, a
 * step with these and the one before them chooses a token after each, and the drafted ones are kept as far as
 * they are the chosen ones, with the one chosen behind them. So the tokens are those of a run without a
 * draft; the instructions depend on how many drafted ones are kept. FR_MESSAGE_STEP for each token of such a
 * step.
 */
bool run_program(const struct run_request* request, uint64_t* steps, struct failure* failure);

#endif
