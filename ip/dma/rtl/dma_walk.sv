// SPDX-License-Identifier: Apache-2.0
// Walks over the rows of one side of a copy and cuts them into pieces: none crosses a multiple of BURST_BYTES, a power of two
// up to AXI's 4096, nor the end of a row. A piece a cycle.
module dma_walk #(
    parameter int BURST_BYTES = 256
) (
    input  logic        clk,
    input  logic        rst_n,

    input  logic        start,    // takes the fields below
    input  logic [63:0] base,     // address of the first row
    input  logic [63:0] stride,   // from row to row, signed
    input  logic [31:0] bytes,    // of a row
    input  logic [31:0] rows,

    output logic        valid,
    input  logic        take,
    output logic [63:0] address,
    output logic [12:0] length    // bytes, 1 .. BURST_BYTES
);
  localparam int OFFSET = $clog2(BURST_BYTES);

  logic [63:0] row, row_stride;
  logic [31:0] row_bytes, left, rows_left;
  logic [12:0] room;
  assign room = 13'(BURST_BYTES) - 13'(address[OFFSET-1:0]);
  assign length = left < 32'(room) ? left[12:0] : room;
  assign valid = rows_left != 0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      rows_left <= '0;
    end else if (start) begin
      rows_left <= bytes == 0 ? '0 : rows;
    end else if (take && left == 32'(length)) begin
      rows_left <= rows_left - 1;
    end
    if (start) begin
      row <= base;
      address <= base;
      row_stride <= stride;
      row_bytes <= bytes;
      left <= bytes;
    end else if (take && left == 32'(length)) begin
      row <= row + row_stride;
      address <= row + row_stride;
      left <= row_bytes;
    end else if (take) begin
      address <= address + 64'(length);
      left <= left - 32'(length);
    end
  end
endmodule
