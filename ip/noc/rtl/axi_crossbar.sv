// SPDX-License-Identifier: Apache-2.0
// An AXI4 crossbar: S subordinate ports (s_*), to which managers are connected, and M manager ports (m_*), to which
// subordinates are. Ports lie side by side in packed arrays, port 0 in the lowest bits.
//
// Decode: the bits of an address from TARGET on are the number of the manager port it goes to; an address of no port is
// answered with DECERR. Addresses leave as they came.
// IDs leave with the number of the subordinate port in front. Several transactions may be under way, up to DEPTH of an ID;
// transactions of one ID that go to another port wait until those before have ended, so that answers of one ID come in
// order. Read data of different IDs may be interleaved, beat by beat: a burst that kept the port would wait for a target that
// interleaves.
// Each channel has a register stage, on the way to the manager port or from it: a request takes a cycle, an answer another.
// Arbitration is round robin for each port and channel; write data follow the order of the addresses taken.
// LOCK, QOS, REGION and USER are not carried. rst_n is synchronous, active low. idle: nothing is under way.
module axi_crossbar #(
    parameter  int S = 2,
    parameter  int M = 2,
    parameter  int ADDRESS = 64,
    parameter  int DATA = 64,
    parameter  int ID = 4,
    parameter  int TARGET = 48,
    parameter  int DEPTH = 8,
    localparam int PORT = S > 1 ? $clog2(S) : 1,
    localparam int MID = ID + PORT
) (
    input  logic clk,
    input  logic rst_n,
    output logic idle,

    input  logic [S-1:0]              s_awvalid,
    output logic [S-1:0]              s_awready,
    input  logic [S-1:0][ID-1:0]      s_awid,
    input  logic [S-1:0][ADDRESS-1:0] s_awaddr,
    input  logic [S-1:0][7:0]         s_awlen,
    input  logic [S-1:0][2:0]         s_awsize,
    input  logic [S-1:0][1:0]         s_awburst,
    input  logic [S-1:0][3:0]         s_awcache,
    input  logic [S-1:0][2:0]         s_awprot,
    input  logic [S-1:0]              s_wvalid,
    output logic [S-1:0]              s_wready,
    input  logic [S-1:0][DATA-1:0]    s_wdata,
    input  logic [S-1:0][DATA/8-1:0]  s_wstrb,
    input  logic [S-1:0]              s_wlast,
    output logic [S-1:0]              s_bvalid,
    input  logic [S-1:0]              s_bready,
    output logic [S-1:0][ID-1:0]      s_bid,
    output logic [S-1:0][1:0]         s_bresp,
    input  logic [S-1:0]              s_arvalid,
    output logic [S-1:0]              s_arready,
    input  logic [S-1:0][ID-1:0]      s_arid,
    input  logic [S-1:0][ADDRESS-1:0] s_araddr,
    input  logic [S-1:0][7:0]         s_arlen,
    input  logic [S-1:0][2:0]         s_arsize,
    input  logic [S-1:0][1:0]         s_arburst,
    input  logic [S-1:0][3:0]         s_arcache,
    input  logic [S-1:0][2:0]         s_arprot,
    output logic [S-1:0]              s_rvalid,
    input  logic [S-1:0]              s_rready,
    output logic [S-1:0][ID-1:0]      s_rid,
    output logic [S-1:0][DATA-1:0]    s_rdata,
    output logic [S-1:0][1:0]         s_rresp,
    output logic [S-1:0]              s_rlast,

    output logic [M-1:0]              m_awvalid,
    input  logic [M-1:0]              m_awready,
    output logic [M-1:0][MID-1:0]     m_awid,
    output logic [M-1:0][ADDRESS-1:0] m_awaddr,
    output logic [M-1:0][7:0]         m_awlen,
    output logic [M-1:0][2:0]         m_awsize,
    output logic [M-1:0][1:0]         m_awburst,
    output logic [M-1:0][3:0]         m_awcache,
    output logic [M-1:0][2:0]         m_awprot,
    output logic [M-1:0]              m_wvalid,
    input  logic [M-1:0]              m_wready,
    output logic [M-1:0][DATA-1:0]    m_wdata,
    output logic [M-1:0][DATA/8-1:0]  m_wstrb,
    output logic [M-1:0]              m_wlast,
    input  logic [M-1:0]              m_bvalid,
    output logic [M-1:0]              m_bready,
    input  logic [M-1:0][MID-1:0]     m_bid,
    input  logic [M-1:0][1:0]         m_bresp,
    output logic [M-1:0]              m_arvalid,
    input  logic [M-1:0]              m_arready,
    output logic [M-1:0][MID-1:0]     m_arid,
    output logic [M-1:0][ADDRESS-1:0] m_araddr,
    output logic [M-1:0][7:0]         m_arlen,
    output logic [M-1:0][2:0]         m_arsize,
    output logic [M-1:0][1:0]         m_arburst,
    output logic [M-1:0][3:0]         m_arcache,
    output logic [M-1:0][2:0]         m_arprot,
    input  logic [M-1:0]              m_rvalid,
    output logic [M-1:0]              m_rready,
    input  logic [M-1:0][MID-1:0]     m_rid,
    input  logic [M-1:0][DATA-1:0]    m_rdata,
    input  logic [M-1:0][1:0]         m_rresp,
    input  logic [M-1:0]              m_rlast
);
  // Target M is the one that refuses.
  localparam int TO = $clog2(M + 1);
  localparam int AX = ADDRESS + 8 + 3 + 2 + 4 + 3, B = ID + 2, R = ID + DATA + 3;
  localparam logic [1:0] DECERR = 2'b11;

  logic [S-1:0][TO-1:0] aw_to, ar_to, w_to;  // decoded; of the oldest write whose data are not through
  logic [S-1:0] aw_may, ar_may, w_none, w_full, writes_none, reads_none;
  logic [S-1:0] aw_take, ar_take, w_pop, b_take, r_take;
  logic [S-1:0][AX-1:0] aw, ar;
  // [target][port], and transposed for answers.
  logic [M:0][S-1:0] aw_request, ar_request, aw_grant, ar_grant;
  logic [S-1:0][M:0] b_request, r_request, b_grant, r_grant;
  logic [M:0] aw_room, ar_room;
  logic [M-1:0][S-1:0] b_readies, r_readies;
  logic [M-1:0] w_room, w_idle, w_full_m;
  logic [M-1:0][PORT-1:0] w_from;  // whose data come next
  logic [S-1:0] refused_b, refused_r, refused_r_last, refused_aw_ready, refused_ar_ready;
  logic [S-1:0][ID-1:0] refused_b_id, refused_r_id;

  assign idle = (&writes_none) && (&reads_none) && s_awvalid == '0 && s_arvalid == '0 && s_bvalid == '0 && s_rvalid == '0
             && m_wvalid == '0;

  for (genvar s = 0; s < S; s++) begin : g_port
    logic [ADDRESS-TARGET-1:0] aw_number, ar_number;
    logic [M:0] aw_taken, ar_taken;
    logic b_ready, r_ready;
    assign aw_number = s_awaddr[s][ADDRESS-1:TARGET];
    assign ar_number = s_araddr[s][ADDRESS-1:TARGET];
    assign aw_to[s] = aw_number < (ADDRESS - TARGET)'(M) ? TO'(aw_number) : TO'(M);
    assign ar_to[s] = ar_number < (ADDRESS - TARGET)'(M) ? TO'(ar_number) : TO'(M);
    assign aw[s] = {s_awaddr[s], s_awlen[s], s_awsize[s], s_awburst[s], s_awcache[s], s_awprot[s]};
    assign ar[s] = {s_araddr[s], s_arlen[s], s_arsize[s], s_arburst[s], s_arcache[s], s_arprot[s]};
    for (genvar m = 0; m <= M; m++) begin : g_to
      assign aw_request[m][s] = s_awvalid[s] && aw_may[s] && !w_full[s] && aw_to[s] == TO'(m);
      assign ar_request[m][s] = s_arvalid[s] && ar_may[s] && ar_to[s] == TO'(m);
      assign aw_taken[m] = m == M ? aw_request[m][s] && refused_aw_ready[s] : aw_grant[m][s] && aw_room[m];
      assign ar_taken[m] = m == M ? ar_request[m][s] && refused_ar_ready[s] : ar_grant[m][s] && ar_room[m];
    end
    assign aw_take[s] = aw_taken != '0;
    assign ar_take[s] = ar_taken != '0;
    assign s_awready[s] = aw_take[s];
    assign s_arready[s] = ar_take[s];
    axi_orders #(.ID(ID), .TARGET(TO), .DEPTH(DEPTH)) writes (
        .clk, .rst_n, .id(s_awid[s]), .target(aw_to[s]), .begins(aw_take[s]), .ends(b_take[s]), .end_id(s_bid[s]),
        .allowed(aw_may[s]), .none(writes_none[s]));
    axi_orders #(.ID(ID), .TARGET(TO), .DEPTH(DEPTH)) reads (
        .clk, .rst_n, .id(s_arid[s]), .target(ar_to[s]), .begins(ar_take[s]), .ends(r_take[s] && s_rlast[s]),
        .end_id(s_rid[s]), .allowed(ar_may[s]), .none(reads_none[s]));

    // Data follow their addresses.
    axi_queue #(.WIDTH(TO), .DEPTH(DEPTH)) w_targets (
        .clk, .rst_n, .push(aw_take[s]), .in(aw_to[s]), .pop(w_pop[s]), .full(w_full[s]), .empty(w_none[s]), .head(w_to[s]));
    always_comb begin
      s_wready[s] = !w_none[s] && w_to[s] == TO'(M);
      for (int m = 0; m < M; m++)
        if (!w_none[s] && w_to[s] == TO'(m) && !w_idle[m] && w_from[m] == PORT'(s) && w_room[m]) s_wready[s] = 1'b1;
    end
    assign w_pop[s] = s_wvalid[s] && s_wready[s] && s_wlast[s];

    axi_refusal #(.ID(ID)) refusal (
        .clk, .rst_n, .aw_valid(aw_request[M][s]), .aw_ready(refused_aw_ready[s]), .aw_id(s_awid[s]),
        .w_last(w_pop[s] && w_to[s] == TO'(M)), .b_valid(refused_b[s]), .b_ready(b_grant[s][M] && b_ready), .b_id(refused_b_id[s]),
        .ar_valid(ar_request[M][s]), .ar_ready(refused_ar_ready[s]), .ar_id(s_arid[s]), .ar_len(s_arlen[s]),
        .r_valid(refused_r[s]), .r_ready(r_grant[s][M] && r_ready), .r_id(refused_r_id[s]), .r_last(refused_r_last[s]));

    // Answers.
    logic [(M+1)*B-1:0] b_in;
    logic [(M+1)*R-1:0] r_in;
    logic [B-1:0] b;
    logic [R-1:0] r;
    for (genvar m = 0; m < M; m++) begin : g_from
      assign b_request[s][m] = m_bvalid[m] && m_bid[m][MID-1:ID] == PORT'(s);
      assign r_request[s][m] = m_rvalid[m] && m_rid[m][MID-1:ID] == PORT'(s);
      assign b_in[m*B+:B] = {m_bid[m][ID-1:0], m_bresp[m]};
      assign r_in[m*R+:R] = {m_rid[m][ID-1:0], m_rdata[m], m_rresp[m], m_rlast[m]};
    end
    assign b_in[M*B+:B] = {refused_b_id[s], DECERR};
    assign r_in[M*R+:R] = {refused_r_id[s], {DATA{1'b0}}, DECERR, refused_r_last[s]};
    axi_choice #(.N(M + 1), .WIDTH(B)) b_choice (.grant(b_grant[s]), .in(b_in), .out(b));
    axi_choice #(.N(M + 1), .WIDTH(R)) r_choice (.grant(r_grant[s]), .in(r_in), .out(r));
    assign b_request[s][M] = refused_b[s];
    assign r_request[s][M] = refused_r[s];
    axi_arbiter #(.N(M + 1)) b_turns (
        .clk, .rst_n, .request(b_request[s]), .take(b_ready && b_grant[s] != '0), .grant(b_grant[s]));
    axi_arbiter #(.N(M + 1)) r_turns (
        .clk, .rst_n, .request(r_request[s]), .take(r_ready && r_grant[s] != '0), .grant(r_grant[s]));
    axi_stage #(.WIDTH(B)) b_stage (
        .clk, .rst_n, .in_valid(b_grant[s] != '0), .in_ready(b_ready), .in_data(b), .out_valid(s_bvalid[s]),
        .out_ready(s_bready[s]), .out_data({s_bid[s], s_bresp[s]}));
    axi_stage #(.WIDTH(R)) r_stage (
        .clk, .rst_n, .in_valid(r_grant[s] != '0), .in_ready(r_ready), .in_data(r), .out_valid(s_rvalid[s]),
        .out_ready(s_rready[s]), .out_data({s_rid[s], s_rdata[s], s_rresp[s], s_rlast[s]}));
    assign b_take[s] = s_bvalid[s] && s_bready[s];
    assign r_take[s] = s_rvalid[s] && s_rready[s];
    // To the manager ports.
    for (genvar m = 0; m < M; m++) begin : g_ready
      assign b_readies[m][s] = b_grant[s][m] && b_ready;
      assign r_readies[m][s] = r_grant[s][m] && r_ready;
    end
  end

  for (genvar m = 0; m < M; m++) begin : g_target
    logic [PORT-1:0] aw_port, ar_port;
    logic [MID+AX-1:0] aw_in, ar_in;
    logic w_valid, w_last, aw_ready;
    logic [DATA+DATA/8:0] w_in;
    always_comb begin
      aw_port = '0;
      ar_port = '0;
      for (int s = 0; s < S; s++) begin
        if (aw_grant[m][s]) aw_port = PORT'(s);
        if (ar_grant[m][s]) ar_port = PORT'(s);
      end
      aw_in = {aw_port, s_awid[aw_port], aw[aw_port]};
      ar_in = {ar_port, s_arid[ar_port], ar[ar_port]};
    end
    assign aw_room[m] = aw_ready && !w_full_m[m];
    axi_arbiter #(.N(S)) aw_turns (
        .clk, .rst_n, .request(aw_request[m]), .take(aw_room[m] && aw_grant[m] != '0), .grant(aw_grant[m]));
    axi_arbiter #(.N(S)) ar_turns (
        .clk, .rst_n, .request(ar_request[m]), .take(ar_room[m] && ar_grant[m] != '0), .grant(ar_grant[m]));
    axi_stage #(.WIDTH(MID + AX)) aw_stage (
        .clk, .rst_n, .in_valid(aw_grant[m] != '0 && !w_full_m[m]), .in_ready(aw_ready), .in_data(aw_in),
        .out_valid(m_awvalid[m]), .out_ready(m_awready[m]),
        .out_data({m_awid[m], m_awaddr[m], m_awlen[m], m_awsize[m], m_awburst[m], m_awcache[m], m_awprot[m]}));
    axi_stage #(.WIDTH(MID + AX)) ar_stage (
        .clk, .rst_n, .in_valid(ar_grant[m] != '0), .in_ready(ar_room[m]), .in_data(ar_in), .out_valid(m_arvalid[m]),
        .out_ready(m_arready[m]),
        .out_data({m_arid[m], m_araddr[m], m_arlen[m], m_arsize[m], m_arburst[m], m_arcache[m], m_arprot[m]}));

    // Write data, in the order in which addresses were taken.
    axi_queue #(.WIDTH(PORT), .DEPTH(DEPTH)) w_ports (
        .clk, .rst_n, .push(aw_room[m] && aw_grant[m] != '0), .in(aw_port), .pop(w_valid && w_room[m] && w_last),
        .full(w_full_m[m]), .empty(w_idle[m]), .head(w_from[m]));
    assign w_valid = !w_idle[m] && s_wvalid[w_from[m]] && !w_none[w_from[m]] && w_to[w_from[m]] == TO'(m);
    assign w_last = s_wlast[w_from[m]];
    assign w_in = {s_wdata[w_from[m]], s_wstrb[w_from[m]], w_last};
    axi_stage #(.WIDTH(DATA + DATA / 8 + 1)) w_stage (
        .clk, .rst_n, .in_valid(w_valid), .in_ready(w_room[m]), .in_data(w_in), .out_valid(m_wvalid[m]),
        .out_ready(m_wready[m]), .out_data({m_wdata[m], m_wstrb[m], m_wlast[m]}));
    assign m_bready[m] = b_readies[m] != '0;
    assign m_rready[m] = r_readies[m] != '0;
  end
  // The refusals need no turns: each port has its own.
  assign aw_grant[M] = '0;
  assign ar_grant[M] = '0;
  assign aw_room[M] = 1'b0;
  assign ar_room[M] = 1'b0;
endmodule
