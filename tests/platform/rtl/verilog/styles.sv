// SPDX-License-Identifier: Apache-2.0
// One memory behind ports of many styles, each of which a pin map alone must fit.

package style_types;
  typedef logic [19:0] addr_t;
  typedef struct packed {
    logic [4:0] id;
    addr_t addr;
    logic [7:0] len;
    logic [2:0] size;
    logic [1:0] burst;
    logic lock;
    logic [3:0] cache;
    logic [2:0] prot;
    logic [5:0] atop;
    logic user;
  } ax_chan_t;
  typedef struct packed {
    logic [63:0] data;
    logic [7:0] strb;
    logic last;
    logic user;
  } w_chan_t;
  typedef struct packed {
    logic [4:0] id;
    logic [1:0] resp;
    logic user;
  } b_chan_t;
  typedef struct packed {
    logic [4:0] id;
    logic [63:0] data;
    logic [1:0] resp;
    logic last;
    logic user;
  } r_chan_t;
  typedef struct packed {
    ax_chan_t aw;
    logic aw_valid;
    w_chan_t w;
    logic w_valid;
    logic b_ready;
    ax_chan_t ar;
    logic ar_valid;
    logic r_ready;
  } req_t;
  typedef struct packed {
    logic aw_ready;
    logic ar_ready;
    logic w_ready;
    logic b_valid;
    b_chan_t b;
    logic r_valid;
    r_chan_t r;
  } resp_t;
endpackage

// Requests and responses are a packed struct each, of types that are parameters.
module struct_memory #(
    parameter type axi_req_t = logic,
    parameter type axi_resp_t = logic
) (
    input logic clk_i,
    input logic rst_ni,
    input axi_req_t axi_req_i,
    output axi_resp_t axi_resp_o
);
  assign {axi_resp_o.b.user, axi_resp_o.r.user} = '0;
  axi_memory_2001 #(.DATA_BITS(64), .ID_BITS(5), .ADDRESS_BITS(20), .SHIFT(3)) memory (
      .clk(clk_i), .rst(~rst_ni),
      .s_awvalid(axi_req_i.aw_valid), .s_awready(axi_resp_o.aw_ready), .s_awid(axi_req_i.aw.id), .s_awaddr(axi_req_i.aw.addr),
      .s_awlen(axi_req_i.aw.len), .s_awsize(axi_req_i.aw.size), .s_awburst(axi_req_i.aw.burst), .s_awlock(axi_req_i.aw.lock),
      .s_awprot(axi_req_i.aw.prot),
      .s_wvalid(axi_req_i.w_valid), .s_wready(axi_resp_o.w_ready), .s_wdata(axi_req_i.w.data), .s_wstrb(axi_req_i.w.strb),
      .s_wlast(axi_req_i.w.last),
      .s_bvalid(axi_resp_o.b_valid), .s_bready(axi_req_i.b_ready), .s_bid(axi_resp_o.b.id), .s_bresp(axi_resp_o.b.resp),
      .s_arvalid(axi_req_i.ar_valid), .s_arready(axi_resp_o.ar_ready), .s_arid(axi_req_i.ar.id), .s_araddr(axi_req_i.ar.addr),
      .s_arlen(axi_req_i.ar.len), .s_arsize(axi_req_i.ar.size), .s_arburst(axi_req_i.ar.burst), .s_arlock(axi_req_i.ar.lock),
      .s_arprot(axi_req_i.ar.prot),
      .s_rvalid(axi_resp_o.r_valid), .s_rready(axi_req_i.r_ready), .s_rid(axi_resp_o.r.id), .s_rdata(axi_resp_o.r.data),
      .s_rresp(axi_resp_o.r.resp), .s_rlast(axi_resp_o.r.last));
endmodule

// A packed array of such ports; the second of them is a memory.
module array_memory (
    input logic clk_i,
    input logic rst_ni,
    input style_types::req_t [2:1] req_i,
    output style_types::resp_t [2:1] resp_o
);
  assign resp_o[1] = '0;
  struct_memory #(.axi_req_t(style_types::req_t), .axi_resp_t(style_types::resp_t)) memory (
      .clk_i(clk_i), .rst_ni(rst_ni), .axi_req_i(req_i[2]), .axi_resp_o(resp_o[2]));
endmodule

// Two wide vectors that join all signals, without IDs: {aw, w, b, ar, r}.
module joined_memory (
    input clock,
    input reset,
    input [145:0] to_memory,
    output [0:72] from_memory
);
  wire [1:0] id;
  axi_memory_2001 #(.DATA_BITS(64), .ID_BITS(1), .ADDRESS_BITS(20), .SHIFT(3)) memory (
      .clk(clock), .rst(reset), .s_awid(1'b0), .s_arid(1'b0), .s_bid(id[0]), .s_rid(id[1]), .s_awlock(1'b0), .s_arlock(1'b0),
      .s_awprot(3'b0), .s_arprot(3'b0),
      .s_awvalid(to_memory[145]), .s_awaddr(to_memory[144:125]), .s_awlen(to_memory[124:117]), .s_awsize(to_memory[116:114]),
      .s_awburst(to_memory[113:112]),
      .s_wvalid(to_memory[111]), .s_wdata(to_memory[110:47]), .s_wstrb(to_memory[46:39]), .s_wlast(to_memory[38]),
      .s_bready(to_memory[37]),
      .s_arvalid(to_memory[36]), .s_araddr(to_memory[35:16]), .s_arlen(to_memory[15:8]), .s_arsize(to_memory[7:5]),
      .s_arburst(to_memory[4:3]), .s_rready(to_memory[2]),
      .s_awready(from_memory[0]), .s_wready(from_memory[1]), .s_bvalid(from_memory[2]), .s_bresp(from_memory[3:4]),
      .s_arready(from_memory[5]), .s_rvalid(from_memory[6]), .s_rdata(from_memory[7:70]), .s_rresp(),
      .s_rlast(from_memory[71]));
  assign from_memory[72] = ^id & ^to_memory[1:0];
endmodule

// Capitals, the direction in the names, and two clocks and resets for the same thing.
module capital_memory #(
    parameter C_S_AXI_DATA_WIDTH = 32,
    parameter C_S_AXI_ADDR_WIDTH = 20,
    parameter C_LOG_BYTES = 2
) (
    input S_AXI_ACLK, input MEM_CLK, input S_AXI_ARESETN, input MEM_RESETN,
    input S_AXI_AWVALID_I, output S_AXI_AWREADY_O, input [C_S_AXI_ADDR_WIDTH-1:0] S_AXI_AWADDR_I, input [7:0] S_AXI_AWLEN_I,
    input [2:0] S_AXI_AWSIZE_I, input [1:0] S_AXI_AWBURST_I,
    input S_AXI_WVALID_I, output S_AXI_WREADY_O, input [C_S_AXI_DATA_WIDTH-1:0] S_AXI_WDATA_I,
    input [C_S_AXI_DATA_WIDTH/8-1:0] S_AXI_WSTRB_I, input S_AXI_WLAST_I,
    output S_AXI_BVALID_O, input S_AXI_BREADY_I,
    input S_AXI_ARVALID_I, output S_AXI_ARREADY_O, input [C_S_AXI_ADDR_WIDTH-1:0] S_AXI_ARADDR_I, input [7:0] S_AXI_ARLEN_I,
    input [2:0] S_AXI_ARSIZE_I, input [1:0] S_AXI_ARBURST_I,
    output S_AXI_RVALID_O, input S_AXI_RREADY_I, output [C_S_AXI_DATA_WIDTH-1:0] S_AXI_RDATA_O, output S_AXI_RLAST_O
);
`include "style_ids.vh"
  wire [1:0] bresp, rresp;
  axi_memory_2001 #(.DATA_BITS(C_S_AXI_DATA_WIDTH), .ID_BITS(`STYLE_ID_BITS), .ADDRESS_BITS(C_S_AXI_ADDR_WIDTH),
                    .SHIFT(C_LOG_BYTES)) memory (
      .clk(S_AXI_ACLK & MEM_CLK), .rst(!S_AXI_ARESETN | !MEM_RESETN), .s_awid(no_id), .s_arid(no_id), .s_bid(), .s_rid(),
      .s_awlock(1'b0), .s_arlock(1'b0), .s_awprot(3'b0), .s_arprot(3'b0), .s_bresp(bresp), .s_rresp(rresp),
      .s_awvalid(S_AXI_AWVALID_I), .s_awready(S_AXI_AWREADY_O), .s_awaddr(S_AXI_AWADDR_I), .s_awlen(S_AXI_AWLEN_I),
      .s_awsize(S_AXI_AWSIZE_I), .s_awburst(S_AXI_AWBURST_I),
      .s_wvalid(S_AXI_WVALID_I), .s_wready(S_AXI_WREADY_O), .s_wdata(S_AXI_WDATA_I), .s_wstrb(S_AXI_WSTRB_I),
      .s_wlast(S_AXI_WLAST_I), .s_bvalid(S_AXI_BVALID_O), .s_bready(S_AXI_BREADY_I),
      .s_arvalid(S_AXI_ARVALID_I), .s_arready(S_AXI_ARREADY_O), .s_araddr(S_AXI_ARADDR_I), .s_arlen(S_AXI_ARLEN_I),
      .s_arsize(S_AXI_ARSIZE_I), .s_arburst(S_AXI_ARBURST_I),
      .s_rvalid(S_AXI_RVALID_O), .s_rready(S_AXI_RREADY_I), .s_rdata(S_AXI_RDATA_O), .s_rlast(S_AXI_RLAST_O));
endmodule

// Unpacked arrays of ports, one of each signal for each of three channels; the last is a memory.
module unpacked_memory #(
    parameter int N = 3
) (
    input logic clk, input logic rst_n,
    input logic awvalid[N], output logic awready[N], input logic [19:0] awaddr[N], input logic [7:0] awlen[N],
    input logic [2:0] awsize[N], input logic [1:0] awburst[N],
    input logic wvalid[N], output logic wready[N], input logic [127:0] wdata[N], input logic [15:0] wstrb[N], input logic wlast[N],
    output logic bvalid[N], input logic bready[N], output logic [1:0] bresp[N],
    input logic arvalid[N], output logic arready[N], input logic [19:0] araddr[N], input logic [7:0] arlen[N],
    input logic [2:0] arsize[N], input logic [1:0] arburst[N],
    output logic rvalid[N], input logic rready[N], output logic [127:0] rdata[N], output logic [1:0] rresp[N], output logic rlast[N]
);
  axi_memory_2001 #(.DATA_BITS(128), .ID_BITS(1), .ADDRESS_BITS(20), .SHIFT(4)) memory (
      .clk(clk), .rst(!rst_n), .s_awid(1'b0), .s_arid(1'b0), .s_bid(), .s_rid(), .s_awlock(1'b0), .s_arlock(1'b0),
      .s_awprot(3'b0), .s_arprot(3'b0),
      .s_awvalid(awvalid[N-1]), .s_awready(awready[N-1]), .s_awaddr(awaddr[N-1]), .s_awlen(awlen[N-1]), .s_awsize(awsize[N-1]),
      .s_awburst(awburst[N-1]),
      .s_wvalid(wvalid[N-1]), .s_wready(wready[N-1]), .s_wdata(wdata[N-1]), .s_wstrb(wstrb[N-1]), .s_wlast(wlast[N-1]),
      .s_bvalid(bvalid[N-1]), .s_bready(bready[N-1]), .s_bresp(bresp[N-1]),
      .s_arvalid(arvalid[N-1]), .s_arready(arready[N-1]), .s_araddr(araddr[N-1]), .s_arlen(arlen[N-1]), .s_arsize(arsize[N-1]),
      .s_arburst(arburst[N-1]),
      .s_rvalid(rvalid[N-1]), .s_rready(rready[N-1]), .s_rdata(rdata[N-1]), .s_rresp(rresp[N-1]), .s_rlast(rlast[N-1]));
endmodule

interface style_bus #(
    parameter int unsigned ADDR_WIDTH = 32,
    parameter int unsigned DATA_WIDTH = 32
) (
    input logic clk
);
  style_types::ax_chan_t aw, ar;
  logic aw_valid, aw_ready, w_valid, w_ready, b_valid, b_ready, ar_valid, ar_ready, r_valid, r_ready;
  logic [DATA_WIDTH-1:0] w_data, r_data;
  logic [DATA_WIDTH/8-1:0] w_strb;
  logic w_last, r_last;
  logic [1:0] b_resp, r_resp;
  logic [4:0] b_id, r_id;
  modport Slave(
      input clk, aw, aw_valid, w_data, w_strb, w_last, w_valid, b_ready, ar, ar_valid, r_ready,
      output aw_ready, w_ready, b_valid, b_resp, b_id, ar_ready, r_valid, r_data, r_resp, r_last, r_id
  );
endinterface

// A SystemVerilog interface as the port, and a constant of a package as a parameter.
module bus_memory #(
    parameter int WIDTH = 8
) (
    input logic clk_i,
    input logic rst_ni,
    style_bus.Slave bus
);
  axi_memory_2001 #(.DATA_BITS(WIDTH), .ID_BITS(5), .ADDRESS_BITS(20), .SHIFT($clog2(WIDTH) - 3)) memory (
      .clk(bus.clk & clk_i), .rst(~rst_ni),
      .s_awvalid(bus.aw_valid), .s_awready(bus.aw_ready), .s_awid(bus.aw.id), .s_awaddr(bus.aw.addr), .s_awlen(bus.aw.len),
      .s_awsize(bus.aw.size), .s_awburst(bus.aw.burst), .s_awlock(bus.aw.lock), .s_awprot(bus.aw.prot),
      .s_wvalid(bus.w_valid), .s_wready(bus.w_ready), .s_wdata(bus.w_data), .s_wstrb(bus.w_strb), .s_wlast(bus.w_last),
      .s_bvalid(bus.b_valid), .s_bready(bus.b_ready), .s_bid(bus.b_id), .s_bresp(bus.b_resp),
      .s_arvalid(bus.ar_valid), .s_arready(bus.ar_ready), .s_arid(bus.ar.id), .s_araddr(bus.ar.addr), .s_arlen(bus.ar.len),
      .s_arsize(bus.ar.size), .s_arburst(bus.ar.burst), .s_arlock(bus.ar.lock), .s_arprot(bus.ar.prot),
      .s_rvalid(bus.r_valid), .s_rready(bus.r_ready), .s_rid(bus.r_id), .s_rdata(bus.r_data), .s_rresp(bus.r_resp),
      .s_rlast(bus.r_last));
endmodule
