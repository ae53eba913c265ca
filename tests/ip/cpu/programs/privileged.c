// SPDX-License-Identifier: Apache-2.0
// The privileged architecture by exhaustion: every kind of page table entry for every kind of access, PMP entries of all modes,
// delegation, and which registers can be seen from where. Prints what happened.
#include "support.h"

u64 enter(u64 pc, u64 privilege, u64 argument);
extern u64 trap_value, trap_pc, trap_status, trap_result, trap_vector, supervisor_seen[4];
extern char probes[], probe_load[], probe_load_byte[], probe_store[], probe_store_byte[], probe_jump[], probe_amo[], probe_call[], probe_wfi[],
    probe_sret[], probe_mret[], probe_sfence[], probe_satp[], probe_sum[], probe_float[], probe_csr[], supervisor_trap[];

enum { USER, SUPERVISOR, MACHINE = 3 };
#define V 1ull
#define R 2ull
#define W 4ull
#define X 8ull
#define U 16ull
#define A 64ull
#define D 128ull
#define SUM (1ull << 18)
#define MXR (1ull << 19)
#define MPRV (1ull << 17)
#define FS (3ull << 13)

#define RAM 0x80000000ull
#define USER_ALIAS 0x40000000ull  // of RAM, for user code
#define TEST_VA 0xc0000000ull     // two levels below: one page
#define LARGE_VA 0x100000000ull   // a gigapage or a pointer

static u64 root[512] __attribute__((aligned(4096))), middle[512] __attribute__((aligned(4096))), last[512] __attribute__((aligned(4096)));
static u64 target[1024] __attribute__((aligned(4096)));

static u64 pointer(void* table) { return (u64)table >> 12 << 10 | V; }
static u64 leaf(u64 address, u64 flags) { return address >> 12 << 10 | flags; }

static void flush(void) { __asm__ volatile("sfence.vma" ::: "memory"); }

// The address of a probe in a mode: user code lies behind an alias of its own.
static u64 code_for(u64 privilege, char* probe) { return privilege == USER && CSR_READ(satp) ? (u64)probe - RAM + USER_ALIAS : (u64)probe; }

static void show(u64 value) {
  print_hex(value);
  put(' ');
}
static void show_short(u64 value) {
  for (int shift = 12; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
  put(' ');
}

static u64 attempt(u64 privilege, char* probe, u64 argument) {
  u64 cause = enter(code_for(privilege, probe), privilege, argument);
  show_short(cause);
  if (cause < 8 || cause > 11) show(trap_value);
  return cause;
}

static void translation_on(void) {
  for (int i = 0; i < 512; i++) root[i] = middle[i] = last[i] = 0;
  root[RAM >> 30] = leaf(RAM, V | R | W | X | A | D);
  root[USER_ALIAS >> 30] = leaf(RAM, V | R | W | X | U | A | D);
  root[TEST_VA >> 30] = pointer(middle);
  middle[0] = pointer(last);
  CSR_WRITE(satp, 8ull << 60 | (u64)root >> 12);
  flush();
}
static void translation_off(void) {
  CSR_WRITE(satp, 0);
  flush();
}

static void page_table_entries(void) {
  print("every page table entry\n");
  translation_on();
  for (u64 flags = 0; flags < 256; flags++) {
    if (flags & 32) continue;  // global: no difference
    for (u64 mode = 0; mode < 4; mode++) {
      CSR_CLEAR(mstatus, SUM | MXR);
      CSR_SET(mstatus, (mode & 1 ? SUM : 0) | (mode & 2 ? MXR : 0));
      for (u64 privilege = USER; privilege <= SUPERVISOR; privilege++) {
        char* const kinds[] = {probe_load, probe_store, probe_jump, probe_amo};
        for (int kind = 0; kind < 4; kind++) {
          target[0] = 0x00000073;  // ecall
          target[1] = 0;
          __asm__ volatile("fence.i" ::: "memory");
          last[0] = leaf((u64)target, flags);
          flush();
          u64 cause = enter(code_for(privilege, kinds[kind]), privilege, TEST_VA + 0);
          int faulted = cause < 8 || cause > 11;
          if (faulted && kind == 3) {  // QEMU 7.2 calls it a load if reading fails, and sets the accessed bit first
            print(cause == 13 || cause == 15 ? "f " : "? ");
            continue;
          }
          put("0123456789abcdef"[cause & 15]);
          if (faulted && trap_value != TEST_VA) show(trap_value);
          put("0123456789abcdef"[(last[0] & 0xf0) >> 4]);  // accessed and dirty
        }
      }
      put(' ');
    }
    put('\n');
  }
  CSR_CLEAR(mstatus, SUM | MXR);
  translation_off();
}

static void strange_tables(void) {
  print("strange tables and addresses\n");
  static const u64 addresses[] = {TEST_VA, TEST_VA + 4096, TEST_VA + 0xff8, TEST_VA + 0xffc, TEST_VA + 0x200000, LARGE_VA, LARGE_VA + 0x12345678,
                                  0x4000000000ull, 0xffffffc000000000ull, 0x3fffffffffull, 0xffffffffffffffffull, 0x8000000000000000ull};
  for (int variant = 0; variant < 12; variant++) {
    translation_on();
    u64 all = V | R | W | X | A | D;
    last[0] = leaf((u64)target, all);
    switch (variant) {
      case 1: root[4] = leaf(RAM, all); break;                 // gigapage
      case 2: root[4] = leaf(RAM + 0x200000, all); break;      // misaligned
      case 3: middle[1] = leaf(RAM + 0x200000, all); break;    // megapage
      case 4: middle[1] = leaf(RAM + 0x1000, all); break;      // misaligned
      case 5: last[0] = pointer(target); break;                // a fourth level
      case 6: last[0] |= 1ull << 58; break;                    // reserved
      case 7: root[4] = pointer(root); break;                  // a loop
      case 8: last[0] = leaf(0x40000000000000ull, all); break;  // the page is nowhere
      case 9: root[256] = leaf(RAM, all); break;               // a negative address
      case 10: last[1] = leaf((u64)target, V | A); break;      // reserved combination
      case 11: last[0] = leaf((u64)target, all), last[1] = leaf((u64)target, V | R | A); break;  // an access across two pages
    }
    flush();
    for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
      if (variant == 8 && i < 4) continue;  // what is beyond RAM differs
      attempt(SUPERVISOR, probe_load, addresses[i]);
      attempt(SUPERVISOR, probe_store, addresses[i]);
    }
    put('\n');
  }
  translation_off();
}

static void protection(void) {
  print("physical memory protection\n");
  u64 base = (u64)target;
  static const struct { u64 first, second; uint8_t mode; } shapes[] = {
      {0, 0, 0}, {0, 4096 / 4, 1}, {256 / 4, 512 / 4, 1}, {256 / 4, 260 / 4, 1}, {0, 256 / 4, 2}, {0, 0, 3}, {0, 256 / 4 + 7, 3}, {0, 511, 3}, {512 / 4, 256 / 4, 1}};
  for (unsigned shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
    for (unsigned rights = 0; rights < 8; rights++) {
      if ((rights & 3) == 2) continue;
      CSR_WRITE(pmpcfg0, 0);
      CSR_WRITE(pmpaddr0, base / 4 + shapes[shape].first);
      CSR_WRITE(pmpaddr1, base / 4 + shapes[shape].second);
      CSR_WRITE(pmpaddr2, ~0ull >> 10);
      CSR_WRITE(pmpcfg0, (u64)(shapes[shape].mode << 3 | rights) << 8 | (u64)0x1f << 16);  // entry 1, and all else by entry 2
      flush();
      for (u64 privilege = USER; privilege <= SUPERVISOR; privilege++)
        for (u64 offset = 0; offset < 1024; offset += 124) {
          u64 cause[3];
          target[offset / 8] = 0x7300000073;  // ecall, ecall
          __asm__ volatile("fence.i" ::: "memory");
          cause[0] = enter((u64)probe_load_byte, privilege, base + offset);
          cause[1] = enter((u64)probe_store_byte, privilege, base + offset);
          target[offset / 8] = 0x7300000073;
          __asm__ volatile("fence.i" ::: "memory");
          cause[2] = enter((u64)probe_jump, privilege, base + offset);
          for (int i = 0; i < 3; i++) put("0123456789abcdef"[cause[i] & 15]);
        }
      put(' ');
      show(CSR_READ(pmpcfg0));
      show(CSR_READ(pmpaddr1));
      put('\n');
    }
  CSR_WRITE(pmpcfg0, 0x1f0000);
  flush();
}

static void delegation(void) {
  print("delegation\n");
  for (u64 mask = 0; mask < 2; mask++) {
    CSR_WRITE(medeleg, mask ? 0xb1ff : 0);
    CSR_WRITE(stvec, supervisor_trap);
    for (u64 privilege = USER; privilege <= SUPERVISOR; privilege++) {
      char* const kinds[] = {probe_call, probe_load, probe_jump, probe_mret, probe_satp, probe_sfence, probe_wfi};
      for (int kind = 0; kind < 7; kind++) {
        supervisor_seen[0] = supervisor_seen[1] = supervisor_seen[2] = supervisor_seen[3] = 0;
        CSR_SET(mip, 2);  // so that wfi returns
        CSR_WRITE(mie, 2);
        CSR_SET(mstatus, FS);
        attempt(privilege, kinds[kind], 0x10);
        for (int i = 0; i < 4; i++) show(supervisor_seen[i]);
        show(trap_status);
        put('\n');
      }
    }
  }
  CSR_WRITE(medeleg, 0);
  CSR_WRITE(mie, 0);
  CSR_CLEAR(mip, 2);
}

static void interrupts(void) {
  print("software interrupts\n");
  for (u64 vectored = 0; vectored < 2; vectored++)
    for (u64 delegated = 0; delegated < 2; delegated++)
      for (u64 enabled = 0; enabled < 4; enabled++)
        for (u64 number = 0; number < 9; number++) {  // one at a time: QEMU 7.2 knows no priorities
          u64 privilege = number % 3 == 2 ? MACHINE : number % 3;
          u64 pending = 2ull << number / 3 * 4;
          CSR_WRITE(mtvec, vectored);  // enter() keeps the mode
          CSR_WRITE(stvec, (u64)supervisor_trap);
          CSR_WRITE(mideleg, delegated ? 0x222 : 0);
          CSR_WRITE(mie, 0x222);
          CSR_CLEAR(mstatus, 0xaa);
          CSR_SET(mstatus, (enabled & 1 ? 2 : 0) | (enabled & 2 ? 0x80 : 0));  // SIE; MPIE becomes MIE
          CSR_WRITE(mip, pending);
          supervisor_seen[0] = supervisor_seen[3] = 0;
          u64 cause = enter((u64)probe_call, privilege, 0);
          show(cause);
          show_short(trap_vector);
          show(supervisor_seen[0]);
          show(supervisor_seen[3]);
          show(trap_status);
          show(CSR_READ(mip) & 0x222);
          put('\n');
          CSR_WRITE(mip, 0);
        }
  CSR_WRITE(mie, 0);
  CSR_WRITE(mideleg, 0);
  CSR_WRITE(mtvec, 0);
}

static void virtualisation_bits(void) {
  print("TVM, TW, TSR, FS\n");
  for (u64 set = 0; set < 8; set++)
    for (u64 privilege = USER; privilege <= MACHINE; privilege++) {
      if (privilege == 2) continue;
      CSR_CLEAR(mstatus, 7ull << 20);
      CSR_SET(mstatus, set << 20);
      CSR_WRITE(mie, 2);
      CSR_SET(mip, 2);
      CSR_CLEAR(mstatus, 2);
      attempt(privilege, probe_wfi, 0);
      attempt(privilege, probe_sfence, 0);
      attempt(privilege, probe_satp, 0);
      CSR_WRITE(sepc, probe_call);
      CSR_CLEAR(mstatus, 0x100);
      attempt(privilege, probe_sret, 0);
      attempt(privilege, probe_mret, 0);
      put('\n');
    }
  CSR_CLEAR(mstatus, 7ull << 20);
  CSR_WRITE(mie, 0);
  for (u64 fs = 0; fs < 4; fs++) {
    CSR_CLEAR(mstatus, FS);
    CSR_SET(mstatus, fs << 13);
    attempt(SUPERVISOR, probe_float, 0);
    show(trap_result);
    show(trap_status);
    put('\n');
  }
  CSR_SET(mstatus, FS);
}

static void registers(void) {
  print("who sees which register\n");
  static const uint16_t numbers[] = {0x001, 0x002, 0x003, 0xc00, 0xc01, 0xc02, 0xc03, 0x100, 0x104, 0x105, 0x106, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180,
                                     0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x340, 0x341, 0x342, 0x343, 0x344, 0x3a0, 0x3a2, 0x3b0, 0x3bf, 0xf11,
                                     0xf12, 0xf13, 0xf14, 0xb00, 0xb02, 0x320, 0x5c0, 0x7c0, 0x800, 0xcc0, 0xfc0, 0x3a1, 0xc80};
  for (u64 enables = 0; enables < 4; enables++) {
    CSR_WRITE(mcounteren, enables & 1 ? 7 : 0);
    CSR_WRITE(scounteren, enables & 2 ? 7 : 0);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
      for (u64 privilege = USER; privilege <= MACHINE; privilege++) {
        if (privilege == 2) continue;
        // csrrs a0, csr, x0 and csrrw x0, csr, a0 (not where that would disturb the machine)
        *(volatile u32*)probe_csr = 0x00002573u | (u32)numbers[i] << 20;
        __asm__ volatile("fence.i" ::: "memory");
        put("0123456789abcdef"[enter((u64)probe_csr, privilege, 0) & 15]);
        if (privilege == MACHINE && (numbers[i] >> 8 & 3) == 3 && numbers[i] < 0xc00) continue;
        *(volatile u32*)probe_csr = 0x00051073u | (u32)numbers[i] << 20;
        __asm__ volatile("fence.i" ::: "memory");
        if (numbers[i] != 0x180) put("0123456789abcdef"[enter((u64)probe_csr, privilege, 0) & 15]);
      }
      put(' ');
    }
    put('\n');
  }
}

static void modify_privilege(void) {
  print("MPRV\n");
  translation_on();
  target[0] = 0x1122334455667788;
  last[0] = leaf((u64)target, V | R | A);
  last[1] = leaf((u64)target, V | R | U | A);
  flush();
  for (u64 as = 0; as < 4; as++) {
    if (as == 2) continue;
    for (u64 sum = 0; sum < 2; sum++)
      for (u64 page = 0; page < 2; page++) {
        u64 value = 0, cause = 0;
        // A trap here comes to enter_trap of the last enter(); so the access is made with a handler of its own.
        __asm__ volatile(
            "la t0, 1f\n csrrw t1, mtvec, t0\n csrw mcause, zero\n"
            "li t2, 0x61800\n csrc mstatus, t2\n csrs mstatus, %3\n"
            "ld %0, 0(%2)\n"
            ".balign 4\n1: li t2, 0x20000\n csrc mstatus, t2\n csrw mtvec, t1\n csrr %1, mcause\n"
            : "+&r"(value), "=&r"(cause)
            : "r"(TEST_VA + page * 4096), "r"(MPRV | as << 11 | (sum ? SUM : 0))
            : "t0", "t1", "t2", "memory");
        show(value);
        show_short(cause);
      }
    put('\n');
  }
  CSR_CLEAR(mstatus, SUM);
  translation_off();
}

int main(void) {
  CSR_WRITE(pmpaddr2, ~0ull >> 10);
  CSR_WRITE(pmpcfg0, 0x1f0000);
  page_table_entries();
  strange_tables();
  protection();
  delegation();
  interrupts();
  virtualisation_bits();
  registers();
  modify_privilege();
  return 0;
}
