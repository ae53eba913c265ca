// SPDX-License-Identifier: Apache-2.0
// An AXI4 memory with registered READY, active-low reset and two read engines, chosen by the ID's lowest bit, whose data interleave.
// Beyond BYTES: DECERR. Writes to the last 4 KiB: SLVERR. Faults, to try those who watch: 0 ignores WSTRB of lane 1, 1 drops RVALID
// before RREADY, 2 forgets RLAST.
package axi_memory_types;
  typedef enum logic [1:0] {FIXED, INCR, WRAP} kind_t;
  typedef struct packed {
    logic [31:0] address;
    logic [7:0] len;
    logic [2:0] size;
    logic [1:0] kind;
  } burst_t;

  function automatic logic [31:0] next_address(burst_t burst);
    logic [31:0] bytes = 32'd1 << burst.size;
    logic [31:0] container = bytes * (32'(burst.len) + 1);
    logic [31:0] next = (burst.address & ~(bytes - 1)) + bytes;
    case (burst.kind)
      FIXED: return burst.address;
      WRAP: return (burst.address & ~(container - 1)) | (next & (container - 1));
      default: return next;
    endcase
  endfunction
endpackage

module axi_memory
  import axi_memory_types::*;
#(
    parameter int DATA_BITS = 128,
    parameter int ID_BITS = 4,
    parameter int BYTES = 65536
) (
    input logic aclk,
    input logic aresetn,
    input logic [2:0] fault,
    input logic s_axi_awvalid,
    output logic s_axi_awready,
    input logic [ID_BITS-1:0] s_axi_awid,
    input logic [31:0] s_axi_awaddr,
    input logic [7:0] s_axi_awlen,
    input logic [2:0] s_axi_awsize,
    input logic [1:0] s_axi_awburst,
    input logic s_axi_wvalid,
    output logic s_axi_wready,
    input logic [DATA_BITS-1:0] s_axi_wdata,
    input logic [DATA_BITS/8-1:0] s_axi_wstrb,
    input logic s_axi_wlast,
    output logic s_axi_bvalid,
    input logic s_axi_bready,
    output logic [ID_BITS-1:0] s_axi_bid,
    output logic [1:0] s_axi_bresp,
    input logic s_axi_arvalid,
    output logic s_axi_arready,
    input logic [ID_BITS-1:0] s_axi_arid,
    input logic [31:0] s_axi_araddr,
    input logic [7:0] s_axi_arlen,
    input logic [2:0] s_axi_arsize,
    input logic [1:0] s_axi_arburst,
    output logic s_axi_rvalid,
    input logic s_axi_rready,
    output logic [ID_BITS-1:0] s_axi_rid,
    output logic [DATA_BITS-1:0] s_axi_rdata,
    output logic [1:0] s_axi_rresp,
    output logic s_axi_rlast
);
  localparam int LANES = DATA_BITS / 8;
  localparam int SHIFT = $clog2(LANES);
  localparam int WORDS = BYTES / LANES;
  logic [DATA_BITS-1:0] memory[WORDS];

  function automatic logic [$clog2(WORDS)-1:0] word(logic [31:0] address);
    return address[SHIFT+:$clog2(WORDS)];
  endfunction

  // Writes, one at a time.
  burst_t write;
  logic [DATA_BITS/8-1:0] strobes;
  assign strobes = s_axi_wstrb | (DATA_BITS / 8)'({fault[0], 1'b0});
  logic outside, locked;
  assign outside = write.address >= BYTES;
  assign locked = write.address >= BYTES - 4096;
  always_ff @(posedge aclk) begin
    if (!aresetn) begin
      {s_axi_awready, s_axi_wready, s_axi_bvalid} <= 3'b000;
    end else if (s_axi_awready && s_axi_awvalid) begin
      write <= '{address: s_axi_awaddr, len: s_axi_awlen, size: s_axi_awsize, kind: s_axi_awburst};
      s_axi_bid <= s_axi_awid;
      s_axi_bresp <= 2'b00;
      s_axi_awready <= 0;
      s_axi_wready <= 1;
    end else if (s_axi_wready && s_axi_wvalid) begin
      write.address <= next_address(write);
      if (outside) s_axi_bresp <= 2'b11;
      else if (locked) s_axi_bresp <= 2'b10;
      else
        for (int lane = 0; lane < LANES; ++lane)
          if (strobes[lane]) memory[word(write.address)][8*lane+:8] <= s_axi_wdata[8*lane+:8];
      if (s_axi_wlast) begin
        s_axi_wready <= 0;
        s_axi_bvalid <= 1;
      end
    end else if (s_axi_bvalid) begin
      if (s_axi_bready) begin
        s_axi_bvalid  <= 0;
        s_axi_awready <= 1;
      end
    end else if (!s_axi_wready) begin
      s_axi_awready <= 1;
    end
  end

  // Reads: a request waits for its engine; the engines take turns on R.
  burst_t waiting;
  logic [ID_BITS-1:0] waiting_id;
  logic waits;
  burst_t engine[2];
  logic [ID_BITS-1:0] engine_id[2];
  logic [1:0] busy;
  logic turn, pick, move;
  assign s_axi_arready = !waits && aresetn && started;
  logic started;
  assign move = (!s_axi_rvalid || s_axi_rready) && busy != 0;
  assign pick = busy[turn] ? turn : !turn;
  always_ff @(posedge aclk) begin
    started <= aresetn;
    if (!aresetn) begin
      waits <= 0;
      busy <= 0;
      turn <= 0;
      s_axi_rvalid <= 0;
    end else begin
      if (s_axi_arready && s_axi_arvalid) begin
        waits <= 1;
        waiting <= '{address: s_axi_araddr, len: s_axi_arlen, size: s_axi_arsize, kind: s_axi_arburst};
        waiting_id <= s_axi_arid;
      end
      if (s_axi_rready || (fault[1] && s_axi_rvalid)) s_axi_rvalid <= 0;
      if (move) begin
        s_axi_rvalid <= 1;
        s_axi_rid <= engine_id[pick];
        s_axi_rdata <= memory[word(engine[pick].address)];
        s_axi_rresp <= engine[pick].address >= BYTES ? 2'b11 : 2'b00;
        s_axi_rlast <= left[pick] == 0 && !fault[2];
        engine[pick].address <= next_address(engine[pick]);
        left[pick] <= left[pick] - 1;
        if (left[pick] == 0) busy[pick] <= 0;
        turn <= !pick;
      end
      if (waits && !busy[waiting_id[0]]) begin
        waits <= 0;
        engine[waiting_id[0]] <= waiting;
        engine_id[waiting_id[0]] <= waiting_id;
        left[waiting_id[0]] <= waiting.len;
        busy[waiting_id[0]] <= 1;
      end
    end
  end
  logic [7:0] left[2];
endmodule
