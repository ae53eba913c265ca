// SPDX-License-Identifier: Apache-2.0
// The kind of work that CoreMark does: a list, a matrix, a state machine, checksums.
#include "support.h"

#ifndef ROUNDS
#define ROUNDS 20
#endif

struct node {
  struct node* next;
  int16_t key, value;
};
static struct node nodes[256];
static int16_t a[32][32], b[32][32];
static int32_t c[32][32];
static const char text[] = "12,-34.5e+7,abc,0x1f,+99,1.e4,.25,7e,zz9,-0.125,42,1e-3,5x,8.0,";

static uint16_t crc(uint16_t crc, uint8_t byte) {
  for (int i = 0; i < 8; i++) {
    int bit = (crc ^ byte) & 1;
    crc >>= 1;
    if (bit) crc ^= 0xa001;
    byte >>= 1;
  }
  return crc;
}

static struct node* sort(struct node* list) {
  for (int size = 1;; size *= 2) {
    struct node *p = list, *tail = NULL;
    int merges = 0;
    list = NULL;
    while (p) {
      struct node* q = p;
      int left = 0, right = size;
      merges++;
      while (left < size && q) left++, q = q->next;
      while (left > 0 || (right > 0 && q)) {
        struct node* e;
        if (left == 0 || (right > 0 && q && q->key < p->key))
          e = q, q = q->next, right--;
        else
          e = p, p = p->next, left--;
        if (tail) tail->next = e;
        else list = e;
        tail = e;
      }
      p = q;
    }
    tail->next = NULL;
    if (merges <= 1) return list;
  }
}

static u32 states(const char* s) {
  u32 counts[5] = {0}, state = 0;
  for (; *s; s++) {
    char ch = *s;
    if (ch == ',') { counts[state]++; state = 0; continue; }
    switch (state) {
      case 0: state = (ch >= '0' && ch <= '9') ? 1 : (ch == '+' || ch == '-') ? 1 : ch == '.' ? 2 : 4; break;
      case 1: if (ch == '.') state = 2; else if (ch == 'e') state = 3; else if (ch < '0' || ch > '9') state = 4; break;
      case 2: if (ch == 'e') state = 3; else if (ch < '0' || ch > '9') state = 4; break;
      case 3: if (ch != '+' && ch != '-' && (ch < '0' || ch > '9')) state = 4; break;
      default: break;
    }
  }
  return counts[0] + 3 * counts[1] + 5 * counts[2] + 7 * counts[3] + 11 * counts[4];
}

int main(void) {
  u64 seed = 0x1234567;
  uint16_t check = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < 256; i++) {
      nodes[i].key = (int16_t)next_random(&seed);
      nodes[i].value = (int16_t)i;
      nodes[i].next = i < 255 ? &nodes[i + 1] : NULL;
    }
    for (struct node* n = sort(nodes); n; n = n->next) check = crc(check, (uint8_t)n->key);
    for (int i = 0; i < 32; i++)
      for (int j = 0; j < 32; j++) a[i][j] = (int16_t)(i * j + round), b[i][j] = (int16_t)(i - j);
    for (int i = 0; i < 32; i++)
      for (int j = 0; j < 32; j++) {
        int32_t sum = 0;
        for (int k = 0; k < 32; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    for (int i = 0; i < 32; i++) check = crc(check, (uint8_t)c[i][31 - i]);
    for (int i = 0; i < 20; i++) check = crc(check, (uint8_t)states(text + i % 7));
  }
  print_value("check", check);
  return 0;
}
