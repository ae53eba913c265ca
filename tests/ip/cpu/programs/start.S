# SPDX-License-Identifier: Apache-2.0
# Calls main in machine mode with floating point on; its result ends the simulation. A trap that the program did not expect ends it with 99.
    .section .text.start
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, unexpected
    csrw mtvec, t0
    li t0, 0x2000
    csrs mstatus, t0
    csrw fcsr, zero
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  call main
    .globl exit
exit:
    li t0, 0x100000
    li t1, 0x5555
    beqz a0, 3f
    slli a0, a0, 16
    li t1, 0x3333
    or t1, t1, a0
3:  sw t1, 0(t0)
4:  j 4b
    .balign 4
unexpected:
    csrr a1, mcause
    csrr a2, mepc
    csrr a3, mtval
    li a0, 99
    j exit
