// SPDX-License-Identifier: Apache-2.0
// A DMA engine: copies ROWS rows of ROW_BYTES bytes, each row a stride behind the one before, from anywhere to anywhere.
//
// Registers (s_axi_*, AXI4-Lite of 32 bits): FR_DMA_REGISTERS in firmware/abi/registers.h. START takes the fields of the copy, which
// then may be written for the next one. An end sets DONE or ERROR in STATUS and INTERRUPT_STATUS; `irq` is high while one of
// the latter is enabled. A copy of no bytes ends at once.
//
// Bursts (m_axi_*, AXI4 without IDs: all in order): INCR beats of the full width from the address on, whatever its alignment; none
// crosses a multiple of BURST_BYTES or a row's end. Reads fetch whole beats, and the lanes that no row asked for are dropped; writes
// have strobes. Reads run ahead of writes as far as BUFFER_BYTES allow; up to OUTSTANDING bursts each way are under way. Source and
// destination should not overlap: what is read then, old or new, depends on timing.
//
// Errors: an answer SLVERR or DECERR ends the copy. No burst begins after it, those under way end, then ERROR is set and
// ERROR_ADDRESS is that of the burst (of a read, if a read and a write fail in the same cycle). No byte of a failed read, and none
// behind it in the copy, is written.
//
// aresetn is synchronous, active low. All outputs come from registers, but READY of the subordinate's read channel depends on its
// own RREADY, and WSTRB, WLAST and WDATA pass some logic. idle: nothing changes unless the registers are accessed.
module dma_engine #(
    parameter int DATA_BYTES = 16,     // of the data bus: a power of two, 4 .. 128
    parameter int BURST_BYTES = 256,   // a power of two, 2 DATA_BYTES .. 4096, at most 256 beats
    parameter int OUTSTANDING = 8,     // bursts each way, 1 or more
    parameter int BUFFER_BYTES = 4096  // a power of two, 2 BURST_BYTES or more
) (
    input  logic                    aclk,
    input  logic                    aresetn,

    input  logic                    s_axi_awvalid,
    output logic                    s_axi_awready,
    input  logic [11:0]             s_axi_awaddr,
    input  logic                    s_axi_wvalid,
    output logic                    s_axi_wready,
    input  logic [31:0]             s_axi_wdata,
    input  logic [3:0]              s_axi_wstrb,
    output logic                    s_axi_bvalid,
    input  logic                    s_axi_bready,
    output logic [1:0]              s_axi_bresp,
    input  logic                    s_axi_arvalid,
    output logic                    s_axi_arready,
    input  logic [11:0]             s_axi_araddr,
    output logic                    s_axi_rvalid,
    input  logic                    s_axi_rready,
    output logic [31:0]             s_axi_rdata,
    output logic [1:0]              s_axi_rresp,

    output logic                    m_axi_awvalid,
    input  logic                    m_axi_awready,
    output logic [63:0]             m_axi_awaddr,
    output logic [7:0]              m_axi_awlen,
    output logic [2:0]              m_axi_awsize,
    output logic [1:0]              m_axi_awburst,
    output logic [3:0]              m_axi_awcache,
    output logic [2:0]              m_axi_awprot,
    output logic                    m_axi_wvalid,
    input  logic                    m_axi_wready,
    output logic [8*DATA_BYTES-1:0] m_axi_wdata,
    output logic [DATA_BYTES-1:0]   m_axi_wstrb,
    output logic                    m_axi_wlast,
    input  logic                    m_axi_bvalid,
    output logic                    m_axi_bready,
    input  logic [1:0]              m_axi_bresp,
    output logic                    m_axi_arvalid,
    input  logic                    m_axi_arready,
    output logic [63:0]             m_axi_araddr,
    output logic [7:0]              m_axi_arlen,
    output logic [2:0]              m_axi_arsize,
    output logic [1:0]              m_axi_arburst,
    output logic [3:0]              m_axi_arcache,
    output logic [2:0]              m_axi_arprot,
    input  logic                    m_axi_rvalid,
    output logic                    m_axi_rready,
    input  logic [8*DATA_BYTES-1:0] m_axi_rdata,
    input  logic [1:0]              m_axi_rresp,
    input  logic                    m_axi_rlast,

    output logic                    irq,
    output logic                    idle
);
  localparam int LANE = $clog2(DATA_BYTES), FILL = $clog2(BUFFER_BYTES) + 1;
  localparam logic [1:0] INCR = 2'b01;
  localparam logic [3:0] NORMAL = 4'b0011;  // non-cacheable, bufferable

  logic start, running, ends;
  logic [63:0] source, destination, source_stride, destination_stride;
  logic [31:0] bytes, rows;
  logic failed, read_fault, write_fault;
  logic [63:0] error_address, read_fault_address, write_fault_address;
  logic [12:0] written;
  dma_registers registers (
      .clk(aclk), .rst_n(aresetn),
      .s_axi_awvalid, .s_axi_awready, .s_axi_awaddr, .s_axi_wvalid, .s_axi_wready, .s_axi_wdata, .s_axi_wstrb, .s_axi_bvalid,
      .s_axi_bready, .s_axi_bresp, .s_axi_arvalid, .s_axi_arready, .s_axi_araddr, .s_axi_rvalid, .s_axi_rready, .s_axi_rdata,
      .s_axi_rresp,
      .start, .source, .destination, .source_stride, .destination_stride, .bytes, .rows,
      .ends, .failed, .error_address, .written, .running, .irq);

  logic read_valid, read_take, write_valid, write_take;
  logic [63:0] read_address, write_address;
  logic [12:0] read_length, write_length;
  dma_walk #(.BURST_BYTES(BURST_BYTES)) read_walk (
      .clk(aclk), .rst_n(aresetn), .start, .base(source), .stride(source_stride), .bytes, .rows,
      .valid(read_valid), .take(read_take), .address(read_address), .length(read_length));
  dma_walk #(.BURST_BYTES(BURST_BYTES)) write_walk (
      .clk(aclk), .rst_n(aresetn), .start, .base(destination), .stride(destination_stride), .bytes, .rows,
      .valid(write_valid), .take(write_take), .address(write_address), .length(write_length));

  // Bytes of the buffer: `claimed` from the read that asks for them to the beat that writes them, `ready` from the beat that
  // reads them to the write that takes them on.
  logic push, pop;
  logic [LANE-1:0] push_lane, pop_lane;
  logic [LANE:0] push_count, pop_count;
  logic [FILL-1:0] claimed, ready;
  always_ff @(posedge aclk) begin
    if (!aresetn || start) begin
      claimed <= '0;
      ready <= '0;
    end else begin
      claimed <= claimed + (read_take ? FILL'(read_length) : '0) - (pop ? FILL'(pop_count) : '0);
      ready <= ready + (push && !failed ? FILL'(push_count) : '0) - (write_take ? FILL'(write_length) : '0);
    end
  end
  dma_buffer #(.B(DATA_BYTES), .BYTES(BUFFER_BYTES)) buffer (
      .clk(aclk), .clear(!aresetn || start),
      .push(push && !failed), .push_lane, .push_count, .push_data(m_axi_rdata),
      .pop, .pop_lane, .pop_count, .pop_data(m_axi_wdata));

  logic read_busy, write_busy;
  dma_read #(.B(DATA_BYTES), .OUTSTANDING(OUTSTANDING)) read (
      .clk(aclk), .rst_n(aresetn), .hold(failed || read_fault || write_fault),
      .piece_valid(read_valid), .piece_take(read_take), .piece_address(read_address), .piece_length(read_length),
      .room(FILL'(BUFFER_BYTES) - claimed >= FILL'(read_length)),
      .push, .push_lane, .push_count,
      .busy(read_busy), .fault(read_fault), .fault_address(read_fault_address),
      .arvalid(m_axi_arvalid), .arready(m_axi_arready), .araddr(m_axi_araddr), .arlen(m_axi_arlen),
      .rvalid(m_axi_rvalid), .rerror(m_axi_rresp[1]), .rlast(m_axi_rlast));
  dma_write #(.B(DATA_BYTES), .OUTSTANDING(OUTSTANDING)) write (
      .clk(aclk), .rst_n(aresetn), .hold(failed || read_fault || write_fault),
      .piece_valid(write_valid), .piece_take(write_take), .piece_address(write_address), .piece_length(write_length),
      .filled(ready >= FILL'(write_length)),
      .pop, .pop_lane, .pop_count,
      .busy(write_busy), .fault(write_fault), .fault_address(write_fault_address), .written,
      .awvalid(m_axi_awvalid), .awready(m_axi_awready), .awaddr(m_axi_awaddr), .awlen(m_axi_awlen),
      .wvalid(m_axi_wvalid), .wready(m_axi_wready), .wstrb(m_axi_wstrb), .wlast(m_axi_wlast),
      .bvalid(m_axi_bvalid), .berror(m_axi_bresp[1]));

  // The first error counts.
  always_ff @(posedge aclk) begin
    if (!aresetn || start) begin
      failed <= 1'b0;
    end else if (!failed && (read_fault || write_fault)) begin
      failed <= 1'b1;
      error_address <= read_fault ? read_fault_address : write_fault_address;
    end
  end
  assign ends = running && !read_busy && !write_busy && (failed || (!read_valid && !write_valid));

  assign m_axi_rready = 1'b1;
  assign m_axi_bready = 1'b1;
  assign m_axi_awsize = 3'(LANE);
  assign m_axi_arsize = 3'(LANE);
  assign m_axi_awburst = INCR;
  assign m_axi_arburst = INCR;
  assign m_axi_awcache = NORMAL;
  assign m_axi_arcache = NORMAL;
  assign m_axi_awprot = '0;
  assign m_axi_arprot = '0;
  assign idle = !running;
  logic unused;  // OKAY and EXOKAY, SLVERR and DECERR mean the same here
  assign unused = ^{m_axi_rresp[0], m_axi_bresp[0]};
endmodule
