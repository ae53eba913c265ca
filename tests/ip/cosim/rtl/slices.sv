// SPDX-License-Identifier: Apache-2.0
// Register slices: what comes in on one side goes out on the other, a cycle later. An RTL block with a manager's and a subordinate's side.

// Two entries of anything. Ready and valid are registers.
module slice #(
    parameter int BITS = 1
) (
    input logic clk,
    input logic reset_n,
    input logic in_valid,
    output logic in_ready,
    input logic [BITS-1:0] in,
    output logic out_valid,
    input logic out_ready,
    output logic [BITS-1:0] out
);
  logic [BITS-1:0] second;
  logic full;
  logic open;
  assign in_ready = open && !full;
  always_ff @(posedge clk) begin
    open <= reset_n;
    if (!reset_n) begin
      full <= 0;
      out_valid <= 0;
    end else begin
      if (out_ready || !out_valid) begin
        out_valid <= full || (in_valid && in_ready);
        out <= full ? second : in;
        full <= 0;
      end else if (in_valid && in_ready) begin
        second <= in;
        full   <= 1;
      end
    end
  end
endmodule

// Faults, to try those who watch: 0 flips a bit of read data, 1 gives AWVALID and WVALID in reset, 2 changes the write answer's ID.
module axi_slice #(
    parameter int DATA_BITS = 64,
    parameter int ID_BITS = 4
) (
    input logic aclk,
    input logic aresetn,
    input logic [2:0] fault,
    input logic s_axi_awvalid, s_axi_wvalid, s_axi_arvalid, s_axi_bready, s_axi_rready,
    output logic s_axi_awready, s_axi_wready, s_axi_arready, s_axi_bvalid, s_axi_rvalid,
    input logic [ID_BITS-1:0] s_axi_awid, s_axi_arid,
    input logic [39:0] s_axi_awaddr, s_axi_araddr,
    input logic [7:0] s_axi_awlen, s_axi_arlen,
    input logic [2:0] s_axi_awsize, s_axi_arsize, s_axi_awprot, s_axi_arprot,
    input logic [1:0] s_axi_awburst, s_axi_arburst,
    input logic s_axi_awlock, s_axi_arlock,
    input logic [3:0] s_axi_awcache, s_axi_arcache, s_axi_awqos, s_axi_arqos, s_axi_awregion, s_axi_arregion,
    input logic [DATA_BITS-1:0] s_axi_wdata,
    input logic [DATA_BITS/8-1:0] s_axi_wstrb,
    input logic s_axi_wlast,
    output logic [ID_BITS-1:0] s_axi_bid, s_axi_rid,
    output logic [1:0] s_axi_bresp, s_axi_rresp,
    output logic [DATA_BITS-1:0] s_axi_rdata,
    output logic s_axi_rlast,
    output logic m_axi_awvalid, m_axi_wvalid, m_axi_arvalid, m_axi_bready, m_axi_rready,
    input logic m_axi_awready, m_axi_wready, m_axi_arready, m_axi_bvalid, m_axi_rvalid,
    output logic [ID_BITS-1:0] m_axi_awid, m_axi_arid,
    output logic [39:0] m_axi_awaddr, m_axi_araddr,
    output logic [7:0] m_axi_awlen, m_axi_arlen,
    output logic [2:0] m_axi_awsize, m_axi_arsize, m_axi_awprot, m_axi_arprot,
    output logic [1:0] m_axi_awburst, m_axi_arburst,
    output logic m_axi_awlock, m_axi_arlock,
    output logic [3:0] m_axi_awcache, m_axi_arcache, m_axi_awqos, m_axi_arqos, m_axi_awregion, m_axi_arregion,
    output logic [DATA_BITS-1:0] m_axi_wdata,
    output logic [DATA_BITS/8-1:0] m_axi_wstrb,
    output logic m_axi_wlast,
    input logic [ID_BITS-1:0] m_axi_bid, m_axi_rid,
    input logic [1:0] m_axi_bresp, m_axi_rresp,
    input logic [DATA_BITS-1:0] m_axi_rdata,
    input logic m_axi_rlast
);
  logic aw_valid, w_valid;
  assign m_axi_awvalid = aw_valid || (fault[1] && !aresetn);
  assign m_axi_wvalid = w_valid || (fault[1] && !aresetn);
  slice #(ID_BITS + 40 + 8 + 3 + 2 + 1 + 4 + 3 + 4 + 4) aw (
      aclk, aresetn, s_axi_awvalid, s_axi_awready,
      {s_axi_awid, s_axi_awaddr, s_axi_awlen, s_axi_awsize, s_axi_awburst, s_axi_awlock, s_axi_awcache, s_axi_awprot, s_axi_awqos,
       s_axi_awregion},
      aw_valid, m_axi_awready,
      {m_axi_awid, m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, m_axi_awlock, m_axi_awcache, m_axi_awprot, m_axi_awqos,
       m_axi_awregion});
  slice #(ID_BITS + 40 + 8 + 3 + 2 + 1 + 4 + 3 + 4 + 4) ar (
      aclk, aresetn, s_axi_arvalid, s_axi_arready,
      {s_axi_arid, s_axi_araddr, s_axi_arlen, s_axi_arsize, s_axi_arburst, s_axi_arlock, s_axi_arcache, s_axi_arprot, s_axi_arqos,
       s_axi_arregion},
      m_axi_arvalid, m_axi_arready,
      {m_axi_arid, m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, m_axi_arlock, m_axi_arcache, m_axi_arprot, m_axi_arqos,
       m_axi_arregion});
  slice #(DATA_BITS + DATA_BITS / 8 + 1) w (
      aclk, aresetn, s_axi_wvalid, s_axi_wready, {s_axi_wdata, s_axi_wstrb, s_axi_wlast}, w_valid, m_axi_wready,
      {m_axi_wdata, m_axi_wstrb, m_axi_wlast});
  slice #(ID_BITS + 2) b (
      aclk, aresetn, m_axi_bvalid, m_axi_bready, {m_axi_bid ^ ID_BITS'(fault[2]), m_axi_bresp}, s_axi_bvalid, s_axi_bready,
      {s_axi_bid, s_axi_bresp});
  slice #(ID_BITS + DATA_BITS + 2 + 1) r (
      aclk, aresetn, m_axi_rvalid, m_axi_rready, {m_axi_rid, m_axi_rdata ^ DATA_BITS'(fault[0]), m_axi_rresp, m_axi_rlast}, s_axi_rvalid,
      s_axi_rready, {s_axi_rid, s_axi_rdata, s_axi_rresp, s_axi_rlast});
endmodule

module stream_slice #(
    parameter int DATA_BITS = 64
) (
    input logic aclk,
    input logic aresetn,
    input logic s_axis_tvalid,
    output logic s_axis_tready,
    input logic [DATA_BITS-1:0] s_axis_tdata,
    input logic [DATA_BITS/8-1:0] s_axis_tkeep, s_axis_tstrb,
    input logic s_axis_tlast,
    input logic [7:0] s_axis_tid,
    input logic [3:0] s_axis_tdest,
    output logic m_axis_tvalid,
    input logic m_axis_tready,
    output logic [DATA_BITS-1:0] m_axis_tdata,
    output logic [DATA_BITS/8-1:0] m_axis_tkeep, m_axis_tstrb,
    output logic m_axis_tlast,
    output logic [7:0] m_axis_tid,
    output logic [3:0] m_axis_tdest
);
  slice #(DATA_BITS + DATA_BITS / 4 + 1 + 8 + 4) t (
      aclk, aresetn, s_axis_tvalid, s_axis_tready, {s_axis_tdata, s_axis_tkeep, s_axis_tstrb, s_axis_tlast, s_axis_tid, s_axis_tdest},
      m_axis_tvalid, m_axis_tready, {m_axis_tdata, m_axis_tkeep, m_axis_tstrb, m_axis_tlast, m_axis_tid, m_axis_tdest});
endmodule
