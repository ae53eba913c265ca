// SPDX-License-Identifier: Apache-2.0
// The bursts under way in one direction, oldest first: answers come in this order, since all have the same ID.
module dma_flights #(
    parameter int DEPTH = 8  // 1 or more
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        push,
    input  logic [63:0] push_address,
    input  logic [12:0] push_length,
    input  logic        pop,
    output logic [63:0] address,  // of the oldest
    output logic [12:0] length,
    output logic        empty,
    output logic        full
);
  localparam int INDEX = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [76:0] list[0:DEPTH-1];
  logic [INDEX-1:0] first, next;
  logic [INDEX:0] count;
  assign {address, length} = list[first];
  assign empty = count == 0;
  assign full = count == (INDEX + 1)'(DEPTH);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      first <= '0;
      next <= '0;
      count <= '0;
    end else begin
      if (push) next <= next == INDEX'(DEPTH - 1) ? '0 : next + 1'b1;
      if (pop) first <= first == INDEX'(DEPTH - 1) ? '0 : first + 1'b1;
      count <= count + (INDEX + 1)'(push) - (INDEX + 1)'(pop);
    end
    if (push) list[next] <= {push_address, push_length};
  end
endmodule
