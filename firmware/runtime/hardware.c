/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/hardware.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/drivers/cluster.h"
#include "firmware/drivers/perf.h"
#include "firmware/drivers/sysctl.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/device_tree.h"

enum { MACHINE_EXTERNAL = 11, TREE_LIMIT = 16 << 20 }; /* bytes */

static bool read_device(const struct tree_node* node, struct device* device) {
  uint64_t bytes;
  if (device->base != 0 || !tree_reg(node, 0, &device->base, &bytes)) return false;
  if (!tree_cell(node, "interrupts", 0, &device->interrupt)) device->interrupt = 0;
  return true;
}

/* interrupts-extended lists (interrupt controller of a hart, interrupt) for each context. */
static uint32_t machine_context(const struct tree_node* node) {
  uint32_t interrupt;
  for (uint32_t i = 0; tree_cell(node, "interrupts-extended", 2 * i + 1, &interrupt); ++i)
    if (interrupt == MACHINE_EXTERNAL) return i;
  return 0;
}

static void add_memory(struct hardware* hardware, struct memory_range range) {
  unsigned at = hardware->memory_count;
  if (range.bytes == 0 || at == HARDWARE_MEMORIES) return;
  for (; at > 0 && hardware->memories[at - 1].base > range.base; --at)
    hardware->memories[at] = hardware->memories[at - 1];
  hardware->memories[at] = range;
  ++hardware->memory_count;
}

/* Makes room for twice as many clusters as before; false when there is none. */
static bool grow_clusters(struct hardware* hardware, uint32_t* room) {
  const uint32_t wanted = *room == 0 ? 16 : *room * 2;
  struct cluster_device* const clusters = realloc(hardware->clusters, wanted * sizeof *clusters);
  if (clusters == NULL) return false;
  memset(clusters + *room, 0, (wanted - *room) * sizeof *clusters);
  hardware->clusters = clusters;
  *room = wanted;
  return true;
}

static const char* read_cluster(struct hardware* hardware, const struct tree_node* node, uint32_t* room) {
  uint64_t bytes;
  uint32_t index;
  if (!tree_cell(node, "forerun,index", 0, &index)) return "a cluster without forerun,index";
  if (index >= HARDWARE_CLUSTERS) return "more clusters than this firmware can serve";
  while (index >= *room)
    if (!grow_clusters(hardware, room)) return "out of memory for the clusters";
  struct cluster_device* const cluster = &hardware->clusters[index];
  if (cluster->registers != 0) return "two clusters of the same forerun,index";
  if (!tree_reg(node, 0, &cluster->registers, &bytes) || !tree_reg(node, 1, &cluster->scratchpad, &bytes) ||
      !tree_cell(node, "interrupts", 0, &cluster->interrupt) || cluster->registers == 0)
    return "a cluster without reg or interrupts";
  ++hardware->cluster_count;
  return NULL;
}

static const char* read_window(struct hardware* hardware, const struct tree_node* node, bool reduces) {
  struct window_device window = {.reduces = reduces};
  const char* const label = tree_string(node, "label");
  uint64_t bytes;
  if (label == NULL || !tree_reg(node, 0, &window.base, &bytes))
    return "a window of the network without label or reg";
  window.bytes = (uint32_t)bytes;
  if (!reduces) (void)tree_reg(node, 1, &window.registers, &bytes);
  if (strlen(label) >= sizeof window.label)
    return "a window of the network with a label of more than 31 characters";
  if (hardware->window_count == HARDWARE_WINDOWS)
    return "more windows of the network than this firmware can serve";
  strncpy(window.label, label, sizeof window.label - 1);
  hardware->windows[hardware->window_count++] = window;
  return NULL;
}

static void read_block(struct hardware* hardware, const struct tree_node* node,
                       const unsigned char* compatible, uint32_t bytes) {
  static const struct {
    const char* compatible;
    size_t member;
  } blocks[] = {
      {"ns16550a", offsetof(struct hardware, uart)},
      {"forerun,sysctl", offsetof(struct hardware, sysctl)},
      {"forerun,mailbox", offsetof(struct hardware, mailbox)},
      {"forerun,timer", offsetof(struct hardware, timer)},
      {"forerun,perf", offsetof(struct hardware, perf)},
      {"sifive,clint0", offsetof(struct hardware, clint)},
      {"riscv,clint0", offsetof(struct hardware, clint)},
      {"sifive,plic-1.0.0", offsetof(struct hardware, plic)},
      {"riscv,plic0", offsetof(struct hardware, plic)},
  };
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; ++i) {
    struct device* const device = (struct device*)((char*)hardware + blocks[i].member);
    if (!tree_list_holds(compatible, bytes, blocks[i].compatible) || !read_device(node, device)) continue;
    if (device == &hardware->uart) {
      hardware->uart_shift = (uint32_t)tree_number(node, "reg-shift", 0) & 3;
      hardware->uart_clock_hz = (uint32_t)tree_number(node, "clock-frequency", 0);
      hardware->uart_baud = (uint32_t)tree_number(node, "current-speed", 0);
    }
    if (device == &hardware->plic) hardware->plic_context = machine_context(node);
  }
}

static const char* read_node(struct hardware* hardware, const struct tree_node* node, uint32_t* room) {
  uint32_t bytes;
  const unsigned char* const compatible = tree_property(node, "compatible", &bytes);
  if (compatible != NULL && tree_list_holds(compatible, bytes, "forerun,cluster"))
    return read_cluster(hardware, node, room);
  if (compatible != NULL && tree_list_holds(compatible, bytes, "forerun,multicast"))
    return read_window(hardware, node, false);
  if (compatible != NULL && tree_list_holds(compatible, bytes, "forerun,reduction"))
    return read_window(hardware, node, true);
  if (compatible != NULL) read_block(hardware, node, compatible, bytes);
  const char* const type = tree_string(node, "device_type");
  if (type != NULL && strcmp(type, "memory") == 0) {
    struct memory_range range;
    for (uint32_t i = 0; tree_reg(node, i, &range.base, &range.bytes); ++i) add_memory(hardware, range);
  }
  const char* const model = node->depth == 0 ? tree_string(node, "model") : NULL;
  if (model != NULL) strncpy(hardware->model, model, sizeof hardware->model - 1);
  if (strcmp(node->name, "cpus") == 0) hardware->timebase_hz = tree_number(node, "timebase-frequency", 0);
  return NULL;
}

/* All indices up to the number of clusters are there, and all answer. */
static const char* check_clusters(struct hardware* hardware, uint32_t room) {
  for (uint32_t i = 0; i < hardware->cluster_count; ++i) {
    struct cluster_device* const cluster = &hardware->clusters[i];
    if (i >= room || cluster->registers == 0) return "a gap in forerun,index of the clusters";
    if (!cluster_present(cluster->registers)) return "a cluster does not answer";
    cluster->scratchpad_bytes = cluster_scratchpad_bytes(cluster->registers);
  }
  return NULL;
}

/* Takes the memory that we booted from out of the list: the rest is HBM. */
static void split_memories(struct hardware* hardware) {
  const uint64_t boot = hardware->sysctl.base != 0 ? sysctl_boot_address(hardware->sysctl.base) : 0;
  unsigned kept = 0;
  for (unsigned i = 0; i < hardware->memory_count; ++i) {
    const struct memory_range range = hardware->memories[i];
    if (hardware->sysctl.base != 0 && boot >= range.base && boot - range.base < range.bytes) {
      hardware->sram = range;
      continue;
    }
    hardware->memories[kept++] = range;
    hardware->hbm_bytes += range.bytes;
  }
  hardware->memory_count = kept;
}

const char* hardware_find(struct hardware* hardware, uint64_t device_tree) {
  struct device_tree tree;
  struct tree_node node;
  memset(hardware, 0, sizeof *hardware);
  if (device_tree == 0 || device_tree % 8 != 0) return "no device tree";
  const void* blob = hal_view(device_tree, TREE_HEADER_BYTES);
  const uint32_t bytes = blob != NULL ? tree_total_bytes(blob) : 0;
  if (bytes == 0) return "no device tree";
  blob = bytes <= TREE_LIMIT ? hal_view(device_tree, bytes) : NULL;
  if (blob == NULL || !tree_open(&tree, blob, bytes)) return "bad header of the device tree";
  struct tree_walk walk = {.tree = &tree};
  const char* problem = NULL;
  uint32_t room = 0;
  while (tree_next(&walk, &node)) {
    const char* const here = read_node(hardware, &node, &room);
    if (problem == NULL) problem = here;
  }
  split_memories(hardware);
  if (problem == NULL && walk.damaged) problem = "damaged device tree";
  if (problem == NULL) problem = check_clusters(hardware, room);
  if (problem != NULL) hardware->cluster_count = 0;
  return problem;
}

bool hardware_is_hbm(const struct hardware* hardware, uint64_t address, uint64_t bytes) {
  for (unsigned i = 0; i < hardware->memory_count; ++i) {
    const struct memory_range* const range = &hardware->memories[i];
    if (address < range->base || address - range->base >= range->bytes) continue;
    const uint64_t here = range->bytes - (address - range->base);
    if (bytes <= here) return true;
    address += here; /* may go on in the next range */
    bytes -= here;
  }
  return bytes == 0;
}

const struct window_device* hardware_window(const struct hardware* hardware, const char* label) {
  for (unsigned i = 0; i < hardware->window_count; ++i)
    if (strcmp(hardware->windows[i].label, label) == 0) return &hardware->windows[i];
  return NULL;
}

void hardware_print(const struct hardware* hardware) {
  const struct {
    const char* name;
    const struct device* device;
  } devices[] = {{"uart", &hardware->uart},   {"sysctl", &hardware->sysctl}, {"mailbox", &hardware->mailbox},
                 {"timer", &hardware->timer}, {"perf", &hardware->perf},     {"clint", &hardware->clint},
                 {"plic", &hardware->plic}};
  console_print("chip: %s\n", hardware->model[0] != '\0' ? hardware->model : "(no model in the device tree)");
  for (size_t i = 0; i < sizeof devices / sizeof *devices; ++i)
    if (devices[i].device->base != 0)
      console_print("  %-8s 0x%08" PRIx64 "\n", devices[i].name, devices[i].device->base);
  if (hardware->sram.bytes != 0)
    console_print("  sram     0x%08" PRIx64 ", %" PRIu64 " KiB\n", hardware->sram.base,
                  hardware->sram.bytes >> 10);
  for (unsigned i = 0; i < hardware->memory_count; ++i)
    console_print("  hbm      0x%08" PRIx64 ", %" PRIu64 " MiB\n", hardware->memories[i].base,
                  hardware->memories[i].bytes >> 20);
  if (hardware->cluster_count > 0)
    console_print("  clusters %" PRIu32 ", the first at 0x%08" PRIx64 " with %" PRIu32 " KiB of scratchpad\n",
                  hardware->cluster_count, hardware->clusters[0].registers,
                  hardware->clusters[0].scratchpad_bytes >> 10);
  for (unsigned i = 0; i < hardware->window_count; ++i)
    console_print("  %s %s at 0x%08" PRIx64 ", %" PRIu32 " KiB\n",
                  hardware->windows[i].reduces ? "reduction" : "multicast", hardware->windows[i].label,
                  hardware->windows[i].base, hardware->windows[i].bytes >> 10);
  if (hardware->perf.base != 0)
    console_print("  %" PRIu32 " performance counters\n", perf_count(hardware->perf.base));
  console_print("  time base %" PRIu64 " Hz\n", hardware->timebase_hz);
}
