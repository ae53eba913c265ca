// SPDX-License-Identifier: Apache-2.0
// What one lane does with an element in a pass that is not special, and what it hands to the sums of its row.
module vector_lane
  import vector_float::*;
  import vector_operations::*;
(
    input  logic [7:0]  op,
    input  logic [1:0]  pass,
    input  logic [31:0] a, b, c,       // binary32
    input  logic [31:0] kept,          // of the pass before
    input  logic [31:0] partner,       // ROPE: kept of the other half of the pair
    input  logic        first_half,    // ROPE: of its pair
    input  logic [31:0] arg0, arg1, arg2,
    input  logic [31:0] center, scale, // of the row
    output logic [31:0] result,
    output logic [31:0] addend
);
  /* verilator no_inline_module */
  always_comb begin
    result = a;
    addend = a;
    case (op)
      ADD: result = add(a, b);
      SUB: result = sub(a, b);
      MUL: result = mul(a, b);
      MAX: result = largest(a, b);
      MIN: result = smallest(a, b);
      FMA: result = fma(a, b, c);
      AFFINE: result = add(mul(a, arg0), arg1);
      CLIP: result = smallest(largest(a, arg0), arg1);
      FILL: result = arg0;
      NEG: result = {!a[31], a[30:0]};
      ABS: result = {1'b0, a[30:0]};
      RELU: result = largest(a, 32'b0);
      DEQUANTIZE: result = mul(mul(a, b), c);
      SUM_SQUARES: addend = mul(a, a);
      SWIGLU: result = mul(kept, b);
      SOFTMAX: begin
        addend = mul(a, arg2 == 0 ? ONE : arg2);
        if (pass == 2) result = mul(kept, scale);
      end
      RMSNORM:
        if (pass == 0) addend = mul(a, a);
        else result = mul(mul(kept, scale), b);
      LAYERNORM:
        if (pass == 1) begin
          result = sub(kept, center);
          addend = mul(result, result);
        end else if (pass == 2) result = add(mul(mul(kept, scale), b), c);
      ROPE: if (pass == 1) result = first_half ? sub(mul(kept, b), mul(partner, c)) : add(mul(partner, c), mul(kept, b));
      default: ;
    endcase
  end
endmodule
