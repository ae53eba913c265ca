/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between host and firmware (firmware/abi/message.h), FR_MESSAGE_WORDS words each. */
#ifndef FR_RUNTIME_MESSAGES_H
#define FR_RUNTIME_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/message.h"

/* The mailbox and its interrupt source, after interrupts_start. False if the source does not exist. */
bool messages_start(uint64_t mailbox, uint32_t source);
/* Sleeps until a message is there. */
void messages_receive(uint64_t words[FR_MESSAGE_WORDS]);
/* Sleeps while the mailbox is full: nothing is lost. */
void messages_send(const uint64_t words[FR_MESSAGE_WORDS]);
/* Without sleeping, for the last words of a failing program: tries a limited number of times. */
bool messages_try_send(const uint64_t words[FR_MESSAGE_WORDS]);

#endif
