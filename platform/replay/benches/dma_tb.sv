// SPDX-License-Identifier: Apache-2.0
// Made by `forerun replay`: tells @TOP@ recorded copies, answers its managers as memory did in the run, and compares what it reads
// and writes, through DPI-C. +forerun=replay:PROGRAM[,stalls=P][,seed=S][,latency=CYCLES][,any_order][,most=N] chooses how.
`timescale 1ns / 1ps
@JOIN@module replay_tb;
  bit clock = 0, reset = 1;
  wire irq;
  localparam int @S_SIZES@, @M_SIZES@;
  bit s_awvalid, s_wvalid, s_bready, s_arvalid, s_rready, s_awlock, s_arlock, s_wlast;
  wire s_awready, s_wready, s_bvalid, s_arready, s_rvalid, s_rlast;
  bit [S_IDS-1:0] s_awid, s_arid;
  wire [S_IDS-1:0] s_bid, s_rid;
  bit [S_ADDRESS-1:0] s_awaddr, s_araddr;
  bit [7:0] s_awlen, s_arlen;
  bit [2:0] s_awsize, s_arsize, s_awprot, s_arprot;
  bit [1:0] s_awburst, s_arburst;
  bit [3:0] s_awcache, s_arcache;
  bit [8*S_BYTES-1:0] s_wdata;
  bit [S_BYTES-1:0] s_wstrb;
  wire [8*S_BYTES-1:0] s_rdata;
  wire [1:0] s_bresp, s_rresp;
  wire m_awvalid, m_wvalid, m_bready, m_arvalid, m_rready, m_awlock, m_arlock, m_wlast;
  bit m_awready, m_wready, m_bvalid, m_arready, m_rvalid, m_rlast;
  wire [M_IDS-1:0] m_awid, m_arid;
  bit [M_IDS-1:0] m_bid, m_rid;
  wire [M_ADDRESS-1:0] m_awaddr, m_araddr;
  wire [7:0] m_awlen, m_arlen;
  wire [2:0] m_awsize, m_arsize, m_awprot, m_arprot;
  wire [1:0] m_awburst, m_arburst;
  wire [3:0] m_awcache, m_arcache;
  wire [8*M_BYTES-1:0] m_wdata;
  wire [M_BYTES-1:0] m_wstrb;
  bit [8*M_BYTES-1:0] m_rdata;
  bit [1:0] m_bresp, m_rresp;
@WIRING@@DESCRIPTOR@
  forerun_remote #(@S_SHAPE@, @M_SHAPE@) player (.clk(clock), .idle(1'b0), .*);

  initial begin
    repeat (6) #5 clock = !clock;
    reset = 0;
    forever #5 clock = !clock;
  end
endmodule
