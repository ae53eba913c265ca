// SPDX-License-Identifier: Apache-2.0
// An AXI4 memory in Verilog-2001: active-high asynchronous reset, READY as logic of VALID and READY, one burst at a time each way, no
// LAST on its write data needed.
module axi_memory_2001 (
    clk, rst,
    s_awvalid, s_awready, s_awid, s_awaddr, s_awlen, s_awsize, s_awburst, s_awlock, s_awprot,
    s_wvalid, s_wready, s_wdata, s_wstrb, s_wlast,
    s_bvalid, s_bready, s_bid, s_bresp,
    s_arvalid, s_arready, s_arid, s_araddr, s_arlen, s_arsize, s_arburst, s_arlock, s_arprot,
    s_rvalid, s_rready, s_rid, s_rdata, s_rresp, s_rlast
);
  parameter DATA_BITS = 32;
  parameter ID_BITS = 3;
  parameter ADDRESS_BITS = 16;
  parameter SHIFT = 2;
  input clk, rst;
  input s_awvalid, s_wvalid, s_bready, s_arvalid, s_rready, s_awlock, s_arlock, s_wlast;
  output s_awready, s_wready, s_bvalid, s_arready, s_rvalid, s_rlast;
  input [ID_BITS-1:0] s_awid, s_arid;
  output [ID_BITS-1:0] s_bid, s_rid;
  input [ADDRESS_BITS-1:0] s_awaddr, s_araddr;
  input [7:0] s_awlen, s_arlen;
  input [2:0] s_awsize, s_arsize, s_awprot, s_arprot;
  input [1:0] s_awburst, s_arburst;
  input [DATA_BITS-1:0] s_wdata;
  input [DATA_BITS/8-1:0] s_wstrb;
  output [1:0] s_bresp, s_rresp;
  output [DATA_BITS-1:0] s_rdata;

  reg [DATA_BITS-1:0] memory[0:(1 << (ADDRESS_BITS - SHIFT)) - 1];

  function [ADDRESS_BITS-1:0] next;
    input [ADDRESS_BITS-1:0] address;
    input [7:0] len;
    input [2:0] size;
    input [1:0] burst;
    reg [ADDRESS_BITS-1:0] bytes, mask, after;
    begin
      bytes = {{(ADDRESS_BITS-1){1'b0}}, 1'b1} << size;
      mask = ({{(ADDRESS_BITS-8){1'b0}}, len} << size) | (bytes - 1'b1);
      after = (address & ~(bytes - 1'b1)) + bytes;
      case (burst)
        2'b00: next = address;
        2'b10: next = (address & ~mask) | (after & mask);
        default: next = after;
      endcase
    end
  endfunction

  // Writes: an address is taken together with its first data.
  reg writing, answering;
  reg [ID_BITS-1:0] write_id;
  reg [ADDRESS_BITS-1:0] write_address;
  reg [7:0] write_len, write_left;
  reg [2:0] write_size;
  reg [1:0] write_burst;
  wire write_free = !rst & !writing & (!answering | s_bready);
  wire first = write_free & s_awvalid & s_wvalid;
  wire [ADDRESS_BITS-1:0] here = first ? s_awaddr : write_address;
  wire take = first | (writing & s_wvalid);
  wire last = first ? s_awlen == 8'd0 : write_left == 8'd1;
  assign s_awready = first;
  assign s_wready = first | writing;
  assign s_bvalid = answering;
  assign s_bid = write_id;
  assign s_bresp = 2'b00;
  integer lane;
  always @(posedge clk or posedge rst)
    if (rst) begin
      writing <= 1'b0;
      answering <= 1'b0;
    end else begin
      if (s_bready) answering <= 1'b0;
      if (first) begin
        write_id <= s_awid;
        write_len <= s_awlen;
        write_left <= s_awlen;
        write_size <= s_awsize;
        write_burst <= s_awburst;
        write_address <= next(s_awaddr, s_awlen, s_awsize, s_awburst);
        writing <= !last;
      end else if (take) begin
        write_left <= write_left - 8'd1;
        write_address <= next(write_address, write_len, write_size, write_burst);
        writing <= !last;
      end
      if (take & last) answering <= 1'b1;
    end
  always @(posedge clk)
    if (take)
      for (lane = 0; lane < DATA_BITS / 8; lane = lane + 1)
        if (s_wstrb[lane]) memory[here[ADDRESS_BITS-1:SHIFT]][8*lane+:8] <= s_wdata[8*lane+:8];

  // Reads: data come out of the memory without a register.
  reg reading;
  reg [ID_BITS-1:0] read_id;
  reg [ADDRESS_BITS-1:0] read_address;
  reg [7:0] read_len, read_left;
  reg [2:0] read_size;
  reg [1:0] read_burst;
  assign s_arready = !rst & (!reading | (s_rready & s_rlast));
  assign s_rvalid = reading;
  assign s_rid = read_id;
  assign s_rdata = memory[read_address[ADDRESS_BITS-1:SHIFT]];
  assign s_rresp = 2'b00;
  assign s_rlast = read_left == 8'd0;
  always @(posedge clk or posedge rst)
    if (rst) reading <= 1'b0;
    else if (s_arvalid & s_arready) begin
      reading <= 1'b1;
      read_id <= s_arid;
      read_address <= s_araddr;
      read_len <= s_arlen;
      read_left <= s_arlen;
      read_size <= s_arsize;
      read_burst <= s_arburst;
    end else if (reading & s_rready) begin
      reading <= !s_rlast;
      read_left <= read_left - 8'd1;
      read_address <= next(read_address, read_len, read_size, read_burst);
    end
endmodule
