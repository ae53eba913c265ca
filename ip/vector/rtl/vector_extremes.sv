// SPDX-License-Identifier: Apache-2.0
// The largest or smallest of a row, where it is, and the largest magnitude.
module vector_extremes
  import vector_float::*;
  import vector_operations::*;
#(
    parameter int LANES = 16
) (
    input  logic                clk,
    input  logic                use_extremes,
    input  logic                take,
    input  logic                row_begin,
    input  logic [7:0]          op,
    input  logic [31:0]         column,
    input  logic [31:0]         first, stop,
    input  logic [LANES*32-1:0] values,
    output logic [31:0]         value,  // with the row's last beat
    output logic [31:0]         index
);
  logic [31:0] held_value, held_index, x;

  always_comb begin
    value = held_value;
    index = held_index;
    x = '0;
    if (row_begin) begin
      value = op == ROW_MIN ? INFINITE : op == QUANTIZE ? 32'b0 : {1'b1, INFINITE[30:0]};
      index = 32'b0;
    end
    if (use_extremes)
      for (int l = 0; l < LANES; l++)
        if (column + l >= first && column + l < stop) begin
          x = values[l*32+:32];
          case (op)
            ROW_MIN: value = smallest(x, value);
            QUANTIZE: if (greater({1'b0, x[30:0]}, value)) value = {1'b0, x[30:0]};
            default:
              if (!is_nan(value) && (is_nan(x) || greater(x, value))) begin  // the first of equal ones stays
                value = x;
                index = column + l;
              end
          endcase
        end
  end

  always_ff @(posedge clk)
    if (take && use_extremes) begin
      held_value <= value;
      held_index <= index;
    end
endmodule
