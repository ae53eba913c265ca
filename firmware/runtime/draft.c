/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/draft.h"

#include "firmware/abi/message.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/messages.h"

void draft_put(const struct draft* draft, uint64_t position, uint32_t id) {
  hal_write32(draft->program.header.token_ids + position * sizeof id, id);
}

/* Computes the next tokens, up to `position` if they are not too many, and tells the host. */
static bool next_step(struct draft* draft, uint64_t position, uint32_t* id, uint64_t timeout,
                      struct failure* failure) {
  const struct fr_program_header* const header = &draft->program.header;
  const uint64_t first = draft->done, left = position + 1 - first;
  const uint64_t tokens = left < header->max_tokens ? left : header->max_tokens;
  struct step_times times;
  if (!pages_give(&draft->pages, header, 0, first + tokens)) {
    *failure = (struct failure){.code = FR_FAILURE_PAGES};
    return false;
  }
  if (!step_run(&draft->program, first, tokens, 1, timeout, &times, failure)) return false;
  draft->done += tokens;
  *id = hal_read32(header->next_ids + (draft->done - 1) * sizeof *id);
  messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_DRAFTED, first, tokens, *id, times.begun,
                                                   times.ended, draft->done > position});
  return true;
}

bool draft_tokens(struct draft* draft, uint64_t position, uint64_t count, uint32_t* ids, uint64_t timeout,
                  struct failure* failure) {
  for (uint64_t i = 0; i < count; ++i) {
    while (draft->done <= position + i)
      if (!next_step(draft, position + i, &ids[i], timeout, failure)) return false;
    draft_put(draft, position + i + 1, ids[i]);
  }
  return true;
}

void draft_back_to(struct draft* draft, uint64_t position) {
  if (draft->done > position) draft->done = position;
}
