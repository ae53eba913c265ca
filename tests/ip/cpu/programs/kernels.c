// SPDX-License-Identifier: Apache-2.0
// Loops for the speed of single features: KERNEL is `floating` or `device`.
#include "support.h"

static double a[64][64], b[64][64], c[64][64];

__attribute__((unused)) static u64 floating(void) {
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) a[i][j] = i * 0.5 + j, b[i][j] = i - j * 0.25;
  for (int round = 0; round < 100; round++)
    for (int i = 0; i < 64; i++)
      for (int j = 0; j < 64; j++) {
        double sum = 0;
        for (int k = 0; k < 64; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum / (1 + i);
      }
  return (u64)c[63][63];
}

__attribute__((unused)) static u64 device(void) {
  u64 sum = 0;
  for (int i = 0; i < 1000000; i++) sum += CONSOLE[5];
  return sum;
}

int main(void) { return KERNEL() == 0; }
