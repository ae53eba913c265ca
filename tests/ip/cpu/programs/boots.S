# SPDX-License-Identifier: Apache-2.0
# Counts how often it was started, and goes on counting.
    .globl main
main:
    la t0, boots
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    la t0, count
    csrr t2, mcycle
    sd t2, 8(t0)
1:  ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    .globl counted
counted:
    j 1b
    .data
    .globl boots
    .balign 8
boots: .dword 0
    .bss
    .globl count
    .balign 8
count: .space 16
