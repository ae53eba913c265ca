// SPDX-License-Identifier: Apache-2.0
// A core-local interruptor (msip, mtimecmp, mtime); mtime counts rising edges of rtc.
`include "lite.svh"
module clint (
    `LITE_PORTS(16, 64),
    input  logic        rtc,
    output logic        msip,
    output logic        mtip,
    output logic [63:0] mtime
);
  `LITE_LOGIC(16, 64)
  reg [63:0] mtimecmp;
  reg rtc_before;
  assign mtip = mtime >= mtimecmp;
  assign write_error = 0;
  assign read_data = read_address[15:3] == 0 ? {63'd0, msip} : read_address[15:3] == 13'h800 ? mtimecmp
      : read_address[15:3] == 13'h17ff ? mtime : 64'd0;
  always @(posedge clk)
    if (!rst_n) begin
      {msip, mtime} <= 0;
      mtimecmp <= 64'hffffffffffffffff;
      rtc_before <= 1;
    end else begin
      rtc_before <= rtc;
      if (rtc && !rtc_before) mtime <= mtime + 1;
      if (write && write_address[15:3] == 0 && write_mask[0]) msip <= write_data[0];
      if (write && write_address[15:3] == 13'h800) mtimecmp <= (write_data & write_mask) | (mtimecmp & ~write_mask);
      if (write && write_address[15:3] == 13'h17ff) mtime <= (write_data & write_mask) | (mtime & ~write_mask);
    end
endmodule
