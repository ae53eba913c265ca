/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/drivers/mailbox.h"

#include "firmware/abi/message.h"
#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"

bool mailbox_receive(uint64_t base, uint64_t* words) {
  if ((hal_read32(base + FR_MAILBOX_STATUS) & FR_MAILBOX_STATUS_IN_VALID) == 0) return false;
  for (uint64_t i = 0; i < FR_MESSAGE_WORDS; ++i) words[i] = hal_read64(base + FR_MAILBOX_IN0 + i * 8);
  hal_write32(base + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_POP);
  return true;
}

bool mailbox_send(uint64_t base, const uint64_t* words) {
  if ((hal_read32(base + FR_MAILBOX_STATUS) & FR_MAILBOX_STATUS_OUT_FULL) != 0) return false;
  for (uint64_t i = 0; i < FR_MESSAGE_WORDS; ++i) hal_write64(base + FR_MAILBOX_OUT0 + i * 8, words[i]);
  hal_write32(base + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_SEND);
  return true;
}

void mailbox_interrupts(uint64_t base, uint32_t bits) {
  hal_write32(base + FR_MAILBOX_INTERRUPT_ENABLE, bits);
}
