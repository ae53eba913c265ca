// SPDX-License-Identifier: Apache-2.0
// The writing half: pieces become bursts on AW and W. A burst begins when all its bytes are in the buffer, so W never waits for
// data; its address and its data are offered independently of each other.
module dma_write #(
    parameter  int B = 16,
    parameter  int OUTSTANDING = 8,
    localparam int LANE = $clog2(B)
) (
    input  logic            clk,
    input  logic            rst_n,
    input  logic            hold,          // begin nothing more

    input  logic            piece_valid,
    output logic            piece_take,
    input  logic [63:0]     piece_address,
    input  logic [12:0]     piece_length,
    input  logic            filled,        // the bytes of the piece are there

    output logic            pop,
    output logic [LANE-1:0] pop_lane,
    output logic [LANE:0]   pop_count,

    output logic            busy,
    output logic            fault,
    output logic [63:0]     fault_address,
    output logic [12:0]     written,       // bytes, of the burst that is answered without error

    output logic            awvalid,
    input  logic            awready,
    output logic [63:0]     awaddr,
    output logic [7:0]      awlen,
    output logic            wvalid,
    input  logic            wready,
    output logic [B-1:0]    wstrb,
    output logic            wlast,
    input  logic            bvalid,
    input  logic            berror         // BRESP is SLVERR or DECERR
);
  logic full, empty;
  logic [63:0] address;
  logic [12:0] length;
  assign piece_take = piece_valid && filled && !hold && !full && (!awvalid || awready) && (!wvalid || (wready && wlast));
  dma_flights #(.DEPTH(OUTSTANDING)) flights (
      .clk, .rst_n,
      .push(piece_take), .push_address(piece_address), .push_length(piece_length),
      .pop(bvalid), .address, .length, .empty, .full);

  logic [12:0] left;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      awvalid <= 1'b0;
      wvalid <= 1'b0;
    end else if (piece_take) begin
      awvalid <= 1'b1;
      wvalid <= 1'b1;
    end else begin
      if (awready) awvalid <= 1'b0;
      if (wready && wlast) wvalid <= 1'b0;
    end
    if (piece_take) begin
      awaddr <= piece_address;
      awlen <= 8'((13'(piece_address[LANE-1:0]) + piece_length - 13'd1) >> LANE);
      pop_lane <= piece_address[LANE-1:0];
      left <= piece_length;
    end else if (pop) begin
      pop_lane <= '0;
      left <= left - 13'(pop_count);
    end
  end
  assign pop = wvalid && wready;
  assign wlast = left <= 13'(B) - 13'(pop_lane);
  assign pop_count = wlast ? left[LANE:0] : (LANE + 1)'(B) - (LANE + 1)'(pop_lane);
  assign wstrb = ~({B{1'b1}} << pop_count) << pop_lane;

  assign busy = awvalid || wvalid || !empty;
  assign fault = bvalid && berror;
  assign fault_address = address;
  assign written = bvalid && !berror ? length : '0;
endmodule
