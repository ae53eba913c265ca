// SPDX-License-Identifier: Apache-2.0
// Elements of the types of firmware/abi/command.h, in the low bits of 32, to binary32 and back. Floats round to nearest,
// ties to even, and overflow to infinity; integers round to nearest even and saturate, NaN becomes 0.
package vector_formats;
  import vector_float::*;

  localparam logic [7:0] F32 = 0, F16 = 1, BF16 = 2, I8 = 3, I32 = 4, U32 = 5;

  function automatic logic [31:0] to_float(input logic [7:0] kind, input logic [31:0] x);
    /* verilator no_inline_task */
    logic [31:0] size;
    case (kind)
      F32: to_float = x;
      F16:
        if (x[14:10] == 5'h1f) to_float = {x[15], 8'hff, x[9:0], 13'b0};
        else if (x[14:10] != 0) to_float = {x[15], {3'b0, x[14:10]} + 8'd112, x[9:0], 13'b0};
        else to_float = x[9:0] == 0 ? {x[15], 31'b0} : rounded(x[15], -12'sd24, {54'b0, x[9:0]});
      BF16: to_float = {x[15:0], 16'b0};
      I8: begin
        size = x[7] ? {24'b0, -x[7:0]} : {24'b0, x[7:0]};
        to_float = size == 0 ? 32'b0 : rounded(x[7], 12'sd0, {32'b0, size});
      end
      I32: begin
        size = x[31] ? -x : x;
        to_float = size == 0 ? 32'b0 : rounded(x[31], 12'sd0, {32'b0, size});
      end
      default: to_float = x == 0 ? 32'b0 : rounded(1'b0, 12'sd0, {32'b0, x});
    endcase
  endfunction

  function automatic logic [31:0] to_half(input logic [31:0] x);
    logic [30:0] size;
    logic [4:0] distance;
    logic [24:0] m, kept, rest;
    size = x[30:0];
    if (is_nan(x)) to_half = 32'h7e00;
    else if (size >= 31'h477ff000) to_half = {16'b0, x[31], 15'h7c00};  // 65520
    else if (size >= 31'h38800000) begin                                 // 2^-14
      size = size - 31'h38000000 + 31'hfff + {30'b0, size[13]};
      to_half = {16'b0, x[31], size[27:13]};
    end else begin  // the last bit weighs 2^-24
      distance = size[30:23] < 8'd101 ? 5'd25 : 5'd30 - size[27:23];  // 126 - exponent
      m = {1'b0, size[30:23] != 0, size[22:0]};
      kept = m >> distance;
      rest = m & ((25'd1 << distance) - 25'd1);
      if (rest > (25'd1 << (distance - 5'd1)) || (rest == (25'd1 << (distance - 5'd1)) && kept[0])) kept = kept + 25'd1;
      to_half = {16'b0, x[31], kept[14:0]};
    end
  endfunction

  function automatic logic [31:0] to_integer(input logic [31:0] x, input logic [40:0] most_below,
                                             input logic [40:0] most);
    logic [40:0] size;
    logic [31:0] low;
    size = is_nan(x) ? 41'b0 : whole(x[30:0]);
    if (size > (x[31] ? most_below : most)) size = x[31] ? most_below : most;
    low = size[31:0];
    to_integer = x[31] ? -low : low;
  endfunction

  function automatic logic [31:0] from_float(input logic [7:0] kind, input logic [31:0] x);
    /* verilator no_inline_task */
    logic [15:0] up;
    case (kind)
      F32: from_float = is_nan(x) ? NOT_A_NUMBER : x;
      F16: from_float = to_half(x);
      BF16: begin
        up = {15'b0, x[15] && (x[16] || x[14:0] != 0)};
        from_float = is_nan(x) ? 32'h7fc0 : {16'b0, x[31:16] + up};
      end
      I8: from_float = to_integer(x, 41'd128, 41'd127) & 32'hff;
      I32: from_float = to_integer(x, 41'h80000000, 41'h7fffffff);
      default: from_float = to_integer(x, 41'd0, 41'hffffffff);
    endcase
  endfunction

endpackage
