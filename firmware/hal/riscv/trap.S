/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trap entry. mscratch holds the top of the trap stack, or 0 while a trap is being handled. The registers that
 * a C function may change are saved; those of the floating-point unit only when it has been used.
 */
#define MSTATUS_FS 0x6000 /* off, initial, clean, dirty */
#define FRAME 304

.macro integers OP
  \OP ra, 0(sp)
  \OP t0, 8(sp)
  \OP t1, 16(sp)
  \OP t2, 24(sp)
  \OP a0, 32(sp)
  \OP a1, 40(sp)
  \OP a2, 48(sp)
  \OP a3, 56(sp)
  \OP a4, 64(sp)
  \OP a5, 72(sp)
  \OP a6, 80(sp)
  \OP a7, 88(sp)
  \OP t3, 96(sp)
  \OP t4, 104(sp)
  \OP t5, 112(sp)
  \OP t6, 120(sp)
.endm

.macro floats OP
  \OP ft0, 144(sp)
  \OP ft1, 152(sp)
  \OP ft2, 160(sp)
  \OP ft3, 168(sp)
  \OP ft4, 176(sp)
  \OP ft5, 184(sp)
  \OP ft6, 192(sp)
  \OP ft7, 200(sp)
  \OP fa0, 208(sp)
  \OP fa1, 216(sp)
  \OP fa2, 224(sp)
  \OP fa3, 232(sp)
  \OP fa4, 240(sp)
  \OP fa5, 248(sp)
  \OP fa6, 256(sp)
  \OP fa7, 264(sp)
  \OP ft8, 272(sp)
  \OP ft9, 280(sp)
  \OP ft10, 288(sp)
  \OP ft11, 296(sp)
.endm

  .section .text.trap_entry, "ax", @progbits
  .globl trap_entry
  .type trap_entry, @function
  .balign 4
trap_entry:
  csrrw sp, mscratch, sp
  beqz sp, 3f
  addi sp, sp, -FRAME
  integers sd
  sd s0, 136(sp)
  csrr t0, mscratch /* sp of the interrupted code */
  sd t0, 128(sp)
  csrw mscratch, zero
  /* mstatus.FS is dirty (both bits set) when the interrupted code has used the floating-point unit */
  csrr s0, mstatus
  li t0, MSTATUS_FS
  and s0, s0, t0
  xor s0, s0, t0 /* 0: dirty; s0 outlives the call */
  bnez s0, 1f
  floats fsd
1:
  csrr a0, mcause
  csrr a1, mepc
  csrr a2, mtval
  call trap_dispatch
  csrw mepc, a0
  bnez s0, 2f
  floats fld
2:
  ld s0, 136(sp)
  ld t0, 128(sp)
  addi t1, sp, FRAME
  csrw mscratch, t1
  sd t0, 128(sp)
  integers ld
  ld sp, 128(sp)
  mret
3: /* a trap inside a trap handler: nothing left but to stop */
  la sp, __trap_stack_end
  call trap_nested
4:
  wfi
  j 4b
  .size trap_entry, . - trap_entry

/* bool hal_try_read32(uint64_t address, uint32_t* value), and the same with 64 bits */
  .section .text.guarded_reads, "ax", @progbits
  .globl hal_try_read32, hal_try_read64, guarded_reads, guarded_reads_end
  .type hal_try_read32, @function
  .type hal_try_read64, @function
  .balign 4
guarded_reads:
hal_try_read32:
  lw a2, 0(a0)
  sw a2, 0(a1)
  li a0, 1
  ret
hal_try_read64:
  ld a2, 0(a0)
  sd a2, 0(a1)
  li a0, 1
  ret
guarded_reads_end:
  li a0, 0
  ret
