// SPDX-License-Identifier: Apache-2.0
// The mailbox of the chip (FR_MAILBOX_REGISTERS) with room for one message each way; the host's end are streams of 64 bits.
`include "lite.svh"
module mailbox (
    `LITE_PORTS(8, 64),
    output logic        irq_n,
    input  logic        from_host_valid,
    output logic        from_host_ready,
    input  logic [63:0] from_host_data,
    output logic        to_host_valid,
    input  logic        to_host_ready,
    output logic [63:0] to_host_data,
    output logic        to_host_last
);
  `LITE_LOGIC(8, 64)
  logic [63:0] in[8], out[8], leaving[8];
  logic [3:0] filled, sent;  // words; 8: the whole message
  logic [1:0] enable;
  wire present = filled == 8, full = sent != 8;
  wire control = write && write_address[7:3] == 1 && write_mask[32];
  assign write_error = control && write_data[33] && full;
  assign irq_n = !((enable[0] && present) || (enable[1] && !full));
  assign from_host_ready = open && !present;
  assign to_host_valid = open && full;
  assign to_host_data = leaving[sent[2:0]];
  assign to_host_last = sent == 7;
  always_comb begin
    read_data = '0;
    if (read_address[7:3] == 0) read_data = {30'd0, full, present, 32'h46524d31};
    if (read_address[7:3] == 1) read_data = {62'd0, enable};
    if (read_address[7:6] == 1) read_data = present ? in[read_address[5:3]] : '0;
    if (read_address[7:6] == 2) read_data = out[read_address[5:3]];
  end
  always_ff @(posedge clk)
    if (!rst_n) begin
      filled <= 0;
      sent <= 8;
      enable <= 0;
      for (int i = 0; i < 8; ++i) out[i] <= 0;
    end else begin
      if (from_host_valid && from_host_ready) begin
        in[filled[2:0]] <= from_host_data;
        filled <= filled + 1;
      end
      if (to_host_valid && to_host_ready) sent <= sent + 1;
      if (write && write_address[7:3] == 1 && write_mask[0]) enable <= write_data[1:0];
      if (write && write_address[7:6] == 2)
        out[write_address[5:3]] <= (write_data & write_mask) | (out[write_address[5:3]] & ~write_mask);
      if (control && write_data[32] && present) filled <= 0;
      if (control && write_data[33] && !full) begin
        for (int i = 0; i < 8; ++i) leaving[i] <= out[i];
        sent <= 0;
      end
    end
endmodule
