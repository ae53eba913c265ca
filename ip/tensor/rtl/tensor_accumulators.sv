// SPDX-License-Identifier: Apache-2.0
// The sums of one column between two k-tiles: one write and one read port. A sum that is being written can be read in the
// same cycle.
module tensor_accumulators #(
    parameter int DEPTH = 64,
    parameter int INDEX = 6
) (
    input  logic             clk,
    input  logic             write,
    input  logic [INDEX-1:0] write_row,
    input  logic [31:0]      write_sum,
    input  logic [INDEX-1:0] read_row,
    output logic [31:0]      read_sum
);
  logic [31:0] sums[DEPTH];
  always_ff @(posedge clk) if (write) sums[write_row] <= write_sum;
  assign read_sum = write && write_row == read_row ? write_sum : sums[read_row];
endmodule
