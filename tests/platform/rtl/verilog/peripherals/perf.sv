// SPDX-License-Identifier: Apache-2.0
// The counter block of the chip (FR_PERF_REGISTERS); the chip gives number, value and name of the counter that is selected.
`include "lite.svh"
module perf (
    `LITE_PORTS(7, 64),
    output logic [31:0]  select,
    input  logic [31:0]  count,
    input  logic [63:0]  value,
    input  logic [511:0] name
);
  `LITE_LOGIC(7, 64)
  assign write_error = 0;
  always_comb begin
    read_data = '0;
    if (read_address[6:3] == 0) read_data = {count, 32'h46525031};
    if (read_address[6:3] == 1) read_data = {32'd0, select};
    if (read_address[6:3] == 2) read_data = value;
    if (read_address[6]) read_data = name[64*read_address[5:3]+:64];
  end
  always_ff @(posedge clk)
    if (!rst_n) select <= 0;
    else if (write && write_address[6:3] == 1) select <= write_data[31:0];
endmodule
