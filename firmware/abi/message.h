/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the host and the firmware, carried by the mailbox: word 0 is the type, words 1 to 7 its arguments. */
#ifndef FR_ABI_MESSAGE_H
#define FR_ABI_MESSAGE_H

#include <stdint.h>

/* X(NAME, number, direction, description of words 1..7) */
#define FR_MESSAGES(X)                                                                                               \
  X(RUN, 1, TO_CHIP, "1 address of the program, 2 prompt tokens (already at token_ids), 3 tokens to generate, 4 FR_RUN_*, 5 temperature bits, 6 seed, 7 time-out of a step in timer ticks (0: none); with FR_RUN_SEQUENCES: 2 sequences in the table of requests, 3 layers to carry out (0: all)") \
  X(STOP, 2, TO_CHIP, "firmware ends: exit code in 1")                                                               \
  X(DRAFT, 3, TO_CHIP, "the next RUN drafts tokens with a program beside its own, for the same prompt at its token_ids: 1 address of that program, 2 tokens to draft before a step of the run's program, 1 .. FR_DRAFT_TOKENS") \
  X(READY, 16, TO_HOST, "firmware is up: 1 clusters found, 2 bytes of HBM, 3 firmware version")                      \
  X(STEP, 17, TO_HOST, "a step ended: 1 first position, 2 tokens in it, 3 id chosen after its last token, 4 mtime at its start, 5 mtime at its end, 6 sequence, 7 chunks of the step that are still to be told; a message for each chunk, or after drafts for each of the tokens that the step gave: 1 their positions, 2 then is 1") \
  X(DONE, 18, TO_HOST, "the run ended: 1 steps")                                                                     \
  X(FAILED, 19, TO_HOST, "the run failed: 1 FR_FAILURE_*, 2 cluster, 3 FR_ERROR_*, 4 failing address, 5 byte offset of the command, 6 engine, 7 address of the program, if it was in a step") \
  X(TRAP, 20, TO_HOST, "firmware trapped: 1 mcause, 2 mepc, 3 mtval")                                                \
  X(DRAFTED, 21, TO_HOST, "a step of the drafting program ended: 1 to 5 as STEP, 6 1 if the id is a draft, 0 if the token behind it was known")
#define FR_X(NAME, NUMBER, ...) FR_MESSAGE_##NAME = NUMBER,
enum fr_message { FR_MESSAGES(FR_X) };
#undef FR_X

enum {
  FR_MESSAGE_WORDS = 8,
  FR_DRAFT_TOKENS = 64,   /* most tokens that are drafted before a step */
  FR_RUN_SAMPLE = 1,      /* sample with the temperature and seed, instead of taking the largest logit */
  FR_RUN_TEACHER = 2,     /* token_ids already hold every input: the chosen ids are reported but not fed back */
  FR_RUN_ALL_LOGITS = 4,  /* make logits for every position, not only the last of a prefill step */
  FR_RUN_SEQUENCES = 8    /* what to do is in the program's table of requests */
};

/* Failures that the firmware reports: X(NAME, number, description) */
#define FR_FAILURES(X)                                                       \
  X(PROGRAM_MAGIC, 1, "no program container at that address")                \
  X(PROGRAM_VERSION, 2, "container of another version")                      \
  X(PROGRAM_CRC, 3, "checksum of the container does not match")              \
  X(PROGRAM_CLUSTERS, 4, "program for more clusters than the chip has")      \
  X(PROGRAM_MEMORY, 5, "program needs more HBM than the chip has, or a table of it lies elsewhere or unaligned") \
  X(PROGRAM_SCRATCHPAD, 6, "program needs a larger scratchpad")              \
  X(REQUEST, 7, "bad run request: no prompt, or longer than the context; or a draft that does not go with the program")    \
  X(CLUSTER, 8, "a cluster stopped with an error")                           \
  X(TIMEOUT, 9, "a step did not end in time")                                \
  X(BUS, 10, "bus error while reading the program")                          \
  X(MESSAGE, 11, "unknown message")                                          \
  X(PAGES, 12, "the cache has too few pages for all sequences")
#define FR_X(NAME, NUMBER, DESCRIPTION) FR_FAILURE_##NAME = NUMBER,
enum fr_failure { FR_FAILURES(FR_X) };
#undef FR_X

#endif
