# SPDX-License-Identifier: Apache-2.0
# A long calculation that timer and external interrupts break into, at moments that have nothing to do with it. The handler writes
# down where it struck (mepc), the calculation's state, and the counters; the calculation reads and writes a device now and then.
    .globl main
main:
    la t0, handler
    csrw mtvec, t0
    la s0, log
    li s1, 0                 # interrupts so far
    li s2, 0x2004000         # mtimecmp
    li s3, 0xc000000         # PLIC
    li s4, 0x11000000        # alarm
    li t0, 1
    sw t0, 4(s3)             # priority of source 1
    li t1, 0x2000
    add t1, t1, s3
    li t0, 2
    sw t0, 0(t1)             # enabled for machine mode
    li t1, 0x200000
    add s5, s3, t1           # claim at 4(s5)
    sw zero, 0(s5)
    li t0, 3137
    sw t0, 0(s4)             # the alarm: 3137 ns from here
    li t0, 37
    sd t0, 0(s2)
    li t0, 0x880
    csrw mie, t0
    csrsi mstatus, 8
    li a1, 1
    li a2, 40                # interrupts to take
    li a4, 12345
    li a6, 0
    .globl loop
loop:                        # straight lines, branches, divisions, memory, a device
    addi a1, a1, 3
    mul a4, a4, a1
    srli a5, a4, 7
    xor a4, a4, a5
    andi a5, a4, 31
    bnez a5, 1f
    lw a7, 0(s4)             # a bus access
    add a6, a6, a7
1:  divu a5, a4, a1
    add a6, a6, a5
    sd a6, -8(sp)
    ld a7, -8(sp)
    fcvt.d.l fa0, a7
    fadd.d fa1, fa1, fa0
    bltu s1, a2, loop
    csrci mstatus, 8
    csrr t0, mcycle
    sd t0, 0(s0)
    csrr t0, minstret
    sd t0, 8(s0)
    csrr t0, time
    sd t0, 16(s0)
    sd a6, 24(s0)
    li a0, 0
    j exit

    .balign 4
handler:
    csrr t0, mcause
    sd t0, 0(s0)
    csrr t1, mepc
    sd t1, 8(s0)
    sd a4, 16(s0)
    csrr t1, mcycle
    sd t1, 24(s0)
    csrr t1, minstret
    sd t1, 32(s0)
    csrr t1, time
    sd t1, 40(s0)
    addi s0, s0, 48
    addi s1, s1, 1
    andi t0, t0, 15
    li t1, 7
    beq t0, t1, timer
    lw t0, 4(s5)             # claim
    sw zero, 0(s4)           # lower the line
    li t1, 2711
    sw t1, 0(s4)             # the next alarm
    sw t0, 4(s5)             # complete
    mret
timer:
    ld t0, 0(s2)
    addi t0, t0, 19          # every 1.9 us
    sd t0, 0(s2)
    mret

    .bss
    .globl log
    .balign 8
log: .space 48 * 48
