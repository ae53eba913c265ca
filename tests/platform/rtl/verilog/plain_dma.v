// SPDX-License-Identifier: Apache-2.0
// A DMA engine of another style: a descriptor on ports, Verilog-2001, reset active high, addresses of 32 bits, whole beats only,
// one burst at a time of up to 64 beats, IDs.
module plain_dma #(parameter ADDR_WIDTH = 32, parameter LEN_WIDTH = 16) (
    input wire clk, input wire rst,
    input wire [ADDR_WIDTH-1:0] desc_read_addr, input wire [ADDR_WIDTH-1:0] desc_write_addr, input wire [LEN_WIDTH-1:0] desc_len,
    input wire [7:0] desc_tag, input wire desc_valid, output wire desc_ready,
    output reg [7:0] status_tag, output reg [3:0] status_error, output reg status_valid,
    output wire [7:0] m_axi_awid, output wire [ADDR_WIDTH-1:0] m_axi_awaddr, output wire [7:0] m_axi_awlen,
    output wire [2:0] m_axi_awsize, output wire [1:0] m_axi_awburst, output wire m_axi_awvalid, input wire m_axi_awready,
    output wire [63:0] m_axi_wdata, output wire [7:0] m_axi_wstrb, output wire m_axi_wlast, output wire m_axi_wvalid,
    input wire m_axi_wready,
    input wire [7:0] m_axi_bid, input wire [1:0] m_axi_bresp, input wire m_axi_bvalid, output wire m_axi_bready,
    output wire [7:0] m_axi_arid, output wire [ADDR_WIDTH-1:0] m_axi_araddr, output wire [7:0] m_axi_arlen,
    output wire [2:0] m_axi_arsize, output wire [1:0] m_axi_arburst, output wire m_axi_arvalid, input wire m_axi_arready,
    input wire [7:0] m_axi_rid, input wire [63:0] m_axi_rdata, input wire [1:0] m_axi_rresp, input wire m_axi_rlast,
    input wire m_axi_rvalid, output wire m_axi_rready
);
  localparam IDLE = 0, ASK = 1, READ = 2, TELL = 3, WRITE = 4, ANSWER = 5, END = 6;
  reg [2:0] state;
  reg [ADDR_WIDTH-1:0] from, to;
  reg [LEN_WIDTH-1:0] left;  // bytes
  reg [63:0] kept[0:63];
  reg [6:0] at;
  // Beats of the next burst: as many as are left, 64 at most, and none across 4 KiB on either side.
  wire [9:0] room_from = 512 - from[11:3], room_to = 512 - to[11:3];
  wire [9:0] room = room_from < room_to ? room_from : room_to;
  wire [9:0] wanted = left[LEN_WIDTH-1:3] > 64 ? 10'd64 : left[9:3];
  wire [9:0] beats = wanted < room ? wanted : room;

  assign desc_ready = state == IDLE;
  assign m_axi_arid = 8'h5a, m_axi_awid = 8'ha5;
  assign m_axi_araddr = from, m_axi_awaddr = to;
  assign m_axi_arlen = beats - 1, m_axi_awlen = beats - 1;
  assign m_axi_arsize = 3'd3, m_axi_awsize = 3'd3, m_axi_arburst = 2'd1, m_axi_awburst = 2'd1;
  assign m_axi_arvalid = state == ASK, m_axi_awvalid = state == TELL;
  assign m_axi_rready = state == READ, m_axi_bready = state == ANSWER;
  assign m_axi_wvalid = state == WRITE;
  assign m_axi_wdata = kept[at[5:0]];
  assign m_axi_wstrb = 8'hff;
  assign m_axi_wlast = at + 1 == beats;

  always @(posedge clk)
    if (rst) begin
      state <= IDLE;
      status_valid <= 1'b0;
    end else begin
      status_valid <= 1'b0;
      case (state)
        IDLE:
          if (desc_valid) begin
            from <= desc_read_addr;
            to <= desc_write_addr;
            left <= desc_len;
            status_tag <= desc_tag;
            status_error <= 0;
            state <= ASK;
          end
        ASK: if (m_axi_arready) begin state <= READ; at <= 0; end
        READ:
          if (m_axi_rvalid) begin
            kept[at[5:0]] <= m_axi_rdata;
            at <= m_axi_rlast ? 0 : at + 1;
            if (m_axi_rresp[1]) status_error <= 4'd4;
            if (m_axi_rlast) state <= m_axi_rresp[1] || status_error != 0 ? END : TELL;
          end
        TELL: if (m_axi_awready) state <= WRITE;
        WRITE:
          if (m_axi_wready) begin
            at <= at + 1;
            if (m_axi_wlast) state <= ANSWER;
          end
        ANSWER:
          if (m_axi_bvalid) begin
            from <= from + {beats, 3'd0};
            to <= to + {beats, 3'd0};
            left <= left - {beats, 3'd0};
            if (m_axi_bresp[1]) status_error <= 4'd6;
            state <= m_axi_bresp[1] || left == {beats, 3'd0} ? END : ASK;
          end
        END: begin
          status_valid <= 1'b1;
          state <= IDLE;
        end
        default: state <= IDLE;
      endcase
    end
endmodule
