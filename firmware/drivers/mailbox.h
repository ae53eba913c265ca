/* SPDX-License-Identifier: Apache-2.0 */
/* Mailbox to the host (FR_MAILBOX_REGISTERS). A message is FR_MESSAGE_WORDS words of 64 bits
 * (firmware/abi/message.h). */
#ifndef FR_DRIVERS_MAILBOX_H
#define FR_DRIVERS_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

/* False when no message waits. */
bool mailbox_receive(uint64_t base, uint64_t* words);
/* False when the host has not taken enough messages. */
bool mailbox_send(uint64_t base, const uint64_t* words);
/* Enables these of FR_MAILBOX_INTERRUPT_* and disables the others. They are levels. */
void mailbox_interrupts(uint64_t base, uint32_t bits);

#endif
