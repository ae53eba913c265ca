// SPDX-License-Identifier: Apache-2.0
// The system controller of the chip (FR_SYSCTL_REGISTERS).
`include "lite.svh"
module sysctl (
    `LITE_PORTS(7, 64),
    input  logic [31:0] clusters,
    input  logic [63:0] boot, tree, cpu_hz, timebase_hz, cluster_hz,
    output logic        exit,
    output logic [7:0]  code,
    output logic        reset_chip,
    output logic [63:0] cluster_reset
);
  `LITE_LOGIC(7, 64)
  logic [63:0] boot_written, scratch;
  logic boot_is_written;
  wire [63:0] boot_address = boot_is_written ? boot_written : boot;
  wire chip = write && write_address[6:3] == 7 && write_mask[32];
  assign write_error = chip && write_data[63:32] != 1;
  function automatic [63:0] merged(input [63:0] old);
    merged = (write_data & write_mask) | (old & ~write_mask);
  endfunction
  always_comb
    case (read_address[6:3])
      0: read_data = {clusters, 32'h46525331};
      1: read_data = boot_address;
      2: read_data = tree;
      3: read_data = cpu_hz;
      4: read_data = timebase_hz;
      5: read_data = cluster_hz;
      6: read_data = cluster_reset;
      8: read_data = scratch;
      default: read_data = '0;
    endcase
  always_ff @(posedge clk) begin
    exit <= 0;
    reset_chip <= 0;
    if (!rst_n) begin
      {boot_is_written, scratch, cluster_reset} <= '0;
    end else if (write)
      case (write_address[6:3])
        1: {boot_is_written, boot_written} <= {1'b1, merged(boot_address)};
        6: cluster_reset <= merged(cluster_reset);
        7: begin
          if (write_mask[0]) {exit, code} <= {1'b1, write_data[7:0]};
          if (chip && !write_error) begin
            reset_chip <= 1;
            {boot_is_written, cluster_reset} <= '0;
          end
        end
        8: scratch <= merged(scratch);
        default: ;
      endcase
  end
endmodule
