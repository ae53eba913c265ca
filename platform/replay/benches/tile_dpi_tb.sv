// SPDX-License-Identifier: Apache-2.0
// Made by `forerun replay`: plays recorded products into @TOP@ and compares its results, through DPI-C: the library reads the
// recording. +recording=FILE instead of @RECORDING@, +stall_percent=P, +seed=S, +most=N.
`timescale 1ns / 1ps
module replay_dpi_tb;
  localparam int FORMAT = @FORMAT@, R = @ROWS@, C = @COLUMNS@, DEPTH = @DEPTH@, W = FORMAT == 0 ? 8 : 16;

  import "DPI-C" function chandle forerun_tile_open(input string file, input int format, input int rows, input int columns,
                                                    input int depth, input int timed, input int has_last, input longint most, input int stall_percent, input int seed);
  import "DPI-C" function int forerun_tile_cycle(
      input chandle tile, input bit w_ready, input bit a_ready, input bit c_valid, input bit c_last, input bit [C*32-1:0] c_data,
      output bit w_valid, output bit w_last, output bit [C*W-1:0] w_data, output bit a_valid, output bit a_last,
      output bit [1:0] a_start, output bit a_emit, output bit [R*W-1:0] a_data, output bit [C*32-1:0] a_sum, output bit c_ready);

  reg clk = 0, rst_n = 0;
  bit w_valid, w_last, a_valid, a_last, a_emit, c_ready;
  bit [C*W-1:0] w_data;
  bit [1:0] a_start;
  bit [R*W-1:0] a_data;
  bit [C*32-1:0] a_sum;
  wire w_ready, a_ready, c_valid, c_last, idle;
  wire [C*32-1:0] c_data;
  @TOP@ @PARAMETERS@dut (
      .clk(clk), .rst_n(rst_n), .w_valid(w_valid), .w_ready(w_ready), .w_last(w_last), .w_data(w_data), .a_valid(a_valid),
      .a_ready(a_ready), .a_last(a_last), .a_emit(a_emit), .a_start(a_start), .a_data(a_data), .a_sum(a_sum), .c_valid(c_valid),
      .c_ready(c_ready), .c_last(c_last), .c_data(c_data), .idle(idle));

  chandle tile;
  string file;
  int stall_percent, seed, status;
  longint most;
  // What the library answers goes to the pins after the edge.
  bit next_w_valid, next_w_last, next_a_valid, next_a_last, next_a_emit, next_c_ready;
  bit [C*W-1:0] next_w_data;
  bit [1:0] next_a_start;
  bit [R*W-1:0] next_a_data;
  bit [C*32-1:0] next_a_sum;
  always @(posedge clk) if (rst_n) begin
    status = forerun_tile_cycle(tile, w_ready, a_ready, c_valid, c_last, c_data, next_w_valid, next_w_last, next_w_data, next_a_valid,
                                next_a_last, next_a_start, next_a_emit, next_a_data, next_a_sum, next_c_ready);
    w_valid <= next_w_valid;
    w_last <= next_w_last;
    w_data <= next_w_data;
    a_valid <= next_a_valid;
    a_last <= next_a_last;
    a_start <= next_a_start;
    a_emit <= next_a_emit;
    a_data <= next_a_data;
    a_sum <= next_a_sum;
    c_ready <= next_c_ready;
    if (status == 1) $finish;
    if (status == 2) $fatal(1, "replay differs");
  end

  initial begin
    if (!$value$plusargs("recording=%s", file)) file = "@RECORDING@";
    if (!$value$plusargs("stall_percent=%d", stall_percent)) stall_percent = 0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("most=%d", most)) most = @MOST@;
    tile = forerun_tile_open(file, FORMAT, R, C, @KEPT@, @TIMED@, @LAST@, most, stall_percent, seed);
    if (tile == null) $fatal(1, "the recording cannot be played");
    repeat (6) #5 clk = !clk;
    rst_n = 1;
    forever #5 clk = !clk;
  end
endmodule
