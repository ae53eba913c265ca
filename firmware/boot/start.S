/* SPDX-License-Identifier: Apache-2.0 */
/* Start of every application: a0 is the number of the hart, a1 the address of the device tree. */
#define MSTATUS_FS_INITIAL 0x2000

  .section .text..start, "ax", @progbits
  .globl _start
  .type _start, @function
_start:
  csrw mie, zero
  csrci mstatus, 8
  la t0, trap_entry
  csrw mtvec, t0
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la t0, __trap_stack_end
  csrw mscratch, t0
  bnez a0, 3f /* firmware runs on hart 0 */
  li t0, MSTATUS_FS_INITIAL
  csrs mstatus, t0
  csrw fcsr, zero
  la sp, __stack_end
  la tp, __tls_base /* one thread: the thread-local data lies where it was loaded */
  la t0, __data_start
  la t1, __data_end
  la t2, __data_load
0:
  bgeu t0, t1, 0f
  ld t3, 0(t2)
  sd t3, 0(t0)
  addi t0, t0, 8
  addi t2, t2, 8
  j 0b
0:
  la t0, __bss_start
  la t1, __bss_end
  bgeu t0, t1, 2f
1:
  sd zero, 0(t0)
  addi t0, t0, 8
  bltu t0, t1, 1b
2:
  mv a0, a1
  call firmware_main
3:
  call hal_halt
  .size _start, . - _start
