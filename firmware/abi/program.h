/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program container: what the compiler makes and the firmware runs. The same bytes are a file
 * (`forerun compile -o`) and, loaded at `load_address`, the program in the chip's memory.
 *
 *     header | stream table | tag table | segments
 *
 * A segment is `file_bytes` bytes of the container that belong at `address`, followed by zeros up to `memory_bytes`.
 * The header, the tables and the command streams are loaded in both data modes; segments flagged FR_SEGMENT_DATA
 * (weights and constants) are left out when only time is simulated.
 */
#ifndef FR_ABI_PROGRAM_H
#define FR_ABI_PROGRAM_H

#include <stdint.h>

enum {
  FR_PROGRAM_MAGIC = 0x50524f46, /* "FORP" */
  FR_PROGRAM_VERSION = 3,
  FR_PROGRAM_NAME_BYTES = 64,
  FR_TAG_NAME_BYTES = 32,
  FR_SEGMENT_DATA = 1,
  FR_PROGRAM_SEQUENCES = 256 /* most sequences of a program */
};

/* Run-time parameters: the registers that firmware fills in before each step. X(NAME, register, description) */
#define FR_PROGRAM_PARAMETERS(X)                                                                       \
  X(POSITION, 0, "position of the first token of this step, 0 .. context - 1")                         \
  X(TOKENS, 1, "tokens in this step, of all its chunks")                                               \
  X(LOGIT_ROWS, 2, "rows for which logits are made: the last 1 .. TOKENS of this step, or of several chunks the last of each; ids are chosen after the last of them, as many as the header's `choices`") \
  X(SAMPLE, 3, "0 takes the largest logit, 1 samples")                                                 \
  X(TEMPERATURE, 4, "bits of the binary32 temperature, above 0, when sampling")                        \
  X(SEED_LOW, 5, "low 32 bits of the seed")                                                            \
  X(SEED_HIGH, 6, "high 32 bits of the seed")                                                          \
  X(LAYERS, 7, "layers to carry out: the header's, or fewer to simulate a part")                       \
  X(CHUNKS, 8, "chunks of this step, 1 .. sequences; read by programs of several sequences only")
#define FR_X(NAME, NUMBER, DESCRIPTION) FR_PARAMETER_##NAME = NUMBER,
enum fr_program_parameter { FR_PROGRAM_PARAMETERS(FR_X) FR_PROGRAM_PARAMETER_COUNT };
#undef FR_X

struct fr_program_header {
  uint32_t magic;
  uint32_t version;
  uint64_t bytes;              /* whole container */
  uint64_t load_address;       /* global address of this header */
  uint32_t crc32;              /* CRC-32 (IEEE 802.3) of the header (this field as 0), stream, tag and segment tables */
  uint32_t clusters;           /* clusters that take part: one stream each, clusters 0 .. clusters - 1 */
  uint32_t streams_offset;     /* from the header, as all offsets a multiple of 8: fr_program_stream[clusters] */
  uint32_t tags_offset;        /* fr_program_tag[tags] */
  uint32_t tags;
  uint32_t segments_offset;    /* fr_program_segment[segments] */
  uint32_t segments;
  uint32_t max_tokens;         /* most tokens of one chunk */
  uint32_t context;            /* positions of the key/value cache of each sequence */
  uint32_t vocabulary;
  uint64_t parameters;         /* int64_t[FR_PARAMETERS], filled in by firmware before each step */
  uint64_t token_ids;          /* u32[sequences][context + 1]: the ids by position; inputs of a step are read from here */
  uint64_t next_ids;           /* u32[sequences][context]: the id chosen after each position, written by the chip */
  uint64_t logits;             /* f32[context][vocabulary], rows by position; 0 when logits are not kept */
  uint64_t memory_end;         /* first address that the program does not use */
  uint32_t scratchpad_bytes;   /* scratchpad that the streams need in each cluster */
  uint32_t layers;             /* of the model: the value of LAYERS for all of them */
  uint64_t requests;           /* fr_sequence_request[sequences], filled in by the host for FR_RUN_SEQUENCES */
  uint64_t chunks;             /* fr_chunk[sequences], filled in by firmware before each step; 0 with one sequence */
  uint32_t sequences;          /* most sequences of a step, 1 .. FR_PROGRAM_SEQUENCES */
  uint32_t choices;            /* last rows of a step after each of which an id is chosen, if it has so many logits; 0 as 1 */
  uint64_t page_table;         /* u64[sequences][context / page_positions, rounded up]: the number of each page, filled in by firmware */
  uint32_t page_positions;     /* of a page of the key/value cache; 0: not paged */
  uint32_t pages;              /* of all sequences together */
  char name[FR_PROGRAM_NAME_BYTES]; /* of the model, NUL-terminated */
};

/* What is to be done with one sequence of a run. */
struct fr_sequence_request {
  uint64_t cached;   /* positions whose keys and values are in the cache already */
  uint64_t prompt;   /* tokens after them, already at token_ids; 1 or more */
  uint64_t generate; /* tokens to add; 0 as 1: the last token given chooses one in any case */
};

/* Consecutive tokens of one sequence in a step. Its registers are read by the streams. */
struct fr_chunk {
  int64_t position; /* of its first token */
  int64_t tokens;   /* 1 .. max_tokens */
  int64_t row;      /* of its first token among all tokens of the step */
  int64_t sequence; /* 0 .. sequences - 1 */
};

struct fr_program_stream {
  uint64_t address; /* global, 8-byte aligned */
  uint64_t bytes;
};

struct fr_program_tag {
  char name[FR_TAG_NAME_BYTES]; /* operator, for example "layer3.attention", NUL-terminated */
};

struct fr_program_segment {
  uint64_t address;      /* global */
  uint64_t file_offset;  /* from the header */
  uint64_t file_bytes;
  uint64_t memory_bytes; /* file_bytes or more */
  uint32_t flags;        /* FR_SEGMENT_* */
  uint32_t reserved;
};

#ifdef __cplusplus
static_assert(sizeof(fr_program_header) == 216 && sizeof(fr_program_segment) == 40);
#endif
#endif
