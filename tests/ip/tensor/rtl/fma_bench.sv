// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a cell, as a module.
module fma_bench (
    input  logic [1:0]  format,
    input  logic [15:0] a,
    input  logic [15:0] w,
    input  logic [31:0] sum,
    output logic [31:0] result
);
  assign result = format == 0 ? tensor_arithmetic::mac_int8(a[7:0], w[7:0], sum)
                : format == 1 ? tensor_arithmetic::fma_bf16(a, w, sum)
                              : tensor_arithmetic::fma_fp16(a, w, sum);
endmodule
