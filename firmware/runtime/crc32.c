/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/crc32.h"

static uint32_t table[256];

static void make_table(void) {
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (unsigned bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
}

uint32_t crc32_update(uint32_t crc, const void* data, size_t bytes) {
  const unsigned char* at = data;
  if (table[1] == 0) make_table();
  crc = ~crc;
  for (; bytes > 0; --bytes) crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
  return ~crc;
}
