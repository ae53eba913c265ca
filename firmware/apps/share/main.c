/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares an operand among all clusters, first copy by copy and then through a multicast window, and adds up
 * what all of them have through a reduction window. For chips with the windows `everyone` (noc.multicast) and
 * `total` (noc.reduction: f32, into cluster 0). Says how many flits crossed how many links, and ends with the
 * number of things that went wrong.
 */
#include <inttypes.h>
#include <string.h>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "firmware/apps/apps.h"
#include "firmware/drivers/cluster.h"
#include "firmware/drivers/perf.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/interrupts.h"
#include "firmware/runtime/runtime.h"

/* In every scratchpad. The sums go to SUMS of cluster 0. */
enum { OPERAND = 0, COPIES = 0x1000, MULTICAST = 0x2000, SUMS = 0x3000, SIGN = 0x4000, BYTES = 1024 };
/* Of a cluster's command stream in HBM. */
enum { STREAM_STRIDE = 0x20000 };

static const struct hardware* chip;
static volatile uint32_t running;
static int problems;

static void cluster_ended(uint32_t index) {
  if ((cluster_acknowledge(chip->clusters[index].registers) & FR_CLUSTER_INTERRUPT_ERROR) != 0) {
    console_print("cluster %" PRIu32 " met an error\n", index);
    ++problems;
  }
  --running;
}

static uint64_t stream_of(uint32_t cluster) {
  return chip->memories[0].base + (uint64_t)cluster * STREAM_STRIDE;
}

/* Appends a command to the stream that ends at *end. */
static void append(uint64_t* end, const void* command, size_t bytes) {
  uint64_t words[FR_COMMAND_MAX_WORDS];
  memcpy(words, command, bytes);
  for (size_t i = 0; i < bytes / 8; ++i, *end += 8) hal_write64(*end, words[i]);
}

static struct fr_command_header header(uint8_t opcode, size_t bytes) {
  const struct fr_semaphore_use none = {FR_NO_SEMAPHORE, 0};
  return (struct fr_command_header){
      .opcode = opcode, .words = (uint8_t)(bytes / 8), .wait = {none, none}, .signal = {none, none}};
}

static void append_store(uint64_t* end, uint32_t local, uint64_t global) {
  struct fr_copy store = {
      .global = global, .local = local, .bytes = BYTES, .size1 = 1, .size2 = 1, .size3 = 1};
  store.header = header(FR_OP_STORE, sizeof store);
  append(end, &store, sizeof store);
}

/* Ends the stream and starts the cluster. */
static void start(uint32_t cluster, uint64_t end) {
  const struct fr_command_header last = header(FR_OP_END, sizeof last);
  append(&end, &last, sizeof last);
  const uint64_t stream = stream_of(cluster);
  hal_barrier();
  ++running;
  cluster_prepare(chip->clusters[cluster].registers, stream, end - stream, stream + STREAM_STRIDE / 2);
  cluster_start(chip->clusters[cluster].registers);
}

static void wait_for_clusters(void) {
  while (running != 0) hal_wait_for_interrupt();
  hal_barrier();
}

/* Flits times links between routers that they have crossed until now. */
static uint64_t flit_hops(void) {
  char name[PERF_NAME_BYTES + 1];
  for (uint32_t i = 0; i < perf_count(chip->perf.base); ++i) {
    perf_name(chip->perf.base, i, name);
    if (strcmp(name, "noc.flit_hops") == 0) return perf_value(chip->perf.base, i);
  }
  return 0;
}

static void expect(uint64_t address, uint32_t value, const char* what, uint32_t cluster) {
  const uint32_t found = hal_read32(address);
  if (found == value) return;
  if (problems++ == 0)
    console_print("%s: cluster %" PRIu32 " has 0x%" PRIx32 ", not 0x%" PRIx32 "\n", what, cluster, found,
                  value);
}

static uint32_t bits(float value) {
  uint32_t result;
  memcpy(&result, &value, sizeof result);
  return result;
}
static float part_of(uint32_t cluster, uint32_t element) { return (float)(cluster * 1000 + element); }

/* Cluster 0's operand to all others: one store for each. Returns the flit hops. */
static uint64_t copy_by_copy(void) {
  uint64_t end = stream_of(0);
  for (uint32_t i = 0; i < chip->cluster_count; ++i)
    append_store(&end, OPERAND, chip->clusters[i].scratchpad + COPIES);
  const uint64_t before = flit_hops();
  start(0, end);
  wait_for_clusters();
  return flit_hops() - before;
}

/* The same by one store into the window. */
static uint64_t by_multicast(const struct window_device* everyone) {
  uint64_t end = stream_of(0);
  append_store(&end, OPERAND, everyone->base + MULTICAST);
  const uint64_t before = flit_hops();
  start(0, end);
  wait_for_clusters();
  return flit_hops() - before;
}

static void check_operands(void) {
  for (uint32_t i = 0; i < chip->cluster_count; ++i)
    for (uint32_t word = 0; word < BYTES / 4; ++word) {
      const uint64_t at = chip->clusters[i].scratchpad + word * 4;
      expect(at + COPIES, bits(part_of(0, word)), "copy by copy", i);
      expect(at + MULTICAST, bits(part_of(0, word)), "multicast", i);
    }
}

/* All clusters store what they have to the same addresses. */
static void add_up(const struct window_device* total) {
  for (uint32_t i = 0; i < chip->cluster_count; ++i) {
    uint64_t end = stream_of(i);
    append_store(&end, OPERAND, total->base + SUMS);
    start(i, end);
  }
  wait_for_clusters();
  for (uint32_t word = 0; word < BYTES / 4; ++word) {
    float sum = 0; /* of small whole numbers: exact in any order */
    for (uint32_t i = 0; i < chip->cluster_count; ++i) sum += part_of(i, word);
    expect(chip->clusters[0].scratchpad + SUMS + word * 4, bits(sum), "sum", 0);
  }
}

int firmware_main(uint64_t device_tree) {
  chip = runtime_start(device_tree);
  const struct window_device* const everyone = hardware_window(chip, "everyone");
  const struct window_device* const total = hardware_window(chip, "total");
  if (everyone == NULL || total == NULL) {
    console_print("this chip has no windows 'everyone' and 'total'\n");
    runtime_exit(1);
  }
  interrupts_start((struct plic){chip->plic.base, chip->plic_context});
  for (uint32_t i = 0; i < chip->cluster_count; ++i) {
    interrupts_connect(chip->clusters[i].interrupt, cluster_ended, i);
    for (uint32_t word = 0; word < BYTES / 4; ++word)
      hal_write32(chip->clusters[i].scratchpad + OPERAND + word * 4, bits(part_of(i, word)));
  }
  const uint64_t copies = copy_by_copy(), multicast = by_multicast(everyone);
  check_operands();
  console_print("%d bytes to %" PRIu32 " clusters: %" PRIu64 " flit hops copy by copy, %" PRIu64
                " by multicast\n",
                BYTES, chip->cluster_count, copies, multicast);
  if (copies > 0 && multicast >= copies) ++problems; /* loose timing counts none */
  hal_write32(everyone->base + SIGN, 0x5eed);
  hal_barrier();
  for (uint32_t i = 0; i < chip->cluster_count; ++i)
    expect(chip->clusters[i].scratchpad + SIGN, 0x5eed, "a store of the CPU", i);
  add_up(total);
  console_print("%s\n", problems == 0 ? "all operands and sums are right" : "something is wrong");
  runtime_exit(problems < 255 ? problems : 255);
}
