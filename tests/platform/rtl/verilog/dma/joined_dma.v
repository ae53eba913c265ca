// SPDX-License-Identifier: Apache-2.0
// A DMA engine with two AXI4 managers that take turns: both read and both write.
module joined_dma (
    input wire clk, input wire rst_n,
    input wire start, output wire ready, input wire [63:0] source, input wire [63:0] destination, input wire [31:0] bytes,
    output wire done, output wire error,
    output wire m0_awvalid, input wire m0_awready, output wire m0_awid, output wire [63:0] m0_awaddr, output wire [7:0] m0_awlen,
    output wire [2:0] m0_awsize, output wire [1:0] m0_awburst,
    output wire m0_wvalid, input wire m0_wready, output wire [63:0] m0_wdata, output wire [7:0] m0_wstrb, output wire m0_wlast,
    input wire m0_bvalid, output wire m0_bready, input wire m0_bid, input wire [1:0] m0_bresp,
    output wire m0_arvalid, input wire m0_arready, output wire m0_arid, output wire [63:0] m0_araddr, output wire [7:0] m0_arlen,
    output wire [2:0] m0_arsize, output wire [1:0] m0_arburst,
    input wire m0_rvalid, output wire m0_rready, input wire m0_rid, input wire [63:0] m0_rdata, input wire [1:0] m0_rresp,
    input wire m0_rlast,
    output wire m1_awvalid, input wire m1_awready, output wire m1_awid, output wire [63:0] m1_awaddr, output wire [7:0] m1_awlen,
    output wire [2:0] m1_awsize, output wire [1:0] m1_awburst,
    output wire m1_wvalid, input wire m1_wready, output wire [63:0] m1_wdata, output wire [7:0] m1_wstrb, output wire m1_wlast,
    input wire m1_bvalid, output wire m1_bready, input wire m1_bid, input wire [1:0] m1_bresp,
    output wire m1_arvalid, input wire m1_arready, output wire m1_arid, output wire [63:0] m1_araddr, output wire [7:0] m1_arlen,
    output wire [2:0] m1_arsize, output wire [1:0] m1_arburst,
    input wire m1_rvalid, output wire m1_rready, input wire m1_rid, input wire [63:0] m1_rdata, input wire [1:0] m1_rresp,
    input wire m1_rlast
);
  reg turn;
  wire arvalid, rready, awvalid, wvalid, bready;
  wire [63:0] araddr, awaddr, wdata;
  wire [7:0] arlen, awlen;
  wire wlast, busy;
  // A burst is read and written on one port, the next on the other.
  wire bvalid = turn ? m1_bvalid : m0_bvalid;
  always @(posedge clk) if (!rst_n) turn <= 0; else if (bvalid & bready) turn <= ~turn;
  assign {m0_arvalid, m1_arvalid} = {arvalid & ~turn, arvalid & turn}, {m0_araddr, m1_araddr} = {2{araddr}};
  assign {m0_arlen, m1_arlen} = {2{arlen}}, {m0_arsize, m1_arsize} = {2{3'd3}}, {m0_arburst, m1_arburst} = {2{2'd1}};
  assign {m0_arid, m1_arid, m0_awid, m1_awid} = 4'b1010;
  assign {m0_rready, m1_rready} = {rready & ~turn, rready & turn};
  assign {m0_awvalid, m1_awvalid} = {awvalid & ~turn, awvalid & turn}, {m0_awaddr, m1_awaddr} = {2{awaddr}};
  assign {m0_awlen, m1_awlen} = {2{awlen}}, {m0_awsize, m1_awsize} = {2{3'd3}}, {m0_awburst, m1_awburst} = {2{2'd1}};
  assign {m0_wvalid, m1_wvalid} = {wvalid & ~turn, wvalid & turn}, {m0_wdata, m1_wdata} = {2{wdata}};
  assign {m0_wstrb, m1_wstrb} = 16'hffff, {m0_wlast, m1_wlast} = {2{wlast}};
  assign {m0_bready, m1_bready} = {bready & ~turn, bready & turn};
  assign ready = ~busy;
  mover mover (
      .clk(clk), .rst(~rst_n), .go(start), .from_in(source), .to_in(destination), .bytes_in(bytes),
      .busy(busy), .finished(done), .failed(error),
      .arvalid(arvalid), .arready(turn ? m1_arready : m0_arready), .araddr(araddr), .arlen(arlen),
      .rvalid(turn ? m1_rvalid : m0_rvalid), .rready(rready), .rdata(turn ? m1_rdata : m0_rdata),
      .rresp(turn ? m1_rresp : m0_rresp), .rlast(turn ? m1_rlast : m0_rlast),
      .awvalid(awvalid), .awready(turn ? m1_awready : m0_awready), .awaddr(awaddr), .awlen(awlen),
      .wvalid(wvalid), .wready(turn ? m1_wready : m0_wready), .wdata(wdata), .wlast(wlast),
      .bvalid(bvalid), .bready(bready), .bresp(turn ? m1_bresp : m0_bresp));
endmodule
