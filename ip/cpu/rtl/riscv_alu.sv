// SPDX-License-Identifier: Apache-2.0
// Integer operations of RV64IM but division. `half`: of 32 bits, the result sign-extended.
module riscv_alu (
    input  logic [63:0] a,
    input  logic [63:0] b,
    input  logic [2:0]  operation,  // funct3
    input  logic        other,      // sub, sra
    input  logic        multiply,
    input  logic        half,
    output logic [63:0] result
);
  wire [63:0] sum = other ? a - b : a + b;
  wire [5:0] amount = half ? {1'b0, b[4:0]} : b[5:0];
  wire [63:0] whole = half ? {{32{other && a[31]}}, a[31:0]} : a;
  wire [63:0] right = other ? 64'($signed(whole) >>> amount) : whole >> amount;
  wire signed [64:0] x = {operation != 3'd3 && a[63], a}, y = {operation[2:1] == 2'd0 && b[63], b};
  wire signed [129:0] product = x * y;
  logic [63:0] full;
  always_comb begin
    case (operation)
      3'd0: full = sum;
      3'd1: full = a << amount;
      3'd2: full = 64'($signed(a) < $signed(b));
      3'd3: full = 64'(a < b);
      3'd4: full = a ^ b;
      3'd5: full = right;
      3'd6: full = a | b;
      default: full = a & b;
    endcase
    if (multiply) full = operation == 3'd0 ? product[63:0] : product[127:64];
    result = half ? {{32{full[31]}}, full[31:0]} : full;
  end
endmodule
