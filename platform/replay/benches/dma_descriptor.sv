  // The engine is told by ports: registers of the bench carry the descriptor, word by word, and 8 x 6 starts it. 8 x 7 says done and failed.
  bit [63:0] d_values[8];
  bit d_start, d_running, d_finished, d_failed, d_answered, d_read;
  assign {s_awready, s_wready} = {2{s_awvalid && s_wvalid && !d_answered}};
  assign {s_bvalid, s_bid, s_bresp} = {d_answered, 3'b0};
  assign s_arready = !d_read;
  assign {s_rvalid, s_rid, s_rresp, s_rlast} = {d_read, 1'b0, 2'b0, 1'b1};
  assign s_rdata = {62'b0, d_failed, d_finished};
  always @(posedge clock)
    if (reset) {d_start, d_running, d_finished, d_failed, d_answered, d_read} <= '0;
    else begin
      if (s_bready) d_answered <= 0;
      if (s_rready) d_read <= 0;
      if (s_arvalid && s_arready) d_read <= 1;
      if (d_start && d_ready) {d_start, d_running} <= 2'b01;
      if (d_running && d_done) {d_running, d_finished, d_failed} <= {2'b01, d_error};
      if (s_awready) begin
        d_answered <= 1;
        d_values[s_awaddr[5:3]] <= s_wdata;
        if (s_awaddr[5:3] == 6) {d_start, d_finished, d_failed} <= 3'b100;
      end
    end
