// SPDX-License-Identifier: Apache-2.0
// Sixteen registers of 32 bits behind AXI4-Lite. The last one is read-only (writes: SLVERR) and counts writes to the others; beyond
// them DECERR. Address and data may come in any order.
module lite_registers (
    input logic aclk,
    input logic aresetn,
    input logic s_axil_awvalid,
    output logic s_axil_awready,
    input logic [11:0] s_axil_awaddr,
    input logic [2:0] s_axil_awprot,
    input logic s_axil_wvalid,
    output logic s_axil_wready,
    input logic [31:0] s_axil_wdata,
    input logic [3:0] s_axil_wstrb,
    output logic s_axil_bvalid,
    input logic s_axil_bready,
    output logic [1:0] s_axil_bresp,
    input logic s_axil_arvalid,
    output logic s_axil_arready,
    input logic [11:0] s_axil_araddr,
    input logic [2:0] s_axil_arprot,
    output logic s_axil_rvalid,
    input logic s_axil_rready,
    output logic [31:0] s_axil_rdata,
    output logic [1:0] s_axil_rresp
);
  logic [15:0][31:0] registers;
  logic [11:0] address;
  logic [31:0] data;
  logic [3:0] strobes;
  logic has_address, has_data;
  logic open;
  assign s_axil_awready = open && !has_address;
  assign s_axil_wready = open && !has_data;
  assign s_axil_arready = open && !s_axil_rvalid;
  always_ff @(posedge aclk) begin
    open <= aresetn;
    if (!aresetn) begin
      registers <= '0;
      {has_address, has_data, s_axil_bvalid, s_axil_rvalid} <= 4'b0;
    end else begin
      if (s_axil_awvalid && s_axil_awready) {has_address, address} <= {1'b1, s_axil_awaddr};
      if (s_axil_wvalid && s_axil_wready) {has_data, data, strobes} <= {1'b1, s_axil_wdata, s_axil_wstrb};
      if (s_axil_bready) s_axil_bvalid <= 0;
      if (has_address && has_data && (!s_axil_bvalid || s_axil_bready)) begin
        {has_address, has_data} <= 2'b0;
        s_axil_bvalid <= 1;
        s_axil_bresp <= address >= 64 ? 2'b11 : address[5:2] == 15 ? 2'b10 : 2'b00;
        if (address < 60) begin
          for (int lane = 0; lane < 4; ++lane)
            if (strobes[lane]) registers[address[5:2]][8*lane+:8] <= data[8*lane+:8];
          registers[15] <= registers[15] + 1;
        end
      end
      if (s_axil_rready) s_axil_rvalid <= 0;
      if (s_axil_arvalid && s_axil_arready) begin
        s_axil_rvalid <= 1;
        s_axil_rdata <= s_axil_araddr < 64 ? registers[s_axil_araddr[5:2]] : 32'hdeadbeef;
        s_axil_rresp <= s_axil_araddr < 64 ? 2'b00 : 2'b11;
      end
    end
  end
endmodule
