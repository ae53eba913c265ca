// SPDX-License-Identifier: Apache-2.0
// What the test programs share. They run on our machine and on QEMU's `virt`.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;

#define CONSOLE ((volatile uint8_t*)0x10000000)
#define CSR_READ(csr) ({ u64 value_; __asm__ volatile("csrr %0, " #csr : "=r"(value_)); value_; })
#define CSR_WRITE(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((u64)(value)) : "memory")
#define CSR_SET(csr, value) __asm__ volatile("csrs " #csr ", %0" ::"r"((u64)(value)) : "memory")
#define CSR_CLEAR(csr, value) __asm__ volatile("csrc " #csr ", %0" ::"r"((u64)(value)) : "memory")

static inline void put(char c) { CONSOLE[0] = (uint8_t)c; }
static inline void print(const char* text) {
  while (*text) put(*text++);
}
static inline void print_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}
static inline void print_value(const char* name, u64 value) {
  print(name);
  put(' ');
  print_hex(value);
  put('\n');
}

// xorshift64*
static inline u64 next_random(u64* state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1dull;
}
static inline u64 mix(u64 hash, u64 value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 29;
}
