// SPDX-License-Identifier: Apache-2.0
// What the gdb test debugs. Exits through the system controller with the value of `result`.
#include <stdint.h>

volatile int result;
volatile int forever;
volatile double half = 0.5;
unsigned char buffer[8] = "abcdefg";

__attribute__((noinline)) static int square(int n) {
  int product = n * n;
  return product;
}

__attribute__((noinline)) static int sum_of_squares(int last) {
  int sum = 0;
  for (int i = 1; i <= last; ++i) sum += square(i);
  result = sum;
  return sum;
}

__attribute__((noinline)) static int read_letter(int i) { return ((volatile unsigned char*)buffer)[i]; }

int main(void) {
  half = half * 0.5;
  int sum = sum_of_squares(3);
  sum += read_letter(2) - 'c';
  while (forever) ++sum;
  *(volatile uint32_t*)0x100038 = (uint32_t)result;
  return sum;
}

unsigned char stack[4096] __attribute__((aligned(16)));

__attribute__((naked)) void _start(void) {
  __asm__ volatile(
      ".option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
      "la sp, stack + 4096\n"
      "li t0, 0x2000\n csrs mstatus, t0\n"  // floating point on
      "call main\n"
      "1: j 1b\n");
}
