// SPDX-License-Identifier: Apache-2.0
// The operations of VECTOR commands that the engine has, and what it takes to carry them out.
package vector_operations;

  // COPY is 0.
  localparam logic [7:0] ADD = 8'h01, SUB = 8'h02, MUL = 8'h03, DIV = 8'h04, MAX = 8'h05, MIN = 8'h06,
      FMA = 8'h07, AFFINE = 8'h08, CLIP = 8'h09, FILL = 8'h0a, NEG = 8'h10, ABS = 8'h11, EXP = 8'h12, SQRT = 8'h14,
      RSQRT = 8'h15, RECIPROCAL = 8'h16, SIGMOID = 8'h19, RELU = 8'h1a, SILU = 8'h1b, GELU_TANH = 8'h1d, SWIGLU = 8'h1e,
      SUM = 8'h20, MEAN = 8'h21, ROW_MAX = 8'h22, ROW_MIN = 8'h23, SUM_SQUARES = 8'h24, ARGMAX = 8'h25, SOFTMAX = 8'h30,
      RMSNORM = 8'h32, LAYERNORM = 8'h33, ROPE = 8'h34, QUANTIZE = 8'h38, QUANTIZE_STATIC = 8'h39, DEQUANTIZE = 8'h3a,
      CONCAT_COUNT = 8'h3d;

  typedef struct packed {
    logic [1:0] last;     // number of the last pass
    logic [2:0] special;  // a bit for each pass: goes through the special-function units
    logic [2:0] b, c;     // takes beats of b and c; a is taken in pass 0, if at all
    logic a;
    logic one;            // one result a row
  } plan_t;

  function automatic plan_t plan(input logic [7:0] op);
    plan = '0;
    plan.a = 1'b1;
    plan.one = op[7:4] == 4'h2;
    case (op)
      ADD, SUB, MUL, MAX, MIN: plan.b = 3'b001;
      DIV: begin
        plan.b = 3'b001;
        plan.special = 3'b001;
      end
      FMA, DEQUANTIZE: begin
        plan.b = 3'b001;
        plan.c = 3'b001;
      end
      FILL, CONCAT_COUNT: plan.a = 1'b0;
      EXP, SQRT, RSQRT, RECIPROCAL, SIGMOID, SILU, GELU_TANH, QUANTIZE_STATIC: plan.special = 3'b001;
      SWIGLU: begin
        plan.last = 1;
        plan.special = 3'b001;
        plan.b = 3'b010;
      end
      SOFTMAX: begin
        plan.last = 2;
        plan.special = 3'b010;
      end
      RMSNORM: begin
        plan.last = 1;
        plan.b = 3'b010;
      end
      LAYERNORM: begin
        plan.last = 2;
        plan.b = 3'b100;
        plan.c = 3'b100;
      end
      ROPE: begin
        plan.last = 1;
        plan.b = 3'b010;
        plan.c = 3'b010;
      end
      QUANTIZE: begin
        plan.last = 1;
        plan.special = 3'b010;
      end
      default: ;
    endcase
  endfunction

endpackage
