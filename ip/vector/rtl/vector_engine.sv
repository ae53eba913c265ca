// SPDX-License-Identifier: Apache-2.0
// The vector engine of a cluster: LANES lanes that carry out the element-wise operations, reductions and normalisations of
// firmware/abi/command.h (VECTOR) listed in vector_operations.sv, bit for bit as ip/vector/operations.hpp.
//
// Interface. All ready/valid, moved at a rising edge of clk where both are high.
//   cmd_*  a command, named as the fields of firmware/abi/command.h; rows and cols are 1 or more. It stays as it is until
//          cmd_ready, which is high with the last result.
//   a_*, b_*, c_*  the operands that the operation has, each element once: rows in turn, each in ceil(cols / LANES)
//          beats, the element of the lowest column in lane 0, in the low bits of its 32, in its own type. Lanes behind the
//          row's end are ignored. A source with one value a row, or one row for all, comes in all lanes, or for each row;
//          ROPE's cosines and sines (b and c) come in the lanes of the columns that they turn.
//   d_*    results in the same way; a reduction gives one beat a row, with its result in lane 0. d_last with the last of
//          the command. d_scale: QUANTIZE, in all beats of a row, its scale in the type cmd_c_type.
//   idle:  no command is under way.
// Types: binary32, binary16, bfloat16, int8, int32, uint32. Not here: QUANTIZE by groups of columns, other operations,
// narrower types; operations of several passes over rows of more than DEPTH beats.
// rst_n is synchronous, active low. READY of operands depends on all VALIDs; d_* and idle come from registers.
//
// Time. An operation goes over its elements in one to three passes. A pass takes a beat a cycle, or one in SPECIAL cycles
// where SPECIAL lanes share a special-function unit (then as many lanes at a time as there are units), and its
// results are there LATENCY cycles after the last. An operation of several passes keeps what it needs in a buffer of DEPTH
// beats: it takes as many rows as fit, goes over them pass by pass, and then takes the next. Without stalls, from the
// cycle in which the first operands are there up to and with that of the last result, as ip/vector/vector_timing.hpp:
//     groups * passes * LATENCY + beats * (passes + special passes * (SPECIAL - 1))
// An operand that is late delays its beat; a result that is not taken stops the engine.
//
// The arithmetic of a beat is written in one stage, with the LATENCY registers behind it, for synthesis to move into it; the
// sums of a row add one element to a partial sum in a cycle (with at most 64 lanes).
module vector_engine
  import vector_float::*;
  import vector_formats::*;
  import vector_operations::*;
#(
    parameter int LANES = 16,
    parameter int LATENCY = 12,
    parameter int SPECIAL = 4,
    parameter int DEPTH = 256
) (
    input  logic clk,
    input  logic rst_n,

    input  logic        cmd_valid,
    output logic        cmd_ready,
    input  logic [7:0]  cmd_op,
    input  logic [7:0]  cmd_a_type, cmd_b_type, cmd_c_type, cmd_d_type,
    input  logic [7:0]  cmd_flags,
    input  logic [31:0] cmd_rows, cmd_cols,
    input  logic [31:0] cmd_arg0, cmd_arg1, cmd_arg2, cmd_arg3,

    input  logic                a_valid,
    output logic                a_ready,
    input  logic [LANES*32-1:0] a_data,
    input  logic                b_valid,
    output logic                b_ready,
    input  logic [LANES*32-1:0] b_data,
    input  logic                c_valid,
    output logic                c_ready,
    input  logic [LANES*32-1:0] c_data,

    output logic                d_valid,
    input  logic                d_ready,
    output logic                d_last,
    output logic [LANES*32-1:0] d_data,
    output logic [31:0]         d_scale,

    output logic idle
);
  localparam int ADDRESS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam int UNITS = (LANES + SPECIAL - 1) / SPECIAL;

  // Where the engine is in its command.
  logic [1:0] pass;
  logic [31:0] row, column, beat, group_first, group_last, counted;  // rows from the command's first on
  logic [ADDRESS-1:0] address;  // of the beat in the buffer
  logic [31:0] window, group_window;  // SOFTMAX: row mod arg1
  logic [6:0] slice;  // of a beat in the special-function units
  logic [15:0] pause;  // cycles until the next pass
  logic finished;  // the last beat is on its way out

  plan_t p;
  logic [2:0] special_passes, b_passes, c_passes;
  logic takes_a, takes_b, takes_c;  // a beat, in this pass
  logic enable, special, have, take, row_end, group_end, final_pass;
  assign p = plan(cmd_op);
  assign special_passes = p.special;
  assign b_passes = p.b;
  assign c_passes = p.c;
  assign special = special_passes[pass];
  assign final_pass = pass == p.last;
  assign takes_a = p.a && pass == 0;
  assign takes_b = b_passes[pass];
  assign takes_c = c_passes[pass];
  assign enable = !d_valid || d_ready;
  assign have = cmd_valid && !finished && pause == 0 && (!takes_a || a_valid) && (!takes_b || b_valid)
              && (!takes_c || c_valid);
  assign take = enable && have && (!special || slice == 7'(SPECIAL - 1));
  assign row_end = cmd_cols - column <= LANES;
  always_comb begin
    group_end = row_end;
    if (p.last == 0) group_end = row_end && row == cmd_rows - 1;
    else if (pass != 0) group_end = row_end && row == group_last;
    else group_end = row_end && (row == cmd_rows - 1 || 32'(DEPTH) - 32'(address) - 1 < beat + 1);
  end
  assign a_ready = take && takes_a;
  assign b_ready = take && takes_b;
  assign c_ready = take && takes_c;
  assign cmd_ready = d_valid && d_ready && d_last;

  always_ff @(posedge clk)
    if (!rst_n) begin
      pass <= '0;
      row <= '0;
      column <= '0;
      beat <= '0;
      group_first <= '0;
      counted <= '0;
      address <= '0;
      window <= '0;
      group_window <= '0;
      slice <= '0;
      pause <= '0;
      finished <= 1'b0;
    end else if (cmd_ready) begin
      pass <= '0;
      row <= '0;
      group_first <= '0;
      counted <= '0;
      window <= '0;
      group_window <= '0;
      pause <= '0;
      finished <= 1'b0;
    end else if (enable) begin
      if (pause != 0) pause <= pause - 1;
      if (have && special) slice <= take ? '0 : slice + 1;
      if (take) begin
        column <= row_end ? '0 : column + LANES;
        beat <= row_end ? '0 : beat + 1;
        address <= group_end ? '0 : address + 1;
        if (row_end) begin
          row <= row + 1;
          counted <= counted + cmd_cols;
          window <= window + 1 >= cmd_arg1 ? '0 : window + 1;
        end
        if (group_end) begin
          pause <= 16'(LATENCY);
          if (pass == 0) group_last <= row;
          if (!final_pass) begin
            pass <= pass + 1;
            row <= group_first;
            window <= group_window;
          end else begin
            pass <= '0;
            group_first <= row + 1;
            group_window <= window + 1 >= cmd_arg1 ? '0 : window + 1;
            finished <= row == cmd_rows - 1;
          end
        end
      end
    end

  // What is kept between passes: a beat of each lane, and two numbers a row.
  logic [LANES*32-1:0] buffer[DEPTH];
  logic [31:0] centers[DEPTH], scales[DEPTH];
  logic [LANES*32-1:0] kept, partner, results, addends;
  logic [ADDRESS-1:0] slot;  // of the row
  logic [31:0] center, scale, next_center, next_scale;
  assign slot = ADDRESS'(row - group_first);
  assign kept = buffer[address];
  assign center = centers[slot];
  assign scale = scales[slot];

  // ROPE: a column's other half of the pair, in this row.
  logic [31:0] head, spot, other, half;
  logic [LANES-1:0] first_half;
  logic interleaved;
  logic unused;  // flags of other operations: sources of one value come in all lanes
  assign unused = &{1'b0, cmd_flags[7:3], cmd_flags[1:0]};
  assign interleaved = cmd_flags[2];
  assign half = cmd_arg0 >> 1;
  always_comb begin
    partner = '0;
    first_half = '0;
    head = '0;
    spot = '0;
    other = '0;
    if (cmd_op == ROPE && pass == 1)
      for (int l = 0; l < LANES; l++) begin
        spot = (column + l) % cmd_arg0;
        head = column + l - spot;
        first_half[l] = interleaved ? !spot[0] : spot < half;
        other = head + (interleaved ? spot ^ 32'd1 : first_half[l] ? spot + half : spot - half);
        if (column + l < cmd_cols) partner[l*32+:32] = buffer[address-ADDRESS'(beat)+ADDRESS'(other/LANES)][(other%LANES)*32+:32];
      end
  end

  // SOFTMAX: the columns that count.
  logic [32:0] wanted;
  logic [31:0] first, stop;
  assign wanted = {1'b0, cmd_arg0} + {1'b0, window};
  always_comb begin
    first = '0;
    stop = cmd_cols;
    if (cmd_op == SOFTMAX) begin
      if ((cmd_arg0 != 0 || cmd_arg1 != 0) && wanted < {1'b0, cmd_cols}) stop = wanted[31:0];
      if (cmd_arg3 != 0 && stop > cmd_arg3) first = stop - cmd_arg3;
    end
  end

  // Lanes, and special-function units for some of them at a time.
  logic [LANES*32-1:0] elements, b, c, lane_results, special_results, special_held;
  logic [UNITS*32-1:0] unit_results;
  for (genvar l = 0; l < LANES; l++) begin : g_lane
    assign elements[l*32+:32] = pass == 0 ? to_float(cmd_a_type, a_data[l*32+:32]) : kept[l*32+:32];
    assign b[l*32+:32] = takes_b ? to_float(cmd_b_type, b_data[l*32+:32]) : '0;
    assign c[l*32+:32] = takes_c ? to_float(cmd_c_type, c_data[l*32+:32]) : '0;
    vector_lane lane (
        .op(cmd_op), .pass, .a(elements[l*32+:32]), .b(b[l*32+:32]), .c(c[l*32+:32]), .kept(kept[l*32+:32]),
        .partner(partner[l*32+:32]), .first_half(first_half[l]), .arg0(cmd_arg0), .arg1(cmd_arg1), .arg2(cmd_arg2), .center,
        .scale, .result(lane_results[l*32+:32]), .addend(addends[l*32+:32]));
    // The last of the units' turns goes straight on.
    localparam int TURN = l / UNITS;
    assign special_results[l*32+:32] =
        slice == 7'(TURN) ? unit_results[(l%UNITS)*32+:32] : special_held[l*32+:32];
    always_ff @(posedge clk)
      if (have && special && slice == 7'(TURN)) special_held[l*32+:32] <= unit_results[(l%UNITS)*32+:32];
    assign results[l*32+:32] = column + l >= first && column + l < stop ?
        (special ? special_results[l*32+:32] : lane_results[l*32+:32]) : 32'b0;
  end
  for (genvar u = 0; u < UNITS; u++) begin : g_unit
    logic [31:0] x, y;
    always_comb begin
      x = '0;
      y = '0;
      for (int t = 0; t < SPECIAL; t++)
        if (slice == 7'(t) && t * UNITS + u < LANES) begin
          x = elements[((t*UNITS+u)%LANES)*32+:32];
          y = b[((t*UNITS+u)%LANES)*32+:32];
        end
    end
    vector_special unit (
        .op(special ? cmd_op : vector_operations::EXP), .a(special ? x : '0), .b(y), .arg0(cmd_arg0), .arg1(cmd_arg1), .arg2(cmd_arg2), .center,
        .scale, .result(unit_results[u*32+:32]));
  end

  // Reductions along the row.
  logic use_sums, use_extremes;
  logic [31:0] total, extreme, place, columns_float, mean, deviation;
  always_comb begin
    use_sums = 1'b0;
    use_extremes = 1'b0;
    case (cmd_op)
      SUM, MEAN, SUM_SQUARES: use_sums = 1'b1;
      RMSNORM: use_sums = pass == 0;
      LAYERNORM: use_sums = pass != 2;
      SOFTMAX: begin
        use_extremes = pass == 0;
        use_sums = pass == 1;
      end
      ROW_MAX, ROW_MIN, ARGMAX: use_extremes = 1'b1;
      QUANTIZE: use_extremes = pass == 0;
      default: ;
    endcase
  end
  vector_sums #(.LANES(LANES)) sums (
      .clk, .use_sums(use_sums && have), .take, .row_begin(beat == 0), .row_end, .column, .first, .stop,
      .addends(cmd_op == vector_operations::SOFTMAX ? results : addends), .total);
  vector_extremes #(.LANES(LANES)) extremes (
      .clk, .use_extremes(use_extremes && have), .take, .row_begin(beat == 0), .op(cmd_op), .column, .first, .stop,
      .values(addends), .value(extreme), .index(place));
  assign columns_float = to_float(U32, cmd_cols);
  always_comb begin
    mean = '0;
    deviation = '0;
    next_center = center;
    next_scale = scale;
    if (row_end && have)
      case (cmd_op)
        MEAN: mean = divide(total, columns_float);
        SOFTMAX: if (pass == 0) next_center = extreme; else if (pass == 1) next_scale = divide(ONE, total);
        RMSNORM, LAYERNORM: begin
          mean = divide(total, columns_float);
          deviation = divide(ONE, square_root(add(mean, cmd_arg0)));
          if (cmd_op == LAYERNORM && pass == 0) next_center = mean;
          else if (!final_pass) next_scale = deviation;
        end
        QUANTIZE: if (pass == 0) next_scale = to_float(cmd_c_type, from_float(cmd_c_type, divide(extreme, 32'h42fe0000)));
        default: ;
      endcase
  end

  always_ff @(posedge clk)
    if (take && p.last != 0) begin
      if (!final_pass) buffer[address] <= results;
      if (row_end) begin
        centers[slot] <= next_center;
        scales[slot] <= next_scale;
      end
    end

  // Results in their type.
  logic [LANES*32-1:0] out;
  logic [31:0] reduced, count;
  logic whole_count;
  assign whole_count = cmd_d_type == I32 || cmd_d_type == U32;
  always_comb begin
    case (cmd_op)
      ROW_MAX, ROW_MIN: reduced = extreme;
      MEAN: reduced = mean;
      default: reduced = total;
    endcase
  end
  always_comb begin
    out = '0;
    count = '0;
    if (have && final_pass) begin
      if (p.one) out[31:0] = cmd_op == ARGMAX ? cmd_arg0 + place : from_float(cmd_d_type, reduced);
      else
        for (int l = 0; l < LANES; l++) begin
          count = cmd_arg0 + counted + column + l;
          if (cmd_op != CONCAT_COUNT) out[l*32+:32] = from_float(cmd_d_type, results[l*32+:32]);
          else out[l*32+:32] = whole_count ? count : from_float(cmd_d_type, to_float(U32, count));
        end
    end
  end

  // To the outside, LATENCY cycles later.
  localparam int WIDTH = LANES * 32 + 33;
  logic [LATENCY-1:0] valid;
  logic [LATENCY*WIDTH-1:0] line;
  logic [WIDTH-1:0] entry;
  assign entry = {group_end && row == cmd_rows - 1, cmd_op == QUANTIZE ? from_float(cmd_c_type, scale) : 32'b0, out};
  if (LATENCY == 1) begin : g_line
    always_ff @(posedge clk) begin
      if (!rst_n) valid <= '0;
      else if (enable) valid <= take && final_pass && (!p.one || row_end);
      if (enable) line <= entry;
    end
  end else begin : g_line
    always_ff @(posedge clk) begin
      if (!rst_n) valid <= '0;
      else if (enable) valid <= {valid[LATENCY-2:0], take && final_pass && (!p.one || row_end)};
      if (enable) line <= {line[(LATENCY-1)*WIDTH-1:0], entry};
    end
  end
  assign d_valid = valid[LATENCY-1];
  assign {d_last, d_scale, d_data} = line[(LATENCY-1)*WIDTH+:WIDTH];
  assign idle = !cmd_valid;
endmodule
