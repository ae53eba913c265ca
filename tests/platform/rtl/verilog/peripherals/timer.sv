// SPDX-License-Identifier: Apache-2.0
// The timer of the chip (FR_TIMER_REGISTERS); a tick is a rising edge of `tick`.
`include "lite.svh"
module timer (
    `LITE_PORTS(5, 64),
    input  logic tick,
    output logic irq
);
  `LITE_LOGIC(5, 64)
  logic [63:0] count, period, left;
  logic [2:0] control;
  logic expired, tick_before;
  wire step = tick && !tick_before;
  wire [63:0] merged = (write_data & write_mask) | (period & ~write_mask);
  assign irq = control[2] && expired;
  assign write_error = write_address[4:3] == 0 && write_mask[32] && write_data[63:35] != 0;
  always_comb
    case (read_address[4:3])
      0: read_data = {29'd0, control, 32'h46525431};
      1: read_data = count;
      2: read_data = period;
      default: read_data = {63'd0, expired};
    endcase
  always_ff @(posedge clk)
    if (!rst_n) begin
      {count, period, left, control, expired} <= '0;
      tick_before <= 1;
    end else begin
      tick_before <= tick;
      if (step) count <= count + 1;
      if (control[0]) begin
        if (left == 0) begin
          expired <= 1;
          left <= period;
          if (!control[1] || period == 0) control[0] <= 0;
        end else if (step) left <= left - 1;
      end
      if (write) begin
        if (write_address[4:3] == 2) period <= merged;
        if (write_address[4:3] == 3 && write_mask[0] && write_data[0]) expired <= 0;
        if (write_address[4:3] == 0 && write_mask[32]) begin
          control <= write_data[34:32];
          left <= period;
        end
      end
    end
endmodule
