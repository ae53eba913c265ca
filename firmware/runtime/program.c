/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/program.h"

#include <string.h>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "firmware/hal/hal.h"
#include "firmware/runtime/crc32.h"

/* Larger tables are taken for damaged ones: a checksum over them would take for ever. */
enum { TABLE_LIMIT = 16 << 20 };

#define FR_X(NAME, NUMBER, ...) [NUMBER] = #NAME,
static const char* const failure_names[] = {FR_FAILURES(FR_X)};
static const char* const error_names[] = {FR_ERRORS(FR_X)};
static const char* const engine_names[] = {FR_ENGINES(FR_X)};
#undef FR_X
#define NAME_OF(NAMES, NUMBER) \
  ((NUMBER) < sizeof(NAMES) / sizeof *(NAMES) && (NAMES)[NUMBER] != NULL ? (NAMES)[NUMBER] : "?")

const char* failure_name(uint64_t code) { return NAME_OF(failure_names, code); }
const char* error_name(uint64_t error) { return NAME_OF(error_names, error); }
const char* engine_name(uint64_t engine) { return NAME_OF(engine_names, engine); }

static bool fail(struct failure* failure, uint64_t code, uint64_t address) {
  failure->code = code;
  failure->address = address;
  return false;
}

/* Adds memory of the chip to a checksum; address and bytes are multiples of 8. */
static bool add_to_crc(uint32_t* crc, uint64_t address, uint64_t bytes, struct failure* failure) {
  uint64_t word;
  for (uint64_t at = address; at < address + bytes; at += sizeof word) {
    if (!hal_try_read64(at, &word)) return fail(failure, FR_FAILURE_BUS, at);
    *crc = crc32_update(*crc, &word, sizeof word);
  }
  return true;
}

static bool check_crc(uint64_t address, const struct fr_program_header* header, struct failure* failure) {
  const struct {
    uint64_t offset, bytes;
  } tables[] = {{header->streams_offset, header->clusters * (uint64_t)sizeof(struct fr_program_stream)},
                {header->tags_offset, header->tags * (uint64_t)sizeof(struct fr_program_tag)},
                {header->segments_offset, header->segments * (uint64_t)sizeof(struct fr_program_segment)}};
  struct fr_program_header cleared = *header;
  cleared.crc32 = 0;
  uint32_t crc = crc32_update(0, &cleared, sizeof cleared);
  for (unsigned i = 0; i < sizeof tables / sizeof *tables; ++i) {
    if (tables[i].offset % 8 != 0 || tables[i].bytes > TABLE_LIMIT ||
        tables[i].offset + tables[i].bytes > header->bytes)
      return fail(failure, FR_FAILURE_PROGRAM_CRC, address + tables[i].offset);
    if (!add_to_crc(&crc, address + tables[i].offset, tables[i].bytes, failure)) return false;
  }
  return crc == header->crc32 || fail(failure, FR_FAILURE_PROGRAM_CRC, address);
}

/* True if count elements at an aligned address are HBM. */
static bool in_hbm(const struct hardware* hardware, uint64_t address, uint64_t alignment, uint64_t count,
                   uint64_t bytes) {
  return address % alignment == 0 && (count == 0 || bytes <= UINT64_MAX / count) &&
         hardware_is_hbm(hardware, address, count * bytes);
}

static bool check_memory(const struct hardware* hardware, const struct fr_program_header* header,
                         struct failure* failure) {
  const uint64_t context = header->context, sequences = header->sequences;
  if (header->memory_end < header->load_address ||
      !in_hbm(hardware, header->load_address, 8, header->memory_end - header->load_address, 1))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->memory_end);
  if (!in_hbm(hardware, header->parameters, 8, FR_PARAMETERS, sizeof(int64_t)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->parameters);
  if (!in_hbm(hardware, header->token_ids, 4, (context + 1) * sequences, sizeof(uint32_t)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->token_ids);
  if (!in_hbm(hardware, header->next_ids, 4, context * sequences, sizeof(uint32_t)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->next_ids);
  if (sequences == 0 || sequences > FR_PROGRAM_SEQUENCES ||
      !in_hbm(hardware, header->requests, 8, sequences, sizeof(struct fr_sequence_request)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->requests);
  if (sequences > 1 && !in_hbm(hardware, header->chunks, 8, sequences, sizeof(struct fr_chunk)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->chunks);
  if (header->page_positions != 0 &&
      !in_hbm(hardware, header->page_table, 8,
              sequences * ((context + header->page_positions - 1) / header->page_positions),
              sizeof(uint64_t)))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->page_table);
  if (header->logits != 0 &&
      !in_hbm(hardware, header->logits, 4, context * sizeof(float), header->vocabulary))
    return fail(failure, FR_FAILURE_PROGRAM_MEMORY, header->logits);
  for (uint32_t i = 0; i < header->clusters; ++i) {
    const struct fr_program_stream stream = program_stream(header, i);
    if (!in_hbm(hardware, stream.address, 8, stream.bytes, 1)) {
      failure->cluster = i;
      return fail(failure, FR_FAILURE_PROGRAM_MEMORY, stream.address);
    }
  }
  return true;
}

bool program_check(const struct hardware* hardware, uint64_t address, struct fr_program_header* header,
                   struct failure* failure) {
  uint64_t words[sizeof *header / sizeof(uint64_t)];
  memset(failure, 0, sizeof *failure);
  if (address % sizeof *words != 0) return fail(failure, FR_FAILURE_PROGRAM_MAGIC, address);
  for (unsigned i = 0; i < sizeof words / sizeof *words; ++i)
    if (!hal_try_read64(address + i * sizeof *words, &words[i]))
      return fail(failure, FR_FAILURE_BUS, address + i * sizeof *words);
  memcpy(header, words, sizeof *header);
  if (header->magic != FR_PROGRAM_MAGIC || header->load_address != address)
    return fail(failure, FR_FAILURE_PROGRAM_MAGIC, address);
  if (header->version != FR_PROGRAM_VERSION) return fail(failure, FR_FAILURE_PROGRAM_VERSION, address);
  if (!check_crc(address, header, failure)) return false;
  header->name[FR_PROGRAM_NAME_BYTES - 1] = '\0';
  if (header->clusters == 0 || header->clusters > hardware->cluster_count)
    return fail(failure, FR_FAILURE_PROGRAM_CLUSTERS, address);
  if (!check_memory(hardware, header, failure)) return false;
  for (uint32_t i = 0; i < header->clusters; ++i) {
    if (hardware->clusters[i].scratchpad_bytes >= header->scratchpad_bytes) continue;
    failure->cluster = i;
    return fail(failure, FR_FAILURE_PROGRAM_SCRATCHPAD, address);
  }
  return true;
}

struct fr_program_stream program_stream(const struct fr_program_header* header, uint32_t cluster) {
  const uint64_t at =
      header->load_address + header->streams_offset + cluster * sizeof(struct fr_program_stream);
  return (struct fr_program_stream){hal_read64(at), hal_read64(at + 8)};
}
