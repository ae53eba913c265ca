// SPDX-License-Identifier: Apache-2.0
// Made by `forerun replay`: plays recorded products into @TOP@ and compares its results. Plain SystemVerilog without C; reads
// products.txt, weights.txt, activations.txt and results.txt of its folder. +stalls holds inputs and results back now and then.
`timescale 1ns / 1ps
module replay_tb;
  localparam int FORMAT = @FORMAT@, R = @ROWS@, C = @COLUMNS@, DEPTH = @DEPTH@, W = FORMAT == 0 ? 8 : 16, PATIENCE = 100000;
  localparam TIMED = @TIMED@, LAST = @LAST@;  // its cycles are compared; it has c_last

  reg clk = 0, rst_n = 0;
  reg w_valid = 0, a_valid = 0, c_ready = 0;
  reg [C*W:0] weights = 0, next_weights;                    // {last, lanes}
  reg [C*32+R*W+3:0] activations = 0, next_activations;     // {start, emit, last, sums, lanes}
  reg [C*32+C:0] results;                                   // {last, used lanes, values}
  wire w_ready, a_ready, c_valid, c_last, idle;
  wire [C*32-1:0] c_data;
  @TOP@ @PARAMETERS@dut (
      .clk(clk), .rst_n(rst_n),
      .w_valid(w_valid), .w_ready(w_ready), .w_last(weights[C*W]), .w_data(weights[C*W-1:0]),
      .a_valid(a_valid), .a_ready(a_ready), .a_last(activations[C*32+R*W]), .a_emit(activations[C*32+R*W+1]),
      .a_start(activations[C*32+R*W+3-:2]), .a_data(activations[R*W-1:0]), .a_sum(activations[R*W+:C*32]),
      .c_valid(c_valid), .c_ready(c_ready), .c_last(c_last), .c_data(c_data), .idle(idle));

  integer products_file, weights_file, activations_file, results_file, fields;
  integer weights_left = 0, activations_left = 0, results_left = 0, row;
  integer m, n, k, ideal;
  integer product = -1, products = 0, rows = 0, cycle = 0, begun = 0, moved = 0, busy = 0;
  reg stalls = 0, finished = 0;
  reg [31:0] random = 1;
  integer lane;

  function automatic [31:0] next_random(input [31:0] x);
    next_random = x ^ (x << 13);
    next_random = next_random ^ (next_random >> 17);
    next_random = next_random ^ (next_random << 5);
  endfunction

  task automatic next_product;
    fields = $fscanf(products_file, "%d %d %d %d %d %d %d %d", product, m, n, k, weights_left, activations_left, results_left, ideal);
    if (fields != 8) begin
      if (TIMED) $display("forerun replay: %0d products, %0d rows of results, %0d cycles: all equal", products, rows, busy);
      else $display("forerun replay: %0d products, %0d rows of results, %0d cycles: all equal; cycles are its own, and not compared",
                    products, rows, busy);
      finished = 1;
      $finish;
    end
    fields = $fscanf(results_file, "%h", results);
    row = 0;
    begun = cycle + 1;
    moved = cycle;
  endtask

  task automatic different;  // to be called after the first half of the message
    $display(" (product %0d, %0d x %0d x %0d, cycle %0d)", product, m, n, k, cycle);
    $fatal(1, "replay differs");
  endtask

  always @(posedge clk) if (rst_n && !finished) begin
    random = next_random(random);
    if (w_valid && w_ready) weights_left = weights_left - 1;
    if (a_valid && a_ready) activations_left = activations_left - 1;
    if ((w_valid && w_ready) || (a_valid && a_ready) || (c_valid && c_ready)) moved = cycle;
    if (c_valid && c_ready) begin
      if (results_left == 0) begin
        $write("DIFFERENT: a row of results more than expected");
        different;
      end
      for (lane = 0; lane < C; lane = lane + 1)
        if (results[C*32+lane] && c_data[lane*32+:32] !== results[lane*32+:32]) begin
          $write("DIFFERENT: row %0d of the results, lane %0d is %h, recorded %h", row, lane, c_data[lane*32+:32], results[lane*32+:32]);
          different;
        end
      if (LAST && c_last !== results[C*32+C]) begin
        $write("DIFFERENT: row %0d of the results: c_last is %b", row, c_last);
        different;
      end
      row = row + 1;
      rows = rows + 1;
      results_left = results_left - 1;
      if (results_left > 0) fields = $fscanf(results_file, "%h", results);
    end
    if (results_left == 0) begin
      if (product >= 0) begin
        if (weights_left != 0 || activations_left != 0) begin
          $write("DIFFERENT: all results have come before all operands were taken");
          different;
        end
        if (TIMED && !stalls && cycle + 1 - begun != ideal) begin
          $write("DIFFERENT: bits are equal, but it took %0d cycles, by the model %0d", cycle + 1 - begun, ideal);
          different;
        end
        products = products + 1;
        busy = busy + cycle + 1 - begun;
      end
      next_product;
      w_valid <= 0;
      a_valid <= 0;
    end
    if (cycle - moved > PATIENCE) begin
      $write("DIFFERENT: nothing has moved for %0d cycles, with %0d weights, %0d activations and %0d results to come",
             PATIENCE, weights_left, activations_left, results_left);
      different;
    end
    if (!finished) begin
      if (!w_valid || w_ready) begin
        w_valid <= 0;
        if (weights_left > 0 && !(stalls && random[0])) begin
          fields = $fscanf(weights_file, "%h", next_weights);
          weights <= next_weights;
          w_valid <= 1;
        end
      end
      if (!a_valid || a_ready) begin
        a_valid <= 0;
        if (activations_left > 0 && !(stalls && random[7])) begin
          fields = $fscanf(activations_file, "%h", next_activations);
          activations <= next_activations;
          a_valid <= 1;
        end
      end
      c_ready <= !(stalls && random[15]);
    end
    cycle = cycle + 1;
  end

  initial begin
    stalls = $test$plusargs("stalls");
    products_file = $fopen("products.txt", "r");
    weights_file = $fopen("weights.txt", "r");
    activations_file = $fopen("activations.txt", "r");
    results_file = $fopen("results.txt", "r");
    if (products_file == 0 || weights_file == 0 || activations_file == 0 || results_file == 0)
      $fatal(1, "run this in the folder that `forerun replay` has made");
    repeat (6) #5 clk = !clk;
    rst_n = 1;
    forever #5 clk = !clk;
  end
endmodule
