// SPDX-License-Identifier: Apache-2.0
// A special-function unit: exponentials, roots and divisions.
module vector_special
  import vector_float::*;
  import vector_exponential::*;
  import vector_operations::*;
(
    input  logic [7:0]  op,
    input  logic [31:0] a, b,          // binary32; a is what is kept, in a later pass
    input  logic [31:0] arg0, arg1, arg2,
    input  logic [31:0] center, scale, // of the row
    output logic [31:0] result
);
  /* verilator no_inline_module */
  always_comb
    case (op)
      EXP: result = exponential(a);
      SQRT: result = square_root(a);
      RSQRT: result = divide(ONE, square_root(a));
      RECIPROCAL: result = divide(ONE, a);
      SIGMOID: result = gated(ONE, a);
      SILU, SWIGLU: result = gated(a, a);
      GELU_TANH: result = gated(a, gelu_argument(a));
      SOFTMAX: result = exponential(sub(mul(a, arg2 == 0 ? ONE : arg2), center));
      QUANTIZE: result = greater(scale, 32'b0) ? divide(a, scale) : 32'b0;
      QUANTIZE_STATIC: result = add(round_even(divide(a, arg0)), vector_formats::to_float(vector_formats::I32, arg1));
      default: result = divide(a, b);
    endcase
endmodule
