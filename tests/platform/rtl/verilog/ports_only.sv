// SPDX-License-Identifier: Apache-2.0
// Modules that have ports and do nothing, to compare pin maps with.

package ports_types;
  typedef struct packed {
    logic [3:0] id;
    logic [19:0] addr;
    logic [7:0] len;
    logic [2:0] size;
    logic [1:0] burst;
    logic [1:0] user;
  } ax_t;
  typedef struct packed {
    ax_t aw;
    logic aw_valid;
    struct packed {
      logic [63:0] data;
      logic [7:0] strb;
      logic last;
    } w;
    logic w_valid, b_ready;
    ax_t ar;
    logic ar_valid, r_ready;
  } req_t;
  typedef struct packed {
    logic aw_ready, ar_ready, w_ready, b_valid;
    struct packed {logic [3:0] id; logic [1:0] resp;} b;
    logic r_valid;
    struct packed {logic [3:0] id; logic [63:0] data; logic [1:0] resp; logic last;} r;
  } resp_t;
endpackage

module capitals #(
    parameter ADDR_WIDTH = 20,
    parameter DATA_WIDTH = 64
) (
    input S_AXI_ACLK, input S_AXI_ARESETN,
    input S_AXI_AWVALID, output S_AXI_AWREADY, input [3:0] S_AXI_AWID, input [ADDR_WIDTH-1:0] S_AXI_AWADDR,
    input [7:0] S_AXI_AWLEN, input [2:0] S_AXI_AWSIZE, input [1:0] S_AXI_AWBURST,
    input S_AXI_WVALID, output S_AXI_WREADY, input [DATA_WIDTH-1:0] S_AXI_WDATA, input [DATA_WIDTH/8-1:0] S_AXI_WSTRB,
    input S_AXI_WLAST,
    output S_AXI_BVALID, input S_AXI_BREADY, output [3:0] S_AXI_BID, output [1:0] S_AXI_BRESP,
    input S_AXI_ARVALID, output S_AXI_ARREADY, input [3:0] S_AXI_ARID, input [ADDR_WIDTH-1:0] S_AXI_ARADDR,
    input [7:0] S_AXI_ARLEN, input [2:0] S_AXI_ARSIZE, input [1:0] S_AXI_ARBURST,
    output S_AXI_RVALID, input S_AXI_RREADY, output [3:0] S_AXI_RID, output [DATA_WIDTH-1:0] S_AXI_RDATA,
    output [1:0] S_AXI_RRESP, output S_AXI_RLAST,
    input [3:0] cfg_mode, input test_enable, output busy, output irq, output [7:0] state
);
endmodule

module structs #(
    parameter type axi_req_t = logic,
    parameter type axi_resp_t = logic,
    parameter int unsigned Depth = 16
) (
    input logic clk_i, input logic rst_ni,
    input axi_req_t axi_req_i, output axi_resp_t axi_resp_o
);
  wire [19:0] at = axi_req_i.aw.addr;
  assign axi_resp_o.aw_ready = at[0];
endmodule

module unit (
    input clk, input rst_n,
    input wt_vld, output wt_rdy, input wt_last, input [31:0] wt_data,
    input act_vld, output act_rdy, input act_last, input [1:0] act_start, input act_emit, input [31:0] act_data,
    input [127:0] act_sum,
    output res_vld, input res_rdy, output [127:0] res_data, input [2:0] debug
);
endmodule

module copier (
    input clk, input rst,
    input go, output gone, input [47:0] from, input [47:0] to, input [23:0] amount, output [1:0] error,
    input [71:0] wide,
    output m_awvalid, input m_awready, output [47:0] m_awaddr, output [7:0] m_awlen, output m_wvalid, input m_wready,
    output [63:0] m_wdata, output [7:0] m_wstrb, output m_wlast, input m_bvalid, output m_bready, input [1:0] m_bresp,
    output m_arvalid, input m_arready, output [47:0] m_araddr, output [7:0] m_arlen,
    input m_rvalid, output m_rready, input [63:0] m_rdata, input [1:0] m_rresp, input m_rlast
);
endmodule

module streamer (
    input clk, input rst_n,
    input in_tvalid, output in_tready, input [31:0] in_tdata, input in_tlast,
    output out_tvalid, input out_tready, output [23:0] out_tdata
);
endmodule

interface ports_bus #(
    parameter int DATA_WIDTH = 32
) ();
  logic aw_valid, aw_ready, w_valid, w_ready, b_valid, b_ready, ar_valid, ar_ready, r_valid, r_ready;
  logic [19:0] aw_addr, ar_addr;
  logic [DATA_WIDTH-1:0] w_data, r_data;
  logic [1:0] b_resp, r_resp;
  modport Slave(
      input aw_valid, aw_addr, w_valid, w_data, b_ready, ar_valid, ar_addr, r_ready,
      output aw_ready, w_ready, b_valid, b_resp, ar_ready, r_valid, r_data, r_resp
  );
endinterface

module bundled (
    input logic clk_i, input logic rst_ni, ports_bus.Slave bus
);
endmodule

module demanding #(
    parameter int Words
) (
    input logic clk, input logic rst_n, input logic [Words-1:0] in
);
endmodule
