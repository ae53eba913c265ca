/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/run.h"

#include <inttypes.h>
#include <string.h>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "firmware/drivers/clint.h"
#include "firmware/drivers/cluster.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/interrupts.h"
#include "firmware/runtime/messages.h"
#include "firmware/runtime/watchdog.h"

enum {
  ALL_FLAGS = FR_RUN_SAMPLE | FR_RUN_TEACHER | FR_RUN_ALL_LOGITS | FR_RUN_SEQUENCES,
  INFINITY_BITS = 0x7f800000
};
#define NO_CLUSTER UINT32_MAX

static const struct hardware* chip;

/* Of the step under way; changed by the interrupt handler. */
static volatile uint32_t running;        /* clusters that have not ended */
static volatile uint32_t failed_cluster; /* the first that met an error, or NO_CLUSTER */

/* The parameter table as it is in memory. */
struct parameters {
  uint64_t address;
  int64_t values[FR_PARAMETERS];
};

static void cluster_event(uint32_t index) {
  const uint32_t raised = cluster_acknowledge(chip->clusters[index].registers);
  if ((raised & FR_CLUSTER_INTERRUPT_ERROR) != 0) {
    if (failed_cluster == NO_CLUSTER) failed_cluster = index;
  } else if ((raised & FR_CLUSTER_INTERRUPT_DONE) != 0) {
    --running;
  }
}

static void reset_clusters(void) {
  for (uint32_t i = 0; i < chip->cluster_count; ++i) cluster_reset(chip->clusters[i].registers);
}

struct run_request run_request_from(const uint64_t words[FR_MESSAGE_WORDS]) {
  return (struct run_request){words[1], words[2], words[3], words[4], words[5], words[6], words[7]};
}

bool run_start(const struct hardware* hardware) {
  chip = hardware;
  failed_cluster = NO_CLUSTER;
  reset_clusters();
  for (uint32_t i = 0; i < chip->cluster_count; ++i)
    if (!interrupts_connect(chip->clusters[i].interrupt, cluster_event, i)) return false;
  return true;
}

/* What is left to do of each sequence. */
static struct sequence {
  uint64_t position; /* of the next token to compute */
  uint64_t given;    /* end of the prompt */
  uint64_t end;      /* of the positions to compute */
} sequences[FR_PROGRAM_SEQUENCES];

/* The tokens of a step, as they are in memory. */
static struct fr_chunk chunks[FR_PROGRAM_SEQUENCES];
static uint64_t chunk_count;

static bool take_sequence(const struct fr_program_header* header, bool teacher, uint32_t index,
                          const struct fr_sequence_request* wanted) {
  const uint64_t generate = teacher ? 0 : wanted->generate;
  if (header->max_tokens == 0 || wanted->prompt < 1 || wanted->cached > header->context ||
      wanted->prompt > header->context - wanted->cached ||
      generate > header->context - wanted->cached - wanted->prompt)
    return false;
  struct sequence* const s = &sequences[index];
  s->position = wanted->cached;
  s->given = wanted->cached + wanted->prompt;
  s->end = s->given + (generate == 0 ? 1 : generate) - 1; /* the prompt gives the first */
  return true;
}

/* Fills in the table of sequences; 0 for a bad request, else their number. */
static uint32_t take_request(const struct run_request* request, const struct fr_program_header* header) {
  const bool sample = (request->flags & FR_RUN_SAMPLE) != 0, teacher = (request->flags & FR_RUN_TEACHER) != 0;
  if ((request->flags & ~(uint64_t)ALL_FLAGS) != 0 ||
      (sample && (request->temperature == 0 || request->temperature >= INFINITY_BITS)))
    return 0;
  if ((request->flags & FR_RUN_SEQUENCES) == 0)
    return take_sequence(header, teacher, 0,
                         &(const struct fr_sequence_request){0, request->prompt, request->generate});
  const uint64_t count = request->prompt;
  if (count < 1 || count > header->sequences || request->generate > header->layers) return 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t at = header->requests + i * sizeof(struct fr_sequence_request);
    const struct fr_sequence_request wanted = {hal_read64(at), hal_read64(at + 8), hal_read64(at + 16)};
    if (!take_sequence(header, teacher, i, &wanted)) return 0;
  }
  return (uint32_t)count;
}

static void set_parameter(struct parameters* table, unsigned number, int64_t value) {
  if (table->values[number] == value) return;
  table->values[number] = value;
  hal_write64(table->address + number * sizeof value, (uint64_t)value);
}

static void prepare(const struct run_request* request, const struct fr_program_header* header,
                    struct parameters* table) {
  memset(table->values, 0, sizeof table->values);
  table->address = header->parameters;
  if ((request->flags & FR_RUN_SAMPLE) != 0) {
    table->values[FR_PARAMETER_SAMPLE] = 1;
    table->values[FR_PARAMETER_TEMPERATURE] = (int64_t)request->temperature;
  }
  table->values[FR_PARAMETER_LAYERS] = (request->flags & FR_RUN_SEQUENCES) != 0 && request->generate != 0
                                           ? (int64_t)request->generate
                                           : header->layers;
  table->values[FR_PARAMETER_SEED_LOW] = (int64_t)(request->seed & 0xffffffff);
  table->values[FR_PARAMETER_SEED_HIGH] = (int64_t)(request->seed >> 32);
  for (unsigned i = 0; i < FR_PARAMETERS; ++i)
    hal_write64(table->address + i * sizeof(int64_t), (uint64_t)table->values[i]);
  memset(chunks, -1, sizeof chunks); /* nothing of it is in memory yet */
  for (uint32_t i = 0; i < header->clusters; ++i) {
    const struct fr_program_stream stream = program_stream(header, i);
    cluster_prepare(chip->clusters[i].registers, stream.address, stream.bytes, header->parameters);
  }
}

/* Runs all clusters once. */
static bool execute(const struct fr_program_header* header, uint64_t timeout) {
  running = header->clusters;
  watchdog_arm(timeout);
  hal_barrier(); /* ids and parameters before the start */
  for (uint32_t i = 0; i < header->clusters; ++i) cluster_start(chip->clusters[i].registers);
  while (running != 0 && failed_cluster == NO_CLUSTER && !watchdog_expired()) hal_wait_for_interrupt();
  hal_barrier(); /* the end before the results */
  const bool ended = running == 0 && failed_cluster == NO_CLUSTER;
  watchdog_disarm();
  return ended;
}

/* Finds out why a step failed, and makes the clusters usable again. */
static void diagnose(const struct fr_program_header* header, uint64_t position, struct failure* failure) {
  if (failed_cluster != NO_CLUSTER) {
    struct cluster_fault fault;
    cluster_get_fault(chip->clusters[failed_cluster].registers, &fault);
    *failure = (struct failure){FR_FAILURE_CLUSTER, failed_cluster, fault.error,
                                fault.address,      fault.command,  fault.engine};
    console_print("cluster %" PRIu64 ": error %s of engine %s in the command at byte %" PRIu64
                  ", address or value 0x%" PRIx64 ", in the step at position %" PRIu64 "\n",
                  failure->cluster, error_name(fault.error), engine_name(fault.engine), fault.command,
                  fault.address, position);
  } else {
    uint32_t stuck = 0;
    while (stuck + 1 < header->clusters && !cluster_running(chip->clusters[stuck].registers)) ++stuck;
    *failure = (struct failure){.code = FR_FAILURE_TIMEOUT, .cluster = stuck};
    console_print("time-out in the step at position %" PRIu64 ": %" PRIu32 " of %" PRIu32
                  " clusters have not ended, the first is %" PRIu32 "\n",
                  position, running, header->clusters, stuck);
  }
  reset_clusters();
  failed_cluster = NO_CLUSTER;
}

/* Adds the next tokens of a sequence to the step. Only what changes is written. */
static void add_chunk(const struct fr_program_header* header, uint32_t sequence, uint64_t tokens,
                      uint64_t row) {
  const struct fr_chunk next = {(int64_t)sequences[sequence].position, (int64_t)tokens, (int64_t)row,
                                sequence};
  const int64_t new[] = {next.position, next.tokens, next.row, next.sequence};
  const struct fr_chunk* const old = &chunks[chunk_count];
  const int64_t known[] = {old->position, old->tokens, old->row, old->sequence};
  const uint64_t at = header->chunks + chunk_count * sizeof next;
  for (unsigned i = 0; header->sequences > 1 && i < sizeof new / sizeof *new; ++i)
    if (new[i] != known[i]) hal_write64(at + i * sizeof *new, (uint64_t) new[i]);
  chunks[chunk_count++] = next;
}

/* Chooses the tokens of the next step and returns their number, 0 when all is done: what is left of a prompt,
 * or one token of each sequence. */
static uint64_t next_step(const struct fr_program_header* header, uint32_t count) {
  chunk_count = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const struct sequence* const s = &sequences[i];
    const uint64_t left = s->given > s->position ? s->given - s->position : 0;
    if (left < 2 || header->max_tokens == 1) continue;
    const uint64_t tokens = left < header->max_tokens ? left : header->max_tokens;
    add_chunk(header, i, tokens, 0);
    return tokens;
  }
  for (uint32_t i = 0; i < count; ++i)
    if (sequences[i].position < sequences[i].end) add_chunk(header, i, 1, chunk_count);
  return chunk_count;
}

/* Takes what the step has chosen, and tells the host. */
static void finish_step(const struct fr_program_header* header, bool teacher, uint64_t begun,
                        uint64_t ended) {
  for (uint64_t i = 0; i < chunk_count; ++i) {
    const struct fr_chunk* const chunk = &chunks[i];
    struct sequence* const s = &sequences[chunk->sequence];
    const uint64_t position = s->position, last = position + (uint64_t)chunk->tokens - 1;
    const uint64_t of_sequence = (uint64_t)chunk->sequence * header->context;
    const uint32_t id = hal_read32(header->next_ids + (of_sequence + last) * sizeof id);
    if (!teacher && last + 1 >= s->given)
      hal_write32(header->token_ids + (of_sequence + (uint64_t)chunk->sequence + last + 1) * sizeof id, id);
    s->position = last + 1;
    messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_STEP, position, (uint64_t)chunk->tokens, id,
                                                     begun, ended, (uint64_t)chunk->sequence,
                                                     chunk_count - 1 - i});
  }
}

static void announce(const struct run_request* request, const struct fr_program_header* header,
                     uint32_t count) {
  const bool teacher = (request->flags & FR_RUN_TEACHER) != 0;
  if ((request->flags & FR_RUN_SEQUENCES) != 0)
    console_print("run: %s on %" PRIu32 " clusters, %" PRIu32 " sequences\n", header->name, header->clusters,
                  count);
  else
    console_print("run: %s on %" PRIu32 " clusters, %" PRIu64 " tokens given, %" PRIu64 " to generate\n",
                  header->name, header->clusters, request->prompt, teacher ? 0 : request->generate);
}

bool run_program(const struct run_request* request, uint64_t* steps, struct failure* failure) {
  struct fr_program_header header;
  struct parameters table;
  *steps = 0;
  if (!program_check(chip, request->program, &header, failure)) return false;
  const uint32_t count = take_request(request, &header);
  if (count == 0) {
    *failure = (struct failure){.code = FR_FAILURE_REQUEST};
    return false;
  }
  const bool teacher = (request->flags & FR_RUN_TEACHER) != 0;
  const bool all_logits = (request->flags & FR_RUN_ALL_LOGITS) != 0;
  announce(request, &header, count);
  prepare(request, &header, &table);
  for (uint64_t tokens; (tokens = next_step(&header, count)) != 0; ++*steps) {
    const int64_t position = chunks[0].position;
    set_parameter(&table, FR_PARAMETER_POSITION, position);
    set_parameter(&table, FR_PARAMETER_TOKENS, (int64_t)tokens);
    set_parameter(&table, FR_PARAMETER_LOGIT_ROWS, all_logits ? (int64_t)tokens : (int64_t)chunk_count);
    set_parameter(&table, FR_PARAMETER_CHUNKS, (int64_t)chunk_count);
    const uint64_t begun = clint_time(chip->clint.base);
    if (!execute(&header, request->timeout)) {
      diagnose(&header, (uint64_t)position, failure);
      return false;
    }
    finish_step(&header, teacher, begun, clint_time(chip->clint.base));
  }
  console_print("done: %" PRIu64 " steps\n", *steps);
  return true;
}
