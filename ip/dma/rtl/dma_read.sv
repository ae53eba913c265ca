// SPDX-License-Identifier: Apache-2.0
// The reading half: pieces become bursts on AR, their data a stream of bytes. A burst is asked for when the buffer has room for
// all of it, so R never waits.
module dma_read #(
    parameter  int B = 16,
    parameter  int OUTSTANDING = 8,
    localparam int LANE = $clog2(B)
) (
    input  logic            clk,
    input  logic            rst_n,
    input  logic            hold,          // ask for nothing more

    input  logic            piece_valid,
    output logic            piece_take,
    input  logic [63:0]     piece_address,
    input  logic [12:0]     piece_length,
    input  logic            room,          // for the piece

    output logic            push,
    output logic [LANE-1:0] push_lane,
    output logic [LANE:0]   push_count,

    output logic            busy,          // something is under way
    output logic            fault,         // an answer is an error
    output logic [63:0]     fault_address, // of its burst

    output logic            arvalid,
    input  logic            arready,
    output logic [63:0]     araddr,
    output logic [7:0]      arlen,
    input  logic            rvalid,
    input  logic            rerror,        // RRESP is SLVERR or DECERR
    input  logic            rlast
);
  logic full, empty;
  logic [63:0] address;
  logic [12:0] length;
  assign piece_take = piece_valid && room && !hold && !full && (!arvalid || arready);
  dma_flights #(.DEPTH(OUTSTANDING)) flights (
      .clk, .rst_n,
      .push(piece_take), .push_address(piece_address), .push_length(piece_length),
      .pop(rvalid && rlast), .address, .length, .empty, .full);

  always_ff @(posedge clk) begin
    if (!rst_n) arvalid <= 1'b0;
    else if (piece_take) arvalid <= 1'b1;
    else if (arready) arvalid <= 1'b0;
    if (piece_take) begin
      araddr <= piece_address;
      arlen <= 8'((13'(piece_address[LANE-1:0]) + piece_length - 13'd1) >> LANE);
    end
  end

  // The first beat begins at the address's lane, the last one may end before the last lane.
  logic first;
  logic [12:0] done, left;
  assign push = rvalid && !rerror;
  assign push_lane = first ? address[LANE-1:0] : '0;
  assign left = length - (first ? 13'd0 : done);
  assign push_count = left < 13'(B) - 13'(push_lane) ? left[LANE:0] : (LANE + 1)'(B) - (LANE + 1)'(push_lane);
  always_ff @(posedge clk) begin
    if (!rst_n) first <= 1'b1;
    else if (rvalid) first <= rlast;
    if (rvalid) done <= (first ? 13'd0 : done) + 13'(push_count);
  end

  assign busy = arvalid || !empty;
  assign fault = rvalid && rerror;
  assign fault_address = address;
endmodule
