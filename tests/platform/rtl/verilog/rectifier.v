// SPDX-License-Identifier: Apache-2.0
// A vector engine of another style, in Verilog-2001: moves, negates and rectifies binary32, a beat of N lanes a cycle.
module rectifier #(parameter N = 4) (
    input clock, input reset,
    input go, output done, input [7:0] opcode, input [31:0] rows, input [31:0] columns,
    input a_valid, output a_ready, input [32*N-1:0] a_data,
    output reg d_valid, input d_ready, output reg [32*N-1:0] d_data
);
  reg [31:0] row, column;
  reg last;
  wire row_end = columns - column <= N;
  assign a_ready = go & ~(d_valid & last) & (~d_valid | d_ready);
  assign done = d_valid & d_ready & last;

  reg [32*N-1:0] out;
  integer i;
  reg [31:0] x;
  always @* begin
    out = 0;
    for (i = 0; i < N; i = i + 1) begin
      x = a_data[32*i+:32];
      case (opcode)
        8'h10: x[31] = ~x[31];
        8'h11: x[31] = 1'b0;
        8'h1a: if (x[31] | x[30:0] == 0) x = x[30:0] > 31'h7f800000 ? x : 32'b0;
        default: ;
      endcase
      out[32*i+:32] = x[30:0] > 31'h7f800000 ? 32'h7fc00000 : x;
    end
  end

  always @(posedge clock)
    if (reset) begin
      d_valid <= 0;
      last <= 0;
      row <= 0;
      column <= 0;
    end else begin
      if (d_ready) d_valid <= 0;
      if (done) begin
        last <= 0;
        row <= 0;
      end
      if (a_valid & a_ready) begin
        d_valid <= 1;
        d_data <= out;
        last <= row_end & row == rows - 1;
        column <= row_end ? 0 : column + N;
        if (row_end) row <= row + 1;
      end
    end
endmodule
