// SPDX-License-Identifier: Apache-2.0
// What the DMA engines of other styles have inside: words of 64 bits are read on one port and written on another, a burst of up to
// 16 beats after another. `go` for a cycle while not busy; `finished` for a cycle, with `failed`.
module mover (
    input wire clk, input wire rst,
    input wire go, input wire [63:0] from_in, input wire [63:0] to_in, input wire [31:0] bytes_in,
    output reg busy, output reg finished, output reg failed,
    output wire arvalid, input wire arready, output wire [63:0] araddr, output wire [7:0] arlen,
    input wire rvalid, output wire rready, input wire [63:0] rdata, input wire [1:0] rresp, input wire rlast,
    output wire awvalid, input wire awready, output wire [63:0] awaddr, output wire [7:0] awlen,
    output wire wvalid, input wire wready, output wire [63:0] wdata, output wire wlast,
    input wire bvalid, output wire bready, input wire [1:0] bresp
);
  localparam ASK = 0, READ = 1, WRITE = 2, ANSWER = 3;
  reg [1:0] state;
  reg [63:0] from, to;
  reg [31:0] left;
  reg [63:0] kept[0:15];
  reg [4:0] at;
  reg told;  // the address of the write is taken
  wire [9:0] room_from = 512 - from[11:3], room_to = 512 - to[11:3];
  wire [9:0] room = room_from < room_to ? room_from : room_to;
  wire [9:0] wanted = left[31:3] > 16 ? 10'd16 : left[12:3];
  wire [9:0] beats = wanted < room ? wanted : room;

  assign arvalid = busy & (state == ASK), araddr = from, arlen = beats - 1;
  assign rready = busy & (state == READ);
  // The data may go before its address.
  assign awvalid = busy & (state == WRITE) & ~told, awaddr = to, awlen = beats - 1;
  assign wvalid = busy & (state == WRITE) & (at != beats), wdata = kept[at[3:0]], wlast = at + 1 == beats;
  assign bready = busy & (state == ANSWER);

  always @(posedge clk)
    if (rst) begin
      busy <= 0;
      finished <= 0;
    end else begin
      finished <= 0;
      if (!busy) begin
        if (go) begin
          {from, to, left} <= {from_in, to_in, bytes_in};
          {busy, failed, state} <= {1'b1, 1'b0, 2'd0};
        end
      end else
        case (state)
          ASK: if (arready) {state, at} <= {2'd1, 5'd0};
          READ:
            if (rvalid) begin
              kept[at[3:0]] <= rdata;
              at <= rlast ? 0 : at + 1;
              told <= 0;
              if (rresp[1]) failed <= 1;
              if (rlast) begin
                state <= WRITE;
                if (rresp[1] | failed) {busy, finished} <= 2'b01;
              end
            end
          WRITE: begin
            if (awready) told <= 1;
            if (wvalid & wready) at <= at + 1;
            if ((told | awready) & (at == beats | (wready & wlast))) state <= ANSWER;
          end
          default:
            if (bvalid) begin
              from <= from + {beats, 3'd0};
              to <= to + {beats, 3'd0};
              left <= left - {beats, 3'd0};
              state <= ASK;
              if (bresp[1]) failed <= 1;
              if (bresp[1] | left == {beats, 3'd0}) {busy, finished} <= 2'b01;
            end
        endcase
    end
endmodule
