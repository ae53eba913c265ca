// SPDX-License-Identifier: Apache-2.0
// The 32-bit instruction that a compressed one of RV64C stands for; all zeros, which is illegal, for those that stand for none.
module riscv_expand (
    input  logic [15:0] c,
    output logic [31:0] i
);
  localparam logic [6:0] LOAD = 7'h03, IMMEDIATE = 7'h13, IMMEDIATE_32 = 7'h1b, STORE = 7'h23, REGISTER = 7'h33, LUI = 7'h37,
      REGISTER_32 = 7'h3b, BRANCH = 7'h63, JALR = 7'h67, JAL = 7'h6f, LOAD_FP = 7'h07, STORE_FP = 7'h27;
  wire [4:0] rd = c[11:7], rs2 = c[6:2], rd_short = {2'b01, c[4:2]}, rs1_short = {2'b01, c[9:7]};
  wire [11:0] imm6 = {{7{c[12]}}, c[6:2]};
  wire [11:0] word = {5'd0, c[5], c[12:10], c[6], 2'b00}, double = {4'd0, c[6:5], c[12:10], 3'b000};
  wire [11:0] sp_word = {4'd0, c[3:2], c[12], c[6:4], 2'b00}, sp_double = {3'd0, c[4:2], c[12], c[6:5], 3'b000};
  wire [11:0] sp_store_word = {4'd0, c[8:7], c[12:9], 2'b00}, sp_store_double = {3'd0, c[9:7], c[12:10], 3'b000};
  wire [11:0] sp4 = {2'd0, c[10:7], c[12:11], c[5], c[6], 2'b00};
  wire [11:0] sp16 = {{3{c[12]}}, c[4:3], c[5], c[2], c[6], 4'd0};
  wire [20:0] jump = {{10{c[12]}}, c[8], c[10:9], c[6], c[7], c[2], c[11], c[5:3], 1'b0};
  wire [12:0] branch = {{5{c[12]}}, c[6:5], c[2], c[11:10], c[4:3], 1'b0};

  function automatic logic [31:0] store(input logic [11:0] offset, input logic [4:0] source, base, input logic [2:0] size,
                                        input logic [6:0] opcode);
    return {offset[11:5], source, base, size, offset[4:0], opcode};
  endfunction

  always_comb begin
    i = '0;
    case ({c[1:0], c[15:13]})
      5'b00_000: if (sp4 != 0) i = {sp4, 5'd2, 3'b000, rd_short, IMMEDIATE};
      5'b00_001: i = {double, rs1_short, 3'b011, rd_short, LOAD_FP};
      5'b00_010: i = {word, rs1_short, 3'b010, rd_short, LOAD};
      5'b00_011: i = {double, rs1_short, 3'b011, rd_short, LOAD};
      5'b00_101: i = store(double, rd_short, rs1_short, 3'b011, STORE_FP);
      5'b00_110: i = store(word, rd_short, rs1_short, 3'b010, STORE);
      5'b00_111: i = store(double, rd_short, rs1_short, 3'b011, STORE);
      5'b01_000: i = {imm6, rd, 3'b000, rd, IMMEDIATE};
      5'b01_001: if (rd != 0) i = {imm6, rd, 3'b000, rd, IMMEDIATE_32};
      5'b01_010: i = {imm6, 5'd0, 3'b000, rd, IMMEDIATE};
      5'b01_011:
      if (imm6 != 0) i = rd == 2 ? {sp16, 5'd2, 3'b000, 5'd2, IMMEDIATE} : {{15{c[12]}}, c[6:2], rd, LUI};
      5'b01_100:
      case (c[11:10])
        2'b00: i = {6'b000000, c[12], c[6:2], rs1_short, 3'b101, rs1_short, IMMEDIATE};
        2'b01: i = {6'b010000, c[12], c[6:2], rs1_short, 3'b101, rs1_short, IMMEDIATE};
        2'b10: i = {imm6, rs1_short, 3'b111, rs1_short, IMMEDIATE};
        default:
        case ({c[12], c[6:5]})
          3'b000: i = {7'h20, rd_short, rs1_short, 3'b000, rs1_short, REGISTER};
          3'b001: i = {7'h00, rd_short, rs1_short, 3'b100, rs1_short, REGISTER};
          3'b010: i = {7'h00, rd_short, rs1_short, 3'b110, rs1_short, REGISTER};
          3'b011: i = {7'h00, rd_short, rs1_short, 3'b111, rs1_short, REGISTER};
          3'b100: i = {7'h20, rd_short, rs1_short, 3'b000, rs1_short, REGISTER_32};
          3'b101: i = {7'h00, rd_short, rs1_short, 3'b000, rs1_short, REGISTER_32};
          default: ;
        endcase
      endcase
      5'b01_101: i = {jump[20], jump[10:1], jump[11], jump[19:12], 5'd0, JAL};
      5'b01_110: i = {branch[12], branch[10:5], 5'd0, rs1_short, 3'b000, branch[4:1], branch[11], BRANCH};
      5'b01_111: i = {branch[12], branch[10:5], 5'd0, rs1_short, 3'b001, branch[4:1], branch[11], BRANCH};
      5'b10_000: i = {6'b000000, c[12], c[6:2], rd, 3'b001, rd, IMMEDIATE};
      5'b10_001: i = {sp_double, 5'd2, 3'b011, rd, LOAD_FP};
      5'b10_010: if (rd != 0) i = {sp_word, 5'd2, 3'b010, rd, LOAD};
      5'b10_011: if (rd != 0) i = {sp_double, 5'd2, 3'b011, rd, LOAD};
      5'b10_100:
      if (!c[12]) begin
        if (rs2 != 0) i = {7'h00, rs2, 5'd0, 3'b000, rd, REGISTER};
        else if (rd != 0) i = {12'd0, rd, 3'b000, 5'd0, JALR};
      end else if (rs2 != 0) i = {7'h00, rs2, rd, 3'b000, rd, REGISTER};
      else i = rd != 0 ? {12'd0, rd, 3'b000, 5'd1, JALR} : 32'h00100073;
      5'b10_101: i = store(sp_store_double, rs2, 5'd2, 3'b011, STORE_FP);
      5'b10_110: i = store(sp_store_word, rs2, 5'd2, 3'b010, STORE);
      5'b10_111: i = store(sp_store_double, rs2, 5'd2, 3'b011, STORE);
      default: ;
    endcase
  end
endmodule
