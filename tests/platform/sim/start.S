# SPDX-License-Identifier: Apache-2.0
  .globl _start, counter
_start:
  la a0, counter
  ret
  .data
  .dword 0x1122334455667788
  .bss
  .balign 8
counter: .space 100000
