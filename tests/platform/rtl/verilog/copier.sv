// SPDX-License-Identifier: Apache-2.0
// A small DMA engine: AXI4-Lite registers, an AXI4 manager, an interrupt. Copies LENGTH bytes, a multiple of 8, beat by beat.
//   0x00 SOURCE, 0x08 TARGET: addresses (low 32 bits; high 32 bits at + 4)   0x10 LENGTH   0x14 GO: write 1; reads 1 while busy
//   0x18 DONE: 1 when a copy has ended, write clears; the interrupt
module copier #(
    parameter int ID_BITS = 2
) (
    input  logic        aclk,
    input  logic        areset,
    output logic        busy_n,
    output logic        done_irq_n,

    input  logic        s_awvalid,
    output logic        s_awready,
    input  logic [11:0] s_awaddr,
    input  logic        s_wvalid,
    output logic        s_wready,
    input  logic [31:0] s_wdata,
    input  logic [3:0]  s_wstrb,
    output logic        s_bvalid,
    input  logic        s_bready,
    output logic [1:0]  s_bresp,
    input  logic        s_arvalid,
    output logic        s_arready,
    input  logic [11:0] s_araddr,
    output logic        s_rvalid,
    input  logic        s_rready,
    output logic [31:0] s_rdata,
    output logic [1:0]  s_rresp,

    output logic               m_arvalid,
    input  logic               m_arready,
    output logic [ID_BITS-1:0] m_arid,
    output logic [47:0]        m_araddr,
    output logic [7:0]         m_arlen,
    output logic [2:0]         m_arsize,
    output logic [1:0]         m_arburst,
    input  logic               m_rvalid,
    output logic               m_rready,
    input  logic [ID_BITS-1:0] m_rid,
    input  logic [63:0]        m_rdata,
    input  logic [1:0]         m_rresp,
    input  logic               m_rlast,
    output logic               m_awvalid,
    input  logic               m_awready,
    output logic [ID_BITS-1:0] m_awid,
    output logic [47:0]        m_awaddr,
    output logic [7:0]         m_awlen,
    output logic [2:0]         m_awsize,
    output logic [1:0]         m_awburst,
    output logic               m_wvalid,
    input  logic               m_wready,
    output logic [63:0]        m_wdata,
    output logic [7:0]         m_wstrb,
    output logic               m_wlast,
    input  logic               m_bvalid,
    output logic               m_bready,
    input  logic [ID_BITS-1:0] m_bid,
    input  logic [1:0]         m_bresp
);
  typedef enum logic [2:0] {IDLE, ASK, READ, WRITE, ANSWER} state_t;
  state_t state;
  logic [63:0] source, target, data;
  logic [31:0] left;
  logic done, aw_sent, w_sent;

  // Registers: one write and one read at a time.
  logic write, read;
  assign write = !areset && s_awvalid && s_wvalid && (!s_bvalid || s_bready);
  assign s_awready = write;
  assign s_wready = write;
  assign read = !areset && s_arvalid && (!s_rvalid || s_rready);
  assign s_arready = read;
  assign s_bresp = 2'b00;
  assign s_rresp = 2'b00;
  function automatic logic [31:0] merged(logic [31:0] old);
    for (int i = 0; i < 4; i++) merged[8*i+:8] = s_wstrb[i] ? s_wdata[8*i+:8] : old[8*i+:8];
  endfunction

  assign m_arid = '0;
  assign m_awid = '0;
  assign m_arlen = 8'd0;
  assign m_awlen = 8'd0;
  assign m_arsize = 3'd3;
  assign m_awsize = 3'd3;
  assign m_arburst = 2'b01;
  assign m_awburst = 2'b01;
  assign m_araddr = source[47:0];
  assign m_awaddr = target[47:0];
  assign m_wdata = data;
  assign m_wstrb = 8'hff;
  assign m_wlast = 1'b1;
  assign m_arvalid = state == ASK;
  assign m_rready = state == READ;
  assign m_awvalid = state == WRITE && !aw_sent;
  assign m_wvalid = state == WRITE && !w_sent;
  assign m_bready = state == ANSWER;
  assign busy_n = state == IDLE && !s_bvalid && !s_rvalid;
  assign done_irq_n = !done;

  always_ff @(posedge aclk) begin
    if (areset) begin
      state <= IDLE;
      s_bvalid <= 1'b0;
      s_rvalid <= 1'b0;
      done <= 1'b0;
    end else begin
      s_bvalid <= write || (s_bvalid && !s_bready);
      s_rvalid <= read || (s_rvalid && !s_rready);
      if (read)
        case (s_araddr)
          12'h00: s_rdata <= source[31:0];
          12'h10: s_rdata <= left;
          12'h14: s_rdata <= {31'b0, state != IDLE};
          12'h18: s_rdata <= {31'b0, done};
          default: s_rdata <= 32'hdead_0000;
        endcase
      if (write)
        case (s_awaddr)
          12'h00: source[31:0] <= merged(source[31:0]);
          12'h04: source[63:32] <= merged(source[63:32]);
          12'h08: target[31:0] <= merged(target[31:0]);
          12'h0c: target[63:32] <= merged(target[63:32]);
          12'h10: left <= merged(left);
          12'h14: if (state == IDLE && left != 0) state <= ASK;
          12'h18: done <= 1'b0;
          default: ;
        endcase
      case (state)
        ASK: if (m_arready) state <= READ;
        READ:
          if (m_rvalid) begin
            data <= m_rdata;
            aw_sent <= 1'b0;
            w_sent <= 1'b0;
            state <= WRITE;
          end
        WRITE: begin
          if (m_awready) aw_sent <= 1'b1;
          if (m_wready) w_sent <= 1'b1;
          if ((aw_sent || m_awready) && (w_sent || m_wready)) state <= ANSWER;
        end
        ANSWER:
          if (m_bvalid) begin
            source <= source + 64'd8;
            target <= target + 64'd8;
            left <= left - 32'd8;
            done <= left == 32'd8;
            state <= left == 32'd8 ? IDLE : ASK;
          end
        default: ;
      endcase
    end
  end
endmodule
