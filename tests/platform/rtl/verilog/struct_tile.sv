// SPDX-License-Identifier: Apache-2.0
// The tensor tile, 4x4 in bfloat16, behind a packed struct for each stream and an unpacked array of flags.
package struct_tile_types;
  typedef struct packed {
    logic [3:0][15:0] lanes;
    logic last;
    logic valid;
  } weights_t;
  typedef struct packed {
    logic valid;
    logic [1:0] mode;
    logic keep_n;
    logic [3:0][15:0] lanes;
    logic [127:0] sums;
    logic last;
  } activations_t;
  typedef struct packed {
    logic last;
    logic [127:0] lanes;
    logic valid;
  } results_t;
endpackage

module struct_tile (
    input logic clk,
    input logic reset,
    input struct_tile_types::weights_t weights,
    input struct_tile_types::activations_t activations,
    output struct_tile_types::results_t results,
    input logic results_taken,
    output logic flags[3]
);
  tensor_tile #(.FORMAT(1), .R(4), .C(4), .DEPTH(128)) tile (
      .clk(clk), .rst_n(!reset),
      .w_valid(weights.valid), .w_ready(flags[0]), .w_last(weights.last), .w_data(weights.lanes),
      .a_valid(activations.valid), .a_ready(flags[1]), .a_last(activations.last), .a_start(activations.mode),
      .a_emit(activations.keep_n), .a_data(activations.lanes), .a_sum(activations.sums),
      .c_valid(results.valid), .c_ready(results_taken), .c_last(results.last), .c_data(results.lanes), .idle(flags[2]));
endmodule
