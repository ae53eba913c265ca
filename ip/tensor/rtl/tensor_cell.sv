// SPDX-License-Identifier: Apache-2.0
// One cell of the tensor tile: holds a weight, passes activations on to the right and sums down.
//
// The next weight waits in `shadow` and takes its place with the first activation of the next wave (a_swap). A cell
// whose shadow was not loaded since the last swap does not belong to the wave and passes the sum on unchanged.
// Nothing moves while `enable` is low.
module tensor_cell #(
    parameter int FORMAT = 0,
    parameter int W = 8
) (
    input  logic         clk,
    input  logic         rst_n,
    input  logic         enable,
    input  logic         load,
    input  logic [W-1:0] load_data,
    input  logic         a_valid,
    input  logic         a_swap,
    input  logic [W-1:0] a_data,
    input  logic [31:0]  sum,
    output logic         right_valid,
    output logic         right_swap,
    output logic [W-1:0] right_data,
    output logic [31:0]  down_sum
);
  /* verilator no_inline_module */  // compiles three times as fast
  logic [W-1:0] shadow, weight, weight_now;
  logic shadow_used, used, used_now;
  logic swap;

  assign swap = a_valid && a_swap;
  assign weight_now = swap ? shadow : weight;
  assign used_now = swap ? shadow_used : used;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      right_valid <= 1'b0;
      right_swap <= 1'b0;
      shadow_used <= 1'b0;
      used <= 1'b0;
    end else if (enable) begin
      right_valid <= a_valid;
      right_swap <= a_swap;
      if (load) shadow_used <= 1'b1;
      else if (swap) shadow_used <= 1'b0;
      if (swap) used <= shadow_used;
    end
    if (enable) begin
      if (load) shadow <= load_data;
      if (swap) weight <= shadow;
    end
    if (enable && a_valid) right_data <= a_data;
  end

  if (FORMAT == 0) begin : g_int8
    always_ff @(posedge clk)
      if (enable && a_valid) down_sum <= used_now ? tensor_arithmetic::mac_int8(a_data, weight_now, sum) : sum;
  end else if (FORMAT == 1) begin : g_bf16
    always_ff @(posedge clk)
      if (enable && a_valid) down_sum <= used_now ? tensor_arithmetic::fma_bf16(a_data, weight_now, sum) : sum;
  end else begin : g_fp16
    always_ff @(posedge clk)
      if (enable && a_valid) down_sum <= used_now ? tensor_arithmetic::fma_fp16(a_data, weight_now, sum) : sum;
  end
endmodule
