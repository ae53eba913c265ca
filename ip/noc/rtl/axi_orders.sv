// SPDX-License-Identifier: Apache-2.0
// What one port has under way in one direction, by ID: transactions of one ID must end in order, so that they may be under
// way at one target only.
module axi_orders #(
    parameter int ID = 4,
    parameter int TARGET = 2,
    parameter int DEPTH = 8
) (
    input  logic              clk,
    input  logic              rst_n,
    input  logic [ID-1:0]     id,
    input  logic [TARGET-1:0] target,
    input  logic              begins,   // of `id` at `target`
    input  logic              ends,
    input  logic [ID-1:0]     end_id,
    output logic              allowed,  // `id` may go to `target`
    output logic              none      // under way
);
  localparam int BITS = $clog2(DEPTH + 1);
  logic [BITS-1:0] count[2**ID];
  logic [TARGET-1:0] where[2**ID];
  logic [BITS+ID-1:0] total;
  assign allowed = count[id] == '0 || (where[id] == target && count[id] != BITS'(DEPTH));
  assign none = total == '0;
  always_ff @(posedge clk)
    if (!rst_n) begin
      total <= '0;
      for (int i = 0; i < 2 ** ID; i++) count[i] <= '0;
    end else begin
      if (begins) where[id] <= target;
      if (begins && !(ends && end_id == id)) count[id] <= count[id] + 1'b1;
      if (ends && !(begins && end_id == id)) count[end_id] <= count[end_id] - 1'b1;
      if (begins && !ends) total <= total + 1'b1;
      if (ends && !begins) total <= total - 1'b1;
    end
endmodule
