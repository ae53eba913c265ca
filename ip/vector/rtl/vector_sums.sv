// SPDX-License-Identifier: Apache-2.0
// The sum of a row in the order of firmware/abi/command.h: column c goes to partial sum c mod 64, at the end of the row
// partial sum i + w is added to partial sum i, w = 32, 16, 8, 4, 2, 1. With more than 64 lanes, lanes l, l + 64, ... are
// added to their partial sum one after the other.
module vector_sums
  import vector_float::*;
#(
    parameter int LANES = 16
) (
    input  logic                clk,
    input  logic                use_sums,  // by the operation and pass
    input  logic                take,      // a beat
    input  logic                row_begin,
    input  logic                row_end,
    input  logic [31:0]         column,    // of lane 0
    input  logic [31:0]         first, stop,  // columns that count: first <= column < stop
    input  logic [LANES*32-1:0] addends,
    output logic [31:0]         total      // with row_end
);
  logic [31:0] partial[64];
  logic [64*32-1:0] added, tree;
  logic [5:0] offset;
  logic [31:0] lane;

  always_comb begin
    added = '0;
    tree = '0;
    offset = '0;
    lane = '0;
    if (use_sums) begin
      for (int i = 0; i < 64; i++) begin
        added[i*32+:32] = row_begin ? 32'b0 : partial[i];
        offset = i[5:0] - column[5:0];
        for (int j = 0; j < LANES; j += 64) begin
          lane = j + {26'b0, offset};
          if (lane < LANES && column + lane >= first && column + lane < stop)
            added[i*32+:32] = add(added[i*32+:32], addends[lane*32+:32]);
        end
      end
      if (row_end) begin
        tree = added;
        for (int k = 0; k < 6; k++)
          for (int i = 0; i < 32; i++)
            if (i < (32 >> k)) tree[i*32+:32] = add(tree[i*32+:32], tree[(i+(32>>k))*32+:32]);
      end
    end
  end
  assign total = tree[31:0];

  always_ff @(posedge clk)
    if (take && use_sums) for (int i = 0; i < 64; i++) partial[i] <= added[i*32+:32];
endmodule
