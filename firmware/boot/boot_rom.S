/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot ROM, where the CPU starts after reset. It asks the system controller where the program and the
 * device tree are, and jumps: a0 is the number of the hart, a1 the address of the device tree. The place of
 * the system controller is the one address that is known before the device tree is.
 */
#define SYSCTL 0x100000
#define BOOT_ADDRESS 0x08 /* offsets: FR_SYSCTL_REGISTERS */
#define DEVICE_TREE 0x10

  .globl sysctl_boot_address, sysctl_device_tree /* for a test that compares them with the address map */
  .set sysctl_boot_address, SYSCTL + BOOT_ADDRESS
  .set sysctl_device_tree, SYSCTL + DEVICE_TREE

  .section .text.boot, "ax", @progbits
  .globl _start
_start:
  la t0, failed
  csrw mtvec, t0
  csrr a0, mhartid
  li t0, SYSCTL
  ld a1, DEVICE_TREE(t0)
  ld t1, BOOT_ADDRESS(t0)
  fence.i
  jr t1
  .balign 4
failed: /* nothing at the boot address: mcause, mepc and mtval say more to a debugger */
  wfi
  j failed
