// Several managers as one; the higher bits of its IDs say which. One write after another.
module dma_join_reads #(
    parameter  int N = 2,
    parameter  int ID = 1,  // of the one
    parameter  int ADDRESS = 32,
    parameter  int BYTES = 4,
    localparam int B = $clog2(N)
) (
    input  bit                        clock, reset,
    input  wire [N-1:0]               j_arvalid, j_arlock, j_rready,
    output wire [N-1:0]               j_arready, j_rvalid, j_rlast,
    input  wire [N-1:0][ID-1:0]       j_arid,
    input  wire [N-1:0][ADDRESS-1:0]  j_araddr,
    input  wire [N-1:0][7:0]          j_arlen,
    input  wire [N-1:0][2:0]          j_arsize, j_arprot,
    input  wire [N-1:0][1:0]          j_arburst,
    input  wire [N-1:0][3:0]          j_arcache,
    output wire [N-1:0][ID-1:0]       j_rid,
    output wire [N-1:0][8*BYTES-1:0]  j_rdata,
    output wire [N-1:0][1:0]          j_rresp,
    output wire                       m_arvalid, m_arlock, m_rready,
    input  bit                        m_arready, m_rvalid, m_rlast,
    output wire [ID-1:0]              m_arid,
    output wire [ADDRESS-1:0]         m_araddr,
    output wire [7:0]                 m_arlen,
    output wire [2:0]                 m_arsize, m_arprot,
    output wire [1:0]                 m_arburst,
    output wire [3:0]                 m_arcache,
    input  bit  [ID-1:0]              m_rid,
    input  bit  [8*BYTES-1:0]         m_rdata,
    input  bit  [1:0]                 m_rresp
);
  bit held;
  bit [B-1:0] holder, n;
  always_comb begin
    n = holder;
    for (int i = N - 1; i >= 0; i--) if (!held && j_arvalid[i]) n = B'(i);
  end
  assign m_arvalid = j_arvalid[n];
  assign m_arid = {n, j_arid[n][ID-B-1:0]};
  assign {m_arlock, m_araddr, m_arlen, m_arsize, m_arprot, m_arburst, m_arcache} = {
      j_arlock[n], j_araddr[n], j_arlen[n], j_arsize[n], j_arprot[n], j_arburst[n], j_arcache[n]};
  assign j_arready = N'(m_arready) << n;
  wire [B-1:0] r = m_rid[ID-1-:B];
  assign j_rvalid = N'(m_rvalid) << r;
  assign m_rready = j_rready[r];
  assign {j_rlast, j_rid, j_rdata, j_rresp} = {{N{m_rlast}}, {N{ID'(m_rid[ID-B-1:0])}}, {N{m_rdata}}, {N{m_rresp}}};
  always @(posedge clock)
    if (reset) held <= 0;
    else if (m_arvalid) {held, holder} <= {!m_arready, n};
endmodule

module dma_join_writes #(
    parameter  int N = 2,
    parameter  int ID = 1,
    parameter  int ADDRESS = 32,
    parameter  int BYTES = 4,
    localparam int B = $clog2(N)
) (
    input  bit                        clock, reset,
    input  wire [N-1:0]               j_awvalid, j_awlock, j_wvalid, j_wlast, j_bready,
    output wire [N-1:0]               j_awready, j_wready, j_bvalid,
    input  wire [N-1:0][ID-1:0]       j_awid,
    input  wire [N-1:0][ADDRESS-1:0]  j_awaddr,
    input  wire [N-1:0][7:0]          j_awlen,
    input  wire [N-1:0][2:0]          j_awsize, j_awprot,
    input  wire [N-1:0][1:0]          j_awburst,
    input  wire [N-1:0][3:0]          j_awcache,
    input  wire [N-1:0][8*BYTES-1:0]  j_wdata,
    input  wire [N-1:0][BYTES-1:0]    j_wstrb,
    output wire [N-1:0][ID-1:0]       j_bid,
    output wire [N-1:0][1:0]          j_bresp,
    output wire                       m_awvalid, m_awlock, m_wvalid, m_wlast, m_bready,
    input  bit                        m_awready, m_wready, m_bvalid,
    output wire [ID-1:0]              m_awid,
    output wire [ADDRESS-1:0]         m_awaddr,
    output wire [7:0]                 m_awlen,
    output wire [2:0]                 m_awsize, m_awprot,
    output wire [1:0]                 m_awburst,
    output wire [3:0]                 m_awcache,
    output wire [8*BYTES-1:0]         m_wdata,
    output wire [BYTES-1:0]           m_wstrb,
    input  bit  [ID-1:0]              m_bid,
    input  bit  [1:0]                 m_bresp
);
  bit held, aw_done, w_done;
  bit [B-1:0] holder, n;
  always_comb begin
    n = holder;
    for (int i = N - 1; i >= 0; i--) if (!held && (j_awvalid[i] || j_wvalid[i])) n = B'(i);
  end
  assign m_awvalid = j_awvalid[n] && !aw_done;
  assign m_awid = {n, j_awid[n][ID-B-1:0]};
  assign {m_awlock, m_awaddr, m_awlen, m_awsize, m_awprot, m_awburst, m_awcache} = {
      j_awlock[n], j_awaddr[n], j_awlen[n], j_awsize[n], j_awprot[n], j_awburst[n], j_awcache[n]};
  assign m_wvalid = j_wvalid[n] && !w_done;
  assign {m_wlast, m_wdata, m_wstrb} = {j_wlast[n], j_wdata[n], j_wstrb[n]};
  assign j_awready = N'(m_awready && !aw_done) << n;
  assign j_wready = N'(m_wready && !w_done) << n;
  wire [B-1:0] b = m_bid[ID-1-:B];
  assign j_bvalid = N'(m_bvalid) << b;
  assign m_bready = j_bready[b];
  assign {j_bid, j_bresp} = {{N{ID'(m_bid[ID-B-1:0])}}, {N{m_bresp}}};
  wire aw_now = aw_done || (m_awvalid && m_awready);
  wire w_now = w_done || (m_wvalid && m_wready && m_wlast);
  always @(posedge clock)
    if (reset || (aw_now && w_now)) {held, aw_done, w_done} <= 3'b0;
    else if (j_awvalid[n] || j_wvalid[n]) {held, holder, aw_done, w_done} <= {1'b1, n, aw_now, w_now};
endmodule
