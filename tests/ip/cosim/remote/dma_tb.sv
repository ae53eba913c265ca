// SPDX-License-Identifier: Apache-2.0
// The DMA engine as a part of a simulation in another process.
module dma_tb;
  bit clk = 0, aresetn = 0;
  bit s_awvalid, s_awready, s_wvalid, s_wready, s_bvalid, s_bready, s_arvalid, s_arready, s_rvalid, s_rready;
  bit [11:0] s_awaddr, s_araddr;
  bit [31:0] s_wdata, s_rdata;
  bit [3:0] s_wstrb;
  bit [1:0] s_bresp, s_rresp;
  bit m_awvalid, m_awready, m_wvalid, m_wready, m_wlast, m_bvalid, m_bready, m_arvalid, m_arready, m_rvalid, m_rready, m_rlast;
  bit [63:0] m_awaddr, m_araddr;
  bit [7:0] m_awlen, m_arlen;
  bit [2:0] m_awsize, m_arsize, m_awprot, m_arprot;
  bit [1:0] m_awburst, m_arburst, m_bresp, m_rresp;
  bit [3:0] m_awcache, m_arcache;
  bit [127:0] m_wdata, m_rdata;
  bit [15:0] m_wstrb;
  bit irq, idle;
  forerun_remote #(.S_BYTES(4), .S_ADDRESS_BITS(12), .S_LITE(1), .M_BYTES(16)) remote (
      .clk, .reset(!aresetn), .irq, .idle, .s_awvalid, .s_awready, .s_awid(), .s_awaddr, .s_awlen(), .s_awsize(), .s_awburst(),
      .s_awlock(), .s_awcache(), .s_awprot(), .s_wvalid, .s_wready, .s_wdata, .s_wstrb, .s_wlast(), .s_bvalid, .s_bready, .s_bid(1'b0),
      .s_bresp, .s_arvalid, .s_arready, .s_arid(), .s_araddr, .s_arlen(), .s_arsize(), .s_arburst(), .s_arlock(), .s_arcache(),
      .s_arprot(), .s_rvalid, .s_rready, .s_rid(1'b0), .s_rdata, .s_rresp, .s_rlast(1'b1), .m_awvalid, .m_awready, .m_awid(1'b0),
      .m_awaddr, .m_awlen, .m_awsize, .m_awburst, .m_awlock(1'b0), .m_awcache, .m_awprot, .m_wvalid, .m_wready, .m_wdata, .m_wstrb,
      .m_wlast, .m_bvalid, .m_bready, .m_bid(), .m_bresp, .m_arvalid, .m_arready, .m_arid(1'b0), .m_araddr, .m_arlen, .m_arsize,
      .m_arburst, .m_arlock(1'b0), .m_arcache, .m_arprot, .m_rvalid, .m_rready, .m_rid(), .m_rdata, .m_rresp, .m_rlast);
  dma_engine dut (
      .aclk(clk), .aresetn, .s_axi_awvalid(s_awvalid), .s_axi_awready(s_awready), .s_axi_awaddr(s_awaddr), .s_axi_wvalid(s_wvalid),
      .s_axi_wready(s_wready), .s_axi_wdata(s_wdata), .s_axi_wstrb(s_wstrb), .s_axi_bvalid(s_bvalid), .s_axi_bready(s_bready),
      .s_axi_bresp(s_bresp), .s_axi_arvalid(s_arvalid), .s_axi_arready(s_arready), .s_axi_araddr(s_araddr), .s_axi_rvalid(s_rvalid),
      .s_axi_rready(s_rready), .s_axi_rdata(s_rdata), .s_axi_rresp(s_rresp), .m_axi_awvalid(m_awvalid), .m_axi_awready(m_awready),
      .m_axi_awaddr(m_awaddr), .m_axi_awlen(m_awlen), .m_axi_awsize(m_awsize), .m_axi_awburst(m_awburst), .m_axi_awcache(m_awcache),
      .m_axi_awprot(m_awprot), .m_axi_wvalid(m_wvalid), .m_axi_wready(m_wready), .m_axi_wdata(m_wdata), .m_axi_wstrb(m_wstrb),
      .m_axi_wlast(m_wlast), .m_axi_bvalid(m_bvalid), .m_axi_bready(m_bready), .m_axi_bresp(m_bresp), .m_axi_arvalid(m_arvalid),
      .m_axi_arready(m_arready), .m_axi_araddr(m_araddr), .m_axi_arlen(m_arlen), .m_axi_arsize(m_arsize), .m_axi_arburst(m_arburst),
      .m_axi_arcache(m_arcache), .m_axi_arprot(m_arprot), .m_axi_rvalid(m_rvalid), .m_axi_rready(m_rready), .m_axi_rdata(m_rdata),
      .m_axi_rresp(m_rresp), .m_axi_rlast(m_rlast), .irq, .idle);
  initial begin
    repeat (6) #5 clk = !clk;
    aresetn = 1;
    forever #5 clk = !clk;
  end
endmodule
