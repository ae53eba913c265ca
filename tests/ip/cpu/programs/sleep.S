# SPDX-License-Identifier: Apache-2.0
# wfi until a timer interrupt that is enabled in mie only, many times; the time at each waking.
    .globl main
main:
    la s0, log
    li s1, 0x2004000
    li t0, 0x80
    csrw mie, t0
    li s2, 20
    li s3, 1000              # 100 us
1:  add s4, s4, s3
    slli s3, s3, 1
    sd s4, 0(s1)             # mtimecmp
    wfi
    csrr t0, time
    sd t0, 0(s0)
    sd s4, 8(s0)
    csrr t0, mcycle
    sd t0, 16(s0)
    addi s0, s0, 24
    addi s2, s2, -1
    bnez s2, 1b
    wfi                      # pending still: returns at once
    li a0, 0
    j exit
    .bss
    .balign 8
    .globl log
log: .space 24*20
