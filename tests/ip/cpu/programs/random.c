// SPDX-License-Identifier: Apache-2.0
// Executes blocks of random instructions on random registers and prints a hash of everything they left behind. The instructions are
// generated here, from a seed, so that two machines that run this program execute the same.
#include "support.h"

#ifndef BLOCKS
#define BLOCKS 4000
#endif
#define LENGTH 24

struct state {
  u64 x[32], f[32], fcsr, unused[15], trap_log, traps, handler[3], caller[16];
};
void run_block(struct state* state);
void block_end(void);
extern uint16_t code_buffer[];

enum Kind {
  PLAIN,        // integer registers; rd is kept off the pointers
  FLOAT,        // a floating-point destination, or an integer one that is kept off the pointers as well
  MEMORY,       // rs1 becomes a pointer
  ATOMIC,       // rs1 becomes the aligned pointer
  PAIR,         // sc after an lr; what breaks a reservation in between is up to the machine
  BRANCH,       // over the next instruction
  JUMP,
  JUMP_REGISTER,
  SHORT_BRANCH,
  SHORT,        // compressed, rd in 11:7
  SHORT_LOW,    // compressed, rd' in 4:2 (never x8)
  SHORT_HIGH,   // compressed, rd' in 9:7 (never x8)
  SHORT_MEMORY, // compressed load, pointer in 9:7
  SHORT_STORE,  // compressed store
  SHORT_STACK   // compressed, sp is the pointer
};
struct row {
  u32 match, random;  // fixed bits, and which of the others are drawn
  enum Kind kind;
};

#define RD 0xf80u
#define RS1 0xf8000u
#define RS2 0x1f00000u
#define RS3 0xf8000000u
#define RM 0x7000u
#define R_TYPE (RD | RS1 | RS2)
#define I_TYPE 0xffff8f80u
#define OP(f7, f3) {0x33 | (u32)(f7) << 25 | (f3) << 12, R_TYPE, PLAIN}
#define OP32(f7, f3) {0x3b | (u32)(f7) << 25 | (f3) << 12, R_TYPE, PLAIN}
#define OPI(f3) {0x13 | (f3) << 12, I_TYPE, PLAIN}
#define SHIFT(f6, f3) {0x13 | (u32)(f6) << 26 | (f3) << 12, RD | RS1 | 0x3f00000u, PLAIN}
#define SHIFT32(f7, f3) {0x1b | (u32)(f7) << 25 | (f3) << 12, R_TYPE, PLAIN}
#define LOAD(f3) {0x03 | (f3) << 12, RD | 0x7ff00000u, MEMORY}
#define STORE(f3) {0x23 | (f3) << 12, RS2 | 0x7e000f80u, MEMORY}
#define AMO(f5) {0x202f | (u32)(f5) << 27, R_TYPE | 0x6000000u, ATOMIC}, {0x302f | (u32)(f5) << 27, R_TYPE | 0x6000000u, ATOMIC}
#define FP(f7) {0x53 | (u32)(f7) << 25, R_TYPE | RM, FLOAT}, {0x53 | (u32)((f7) | 1) << 25, R_TYPE | RM, FLOAT}
#define FP3(f7, f3) {0x53 | (u32)(f7) << 25 | (f3) << 12, R_TYPE, FLOAT}, {0x53 | (u32)((f7) | 1) << 25 | (f3) << 12, R_TYPE, FLOAT}
#define FCVT(f7, r2) {0x53 | (u32)(f7) << 25 | (r2) << 20, RD | RS1 | RM, FLOAT}, {0x53 | (u32)((f7) | 1) << 25 | (r2) << 20, RD | RS1 | RM, FLOAT}
#define FMOVE(f7, f3) {0x53 | (u32)(f7) << 25 | (f3) << 12, RD | RS1, FLOAT}, {0x53 | (u32)((f7) | 1) << 25 | (f3) << 12, RD | RS1, FLOAT}
#define FMA(op) {op, R_TYPE | RM | RS3, FLOAT}, {(op) | 1 << 25, R_TYPE | RM | RS3, FLOAT}
#define CSR(f3, n) {0x73 | (f3) << 12 | (u32)(n) << 20, RD | RS1, PLAIN}
#define CSR_ALL(n) CSR(1, n), CSR(2, n), CSR(3, n), CSR(5, n), CSR(6, n), CSR(7, n)

static const struct row rows[] = {
    OP(0, 0), OP(0, 1), OP(0, 2), OP(0, 3), OP(0, 4), OP(0, 5), OP(0, 6), OP(0, 7), OP(0x20, 0), OP(0x20, 5),
    OP(1, 0), OP(1, 1), OP(1, 2), OP(1, 3), OP(1, 4), OP(1, 5), OP(1, 6), OP(1, 7),
    OP32(0, 0), OP32(0, 1), OP32(0, 5), OP32(0x20, 0), OP32(0x20, 5), OP32(1, 0), OP32(1, 4), OP32(1, 5), OP32(1, 6), OP32(1, 7),
    OPI(0), OPI(2), OPI(3), OPI(4), OPI(6), OPI(7), SHIFT(0, 1), SHIFT(0, 5), SHIFT(0x10, 5),
    {0x1b, I_TYPE, PLAIN}, SHIFT32(0, 1), SHIFT32(0, 5), SHIFT32(0x20, 5),
    {0x37, 0xffffff80u, PLAIN}, {0x17, 0xffffff80u, PLAIN},
    LOAD(0), LOAD(1), LOAD(2), LOAD(3), LOAD(4), LOAD(5), LOAD(6), STORE(0), STORE(1), STORE(2), STORE(3),
    {0x2007, RD | 0x7ff00000u, MEMORY}, {0x3007, RD | 0x7ff00000u, MEMORY}, {0x2027, RS2 | 0x7e000f80u, MEMORY}, {0x3027, RS2 | 0x7e000f80u, MEMORY},
    {0x63, RS1 | RS2, BRANCH}, {0x1063, RS1 | RS2, BRANCH}, {0x4063, RS1 | RS2, BRANCH}, {0x5063, RS1 | RS2, BRANCH},
    {0x6063, RS1 | RS2, BRANCH}, {0x7063, RS1 | RS2, BRANCH}, {0x6f, RD, JUMP}, {0x67, RD, JUMP_REGISTER},
    AMO(0), AMO(1), AMO(4), AMO(8), AMO(12), AMO(16), AMO(20), AMO(24), AMO(28),
    {0x1800202f, RD | RS2, PAIR}, {0x1800302f, RD | RS2, PAIR}, {0x1800202f, RD | RS2, ATOMIC}, {0x1800302f, RD | RS2, ATOMIC},
    {0x0f, 0x0ff00000u, PLAIN}, {0x100f, 0, PLAIN},
    FP(0), FP(4), FP(8), FP(12), FP3(0x10, 0), FP3(0x10, 1), FP3(0x10, 2), FP3(0x14, 0), FP3(0x14, 1), FP3(0x50, 0), FP3(0x50, 1), FP3(0x50, 2),
    FCVT(0x2c, 0), FCVT(0x60, 0), FCVT(0x60, 1), FCVT(0x60, 2), FCVT(0x60, 3), FCVT(0x68, 0), FCVT(0x68, 1), FCVT(0x68, 2), FCVT(0x68, 3),
    {0x40100053, RD | RS1 | RM, FLOAT}, {0x42000053, RD | RS1 | RM, FLOAT},
    FMOVE(0x70, 0), FMOVE(0x70, 1), FMOVE(0x78, 0), FMA(0x43), FMA(0x47), FMA(0x4b), FMA(0x4f),
    FP(0), FP(4), FP(8), FP(12), FCVT(0x2c, 0), FMA(0x43), FMA(0x47), FMA(0x4b), FMA(0x4f),  // twice as often
    CSR_ALL(0x001), CSR_ALL(0x002), CSR_ALL(0x003), CSR_ALL(0x140), CSR_ALL(0x142), CSR_ALL(0x143),  // QEMU 7.2 keeps bits of sepc and scounteren that do not exist
    // Instructions that do not exist, and CSRs that cannot be written.
    {0x0b, 0xffffff80u, PLAIN}, {0x2b, 0xffffff80u, PLAIN}, {0x5b, 0xffffff80u, PLAIN}, {0x7b, 0xffffff80u, PLAIN},
    OP(0x02, 0), OP(0x20, 1), OP32(0, 2), OP32(1, 1), {0x1b | 2 << 12, I_TYPE, PLAIN}, {0x4003 | 3 << 12, I_TYPE, PLAIN},
    {0x4023, RS2 | 0x7e000f80u, MEMORY}, {0x2063, RS1 | RS2, BRANCH}, {0x3067, RD, PLAIN}, {0x4000202f | 1 << 27, RD | RS2, ATOMIC}, {0x1010202f, RD, ATOMIC},
    {0xd0400053, RD | RS1 | RM, FLOAT}, {0x60000053 | 3 << 25, RD | RS1, FLOAT}, {0xe0002053, RD | RS1, FLOAT}, {0x58100053, RD | RS1, FLOAT},
    CSR(1, 0xf14), CSR(1, 0xc00), CSR(2, 0x5c0), CSR(1, 0x7c0),
    {0x100073, 0, PLAIN}, {0x73, 0, PLAIN},
    // Compressed.
    {0x0000, 0x1fe0, SHORT_LOW}, {0x2000, 0x1c60, SHORT_MEMORY}, {0x4000, 0x1c60, SHORT_MEMORY}, {0x6000, 0x1c60, SHORT_MEMORY},
    {0xa000, 0x1c7c, SHORT_STORE}, {0xc000, 0x1c7c, SHORT_STORE}, {0xe000, 0x1c7c, SHORT_STORE},
    {0x0001, 0x1ffc, SHORT}, {0x2001, 0x1ffc, SHORT}, {0x4001, 0x1ffc, SHORT}, {0x6001, 0x1ffc, SHORT},
    {0x8001, 0x13fc, SHORT_HIGH}, {0x8401, 0x13fc, SHORT_HIGH}, {0x8801, 0x13fc, SHORT_HIGH},
    {0x8c01, 0x039c, SHORT_HIGH}, {0x8c21, 0x039c, SHORT_HIGH}, {0x8c41, 0x039c, SHORT_HIGH}, {0x8c61, 0x039c, SHORT_HIGH},
    {0x9c01, 0x039c, SHORT_HIGH}, {0x9c21, 0x039c, SHORT_HIGH}, {0x9c41, 0x039c, SHORT_HIGH}, {0x9c61, 0x039c, SHORT_HIGH},
    {0xc001, 0x0380, SHORT_BRANCH}, {0xe001, 0x0380, SHORT_BRANCH}, {0xa001, 0, SHORT_BRANCH},
    {0x0002, 0x1ffc, SHORT}, {0x2002, 0x107c, SHORT_STACK}, {0x4002, 0x107c, SHORT_STACK}, {0x6002, 0x107c, SHORT_STACK},
    {0x8002, 0x0f80 | 0x7c, SHORT}, {0x9002, 0x0f80 | 0x7c, SHORT},
    {0xa002, 0x1ffc, PLAIN}, {0xc002, 0x1ffc, PLAIN}, {0xe002, 0x1ffc, PLAIN}, {0x8000, 0x1ffc, PLAIN},
};

#ifndef SEED
#define SEED 0x0123456789abcdef
#endif
static u64 seed = SEED;
static struct state state;
static u64 data[1024] __attribute__((aligned(4096)));
static u64* const middle = &data[512];

static u32 random_below(u32 n) { return (u32)((next_random(&seed) >> 32) % n); }

static u64 random_integer(void) {
  static const u64 special[] = {0, 1, 2, ~0ull, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                0x8000000000000000, 0xffffffff80000000, 0xffffffff7fffffff, 63, 64, 31, 32};
  switch (random_below(4)) {
    case 0: return special[random_below(sizeof special / sizeof *special)];
    case 1: return next_random(&seed) >> random_below(64);
    case 2: return (u64)((int64_t)next_random(&seed) >> random_below(64));
    default: return next_random(&seed);
  }
}

static u64 random_double(void) {
  static const u64 special[] = {
      0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
      0x7ff0000000000001, 0xfff8000000000123, 0xfff4000000000000, 1, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000,
      0x7fefffffffffffff, 0xffefffffffffffff, 0x3fe0000000000000, 0x3ff8000000000000, 0xbfe0000000000000, 0x4004000000000000,
      0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x41efffffffe00000, 0x41f0000000000000,
      0x43e0000000000000, 0xc3e0000000000000, 0x43f0000000000000, 0x47efffffe0000000, 0x47efffffefffffff, 0x47effffff0000000,
      0x3810000000000000, 0x380fffffffffffff, 0x36a0000000000000, 0x3690000000000000, 0x3cb0000000000000, 0x3fefffffffffffff};
  u64 r = next_random(&seed);
  switch (random_below(6)) {
    case 0: case 1: return special[random_below(sizeof special / sizeof *special)];
    case 2: return (r & 0x800fffffffffffff) | (u64)(1023 - 60 + random_below(120)) << 52;
    case 3: return (r & 0x8000000000000000) | (u64)(1023 + random_below(64)) << 52 | ((r & 0xf) << 48 >> random_below(48));
    case 4: return (r & 0x800fffffffffffff) | (u64)random_below(3) << 52;
    default: return r;
  }
}

static u64 random_single(void) {
  static const u32 special[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345,
                                0xffa00000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f000000, 0x3fc00000,
                                0x40200000, 0x4effffff, 0x4f000000, 0xcf000000, 0x4f800000, 0x4f7fffff, 0x5f000000, 0xdf000000, 0x5f800000, 0x33800000};
  u32 r = (u32)next_random(&seed);
  switch (random_below(5)) {
    case 0: case 1: r = special[random_below(sizeof special / sizeof *special)]; break;
    case 2: r = (r & 0x807fffff) | (127 - 30 + random_below(60)) << 23; break;
    case 3: r = (r & 0x807fffff) | random_below(3) << 23; break;
    default: break;
  }
  return 0xffffffff00000000ull | r;
}

static u32 off_pointers(u32 number) { return number == 2 || number == 8 ? number + 1 : number; }

// Draws one instruction; `next` is the length of the one after it.
static u32 draw(const struct row* row, u32 next) {
  u32 word = row->match | ((u32)next_random(&seed) & row->random);
  u32 rd = word >> 7 & 31;
  switch (row->kind) {
    case PLAIN: case FLOAT:
      if ((word & 3) == 3) word = (word & ~RD) | off_pointers(rd) << 7;
      break;
    case MEMORY:
      word = (word & ~RS1) | (random_below(2) ? 2u : 8u) << 15;
      if ((word & 0x7f) == 3 || (word & 0x7f) == 7) word = (word & ~RD) | off_pointers(rd) << 7;
      break;
    case ATOMIC: case PAIR: word = (word & ~(RD | RS1)) | off_pointers(rd) << 7 | 8u << 15; break;
    case BRANCH: word |= (4 + next) << 7; break;  // imm[4:1] is in 11:8
    case JUMP: word = (word & ~RD) | off_pointers(rd) << 7 | (4 + next) << 20; break;  // imm[10:1] is in 30:21
    case SHORT: {
      u32 kept = off_pointers(rd);
      if ((row->match == 0x8002 || row->match == 0x9002) && (word & 0x7c) == 0) word |= 4;  // no c.jr, c.jalr
      word = (word & ~0xf80u) | kept << 7;
      break;
    }
    case SHORT_LOW: word |= (1 + random_below(7)) << 2; break;
    case SHORT_HIGH: if ((word & 0x380) == 0) word |= 0x80; break;
    case SHORT_MEMORY: word |= (1 + random_below(7)) << 2; break;
    case SHORT_STORE: break;
    case SHORT_STACK: word |= off_pointers(1 + random_below(31)) << 7; break;
    case SHORT_BRANCH: word |= (2 + next) >> 1 << 3; break;  // imm[2:1] is in 4:3
    default: break;
  }
  return word;
}

static uint16_t* emit(uint16_t* at, u32 word) {
  *at++ = (uint16_t)word;
  if ((word & 3) == 3) *at++ = (uint16_t)(word >> 16);
  return at;
}

static void generate(void) {
  u32 words[LENGTH + 1];
  words[LENGTH] = 0x13;
  int pair = 0;  // the next two belong together: nothing may jump between them
  for (int i = LENGTH - 1; i >= 0; i--) {
    const struct row* row = &rows[random_below(sizeof rows / sizeof *rows)];
    while (pair && row->kind >= BRANCH && row->kind <= SHORT_BRANCH) row = &rows[random_below(sizeof rows / sizeof *rows)];
    pair = row->kind == PAIR || row->kind == JUMP_REGISTER;
    u32 next = (words[i + 1] & 3) == 3 ? 4 : 2;
    if (row->kind == JUMP_REGISTER) {  // auipc, then jalr over the next
      u32 link = off_pointers(random_below(32)), base = off_pointers(1 + random_below(31));
      words[i] = 0x67 | link << 7 | base << 15 | (8 + next) << 20;
      if (--i < 0) { words[0] = 0x13; break; }
      words[i] = 0x17 | base << 7;
      continue;
    }
    words[i] = draw(row, next);
    if (row->kind == PAIR && i > 0) {
      words[--i] = 0x1000002f | (row->match & 0x7000) | off_pointers(random_below(32)) << 7 | 8u << 15;
    }
  }
  uint16_t* at = code_buffer;
  if (random_below(2)) at = emit(at, 0x0001);  // c.nop
  for (int i = 0; i <= LENGTH; i++) at = emit(at, words[i]);
  int32_t far = (int32_t)((u64)block_end - (u64)at);
  u32 far_bits = (u32)far;
  emit(at, 0x6f | (far_bits >> 20 & 1) << 31 | (far_bits >> 1 & 0x3ff) << 21 | (far_bits >> 11 & 1) << 20 | (far_bits >> 12 & 0xff) << 12);
  __asm__ volatile("fence.i" ::: "memory");
}

int main(void) {
  for (unsigned block = 0; block < BLOCKS; block++) {
    generate();
    state.trap_log = 0;
    for (int i = 256; i < 768; i++) data[i] = next_random(&seed);
    for (int i = 1; i < 32; i++) state.x[i] = random_integer();
    for (int i = 0; i < 32; i++) {
      u32 kind = random_below(8);
      state.f[i] = kind < 4 ? random_double() : kind < 7 ? random_single() : next_random(&seed);
    }
    state.x[2] = (u64)middle + random_below(512);
    state.x[8] = (u64)(middle + random_below(8));  // aligned: QEMU 7.2 gives misaligned atomics the cause of loads
    state.fcsr = random_below(32) | (random_below(16) == 0 ? random_below(8) : random_below(5)) << 5;
    run_block(&state);
    u64 hash = mix(state.trap_log, state.fcsr);
    for (int i = 1; i < 32; i++) hash = mix(hash, state.x[i]);
    for (int i = 0; i < 32; i++) hash = mix(hash, state.f[i]);
    for (int i = 256; i < 768; i++) hash = mix(hash, data[i]);
    print_hex(hash);
    put('\n');
  }
  print_value("traps", state.traps);
  return 0;
}
