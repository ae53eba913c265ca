/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/run.h"

#include <inttypes.h>
#include <string.h>

#include "firmware/hal/hal.h"
#include "firmware/runtime/console.h"
#include "firmware/runtime/draft.h"
#include "firmware/runtime/messages.h"
#include "firmware/runtime/pages.h"
#include "firmware/runtime/step.h"

enum {
  ALL_FLAGS = FR_RUN_SAMPLE | FR_RUN_TEACHER | FR_RUN_ALL_LOGITS | FR_RUN_SEQUENCES,
  INFINITY_BITS = 0x7f800000
};

static const struct hardware* chip;
static struct step_program model;
static struct pages model_pages;
static struct draft draft;

struct run_request run_request_from(const uint64_t words[FR_MESSAGE_WORDS], const struct run_draft* drafts) {
  return (struct run_request){words[1], words[2], words[3], words[4], words[5], words[6], words[7], *drafts};
}

bool run_start(const struct hardware* hardware) {
  chip = hardware;
  return step_start(hardware);
}

/* What is left to do of each sequence. */
static struct sequence {
  uint64_t position; /* of the next token to compute */
  uint64_t given;    /* end of the prompt */
  uint64_t end;      /* of the positions to compute */
} sequences[FR_PROGRAM_SEQUENCES];

/* The tokens of a step, as they are in memory. */
static struct fr_chunk chunks[FR_PROGRAM_SEQUENCES];
static uint64_t chunk_count;

static bool take_sequence(const struct fr_program_header* header, bool teacher, uint32_t index,
                          const struct fr_sequence_request* wanted) {
  const uint64_t generate = teacher ? 0 : wanted->generate;
  if (header->max_tokens == 0 || wanted->prompt < 1 || wanted->cached > header->context ||
      wanted->prompt > header->context - wanted->cached ||
      generate > header->context - wanted->cached - wanted->prompt)
    return false;
  struct sequence* const s = &sequences[index];
  s->position = wanted->cached;
  s->given = wanted->cached + wanted->prompt;
  s->end = s->given + (generate == 0 ? 1 : generate) - 1; /* the prompt gives the first */
  return true;
}

/* Fills in the table of sequences; 0 for a bad request, else their number. */
static uint32_t take_request(const struct run_request* request, const struct fr_program_header* header) {
  const bool sample = (request->flags & FR_RUN_SAMPLE) != 0, teacher = (request->flags & FR_RUN_TEACHER) != 0;
  if ((request->flags & ~(uint64_t)ALL_FLAGS) != 0 ||
      (sample && (request->temperature == 0 || request->temperature >= INFINITY_BITS)))
    return 0;
  if ((request->flags & FR_RUN_SEQUENCES) == 0)
    return take_sequence(header, teacher, 0,
                         &(const struct fr_sequence_request){0, request->prompt, request->generate});
  const uint64_t count = request->prompt;
  if (count < 1 || count > header->sequences || request->generate > header->layers) return 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t at = header->requests + i * sizeof(struct fr_sequence_request);
    const struct fr_sequence_request wanted = {hal_read64(at), hal_read64(at + 8), hal_read64(at + 16)};
    if (!take_sequence(header, teacher, i, &wanted)) return 0;
  }
  return (uint32_t)count;
}

/* A draft is for one sequence, whose tokens it must have room for, and the model must choose as many at once.
 */
static bool take_draft(const struct run_request* request, uint32_t count) {
  const struct fr_program_header* const d = &draft.program.header;
  draft.done = sequences[0].position;
  return request->draft.tokens >= 1 && request->draft.tokens <= FR_DRAFT_TOKENS &&
         request->draft.tokens < model.header.choices && model.header.choices <= model.header.max_tokens &&
         count == 1 && model.header.sequences == 1 && (request->flags & FR_RUN_TEACHER) == 0 &&
         d->sequences == 1 && d->max_tokens >= 1 && d->vocabulary == model.header.vocabulary &&
         d->context >= sequences[0].end;
}

static void prepare(const struct run_request* request, struct step_program* program, uint64_t layers) {
  int64_t* const p = program->parameters;
  memset(p, 0, sizeof program->parameters);
  if ((request->flags & FR_RUN_SAMPLE) != 0) {
    p[FR_PARAMETER_SAMPLE] = 1;
    p[FR_PARAMETER_TEMPERATURE] = (int64_t)request->temperature;
  }
  p[FR_PARAMETER_LAYERS] = (int64_t)layers;
  p[FR_PARAMETER_SEED_LOW] = (int64_t)(request->seed & 0xffffffff);
  p[FR_PARAMETER_SEED_HIGH] = (int64_t)(request->seed >> 32);
  step_load(program);
}

/* Pages for all that the cache holds already, page by page as if the sequences had grown together. False if
 * there are too few for all that is to come. */
static bool prepare_pages(struct pages* pages, const struct fr_program_header* header, uint32_t count) {
  const uint64_t size = header->page_positions;
  uint64_t wanted = 0;
  pages_start(pages);
  for (uint32_t i = 0; size != 0 && i < count; ++i) wanted += (sequences[i].end + size - 1) / size;
  if (wanted > header->pages) return false;
  bool more = size != 0;
  for (uint64_t end = size; more; end += size) {
    more = false;
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t cached = sequences[i].position;
      if (!pages_give(pages, header, i, cached < end ? cached : end)) return false;
      more = more || cached > end;
    }
  }
  return true;
}

/* Adds the next tokens of a sequence to the step. Only what changes is written. */
static void add_chunk(const struct fr_program_header* header, uint32_t sequence, uint64_t tokens,
                      uint64_t row) {
  const struct fr_chunk next = {(int64_t)sequences[sequence].position, (int64_t)tokens, (int64_t)row,
                                sequence};
  const int64_t new[] = {next.position, next.tokens, next.row, next.sequence};
  const struct fr_chunk* const old = &chunks[chunk_count];
  const int64_t known[] = {old->position, old->tokens, old->row, old->sequence};
  const uint64_t at = header->chunks + chunk_count * sizeof next;
  for (unsigned i = 0; header->sequences > 1 && i < sizeof new / sizeof *new; ++i)
    if (new[i] != known[i]) hal_write64(at + i * sizeof *new, (uint64_t) new[i]);
  chunks[chunk_count++] = next;
}

/* Chooses the tokens of the next step and returns their number, 0 when all is done: what is left of a prompt,
 * or one token of each sequence. */
static uint64_t next_step(const struct fr_program_header* header, uint32_t count) {
  chunk_count = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const struct sequence* const s = &sequences[i];
    const uint64_t left = s->given > s->position ? s->given - s->position : 0;
    if (left < 2 || header->max_tokens == 1) continue;
    const uint64_t tokens = left < header->max_tokens ? left : header->max_tokens;
    add_chunk(header, i, tokens, 0);
    return tokens;
  }
  for (uint32_t i = 0; i < count; ++i)
    if (sequences[i].position < sequences[i].end) add_chunk(header, i, 1, chunk_count);
  return chunk_count;
}

/* Takes what the step has chosen, and tells the host. */
static void finish_step(const struct run_request* request, const struct step_times* times) {
  const struct fr_program_header* const header = &model.header;
  const bool teacher = (request->flags & FR_RUN_TEACHER) != 0;
  for (uint64_t i = 0; i < chunk_count; ++i) {
    const struct fr_chunk* const chunk = &chunks[i];
    struct sequence* const s = &sequences[chunk->sequence];
    const uint64_t position = s->position, last = position + (uint64_t)chunk->tokens - 1;
    const uint64_t of_sequence = (uint64_t)chunk->sequence * header->context;
    const uint32_t id = hal_read32(header->next_ids + (of_sequence + last) * sizeof id);
    if (!teacher && last + 1 >= s->given) {
      hal_write32(header->token_ids + (of_sequence + (uint64_t)chunk->sequence + last + 1) * sizeof id, id);
      if (request->draft.program != 0) draft_put(&draft, last + 1, id);
    }
    s->position = last + 1;
    messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_STEP, position, (uint64_t)chunk->tokens, id,
                                                     times->begun, times->ended, (uint64_t)chunk->sequence,
                                                     chunk_count - 1 - i});
  }
}

/* Tokens to draft before the next step, which ends with another one: none in a prompt. */
static uint64_t tokens_to_draft(const struct run_request* request) {
  const struct sequence* const s = &sequences[0];
  if (request->draft.program == 0 || s->position + 1 < s->given) return 0;
  const uint64_t left = s->end - s->position - 1;
  return request->draft.tokens < left ? request->draft.tokens : left;
}

/* Pages for the positions of a step before `end`. */
static bool give_pages(uint32_t sequence, uint64_t end, struct failure* failure) {
  if (pages_give(&model_pages, &model.header, sequence, end)) return true;
  *failure = (struct failure){.code = FR_FAILURE_PAGES};
  return false;
}

/* Drafts tokens, verifies them in one step, and takes those that it would have chosen. */
static bool run_round(const struct run_request* request, uint64_t count, struct failure* failure) {
  const struct fr_program_header* const header = &model.header;
  const uint64_t position = sequences[0].position;
  uint32_t ids[FR_DRAFT_TOKENS + 1];
  struct step_times times;
  if (!draft_tokens(&draft, position, count, ids, request->timeout, failure)) return false;
  for (uint64_t i = 0; i < count; ++i)
    hal_write32(header->token_ids + (position + 1 + i) * sizeof *ids, ids[i]);
  if (!give_pages(0, position + count + 1, failure) ||
      !step_run(&model, position, count + 1, count + 1, request->timeout, &times, failure))
    return false;
  uint64_t kept = 0;
  for (bool drafted = true; drafted; ++kept) {
    const uint32_t id = hal_read32(header->next_ids + (position + kept) * sizeof id);
    drafted = kept < count && id == ids[kept];
    ids[kept] = id;
  }
  sequences[0].position = position + kept;
  hal_write32(header->token_ids + sequences[0].position * sizeof *ids, ids[kept - 1]);
  draft_put(&draft, sequences[0].position, ids[kept - 1]);
  draft_back_to(&draft, sequences[0].position);
  for (uint64_t i = 0; i < kept; ++i)
    messages_send((const uint64_t[FR_MESSAGE_WORDS]){FR_MESSAGE_STEP, position + i, 1, ids[i], times.begun,
                                                     times.ended, 0, kept - 1 - i});
  return true;
}

/* One step of the model with the chosen tokens. */
static bool run_step(const struct run_request* request, uint64_t tokens, struct failure* failure) {
  const bool all_logits = (request->flags & FR_RUN_ALL_LOGITS) != 0;
  struct step_times times;
  for (uint64_t i = 0; i < chunk_count; ++i)
    if (!give_pages((uint32_t)chunks[i].sequence, (uint64_t)(chunks[i].position + chunks[i].tokens), failure))
      return false;
  step_set(&model, FR_PARAMETER_CHUNKS, (int64_t)chunk_count);
  if (!step_run(&model, (uint64_t)chunks[0].position, tokens, all_logits ? tokens : chunk_count,
                request->timeout, &times, failure))
    return false;
  finish_step(request, &times);
  return true;
}

static void announce(const struct run_request* request, uint32_t count) {
  const struct fr_program_header* const header = &model.header;
  const bool teacher = (request->flags & FR_RUN_TEACHER) != 0;
  if ((request->flags & FR_RUN_SEQUENCES) != 0)
    console_print("run: %s on %" PRIu32 " clusters, %" PRIu32 " sequences\n", header->name, header->clusters,
                  count);
  else
    console_print("run: %s on %" PRIu32 " clusters, %" PRIu64 " tokens given, %" PRIu64 " to generate\n",
                  header->name, header->clusters, request->prompt, teacher ? 0 : request->generate);
  if (request->draft.program != 0)
    console_print("draft: %s on %" PRIu32 " clusters, %" PRIu64 " tokens before each step\n",
                  draft.program.header.name, draft.program.header.clusters, request->draft.tokens);
}

bool run_program(const struct run_request* request, uint64_t* steps, struct failure* failure) {
  const bool drafts = request->draft.program != 0;
  *steps = 0;
  if (!program_check(chip, request->program, &model.header, failure) ||
      (drafts && !program_check(chip, request->draft.program, &draft.program.header, failure)))
    return false;
  const uint32_t count = take_request(request, &model.header);
  if (count == 0 || (drafts && !take_draft(request, count))) {
    *failure = (struct failure){.code = FR_FAILURE_REQUEST};
    return false;
  }
  announce(request, count);
  if (!prepare_pages(&model_pages, &model.header, count) ||
      (drafts && !prepare_pages(&draft.pages, &draft.program.header, count))) {
    *failure = (struct failure){.code = FR_FAILURE_PAGES};
    return false;
  }
  const bool some_layers = (request->flags & FR_RUN_SEQUENCES) != 0 && request->generate != 0;
  prepare(request, &model, some_layers ? request->generate : model.header.layers);
  memset(chunks, -1, sizeof chunks); /* nothing of it is in memory yet */
  if (drafts) prepare(request, &draft.program, draft.program.header.layers);
  for (uint64_t tokens; (tokens = next_step(&model.header, count)) != 0; ++*steps) {
    const uint64_t drafted = tokens_to_draft(request);
    if (!(drafted != 0 ? run_round(request, drafted, failure) : run_step(request, tokens, failure)))
      return false;
  }
  console_print("done: %" PRIu64 " steps\n", *steps);
  return true;
}
