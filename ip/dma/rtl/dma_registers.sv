// SPDX-License-Identifier: Apache-2.0
// The registers of dma_engine behind AXI4-Lite: FR_DMA_REGISTERS in firmware/abi/registers.h. Whole words only (WSTRB all ones). One
// access each way at a time; address and data of a write come in any order.
module dma_registers (
    input  logic        clk,
    input  logic        rst_n,

    input  logic        s_axi_awvalid,
    output logic        s_axi_awready,
    input  logic [11:0] s_axi_awaddr,
    input  logic        s_axi_wvalid,
    output logic        s_axi_wready,
    input  logic [31:0] s_axi_wdata,
    input  logic [3:0]  s_axi_wstrb,
    output logic        s_axi_bvalid,
    input  logic        s_axi_bready,
    output logic [1:0]  s_axi_bresp,
    input  logic        s_axi_arvalid,
    output logic        s_axi_arready,
    input  logic [11:0] s_axi_araddr,
    output logic        s_axi_rvalid,
    input  logic        s_axi_rready,
    output logic [31:0] s_axi_rdata,
    output logic [1:0]  s_axi_rresp,

    output logic        start,              // for a cycle; the fields below hold then
    output logic [63:0] source,
    output logic [63:0] destination,
    output logic [63:0] source_stride,
    output logic [63:0] destination_stride,
    output logic [31:0] bytes,
    output logic [31:0] rows,

    input  logic        ends,               // for a cycle: the copy is over
    input  logic        failed,
    input  logic [63:0] error_address,
    input  logic [12:0] written,            // bytes, this cycle
    output logic        running,
    output logic        irq
);
  logic unused;  // registers are words
  assign unused = ^{s_axi_awaddr[1:0], s_axi_araddr[1:0]};

  localparam logic [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;
  localparam logic [31:0] ID = 32'h46524431, ERROR_BUS = 32'd6;
  // Registers in pairs, by bits 11:3 of the address; bit 2 chooses the upper one.
  localparam logic [8:0] PAIR_ID_CONTROL = 9'd0, PAIR_STATUS_ENABLE = 9'd1, PAIR_INTERRUPT_ERROR = 9'd2, PAIR_SOURCE = 9'd3,
      PAIR_DESTINATION = 9'd4, PAIR_BYTES_ROWS = 9'd5, PAIR_SOURCE_STRIDE = 9'd6, PAIR_DESTINATION_STRIDE = 9'd7,
      PAIR_ERROR_ADDRESS = 9'd8, PAIR_CYCLES = 9'd9, PAIR_WRITTEN = 9'd10, PAIR_END = 9'd11;

  logic done, error;
  logic [1:0] enable, pending;
  logic [63:0] failing, cycles, total;
  assign irq = (enable & pending) != 0;

  // A write happens when its address and its data are there and its answer has a place.
  logic open, has_address, has_data, write;
  logic [8:0] pair;
  logic upper;
  logic [31:0] data;
  logic [3:0] strobes;
  assign s_axi_awready = open && !has_address;
  assign s_axi_wready = open && !has_data;
  assign write = has_address && has_data && (!s_axi_bvalid || s_axi_bready);

  logic first_bit, writable, accepted;
  logic [1:0] answer;
  assign first_bit = data[0];
  always_comb
    case (pair)
      PAIR_SOURCE, PAIR_DESTINATION, PAIR_BYTES_ROWS, PAIR_SOURCE_STRIDE, PAIR_DESTINATION_STRIDE: writable = 1'b1;
      PAIR_STATUS_ENABLE: writable = upper;
      PAIR_INTERRUPT_ERROR: writable = !upper;
      PAIR_ID_CONTROL: writable = upper && !(running && first_bit);
      default: writable = 1'b0;
    endcase
  assign answer = pair >= PAIR_END ? DECERR : writable && strobes == 4'hf ? OKAY : SLVERR;
  assign accepted = write && answer == OKAY;
  assign start = accepted && pair == PAIR_ID_CONTROL && first_bit;

  logic [1:0] kept;
  assign kept = pending & ~(accepted && pair == PAIR_INTERRUPT_ERROR ? data[1:0] : 2'b00);

  always_ff @(posedge clk) begin
    open <= rst_n;
    if (!rst_n) begin
      {has_address, has_data, s_axi_bvalid} <= '0;
      {running, done, error, enable, pending} <= '0;
      {source, destination, source_stride, destination_stride, bytes, rows} <= '0;
      {failing, cycles, total} <= '0;
    end else begin
      if (s_axi_awvalid && s_axi_awready) begin
        has_address <= 1'b1;
        {pair, upper} <= s_axi_awaddr[11:2];
      end
      if (s_axi_wvalid && s_axi_wready) begin
        has_data <= 1'b1;
        data <= s_axi_wdata;
        strobes <= s_axi_wstrb;
      end
      if (s_axi_bready) s_axi_bvalid <= 1'b0;
      if (running) begin
        cycles <= cycles + 1;
        total <= total + 64'(written);
      end
      if (write) begin
        {has_address, has_data} <= '0;
        s_axi_bvalid <= 1'b1;
        s_axi_bresp <= answer;
      end
      if (accepted)
        case (pair)
          PAIR_STATUS_ENABLE: enable <= data[1:0];
          PAIR_SOURCE: if (upper) source[63:32] <= data; else source[31:0] <= data;
          PAIR_DESTINATION: if (upper) destination[63:32] <= data; else destination[31:0] <= data;
          PAIR_BYTES_ROWS: if (upper) rows <= data; else bytes <= data;
          PAIR_SOURCE_STRIDE: if (upper) source_stride[63:32] <= data; else source_stride[31:0] <= data;
          PAIR_DESTINATION_STRIDE: if (upper) destination_stride[63:32] <= data; else destination_stride[31:0] <= data;
          default: ;
        endcase
      pending <= kept | (ends ? {failed, !failed} : 2'b00);
      if (start) begin
        {running, done, error} <= 3'b100;
        {failing, cycles, total} <= '0;
      end else if (ends) begin
        running <= 1'b0;
        done <= !failed;
        error <= failed;
        if (failed) failing <= error_address;
      end
    end
  end

  logic [8:0] read_pair;
  logic [63:0] value;
  assign read_pair = s_axi_araddr[11:3];
  always_comb
    case (read_pair)
      PAIR_ID_CONTROL: value = {32'b0, ID};
      PAIR_STATUS_ENABLE: value = {30'b0, enable, 29'b0, error, done, running};
      PAIR_INTERRUPT_ERROR: value = {error ? ERROR_BUS : 32'b0, 30'b0, pending};
      PAIR_SOURCE: value = source;
      PAIR_DESTINATION: value = destination;
      PAIR_BYTES_ROWS: value = {rows, bytes};
      PAIR_SOURCE_STRIDE: value = source_stride;
      PAIR_DESTINATION_STRIDE: value = destination_stride;
      PAIR_ERROR_ADDRESS: value = failing;
      PAIR_CYCLES: value = cycles;
      PAIR_WRITTEN: value = total;
      default: value = '0;
    endcase
  assign s_axi_arready = open && (!s_axi_rvalid || s_axi_rready);
  always_ff @(posedge clk) begin
    if (!rst_n) s_axi_rvalid <= 1'b0;
    else if (s_axi_arvalid && s_axi_arready) s_axi_rvalid <= 1'b1;
    else if (s_axi_rready) s_axi_rvalid <= 1'b0;
    if (s_axi_arvalid && s_axi_arready) begin
      s_axi_rdata <= s_axi_araddr[2] ? value[63:32] : value[31:0];
      s_axi_rresp <= read_pair < PAIR_END ? OKAY : DECERR;
    end
  end
endmodule
