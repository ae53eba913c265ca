// SPDX-License-Identifier: Apache-2.0
// An AXI4 memory whose handshakes are as unusual as the specification lets them be. Bursts are INCR.
module QUIRKY_RAM #(
    parameter C_DATA = 64,    // bits
    parameter C_LOG = 3,      // of the bytes
    parameter C_ADDRESS = 20,
    parameter C_ID = 4,
    parameter LATENCY = 1,    // cycles from the last data or from the request on
    parameter READY = 0,      // 0: READY follows VALID in the same cycle; 1: it is high before; 2: in the cycle after
    parameter DATA_FIRST = 0, // takes all data of a burst before its address
    parameter INTERLEAVE = 0  // reads of different IDs, beat by beat
) (
    input ACLK, input ARST,
    input AWVALID, output AWREADY, input [C_ID-1:0] AWID, input [C_ADDRESS-1:0] AWADDR, input [7:0] AWLEN, input [2:0] AWSIZE,
    input [1:0] AWBURST, input AWLOCK, input [3:0] AWCACHE, input [2:0] AWPROT, input [3:0] AWQOS, input [3:0] AWREGION,
    input [6:0] AWUSER, input [5:0] AWATOP,
    input WVALID, output WREADY, input [C_DATA-1:0] WDATA, input [C_DATA/8-1:0] WSTRB, input WLAST, input [1:0] WUSER,
    output reg BVALID, input BREADY, output reg [C_ID-1:0] BID, output [1:0] BRESP, output [1:0] BUSER,
    input ARVALID, output ARREADY, input [C_ID-1:0] ARID, input [C_ADDRESS-1:0] ARADDR, input [7:0] ARLEN, input [2:0] ARSIZE,
    input [1:0] ARBURST, input ARLOCK, input [3:0] ARCACHE, input [2:0] ARPROT, input [3:0] ARQOS, input [3:0] ARREGION,
    input [6:0] ARUSER,
    output reg RVALID, input RREADY, output reg [C_ID-1:0] RID, output reg [C_DATA-1:0] RDATA, output [1:0] RRESP, output reg RLAST,
    output [1:0] RUSER
);
  localparam WORDS = (1 << 20) >> C_LOG;
  reg [C_DATA-1:0] words[0:WORDS-1];
  assign BRESP = 0, RRESP = 0, BUSER = 3, RUSER = 1;

  // The word of a beat; all addresses below 1 MiB are there.
  function [19:0] word_of(input [19:0] address, input [2:0] size, input [8:0] beat);
    word_of = (((address >> size) + beat) << size) >> C_LOG;
  endfunction

  reg [2:0] late;  // READY in the cycle after
  reg have_aw, have_w;
  wire may_aw = ~have_aw & (DATA_FIRST ? have_w : 1'b1), may_w = ~have_w & (DATA_FIRST ? 1'b1 : have_aw);
  assign AWREADY = ~ARST & may_aw & (READY == 1 | (READY == 0 ? AWVALID : late[0]));
  assign WREADY = ~ARST & may_w & (READY == 1 | (READY == 0 ? WVALID : late[1]));

  reg [C_DATA-1:0] data[0:255];
  reg [C_DATA/8-1:0] strobes[0:255];
  reg [C_ID-1:0] id;
  reg [19:0] address;
  reg [2:0] size;
  reg [8:0] beats, written;
  reg [15:0] wait_w;
  integer lane;
  always @(posedge ACLK or posedge ARST)
    if (ARST) begin
      {have_aw, have_w, BVALID, late[1:0]} <= 0;
      {beats, written, wait_w} <= 0;
    end else begin
      late[0] <= may_aw & AWVALID & ~AWREADY;
      late[1] <= may_w & WVALID & ~WREADY;
      if (AWVALID & AWREADY) {have_aw, id, address, size} <= {1'b1, AWID, AWADDR[19:0], AWSIZE};
      if (WVALID & WREADY) begin
        data[beats[7:0]] <= WDATA;
        strobes[beats[7:0]] <= WSTRB;
        beats <= beats + 1;
        have_w <= WLAST;
      end
      if (have_aw & have_w & ~BVALID) begin
        if (written != beats) begin
          for (lane = 0; lane < C_DATA / 8; lane = lane + 1)
            if (strobes[written[7:0]][lane]) words[word_of(address, size, written)][8*lane+:8] <= data[written[7:0]][8*lane+:8];
          written <= written + 1;
        end else if (wait_w != LATENCY) wait_w <= wait_w + 1;
        else {BVALID, BID} <= {1'b1, id};
      end
      if (BVALID & BREADY) begin
        {BVALID, have_aw, have_w} <= 0;
        {beats, written, wait_w} <= 0;
      end
    end

  // Two reads under way, of different IDs.
  reg [1:0] busy;
  reg [C_ID-1:0] rid0, rid1;
  reg [19:0] at0, at1;
  reg [2:0] size0, size1;
  reg [8:0] left0, left1, beat0, beat1;
  reg [15:0] wait0, wait1;
  reg turn;
  wire twice = (busy[0] & rid0 == ARID) | (busy[1] & rid1 == ARID);
  // What ready says before valid must not depend on the ID that comes with it.
  wire may_ar = INTERLEAVE ? busy != 3 & (READY == 1 ? busy == 0 : ~twice) : busy == 0;
  assign ARREADY = ~ARST & may_ar & (READY == 1 | (READY == 0 ? ARVALID : late[2]));
  wire go0 = busy[0] & wait0 == LATENCY, go1 = busy[1] & wait1 == LATENCY;
  wire one = go1 & (~go0 | turn);
  wire move = ~RVALID | RREADY;
  always @(posedge ACLK or posedge ARST)
    if (ARST) {busy, RVALID, late[2], turn} <= 0;
    else begin
      late[2] <= may_ar & ARVALID & ~ARREADY;
      if (busy[0] & wait0 != LATENCY) wait0 <= wait0 + 1;
      if (busy[1] & wait1 != LATENCY) wait1 <= wait1 + 1;
      if (ARVALID & ARREADY) begin
        if (~busy[0]) {busy[0], rid0, at0, size0, left0, beat0, wait0} <= {1'b1, ARID, ARADDR[19:0], ARSIZE, 1'b0, ARLEN, 9'd0, 16'd0};
        else {busy[1], rid1, at1, size1, left1, beat1, wait1} <= {1'b1, ARID, ARADDR[19:0], ARSIZE, 1'b0, ARLEN, 9'd0, 16'd0};
      end
      if (move) begin
        RVALID <= go0 | go1;
        turn <= ~one;
        if (one) begin
          {RID, RLAST, RDATA} <= {rid1, beat1 == left1, words[word_of(at1, size1, beat1)]};
          beat1 <= beat1 + 1;
          if (beat1 == left1) busy[1] <= 0;
        end else if (go0) begin
          {RID, RLAST, RDATA} <= {rid0, beat0 == left0, words[word_of(at0, size0, beat0)]};
          beat0 <= beat0 + 1;
          if (beat0 == left0) busy[0] <= 0;
        end
      end
    end
endmodule
