// SPDX-License-Identifier: Apache-2.0
// What QEMU does differently or does not model: each line says what happened, and the test says what should.
#include "support.h"

static struct {
  u64 cause, value, pc, retired;
} trap;
static u64 memory[64] __attribute__((aligned(4096)));

// Skips the instruction of four bytes that trapped.
__attribute__((naked, aligned(4))) static void skip(void) {
  __asm__ volatile(
      "csrw mscratch, t0\n la t0, %0\n sd t1, -8(sp)\n"
      "csrr t1, mcause\n sd t1, 0(t0)\n csrr t1, mtval\n sd t1, 8(t0)\n csrr t1, mepc\n sd t1, 16(t0)\n"
      "addi t1, t1, 4\n csrw mepc, t1\n csrr t1, minstret\n sd t1, 24(t0)\n"
      "ld t1, -8(sp)\n csrr t0, mscratch\n mret" ::"i"(&trap));
}

// Executes one instruction on a0 (an address) and a1, and prints the trap that it made, if any, and what became of a1.
#define ATTEMPT(name, instruction, address)                                                              \
  do {                                                                                                   \
    register u64 a0 __asm__("a0") = (u64)(address);                                                      \
    register u64 a1 __asm__("a1") = 0x1234;                                                              \
    trap.cause = ~0ull, trap.value = 0;                                                                  \
    __asm__ volatile(".option push\n.option norvc\n" instruction "\n.option pop" : "+r"(a0), "+r"(a1)::"memory"); \
    u64 result = a1;                                                                                     \
    print(name);                                                                                         \
    if (trap.cause != ~0ull) {                                                                           \
      print(" cause ");                                                                                  \
      print_hex(trap.cause);                                                                             \
      print(" value ");                                                                                  \
      print_hex(trap.value);                                                                             \
    }                                                                                                    \
    print_value(" a1", result);                                                                          \
  } while (0)

static void faults(void) {
  const u64 nothing = 0x70000000, device = 0x11000000, slow = 0x90080000;
  ATTEMPT("load from nothing", "ld a1, 0(a0)", nothing);
  ATTEMPT("store to nothing", "sd a1, 0(a0)", nothing);
  ATTEMPT("byte from nothing", "lb a1, 3(a0)", nothing);
  ATTEMPT("amo on a device", "amoadd.w a1, a1, (a0)", device);
  ATTEMPT("lr on a device", "lr.w a1, (a0)", device);
  ATTEMPT("sc on a device", "sc.w a1, a1, (a0)", device);
  ATTEMPT("lr without dmi", "lr.d a1, (a0)", slow);
  ATTEMPT("misaligned amo", "amoadd.d a1, a1, (a0)", (u64)memory + 4);
  ATTEMPT("misaligned lr", "lr.w a1, (a0)", (u64)memory + 2);
  ATTEMPT("misaligned sc", "sc.w a1, a1, (a0)", (u64)memory + 2);
  ATTEMPT("absent csr", "csrr a1, 0x7c0", 0);
  ATTEMPT("write of a constant csr", "csrw mhartid, a1", 0);
  ATTEMPT("environment call", "ecall", 0);
  // Misaligned accesses without DMI are made in pieces.
  for (unsigned i = 0; i < 16; i++) ((volatile uint8_t*)slow)[i] = (uint8_t)(16 + i);
  ATTEMPT("misaligned load", "ld a1, 3(a0)", slow);
  ATTEMPT("misaligned store", "sd a1, 5(a0)", slow);
  ATTEMPT("read back", "ld a1, 0(a0)", slow + 4);
  ATTEMPT("half out of memory", "lw a1, -2(a0)", 0x90100000);
  // A jump to nowhere traps there.
  u64 after;
  __asm__ volatile("la %0, 1f\n csrw mscratch, %0\n la t0, 2f\n csrw mtvec, t0\n jr %1\n .balign 4\n2: csrr t0, mscratch\n csrw mepc, t0\n mret\n1:"
                   : "=&r"(after) : "r"(0x70000000ull) : "t0", "memory");
  print_value("fetch from nothing cause", CSR_READ(mcause));
  print_value("value", CSR_READ(mtval));
  CSR_WRITE(mtvec, skip);
}

static void reservations(void) {
  u64 failed;
#define SEQUENCE(name, between)                                                                      \
  memory[0] = 5, memory[1] = 6;                                                                      \
  __asm__ volatile("lr.d t0, (%1)\n" between "\nsc.d %0, %2, (%1)"                                   \
                   : "=&r"(failed) : "r"(memory), "r"(9ull) : "t0", "t1", "memory");                 \
  print(name);                                                                                       \
  print_value(failed ? " fails" : " succeeds", memory[0]);
  SEQUENCE("plain sc", "")
  SEQUENCE("sc after a store elsewhere", "sd zero, 8(%1)")
  SEQUENCE("sc after a store to it", "sd t0, 0(%1)")
  SEQUENCE("sc after a byte store to it", "lbu t1, 7(%1)\n sb t1, 7(%1)")
  SEQUENCE("sc after a misaligned store to it", "lwu t1, 6(%1)\n sw t1, 6(%1)")
  SEQUENCE("sc after amo to it", "amoadd.w t1, zero, (%1)")
  SEQUENCE("sc after a trap", "ecall")
  SEQUENCE("sc after another sc", "addi t1, %1, 8\n sc.d t1, t1, (t1)")
  SEQUENCE("sc after a load", "ld t1, 0(%1)")
  memory[0] = 5;
  __asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(memory), "r"(9ull) : "memory");
  print(failed ? "sc alone fails\n" : "sc alone succeeds\n");
}

static void counters(void) {
  u64 a, b;
  __asm__ volatile("csrr %0, minstret\n nop\n nop\n nop\n csrr %1, minstret" : "=r"(a), "=r"(b));
  print_value("instructions between", b - a);
  __asm__ volatile("csrw minstret, %2\n csrr %0, minstret\n nop\n csrr %1, minstret" : "=&r"(a), "=&r"(b) : "r"(1000ull));
  print_value("written minstret", a);
  print_value("two later", b);
  __asm__ volatile("csrw mcycle, %2\n csrr %0, mcycle\n csrr %1, mcycle" : "=&r"(a), "=&r"(b) : "r"(0xfffffffffffffff0ull));
  print_value("written mcycle", a);
  print_value("cycles of a csr read", b - a);
  __asm__ volatile("csrsi mcountinhibit, 4\n csrr %0, minstret\n nop\n nop\n csrr %1, minstret\n csrci mcountinhibit, 4" : "=r"(a), "=r"(b));
  print_value("inhibited", b - a);
  __asm__ volatile("csrsi mcountinhibit, 1\n csrr %0, mcycle\n nop\n nop\n csrr %1, mcycle\n csrw mcountinhibit, zero" : "=r"(a), "=r"(b));
  print_value("inhibited cycles", b - a);
  __asm__ volatile("csrr %0, minstret\n .option push\n.option norvc\n ld zero, 0(%1)\n ecall\n .option pop" : "=&r"(a) : "r"(0x70000000ull) : "memory");
  b = trap.retired;
  // The csrr itself; the load retires not; the handler up to its read of minstret and the rest of it; the ecall retires not; the handler.
  print_value("traps do not retire", b - a);
  print_value("counters are hardwired", CSR_READ(mhpmcounter3) | CSR_READ(mhpmevent3));
  CSR_WRITE(mcounteren, ~0ull);
  print_value("mcounteren", CSR_READ(mcounteren));
  CSR_WRITE(scounteren, ~0ull);
  print_value("scounteren", CSR_READ(scounteren));
  CSR_WRITE(sepc, ~0ull);
  print_value("sepc", CSR_READ(sepc));
  CSR_WRITE(mepc, ~0ull);
  print_value("mepc", CSR_READ(mepc));
  CSR_WRITE(medeleg, ~0ull);
  print_value("medeleg", CSR_READ(medeleg));
  CSR_WRITE(medeleg, 0);
  CSR_WRITE(mideleg, ~0ull);
  print_value("mideleg", CSR_READ(mideleg));
  CSR_WRITE(mideleg, 0);
  print_value("misa", CSR_READ(misa));
  CSR_WRITE(satp, 9ull << 60 | 5);
  print_value("satp of an unknown mode", CSR_READ(satp));
  CSR_WRITE(mtvec, (u64)skip | 2);
  print_value("mtvec low bits", CSR_READ(mtvec) & 3);
  CSR_WRITE(mtvec, skip);
}

static void priorities(void) {
  // All of them at once: the order in which they are taken.
  print("order");
  CSR_WRITE(mideleg, 0);
  CSR_SET(mip, 0x222);
  CSR_WRITE(mie, 0xaaa);
  *(volatile u32*)0x2000000 = 1;               // software interrupt
  *(volatile u64*)0x2004000 = 0;               // timer
  *(volatile u32*)0xc000004 = 1;               // source 1, for both contexts
  *(volatile u32*)0xc002000 = 2;
  *(volatile u32*)0xc002080 = 2;
  *(volatile u32*)0x11000000 = 1;
  u64 pending;
  do pending = CSR_READ(mip);
  while ((pending & 0xaaa) != 0xaaa);
  for (int i = 0; i < 6; i++) {
    u64 cause;
    __asm__ volatile("la t0, 1f\n csrw mtvec, t0\n csrsi mstatus, 8\n nop\n .balign 4\n1: csrr %0, mcause" : "=r"(cause)::"t0", "memory");
    put(' ');
    print_hex(cause);
    CSR_CLEAR(mie, 1ull << (cause & 63));
  }
  put('\n');
  CSR_CLEAR(mstatus, 8);
  CSR_WRITE(mtvec, skip);
  // Setting a bit of mip with csrs does not make the line's level sticky.
  *(volatile u32*)0x11000000 = 0;
  *(volatile u32*)0xc000004 = 0;
  CSR_WRITE(mip, 0);
  *(volatile u32*)0xc000004 = 1;
  *(volatile u32*)0x11000000 = 1;
  while (!(CSR_READ(mip) & 0x200));
  CSR_SET(mip, 2);
  *(volatile u32*)0x11000000 = 0;
  print_value("mip after the line fell", CSR_READ(mip) & 0x222);
  CSR_WRITE(mip, 0);
}

static u32 code_page[2048] __attribute__((aligned(4096)));
static void self_modifying(void) {
  u64 (*function)(void) = (u64(*)(void))code_page;
  code_page[0] = 0x00100513;  // li a0, 1
  code_page[1] = 0x00008067;  // ret
  __asm__ volatile("fence.i" ::: "memory");
  print_value("first", function());
  code_page[0] = 0x00200513;
  print_value("without fence.i", function());
  __asm__ volatile("fence.i" ::: "memory");
  print_value("with fence.i", function());
  // Across the page's end: the second half lies in the next page.
  uint16_t* half = (uint16_t*)code_page + 2047;
  half[0] = 0x0513, half[1] = 0x0030, half[2] = 0x8067, half[3] = 0x0000;
  function = (u64(*)(void))half;
  __asm__ volatile("fence.i" ::: "memory");
  print_value("across pages", function());
  half[1] = 0x0040;
  __asm__ volatile("fence.i" ::: "memory");
  print_value("across pages, second half changed", function());
  // Without DMI.
  volatile u32* slow = (volatile u32*)0x90080000;
  slow[0] = 0x00500513, slow[1] = 0x00008067;
  function = (u64(*)(void))slow;
  print_value("without dmi", function());
  slow[0] = 0x00600513;
  print_value("without dmi and fence.i", function());
  __asm__ volatile("fence.i" ::: "memory");
  print_value("without dmi, with fence.i", function());
  // Both: the first half in one page, the second in the next, neither with DMI.
  volatile uint16_t* edge = (volatile uint16_t*)(0x90080000 + 4094);
  edge[0] = 0x0513, edge[1] = 0x0070, edge[2] = 0x8067, edge[3] = 0x0000;
  function = (u64(*)(void))edge;
  __asm__ volatile("fence.i" ::: "memory");
  print_value("across pages without dmi", function());
  // In a page that a PMP entry divides.
  slow = (volatile u32*)0x90083ff0;
  slow[0] = 0x00000513, slow[1] = 0x00150513, slow[2] = 0x00a00293;  // li a0, 0; addi a0, a0, 1; li t0, 10
  slow[3] = 0x1be30001, slow[4] = 0x8082fe55;  // c.nop; bne a0, t0, -10, which lies across the page's end; ret
  function = (u64(*)(void))slow;
  __asm__ volatile("fence.i" ::: "memory");
  print_value("in a divided page", function());
}

int main(void) {
  CSR_WRITE(mtvec, skip);
  CSR_WRITE(pmpaddr0, 0x90083008 / 4);  // four bytes that even machine mode has rights to, so that the page is divided
  CSR_WRITE(pmpaddr1, ~0ull >> 10);
  CSR_WRITE(pmpcfg0, 0x1f97);
  faults();
  reservations();
  counters();
  priorities();
  self_modifying();
  return 0;
}
