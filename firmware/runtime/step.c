/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/step.h"

#include <inttypes.h>
#include <stddef.h>

#include "firmware/abi/registers.h"
#include "firmware/drivers/clint.h"
#include "firmware/drivers/cluster.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/interrupts.h"
#include "firmware/runtime/watchdog.h"

#define NO_CLUSTER UINT32_MAX

static const struct hardware* chip;
static const struct step_program* loaded; /* whose streams the clusters have */

/* Of the step under way; changed by the interrupt handler. */
static volatile uint32_t running;        /* clusters that have not ended */
static volatile uint32_t failed_cluster; /* the first that met an error, or NO_CLUSTER */

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
  loaded = NULL;
}

bool step_start(const struct hardware* hardware) {
  chip = hardware;
  failed_cluster = NO_CLUSTER;
  reset_clusters();
  for (uint32_t i = 0; i < chip->cluster_count; ++i)
    if (!interrupts_connect(chip->clusters[i].interrupt, cluster_event, i)) return false;
  return true;
}

static void give_streams(const struct step_program* program) {
  for (uint32_t i = 0; i < program->header.clusters; ++i) {
    const struct fr_program_stream stream = program_stream(&program->header, i);
    cluster_prepare(chip->clusters[i].registers, stream.address, stream.bytes, program->header.parameters);
  }
  loaded = program;
}

void step_load(struct step_program* program) {
  for (unsigned i = 0; i < FR_PARAMETERS; ++i)
    hal_write64(program->header.parameters + i * sizeof(int64_t), (uint64_t)program->parameters[i]);
  give_streams(program);
}

void step_set(struct step_program* program, unsigned number, int64_t value) {
  if (program->parameters[number] == value) return;
  program->parameters[number] = value;
  hal_write64(program->header.parameters + number * sizeof value, (uint64_t)value);
}

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
    *failure = (struct failure){FR_FAILURE_CLUSTER, failed_cluster, fault.error,         fault.address,
                                fault.command,      fault.engine,   header->load_address};
    console_print("cluster %" PRIu64 ": error %s of engine %s in the command at byte %" PRIu64
                  ", address or value 0x%" PRIx64 ", in the step at position %" PRIu64 "\n",
                  failure->cluster, error_name(fault.error), engine_name(fault.engine), fault.command,
                  fault.address, position);
  } else {
    uint32_t stuck = 0;
    while (stuck + 1 < header->clusters && !cluster_running(chip->clusters[stuck].registers)) ++stuck;
    *failure =
        (struct failure){.code = FR_FAILURE_TIMEOUT, .cluster = stuck, .program = header->load_address};
    console_print("time-out in the step at position %" PRIu64 ": %" PRIu32 " of %" PRIu32
                  " clusters have not ended, the first is %" PRIu32 "\n",
                  position, running, header->clusters, stuck);
  }
  reset_clusters();
  failed_cluster = NO_CLUSTER;
}

bool step_run(struct step_program* program, uint64_t position, uint64_t tokens, uint64_t logit_rows,
              uint64_t timeout, struct step_times* times, struct failure* failure) {
  if (loaded != program) give_streams(program);
  step_set(program, FR_PARAMETER_POSITION, (int64_t)position);
  step_set(program, FR_PARAMETER_TOKENS, (int64_t)tokens);
  step_set(program, FR_PARAMETER_LOGIT_ROWS, (int64_t)logit_rows);
  times->begun = clint_time(chip->clint.base);
  const bool ended = execute(&program->header, timeout);
  if (!ended) diagnose(&program->header, position, failure);
  times->ended = clint_time(chip->clint.base);
  return ended;
}
