/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/trap.h"

#include <inttypes.h>
#include <stddef.h>

#include "firmware/runtime/console.h"
#include "firmware/runtime/messages.h"
#include "firmware/runtime/runtime.h"

/* RISC-V Privileged Architecture 20211203, table 3.6 */
static const char* const causes[] = {"instruction address misaligned",
                                     "instruction access fault",
                                     "illegal instruction",
                                     "breakpoint",
                                     "load address misaligned",
                                     "load access fault",
                                     "store address misaligned",
                                     "store access fault",
                                     "environment call from U-mode",
                                     "environment call from S-mode",
                                     NULL,
                                     "environment call from M-mode",
                                     "instruction page fault",
                                     "load page fault",
                                     NULL,
                                     "store page fault"};

void trap_report(uint64_t cause, uint64_t pc, uint64_t value) {
  const char* const name =
      cause < sizeof causes / sizeof *causes && causes[cause] != NULL ? causes[cause] : "unknown trap";
  console_print("trap: %s, mcause 0x%" PRIx64 " mepc 0x%" PRIx64 " mtval 0x%" PRIx64 "\n", name, cause, pc,
                value);
  messages_try_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_TRAP, cause, pc, value});
  runtime_exit(RUNTIME_EXIT_TRAP);
}
