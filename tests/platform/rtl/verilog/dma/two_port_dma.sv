// SPDX-License-Identifier: Apache-2.0
// A DMA engine with two whole AXI4 managers, one on the side of the source and one on that of the destination, and a descriptor on
// ports. No reset at all: its registers have initial values.
package two_port_types;
  typedef struct packed {
    logic [63:0] addr;
    logic [7:0] len;
    logic [2:0] size;
    logic [1:0] burst;
    logic [5:0] atop;
    logic [3:0] qos, region;
    logic lock, user;
  } ax_t;
  typedef struct packed {
    ax_t aw;
    logic aw_valid;
    struct packed {logic [63:0] data; logic [7:0] strb; logic last;} w;
    logic w_valid, b_ready;
    ax_t ar;
    logic ar_valid, r_ready;
  } req_t;
  typedef struct packed {
    logic aw_ready, w_ready, ar_ready, b_valid;
    struct packed {logic [1:0] resp;} b;
    logic r_valid;
    struct packed {logic [63:0] data; logic [1:0] resp; logic last;} r;
  } resp_t;
  typedef struct packed {
    logic [63:0] src, dst;
    logic [31:0] len;
  } descriptor_t;
endpackage

module two_port_dma (
    input logic clk_i,
    input two_port_types::descriptor_t desc_i, input logic desc_valid_i, output logic desc_ready_o,
    output logic done_o, output logic error_o,
    output two_port_types::req_t [1:0] req_o, input two_port_types::resp_t [1:0] resp_i
);
  localparam int FROM = 0, TO = 1;
  logic busy, rst = 1;
  always_ff @(posedge clk_i) rst <= 0;
  assign desc_ready_o = !busy && !rst;
  always_comb begin
    req_o[FROM].aw = '0;
    {req_o[FROM].aw_valid, req_o[FROM].w, req_o[FROM].w_valid, req_o[FROM].b_ready} = '0;
    req_o[TO].ar = '0;
    {req_o[TO].ar_valid, req_o[TO].r_ready} = '0;
    {req_o[FROM].ar.size, req_o[FROM].ar.burst, req_o[FROM].ar.atop, req_o[FROM].ar.qos} = {3'd3, 2'd1, 6'd0, 4'd3};
    {req_o[FROM].ar.region, req_o[FROM].ar.lock, req_o[FROM].ar.user} = '0;
    {req_o[TO].aw.size, req_o[TO].aw.burst, req_o[TO].aw.atop, req_o[TO].aw.qos} = {3'd3, 2'd1, 6'd0, 4'd3};
    {req_o[TO].aw.region, req_o[TO].aw.lock, req_o[TO].aw.user} = '0;
    req_o[TO].w.strb = '1;
  end
  mover mover (
      .clk(clk_i), .rst(rst), .go(desc_valid_i && desc_ready_o), .from_in(desc_i.src), .to_in(desc_i.dst), .bytes_in(desc_i.len),
      .busy(busy), .finished(done_o), .failed(error_o),
      .arvalid(req_o[FROM].ar_valid), .arready(resp_i[FROM].ar_ready), .araddr(req_o[FROM].ar.addr), .arlen(req_o[FROM].ar.len),
      .rvalid(resp_i[FROM].r_valid), .rready(req_o[FROM].r_ready), .rdata(resp_i[FROM].r.data), .rresp(resp_i[FROM].r.resp),
      .rlast(resp_i[FROM].r.last),
      .awvalid(req_o[TO].aw_valid), .awready(resp_i[TO].aw_ready), .awaddr(req_o[TO].aw.addr), .awlen(req_o[TO].aw.len),
      .wvalid(req_o[TO].w_valid), .wready(resp_i[TO].w_ready), .wdata(req_o[TO].w.data), .wlast(req_o[TO].w.last),
      .bvalid(resp_i[TO].b_valid), .bready(req_o[TO].b_ready), .bresp(resp_i[TO].b.resp));
endmodule
