// SPDX-License-Identifier: Apache-2.0
// Made by `forerun replay`: plays recorded transactions into @TOP@, one burst after another, and compares its answers. Plain
// SystemVerilog without C; reads bursts.txt of its folder.
`timescale 1ns / 1ps
module replay_tb;
  localparam int BYTES = @BYTES@, IDS = @ID_WIDTH@, ADDRESS = @ADDRESS_BITS@, LITE = @LITE@, PATIENCE = 100000;

  reg clock = 0, reset = 1;
  reg awvalid = 0, wvalid = 0, wlast = 0, arvalid = 0, bready = 0, rready = 0;
  reg [63:0] address = 0;
  reg [7:0] len = 0;
  reg [2:0] size = 0;
  reg [1:0] burst = 0;
  reg [8*BYTES-1:0] wdata = 0;
  reg [BYTES-1:0] wstrb = 0;
  wire awready, wready, bvalid, arready, rvalid, rlast;
  wire [1:0] bresp, rresp;
  wire [IDS-1:0] bid, rid;
  wire [8*BYTES-1:0] rdata;
  @TOP@ dut (
@CONNECTIONS@);

  integer file, fields, lane, waited = 0, cycle = 0, transactions = 0, bytes = 0, checked;
  integer number, kind, beat, beats;
  reg [1:0] expected, worst;
  reg [8*BYTES-1:0] data;
  reg [BYTES-1:0] used;
  reg aw_taken, w_taken, ar_taken, b_taken, r_taken, r_last;
  reg [1:0] b_response, r_response;
  reg [8*BYTES-1:0] r_data;

  task automatic different;  // to be called after the first half of the message
    if (number < 0) $display(" (initial contents, cycle %0d)", cycle);
    else $display(" (transaction %0d, cycle %0d)", number, cycle);
    $fatal(1, "replay differs");
  endtask
  // DECERR before SLVERR before OKAY.
  task automatic answer(input [1:0] response);
    if (response[1] && response > worst) worst = response;
  endtask
  // A cycle: the pins settle, what they say before the edge is kept, the clock rises and falls.
  task automatic tick;
    #4;
    aw_taken = awvalid && awready;
    w_taken = wvalid && wready;
    ar_taken = arvalid && arready;
    {b_taken, b_response} = {bvalid && bready, bresp};
    {r_taken, r_response, r_last, r_data} = {rvalid && rready, rresp, rlast, rdata};
    clock = 1;
    #5 clock = 0;
    #1;
    cycle = cycle + 1;
    waited = waited + 1;
    if (waited > PATIENCE) begin
      $write("DIFFERENT: no answer for %0d cycles", PATIENCE);
      different;
    end
  endtask

  task automatic write_burst;
    beat = 0;
    awvalid = 1;
    next_write_beat;
    while (awvalid || wvalid) begin
      tick;
      if (aw_taken) awvalid = 0;
      if (w_taken) begin
        beat = beat + 1;
        if (beat < beats) next_write_beat;
        else wvalid = 0;
      end
    end
    bready = 1;
    tick;
    while (!b_taken) tick;
    answer(b_response);
    bready = 0;
  endtask
  task automatic next_write_beat;
    fields = $fscanf(file, "%h %h", data, used);
    wdata = data;
    wstrb = used;
    wlast = beat + 1 == beats;
    wvalid = 1;
  endtask

  task automatic read_burst;
    beat = 0;
    arvalid = 1;
    rready = 1;
    while (beat < beats) begin
      tick;
      if (ar_taken) arvalid = 0;
      if (r_taken) begin
        answer(r_response);
        fields = $fscanf(file, "%h %h", data, used);
        for (lane = 0; lane < BYTES; lane = lane + 1)
          if (used[lane] && r_data[8*lane+:8] !== data[8*lane+:8]) begin
            $write("DIFFERENT: beat %0d of a read at %h, lane %0d is %h, recorded %h", beat, address, lane, r_data[8*lane+:8], data[8*lane+:8]);
            different;
          end
        if (LITE == 0 && r_last !== (beat + 1 == beats)) begin
          $write("DIFFERENT: beat %0d of a read at %h: RLAST is %b", beat, address, r_last);
          different;
        end
        beat = beat + 1;
        if (beat == beats) rready = 0;
      end
    end
  endtask

  // kind: 0 read, 1 write, then the response is compared after the last burst of a transaction: 2 ends it.
  initial begin
    file = $fopen("bursts.txt", "r");
    if (file == 0) $fatal(1, "run this in the folder that `forerun replay` has made");
    repeat (3) tick;
    reset = 0;
    repeat (2) tick;
    worst = 0;
    fields = $fscanf(file, "%d", kind);
    while (fields == 1) begin
      waited = 0;
      if (kind == 2) begin
        fields = $fscanf(file, "%d %d %d", number, expected, checked);
        if (worst !== expected) begin
          $write("DIFFERENT: the response is %0d, recorded %0d", worst, expected);
          different;
        end
        if (number >= 0) begin
          transactions = transactions + 1;
          bytes = bytes + checked;
        end
        worst = 0;
      end else begin
        fields = $fscanf(file, "%d %h %d %d %d", number, address, beats, size, burst);
        len = beats - 1;
        if (kind == 1) write_burst;
        else read_burst;
      end
      fields = $fscanf(file, "%d", kind);
    end
    $display("forerun replay: %0d transactions, %0d bytes, %0d cycles: all equal", transactions, bytes, cycle);
    $finish;
  end
endmodule
