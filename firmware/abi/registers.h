/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of every block, written down once. X(NAME, offset, bits, access, reset, description); access is RO, RW, WO,
 * W1C (write ones to clear) or W1S (write ones to start). Registers are little-endian; a 64-bit register may be
 * accessed as two aligned 32-bit halves. Any other access is refused with a bus error.
 *
 * The uart (16550), clint and plic follow their own published register maps and are not repeated here.
 */
#ifndef FR_ABI_REGISTERS_H
#define FR_ABI_REGISTERS_H

#include <stdint.h>

/* One compute cluster. */
#define FR_CLUSTER_REGISTERS(X)                                                                             \
  X(ID, 0x000, 32, RO, 0x46524331, "'FRC1': this is a Forerun cluster, interface version 1")                \
  X(INDEX, 0x004, 32, RO, 0, "number of this cluster")                                                      \
  X(SCRATCHPAD_BYTES, 0x008, 32, RO, 0, "size of the scratchpad")                                           \
  X(ARRAY, 0x00c, 32, RO, 0, "systolic arrays: rows | columns << 12 | arrays << 24")                        \
  X(CONTROL, 0x010, 32, W1S, 0, "FR_CLUSTER_CONTROL_*")                                                     \
  X(STATUS, 0x014, 32, RO, 0, "FR_CLUSTER_STATUS_*")                                                        \
  X(STREAM, 0x018, 64, RW, 0, "global address of the command stream, 8-byte aligned")                       \
  X(STREAM_BYTES, 0x020, 64, RW, 0, "length of the command stream")                                         \
  X(PARAMETERS, 0x028, 64, RW, 0, "global address of FR_PARAMETERS signed 64-bit values, 128-byte aligned")   \
  X(INTERRUPT_ENABLE, 0x030, 32, RW, 0, "FR_CLUSTER_INTERRUPT_*")                                           \
  X(INTERRUPT_STATUS, 0x034, 32, W1C, 0, "FR_CLUSTER_INTERRUPT_*")                                          \
  X(ERROR, 0x038, 32, RO, 0, "FR_ERROR_* of the first error since start")                                   \
  X(ERROR_ENGINE, 0x03c, 32, RO, 0, "engine that met the error")                                            \
  X(ERROR_COMMAND, 0x040, 64, RO, 0, "byte offset in the stream of the command that met the error")         \
  X(ERROR_ADDRESS, 0x048, 64, RO, 0, "failing address, or the bad value")                                   \
  X(POST, 0x050, 32, WO, 0, "adds to a semaphore: number | amount << 16")                                   \
  X(CYCLES, 0x058, 64, RO, 0, "cluster clock cycles since start; holds after the end")                      \
  X(COMMANDS, 0x060, 64, RO, 0, "commands executed since reset")                                            \
  X(COUNTER_SELECT, 0x068, 32, RW, 0, "performance counter that COUNTER_VALUE shows")                       \
  X(COUNTERS, 0x06c, 32, RO, 0, "number of performance counters")                                           \
  X(COUNTER_VALUE, 0x070, 64, RO, 0, "value of the selected counter")

enum {
  FR_CLUSTER_CONTROL_START = 1, /* refused (bus error) while running */
  FR_CLUSTER_CONTROL_RESET = 2, /* abandon everything, clear semaphores, registers, counters and errors */

  FR_CLUSTER_STATUS_RUNNING = 1,
  FR_CLUSTER_STATUS_DONE = 2,   /* the stream ended; cleared by start and reset */
  FR_CLUSTER_STATUS_ERROR = 4,  /* stopped by an error; cleared by reset */

  FR_CLUSTER_INTERRUPT_DONE = 1,
  FR_CLUSTER_INTERRUPT_ERROR = 2
};

/* Errors of a cluster: X(NAME, number, description) */
#define FR_ERRORS(X)                                                                                       \
  X(NONE, 0, "no error")                                                                                   \
  X(OPCODE, 1, "unknown opcode; address holds it")                                                         \
  X(COMMAND, 2, "malformed command: bad length, field, register, patch or type; address holds the value")  \
  X(STREAM_END, 3, "the stream ran past its length without END")                                           \
  X(LOOP, 4, "loops nested too deep, or an ENDLOOP without LOOP")                                          \
  X(FETCH, 5, "bus error while fetching commands or parameters; address holds where")                      \
  X(BUS, 6, "bus error of a DMA access; address holds where")                                              \
  X(LOCAL_RANGE, 7, "access outside the scratchpad; address holds the local address")                      \
  X(INDEX, 8, "gather index at or above the limit; address holds the index")                               \
  X(SEMAPHORE, 9, "semaphore overflow or bad number; address holds the number")                            \
  X(DIVIDE, 10, "scalar division by zero")                                                                 \
  X(DEADLOCK, 11, "every engine waits for a semaphore that nothing running can signal")
#define FR_X(NAME, NUMBER, DESCRIPTION) FR_ERROR_##NAME = NUMBER,
enum fr_error { FR_ERRORS(FR_X) FR_ERROR_COUNT };
#undef FR_X

/* System controller. */
#define FR_SYSCTL_REGISTERS(X)                                                                              \
  X(ID, 0x00, 32, RO, 0x46525331, "'FRS1': this is a Forerun system controller, interface version 1")       \
  X(CLUSTERS, 0x04, 32, RO, 0, "clusters on this chip")                                                     \
  X(BOOT_ADDRESS, 0x08, 64, RW, 0, "where the boot ROM jumps to")                                           \
  X(DEVICE_TREE, 0x10, 64, RO, 0, "address of the flattened device tree")                                   \
  X(CPU_HZ, 0x18, 64, RO, 0, "clock of the control CPU in Hz")                                              \
  X(TIMEBASE_HZ, 0x20, 64, RO, 0, "rate of mtime in Hz")                                                    \
  X(CLUSTER_HZ, 0x28, 64, RO, 0, "clock of the clusters in Hz")                                             \
  X(CLUSTER_RESET, 0x30, 64, RW, 0, "bit i holds cluster i (of the first 64) in reset")                     \
  X(EXIT, 0x38, 32, WO, 0, "ends the simulation with this exit code (low 8 bits)")                          \
  X(RESET, 0x3c, 32, WO, 0, "writing 1 resets the whole chip")                                              \
  X(SCRATCH, 0x40, 64, RW, 0, "kept for firmware; survives RESET")

/* Mailbox between the control CPU and the host: two queues of 64-byte messages (8 words of 64 bits). */
#define FR_MAILBOX_REGISTERS(X)                                                                             \
  X(ID, 0x00, 32, RO, 0x46524d31, "'FRM1': this is a Forerun mailbox, interface version 1")                 \
  X(STATUS, 0x04, 32, RO, 0, "FR_MAILBOX_STATUS_*")                                                         \
  X(INTERRUPT_ENABLE, 0x08, 32, RW, 0, "FR_MAILBOX_INTERRUPT_*")                                            \
  X(CONTROL, 0x0c, 32, W1S, 0, "FR_MAILBOX_CONTROL_*")                                                      \
  X(IN0, 0x40, 64, RO, 0, "head of the host-to-chip queue, word 0 (words 1 to 7 follow up to 0x78)")        \
  X(OUT0, 0x80, 64, RW, 0, "message being made for the host, word 0 (words 1 to 7 follow up to 0xb8)")

enum {
  FR_MAILBOX_STATUS_IN_VALID = 1,  /* IN0..IN7 hold a message */
  FR_MAILBOX_STATUS_OUT_FULL = 2,  /* the host has not taken enough messages: SEND would be refused */
  FR_MAILBOX_CONTROL_POP = 1,      /* drop the message in IN0..IN7 */
  FR_MAILBOX_CONTROL_SEND = 2,     /* send OUT0..OUT7; a bus error when the queue is full */
  FR_MAILBOX_INTERRUPT_IN = 1,     /* level: a message from the host waits */
  FR_MAILBOX_INTERRUPT_SPACE = 2   /* level: there is room for a message to the host */
};

/* General-purpose timer: a one-shot or periodic down counter, used as watchdog by the runtime. */
#define FR_TIMER_REGISTERS(X)                                                                               \
  X(ID, 0x00, 32, RO, 0x46525431, "'FRT1': this is a Forerun timer, interface version 1")                   \
  X(CONTROL, 0x04, 32, RW, 0, "FR_TIMER_CONTROL_*")                                                         \
  X(COUNT, 0x08, 64, RO, 0, "timer ticks (of TIMEBASE_HZ) since reset")                                     \
  X(PERIOD, 0x10, 64, RW, 0, "ticks from enabling to expiry; 0 expires at once")                            \
  X(INTERRUPT_STATUS, 0x18, 32, W1C, 0, "bit 0: expired")

enum {
  FR_TIMER_CONTROL_ENABLE = 1,
  FR_TIMER_CONTROL_PERIODIC = 2,
  FR_TIMER_CONTROL_INTERRUPT = 4
};

/* The stand-alone DMA engine in SystemVerilog (ip/dma/rtl): copies rows of bytes in memory. Its bus of registers is 32 bits wide. */
#define FR_DMA_REGISTERS(X)                                                                                 \
  X(ID, 0x00, 32, RO, 0x46524431, "'FRD1': this is a Forerun DMA engine, interface version 1")              \
  X(CONTROL, 0x04, 32, W1S, 0, "FR_DMA_CONTROL_*")                                                          \
  X(STATUS, 0x08, 32, RO, 0, "FR_DMA_STATUS_*")                                                             \
  X(INTERRUPT_ENABLE, 0x0c, 32, RW, 0, "FR_DMA_INTERRUPT_*")                                                \
  X(INTERRUPT_STATUS, 0x10, 32, W1C, 0, "FR_DMA_INTERRUPT_*")                                               \
  X(ERROR, 0x14, 32, RO, 0, "FR_ERROR_BUS after a bus error, else FR_ERROR_NONE; cleared by start")         \
  X(SOURCE, 0x18, 64, RW, 0, "address of the first row to read")                                            \
  X(DESTINATION, 0x20, 64, RW, 0, "address of the first row to write")                                      \
  X(ROW_BYTES, 0x28, 32, RW, 0, "bytes of a row")                                                           \
  X(ROWS, 0x2c, 32, RW, 0, "rows")                                                                          \
  X(SOURCE_STRIDE, 0x30, 64, RW, 0, "bytes from a row to the next one, signed")                             \
  X(DESTINATION_STRIDE, 0x38, 64, RW, 0, "bytes from a row to the next one, signed")                        \
  X(ERROR_ADDRESS, 0x40, 64, RO, 0, "address of the burst that met the error")                              \
  X(CYCLES, 0x48, 64, RO, 0, "clock cycles since start; holds after the end")                               \
  X(WRITTEN, 0x50, 64, RO, 0, "bytes written since start, in bursts answered without error")

enum {
  FR_DMA_CONTROL_START = 1, /* refused (bus error) while running */

  FR_DMA_STATUS_RUNNING = 1,
  FR_DMA_STATUS_DONE = 2,  /* the copy is over; cleared by start */
  FR_DMA_STATUS_ERROR = 4, /* it was ended by an error; cleared by start */

  FR_DMA_INTERRUPT_DONE = 1,
  FR_DMA_INTERRUPT_ERROR = 2
};

/* Performance counters of every block in one register space: a table of 32-byte entries, all RO. */
#define FR_PERF_REGISTERS(X)                                                                                \
  X(ID, 0x00, 32, RO, 0x46525031, "'FRP1': this is a Forerun counter block, interface version 1")           \
  X(COUNT, 0x04, 32, RO, 0, "number of counters")                                                           \
  X(SELECT, 0x08, 32, RW, 0, "counter that the registers below show; COUNT or more reads as 0")             \
  X(VALUE, 0x10, 64, RO, 0, "value")                                                                        \
  X(NAME, 0x40, 64, RO, 0, "first 8 bytes of the name; 64 bytes of NUL-padded ASCII follow from here")

#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_CLUSTER_##NAME = OFFSET,
enum fr_cluster_register { FR_CLUSTER_REGISTERS(FR_X) FR_CLUSTER_REGISTER_BYTES = 0x1000 };
#undef FR_X
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_SYSCTL_##NAME = OFFSET,
enum fr_sysctl_register { FR_SYSCTL_REGISTERS(FR_X) FR_SYSCTL_BYTES = 0x1000 };
#undef FR_X
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_MAILBOX_##NAME = OFFSET,
enum fr_mailbox_register { FR_MAILBOX_REGISTERS(FR_X) FR_MAILBOX_BYTES = 0x1000 };
#undef FR_X
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_TIMER_##NAME = OFFSET,
enum fr_timer_register { FR_TIMER_REGISTERS(FR_X) FR_TIMER_BYTES = 0x1000 };
#undef FR_X
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_DMA_##NAME = OFFSET,
enum fr_dma_register { FR_DMA_REGISTERS(FR_X) FR_DMA_BYTES = 0x1000 };
#undef FR_X
#define FR_X(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) FR_PERF_##NAME = OFFSET,
enum fr_perf_register { FR_PERF_REGISTERS(FR_X) FR_PERF_BYTES = 0x1000 };
#undef FR_X

#endif
