// SPDX-License-Identifier: Apache-2.0
// Round robin: the grant goes to the first request behind the one that was last taken.
module axi_arbiter #(
    parameter int N = 2
) (
    input  logic         clk,
    input  logic         rst_n,
    input  logic [N-1:0] request,
    input  logic         take,
    output logic [N-1:0] grant  // at most one bit
);
  logic [N-1:0] behind, first;  // behind: requests that come first in this turn
  assign first = (request & behind) != '0 ? request & behind : request;
  assign grant = first & (~first + 1'b1);
  always_ff @(posedge clk)
    if (!rst_n) begin
      behind <= '1;
    end else if (take) begin
      behind <= ~(grant | (grant - 1'b1));
    end
endmodule
