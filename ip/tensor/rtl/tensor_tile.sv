// SPDX-License-Identifier: Apache-2.0
// A weight-stationary systolic tile: R x C cells with double-buffered weights.
//
//     results[i][c] = start[i][c] + sum over k < r of activations[i][k] * weights[k][c]      for i = 0, 1, ...
//
// FORMAT 0: int8 x int8 into wrapping int32. FORMAT 1: bfloat16 into binary32. FORMAT 2: binary16 into binary32.
// R runs along k, C along n, both 1 or more. DEPTH is the number of rows that the accumulators inside hold.
//
// Work comes in waves: one tile of weights, r <= R rows of C weights each, and the rows of activations that meet it.
//
// Interface. Three ready/valid streams, moved at a rising edge of clk where both are high; data in lanes, the lane of
// the lowest number in the lowest bits.
//   w_*  weights: one row of a tile a beat, k ascending; w_last with the last row of the tile (the R-th row ends a tile
//        in any case). Unused columns want zeros.
//   a_*  activations: R lanes, those of k >= r are ignored. a_last with the last row of the wave. Constant over a wave:
//        a_start  0  sums start from +0
//                 1  sums continue in the accumulators inside: row i continues row i of the last wave that was kept
//                 2  sums start from a_sum, C lanes of 32 bits
//        a_emit   1  results leave by c_*;  0  they are kept in the accumulators, which then must hold all rows of a wave
//        Accumulators outside: always a_start 0 or 2 and a_emit 1; waves may then have any number of rows.
//   c_*  results: C lanes of 32 bits, rows in the order of their activations; c_last repeats a_last.
//   idle: no row is on its way from a_* to c_* or the accumulators.
// rst_n is synchronous, active low; it forgets loaded weights and rows on their way. No output waits for its own valid, but
// a_ready depends on c_ready and a_start, and w_ready on these and a_valid; c_* and idle come from registers. Inputs meet the
// first cells without a register of the tile: drive them from registers.
//
// Accumulation order. Every cell adds one product to the sum from above: fused, rounded once to nearest even. A result is
// start, then k = 0, 1, ... in turn, the same as fma(a[k], w[k], sum) in a loop, whatever R and C are.
//
// Timing. From the cycle in which the first weights are taken up to and with that of the last result, when nothing stalls,
// for waves i = 1 .. N with r_i rows of weights and m_i rows of activations:
//     r_1 + sum over i < N of max(m_i, r_(i+1), d_(i+1)) + m_N + R + C - 1
//   - the weights of wave i+1 are taken from the cycle on in which the first activations of wave i are, and the first
//     activations of a wave from the cycle after its last weights on;
//   - d_i is R if wave i continues sums in the accumulators, else 0: a sum needs R cycles to the bottom of its column;
//   - a result is offered R + C - 1 cycles after its activations are taken.
// Stalls. A late beat of weights or activations delays only what waits for it (rows on their way go on). A result that is not
// taken stops the whole tile, and neither weights nor activations are taken meanwhile. A row that continues a sum in
// the accumulators waits until R cycles have passed in which the tile did not stand still.
// ip/tensor/tile_timing.hpp gives the cycle of each beat.
module tensor_tile #(
    parameter  int FORMAT = 0,
    parameter  int R = 8,
    parameter  int C = 8,
    parameter  int DEPTH = 64,
    localparam int W = FORMAT == 0 ? 8 : 16
) (
    input  logic            clk,
    input  logic            rst_n,

    input  logic            w_valid,
    output logic            w_ready,
    input  logic            w_last,
    input  logic [C*W-1:0]  w_data,

    input  logic            a_valid,
    output logic            a_ready,
    input  logic            a_last,
    input  logic [1:0]      a_start,
    input  logic            a_emit,
    input  logic [R*W-1:0]  a_data,
    input  logic [C*32-1:0] a_sum,

    output logic            c_valid,
    input  logic            c_ready,
    output logic            c_last,
    output logic [C*32-1:0] c_data,

    output logic            idle
);
  localparam int STAGES = R + C - 1;  // from activations to result
  localparam int ROW = R > 1 ? $clog2(R) : 1;
  localparam int INDEX = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam logic [1:0] FROM_ACCUMULATORS = 2'd1, FROM_OUTSIDE = 2'd2;

  logic enable, w_take, a_take;
  assign enable = !c_valid || c_ready;
  assign w_take = w_valid && w_ready;
  assign a_take = a_valid && a_ready;

  // Weights: the next tile is loaded into the shadows, which the first activations of its wave empty.
  logic [ROW-1:0] w_row;
  logic loaded, first, w_end;
  assign w_end = w_last || w_row == ROW'(R - 1);
  assign w_ready = enable && (!loaded || (a_take && first));
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      w_row <= '0;
      loaded <= 1'b0;
      first <= 1'b1;
    end else begin
      if (w_take) w_row <= w_end ? '0 : w_row + 1'b1;
      if (w_take && w_end) loaded <= 1'b1;
      else if (a_take && first) loaded <= 1'b0;
      if (a_take) first <= a_last;
    end
  end

  // Rows on their way. Stage s holds the row taken s + 1 cycles ago; it stands below the last cell of column c in
  // stage R - 1 + c, and enters the top of column c from stage c - 1.
  logic [INDEX-1:0] a_row;
  logic [STAGES-1:0] on_way, emit, last;
  logic [STAGES*INDEX-1:0] row;
  if (STAGES == 1) begin : g_one_stage
    always_ff @(posedge clk) if (!rst_n) on_way <= 1'b0; else if (enable) on_way <= a_take;
    always_ff @(posedge clk) if (enable) begin emit <= a_emit; last <= a_last; row <= a_row; end
  end else begin : g_stages
    always_ff @(posedge clk) if (!rst_n) on_way <= '0; else if (enable) on_way <= {on_way[STAGES-2:0], a_take};
    always_ff @(posedge clk)
      if (enable) begin
        emit <= {emit[STAGES-2:0], a_emit};
        last <= {last[STAGES-2:0], a_last};
        row <= {row[(STAGES-1)*INDEX-1:0], a_row};
      end
  end
  always_ff @(posedge clk) if (!rst_n) a_row <= '0; else if (a_take) a_row <= a_last ? '0 : a_row + 1'b1;

  // A row that continues a sum waits until that sum stands below the last cell of column 0.
  logic [R-1:0] same_row;
  assign same_row[R-1] = 1'b0;
  for (genvar s = 0; s + 1 < R; s++) begin : g_same_row
    assign same_row[s] = on_way[s] && !emit[s] && row[s*INDEX+:INDEX] == a_row;
  end
  assign a_ready = enable && (!first || loaded) && !(a_start == FROM_ACCUMULATORS && same_row != '0);

  // Links between the cells: [row][column], to the right and down.
  logic         link_valid[R][C+1];
  logic         link_swap[R][C+1];
  logic [W-1:0] link_data[R][C+1];
  logic [31:0]  link_sum[R][C];
  logic [31:0]  top_sum[C];

  for (genvar r = 0; r < R; r++) begin : g_left
    // Row r is fed r cycles later. Only its validity needs a reset, and has it in on_way.
    if (r == 0) begin : g_now
      assign link_valid[r][0] = a_take;
    end else begin : g_later
      assign link_valid[r][0] = on_way[r-1];
    end
    tensor_delay #(.WIDTH(W + 1), .STAGES(r)) delay (
        .clk, .enable, .in({first, a_data[r*W+:W]}), .out({link_swap[r][0], link_data[r][0]}));
  end

  for (genvar c = 0; c < C; c++) begin : g_column
    // Weights, c cycles later.
    logic load;
    logic [ROW-1:0] load_row;
    logic [W-1:0] load_data;
    tensor_delay #(.WIDTH(ROW + W), .STAGES(c)) delay_weights (
        .clk, .enable, .in({w_row, w_data[c*W+:W]}), .out({load_row, load_data}));
    if (c == 0) begin : g_load
      assign load = w_take;
    end else begin : g_load
      logic load_q;
      if (c == 1) begin : g_first
        always_ff @(posedge clk) if (!rst_n) load_q <= 1'b0; else if (enable) load_q <= w_take;
      end else begin : g_next
        always_ff @(posedge clk) if (!rst_n) load_q <= 1'b0; else if (enable) load_q <= g_column[c-1].load;
      end
      assign load = load_q;
    end

    // The sum that enters at the top, c cycles later.
    logic [31:0] outside, kept;
    logic [1:0] from;
    logic [INDEX-1:0] from_row;
    tensor_delay #(.WIDTH(34), .STAGES(c)) delay_sum (
        .clk, .enable, .in({a_start, a_sum[c*32+:32]}), .out({from, outside}));
    if (c == 0) begin : g_from
      assign from_row = a_row;
    end else begin : g_from
      assign from_row = row[(c-1)*INDEX+:INDEX];
    end
    tensor_accumulators #(.DEPTH(DEPTH), .INDEX(INDEX)) accumulators (
        .clk,
        .write(enable && on_way[R-1+c] && !emit[R-1+c]),
        .write_row(row[(R-1+c)*INDEX+:INDEX]),
        .write_sum(link_sum[R-1][c]),
        .read_row(from_row),
        .read_sum(kept));
    assign top_sum[c] = from == FROM_ACCUMULATORS ? kept : from == FROM_OUTSIDE ? outside : 32'b0;

    for (genvar r = 0; r < R; r++) begin : g_row
      logic [31:0] above;
      if (r == 0) begin : g_above
        assign above = top_sum[c];
      end else begin : g_above
        assign above = link_sum[r-1][c];
      end
      tensor_cell #(.FORMAT(FORMAT), .W(W)) cell_ (
          .clk, .rst_n, .enable,
          .load(load && load_row == ROW'(r)),
          .load_data,
          .a_valid(link_valid[r][c]),
          .a_swap(link_swap[r][c]),
          .a_data(link_data[r][c]),
          .sum(above),
          .right_valid(link_valid[r][c+1]),
          .right_swap(link_swap[r][c+1]),
          .right_data(link_data[r][c+1]),
          .down_sum(link_sum[r][c]));
    end

    // The columns of a row side by side again.
    tensor_delay #(.WIDTH(32), .STAGES(C - 1 - c)) delay_result (
        .clk, .enable, .in(link_sum[R-1][c]), .out(c_data[c*32+:32]));
  end

  assign c_valid = on_way[STAGES-1] && emit[STAGES-1];
  assign c_last = last[STAGES-1];
  assign idle = on_way == '0;
endmodule
