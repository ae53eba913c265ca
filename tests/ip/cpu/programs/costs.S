# SPDX-License-Identifier: Apache-2.0
# How many cycles ten instructions of each class take, the second reading of mcycle included.
    .globl main
    .macro measure instruction:vararg
    csrr t3, mcycle
    .rept 10
    \instruction
    .endr
    csrr t4, mcycle
    sub t4, t4, t3
    sd t4, 0(s0)
    addi s0, s0, 8
    .endm
main:
    la s0, results
    la s1, word
    li t1, 7
    measure add t0, t1, t1
    measure ld t0, 0(s1)
    measure sd t0, 0(s1)
    measure bne t1, t1, main
    measure mul t0, t1, t1
    measure div t0, t1, t1
    measure fadd.d fa0, fa1, fa2
    measure amoadd.w t0, t1, (s1)
    measure csrr t0, mscratch
    measure beq t1, t1, .+4
    measure fld fa0, 0(s1)
    measure fcvt.w.d t0, fa0
    li s2, 0x90080000            # without DMI: 2 ns for the bus and 37 ns for the memory
    measure lw t0, 0(s2)
    measure sw t0, 0(s2)
    li a0, 0
    j exit
    .bss
    .balign 8
    .globl results
word: .space 8
results: .space 8*16
