// SPDX-License-Identifier: Apache-2.0
// Quotient or remainder, a bit a cycle. `start` while not busy; `done` is high for one cycle with the result.
module riscv_divider (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        start,
    input  logic [63:0] a,
    input  logic [63:0] b,
    input  logic        is_signed,
    input  logic        remainder,
    input  logic        half,
    output logic        done,
    output logic [63:0] result
);
  logic [63:0] x, y, rest, quotient, divisor;
  logic negative_quotient, negative_rest, want_rest, of_half, busy;
  logic [6:0] left;
  always_comb begin
    x = half ? {{32{is_signed && a[31]}}, a[31:0]} : a;
    y = half ? {{32{is_signed && b[31]}}, b[31:0]} : b;
  end
  wire [64:0] shifted = {rest, quotient[63]};
  wire fits = shifted >= {1'b0, divisor};
  wire [63:0] full = want_rest ? (negative_rest ? -rest : rest) : (negative_quotient ? -quotient : quotient);
  assign result = of_half ? {{32{full[31]}}, full[31:0]} : full;
  assign done = busy && left == 0;
  always_ff @(posedge clk)
    if (!rst_n) busy <= 0;
    else if (start && !busy) begin
      busy <= 1;
      left <= 64;
      rest <= '0;
      quotient <= is_signed && x[63] ? -x : x;
      divisor <= is_signed && y[63] ? -y : y;
      negative_quotient <= is_signed && x[63] != y[63] && y != 0;  // by zero: all ones
      negative_rest <= is_signed && x[63];
      {want_rest, of_half} <= {remainder, half};
    end else if (busy) begin
      if (left == 0) busy <= 0;
      else begin
        left <= left - 1;
        rest <= fits ? 64'(shifted - {1'b0, divisor}) : shifted[63:0];
        quotient <= {quotient[62:0], fits};
      end
    end
endmodule
