// SPDX-License-Identifier: Apache-2.0
// Put this beside a block of RTL, and the block is a part of a simulation in another process (docs/rtl/remote.md). Needs DPI-C and the
// library libforerun_dpi.so. +forerun=ADDRESS says where the simulation listens: tcp:HOST:PORT or unix:PATH. Benches of `forerun replay`
// have +forerun=replay:FILE, which plays a recording.
//
// s_*: to the block's subordinate port. m_*: from its manager port, if M_BYTES is not 0. `reset` is that of the block, active high; the
// block joins when it ends. irq: its interrupt. idle: nothing in it changes unless an input does; 0 is always right.
module forerun_remote #(
    parameter  int S_BYTES = 4,      // of the data bus
    parameter  int S_ID_BITS = 0,
    parameter  int S_ADDRESS_BITS = 32,
    parameter  bit S_LITE = 0,       // AXI4-Lite
    parameter  int M_BYTES = 0,
    parameter  int M_ID_BITS = 0,
    parameter  int M_ADDRESS_BITS = 64,
    parameter  bit M_LITE = 0,
    localparam int SI = S_ID_BITS == 0 ? 1 : S_ID_BITS,
    localparam int MB = M_BYTES == 0 ? 1 : M_BYTES,
    localparam int MI = M_ID_BITS == 0 ? 1 : M_ID_BITS
) (
    input  bit                      clk,
    input  bit                      reset,
    input  bit                      irq,
    input  bit                      idle,

    output bit                      s_awvalid,
    input  bit                      s_awready,
    output bit [SI-1:0]             s_awid,
    output bit [S_ADDRESS_BITS-1:0] s_awaddr,
    output bit [7:0]                s_awlen,
    output bit [2:0]                s_awsize,
    output bit [1:0]                s_awburst,
    output bit                      s_awlock,
    output bit [3:0]                s_awcache,
    output bit [2:0]                s_awprot,
    output bit                      s_wvalid,
    input  bit                      s_wready,
    output bit [8*S_BYTES-1:0]      s_wdata,
    output bit [S_BYTES-1:0]        s_wstrb,
    output bit                      s_wlast,
    input  bit                      s_bvalid,
    output bit                      s_bready,
    input  bit [SI-1:0]             s_bid,
    input  bit [1:0]                s_bresp,
    output bit                      s_arvalid,
    input  bit                      s_arready,
    output bit [SI-1:0]             s_arid,
    output bit [S_ADDRESS_BITS-1:0] s_araddr,
    output bit [7:0]                s_arlen,
    output bit [2:0]                s_arsize,
    output bit [1:0]                s_arburst,
    output bit                      s_arlock,
    output bit [3:0]                s_arcache,
    output bit [2:0]                s_arprot,
    input  bit                      s_rvalid,
    output bit                      s_rready,
    input  bit [SI-1:0]             s_rid,
    input  bit [8*S_BYTES-1:0]      s_rdata,
    input  bit [1:0]                s_rresp,
    input  bit                      s_rlast,

    input  bit                      m_awvalid,
    output bit                      m_awready,
    input  bit [MI-1:0]             m_awid,
    input  bit [M_ADDRESS_BITS-1:0] m_awaddr,
    input  bit [7:0]                m_awlen,
    input  bit [2:0]                m_awsize,
    input  bit [1:0]                m_awburst,
    input  bit                      m_awlock,
    input  bit [3:0]                m_awcache,
    input  bit [2:0]                m_awprot,
    input  bit                      m_wvalid,
    output bit                      m_wready,
    input  bit [8*MB-1:0]           m_wdata,
    input  bit [MB-1:0]             m_wstrb,
    input  bit                      m_wlast,
    output bit                      m_bvalid,
    input  bit                      m_bready,
    output bit [MI-1:0]             m_bid,
    output bit [1:0]                m_bresp,
    input  bit                      m_arvalid,
    output bit                      m_arready,
    input  bit [MI-1:0]             m_arid,
    input  bit [M_ADDRESS_BITS-1:0] m_araddr,
    input  bit [7:0]                m_arlen,
    input  bit [2:0]                m_arsize,
    input  bit [1:0]                m_arburst,
    input  bit                      m_arlock,
    input  bit [3:0]                m_arcache,
    input  bit [2:0]                m_arprot,
    output bit                      m_rvalid,
    input  bit                      m_rready,
    output bit [MI-1:0]             m_rid,
    output bit [8*MB-1:0]           m_rdata,
    output bit [1:0]                m_rresp,
    output bit                      m_rlast
);
  import "DPI-C" function chandle forerun_remote_open(
      input string address, input int s_data_bytes, input int s_id_bits, input int s_address_bits, input int s_lite,
      input int m_data_bytes, input int m_id_bits, input int m_address_bits, input int m_lite);
  import "DPI-C" function void forerun_remote_close(input chandle block);
  import "DPI-C" function int forerun_remote_cycle(
      input chandle block, input bit reset, input bit irq, input bit idle,
      input bit s_awready, input bit s_wready, input bit s_arready, input bit s_bvalid, input bit [31:0] s_bid, input bit [1:0] s_bresp,
      input bit s_rvalid, input bit [31:0] s_rid, input bit [1:0] s_rresp, input bit s_rlast, input bit [1023:0] s_rdata,
      output bit s_awvalid, output bit [127:0] s_aw, output bit s_wvalid, output bit s_wlast, output bit [127:0] s_wstrb,
      output bit [1023:0] s_wdata, output bit s_bready, output bit s_arvalid, output bit [127:0] s_ar, output bit s_rready,
      input bit m_awvalid, input bit [127:0] m_aw, input bit m_wvalid, input bit m_wlast, input bit [127:0] m_wstrb,
      input bit [1023:0] m_wdata, input bit m_bready, input bit m_arvalid, input bit [127:0] m_ar, input bit m_rready,
      output bit m_awready, output bit m_wready, output bit m_arready, output bit m_bvalid, output bit [31:0] m_bid,
      output bit [1:0] m_bresp, output bit m_rvalid, output bit [31:0] m_rid, output bit [1:0] m_rresp, output bit m_rlast,
      output bit [1023:0] m_rdata);

  // {prot, cache, lock, burst, size, len, id, address}: 3, 4, 1, 2, 3, 8, 32 and 64 bits.
  function automatic bit [127:0] pack(bit [63:0] address, bit [31:0] id, bit [7:0] len, bit [2:0] size, bit [1:0] burst, bit lock,
                                      bit [3:0] cache, bit [2:0] prot);
    return {11'b0, prot, cache, lock, burst, size, len, id, address};
  endfunction

  chandle block = null;
  string address;
  initial begin
    if (!$value$plusargs("forerun=%s", address)) $fatal(1, "+forerun=ADDRESS is missing: where the simulation listens");
    block = forerun_remote_open(address, S_BYTES, S_ID_BITS, S_ADDRESS_BITS, 32'(S_LITE), M_BYTES, M_ID_BITS, M_ADDRESS_BITS, 32'(M_LITE));
    if (block == null) $fatal(1, "these ports cannot be");
  end

  // What the library answers goes to the pins after the edge.
  bit aw_valid, w_valid, w_last, b_ready, ar_valid, r_ready, aw_ready, w_ready, ar_ready, b_valid, r_valid, r_last, ended;
  bit [127:0] aw, ar, strobes;
  bit [1023:0] w_data, r_data;
  bit [31:0] b_id, r_id;
  bit [1:0] b_resp, r_resp;
  int status;
  always @(posedge clk) if (!ended && block != null) begin
    status = forerun_remote_cycle(
        block, reset, irq, idle,
        s_awready, s_wready, s_arready, s_bvalid, 32'(s_bid), s_bresp, s_rvalid, 32'(s_rid), s_rresp, s_rlast, 1024'(s_rdata),
        aw_valid, aw, w_valid, w_last, strobes, w_data, b_ready, ar_valid, ar, r_ready,
        m_awvalid, pack(64'(m_awaddr), 32'(m_awid), m_awlen, m_awsize, m_awburst, m_awlock, m_awcache, m_awprot), m_wvalid, m_wlast,
        128'(m_wstrb), 1024'(m_wdata), m_bready, m_arvalid,
        pack(64'(m_araddr), 32'(m_arid), m_arlen, m_arsize, m_arburst, m_arlock, m_arcache, m_arprot), m_rready,
        aw_ready, w_ready, ar_ready, b_valid, b_id, b_resp, r_valid, r_id, r_resp, r_last, r_data);
    s_awvalid <= aw_valid;
    {s_awprot, s_awcache, s_awlock, s_awburst, s_awsize, s_awlen} <= aw[116:96];
    s_awid <= aw[64+:SI];
    s_awaddr <= aw[S_ADDRESS_BITS-1:0];
    s_wvalid <= w_valid;
    s_wdata <= w_data[8*S_BYTES-1:0];
    s_wstrb <= strobes[S_BYTES-1:0];
    s_wlast <= w_last;
    s_bready <= b_ready;
    s_arvalid <= ar_valid;
    {s_arprot, s_arcache, s_arlock, s_arburst, s_arsize, s_arlen} <= ar[116:96];
    s_arid <= ar[64+:SI];
    s_araddr <= ar[S_ADDRESS_BITS-1:0];
    s_rready <= r_ready;
    m_awready <= aw_ready;
    m_wready <= w_ready;
    m_bvalid <= b_valid;
    m_bid <= b_id[MI-1:0];
    m_bresp <= b_resp;
    m_arready <= ar_ready;
    m_rvalid <= r_valid;
    m_rid <= r_id[MI-1:0];
    m_rdata <= r_data[8*MB-1:0];
    m_rresp <= r_resp;
    m_rlast <= r_last;
    if (status != 0) begin
      ended = 1;
      if (status == 1) $finish;
      else $fatal(1, "the block is not as it should be");
    end
  end
  final if (block != null) forerun_remote_close(block);
endmodule
