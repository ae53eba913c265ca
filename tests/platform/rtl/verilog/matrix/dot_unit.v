// SPDX-License-Identifier: Apache-2.0
// A matrix unit of int8 in another style: one activation row in, and as many cycles later as there are columns the row of results,
// a dot product in each cycle. Asynchronous reset, active high; no c_last, no idle.
module DOT_UNIT #(
    parameter ROWS = 8,
    parameter COLS = 8,
    parameter KEPT = 128
) (
    input CLOCK, input ARESET,
    input WT_VLD_I, output WT_RDY_O, input WT_LAST_I, input [8*COLS-1:0] WT_DATA_I,
    input ACT_VLD_I, output ACT_RDY_O, input ACT_LAST_I, input [1:0] ACT_MODE_I, input ACT_OUT_I,
    input [8*ROWS-1:0] ACT_DATA_I, input [32*COLS-1:0] ACT_SUM_I,
    output reg RES_VLD_O, input RES_RDY_I, output [32*COLS-1:0] RES_DATA_O
);
  reg [8*COLS-1:0] weights[0:ROWS-1];
  reg [32*COLS-1:0] kept[0:KEPT-1];
  reg [32*COLS-1:0] sums;
  reg [8*ROWS-1:0] row;
  reg [15:0] weight_rows, column, row_number;
  reg loaded, working, last, out;
  assign WT_RDY_O = ~loaded;
  assign ACT_RDY_O = loaded & ~working & ~RES_VLD_O & column != COLS & ACT_VLD_I;  // ready waits for valid
  assign RES_DATA_O = sums;
  reg signed [31:0] dot;
  integer k;
  always @* begin
    dot = sums[32*column+:32];
    for (k = 0; k < ROWS; k = k + 1)
      if (k < weight_rows) dot = dot + $signed(row[8*k+:8]) * $signed(weights[k][8*column+:8]);
  end
  always @(posedge CLOCK or posedge ARESET)
    if (ARESET) begin
      {loaded, working, RES_VLD_O} <= 3'd0;
      {weight_rows, row_number, column} <= 48'd0;
    end else begin
      if (WT_VLD_I & WT_RDY_O) begin
        weights[weight_rows] <= WT_DATA_I;
        weight_rows <= weight_rows + 1;
        loaded <= WT_LAST_I;
      end
      if (ACT_VLD_I & ACT_RDY_O) begin
        row <= ACT_DATA_I;
        {last, out} <= {ACT_LAST_I, ACT_OUT_I};
        sums <= ACT_MODE_I == 2 ? ACT_SUM_I : ACT_MODE_I == 1 ? kept[row_number] : {32*COLS{1'b0}};
        column <= 0;
        working <= 1;
      end
      if (working) begin
        sums[32*column+:32] <= dot;
        column <= column + 1;
        if (column == COLS - 1) begin
          working <= 0;
          RES_VLD_O <= out;
        end
      end
      if (~working & ~RES_VLD_O & column == COLS) begin  // a row that is kept
        kept[row_number] <= sums;
        column <= 0;
        row_number <= last ? 0 : row_number + 1;
        if (last) {loaded, weight_rows} <= 17'd0;
      end
      if (RES_VLD_O & RES_RDY_I) RES_VLD_O <= 0;
    end
endmodule
