// SPDX-License-Identifier: Apache-2.0
// The target of addresses that are nobody's: takes one write and one read at a time and answers with DECERR.
module axi_refusal #(
    parameter int ID = 4
) (
    input  logic          clk,
    input  logic          rst_n,
    input  logic          aw_valid,
    output logic          aw_ready,
    input  logic [ID-1:0] aw_id,
    input  logic          w_last,  // the last beat of its data is there, and is taken
    output logic          b_valid,
    input  logic          b_ready,
    output logic [ID-1:0] b_id,
    input  logic          ar_valid,
    output logic          ar_ready,
    input  logic [ID-1:0] ar_id,
    input  logic [7:0]    ar_len,
    output logic          r_valid,
    input  logic          r_ready,
    output logic [ID-1:0] r_id,
    output logic          r_last
);
  logic writing;
  logic [7:0] left;
  assign aw_ready = !writing && !b_valid;
  assign ar_ready = !r_valid;
  assign r_last = left == '0;
  always_ff @(posedge clk)
    if (!rst_n) begin
      writing <= 1'b0;
      b_valid <= 1'b0;
      r_valid <= 1'b0;
    end else begin
      if (aw_valid && aw_ready) begin
        writing <= 1'b1;
        b_id <= aw_id;
      end
      if (w_last) begin
        writing <= 1'b0;
        b_valid <= 1'b1;
      end
      if (b_valid && b_ready) b_valid <= 1'b0;
      if (ar_valid && ar_ready) begin
        r_valid <= 1'b1;
        r_id <= ar_id;
        left <= ar_len;
      end
      if (r_valid && r_ready) begin
        left <= left - 1'b1;
        if (r_last) r_valid <= 1'b0;
      end
    end
endmodule
