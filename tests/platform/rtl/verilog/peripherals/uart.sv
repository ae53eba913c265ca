// SPDX-License-Identifier: Apache-2.0
// As much of a 16550 as firmware uses: RBR/THR, divisor, LCR, LSR, and the interrupt of received data. FIFOs of 16 characters. The
// line has 8 data bits and one stop bit; LINE 0: characters go over valid and ready ports instead.
`include "lite.svh"
module uart #(
    parameter bit LINE = 1
) (
    `LITE_PORTS(3, 8),
    output logic       irq,
    output logic       txd,
    input  logic       rxd,
    output logic       tx_valid,
    input  logic       tx_ready,
    output logic [7:0] tx_data,
    input  logic       rx_valid,
    output logic       rx_ready,
    input  logic [7:0] rx_data
);
  `LITE_LOGIC(3, 8)
  logic [7:0] ier, lcr, scratch;
  logic [15:0] divisor;
  logic [7:0] tx[16], rx[16];
  logic [4:0] tx_count, rx_count;
  logic [3:0] tx_first, rx_first;
  logic [19:0] tx_left, rx_left;  // cycles of the bit
  logic [3:0] tx_bits, rx_bits;   // left of the character
  logic [9:0] tx_shift;
  logic [7:0] rx_shift;
  wire dlab = lcr[7];
  wire [19:0] bit_cycles = {divisor, 4'd0};
  wire push = write && write_address == 0 && !dlab && tx_count != 16;
  wire pop = LINE ? tx_count != 0 && tx_bits == 0 && divisor != 0 : tx_valid && tx_ready;
  wire take = read && read_address == 0 && !dlab && rx_count != 0;
  wire came = LINE ? rx_bits == 1 && rx_left == 1 : rx_valid && rx_ready;
  assign irq = ier[0] && rx_count != 0;
  assign write_error = 0;
  assign txd = tx_bits == 0 || tx_shift[0];
  assign {tx_valid, tx_data} = {!LINE && tx_count != 0, tx[tx_first]};
  assign rx_ready = rx_count != 16;
  always_comb
    case (read_address)
      0: read_data = dlab ? divisor[7:0] : rx_count == 0 ? '0 : rx[rx_first];
      1: read_data = dlab ? divisor[15:8] : ier;
      2: read_data = irq ? 8'hc4 : 8'hc1;
      3: read_data = lcr;
      5: read_data = {1'b0, tx_count == 0 && tx_bits == 0, tx_count == 0, 4'd0, rx_count != 0};
      6: read_data = 8'hb0;
      7: read_data = scratch;
      default: read_data = '0;
    endcase
  always_ff @(posedge clk)
    if (!rst_n) begin
      {ier, lcr, scratch, divisor, tx_count, rx_count, tx_first, rx_first, tx_bits, rx_bits} <= '0;
    end else begin
      if (write)
        case (write_address)
          0: if (dlab) divisor[7:0] <= write_data;
          1: if (dlab) divisor[15:8] <= write_data; else ier <= write_data;
          3: lcr <= write_data;
          7: scratch <= write_data;
          default: ;
        endcase
      if (push) tx[tx_first + tx_count[3:0]] <= write_data;
      if (pop) tx_first <= tx_first + 1;
      tx_count <= tx_count + (push ? 1 : 0) - (pop ? 1 : 0);
      if (LINE && pop) begin
        tx_shift <= {1'b1, tx[tx_first], 1'b0};
        tx_bits <= 10;
        tx_left <= bit_cycles;
      end else if (tx_bits != 0) begin
        tx_left <= tx_left == 1 ? bit_cycles : tx_left - 1;
        if (tx_left == 1) begin
          tx_shift <= tx_shift >> 1;
          tx_bits <= tx_bits - 1;
        end
      end
      if (LINE && rx_bits == 0 && !rxd && divisor != 0) begin
        rx_bits <= 10;
        rx_left <= bit_cycles >> 1;
      end else if (rx_bits != 0) begin
        rx_left <= rx_left == 1 ? bit_cycles : rx_left - 1;
        if (rx_left == 1) begin
          rx_bits <= rx_bits - 1;
          if (rx_bits != 1) rx_shift <= {rxd, rx_shift[7:1]};
        end
      end
      if (came && rx_count != 16) rx[rx_first + rx_count[3:0]] <= LINE ? rx_shift : rx_data;
      if (take) rx_first <= rx_first + 1;
      rx_count <= rx_count + (came && rx_count != 16 ? 1 : 0) - (take ? 1 : 0);
    end
endmodule
