// SPDX-License-Identifier: Apache-2.0
// A DMA engine with a manager that only reads and one that only writes, registers of 32 bits, and an interrupt:
//   0x00 control: bit 0 start (clears itself), bit 1 interrupt enable    0x04 status: bit 0 idle, bit 1 done, bit 2 error; writing 1 clears
//   0x10, 0x14 source    0x18, 0x1c destination    0x20 bytes
module SPLIT_DMA #(
    parameter C_M_AXI_DATA_WIDTH = 64
) (
    input wire ACLK, input wire ARESETN,
    input wire S_AXIL_AWVALID, output wire S_AXIL_AWREADY, input wire [7:0] S_AXIL_AWADDR, input wire [2:0] S_AXIL_AWPROT,
    input wire S_AXIL_WVALID, output wire S_AXIL_WREADY, input wire [31:0] S_AXIL_WDATA, input wire [3:0] S_AXIL_WSTRB,
    output reg S_AXIL_BVALID, input wire S_AXIL_BREADY, output wire [1:0] S_AXIL_BRESP,
    input wire S_AXIL_ARVALID, output wire S_AXIL_ARREADY, input wire [7:0] S_AXIL_ARADDR, input wire [2:0] S_AXIL_ARPROT,
    output reg S_AXIL_RVALID, input wire S_AXIL_RREADY, output reg [31:0] S_AXIL_RDATA, output wire [1:0] S_AXIL_RRESP,
    output wire M_RD_AXI_ARVALID, input wire M_RD_AXI_ARREADY, output wire [3:0] M_RD_AXI_ARID, output wire [63:0] M_RD_AXI_ARADDR,
    output wire [7:0] M_RD_AXI_ARLEN, output wire [2:0] M_RD_AXI_ARSIZE, output wire [1:0] M_RD_AXI_ARBURST,
    output wire [3:0] M_RD_AXI_ARUSER,
    input wire M_RD_AXI_RVALID, output wire M_RD_AXI_RREADY, input wire [3:0] M_RD_AXI_RID,
    input wire [C_M_AXI_DATA_WIDTH-1:0] M_RD_AXI_RDATA, input wire [1:0] M_RD_AXI_RRESP, input wire M_RD_AXI_RLAST,
    output wire M_WR_AXI_AWVALID, input wire M_WR_AXI_AWREADY, output wire [1:0] M_WR_AXI_AWID, output wire [63:0] M_WR_AXI_AWADDR,
    output wire [7:0] M_WR_AXI_AWLEN, output wire [2:0] M_WR_AXI_AWSIZE, output wire [1:0] M_WR_AXI_AWBURST,
    output wire M_WR_AXI_WVALID, input wire M_WR_AXI_WREADY, output wire [C_M_AXI_DATA_WIDTH-1:0] M_WR_AXI_WDATA,
    output wire [C_M_AXI_DATA_WIDTH/8-1:0] M_WR_AXI_WSTRB, output wire M_WR_AXI_WLAST,
    input wire M_WR_AXI_BVALID, output wire M_WR_AXI_BREADY, input wire [1:0] M_WR_AXI_BID, input wire [1:0] M_WR_AXI_BRESP,
    output wire INTERRUPT
);
  reg start, enable, done, error;
  reg [63:0] source, destination;
  reg [31:0] bytes;
  wire busy, finished, failed;
  assign INTERRUPT = enable & (done | error);
  wire write = S_AXIL_AWVALID & S_AXIL_WVALID & ~S_AXIL_BVALID;
  assign S_AXIL_AWREADY = write, S_AXIL_WREADY = write;
  assign S_AXIL_ARREADY = ~S_AXIL_RVALID;
  assign S_AXIL_BRESP = 0, S_AXIL_RRESP = 0;
  always @(posedge ACLK)
    if (!ARESETN) {S_AXIL_BVALID, S_AXIL_RVALID, start, enable, done, error} <= 0;
    else begin
      start <= 0;
      S_AXIL_BVALID <= write | (S_AXIL_BVALID & ~S_AXIL_BREADY);
      if (write)
        case (S_AXIL_AWADDR)
          8'h00: {enable, start} <= S_AXIL_WDATA[1:0];
          8'h04: {error, done} <= {error, done} & ~S_AXIL_WDATA[2:1];
          8'h10: source[31:0] <= S_AXIL_WDATA;
          8'h14: source[63:32] <= S_AXIL_WDATA;
          8'h18: destination[31:0] <= S_AXIL_WDATA;
          8'h1c: destination[63:32] <= S_AXIL_WDATA;
          8'h20: bytes <= S_AXIL_WDATA;
          default: ;
        endcase
      if (finished) {error, done} <= {failed, 1'b1};
      S_AXIL_RVALID <= S_AXIL_ARVALID | (S_AXIL_RVALID & ~S_AXIL_RREADY);
      if (S_AXIL_ARREADY) S_AXIL_RDATA <= S_AXIL_ARADDR == 4 ? {29'd0, error, done, ~busy & ~start} : {30'd0, enable, 1'b0};
    end
  assign M_RD_AXI_ARID = 4'd9, M_RD_AXI_ARSIZE = 3'd3, M_RD_AXI_ARBURST = 2'd1, M_RD_AXI_ARUSER = 4'd5;
  assign M_WR_AXI_AWID = 2'd2, M_WR_AXI_AWSIZE = 3'd3, M_WR_AXI_AWBURST = 2'd1, M_WR_AXI_WSTRB = 8'hff;
  mover mover (
      .clk(ACLK), .rst(~ARESETN), .go(start), .from_in(source), .to_in(destination), .bytes_in(bytes),
      .busy(busy), .finished(finished), .failed(failed),
      .arvalid(M_RD_AXI_ARVALID), .arready(M_RD_AXI_ARREADY), .araddr(M_RD_AXI_ARADDR), .arlen(M_RD_AXI_ARLEN),
      .rvalid(M_RD_AXI_RVALID), .rready(M_RD_AXI_RREADY), .rdata(M_RD_AXI_RDATA), .rresp(M_RD_AXI_RRESP), .rlast(M_RD_AXI_RLAST),
      .awvalid(M_WR_AXI_AWVALID), .awready(M_WR_AXI_AWREADY), .awaddr(M_WR_AXI_AWADDR), .awlen(M_WR_AXI_AWLEN),
      .wvalid(M_WR_AXI_WVALID), .wready(M_WR_AXI_WREADY), .wdata(M_WR_AXI_WDATA), .wlast(M_WR_AXI_WLAST),
      .bvalid(M_WR_AXI_BVALID), .bready(M_WR_AXI_BREADY), .bresp(M_WR_AXI_BRESP));
endmodule
