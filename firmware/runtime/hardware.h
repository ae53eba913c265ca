/* SPDX-License-Identifier: Apache-2.0 */
/* What the device tree says is there. */
#ifndef FR_RUNTIME_HARDWARE_H
#define FR_RUNTIME_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

enum { HARDWARE_MEMORIES = 64, HARDWARE_CLUSTERS = 1008, HARDWARE_WINDOWS = 128 };

struct memory_range {
  uint64_t base, bytes;
};

/* A block with registers; base 0 when the chip has none. */
struct device {
  uint64_t base;
  uint32_t interrupt; /* source of the interrupt controller, 0 for none */
};

struct cluster_device {
  uint64_t registers, scratchpad; /* addresses */
  uint32_t interrupt;
  uint32_t scratchpad_bytes;
};

/* Addresses at which the network copies writes to several clusters, or sums those of several. */
struct window_device {
  char label[32]; /* its name in the chip file */
  bool reduces;
  uint32_t bytes; /* from the base on, up to 256 MiB */
  uint64_t base;
  uint64_t registers; /* where writes reach the registers of the clusters of a multicast; else 0 */
};

struct hardware {
  char model[64];
  uint64_t timebase_hz;
  struct device uart, sysctl, mailbox, timer, perf, clint, plic;
  uint32_t uart_shift, uart_clock_hz, uart_baud;
  uint32_t plic_context; /* of machine-level interrupts of hart 0 */
  uint32_t cluster_count;
  struct cluster_device* clusters; /* by index */
  unsigned memory_count;
  struct memory_range memories[HARDWARE_MEMORIES]; /* HBM, ascending */
  struct memory_range sram;                        /* the memory that holds the boot address */
  uint64_t hbm_bytes;
  unsigned window_count;
  struct window_device windows[HARDWARE_WINDOWS];
};

/* Reads the device tree at an address, then asks the clusters. Returns NULL, or what is wrong; what was found
 * until then stays valid. Call once. */
const char* hardware_find(struct hardware* hardware, uint64_t device_tree);
/* True if all of the bytes from the address on are HBM. */
bool hardware_is_hbm(const struct hardware* hardware, uint64_t address, uint64_t bytes);
/* The window of this label, or NULL. */
const struct window_device* hardware_window(const struct hardware* hardware, const char* label);
/* Prints a summary on the console. */
void hardware_print(const struct hardware* hardware);

#endif
