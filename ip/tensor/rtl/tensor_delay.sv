// SPDX-License-Identifier: Apache-2.0
// A value STAGES enabled cycles later; 0 stages are a wire.
module tensor_delay #(
    parameter int WIDTH = 8,
    parameter int STAGES = 1
) (
    input  logic             clk,
    input  logic             enable,
    input  logic [WIDTH-1:0] in,
    output logic [WIDTH-1:0] out
);
  if (STAGES == 0) begin : g_wire
    logic unused;
    assign unused = &{1'b0, clk, enable};
    assign out = in;
  end else if (STAGES == 1) begin : g_one
    always_ff @(posedge clk) if (enable) out <= in;
  end else begin : g_line
    logic [STAGES*WIDTH-1:0] line;
    always_ff @(posedge clk) if (enable) line <= {line[(STAGES-1)*WIDTH-1:0], in};
    assign out = line[STAGES*WIDTH-1-:WIDTH];
  end
endmodule
