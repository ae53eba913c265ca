// SPDX-License-Identifier: Apache-2.0
// A DMA engine that is told the address of a descriptor by a doorbell and fetches it by itself:
//   0x00 doorbell, address bits 31:0    0x04 address bits 63:32, which starts it    0x08 status: bit 0 done, bit 1 error; cleared by a start
// descriptor: source, destination (64 bits each), bytes, control (32 bits each; control must be 1), address of the next one (not used)
module doorbell_dma (
    input wire aclk, input wire aresetn,
    input wire s_awvalid, output wire s_awready, input wire [11:0] s_awaddr,
    input wire s_wvalid, output wire s_wready, input wire [31:0] s_wdata, input wire [3:0] s_wstrb,
    output reg s_bvalid, input wire s_bready, output wire [1:0] s_bresp,
    input wire s_arvalid, output wire s_arready, input wire [11:0] s_araddr,
    output reg s_rvalid, input wire s_rready, output reg [31:0] s_rdata, output wire [1:0] s_rresp,
    output wire m_awvalid, input wire m_awready, output wire [63:0] m_awaddr, output wire [7:0] m_awlen, output wire [2:0] m_awsize,
    output wire [1:0] m_awburst,
    output wire m_wvalid, input wire m_wready, output wire [63:0] m_wdata, output wire [7:0] m_wstrb, output wire m_wlast,
    input wire m_bvalid, output wire m_bready, input wire [1:0] m_bresp,
    output wire m_arvalid, input wire m_arready, output wire [63:0] m_araddr, output wire [7:0] m_arlen, output wire [2:0] m_arsize,
    output wire [1:0] m_arburst,
    input wire m_rvalid, output wire m_rready, input wire [63:0] m_rdata, input wire [1:0] m_rresp, input wire m_rlast
);
  reg [63:0] head, source, destination, control;
  reg asking, fetching, go, done, error;
  reg [1:0] word;
  wire write = s_awvalid & s_wvalid & ~s_bvalid;
  assign s_awready = write, s_wready = write, s_arready = ~s_rvalid, s_bresp = 0, s_rresp = 0;
  wire finished, failed, busy, mover_arvalid, mover_rready;
  wire [63:0] mover_araddr;
  wire [7:0] mover_arlen;
  always @(posedge aclk)
    if (!aresetn) {s_bvalid, s_rvalid, asking, fetching, go, done, error} <= 0;
    else begin
      s_bvalid <= write | (s_bvalid & ~s_bready);
      if (write & s_awaddr == 0) head[31:0] <= s_wdata;
      if (write & s_awaddr == 4) begin
        head[63:32] <= s_wdata;
        {asking, done, error, word} <= 5'b10000;
      end
      s_rvalid <= s_arvalid | (s_rvalid & ~s_rready);
      if (s_arready) s_rdata <= {30'd0, error, done};
      go <= 0;
      if (asking & m_arready) {asking, fetching} <= 2'b01;
      if (fetching & m_rvalid) begin
        word <= word + 1;
        case (word)
          0: source <= m_rdata;
          1: destination <= m_rdata;
          2: control <= m_rdata;
          default: begin
            fetching <= 0;
            go <= control[63:32] == 1;
            if (control[63:32] != 1) {done, error} <= 2'b11;
          end
        endcase
      end
      if (finished) {done, error} <= {1'b1, failed};
    end
  assign m_arvalid = asking | mover_arvalid, m_araddr = asking ? head : mover_araddr, m_arlen = asking ? 8'd3 : mover_arlen;
  assign m_rready = fetching | mover_rready;
  assign {m_arsize, m_awsize} = {2{3'd3}}, {m_arburst, m_awburst} = {2{2'd1}}, m_wstrb = 8'hff;
  mover mover (
      .clk(aclk), .rst(~aresetn), .go(go), .from_in(source), .to_in(destination), .bytes_in(control[31:0]),
      .busy(busy), .finished(finished), .failed(failed),
      .arvalid(mover_arvalid), .arready(m_arready & ~asking), .araddr(mover_araddr), .arlen(mover_arlen),
      .rvalid(m_rvalid & ~fetching), .rready(mover_rready), .rdata(m_rdata), .rresp(m_rresp), .rlast(m_rlast),
      .awvalid(m_awvalid), .awready(m_awready), .awaddr(m_awaddr), .awlen(m_awlen),
      .wvalid(m_wvalid), .wready(m_wready), .wdata(m_wdata), .wlast(m_wlast),
      .bvalid(m_bvalid), .bready(m_bready), .bresp(m_bresp));
endmodule
