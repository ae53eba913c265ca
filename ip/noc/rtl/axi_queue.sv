// SPDX-License-Identifier: Apache-2.0
// A first-in first-out queue of DEPTH entries; what is pushed is at the head in the next cycle.
module axi_queue #(
    parameter int WIDTH = 4,
    parameter int DEPTH = 8
) (
    input  logic             clk,
    input  logic             rst_n,
    input  logic             push,
    input  logic [WIDTH-1:0] in,
    input  logic             pop,
    output logic             full,
    output logic             empty,
    output logic [WIDTH-1:0] head
);
  localparam int BITS = $clog2(DEPTH + 1), PLACE = DEPTH > 1 ? $clog2(DEPTH) : 1;
  logic [WIDTH-1:0] entries[DEPTH];
  logic [BITS-1:0] count;
  logic [PLACE-1:0] first, last;
  assign full = count == BITS'(DEPTH);
  assign empty = count == '0;
  assign head = entries[first];
  always_ff @(posedge clk)
    if (!rst_n) begin
      first <= '0;
      last <= '0;
      count <= '0;
    end else begin
      if (push) begin
        entries[last] <= in;
        last <= last == PLACE'(DEPTH - 1) ? '0 : last + 1'b1;
      end
      if (pop) first <= first == PLACE'(DEPTH - 1) ? '0 : first + 1'b1;
      if (push && !pop) count <= count + 1'b1;
      if (pop && !push) count <= count - 1'b1;
    end
endmodule
