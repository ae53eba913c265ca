// SPDX-License-Identifier: Apache-2.0
// The one of N words that is granted, 0 if none is.
module axi_choice #(
    parameter int N = 2,
    parameter int WIDTH = 8
) (
    input  logic [N-1:0]       grant,
    input  logic [N*WIDTH-1:0] in,
    output logic [WIDTH-1:0]   out
);
  always_comb begin
    out = '0;
    for (int i = 0; i < N; i++) if (grant[i]) out = out | in[i*WIDTH+:WIDTH];
  end
endmodule
