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

enum { ALL_FLAGS = FR_RUN_SAMPLE | FR_RUN_TEACHER | FR_RUN_ALL_LOGITS, INFINITY_BITS = 0x7f800000 };
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

static bool check_request(const struct run_request* request, const struct fr_program_header* header) {
  const uint64_t generate = (request->flags & FR_RUN_TEACHER) != 0 ? 0 : request->generate;
  const bool sample = (request->flags & FR_RUN_SAMPLE) != 0;
  return header->max_tokens > 0 && request->prompt >= 1 && request->prompt <= header->context &&
         generate <= header->context - request->prompt && (request->flags & ~(uint64_t)ALL_FLAGS) == 0 &&
         (!sample || (request->temperature > 0 && request->temperature < INFINITY_BITS));
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
  table->values[FR_PARAMETER_SEED_LOW] = (int64_t)(request->seed & 0xffffffff);
  table->values[FR_PARAMETER_SEED_HIGH] = (int64_t)(request->seed >> 32);
  for (unsigned i = 0; i < FR_PARAMETERS; ++i)
    hal_write64(table->address + i * sizeof(int64_t), (uint64_t)table->values[i]);
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

bool run_program(const struct run_request* request, uint64_t* steps, struct failure* failure) {
  struct fr_program_header header;
  struct parameters table;
  *steps = 0;
  if (!program_check(chip, request->program, &header, failure)) return false;
  if (!check_request(request, &header)) {
    *failure = (struct failure){.code = FR_FAILURE_REQUEST};
    return false;
  }
  const bool teacher = (request->flags & FR_RUN_TEACHER) != 0;
  const uint64_t generate =
      teacher || request->generate == 0 ? 1 : request->generate; /* the prompt gives the first */
  const uint64_t end = request->prompt + generate - 1;           /* positions to compute */
  console_print("run: %s on %" PRIu32 " clusters, %" PRIu64 " tokens given, %" PRIu64 " to generate\n",
                header.name, header.clusters, request->prompt, teacher ? 0 : request->generate);
  prepare(request, &header, &table);
  for (uint64_t position = 0, tokens; position < end; position += tokens, ++*steps) {
    tokens = position < request->prompt ? request->prompt - position : 1;
    if (tokens > header.max_tokens) tokens = header.max_tokens;
    set_parameter(&table, FR_PARAMETER_POSITION, (int64_t)position);
    set_parameter(&table, FR_PARAMETER_TOKENS, (int64_t)tokens);
    set_parameter(&table, FR_PARAMETER_LOGIT_ROWS,
                  (request->flags & FR_RUN_ALL_LOGITS) != 0 ? (int64_t)tokens : 1);
    const uint64_t begun = clint_time(chip->clint.base);
    if (!execute(&header, request->timeout)) {
      diagnose(&header, position, failure);
      return false;
    }
    const uint64_t ended = clint_time(chip->clint.base), last = position + tokens - 1;
    const uint32_t id = hal_read32(header.next_ids + last * sizeof id);
    if (!teacher && last + 1 >= request->prompt) hal_write32(header.token_ids + (last + 1) * sizeof id, id);
    messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_STEP, position, tokens, id, begun, ended});
  }
  console_print("done: %" PRIu64 " steps\n", *steps);
  return true;
}
