/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/messages.h"

#include "firmware/abi/registers.h"
#include "firmware/drivers/mailbox.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/interrupts.h"

static uint64_t mailbox;

/* The interrupts are levels: they are enabled only while somebody sleeps. */
static void wake(uint32_t argument) {
  (void)argument;
  mailbox_interrupts(mailbox, 0);
}

static void sleep_until(uint32_t interrupt) {
  mailbox_interrupts(mailbox, interrupt);
  hal_wait_for_interrupt();
}

bool messages_start(uint64_t base, uint32_t source) {
  mailbox = base;
  mailbox_interrupts(mailbox, 0);
  return interrupts_connect(source, wake, 0);
}

void messages_receive(uint64_t words[FR_MESSAGE_WORDS]) {
  while (!mailbox_receive(mailbox, words)) sleep_until(FR_MAILBOX_INTERRUPT_IN);
  mailbox_interrupts(mailbox, 0);
}

void messages_send(const uint64_t words[FR_MESSAGE_WORDS]) {
  if (mailbox_send(mailbox, words)) return;
  do sleep_until(FR_MAILBOX_INTERRUPT_SPACE);
  while (!mailbox_send(mailbox, words));
  mailbox_interrupts(mailbox, 0);
}

bool messages_try_send(const uint64_t words[FR_MESSAGE_WORDS]) {
  enum { ATTEMPTS = 1000 };
  if (mailbox == 0) return false;
  for (unsigned i = 0; i < ATTEMPTS; ++i)
    if (mailbox_send(mailbox, words)) return true;
  return false;
}
