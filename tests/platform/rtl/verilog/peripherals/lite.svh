// SPDX-License-Identifier: Apache-2.0
// An AXI4-Lite subordinate's ports, and what answers on them: `write` is high in the cycle in which `write_data` goes to
// `write_address` (refused if `write_error`), `read` in that in which `read_data` is taken from `read_address`.
`define LITE_PORTS(ADDRESS, DATA) \
    input  logic               clk, \
    input  logic               rst_n, \
    input  logic               s_awvalid, \
    output logic               s_awready, \
    input  logic [ADDRESS-1:0] s_awaddr, \
    input  logic               s_wvalid, \
    output logic               s_wready, \
    input  logic [DATA-1:0]    s_wdata, \
    input  logic [DATA/8-1:0]  s_wstrb, \
    output logic               s_bvalid, \
    input  logic               s_bready, \
    output logic [1:0]         s_bresp, \
    input  logic               s_arvalid, \
    output logic               s_arready, \
    input  logic [ADDRESS-1:0] s_araddr, \
    output logic               s_rvalid, \
    input  logic               s_rready, \
    output logic [DATA-1:0]    s_rdata, \
    output logic [1:0]         s_rresp

`define LITE_LOGIC(ADDRESS, DATA) \
  logic write, read, write_error; \
  logic [ADDRESS-1:0] write_address, read_address; \
  logic [DATA-1:0] write_data, write_mask, read_data; \
  logic open; \
  assign write = open && s_awvalid && s_wvalid && (!s_bvalid || s_bready); \
  assign read = open && s_arvalid && (!s_rvalid || s_rready); \
  assign {s_awready, s_wready, s_arready} = {write, write, read}; \
  assign {write_address, read_address} = {s_awaddr, s_araddr}; \
  assign write_data = s_wdata; \
  assign s_rresp = 2'b00; \
  always_comb for (int i = 0; i < DATA / 8; ++i) write_mask[8*i+:8] = {8{s_wstrb[i]}}; \
  always_ff @(posedge clk) begin \
    open <= rst_n; \
    s_bvalid <= rst_n && (write || (s_bvalid && !s_bready)); \
    s_rvalid <= rst_n && (read || (s_rvalid && !s_rready)); \
    if (write) s_bresp <= {write_error, 1'b0}; \
    if (read) s_rdata <= read_data; \
  end
