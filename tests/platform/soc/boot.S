# SPDX-License-Identifier: Apache-2.0
# Meets every device of the control tile and says a letter for each at the UART; leaves by the system controller.
#   first boot: "boot SEDT" software interrupt, external interrupt (a character from the line, echoed), device tree magic,
#   timer interrupt, then a reset of the chip; second boot: "again", exit code 7.
#define SYSCTL 0x100000
#define CLINT 0x2000000
#define PLIC 0xc000000
#define UART 0x10000000
  .section .text
  .globl _start
_start:
  li sp, 0x80004000
  li s0, SYSCTL
  li s1, UART
  li s2, CLINT
  li s3, PLIC
  la t0, trap
  csrw mtvec, t0
  ld t0, 0x40(s0)            # SCRATCH survives a reset
  bnez t0, second
  la a0, hello
  call puts

  li t0, 0x888               # software, timer and external interrupts
  csrw mie, t0
  li t0, 1
  sw t0, 0(s2)               # msip
  csrsi mstatus, 8
  csrci mstatus, 8

  li t0, 1
  sw t0, 4(s3)               # priority of the UART
  li t1, 0x2000
  add t1, s3, t1
  li t0, 2
  sw t0, 0(t1)               # enable source 1
  li t0, 1
  sb t0, 1(s1)               # interrupt on received data
  wfi
  csrsi mstatus, 8
  csrci mstatus, 8

  ld t0, 0x10(s0)            # device tree
  lwu t0, 0(t0)
  li t1, 0xedfe0dd0
  bne t0, t1, fail
  li a0, 'D'
  call putc

  rdtime t0
  addi t0, t0, 5
  li t1, 0x4000
  add t1, s2, t1
  sd t0, 0(t1)               # mtimecmp
  wfi
  csrsi mstatus, 8
  csrci mstatus, 8

  li t0, 0x80000000          # atomics work in the SRAM
  li t1, 20
  amoadd.d zero, t1, (t0)
  li t0, 1
  sd t0, 0x40(s0)
  sw t0, 0x3c(s0)            # RESET
  j fail
second:
  la a0, again
  call puts
  li t0, 7
  sw t0, 0x38(s0)            # EXIT
1: wfi
  j 1b
fail:
  li t0, 1
  sw t0, 0x38(s0)
1: j 1b

putc:
  lbu t5, 5(s1)
  andi t5, t5, 0x20
  beqz t5, putc
  sb a0, 0(s1)
  ret
puts:
  mv t6, ra
  mv a1, a0
1:lbu a0, 0(a1)
  beqz a0, 2f
  call putc
  addi a1, a1, 1
  j 1b
2:jr t6

  .balign 4
trap:
  csrr t0, mcause
  bgez t0, fail
  slli t0, t0, 1
  srli t0, t0, 1
  li t1, 3
  beq t0, t1, software
  li t1, 7
  beq t0, t1, timer
  li t1, 11
  bne t0, t1, fail
  li t1, 0x200004
  add t1, s3, t1
  lw t2, 0(t1)               # claim
  li t3, 1
  bne t2, t3, fail
  lbu a0, 0(s1)
  sw t2, 0(t1)
  j say
software:
  sw zero, 0(s2)
  li a0, 'S'
  j say
timer:
  li t1, 0x4000
  add t1, s2, t1
  li t0, -1
  sd t0, 0(t1)
  li a0, 'T'
say:
  mv t4, ra
  call putc
  mv ra, t4
  mret
hello: .asciz "boot "
again: .asciz "again"
