/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/cluster.h"

#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"

enum { CLUSTER_ID = 0x46524331 };

bool cluster_present(uint64_t base) {
  uint32_t id;
  return hal_try_read32(base + FR_CLUSTER_ID, &id) && id == CLUSTER_ID;
}

uint32_t cluster_scratchpad_bytes(uint64_t base) { return hal_read32(base + FR_CLUSTER_SCRATCHPAD_BYTES); }

void cluster_prepare(uint64_t base, uint64_t stream, uint64_t stream_bytes, uint64_t parameters) {
  hal_write64(base + FR_CLUSTER_STREAM, stream);
  hal_write64(base + FR_CLUSTER_STREAM_BYTES, stream_bytes);
  hal_write64(base + FR_CLUSTER_PARAMETERS, parameters);
  hal_write32(base + FR_CLUSTER_INTERRUPT_ENABLE, FR_CLUSTER_INTERRUPT_DONE | FR_CLUSTER_INTERRUPT_ERROR);
}

void cluster_start(uint64_t base) { hal_write32(base + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_START); }
bool cluster_running(uint64_t base) {
  return (hal_read32(base + FR_CLUSTER_STATUS) & FR_CLUSTER_STATUS_RUNNING) != 0;
}
void cluster_reset(uint64_t base) { hal_write32(base + FR_CLUSTER_CONTROL, FR_CLUSTER_CONTROL_RESET); }

uint32_t cluster_acknowledge(uint64_t base) {
  const uint32_t raised = hal_read32(base + FR_CLUSTER_INTERRUPT_STATUS);
  hal_write32(base + FR_CLUSTER_INTERRUPT_STATUS, raised);
  return raised;
}

void cluster_get_fault(uint64_t base, struct cluster_fault* fault) {
  fault->error = hal_read32(base + FR_CLUSTER_ERROR);
  fault->engine = hal_read32(base + FR_CLUSTER_ERROR_ENGINE);
  fault->command = hal_read64(base + FR_CLUSTER_ERROR_COMMAND);
  fault->address = hal_read64(base + FR_CLUSTER_ERROR_ADDRESS);
}

uint64_t cluster_cycles(uint64_t base) { return hal_read64(base + FR_CLUSTER_CYCLES); }
uint32_t cluster_counters(uint64_t base) { return hal_read32(base + FR_CLUSTER_COUNTERS); }

uint64_t cluster_counter(uint64_t base, uint32_t number) {
  hal_write32(base + FR_CLUSTER_COUNTER_SELECT, number);
  return hal_read64(base + FR_CLUSTER_COUNTER_VALUE);
}
