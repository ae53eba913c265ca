/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a program that made an exception. */
#ifndef FR_RUNTIME_TRAP_H
#define FR_RUNTIME_TRAP_H

#include <stdint.h>

/* Prints mcause, mepc and mtval, tells the host (FR_MESSAGE_TRAP) if the mailbox is in use, and exits with
 * RUNTIME_EXIT_TRAP. */
void trap_report(uint64_t cause, uint64_t pc, uint64_t value);

#endif
