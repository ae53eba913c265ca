// SPDX-License-Identifier: Apache-2.0
// A register stage of two entries between ready/valid streams: no path from one side's inputs to the other side's outputs.
module axi_stage #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             rst_n,
    input  logic             in_valid,
    output logic             in_ready,
    input  logic [WIDTH-1:0] in_data,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [WIDTH-1:0] out_data
);
  logic [WIDTH-1:0] second;
  logic second_valid;
  assign in_ready = !second_valid;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      out_valid <= 1'b0;
      second_valid <= 1'b0;
    end else begin
      if (out_ready || !out_valid) begin
        out_valid <= second_valid || in_valid;
        second_valid <= 1'b0;
      end else if (in_valid && in_ready) begin
        second_valid <= 1'b1;
      end
    end
    if (out_ready || !out_valid) out_data <= second_valid ? second : in_data;
    if (in_ready) second <= in_data;
  end
endmodule
