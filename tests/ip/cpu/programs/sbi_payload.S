# SPDX-License-Identifier: Apache-2.0
# What OpenSBI hands over to: prints through the SBI, takes a timer interrupt in supervisor mode, and shuts down.
    .section .text.start
    .globl _start
_start:
    mv s0, a0                # hart
    mv s1, a1                # device tree
    lla s2, text
1:  lbu a0, 0(s2)
    beqz a0, 2f
    li a7, 1                 # legacy console_putchar
    ecall
    addi s2, s2, 1
    j 1b
2:  lwu t0, 0(s1)            # the tree's magic number, as it lies in memory
    li t1, 0xedfe0dd0
    bne t0, t1, fail
    lla t0, timer
    csrw stvec, t0
    li a7, 0x54494d45        # TIME, set_timer
    li a6, 0
    csrr a0, time
    li t0, 2000
    add a0, a0, t0
    mv s3, a0
    ecall
    li t0, 0x20
    csrw sie, t0
    csrsi sstatus, 2
    li s4, 0
3:  wfi
    beqz s4, 3b
    csrr t0, time
    bltu t0, s3, fail
    li a0, 'T'
    li a7, 1
    ecall
    li a0, '\n'
    ecall
    li a0, 0
    j exit
fail:
    li a0, 1
exit:                        # the finisher of the machine
    li t0, 0x100000
    li t1, 0x5555
    beqz a0, 4f
    slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
4:  sw t1, 0(t0)
5:  j 5b
    .balign 4
timer:
    addi s4, s4, 1
    csrw sie, zero
    sret
text: .asciz "supervisor\n"
