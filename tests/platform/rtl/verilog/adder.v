// SPDX-License-Identifier: Apache-2.0
// Adds STEP to each byte of a stream.
module adder #(parameter STEP = 1) (
    input clk, input rst_n,
    input i_tvalid, output i_tready, input [31:0] i_tdata, input [3:0] i_tkeep, input i_tlast,
    output reg o_valid, input o_tready, output reg [31:0] o_tdata, output reg [3:0] o_tkeep, output reg o_tlast
);
  assign i_tready = rst_n & (!o_valid | o_tready);
  integer i;
  always @(posedge clk)
    if (!rst_n) o_valid <= 0;
    else if (i_tready) begin
      o_valid <= i_tvalid;
      for (i = 0; i < 4; i = i + 1) o_tdata[8*i+:8] <= i_tdata[8*i+:8] + STEP;
      o_tkeep <= i_tkeep;
      o_tlast <= i_tlast;
    end
endmodule
