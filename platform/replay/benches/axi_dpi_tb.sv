// SPDX-License-Identifier: Apache-2.0
// Made by `forerun replay`: plays recorded transactions into @TOP@, up to 8 at once, compares its answers and watches the rules of
// AXI, through DPI-C: the library reads the recording. +recording=FILE instead of @RECORDING@, +under_way=N, +stall_percent=P,
// +seed=S, +most=N, +cycle_ps=P: a cycle is P ps, and the gaps of the recording are kept.
`timescale 1ns / 1ps
module replay_dpi_tb;
  localparam int BYTES = @BYTES@, IDS = @ID_WIDTH@, ADDRESS = @ADDRESS_BITS@;

  import "DPI-C" function chandle forerun_axi_open(
      input string file, input int data_bytes, input int id_bits, input int address_bits, input int lite, input longint base,
      input longint size, input int initial_contents, input int under_way, input int cycle_ps, input longint most, input int stall_percent, input int seed);
  import "DPI-C" function int forerun_axi_cycle(
      input chandle axi, input bit reset, input bit awready, input bit wready, input bit arready, input bit bvalid,
      input bit [31:0] bid, input bit [1:0] bresp, input bit rvalid, input bit [31:0] rid, input bit [1:0] rresp, input bit rlast,
      input bit [1023:0] rdata, output bit awvalid, output bit [127:0] aw, output bit wvalid, output bit wlast,
      output bit [127:0] wstrb, output bit [1023:0] wdata, output bit bready, output bit arvalid, output bit [127:0] ar,
      output bit rready);

  reg clock = 0, reset = 1;
  bit awvalid, wvalid, wlast, bready, arvalid, rready;
  bit [127:0] aw, ar;  // {lock, burst, size, len, id, address}: 1, 2, 3, 8, 32 and 64 bits
  bit [127:0] wstrb;
  bit [1023:0] wdata;
  wire awready, wready, bvalid, arready, rvalid;
  wire rlast;
  wire [1:0] bresp, rresp;
  wire [IDS-1:0] bid, rid;
  wire [8*BYTES-1:0] rdata;
  @TOP@ dut (
@CONNECTIONS@);

  chandle axi;
  string file;
  int under_way, cycle_ps, stall_percent, seed, status;
  longint most;
  bit next_awvalid, next_wvalid, next_wlast, next_bready, next_arvalid, next_rready;
  bit [127:0] next_aw, next_ar, next_wstrb;
  bit [1023:0] next_wdata;
  always @(posedge clock) begin
    status = forerun_axi_cycle(axi, reset, awready, wready, arready, bvalid, @BID@, bresp, rvalid, @RID@, rresp, @RLAST@, 1024'(rdata),
                               next_awvalid, next_aw, next_wvalid, next_wlast, next_wstrb, next_wdata, next_bready, next_arvalid,
                               next_ar, next_rready);
    awvalid <= next_awvalid;
    aw <= next_aw;
    wvalid <= next_wvalid;
    wlast <= next_wlast;
    wstrb <= next_wstrb;
    wdata <= next_wdata;
    bready <= next_bready;
    arvalid <= next_arvalid;
    ar <= next_ar;
    rready <= next_rready;
    if (status == 1) $finish;
    if (status == 2) $fatal(1, "replay differs");
  end

  initial begin
    if (!$value$plusargs("recording=%s", file)) file = "@RECORDING@";
    if (!$value$plusargs("under_way=%d", under_way)) under_way = 8;
    if (!$value$plusargs("cycle_ps=%d", cycle_ps)) cycle_ps = 0;
    if (!$value$plusargs("stall_percent=%d", stall_percent)) stall_percent = 0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("most=%d", most)) most = @MOST@;
    axi = forerun_axi_open(file, BYTES, @ID_BITS@, ADDRESS, @LITE@, 64'h@BASE@, 64'h@SIZE@, @INITIAL@, under_way, cycle_ps, most, stall_percent, seed);
    if (axi == null) $fatal(1, "the recording cannot be played");
    repeat (6) #5 clock = !clock;
    reset = 0;
    forever #5 clock = !clock;
  end
endmodule
