// SPDX-License-Identifier: Apache-2.0
// A stream of bytes between reads and writes of different alignment: up to B bytes from any lane on go in and out each cycle.
// Byte p of the stream is in bank p mod B. Who pushes has made sure that there is room, who pops that the bytes are there.
module dma_buffer #(
    parameter  int B = 16,         // lanes, a power of two from 4 on
    parameter  int BYTES = 4096,   // a power of two, 2 B or more
    localparam int LANE = $clog2(B)
) (
    input  logic            clk,
    input  logic            clear,

    input  logic            push,
    input  logic [LANE-1:0] push_lane,   // of the first byte
    input  logic [LANE:0]   push_count,
    input  logic [8*B-1:0]  push_data,

    input  logic            pop,
    input  logic [LANE-1:0] pop_lane,
    input  logic [LANE:0]   pop_count,
    output logic [8*B-1:0]  pop_data     // the next bytes of the stream from pop_lane on
);
  localparam int AT = $clog2(BYTES), ROW = AT - LANE;

  logic [AT-1:0] push_at, pop_at;
  always_ff @(posedge clk) begin
    if (clear) begin
      push_at <= '0;
      pop_at <= '0;
    end else begin
      if (push) push_at <= push_at + AT'(push_count);
      if (pop) pop_at <= pop_at + AT'(pop_count);
    end
  end

  // Lanes turn to banks and back.
  logic [LANE-1:0] push_turn, pop_turn;
  logic [8*B-1:0] to_banks, from_banks;
  assign push_turn = push_at[LANE-1:0] - push_lane;
  assign pop_turn = pop_at[LANE-1:0] - pop_lane;

  for (genvar b = 0; b < B; b++) begin : g_bank
    logic [7:0] bytes[0:2**ROW-1];
    logic [LANE-1:0] lane, offset, source;
    logic [ROW-1:0] push_row, pop_row;
    assign lane = LANE'(b) - push_turn;
    assign to_banks[8*b+:8] = push_data[{lane, 3'b0}+:8];
    assign offset = LANE'(b) - push_at[LANE-1:0];
    assign push_row = ROW'((push_at + AT'(B - 1 - b)) >> LANE);
    always_ff @(posedge clk) if (push && {1'b0, offset} < push_count) bytes[push_row] <= to_banks[8*b+:8];

    assign pop_row = ROW'((pop_at + AT'(B - 1 - b)) >> LANE);
    assign from_banks[8*b+:8] = bytes[pop_row];
    assign source = LANE'(b) + pop_turn;
    assign pop_data[8*b+:8] = from_banks[{source, 3'b0}+:8];
  end
endmodule
