// SPDX-License-Identifier: Apache-2.0
// Control and status registers of a hart with machine mode only. fcsr and mstatus.FS can be written, though there is no
// floating-point unit: FS never becomes dirty.
module riscv_csr (
    input  logic        clk,
    input  logic        rst_n,
    input  logic [63:0] hart,
    input  logic [63:0] mtime,
    input  logic        meip,
    input  logic        mtip,
    input  logic        msip,
    input  logic        retire,
    // An access: the value is there at once, `write` takes effect with the next edge.
    input  logic [11:0] address,
    input  logic        write,
    input  logic [63:0] operand,
    input  logic [1:0]  how,  // funct3: 1 write, 2 set, 3 clear
    output logic [63:0] value,
    output logic        known,
    // A trap, and the way back.
    input  logic        trap,
    input  logic        leave,
    input  logic [63:0] cause,
    input  logic [63:0] pc,
    input  logic [63:0] fault_value,
    output logic [63:0] vector,
    output logic [63:0] back,
    output logic        interrupt,   // one is to be taken
    output logic        pending,     // one is enabled in mie, whatever mstatus says
    output logic [3:0]  number
);
  logic mie_bit, mpie_bit;
  logic [1:0] fs;
  logic [2:0] enabled;  // external, timer, software
  logic [63:0] mtvec, mscratch, mepc, mcause, mtval, mcycle, minstret;
  logic [7:0] fcsr;
  wire [2:0] waiting = {meip, mtip, msip};
  wire [63:0] mstatus = {fs == 2'd3, 29'd0, 4'd10, 15'd0, fs, 2'b11, 3'd0, mpie_bit, 3'd0, mie_bit, 3'd0};
  assign pending = (waiting & enabled) != 0;
  assign interrupt = pending && mie_bit;
  assign number = waiting[2] && enabled[2] ? 4'd11 : waiting[0] && enabled[0] ? 4'd3 : 4'd7;
  assign vector = {mtvec[63:2], 2'b00} + (mtvec[0] && cause[63] ? {58'd0, cause[3:0], 2'b00} : '0);
  assign back = mepc;

  always_comb begin
    known = 1;
    case (address)
      12'h001: value = 64'(fcsr[4:0]);
      12'h002: value = 64'(fcsr[7:5]);
      12'h003: value = 64'(fcsr);
      12'h300: value = mstatus;
      12'h301: value = 64'h8000000000001104;  // RV64 I M C
      12'h304: value = {52'd0, enabled[2], 3'd0, enabled[1], 3'd0, enabled[0], 3'd0};
      12'h305: value = mtvec;
      12'h340: value = mscratch;
      12'h341: value = mepc;
      12'h342: value = mcause;
      12'h343: value = mtval;
      12'h344: value = {52'd0, waiting[2], 3'd0, waiting[1], 3'd0, waiting[0], 3'd0};
      12'hb00, 12'hc00: value = mcycle;
      12'hb02, 12'hc02: value = minstret;
      12'hc01: value = mtime;
      12'hf11, 12'hf12, 12'hf13: value = '0;
      12'hf14: value = hart;
      default: {known, value} = '0;
    endcase
  end

  wire [63:0] next = how == 2'd1 ? operand : how == 2'd2 ? value | operand : value & ~operand;
  always_ff @(posedge clk)
    if (!rst_n) begin
      {mie_bit, mpie_bit, fs, enabled, mtvec, mscratch, mepc, mcause, mtval, mcycle, minstret, fcsr} <= '0;
    end else begin
      mcycle <= mcycle + 1;
      if (retire) minstret <= minstret + 1;
      if (write)
        case (address)
          12'h001: fcsr[4:0] <= next[4:0];
          12'h002: fcsr[7:5] <= next[2:0];
          12'h003: fcsr <= next[7:0];
          12'h300: {fs, mpie_bit, mie_bit} <= {next[14:13], next[7], next[3]};
          12'h304: enabled <= {next[11], next[7], next[3]};
          12'h305: mtvec <= {next[63:2], 1'b0, next[0]};
          12'h340: mscratch <= next;
          12'h341: mepc <= {next[63:1], 1'b0};
          12'h342: mcause <= next;
          12'h343: mtval <= next;
          12'hb00: mcycle <= next;
          12'hb02: minstret <= next;
          default: ;
        endcase
      if (trap) begin
        {mpie_bit, mie_bit} <= {mie_bit, 1'b0};
        mepc <= pc;
        mcause <= cause;
        mtval <= fault_value;
      end
      if (leave) {mpie_bit, mie_bit} <= {1'b1, mpie_bit};
    end
endmodule
