// SPDX-License-Identifier: Apache-2.0
// A platform-level interrupt controller for up to 63 level-triggered sources and one context.
`include "lite.svh"
module plic #(
    parameter int SOURCES = 63
) (
    `LITE_PORTS(26, 32),
    input  logic [SOURCES-1:0] irq_sources,  // the first is source 1
    output logic [1:0]         eip
);
  `LITE_LOGIC(26, 32)
  logic [2:0] levels[SOURCES+1];
  logic [63:0] enabled, serving;
  logic [2:0] threshold;
  wire [63:0] pending = 64'({irq_sources, 1'b0}) & ~serving;
  logic [5:0] best;
  always_comb begin
    best = 0;
    for (int i = SOURCES; i > 0; --i)
      if (pending[i] && enabled[i] && levels[i] > threshold && levels[i] >= levels[best]) best = 6'(i);
  end
  assign eip = {1'b0, best != 0};
  assign write_error = 0;
  wire claim = read && read_address == 26'h200004;
  always_comb begin
    read_data = '0;
    if (read_address < 26'h100) read_data = 32'(levels[read_address[7:2]]);
    if (read_address[25:3] == 23'h200) read_data = pending[32*read_address[2]+:32];
    if (read_address[25:3] == 23'h400) read_data = enabled[32*read_address[2]+:32];
    if (read_address == 26'h200000) read_data = 32'(threshold);
    if (read_address == 26'h200004) read_data = 32'(best);
  end
  always_ff @(posedge clk)
    if (!rst_n) begin
      for (int i = 0; i <= SOURCES; ++i) levels[i] <= 0;
      {enabled, serving, threshold} <= '0;
    end else begin
      if (claim && best != 0) serving[best] <= 1;
      if (write) begin
        if (write_address < 26'h100 && write_address != 0) levels[write_address[7:2]] <= write_data[2:0];
        if (write_address[25:3] == 23'h400) enabled[32*write_address[2]+:32] <= write_data;
        if (write_address == 26'h200000) threshold <= write_data[2:0];
        if (write_address == 26'h200004) serving[write_data[5:0]] <= 0;
      end
    end
endmodule
