// SPDX-License-Identifier: Apache-2.0
// Plays beats with stalls from files into a tile, in any simulator without C, and prints when each beat is taken.
//   +weights= +activations= +results=: $readmemh files, a beat a line: stall (32 bits), for inputs followed by
//   flags (8 bits: bit 0 last, bit 1 emit, bits 3:2 start) and data (activations: sums, then lanes).
//   +weight_beats= +activation_beats= +result_beats= +cycles=
module icarus_bench #(
    parameter int FORMAT = 0,
    parameter int R = 4,
    parameter int C = 4
);
  localparam int W = FORMAT == 0 ? 8 : 16;
  localparam int BEATS = 4096;

  reg clk = 0, rst_n = 0;
  reg [C*W+39:0] weights[0:BEATS-1];
  reg [C*32+R*W+39:0] activations[0:BEATS-1];
  reg [31:0] results[0:BEATS-1];
  reg [1023:0] name;
  integer weight_beats, activation_beats, result_beats, cycles, cycle = 0;
  integer w = 0, a = 0, c = 0, w_wait, a_wait, c_offered = 0;

  wire w_ready, a_ready, c_valid, c_last, idle;
  wire [C*32-1:0] c_data;
  wire w_valid = rst_n && w < weight_beats && w_wait == 0;
  wire a_valid = rst_n && a < activation_beats && a_wait == 0;
  wire [C*W+39:0] w_beat = weights[w];
  wire [C*32+R*W+39:0] a_beat = activations[a];
  wire c_ready = c >= result_beats || c_offered >= results[c];

  tensor_tile #(.FORMAT(FORMAT), .R(R), .C(C), .DEPTH(40)) tile (
      .clk(clk), .rst_n(rst_n),
      .w_valid(w_valid), .w_ready(w_ready), .w_last(w_beat[C*W]), .w_data(w_beat[C*W-1:0]),
      .a_valid(a_valid), .a_ready(a_ready), .a_last(a_beat[C*32+R*W]), .a_emit(a_beat[C*32+R*W+1]),
      .a_start(a_beat[C*32+R*W+3-:2]), .a_data(a_beat[R*W-1:0]), .a_sum(a_beat[R*W+:C*32]),
      .c_valid(c_valid), .c_ready(c_ready), .c_last(c_last), .c_data(c_data), .idle(idle));

  always @(posedge clk) if (rst_n) begin
    cycle <= cycle + 1;
    if (w_valid && w_ready) begin
      $display("w %0d", cycle);
      w <= w + 1;
      w_wait <= w + 1 < weight_beats ? weights[w+1][C*W+39-:32] : 0;
    end else if (w_wait > 0) w_wait <= w_wait - 1;
    if (a_valid && a_ready) begin
      $display("a %0d", cycle);
      a <= a + 1;
      a_wait <= a + 1 < activation_beats ? activations[a+1][C*32+R*W+39-:32] : 0;
    end else if (a_wait > 0) a_wait <= a_wait - 1;
    if (c_valid && c_ready) begin
      $display("c %0d %h", cycle, c_data);
      c <= c + 1;
      c_offered <= 0;
    end else if (c_valid) c_offered <= c_offered + 1;
    if (cycle == cycles) begin
      $display("idle %b", idle);
      $finish;
    end
  end

  initial begin
    if (!$value$plusargs("weight_beats=%d", weight_beats) || !$value$plusargs("activation_beats=%d", activation_beats) ||
        !$value$plusargs("result_beats=%d", result_beats) || !$value$plusargs("cycles=%d", cycles)) $finish;
    if ($value$plusargs("weights=%s", name)) $readmemh(name, weights, 0, weight_beats - 1);
    if ($value$plusargs("activations=%s", name)) $readmemh(name, activations, 0, activation_beats - 1);
    if ($value$plusargs("results=%s", name)) $readmemh(name, results, 0, result_beats - 1);
    w_wait = weights[0][C*W+39-:32];
    a_wait = activations[0][C*32+R*W+39-:32];
    repeat (4) #5 clk = !clk;
    rst_n = 1;
    forever #5 clk = !clk;
  end
endmodule
