# SPDX-License-Identifier: Apache-2.0
# enter(pc, privilege, argument): runs code in a mode with `argument` in a0, until it traps into machine mode. Returns mcause; the
# rest of what the trap left is in trap_value, trap_pc, trap_status.
    .globl enter
enter:
    addi sp, sp, -256
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    sd x\n, 8*\n(sp)
    .endr
    la t0, saved_sp
    sd sp, 0(t0)
    la t0, enter_trap
    csrr t1, mtvec
    andi t1, t1, 3
    or t0, t0, t1
    csrw mtvec, t0
    csrw mepc, a0
    li t0, 0x1800
    csrc mstatus, t0
    slli a1, a1, 11
    csrs mstatus, a1
    mv a0, a2
    mret

    .balign 256
enter_trap:                      # vectored interrupts come to enter_trap + 4 * cause, and say so in trap_vector
    .option push
    .option norvc
    j 1f
    .irp n, 1,2,3,4,5,6,7,8,9,10,11
    j vector_\n
    .endr
    .option pop
    .irp n, 1,2,3,4,5,6,7,8,9,10,11
vector_\n:
    csrw mscratch, a0
    li a0, \n
    j 2f
    .endr
1:  csrw mscratch, a0
    li a0, 0
2:  la sp, saved_sp
    ld sp, 0(sp)
    la t0, trap_vector
    sd a0, 0(t0)
    la t0, trap_value
    csrr t1, mtval
    sd t1, 0(t0)
    la t0, trap_pc
    csrr t1, mepc
    sd t1, 0(t0)
    la t0, trap_status
    csrr t1, mstatus
    sd t1, 0(t0)
    la t0, trap_result
    csrr t1, mscratch
    sd t1, 0(t0)
    csrr a0, mcause
    .irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27
    ld x\n, 8*\n(sp)
    .endr
    addi sp, sp, 256
    ret

# What is run, all of it within a page of its own: each ends with ecall.
    .balign 4096
    .globl probes
probes:
    .globl probe_load
probe_load:
    ld a0, 0(a0)
    ecall
    .globl probe_load_byte
probe_load_byte:
    lb a0, 0(a0)
    ecall
    .globl probe_store
probe_store:
    sd a0, 0(a0)
    ecall
    .globl probe_store_byte
probe_store_byte:
    sb a0, 0(a0)
    ecall
    .globl probe_jump
probe_jump:
    jr a0
    .globl probe_amo
probe_amo:
    amoadd.d a0, zero, (a0)
    ecall
    .globl probe_call
probe_call:
    ecall
    .globl probe_wfi
probe_wfi:
    wfi
    ecall
    .globl probe_sret
probe_sret:
    sret
    .globl probe_mret
probe_mret:
    mret
    .globl probe_sfence
probe_sfence:
    sfence.vma
    ecall
    .globl probe_satp
probe_satp:
    csrr a0, satp
    ecall
    .globl probe_sum                 # a user access from supervisor mode
probe_sum:
    li t0, 0x40000
    csrs sstatus, t0
    ld a0, 0(a0)
    csrc sstatus, t0
    ecall
    .globl probe_float
probe_float:
    fadd.d fa0, fa0, fa0
    csrr a0, sstatus
    ecall
    .globl probe_csr                 # the instruction is put in by the program
    .balign 4
probe_csr:
    .word 0
    ecall
    .globl supervisor_trap
    .balign 4
supervisor_trap:                     # passes on what a supervisor sees
    la t0, supervisor_seen
    csrr t1, scause
    sd t1, 0(t0)
    csrr t1, stval
    sd t1, 8(t0)
    csrr t1, sepc
    sd t1, 16(t0)
    csrr t1, sstatus
    sd t1, 24(t0)
    ecall

    .bss
    .balign 4096
saved_sp: .space 8
    .globl trap_value, trap_pc, trap_status, trap_result, trap_vector, supervisor_seen
trap_value: .space 8
trap_pc: .space 8
trap_status: .space 8
trap_result: .space 8
trap_vector: .space 8
supervisor_seen: .space 32
