# SPDX-License-Identifier: Apache-2.0
# Firmware that is dead in different ways, one a label; the entry chooses.
  .globl halts, spins, traps_in_its_handler, returns_to_its_fault, emulates, sleeps_and_ends
#define SYSCTL_EXIT 0x100038

halts: # wfi with every interrupt masked
  csrw mie, zero
  wfi
  j halts

spins:
  j spins

traps_in_its_handler: # nothing is there
  li t0, 0x40
  csrw mtvec, t0
  ecall

returns_to_its_fault:
  la t0, returns
  csrw mtvec, t0
  li t1, 0x40
faults:
  ld t0, 0(t1)
returns:
  mret

emulates: # 100,000 traps, each of which is served, in 300 thousand instructions and some
  la t0, serves
  csrw mtvec, t0
  li t1, 100000
again:
  ecall
  addi t1, t1, -1
  bnez t1, again
ends:
  li t0, SYSCTL_EXIT
  li t1, 7
  sw t1, 0(t0)
1:
  wfi
  j 1b
serves:
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  mret

sleeps_and_ends: # for 100 ms, by the timer
  li t0, 0x0200bff8
  ld t1, 0(t0)
  li t2, 1000000
  add t1, t1, t2
  li t0, 0x02004000
  sd t1, 0(t0)
  li t0, 0x80
  csrs mie, t0
  wfi
  j ends
